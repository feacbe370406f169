"""NVIDIA Triton's OpenAI-compatible front end.

Sources: triton-inference-server/server, python/openai/openai_frontend: engine/triton_engine.py
(chunks, `owned_by`, "suffix is not currently supported", "Unknown model: ..."),
schemas/openai.py (unknown fields are forbidden), frontend/fastapi/routers/completions.py (errors
are FastAPI's {"detail": ...}) and middleware/api_restriction.py.
"""

from typing import ClassVar

from tests.support.doubles.http import (
    PROMPT_TOKENS,
    Double,
    Fault,
    Reply,
    Request,
    event,
    quoted,
)

_FIELDS = {
    *("model", "max_tokens", "temperature", "top_p", "stop", "stream", "stream_options", "seed"),
    *("prompt", "suffix", "messages", "n", "best_of", "echo", "user", "response_format"),
}


class TritonDouble(Double):
    profile_id = "triton"
    headers: ClassVar[dict[str, str]] = {"server": "uvicorn"}

    def answer(self, request: Request) -> Reply:
        unknown = request.body.keys() - _FIELDS
        match request.method, request.path:
            case "GET", "/v1/models":
                body = (
                    f'{{"object":"list","data":[{{"id":{quoted(self.model)},"created":1795352400,'
                    '"object":"model","owned_by":"Triton Inference Server"}]}'
                )
                return Reply(body=body.encode())
            case "POST", _ if unknown:
                field = quoted(min(unknown))
                return Reply(
                    "422 Unprocessable Entity",
                    body=(
                        f'{{"detail":[{{"type":"extra_forbidden","loc":["body",{field}],'
                        '"msg":"Extra inputs are not permitted","input":true}]}'
                    ).encode(),
                )
            case "POST", "/v1/completions":
                return self._complete(request)
            case "POST", "/v1/chat/completions":
                return self._chat(request)
            case _:
                return Reply("404 Not Found", body=b'{"detail":"Not Found"}')

    def refusal(self, fault: Fault) -> Reply:
        match fault:
            case Fault.KEY:
                return Reply("401 Unauthorized", body=b'{"error":"unauthorized"}')
            case Fault.MODEL:
                return Reply("400 Bad Request", body=b'{"detail":"Unknown model: x"}')
            case Fault.OVERFLOW:
                return Reply(
                    "500 Internal Server Error",
                    body=b'{"detail":"The decoder prompt (length 5001) is longer than the maximum '
                    b"model length of 4096. Make sure that `max_model_len` is no smaller than the "
                    b'number of text tokens."}',
                )
            case Fault.BUSY:
                return Reply("429 Too Many Requests", body=b'{"detail":"Too Many Requests"}')
            case Fault.LOADING:
                return Reply("503 Service Unavailable", body=b'{"detail":"Model is not ready"}')
            case Fault.INSIDE:
                # An exception under the iterator: the body ends, and nothing else is said.
                return Reply()

    def _complete(self, request: Request) -> Reply:
        if request.body.get("suffix") is not None:
            return Reply("400 Bad Request", body=b'{"detail":"suffix is not currently supported"}')
        pieces, _ = self.written(request)
        start = '{"id":"cmpl-1f2e","choices":['
        end = (
            f'],"created":1795352401,"model":{quoted(self.model)},"system_fingerprint":null,'
            '"object":"text_completion"'
        )
        events = [
            event(
                f'{start}{{"finish_reason":{reason},"index":0,"logprobs":null,'
                f'"text":{quoted(piece)}}}{end},"usage":null}}'
            )
            for piece, reason in self._reasons(pieces)
        ]
        return self._stream(request, start, end, events, len(pieces))

    def _chat(self, request: Request) -> Reply:
        pieces, _ = self.written(request)
        start = '{"id":"cmpl-4a5b","choices":['
        end = (
            f'],"created":1795352401,"model":{quoted(self.model)},"system_fingerprint":null,'
            '"object":"chat.completion.chunk"'
        )
        events = [
            event(
                f'{start}{{"delta":{{"content":"","function_call":null,"role":"assistant"}},'
                f'"finish_reason":null,"index":0,"logprobs":null}}{end},"usage":null}}'
            ),
            *(
                event(
                    f'{start}{{"delta":{{"content":{quoted(piece)},"function_call":null,'
                    f'"role":null}},"finish_reason":{reason},"index":0,"logprobs":null}}'
                    f'{end},"usage":null}}'
                )
                for piece, reason in self._reasons(pieces)
            ),
        ]
        return self._stream(request, start, end, events, len(pieces))

    @staticmethod
    def _reasons(pieces: list[str]) -> list[tuple[str, str]]:
        # The last response is "stop", whatever it was that ended the answer.
        return [*((piece, "null") for piece in pieces), ("", '"stop"')]

    def _stream(
        self, request: Request, start: str, end: str, events: list[bytes], count: int
    ) -> Reply:
        if self.fault is Fault.INSIDE:
            return Reply(kind="text/event-stream; charset=utf-8", pieces=events[:1])
        if request.body.get("stream_options", {}).get("include_usage"):
            events.append(
                event(
                    f'{start}{end},"usage":{{"completion_tokens":{count},'
                    f'"prompt_tokens":{PROMPT_TOKENS},"total_tokens":{PROMPT_TOKENS + count}}}}}'
                )
            )
        events.append(event("[DONE]"))
        return Reply(kind="text/event-stream; charset=utf-8", pieces=events)
