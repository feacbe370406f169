"""LM Studio.

Sources: lmstudio.ai/docs/developer/rest/endpoints (GET /api/v0/models, the fields of an answer) and
openai-compat; github.com/lmstudio-ai/lmstudio-bug-tracker issues 237 (400 with `error` as a string)
and 2322 (a prompt that is too long answers 200 and `event: error`), and github.com/nugget/
thane-ai-agent pull request 1395 (the same frame, with `error` and `message`).
"""

from typing import ClassVar

from tests.support.doubles.http import (
    PROMPT_TOKENS,
    TOO_LONG,
    Double,
    Fault,
    Reply,
    Request,
    event,
    quoted,
)

_TOO_LONG = (
    "Trying to keep the first 5001 tokens when context the overflows. However, the model is loaded "
    "with context length of only 4096 tokens, which is not enough. Try to load the model with a "
    "larger context length, or provide a shorter input"
)


class LmStudioDouble(Double):
    profile_id = "lmstudio"
    headers: ClassVar[dict[str, str]] = {
        "x-powered-by": "Express",
        "access-control-allow-origin": "*",
    }
    model = "qwen2.5-coder-1.5b-instruct"

    def answer(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/api/v0/models":
                return Reply(body=self._models().encode())
            case "GET", "/v1/models":
                body = (
                    f'{{"data":[{{"id":{quoted(self.model)},"object":"model",'
                    '"owned_by":"organization_owner"}],"object":"list"}'
                )
                return Reply(body=body.encode())
            case "POST", "/v1/completions":
                return self._complete(request)
            case "POST", "/v1/chat/completions":
                return self._chat(request)
            case method, path:
                body = f'{{"error":"Unexpected endpoint or method. ({method} {path})"}}'
                return Reply(body=body.encode())

    def _models(self) -> str:
        return (
            '{"data":[{"id":"meta-llama-3.1-8b-instruct","object":"model","type":"llm",'
            '"publisher":"lmstudio-community","arch":"llama","compatibility_type":"gguf",'
            '"quantization":"Q4_K_M","state":"not-loaded","max_context_length":131072},'
            f'{{"id":{quoted(self.model)},"object":"model","type":"llm","publisher":"Qwen",'
            '"arch":"qwen2","compatibility_type":"gguf","quantization":"Q4_K_M","state":"loaded",'
            '"max_context_length":32768,"loaded_context_length":4096},'
            '{"id":"text-embedding-nomic-embed-text-v1.5","object":"model","type":"embeddings",'
            '"publisher":"nomic-ai","arch":"nomic-bert","compatibility_type":"gguf",'
            '"quantization":"Q4_0","state":"not-loaded","max_context_length":2048}],"object":"list"}'
        )

    def _reply(self, request: Request) -> Reply:
        if request.method == "POST" and len(request.prompt) > TOO_LONG:
            return self._events([self._failure(_TOO_LONG)])
        return super()._reply(request)

    @staticmethod
    def _failure(message: str) -> bytes:
        text = quoted(message)
        data = f'{{"error":{{"message":{text}}},"message":{text}}}'
        return f"event: error\ndata: {data}\n\n".encode()

    @staticmethod
    def _events(events: list[bytes]) -> Reply:
        return Reply(kind="text/event-stream", pieces=events)

    def refusal(self, fault: Fault) -> Reply:
        match fault:
            case Fault.KEY:
                return Reply(
                    "401 Unauthorized",
                    body=b'{"error":{"message":"An LM Studio API token is required to make '
                    b'requests to this server.","type":"invalid_request_error",'
                    b'"code":"invalid_api_key"}}',
                )
            case Fault.MODEL:
                return Reply(
                    "404 Not Found",
                    body=b'{"error":{"message":"No models loaded. Please load a model in the '
                    b'developer page or use the \'lms load\' command.","type":'
                    b'"invalid_request_error","param":"model","code":"model_not_found"}}',
                )
            case Fault.BUSY:
                return Reply("429 Too Many Requests", body=b'{"error":"Too many requests"}')
            case Fault.LOADING:
                return Reply("503 Service Unavailable", body=b'{"error":"Model is loading"}')
            case _:
                return Reply("400 Bad Request", body=f'{{"error":{quoted(_TOO_LONG)}}}'.encode())

    def _complete(self, request: Request) -> Reply:
        pieces, reason = self.written(request)
        start = (
            '{"id":"cmpl-p9rtxv6fky2v9k8jrd8cc","object":"text_completion","created":1795352401,'
            f'"model":{quoted(self.model)},'
        )
        events = [
            event(
                f'{start}"choices":[{{"index":0,"text":{quoted(piece)},"logprobs":null,'
                '"finish_reason":null}]}'
            )
            for piece in pieces
        ]
        events.append(
            event(
                f'{start}"choices":[{{"index":0,"text":"","logprobs":null,'
                f'"finish_reason":"{reason}"}}]}}'
            )
        )
        return self._stream(request, start, events, len(pieces))

    def _chat(self, request: Request) -> Reply:
        pieces, reason = self.written(request)
        start = (
            '{"id":"chatcmpl-i3gkjwthhw96whukek9tz","object":"chat.completion.chunk",'
            f'"created":1795352401,"model":{quoted(self.model)},'
            f'"system_fingerprint":{quoted(self.model)},'
        )
        deltas = [
            '"role":"assistant","reasoning_content":"Let me think."',
            *(f'"role":"assistant","content":{quoted(piece)}' for piece in pieces),
        ]
        events = [
            event(
                f'{start}"choices":[{{"index":0,"delta":{{{delta}}},"logprobs":null,'
                '"finish_reason":null}]}'
            )
            for delta in deltas
        ]
        events.append(
            event(
                f'{start}"choices":[{{"index":0,"delta":{{}},"logprobs":null,'
                f'"finish_reason":"{reason}"}}]}}'
            )
        )
        return self._stream(request, start, events, len(pieces))

    def _stream(self, request: Request, start: str, events: list[bytes], count: int) -> Reply:
        if self.fault is Fault.INSIDE:
            return self._events([events[0], self._failure("The model has crashed.")])
        if request.body.get("stream_options", {}).get("include_usage"):
            events.append(
                event(
                    f'{start}"choices":[],"usage":{{"prompt_tokens":{PROMPT_TOKENS},'
                    f'"completion_tokens":{count},"total_tokens":{PROMPT_TOKENS + count}}}}}'
                )
            )
        return self._events([*events, event("[DONE]")])
