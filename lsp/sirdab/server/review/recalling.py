"""Shows what was found in a document earlier, in this session or another; asks nobody."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sirdab.server.protocol import RequestError
from sirdab.server.review.known import Known, key_of
from sirdab.server.review.models import ReviewModels

if TYPE_CHECKING:
    from sirdab.review.request import ReviewRequest, UnitReview
    from sirdab.review.reviewer import Reviewer
    from sirdab.review.suppress import Directives
    from sirdab.server.language_server import SirdabServer

_log = logging.getLogger(__name__)

# Seconds without an edit after which what an edit has withdrawn is looked for again, because it may
# have been undone, and comments are read anew.
_PAUSE_SECONDS = 1.0


class Recalling:
    """Asks the reviewer for what it knows.

    Args:
        ls: The server.
        known: What is known of documents.
        models: Makes the reviewer.
        changed: Called with a document of which something else may be shown now.
    """

    def __init__(
        self,
        ls: "SirdabServer",
        known: Known,
        models: ReviewModels,
        changed: Callable[[str], None],
    ) -> None:
        self._ls = ls
        self._known = known
        self._models = models
        self._changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._over = False

    def recall(self, uri: str, *, after_pause: bool = False) -> None:
        """Show what was found in an open document earlier.

        Args:
            uri: The document.
            after_pause: Wait until it has not been edited for a moment; more of the same
                begins the wait anew.
        """
        # Where nothing has ever been reviewed, nothing need be loaded to find that out.
        if (
            self._over
            or not self._ls.session.settings.review.enabled
            or not self._models.has_memory
        ):
            return
        key = key_of(uri)
        self.forget(uri)
        task = asyncio.ensure_future(self._recall(uri, _PAUSE_SECONDS if after_pause else 0.0))
        self._tasks[key] = task
        self._ls.spawn(task)

    def forget(self, uri: str) -> None:
        """Recall nothing of a document, because it is closed or reviewed now."""
        task = self._tasks.pop(key_of(uri), None)
        if task is not None:
            task.cancel()

    def stop(self) -> None:
        """Recall nothing more, because the session is over."""
        self._over = True
        for task in self._tasks.values():
            task.cancel()

    async def _recall(self, uri: str, pause: float) -> None:
        session = self._ls.session
        try:
            if pause:
                await asyncio.sleep(pause)
            reviewer = await self._models.reviewer()
            from sirdab.review.request import ReviewRequest

            snapshot = session.snapshot(uri)
            if snapshot is None:
                return
            desk = self._known.find(uri)
            wanted = not pause or desk is None or bool(desk.lost)
            request = ReviewRequest(snapshot, session.settings, session.workspace_folders)
            found = await asyncio.to_thread(_look, reviewer, request, wanted)
        except RequestError as error:
            _log.info("nothing is recalled: %s", error.message)
            return
        finally:
            if self._tasks.get(key_of(uri)) is asyncio.current_task():
                del self._tasks[key_of(uri)]
        if session.snapshot(uri) is None or not session.settings.review.enabled:
            return
        says_something = any(unit.findings or unit.dropped for unit in found.units)
        if not says_something and self._known.find(uri) is None:
            return
        desk = self._known.desk(snapshot)
        if desk.snapshot.text is snapshot.text:
            desk.directives = found.directives
        # What a review finds now is newer.
        if wanted and not desk.runs:
            desk.take_known(snapshot, found.units)
        self._changed(desk.key)


class _Found(NamedTuple):
    directives: "Directives"
    units: "tuple[UnitReview, ...]"


def _look(reviewer: "Reviewer", request: "ReviewRequest", wanted: bool) -> _Found:
    """Look for what is known of a document, in a thread because it parses and reads the disk."""
    from sirdab.review import suppress

    snapshot = request.snapshot
    directives = suppress.read(snapshot.text, snapshot.language_id)
    return _Found(directives, reviewer.recall(request) if wanted else ())
