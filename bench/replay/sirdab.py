"""Sirdab itself: the real language server with the real engine, spoken to as an editor does.

The server is in this process, behind the same bytes that would go over its pipes, so that what the
engine says of each answer can be noted beside it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from sirdab.benchmark.replay import Answer, OpenFile
from sirdab.benchmark.typist import Change
from sirdab.completion.request import CompletionRequest, Outcome
from sirdab.server.app import create_server
from sirdab.text.store import Point, Text
from tests.support.lsp_client import INLINE, InProcess, range_of

_READY_SECONDS = 60.0


class Sirdab:
    """Implements `sirdab.benchmark.replay.Contestant`."""

    def __init__(self, url: str, folder: str, settings: dict[str, Any] | None = None) -> None:
        """Make one.

        Args:
            url: Address of the model server.
            folder: URI of the workspace folder.
            settings: Other settings than the defaults.
        """
        self._settings = {
            "endpoint": {"url": url},
            "privacy": {"audit": False},
            **(settings or {}),
        }
        self._folder = folder
        self._client: InProcess | None = None
        self._uri = ""
        self._version = 0
        self._outcomes: dict[tuple[int, Point], Outcome] = {}
        self.outcomes: list[tuple[str, dict[str, Any]]] = []
        """What became of every request, superseded ones included: the reason and the trace."""

    async def start(self) -> None:
        """Start the session."""
        server = create_server()
        client = self._client = InProcess(server)
        # Before a suggestion goes out, what the engine says of it is noted.
        suggest = server.suggest

        async def noting(request: CompletionRequest) -> Outcome:
            outcome = await suggest(request)
            self._outcomes[request.snapshot.version, request.point] = outcome
            self.outcomes.append((outcome.reason.value, outcome.trace))
            return outcome

        server.suggest = noting
        server.protocol.set_writer(_Pipe(client))  # pyright: ignore[reportArgumentType]
        capabilities = {
            "general": {"positionEncodings": ["utf-32"]},
            "textDocument": INLINE,
        }
        folders = [{"uri": self._folder, "name": "replay"}]
        await client.start(capabilities, self._settings, workspaceFolders=folders)

    async def open(self, file: OpenFile, others: Sequence[OpenFile], point: Point) -> None:
        """Open the files and wait until the model server is known."""
        del point
        client = self._connected
        for each in (*others, file):
            client.open(each.path.as_uri(), str(each.text), each.language_id)
        self._uris = [each.path.as_uri() for each in (*others, file)]
        self._uri, self._version = file.path.as_uri(), 1
        async with asyncio.timeout(_READY_SECONDS):
            await client.until(lambda: client.statuses and client.statuses[-1]["state"] == "ready")

    def changed(self, change: Change) -> None:
        """Send `didChange`."""
        self._version += 1
        start, stop = change.start, change.stop
        place = (start.line, start.column, stop.line, stop.column)
        self._connected.change(self._uri, self._version, (place, change.text))

    def moved(self, point: Point) -> None:
        """Send `sirdab/didMoveCursor`."""
        self._connected.notify("sirdab/didMoveCursor", self._at(point))

    async def ask(self, text: Text, point: Point) -> Answer | None:
        """Send `textDocument/inlineCompletion`, and cancel it when the next key comes."""
        client, version = self._connected, self._version
        context = {"triggerKind": 2}
        asked = client.begin(
            "textDocument/inlineCompletion", {**self._at(point), "context": context}
        )
        try:
            found = await asked
        except asyncio.CancelledError:
            client.cancel(asked)
            raise
        outcome = self._outcomes.pop((version, point), None)
        items: list[dict[str, Any]] = found["items"] if found else []
        if not items:
            return None
        item = items[0]
        ident = str(item["command"]["arguments"][0])
        client.notify("sirdab/didShow", {"id": ident})
        shown = str(item["insertText"])
        start = item["range"]["start"]
        covered = text.slice(Point(start["line"], start["character"]), point)
        if not shown.startswith(covered):
            return None
        trace = outcome.trace if outcome else {}
        return Answer(ident, shown[len(covered) :], _source(trace), _kept(trace))

    def accepted(self, answer: Answer, how: str) -> None:
        """Run the command of the item."""
        client = self._connected
        client.begin(
            "workspace/executeCommand",
            {"command": "sirdab.accept", "arguments": [answer.id, how]},
        )

    async def close(self) -> None:
        """Close the files."""
        for uri in self._uris:
            self._connected.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def aclose(self) -> None:
        """End the session."""
        await self._connected.stop()
        await self._connected.server.close()

    @property
    def _connected(self) -> InProcess:
        if self._client is None:
            raise RuntimeError("start comes first")
        return self._client

    def _at(self, point: Point) -> dict[str, Any]:
        position = range_of(*point, *point)["start"]
        return {"textDocument": {"uri": self._uri}, "position": position}


class _Pipe:
    """Hands the server's bytes to the client."""

    def __init__(self, client: InProcess) -> None:
        self._client = client

    def write(self, data: bytes) -> None:
        self._client.feed(data)

    def close(self) -> None:
        """Nothing is held open."""


def _source(trace: dict[str, Any]) -> str:
    if "source" in trace:
        return str(trace["source"])
    if trace.get("cache") == "hit":
        return "cache"
    return "in-flight" if trace.get("in_flight") == "joined" else "model"


def _kept(trace: dict[str, Any]) -> dict[str, Any]:
    names = ("total_ms", "evaluated_tokens", "generated_tokens", "first_token_ms", "model_ms")
    return {
        name: trace[name] for name in (*names, "shape", "layout", "changed_by") if name in trace
    }
