"""Background work of which only the latest matters: what begins ends what was there before."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING

from sirdab.server.status import State

if TYPE_CHECKING:
    from sirdab.server.language_server import CompletionEngine, SirdabServer


class LatestWork:
    """At most one piece of work, for one document."""

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._task: asyncio.Task[None] | None = None
        self._uri = ""

    def closed(self, uri: str) -> None:
        """Take it that a document was closed, by the URI that it was opened with."""
        if uri == self._uri:
            self.stop()

    def stop(self) -> None:
        """Go no further."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start(self, uri: str, work: Coroutine[None, None, None]) -> None:
        self.stop()
        self._uri = uri
        self._task = asyncio.ensure_future(work)
        self._ls.spawn(self._task)

    def _engine_that_is_well(self) -> "CompletionEngine | None":
        # Where the model server is not well, the next suggestion finds out what is the matter.
        is_ready = self._ls.status.current["state"] == State.READY.value
        return self._ls.engine_if_ready() if is_ready else None
