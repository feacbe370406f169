"""SGLang's OpenAI-compatible server.

Sources: sgl-project/sglang, python/sglang/srt/entrypoints/openai/protocol.py (ModelCard,
ErrorResponse, CompletionStreamResponse, UsageInfo; `max_tokens must be positive`) and its
`add_api_key_middleware` ({"error":"Unauthorized"}); docs.sglang.io, basic_usage/native_api
(/get_model_info, /tokenize); the words of an overflow from QwenLM/Qwen3 issue 1321. The cached
tokens are told with --enable-cache-report.
"""

from typing import ClassVar

from tests.support.doubles.http import (
    CACHED_TOKENS,
    PROMPT_TOKENS,
    Double,
    Fault,
    Reply,
    Request,
    event,
    quoted,
)

_ERROR = '{"object":"error","message":%s,"type":"%s","param":null,"code":%d}'


class SglangDouble(Double):
    profile_id = "sglang"
    headers: ClassVar[dict[str, str]] = {"server": "uvicorn"}

    def answer(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/v1/models":
                body = (
                    f'{{"object":"list","data":[{{"id":{quoted(self.model)},"object":"model",'
                    '"created":1795352400,"owned_by":"sglang","root":"Qwen/Qwen2.5-Coder-1.5B",'
                    '"parent":null,"max_model_len":4096}]}'
                )
                return Reply(body=body.encode())
            case "GET", "/get_model_info":
                return Reply(
                    body=b'{"model_path":"Qwen/Qwen2.5-Coder-1.5B","tokenizer_path":'
                    b'"Qwen/Qwen2.5-Coder-1.5B","is_generation":true,'
                    b'"preferred_sampling_params":null,"weight_version":"default"}'
                )
            case "POST", "/tokenize":
                return Reply(body=b'{"tokens":[151659],"count":1,"max_model_len":4096}')
            case "POST", "/v1/completions":
                return self._complete(request)
            case "POST", "/v1/chat/completions":
                return self._chat(request)
            case _:
                return Reply("404 Not Found", body=b'{"detail":"Not Found"}')

    def is_unknown(self, request: Request) -> bool:
        # It serves one model, and answers whatever it is called.
        return False

    def refusal(self, fault: Fault) -> Reply:
        match fault:
            case Fault.KEY:
                return Reply("401 Unauthorized", body=b'{"error":"Unauthorized"}')
            case Fault.OVERFLOW:
                return self._bad(
                    "The input (5001 tokens) is longer than the model's context length (4096 "
                    "tokens)."
                )
            case Fault.BUSY:
                body = _ERROR % (
                    quoted("The request queue is full."),
                    "ServiceUnavailableError",
                    503,
                )
                return Reply("503 Service Unavailable", body=body.encode())
            case Fault.LOADING:
                return Reply("503 Service Unavailable")
            case _:
                body = _ERROR % (quoted("Internal server error"), "InternalServerError", 500)
                return Reply(body=body.encode())

    def _bad(self, message: str) -> Reply:
        body = _ERROR % (quoted(message), "BadRequestError", 400)
        return Reply("400 Bad Request", body=body.encode())

    def _complete(self, request: Request) -> Reply:
        if request.body["max_tokens"] <= 0:
            return self._bad("max_tokens must be positive")
        pieces, reason = self.written(request)
        start = (
            '{"id":"7d2e","object":"text_completion","created":1795352401,'
            f'"model":{quoted(self.model)},'
        )
        events = [
            event(
                f'{start}"choices":[{{"index":0,"text":{quoted(piece)},"logprobs":null,'
                '"finish_reason":null,"matched_stop":null}],"usage":null}'
            )
            for piece in pieces
        ]
        events.append(
            event(
                f'{start}"choices":[{{"index":0,"text":"","logprobs":null,'
                f'"finish_reason":"{reason}","matched_stop":null}}],"usage":null}}'
            )
        )
        return self._stream(request, start, events, len(pieces))

    def _chat(self, request: Request) -> Reply:
        pieces, reason = self.written(request)
        start = (
            '{"id":"1f0b","object":"chat.completion.chunk","created":1795352401,'
            f'"model":{quoted(self.model)},'
        )
        deltas = [
            '"role":"assistant","content":"","reasoning_content":null,"tool_calls":null',
            '"role":null,"content":null,"reasoning_content":"Let me think.","tool_calls":null',
            *(
                f'"role":null,"content":{quoted(piece)},"reasoning_content":null,"tool_calls":null'
                for piece in pieces
            ),
        ]
        events = [
            event(
                f'{start}"choices":[{{"index":0,"delta":{{{delta}}},"logprobs":null,'
                '"finish_reason":null,"matched_stop":null}],"usage":null}'
            )
            for delta in deltas
        ]
        events.append(
            event(
                f'{start}"choices":[{{"index":0,"delta":{{"role":null,"content":null,'
                '"reasoning_content":null,"tool_calls":null},"logprobs":null,'
                f'"finish_reason":"{reason}","matched_stop":151645}}],"usage":null}}'
            )
        )
        return self._stream(request, start, events, len(pieces))

    def _stream(self, request: Request, start: str, events: list[bytes], count: int) -> Reply:
        if self.fault is Fault.INSIDE:
            error = self.refusal(Fault.INSIDE).body.decode()
            events[1:] = [event(f'{{"error":{error}}}')]
        elif request.body.get("stream_options", {}).get("include_usage"):
            events.append(
                event(
                    f'{start}"choices":[],"usage":{{"prompt_tokens":{PROMPT_TOKENS},'
                    f'"total_tokens":{PROMPT_TOKENS + count},"completion_tokens":{count},'
                    f'"prompt_tokens_details":{{"cached_tokens":{CACHED_TOKENS}}},'
                    '"reasoning_tokens":0}}'
                )
            )
        events.append(event("[DONE]"))
        return Reply(kind="text/event-stream; charset=utf-8", pieces=events)
