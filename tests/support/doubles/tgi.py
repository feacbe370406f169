"""Hugging Face's Text Generation Inference.

Sources: huggingface/text-generation-inference, router/src/server.rs (completions: `finish_reason`
is "" until the last chunk, which alone tells the cost; a stop string and the end-of-text token
stay in the text; the model's name is that of an adapter unless it is "tgi"; suffix is refused),
router/src/chat.rs (the cost in a chunk of its own), router/src/lib.rs (Info, ErrorResponse),
router/src/validation.rs (the words of an overflow, at most four stop strings), docs/openapi.json. A
validation error of a streamed completion comes inside the stream, after the headers.
"""

from tests.support.doubles.http import (
    PROMPT_TOKENS,
    TOO_LONG,
    Double,
    Fault,
    Reply,
    Request,
    cut,
    event,
    quoted,
)

_ERROR = '{"error":%s,"error_type":"%s"}'
_TOO_LONG = (
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5001 "
    "`inputs` tokens and 16 `max_new_tokens`"
)


class TgiDouble(Double):
    profile_id = "tgi"
    model = "tgi"

    def answer(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/v1/models":
                return Reply(
                    body=b'{"object":"list","data":[{"id":"Qwen/Qwen2.5-Coder-1.5B","object":'
                    b'"model","created":0,"owned_by":"Qwen/Qwen2.5-Coder-1.5B"}]}'
                )
            case "GET", "/info":
                return Reply(
                    body=b'{"model_id":"Qwen/Qwen2.5-Coder-1.5B","model_sha":null,'
                    b'"model_pipeline_tag":"text-generation","max_concurrent_requests":128,'
                    b'"max_best_of":2,"max_stop_sequences":4,"max_input_tokens":4095,'
                    b'"max_total_tokens":4096,"validation_workers":2,"max_client_batch_size":4,'
                    b'"router":"text-generation-router","version":"3.3.5","sha":null,'
                    b'"docker_label":null}'
                )
            case "POST", "/v1/completions":
                return self._complete(request)
            case "POST", "/v1/chat/completions":
                return self._chat(request)
            case _:
                return Reply("404 Not Found", "text/plain")

    def _reply(self, request: Request) -> Reply:
        if request.path == "/v1/completions" and len(request.prompt) > TOO_LONG:
            return self._events([event(self._error(_TOO_LONG, "validation"))])
        return super()._reply(request)

    def is_unknown(self, request: Request) -> bool:
        return request.body.get("model", "tgi") != "tgi"

    def refusal(self, fault: Fault) -> Reply:
        match fault:
            case Fault.KEY:
                return Reply("401 Unauthorized", "text/plain")
            case Fault.MODEL:
                return self._refuse("424 Failed Dependency", "adapter x not found", "generation")
            case Fault.OVERFLOW:
                return self._refuse("422 Unprocessable Entity", _TOO_LONG, "validation")
            case Fault.BUSY:
                return self._refuse("429 Too Many Requests", "Model is overloaded", "overloaded")
            case Fault.LOADING:
                return self._refuse("503 Service Unavailable", "unhealthy", "healthcheck")
            case Fault.INSIDE:
                return Reply(
                    body=self._error("Request failed during generation", "generation").encode()
                )

    @staticmethod
    def _error(message: str, kind: str) -> str:
        return _ERROR % (quoted(message), kind)

    def _refuse(self, status: str, message: str, kind: str) -> Reply:
        return Reply(status, body=self._error(message, kind).encode())

    @staticmethod
    def _events(events: list[bytes]) -> Reply:
        return Reply(
            kind="text/event-stream",
            pieces=[*events, event("[DONE]")],
            headers={"x-compute-type": "cpu", "x-accel-buffering": "no"},
        )

    def _limits(self, request: Request) -> Reply | None:
        if "suffix" in request.body:
            return self._refuse(
                "422 Unprocessable Entity",
                "Suffix is not supported and can be achieved by preprocessing the prompt.",
                "suffix not supported",
            )
        if len(request.body.get("stop", [])) > 4:
            return self._refuse(
                "422 Unprocessable Entity",
                "Input validation error: `stop` supports up to 4 stop sequences. Given: 5",
                "validation",
            )
        if request.body.get("max_tokens") == 0:
            return self._refuse(
                "422 Unprocessable Entity",
                "Input validation error: `max_new_tokens` must be strictly positive",
                "validation",
            )
        return None

    def _written(self, request: Request) -> tuple[list[str], str, str]:
        """Return the pieces, the one that ends the answer, and why it ended."""
        pieces, reason = self.written(request)
        text = "".join(self.pieces)
        for stop in request.body.get("stop", []):
            if stop in text:
                return cut(self.pieces, text.find(stop)), stop, "stop_sequence"
        if reason == "length":
            return pieces, "", "length"
        return pieces, "<|endoftext|>", "eos_token"

    def _complete(self, request: Request) -> Reply:
        refused = self._limits(request)
        if refused is not None:
            return refused
        pieces, last, reason = self._written(request)
        middle = '"model":"Qwen/Qwen2.5-Coder-1.5B","system_fingerprint":"3.3.5-native"'
        start = '{"object":"text_completion","id":"","created":1795352401,'
        events = [
            event(
                f'{start}"choices":[{{"index":0,"text":{quoted(piece)},"logprobs":null,'
                f'"finish_reason":""}}],{middle}}}'
            )
            for piece in pieces
        ]
        count = len(pieces) + 1
        events.append(
            event(
                f'{start}{middle},"choices":[{{"index":0,"text":{quoted(last)},"logprobs":null,'
                f'"finish_reason":"{reason}"}}],"usage":{{"prompt_tokens":{PROMPT_TOKENS},'
                f'"completion_tokens":{count},"total_tokens":{PROMPT_TOKENS + count}}}}}'
            )
        )
        if self.fault is Fault.INSIDE:
            events[1:] = [event(self.refusal(Fault.INSIDE).body.decode())]
        return self._events(events)

    def _chat(self, request: Request) -> Reply:
        refused = self._limits(request)
        if refused is not None:
            return refused
        pieces, last, reason = self._written(request)
        start = '{"object":"chat.completion.chunk","id":"","created":1795352401,'
        middle = '"model":"Qwen/Qwen2.5-Coder-1.5B","system_fingerprint":"3.3.5-native"'
        # A special token is left out of a conversation.
        texts = [*pieces, "" if last.startswith("<|") else last]
        events = [
            event(
                f'{start}{middle},"choices":[{{"index":0,"delta":{{"role":"assistant",'
                f'"content":{quoted(piece)}}},"logprobs":null,"finish_reason":{ended}}}],'
                '"usage":null}'
            )
            for piece, ended in zip(
                texts, ["null"] * len(pieces) + [self._as_openai(reason)], strict=True
            )
        ]
        if self.fault is Fault.INSIDE:
            events[1:] = [event(self.refusal(Fault.INSIDE).body.decode())]
        elif request.body.get("stream_options", {}).get("include_usage"):
            events.append(
                event(
                    f'{start}{middle},"choices":[],"usage":{{"prompt_tokens":{PROMPT_TOKENS},'
                    f'"completion_tokens":{len(texts)},'
                    f'"total_tokens":{PROMPT_TOKENS + len(texts)}}}}}'
                )
            )
        return self._events(events)

    @staticmethod
    def _as_openai(reason: str) -> str:
        return '"length"' if reason == "length" else '"stop"'
