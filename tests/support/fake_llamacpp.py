"""A scriptable model server that speaks llama.cpp's wire format and misbehaves on demand.

The format of every answer was copied from what a llama.cpp server of 2026-10 sends;
`tests/e2e/test_llamacpp_contract.py` asks the real one the same questions. The server is
written on bare sockets, so that a test decides about every byte and about when it is sent.

In a test:

    async with FakeLlamaCpp(answer=["a", " + b"]) as fake:
        ... fake.url, fake.requests, fake.hang_ups

For benches, `python -m tests.support.fake_llamacpp --port 0 --text "a + b"` prints its URL on a
line and answers at once until it is ended.
"""

import argparse
import asyncio
import json
import re
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote

from tests.support.doubles.http import Request as Recorded
from tests.support.doubles.http import converse, head

CHAT_TEMPLATE = "{%- for message in messages %}{{- message.content }}{%- endfor %}"

_TOKEN = re.compile(r"<\|[a-z_]+\|>|\w+|\s+|[^\w\s]")
_CONTROL_TOKEN = re.compile(r"<[^<>\s]{1,40}>|\[[A-Z]+\]")
_GRAMMAR = re.compile(r'root ::= "((?:[^"\\]|\\.)*)"')
_NO_FIM_TOKENS = (
    "Infill is not supported by this model: prefix token is missing. suffix token is missing. "
    "middle token is missing. "
)
_GRAMMAR_ESCAPE = re.compile(r'\\(?:x([0-9A-F]{2})|u([0-9A-F]{4})|U([0-9A-F]{8})|(["\\]))')


@dataclass(slots=True)
class RawAnswer:
    """An answer that replaces the normal one for a path: status line, headers and body."""

    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(slots=True)
class RouterState:
    """What a router says of one of its models (tools/server/README.md, "GET /models")."""

    value: str = "unloaded"
    failed: bool = False


