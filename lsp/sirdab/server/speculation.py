"""Has the model write what follows a suggestion while that suggestion is being looked at.

Taking a suggestion is one key, and what follows it should be there with that key. The work gives
way to whatever a person waits for; see `sirdab.endpoint.lane`.
"""

from typing import TYPE_CHECKING

from sirdab.completion.request import CompletionRequest, Outcome
from sirdab.endpoint.lane import Priority
from sirdab.server.latest_work import LatestWork
from sirdab.text.store import Point

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer


class Speculation(LatestWork):
    """At most one suggestion is thought further: the one that was offered last."""

    def __init__(self, ls: "SirdabServer") -> None:
        super().__init__(ls)
        self._point = Point(0, 0)

    def offered(self, request: CompletionRequest, outcome: Outcome) -> None:
        """Take it that a request has been answered: what was offered before has gone."""
        self.stop()
        if not outcome.suggestions:
            return
        self._point = request.point
        self._start(request.snapshot.uri, self._speculate(request))

    def moved(self, request: CompletionRequest) -> None:
        """Take it that the cursor is here now: what is offered elsewhere is not taken."""
        if (request.snapshot.uri, request.point) != (self._uri, self._point):
            self.stop()

    async def _speculate(self, request: CompletionRequest) -> None:
        ls = self._ls
        engine = self._engine_that_is_well()
        if engine is not None:
            await engine.speculate(
                ls.session.renewed(request),
                lambda work: ls.lane.run(
                    work, priority=Priority.SPECULATION, owner=request.snapshot.uri
                ),
            )
