"""A language server over its pipes, asked as an editor asks it.

The messages are those of the Language Server Protocol 3.18: the base protocol's framing,
`initialize`, document synchronisation, `textDocument/inlineCompletion` and `$/cancelRequest`.
Positions are in UTF-32 code units, which are the characters of a Python string.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sirdab.benchmark.replay import Answer, OpenFile
from sirdab.benchmark.typist import Change
from sirdab.text.store import Point, Text

READY_SECONDS = 180.0
"""Longest wait for the model server: a large model may be read from a slow disk."""

_END_SECONDS = 10.0
_LARGEST_MESSAGE = 64 * 1024 * 1024


class ServerGoneError(Exception):
    """The language server ended, or cannot complete; the message says why in one sentence."""


class Connection:
    """JSON-RPC 2.0 with one server process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the server must have been started with pipes")
        self._process = process
        self._out, self._in = process.stdin, process.stdout
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._on_notification: dict[str, Callable[[Any], None]] = {}
        self._reading = asyncio.ensure_future(self._read())

    def on(self, method: str, take: Callable[[Any], None]) -> None:
        """Have a function called with the params of each notification of a method."""
        self._on_notification[method] = take

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._write({"method": method, "params": params})

    async def request(self, method: str, params: Any) -> Any:
        """Send a request and return its result; cancelling this cancels the request.

        Raises:
            ServerGoneError: The server ended, or answered with an error.
        """
        if self._reading.done():
            raise _gone()
        self._last_id += 1
        id_ = self._last_id
        answer = self._waiting[id_] = asyncio.get_running_loop().create_future()
        self._write({"id": id_, "method": method, "params": params})
        try:
            return await answer
        except asyncio.CancelledError:
            self.notify("$/cancelRequest", {"id": id_})
            raise
        finally:
            self._waiting.pop(id_, None)

    async def aclose(self) -> None:
        """End the session and the process."""
        with suppress(ServerGoneError, TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await self.request("shutdown", None)
                self.notify("exit", None)
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._reading.cancel()
        await asyncio.wait({self._reading})

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        # A server that is gone is noticed by whoever waits for an answer.
        with suppress(OSError, RuntimeError):
            self._out.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def _read(self) -> None:
        try:
            while True:
                header = await self._in.readuntil(b"\r\n\r\n")
                size = next(
                    int(line.partition(b":")[2])
                    for line in header.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                if not 0 <= size <= _LARGEST_MESSAGE:
                    return
                self._take(json.loads(await self._in.readexactly(size)))
        except (asyncio.IncompleteReadError, ValueError, OSError, StopIteration):
            return
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(_gone())

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            answer = self._waiting.get(message["id"])
            if answer is None or answer.done():
                return
            if "error" in message:
                answer.set_exception(ServerGoneError(str(message["error"].get("message", ""))))
            else:
                answer.set_result(message.get("result"))
            return
        if "id" in message:
            # Settings that only an editor has, and what it would show: there is none here.
            asked: dict[str, Any] = message.get("params") or {}
            result = [None] * len(asked["items"]) if "items" in asked else None
            self._write({"id": message["id"], "result": result})
            return
        take = self._on_notification.get(message["method"])
        if take is not None:
            take(message.get("params"))


def _gone() -> ServerGoneError:
    return ServerGoneError("The language server ended in the middle of the replay; run it again.")


class Editor:
    """An editor with one server; implements `sirdab.benchmark.replay.Contestant`."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        options: Mapping[str, Any],
        environment: Mapping[str, str],
    ) -> None:
        """Prepare; the server is started by `start`.

        Args:
            command: The server's command line.
            folder: The workspace.
            options: `initializationOptions`.
            environment: Added to the environment of this process.
        """
        self._command = tuple(command)
        self._folder = folder
        self._options = dict(options)
        self._environment = {**os.environ, **environment}
        self._connection: Connection | None = None
        self._status: dict[str, Any] = {}
        self._changed = asyncio.Event()
        self._opened: list[str] = []
        self._uri = ""
        self._version = 0

    @property
    def model(self) -> str:
        """Name of the model that answers; "" before it is known."""
        return str(self._status.get("model") or "")

    async def start(self) -> None:
        """Start the server and its session.

        Raises:
            ServerGoneError: It ended at once.
        """
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=pipe,
            stdout=pipe,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment,
            # An interrupt at the terminal is for the replay, which then ends the server itself.
            start_new_session=hasattr(signal, "SIGHUP"),
        )
        connection = self._connection = Connection(process)
        connection.on("sirdab/status", self._take_status)
        await connection.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": self._folder.as_uri(),
                "workspaceFolders": [{"uri": self._folder.as_uri(), "name": self._folder.name}],
                "capabilities": {
                    "general": {"positionEncodings": ["utf-32"]},
                    "textDocument": {"inlineCompletion": {"dynamicRegistration": False}},
                },
                "initializationOptions": self._options,
            },
        )
        connection.notify("initialized", {})

    async def open(self, file: OpenFile, others: Sequence[OpenFile], point: Point) -> None:
        """Open the files and wait until the model server is ready.

        Raises:
            ServerGoneError: There is no model to ask; the message says why and what to do.
        """
        del point
        for each in (*others, file):
            self._notify(
                "textDocument/didOpen",
                {
                    "textDocument": {
                        "uri": each.path.as_uri(),
                        "languageId": each.language_id,
                        "version": 1,
                        "text": str(each.text),
                    }
                },
            )
        self._opened = [each.path.as_uri() for each in (*others, file)]
        self._uri, self._version = file.path.as_uri(), 1
        try:
            async with asyncio.timeout(READY_SECONDS):
                while self._status.get("state") not in ("ready", "busy"):
                    if self._status.get("state") == "offline":
                        raise ServerGoneError(str(self._status.get("message")))
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            message = "The model server was not ready in time; run sirdab doctor to see why."
            raise ServerGoneError(message) from None

    def changed(self, change: Change) -> None:
        """Send `textDocument/didChange`."""
        self._version += 1
        self._notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self._uri, "version": self._version},
                "contentChanges": [
                    {
                        "range": {"start": _position(change.start), "end": _position(change.stop)},
                        "text": change.text,
                    }
                ],
            },
        )

    def moved(self, point: Point) -> None:
        """Send `sirdab/didMoveCursor`."""
        self._notify("sirdab/didMoveCursor", self._at(point))

    async def ask(self, text: Text, point: Point) -> Answer | None:
        """Send `textDocument/inlineCompletion`, which is cancelled when the next key comes."""
        params = {**self._at(point), "context": {"triggerKind": 2}}
        found = await self._connected.request("textDocument/inlineCompletion", params)
        items: list[dict[str, Any]] = found["items"] if found else []
        if not items:
            return None
        ident = str(items[0]["command"]["arguments"][0])
        self._notify("sirdab/didShow", {"id": ident})
        shown, start = str(items[0]["insertText"]), items[0]["range"]["start"]
        covered = text.slice(Point(start["line"], start["character"]), point)
        return Answer(ident, shown[len(covered) :]) if shown.startswith(covered) else None

    def accepted(self, answer: Answer, how: str) -> None:
        """Run the command of the item, as a notification would: nobody waits for its result."""
        params = {"command": "sirdab.accept", "arguments": [answer.id, how]}
        task = asyncio.ensure_future(self._connected.request("workspace/executeCommand", params))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def close(self) -> None:
        """Close the files."""
        for uri in self._opened:
            self._notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def aclose(self) -> None:
        """End the server."""
        if self._connection is not None:
            await self._connection.aclose()

    @property
    def _connected(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("start comes first")
        return self._connection

    def _notify(self, method: str, params: Any) -> None:
        self._connected.notify(method, params)

    def _take_status(self, params: Any) -> None:
        self._status = params
        self._changed.set()

    def _at(self, point: Point) -> dict[str, Any]:
        return {"textDocument": {"uri": self._uri}, "position": _position(point)}


def _position(point: Point) -> dict[str, int]:
    return {"line": point.line, "character": point.column}
