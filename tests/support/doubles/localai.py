"""LocalAI.

Sources: mudler/LocalAI, core/schema/openai.go (OpenAIModel, OpenAIResponse, APIError; each chunk
has a `usage`), core/http/endpoints/openai/list.go and completion.go (a last chunk says "stop", then
[DONE]), core/schema/tokenize.go; localai.io/reference/api-errors (the error format).
"""

from collections.abc import Callable

from tests.support.doubles.http import (
    PROMPT_TOKENS,
    Double,
    Fault,
    Reply,
    Request,
    event,
    quoted,
)

_ERROR = '{"error":{"code":%d,"message":%s,"param":null,"type":"%s"}}'


class LocalAiDouble(Double):
    profile_id = "localai"

    def answer(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/v1/models":
                body = (
                    f'{{"object":"list","data":[{{"id":{quoted(self.model)},"object":"model"}}]}}'
                )
                return Reply(body=body.encode())
            case "GET", "/system":
                body = (
                    '{"backends":["cpu-llama-cpp","llama-cpp"],'
                    f'"loaded_models":[{{"id":{quoted(self.model)}}}]}}'
                )
                return Reply(body=body.encode())
            case "POST", "/v1/tokenize":
                return Reply(body=b'{"tokens":[151659]}')
            case "POST", "/v1/completions":
                return self._stream(
                    request, "text_completion", lambda piece: f'"text":{quoted(piece)}'
                )
            case "POST", "/v1/chat/completions":
                return self._stream(
                    request,
                    "chat.completion.chunk",
                    lambda piece: f'"delta":{{"role":"assistant","content":{quoted(piece)}}}',
                )
            case _:
                return self._refuse("404 Not Found", 404, "Resource not found", "")

    def refusal(self, fault: Fault) -> Reply:
        match fault:
            case Fault.KEY:
                return self._refuse(
                    "401 Unauthorized",
                    401,
                    "An authentication key is required",
                    "invalid_request_error",
                )
            case Fault.MODEL:
                return self._refuse(
                    "404 Not Found", 404, 'model "x" not found', "invalid_request_error"
                )
            case Fault.OVERFLOW:
                return self._refuse(
                    "500 Internal Server Error",
                    500,
                    "rpc error: code = Internal desc = the request exceeds the available context "
                    "size, try increasing it",
                    "",
                )
            case Fault.BUSY:
                return self._refuse("429 Too Many Requests", 429, "Too many requests", "")
            case Fault.LOADING:
                return self._refuse("503 Service Unavailable", 503, "model is loading", "")
            case Fault.INSIDE:
                return Reply(
                    body=(_ERROR % (500, quoted("rpc error: EOF"), "server_error")).encode()
                )

    @staticmethod
    def _refuse(status: str, code: int, message: str, kind: str) -> Reply:
        return Reply(status, body=(_ERROR % (code, quoted(message), kind)).encode())

    def _stream(self, request: Request, name: str, content: Callable[[str], str]) -> Reply:
        pieces, reason = self.written(request)
        start = (
            f'{{"created":1795352401,"object":"{name}","id":"5e6f","model":{quoted(self.model)},'
        )

        def usage(count: int) -> str:
            total = PROMPT_TOKENS + count
            return (
                f'"usage":{{"prompt_tokens":{PROMPT_TOKENS},"completion_tokens":{count},'
                f'"total_tokens":{total}}}}}'
            )

        events = [
            event(
                f'{start}"choices":[{{"index":0,"finish_reason":null,{content(piece)}}}],'
                f"{usage(number)}"
            )
            for number, piece in enumerate(pieces, 1)
        ]
        events.append(
            event(
                f'{start}"choices":[{{"index":0,"finish_reason":"{reason}",{content("")}}}],'
                f"{usage(len(pieces))}"
            )
        )
        if self.fault is Fault.INSIDE:
            events[1:] = [event(self.refusal(Fault.INSIDE).body.decode())]
        return Reply(kind="text/event-stream", pieces=[*events, event("[DONE]")])
