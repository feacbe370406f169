"""Has the model read what stands around the cursor when the cursor has come to rest.

Clients say where it is by `sirdab/didMoveCursor`. Reading gives way to whatever a person waits
for; see `sirdab.endpoint.lane`.
"""

import asyncio
from typing import TYPE_CHECKING

from sirdab.completion.request import CompletionRequest
from sirdab.endpoint.lane import Priority
from sirdab.server.latest_work import LatestWork

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer

# A cursor that stays for this long, in seconds, is where somebody looks.
_REST_SECONDS = 0.25


class WarmUp(LatestWork):
    """At most one place is read ahead: the last one the cursor came to."""

    def __init__(self, ls: "SirdabServer") -> None:
        super().__init__(ls)
        self._is_told = False

    def moved(self, request: CompletionRequest) -> None:
        """Take it that the cursor is somewhere else now, because the client says so."""
        self._is_told = True
        self._begin(request)

    def rested(self, request: CompletionRequest) -> None:
        """Take it that the cursor is where the last key was typed, though nobody says so."""
        self._begin(request)

    def asked_about(self, request: CompletionRequest) -> None:
        """Take it that the cursor is where the client has asked for something else.

        Clients that are not ours do not tell where the cursor is, but they ask for the actions
        there when it comes to rest.
        """
        if not self._is_told:
            self._begin(request)

    def _begin(self, request: CompletionRequest) -> None:
        self._start(request.snapshot.uri, self._warm(request))

    def edited(self, uri: str) -> None:
        """Take it that a document was edited: what stood in it is not worth reading any more."""
        if uri == self._uri:
            self.stop()

    async def _warm(self, request: CompletionRequest) -> None:
        ls = self._ls
        await asyncio.sleep(_REST_SECONDS)
        # What the client excludes may have been said only now.
        await ls.first_settings()
        now = ls.session.snapshot(request.snapshot.uri)
        if now is None or now.text is not request.snapshot.text:
            return
        # Before it is read, and in vain where the model reads too slowly for any context.
        await ls.context.renew(ls.session.renewed(request))
        engine = self._engine_that_is_well()
        if engine is not None:
            await engine.warm(
                ls.session.renewed(request),
                lambda work: ls.lane.run(
                    work, priority=Priority.READ_AHEAD, owner=request.snapshot.uri
                ),
            )
