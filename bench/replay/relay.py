"""Stands between a contestant and its model server and notes what the server had to do.

The server tells how many prompt tokens it has read, and how many it knew, after each batch
(`return_progress` of llama.cpp's `/completion` and `/infill`). The relay asks for that on behalf of
every contestant and keeps it to itself, so that all are measured in the same way and what a
cancelled request has cost is known too. It adds some tenths of a millisecond to each request, to
all contestants alike.

llama.cpp looks only about once a second whether a client is still there, so it also reads for
requests that were given up before it came to them, and says so to nobody. The relay therefore
looks at the slot (`/slots`) all the time, and counts what it sees read beyond what it was told.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import httpx

from bench.replay.model_server import KEY

_WATCHED = ("/completion", "/infill")
_LOOK_SECONDS = 0.03
UNTOLD = "/slots"
"""Path of the exchange that stands for what was read for nobody."""


@dataclass(slots=True)
class Exchange:
    """One question to the model server.

    Attributes:
        path: Of the request.
        at: When it came, in seconds of `time.perf_counter`.
        prompt: What was asked; of `/infill`, its parts in the order of its prompt.
        silent: Whether it was only to be read, for later.
        total: Tokens of its prompt.
        cached: Tokens the server knew.
        evaluated: Tokens the server read, those of a batch that was running when the client went
            away included.
        generated: Tokens written.
        first_ms: Until the first word.
        ms: Until the end.
        cancelled: Whether the client went away.
    """

    path: str
    at: float
    prompt: str
    silent: bool
    total: int = 0
    cached: int = 0
    evaluated: int = 0
    generated: int = 0
    first_ms: float | None = None
    ms: float = 0.0
    cancelled: bool = False


class Relay:
    """A server on loopback in front of another one."""

    def __init__(self, upstream: str, batch_tokens: int) -> None:
        """Make a relay.

        Args:
            upstream: Address of the model server.
            batch_tokens: Its batch: what it reads in one go, whether or not anyone waits.
        """
        self._upstream = httpx.AsyncClient(
            base_url=upstream,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=None,
            trust_env=False,
            # A connection that is kept may be one that the server has just closed.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._batch = batch_tokens
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.exchanges: list[Exchange] = []
        self.url = ""
        # Prompt tokens seen read, by the server's number of the task.
        self._seen: dict[int, int] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        looking = asyncio.ensure_future(self._look())
        self._tasks.add(looking)
        looking.add_done_callback(self._tasks.discard)
        return self

    async def _look(self) -> None:
        """Look at what the slots are reading, as long as the server tells."""
        while True:
            found = await self._upstream.get("/slots")
            if found.status_code != 200:
                return
            for slot in cast("list[dict[str, Any]]", found.json()):
                task, read = slot.get("id_task"), slot.get("n_prompt_tokens_processed")
                if slot.get("is_processing") and isinstance(task, int) and isinstance(read, int):
                    self._seen[task] = max(read, self._seen.get(task, 0))
            await asyncio.sleep(_LOOK_SECONDS)

    def settle(self) -> None:
        """Add an exchange for what was seen read and not told of."""
        told = sum(one.evaluated for one in self.exchanges)
        untold = sum(self._seen.values()) - told
        if untold > 0:
            self.exchanges.append(
                Exchange(UNTOLD, time.perf_counter(), "", False, evaluated=untold, cancelled=True)
            )

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._upstream.aclose()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(Connection(self, reader, writer).serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def forward(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Ask what is not watched."""
        found = await self._upstream.request(
            method, path, content=body, headers={"Content-Type": "application/json"}
        )
        return found.status_code, found.content

    async def watch(self, path: str, body: dict[str, Any], connection: "Connection") -> None:
        """Ask what is watched, and pass the answer on until the client goes away."""
        note = Exchange(path, time.perf_counter(), _said(path, body), body.get("n_predict") == 0)
        self.exchanges.append(note)
        body |= {"stream": True, "return_progress": True, "timings_per_token": True}
        reading = asyncio.ensure_future(self._stream(path, body, note, connection))
        gone = asyncio.ensure_future(connection.gone.wait())
        try:
            await asyncio.wait({reading, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not reading.done():
                note.cancelled = True
                reading.cancel()
                await asyncio.wait({reading})
            note.ms = (time.perf_counter() - note.at) * 1000
            if note.cancelled and note.first_ms is None and note.total:
                # A batch runs to its end, and the next request finds it read.
                left = note.total - note.cached - note.evaluated
                note.evaluated += max(0, min(self._batch, left))
        if reading.done() and not reading.cancelled():
            reading.result()

    async def _stream(
        self, path: str, body: dict[str, Any], note: Exchange, connection: "Connection"
    ) -> None:
        async with self._upstream.stream("POST", path, json=body) as response:
            if response.status_code != 200:
                connection.answer(response.status_code, await response.aread())
                return
            connection.begin_events()
            async for line in response.aiter_lines():
                if line.startswith("data: ") and not self._note(json.loads(line[6:]), note):
                    connection.event(line)
            connection.end_events()

    @staticmethod
    def _note(event: dict[str, Any], note: Exchange) -> bool:
        """Note what an event says of the work; return whether it says nothing else."""
        timings = cast("dict[str, Any]", event.get("timings") or {})
        note.cached = int(timings.get("cache_n", note.cached))
        note.evaluated = int(timings.get("prompt_n", note.evaluated))
        progress = event.get("prompt_progress")
        if progress:
            note.total = int(progress["total"])
            return True
        note.generated = int(timings.get("predicted_n", note.generated))
        note.total = note.total or note.cached + note.evaluated
        if note.first_ms is None and event.get("content"):
            note.first_ms = (time.perf_counter() - note.at) * 1000
        return False


def _said(path: str, body: dict[str, Any]) -> str:
    if path == "/completion":
        return str(body.get("prompt", ""))
    extra = "".join(chunk["text"] for chunk in body.get("input_extra", ()))
    return f"{extra}<P>{body['input_prefix']}<S>{body['input_suffix']}<M>{body['prompt']}"


class Answering(Protocol):
    """What stands behind a connection."""

    async def forward(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Return the status and the body of an answer."""
        ...

    async def watch(self, path: str, body: dict[str, Any], connection: "Connection") -> None:
        """Stream an answer into a connection."""
        ...


class Connection:
    """One connection of a client, which may carry several requests one after the other.

    Attributes:
        gone: Set when the client has gone away.
    """

    def __init__(
        self, answering: Answering, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._answering = answering
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._more = asyncio.Event()
        self.gone = asyncio.Event()

    async def serve(self) -> None:
        """Answer requests until the client goes away."""
        pump = asyncio.ensure_future(self._pump())
        try:
            while (head := await self._take_head()) is not None:
                line, _, rest = head.partition("\r\n")
                method, path, _ = line.split(" ", 2)
                fields = dict(
                    field.lower().split(": ", 1) for field in rest.split("\r\n") if ": " in field
                )
                body = await self._take(int(fields.get("content-length", "0")))
                if method == "POST" and path in _WATCHED:
                    await self._answering.watch(path, json.loads(body), self)
                else:
                    self.answer(*await self._answering.forward(method, path, body))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            pump.cancel()
            self._writer.close()

    async def _pump(self) -> None:
        try:
            while data := await self._reader.read(1 << 16):
                self._buffer += data
                self._more.set()
        except ConnectionError:
            pass
        self.gone.set()
        self._more.set()

    async def _wait(self) -> None:
        self._more.clear()
        if self.gone.is_set():
            raise ConnectionError
        await self._more.wait()

    async def _take_head(self) -> str | None:
        while b"\r\n\r\n" not in self._buffer:
            if self.gone.is_set():
                return None
            await self._wait()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer[:] = rest
        return head.decode("latin-1")

    async def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._wait()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def answer(self, status: int, body: bytes) -> None:
        """Answer with one JSON body."""
        self._write(
            b"HTTP/1.1 %d Relayed\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (status, len(body))
            + body
        )

    def begin_events(self) -> None:
        """Begin an event stream."""
        self._write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )

    def event(self, line: str) -> None:
        """Pass an event on."""
        data = line.encode() + b"\n\n"
        self._write(b"%x\r\n%s\r\n" % (len(data), data))

    def end_events(self) -> None:
        """End the stream."""
        self._write(b"0\r\n\r\n")

    def _write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)
