"""Has the model write what follows a suggestion while that suggestion is being looked at.

Taking a suggestion is one key, and what follows it should be there with that key. The work gives
way to whatever a person waits for; see `sirdab.endpoint.lane`.
"""

import asyncio
from typing import TYPE_CHECKING

from sirdab.completion.request import CompletionRequest, Outcome
from sirdab.endpoint.lane import Priority
from sirdab.server.status import State
from sirdab.text.store import Point

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer


class Speculation:
    """At most one suggestion is thought further: the one that was offered last."""

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._task: asyncio.Task[None] | None = None
        self._uri = ""
        self._point = Point(0, 0)

    def offered(self, request: CompletionRequest, outcome: Outcome) -> None:
        """Take it that a request has been answered: what was offered before has gone."""
        self.stop()
        if not outcome.suggestions:
            return
        self._uri, self._point = request.snapshot.uri, request.point
        self._task = asyncio.ensure_future(self._speculate(request))
        self._ls.spawn(self._task)

    def moved(self, request: CompletionRequest) -> None:
        """Take it that the cursor is here now: what is offered elsewhere is not taken."""
        if (request.snapshot.uri, request.point) != (self._uri, self._point):
            self.stop()

    def closed(self, uri: str) -> None:
        """Take it that a document was closed, by the URI that it was opened with."""
        if uri == self._uri:
            self.stop()

    def stop(self) -> None:
        """Think no further."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _speculate(self, request: CompletionRequest) -> None:
        ls = self._ls
        engine = ls.engine_if_ready()
        # Where the model server is not well, the next suggestion finds out what is the matter.
        if engine is not None and ls.status.current["state"] == State.READY.value:
            await engine.speculate(
                ls.session.renewed(request),
                lambda work: ls.lane.run(
                    work, priority=Priority.SPECULATION, owner=request.snapshot.uri
                ),
            )
