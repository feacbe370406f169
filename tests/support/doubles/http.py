"""What all doubles of model servers share: bare sockets, and faults on demand.

A double replays the exchanges of one kind of server, each byte of the body as that server writes
it, and refuses what that server refuses. It is written on bare sockets, so that a test decides
about every byte and about when it is sent.

    async with VllmDouble(pieces=["a", " + b"]) as double:
        ... double.url, double.requests, double.hang_ups
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self

PROMPT_TOKENS = 8
"""What every double says that a prompt has."""
CACHED_TOKENS = 5
"""How many of them it had read before, where it says so."""
TOO_LONG = 5_000
"""Characters of a prompt that no double's context holds."""


class Fault(StrEnum):
    """What a double can be told to suffer from."""

    KEY = "a wrong key"
    MODEL = "a wrong model"
    BUSY = "too many requests"
    LOADING = "the model is being loaded"
    OVERFLOW = "a prompt longer than the context"
    INSIDE = "a failure while it writes"


@dataclass(slots=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def is_chat(self) -> bool:
        return "messages" in self.body

    @property
    def prompt(self) -> str:
        """All of the text that the model is given."""
        said = [str(message["content"]) for message in self.body.get("messages", [])]
        return str(self.body.get("prompt", "")) + "\n".join(said)


@dataclass(slots=True)
class Reply:
    """An answer: a body, or the pieces of a streamed one."""

    status: str = "200 OK"
    kind: str = "application/json"
    body: bytes = b""
    pieces: list[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Double(ABC):
    """The server. Every attribute may be changed while it runs.

    Attributes:
        profile_id: Id of the profile that means this kind of server.
        headers: Headers that the server sends with everything.
        model: What it calls its model.
        pieces: Pieces of text that the model writes.
        api_key: Demanded when not "".
        fault: What it suffers from.
        split: Cut the streamed body into network writes of this size.
        drop_after: Close the connection after that many events.
        hold_after: (events, event): send that many events, then wait for the event.
        requests: What arrived, in order.
        hang_ups: Set when a client closed its connection before its answer was complete.
    """

    profile_id: ClassVar[str]
    headers: ClassVar[dict[str, str]] = {}
    model: ClassVar[str] = "qwen2.5-coder-1.5b"

    def __init__(self, *, pieces: Sequence[str] = ("a", " + b"), api_key: str = "") -> None:
        self.pieces = list(pieces)
        self.api_key = api_key
        self.fault: Fault | None = None
        self.split = 0
        self.drop_after: int | None = None
        self.hold_after: tuple[int, asyncio.Event] | None = None
        self.requests: list[Request] = []
        self.hang_ups = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[Request]:
        """Return the requests for one path."""
        return [request for request in self.requests if request.path == path]

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Return what the server answers to a request whose key is right."""

    @abstractmethod
    def refusal(self, fault: Fault) -> Reply:
        """Return how the server says that something is wrong."""

    def written(self, request: Request) -> tuple[list[str], str]:
        """Return what the model writes, and why it ends: "stop" or "length"."""
        pieces, reason = list(self.pieces), "stop"
        text = "".join(pieces)
        stops = request.body.get("stop") or []
        found = [text.find(stop) for stop in stops if stop in text]
        if found:
            pieces = cut(pieces, min(found))
        limit = request.body.get("max_tokens", 16)
        if len(pieces) > limit:
            pieces, reason = pieces[:limit], "length"
        return pieces, reason

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def note(request: Request) -> None:
            self.requests.append(request)

        await converse(reader, writer, note, self._respond, self.hang_ups.set)

    async def _respond(self, request: Request, writer: asyncio.StreamWriter) -> None:
        reply = self._reply(request)
        headers = {**self.headers, **reply.headers, "content-type": reply.kind}
        if reply.pieces is None:
            headers["content-length"] = str(len(reply.body))
            await self._write(writer, head(reply.status, headers) + reply.body)
            return
        headers["transfer-encoding"] = "chunked"
        await self._write(writer, head(reply.status, headers))
        for number, piece in enumerate(reply.pieces):
            if number == self.drop_after:
                raise ConnectionAbortedError
            if self.hold_after is not None and number == self.hold_after[0]:
                await self.hold_after[1].wait()
            await self._write_chunk(writer, piece)
        await self._write(writer, b"0\r\n\r\n")

    def _reply(self, request: Request) -> Reply:
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return self.refusal(Fault.KEY)
        if self.fault is Fault.BUSY or self.fault is Fault.LOADING:
            return self.refusal(self.fault)
        if request.method == "POST" and len(request.prompt) > TOO_LONG:
            return self.refusal(Fault.OVERFLOW)
        if self.is_unknown(request):
            return self.refusal(Fault.MODEL)
        return self.answer(request)

    def is_unknown(self, request: Request) -> bool:
        """Whether the request is for a model that the server does not have."""
        return "model" in request.body and request.body["model"] != self.model

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


def event(data: str) -> bytes:
    """Return a server-sent event with one line of data."""
    return f"data: {data}\n\n".encode()


def quoted(text: str) -> str:
    """Return a JSON string, its characters beyond ASCII as they are."""
    return json.dumps(text, ensure_ascii=False)


def cut(pieces: Sequence[str], length: int) -> list[str]:
    """Return the pieces up to a length in characters."""
    kept: list[str] = []
    for piece in pieces:
        if length <= 0:
            break
        kept.append(piece[:length])
        length -= len(piece)
    return kept


async def converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    note: Callable[[Request], object],
    respond: Callable[[Request, asyncio.StreamWriter], Awaitable[None]],
    hung_up: Callable[[], None],
) -> None:
    """Answer the requests of one connection until it ends.

    Args:
        reader: The client's bytes.
        writer: To the client.
        note: Told of each request.
        respond: Answers one.
        hung_up: Called when the client closes before its answer is complete.
    """
    try:
        while True:
            request = await read_request(reader)
            note(request)
            # A client that closes while it waits is seen as the end of its bytes; our clients
            # send nothing before an answer is complete.
            watcher = asyncio.ensure_future(reader.read(1))
            answering = asyncio.ensure_future(respond(request, writer))
            try:
                await asyncio.wait({watcher, answering}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    hung_up()
                    return
                await answering
            finally:
                for task in (watcher, answering):
                    task.cancel()
                await asyncio.gather(watcher, answering, return_exceptions=True)
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.transport.abort()


def head(status: str, headers: dict[str, str]) -> bytes:
    """Return the status line and the headers of an answer."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read one request with a JSON body, or none."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(body) if body else {})
