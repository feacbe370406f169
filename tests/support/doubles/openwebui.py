"""Open WebUI's proxy.

Sources: docs.openwebui.com/reference/api-endpoints (GET /api/models, POST /api/chat/completions,
/ollama/<api_path>); open-webui/open-webui, backend/open_webui/main.py (/api/config; errors are
FastAPI's {"detail": ...}; an event of its own names the model that an arena chose) and
routers/openai.py (the upstream's stream is passed on). Behind it is Ollama, whose chunks these are
(ollama/ollama, openai/openai.go).
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


class OpenWebUiDouble(Double):
    profile_id = "openwebui"
    headers: ClassVar[dict[str, str]] = {"server": "uvicorn", "x-process-time": "0"}
    model = "qwen2.5-coder:1.5b"

    def answer(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/api/config":
                return Reply(
                    body=b'{"status":true,"name":"Open WebUI","version":"0.6.36","default_locale":'
                    b'"","oauth":{"providers":{}},"features":{"auth":true,"enable_signup":false}}'
                )
            case "GET", "/api/models":
                body = (
                    f'{{"data":[{{"id":{quoted(self.model)},"name":{quoted(self.model)},'
                    '"object":"model","created":1795352400,"owned_by":"ollama","ollama":{},'
                    '"connection_type":"local","tags":[],"actions":[],"filters":[]}]}'
                )
                return Reply(body=body.encode())
            case "POST", "/api/chat/completions":
                return self._chat(request)
            case _:
                return Reply("404 Not Found", body=b'{"detail":"Not Found"}')

    def refusal(self, fault: Fault) -> Reply:
        match fault:
            case Fault.KEY:
                return Reply("401 Unauthorized", body=b'{"detail":"Not authenticated"}')
            case Fault.MODEL:
                return Reply("400 Bad Request", body=b'{"detail":"Model not found"}')
            case Fault.BUSY:
                return Reply(
                    "429 Too Many Requests",
                    body=b'{"detail":"server busy, please try again.  maximum pending requests '
                    b'exceeded"}',
                )
            case Fault.LOADING:
                return Reply("503 Service Unavailable", body=b'{"detail":"Service Unavailable"}')
            case Fault.OVERFLOW:
                return Reply(
                    "400 Bad Request",
                    body=b'{"detail":"the input length exceeds the context length"}',
                )
            case Fault.INSIDE:
                return Reply(
                    body=b'{"error":{"message":"llama runner process has terminated","type":'
                    b'"api_error","param":null,"code":null}}'
                )

    def _chat(self, request: Request) -> Reply:
        pieces, reason = self.written(request)
        start = (
            '{"id":"chatcmpl-212","object":"chat.completion.chunk","created":1795352401,'
            f'"model":{quoted(self.model)},"system_fingerprint":"fp_ollama",'
        )
        events = [
            event(f'{{"selected_model_id": {quoted(self.model)}}}'),
            event(
                f'{start}"choices":[{{"index":0,"delta":{{"role":"assistant","content":"",'
                '"reasoning":"Let me think."},"finish_reason":null}]}'
            ),
            *(
                event(
                    f'{start}"choices":[{{"index":0,"delta":{{"role":"assistant",'
                    f'"content":{quoted(piece)}}},"finish_reason":null}}]}}'
                )
                for piece in pieces
            ),
            event(
                f'{start}"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},'
                f'"finish_reason":"{reason}"}}]}}'
            ),
        ]
        if self.fault is Fault.INSIDE:
            events[2:] = [event(self.refusal(Fault.INSIDE).body.decode())]
        elif request.body.get("stream_options", {}).get("include_usage"):
            total = PROMPT_TOKENS + len(pieces)
            events.append(
                event(
                    f'{start}"choices":[],"usage":{{"prompt_tokens":{PROMPT_TOKENS},'
                    f'"completion_tokens":{len(pieces)},"total_tokens":{total}}}}}'
                )
            )
        return Reply(kind="text/event-stream; charset=utf-8", pieces=[*events, event("[DONE]")])
