"""Reviews that begin by themselves: when a document is saved, or has been at rest for a while."""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sirdab.server.protocol import RequestError
from sirdab.server.review.document_reviews import DocumentReviews
from sirdab.server.review.known import key_of
from sirdab.server.review.queue import Rank, ReviewQueue

if TYPE_CHECKING:
    from sirdab.review.request import Review
    from sirdab.server.language_server import SirdabServer

_log = logging.getLogger(__name__)

# Seconds after the last edit until a document is reviewed by itself (review.run "onIdle").
_IDLE_SECONDS = 2.0


@dataclass(slots=True)
class _Unasked:
    """What makes a document be reviewed by itself.

    Attributes:
        idle: Runs out when the document has not been edited for a while.
        task: The review that began by itself.
    """

    idle: asyncio.TimerHandle | None = None
    task: "asyncio.Future[Any] | None" = None

    def stop(self) -> None:
        if self.idle is not None:
            self.idle.cancel()
            self.idle = None
        if self.task is not None:
            self.task.cancel()
            self.task = None


class UnaskedReviews:
    """The reviews that nobody asked for, at most one for each document.

    Args:
        ls: The server.
        queue: The order of all reviews.
        reviews: Carries one out.
    """

    def __init__(self, ls: "SirdabServer", queue: ReviewQueue, reviews: DocumentReviews) -> None:
        self._ls = ls
        self._queue = queue
        self._reviews = reviews
        self._unasked: dict[str, _Unasked] = {}
        self._over = False

    def wait_for_idleness(self, uri: str) -> None:
        """Review a document when it has not been edited for a while, if that is wanted."""
        review = self._ls.session.settings.review
        if not review.enabled or review.run != "onIdle" or self._over:
            return
        if self._ls.session.snapshot(uri) is None:
            return
        unasked = self._unasked.setdefault(key_of(uri), _Unasked())
        if unasked.idle is not None:
            unasked.idle.cancel()
        loop = asyncio.get_running_loop()
        unasked.idle = loop.call_later(_IDLE_SECONDS, self.begin, uri)

    def begin(self, uri: str) -> None:
        """Review an open document unasked; what goes wrong is only logged."""
        snapshot = self._ls.session.snapshot(uri)
        if snapshot is None or not self._ls.session.settings.review.enabled or self._over:
            return
        unasked = self._unasked.setdefault(key_of(uri), _Unasked())
        unasked.stop()
        unasked.task = asyncio.ensure_future(self._begin(uri))
        self._ls.spawn(unasked.task)

    async def _begin(self, uri: str) -> None:
        async def work() -> "Review | None":
            # It may have waited, so it is reviewed as it is now.
            snapshot = self._ls.session.snapshot(uri)
            if snapshot is None:
                return None
            return await self._reviews.review(snapshot)

        try:
            result = await self._queue.run(Rank.UNASKED, work)
        except RequestError as error:
            _log.info("no review: %s", error.message)
        else:
            if result is not None and result.problem:
                _log.info("no review: %s", result.problem)

    def give_up(self, uri: str) -> None:
        """Do not review a document that nobody asked for."""
        unasked = self._unasked.pop(key_of(uri), None)
        if unasked is not None:
            unasked.stop()

    def stop(self, *, over: bool = True) -> None:
        """Begin nothing more by itself.

        Args:
            over: Whether that is for good.
        """
        self._over = over
        for unasked in self._unasked.values():
            unasked.stop()
        self._unasked.clear()
