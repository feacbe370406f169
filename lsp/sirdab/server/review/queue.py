"""The order of reviews: one document at a time, what a person waits for first.

The lane keeps reviews out of the way of keystrokes. This queue decides which document is reviewed
of several: one that somebody has asked for, then the one that was edited or saved last, then the
rest of the workspace. Who comes later and goes first ends the review under way, which is begun
again afterwards; what the model has answered until then is remembered by the reviewer.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

_T = TypeVar("_T")


class Rank(IntEnum):
    """Why a document is reviewed; a smaller one goes first."""

    ASKED = 0
    """Somebody waits for it."""
    UNASKED = 1
    """It was saved, or has been at rest for a while; the latest goes first."""
    WORKSPACE = 2
    """It is one of many."""


@dataclass(slots=True, eq=False)
class _Job:
    rank: Rank
    number: int
    turn: asyncio.Future[None]
    task: asyncio.Future[Any] | None = None
    gave_way: bool = False

    @property
    def order(self) -> tuple[int, int]:
        return self.rank, -self.number if self.rank is Rank.UNASKED else self.number


class ReviewQueue:
    """Reviews that wait, and the one that runs. All methods belong to one event loop."""

    def __init__(self) -> None:
        """Start empty."""
        self._numbers = itertools.count()
        self._waiting: list[_Job] = []
        self._running: _Job | None = None

    async def run(self, rank: Rank, work: Callable[[], Awaitable[_T]]) -> _T:
        """Do something when it is its turn, and anew each time it had to give way.

        Args:
            rank: What decides on its turn.
            work: Begins it; must bear to be cancelled at any point and begun again.

        Returns:
            What the work returned.

        Raises:
            asyncio.CancelledError: It was cancelled, and not to give way.
        """
        number = next(self._numbers)
        while True:
            job = _Job(rank, number, asyncio.get_running_loop().create_future())
            self._waiting.append(job)
            self._next()
            try:
                await job.turn
                task = job.task = asyncio.ensure_future(work())
                if job.gave_way:
                    task.cancel()
                await asyncio.wait({task})
            finally:
                await self._leave(job)
            if not job.gave_way or not task.cancelled():
                return task.result()

    async def _leave(self, job: _Job) -> None:
        if job in self._waiting:
            self._waiting.remove(job)
        try:
            if job.task is not None and not job.task.done():
                job.task.cancel()
                await asyncio.wait({job.task})
        finally:
            # Also where it is cancelled a second time: nobody else would make room.
            if self._running is job:
                self._running = None
            self._next()

    def _next(self) -> None:
        """Begin what goes first, or have what runs give way to it."""
        while self._waiting:
            first = min(self._waiting, key=lambda job: job.order)
            running = self._running
            if running is not None:
                if first.order < running.order and not running.gave_way:
                    running.gave_way = True
                    if running.task is not None:
                        running.task.cancel()
                return
            self._waiting.remove(first)
            if not first.turn.done():
                self._running = first
                first.turn.set_result(None)