class FakeLlamaCpp:
    """The server. Every attribute may be changed while it runs.

    Attributes:
        answer: Pieces of text, one event each, or a function of the request's body that returns
            them. As the real server does, `stop`, `n_predict` and a grammar that begins with a
            literal are obeyed.
        api_key: Demanded on all paths but /health when not "".
        loading: Answer 503 as a server that is reading its model.
        model_path: What /props and /v1/models say.
        chat_template: What /props says; "" is a base model without one.
        refuses_system: Whether the template raises an exception for a message of the system.
        has_apply_template: Servers before 2025 have no /apply-template.
        has_fim_tokens: Whether the model has what /infill needs.
        single_tokens: The control tokens of the model; None when every text that looks like one is.
        router: The states of a router's models by name; None for a server for one model.
        n_ctx: Context of a slot.
        slots: Number of slots.
        hold_headers: Do not begin to answer /completion before this is set.
        hold_after: (pieces, event): send that many pieces, then wait for the event.
        drop_after: Close the connection after that many pieces; 0 drops it before the headers.
        drop_requests: Close the connections of that many requests before the headers.
        piece_delay: Seconds between pieces.
        split: Cut every byte string sent in the body into network writes of this size.
        stream_body: Sent as the whole body of /completion in place of events.
        final_fields: Added to the last event.
        content_type: Of the stream.
        raw: Answers that replace the normal ones, by path.
        record: Whether to keep requests; off for benches, which send many.
        requests: What arrived, in order.
        hang_ups: Set when a client closed its connection before its answer was complete.
        hang_up_count: How often that happened.
        pieces_sent: Pieces of all answers so far.
        connections: Connections accepted so far.
    """

    def __init__(
        self,
        *,
        answer: Sequence[str] | Callable[[dict[str, Any]], Sequence[str]] = ("a", " + b"),
        api_key: str = "",
        model_path: str = "/models/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    ) -> None:
        self.answer = answer
        self.api_key = api_key
        self.model_path = model_path
        self.chat_template = CHAT_TEMPLATE
        self.refuses_system = False
        self.has_apply_template = True
        self.has_fim_tokens = True
        self.single_tokens: frozenset[str] | None = None
        self.router: dict[str, RouterState] | None = None
        self.loading = False
        self.n_ctx = 2048
        self.slots = 1
        self.hold_headers: asyncio.Event | None = None
        self.hold_after: tuple[int, asyncio.Event] | None = None
        self.drop_after: int | None = None
        self.drop_requests = 0
        self.piece_delay = 0.0
        self.split = 0
        self.stream_body: bytes | None = None
        self.final_fields: dict[str, Any] = {}
        self.content_type = "text/event-stream"
        self.raw: dict[str, RawAnswer] = {}
        self.record = True
        self.requests: list[Recorded] = []
        self.hang_ups = asyncio.Event()
        self.hang_up_count = 0
        self.pieces_sent = 0
        self.connections = 0
        self.port = 0
        self._busy = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[Recorded]:
        """Return the requests for one path."""
        return [request for request in self.requests if request.path == path]

    async def start(self, port: int = 0, *, tls: ssl.SSLContext | None = None) -> None:
        """Listen on loopback; with `tls`, speak https (`url` still says http)."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def note(request: Recorded) -> None:
            if self.record:
                self.requests.append(request)

        def hung_up() -> None:
            self.hang_up_count += 1
            self.hang_ups.set()

        await converse(reader, writer, note, self._respond, hung_up)

    async def _respond(self, request: Recorded, writer: asyncio.StreamWriter) -> None:
        raw = self.raw.get(request.path)
        if raw is not None:
            headers = {"Content-Length": str(len(raw.body)), **raw.headers}
            await self._write(writer, _head(raw.status, headers) + raw.body)
        elif request.path == "/health":
            await self._respond_json(writer, *self._health())
        elif self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            error = {"message": "Invalid API Key", "type": "authentication_error", "code": 401}
            await self._respond_json(writer, "401 Unauthorized", {"error": error})
        elif self.loading:
            await self._respond_json(writer, *self._health())
        elif self._refusal(request) is not None:
            await self._respond_json(writer, *(self._refusal(request) or ("", None)))
        elif request.path in {"/completion", "/infill", "/v1/chat/completions"}:
            await self._complete(request, writer)
        else:
            await self._respond_json(writer, *self._question(request))

    def _health(self) -> tuple[str, Any]:
        if not self.loading:
            return "200 OK", {"status": "ok"}
        error = {"message": "Loading model", "type": "unavailable_error", "code": 503}
        return "503 Service Unavailable", {"error": error}

    def _refusal(self, request: Recorded) -> tuple[str, Any] | None:
        """Return how the server refuses what it cannot do; None when it can."""
        path, _, query = request.path.partition("?")
        if self.router is not None and path not in {"/props", "/models", "/models/load"}:
            named = request.body.get("model") or unquote(query.partition("model=")[2])
            name = str(named).partition("&")[0]
            if name not in self.router:
                return _error(400, "model name is missing from the request")
            if self.router[name].value != "loaded":
                return _error(400, "model is not loaded")
        if path == "/infill":
            if not self.has_fim_tokens:
                missing = "prefix token is missing. suffix token is missing. "
                message = (
                    f"Infill is not supported by this model: {missing}middle token is missing. "
                )
                return _error(501, message)
            if "input_suffix" not in request.body:
                message = "[json.exception.out_of_range.403] key 'input_suffix' not found"
                return _error(400, message)
        if path == "/apply-template":
            roles = [message["role"] for message in request.body["messages"]]
            if not self.has_apply_template:
                return _error(404, "File Not Found")
            if self.refuses_system and "system" in roles:
                return _error(500, "System role not supported")
        return None

    def _question(self, request: Recorded) -> tuple[str, Any]:
        path, _, query = request.path.partition("?")
        match path:
            case "/props" if self.router is not None and not query:
                return "200 OK", {
                    "role": "router",
                    "max_instances": 4,
                    "model_alias": "llama-server",
                }
            case "/props":
                return "200 OK", {
                    "default_generation_settings": {"params": {}, "n_ctx": self.n_ctx},
                    "total_slots": self.slots,
                    "model_alias": self.model_path,
                    "model_ftype": "Q4_K - Medium",
                    "model_path": self.model_path,
                    "chat_template": self.chat_template,
                }
            case "/models" if self.router is not None:
                return "200 OK", {"data": [self._routed(name) for name in self.router]}
            case "/models/load" if self.router is not None:
                self.router[request.body["model"]].value = "loading"
                return "200 OK", {"success": True}
            case "/v1/models":
                meta = {"n_params": 630167424, "size": 485452288, "n_ctx_train": 32768}
                return "200 OK", {
                    "object": "list",
                    "data": [
                        {
                            "id": self.model_path,
                            "object": "model",
                            "owned_by": "llamacpp",
                            "meta": meta,
                        },
                    ],
                }
            case "/slots":
                return "200 OK", [
                    {"id": slot, "n_ctx": self.n_ctx, "is_processing": slot < self._busy}
                    for slot in range(self.slots)
                ]
            case "/tokenize":
                return "200 OK", {"tokens": self._tokens(str(request.body.get("content", "")))}
            case "/apply-template":
                return "200 OK", {"prompt": _written(request.body["messages"])}
            case _:
                return _error(404, "File Not Found")

    def _tokens(self, content: str) -> list[int]:
        if _CONTROL_TOKEN.fullmatch(content):
            known = self.single_tokens is None or content in self.single_tokens
            return [1] if known else list(range(len(content)))
        return list(range(len(_TOKEN.findall(content))))

    def _routed(self, name: str) -> dict[str, Any]:
        assert self.router is not None
        state = self.router[name]
        status: dict[str, Any] = {"value": state.value}
        if state.failed:
            status |= {"failed": True, "exit_code": 1}
        return {"id": name, "path": f"/models/{name}.gguf", "status": status}

    async def _respond_json(self, writer: asyncio.StreamWriter, status: str, value: Any) -> None:
        body = json.dumps(value).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(body)),
        }
        await self._write(writer, _head(status, headers) + body)

    async def _complete(self, request: Recorded, writer: asyncio.StreamWriter) -> None:
        self._busy += 1
        try:
            if request.path == "/v1/chat/completions":
                await self._converse(request.body, writer)
            else:
                await self._stream(request.body, writer)
        finally:
            self._busy -= 1

    async def _stream(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if self.hold_headers is not None:
            await self.hold_headers.wait()
        if self.drop_after == 0 or self.drop_requests:
            self.drop_requests = max(0, self.drop_requests - 1)
            raise ConnectionAbortedError
        headers = {"Content-Type": self.content_type, "Transfer-Encoding": "chunked"}
        # As the real server does, the headers leave together with the first event.
        pending = _head("200 OK", headers)
        if self.stream_body is not None:
            await self._write(writer, pending)
            await self._write_chunk(writer, self.stream_body)
        else:
            started = time.perf_counter()
            pieces, stop_type = self._script(body)
            for number, piece in enumerate(pieces):
                if number == self.drop_after:
                    raise ConnectionAbortedError
                if self.hold_after is not None and number == self.hold_after[0]:
                    await self.hold_after[1].wait()
                if self.piece_delay:
                    await asyncio.sleep(self.piece_delay)
                event = {
                    "index": 0,
                    "content": piece,
                    "tokens": [number],
                    "stop": False,
                    "id_slot": -1,
                    "tokens_predicted": number + 1,
                    "tokens_evaluated": 8,
                }
                if pending:
                    await self._write(writer, pending)
                    pending = b""
                await self._write_chunk(writer, _event(event))
                self.pieces_sent += 1
            if pending:
                await self._write(writer, pending)
            milliseconds = (time.perf_counter() - started) * 1000
            final = _final_event(body, len(pieces), stop_type, milliseconds)
            await self._write_chunk(writer, _event(final | self.final_fields))
        await self._write(writer, b"0\r\n\r\n")

    async def _converse(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        pieces, stop_type = self._script({**body, "n_predict": body["max_tokens"]})
        headers = {"Content-Type": self.content_type, "Transfer-Encoding": "chunked"}
        await self._write(writer, _head("200 OK", headers))
        events: list[dict[str, Any]] = [_delta({"role": "assistant", "content": None})]
        events += [_delta({"content": piece}) for piece in pieces]
        last = _delta({}, "length" if stop_type == "limit" else "stop")
        events.append(last | {"timings": _final_event({}, len(pieces), "", 30.0)["timings"]})
        for one in events:
            await self._write_chunk(writer, _event(one))
        await self._write_chunk(writer, b"data: [DONE]\n\n")
        await self._write(writer, b"0\r\n\r\n")

    def _script(self, body: dict[str, Any]) -> tuple[list[str], str]:
        """Return the pieces to send and why the answer ends after them."""
        pieces = list(self.answer(body) if callable(self.answer) else self.answer)
        start = _grammar_start(str(body.get("grammar", "")))
        if not "".join(pieces).startswith(start):
            pieces.insert(0, start)
        stop_type = "eos"
        text = "".join(pieces)
        found = [text.find(stop) for stop in body.get("stop", []) if stop in text]
        if found:
            pieces, stop_type = _cut(pieces, min(found)), "word"
        # With 0 the real server still writes one token.
        limit = max(1, body["n_predict"]) if body.get("n_predict", -1) >= 0 else len(pieces)
        return (pieces, stop_type) if len(pieces) <= limit else (pieces[:limit], "limit")

    async def _write_chunk(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        size = self.split or len(data)
        for begin in range(0, len(data), size):
            piece = data[begin : begin + size]
            await self._write(writer, b"%x\r\n%s\r\n" % (len(piece), piece))
            if self.split:
                # Lets the client read before the next write, so that the split is real.
                await asyncio.sleep(0)

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()


def _head(status: str, headers: dict[str, str]) -> bytes:
    return head(status, {"Server": "llama.cpp", **headers})


_ERROR_TYPES = {404: "not_found_error", 400: "invalid_request_error", 501: "not_supported_error"}
_STATUSES = {
    400: "400 Bad Request",
    404: "404 Not Found",
    500: "500 Internal Server Error",
    501: "501 Not Implemented",
}


def _error(code: int, message: str) -> tuple[str, Any]:
    kind = _ERROR_TYPES.get(code, "server_error")
    return _STATUSES[code], {"error": {"code": code, "message": message, "type": kind}}


def _written(messages: list[dict[str, str]]) -> str:
    """Write a conversation in ChatML, as the template of Qwen2.5-Coder does."""
    turns = [f"<|im_start|>{one['role']}\n{one['content']}<|im_end|>\n" for one in messages]
    return "".join(turns) + "<|im_start|>assistant\n"


def _delta(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"finish_reason": reason, "index": 0, "delta": delta}
    return {"choices": [choice], "created": 1, "id": "c", "object": "chat.completion.chunk"}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n\n"


def _final_event(
    body: dict[str, Any], pieces: int, stop_type: str, milliseconds: float
) -> dict[str, Any]:
    final = {
        "index": 0,
        "content": "",
        "tokens": [],
        "id_slot": 0,
        "stop": True,
        "model": "fake",
        "tokens_predicted": pieces,
        "tokens_evaluated": 8,
        "prompt": body.get("prompt", ""),
        "truncated": False,
        "stop_type": stop_type,
        "timings": {
            "cache_n": 5,
            "prompt_n": 3,
            "prompt_ms": 12.5,
            "predicted_n": pieces,
            "predicted_ms": milliseconds,
        },
    }
    wanted = body.get("response_fields") or final
    return {name: value for name, value in final.items() if name in wanted}


def _grammar_start(grammar: str) -> str:
    match = _GRAMMAR.match(grammar)
    if match is None:
        return ""

    def unescape(escape: re.Match[str]) -> str:
        code = escape[1] or escape[2] or escape[3]
        return chr(int(code, 16)) if code else escape[4]

    return _GRAMMAR_ESCAPE.sub(unescape, match[1])


def _cut(pieces: list[str], length: int) -> list[str]:
    kept: list[str] = []
    for piece in pieces:
        if length <= 0:
            break
        kept.append(piece[:length])
        length -= len(piece)
    return kept


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A fake llama.cpp server that answers at once.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--text", default="a + b", help="what every answer says")
    parser.add_argument("--api-key", default="", help="key that requests must carry")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="pause before each piece")
    options = parser.parse_args()
    fake = FakeLlamaCpp(answer=re.findall(r"\s*\S+|\s+$", options.text), api_key=options.api_key)
    fake.piece_delay = options.delay_ms / 1000
    fake.record = False
    await fake.start(options.port)
    print(fake.url, flush=True)  # noqa: T201 - whoever started us reads it
    try:
        await asyncio.Event().wait()
    finally:
        await fake.stop()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
