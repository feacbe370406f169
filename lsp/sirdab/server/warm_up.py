"""Has the model read what stands around the cursor when the cursor has come to rest.

Clients say where it is by `sirdab/didMoveCursor`. Reading gives way to whatever a person waits
for; see `sirdab.endpoint.lane`.
"""

import asyncio
from typing import TYPE_CHECKING

from sirdab.completion.request import CompletionRequest
from sirdab.endpoint.lane import Priority
from sirdab.server.status import State

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer

# A cursor that stays for this long, in seconds, is where somebody looks.
_REST_SECONDS = 0.25


class WarmUp:
    """At most one place is read ahead: the last one the cursor came to."""

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._task: asyncio.Task[None] | None = None
        self._uri = ""

    def moved(self, request: CompletionRequest) -> None:
        """Take it that the cursor is somewhere else now."""
        self.stop()
        self._uri = request.snapshot.uri
        self._task = asyncio.ensure_future(self._warm(request))
        self._ls.spawn(self._task)

    def closed(self, uri: str) -> None:
        """Take it that a document was closed, by the URI that it was opened with."""
        if uri == self._uri:
            self.stop()

    def stop(self) -> None:
        """Read no further."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _warm(self, request: CompletionRequest) -> None:
        ls = self._ls
        await asyncio.sleep(_REST_SECONDS)
        # What the client excludes may have been said only now.
        await ls.first_settings()
        now = ls.session.snapshot(request.snapshot.uri)
        if now is None or now.text is not request.snapshot.text:
            return
        engine = ls.engine_if_ready()
        # Where the model server is not well, the next suggestion finds out what is the matter.
        if engine is not None and ls.status.current["state"] == State.READY.value:
            await engine.warm(
                ls.session.renewed(request),
                lambda work: ls.lane.run(
                    work, priority=Priority.READ_AHEAD, owner=request.snapshot.uri
                ),
            )
