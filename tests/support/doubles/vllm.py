"""vLLM's OpenAI-compatible server.

Recorded from vLLM 0.32.0 on the CPU, started with --enable-prompt-tokens-details; but for names,
ids and numbers, every byte is its own. `tests/e2e/test_openai_contract.py` asks the real one. Not
recorded: the chunk of a reasoning parser, after vllm-project/vllm,
docs/features/reasoning_outputs, and too many requests or a model that is being loaded, which come
from a proxy before it.
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

_MODELS = (
    '{"object":"list","data":[{"id":%s,"object":"model","created":1795352400,"owned_by":"vllm",'
    '"root":"Qwen/Qwen2.5-Coder-1.5B","parent":null,"max_model_len":4096,"permission":[{"id":'
    '"modelperm-a4f1","object":"model_permission","created":1795352400,"allow_create_engine":false,'
    '"allow_sampling":true,"allow_logprobs":true,"allow_search_indices":false,"allow_view":true,'
    '"allow_fine_tuning":false,"organization":"*","group":null,"is_blocking":false}]}]}'
)
_ERROR = '{"error":{"message":%s,"type":"%s","param":%s,"code":%d}}'
_TOO_MANY_STOPS = (
    "2 validation errors:\n  {'type': 'string_type', 'loc': 'body.stop', 'msg': 'Input should be a "
    "valid string', 'input': '<list of COUNT items>'}\n  {'type': 'too_long', 'loc': 'body.stop', "
    "'msg': 'List should have at most 4 items after validation, not COUNT', 'input': '<list of "
    "COUNT items>', 'ctx': {'field_type': 'List', 'max_length': 4, 'actual_length': COUNT}}"
)


class VllmDouble(Double):
    profile_id = "vllm"
    headers: ClassVar[dict[str, str]] = {"server": "uvicorn"}

    def answer(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/v1/models":
                return Reply(body=(_MODELS % quoted(self.model)).encode())
            case "POST", "/tokenize":
                # Sentinels are one token each, and so is the text of a test.
                return Reply(
                    body=b'{"count":1,"max_model_len":4096,"tokens":[151659],"token_strs":null}'
                )
            case "POST", _ if len(request.body.get("stop", [])) > 4:
                return self._too_many_stops(len(request.body["stop"]))
            case "POST", "/v1/completions":
                return self._complete(request)
            case "POST", "/v1/chat/completions":
                return self._chat(request)
            case _:
                return Reply("404 Not Found", body=b'{"detail":"Not Found"}')

    def refusal(self, fault: Fault) -> Reply:
        match fault:
            case Fault.KEY:
                return Reply("401 Unauthorized", body=b'{"error":"Unauthorized"}')
            case Fault.MODEL:
                message = quoted("The model `x` does not exist. Valid aliases: y.")
                body = _ERROR % (message, "NotFoundError", '"model"', 404)
                return Reply("404 Not Found", body=body.encode())
            case Fault.OVERFLOW:
                return self._bad(
                    "This model's maximum context length is 4096 tokens. However, your prompt "
                    "contains at least 4097 input tokens, which exceeds this limit even without "
                    "any output tokens. Please reduce the length of the input prompt. "
                    "(parameter=input_tokens, value=4097)",
                    '"input_tokens"',
                )
            case Fault.BUSY:
                body = _ERROR % (quoted("Too many requests"), "TooManyRequestsError", "null", 429)
                return Reply("429 Too Many Requests", body=body.encode())
            case Fault.LOADING:
                # Its port is not open before the model is loaded; this is a proxy before it.
                return Reply("503 Service Unavailable", "text/plain", b"no healthy upstream")
            case Fault.INSIDE:
                error = _ERROR % (
                    quoted("EngineCore encountered an issue."),
                    "InternalServerError",
                    "null",
                    500,
                )
                return Reply(body=error.encode())

    def _bad(self, message: str, parameter: str) -> Reply:
        body = _ERROR % (quoted(message), "BadRequestError", parameter, 400)
        return Reply("400 Bad Request", body=body.encode())

    def _complete(self, request: Request) -> Reply:
        if request.body["max_tokens"] < 1:
            return self._bad(
                "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)",
                '"max_tokens"',
            )
        if "suffix" in request.body:
            return self._bad(
                "suffix is only supported for models with FIM completion rendering", '"suffix"'
            )
        pieces, reason = self.written(request)
        start = (
            '{"id":"cmpl-9f3c","object":"text_completion","created":1795352401,'
            f'"model":{quoted(self.model)},'
        )
        events = [
            event(
                f'{start}"choices":[{{"index":0,"text":{quoted(piece)},"logprobs":null,'
                '"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}'
            )
            for piece in pieces
        ]
        events.append(
            event(
                f'{start}"choices":[{{"index":0,"text":"","logprobs":null,'
                f'"finish_reason":"{reason}","stop_reason":null,"prompt_token_ids":null,'
                '"token_ids":null}]}'
            )
        )
        return self._stream(request, start, events, len(pieces))

    def _chat(self, request: Request) -> Reply:
        if request.body.get("continue_final_message") and request.body.get(
            "add_generation_prompt", True
        ):
            return self._bad(
                "Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
                "null",
            )
        pieces, reason = self.written(request)
        start = (
            '{"id":"chatcmpl-8c1d","object":"chat.completion.chunk","created":1795352401,'
            f'"model":{quoted(self.model)},'
        )
        events = [
            event(
                f'{start}"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},'
                '"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}'
            ),
            # What a reasoning parser takes out of the text.
            event(
                f'{start}"choices":[{{"index":0,"delta":{{"reasoning":"Let me think."}},'
                '"logprobs":null,"finish_reason":null,"token_ids":null}]}'
            ),
            *(
                event(
                    f'{start}"choices":[{{"index":0,"delta":{{"content":{quoted(piece)}}},'
                    '"logprobs":null,"finish_reason":null,"token_ids":null}]}'
                )
                for piece in pieces
            ),
            event(
                f'{start}"choices":[{{"index":0,"delta":{{"content":""}},"logprobs":null,'
                f'"finish_reason":"{reason}","stop_reason":null,"token_ids":null}}]}}'
            ),
        ]
        return self._stream(request, start, events, len(pieces))

    def _too_many_stops(self, count: int) -> Reply:
        message = _TOO_MANY_STOPS.replace("COUNT", str(count))
        body = _ERROR % (quoted(message), "Bad Request", '"body.stop"', 400)
        return Reply("400 Bad Request", body=body.encode())

    def _stream(self, request: Request, start: str, events: list[bytes], count: int) -> Reply:
        if self.fault is Fault.INSIDE:
            events[1:] = [event(self.refusal(Fault.INSIDE).body.decode())]
        elif request.body.get("stream_options", {}).get("include_usage"):
            events.append(
                event(
                    f'{start}"choices":[],"usage":{{"prompt_tokens":{PROMPT_TOKENS},'
                    f'"total_tokens":{PROMPT_TOKENS + count},"completion_tokens":{count},'
                    f'"prompt_tokens_details":{{"cached_tokens":{CACHED_TOKENS}}}}},'
                    '"system_fingerprint":"vllm-0.32.0-13564801"}'
                )
            )
        events.append(event("[DONE]"))
        return Reply(kind="text/event-stream; charset=utf-8", pieces=events)
