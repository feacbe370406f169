"""Who may use the model server: what a person waits for comes first, other work gives way.

A model server does one thing at a time on a small machine. A review must therefore never be in
the way of a keystroke: its stream is closed when one comes, which stops the server within
some milliseconds, and its question is asked again when nobody has typed for a moment.
"""

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from sirdab.endpoint.base import EndpointError, ProblemKind

_T = TypeVar("_T")

QUIET_SECONDS = 0.7
"""How long nobody must have typed before other work goes on. Pauses between the words of somebody
who types are mostly shorter, and a question that is begun in one is only broken off."""

SPECULATION_QUIET_SECONDS = 0.35
"""The same for what follows a suggestion that is being looked at: to take it is one key. Sooner,
most of it was broken off by somebody who types on (47 of 90 at 0.2 s, in the replay)."""

MOST_WAITING = 64
"""Most pieces of work that wait; what comes then is refused, so that nothing piles up."""

_REMEMBERED_OWNERS = 256


class Priority(IntEnum):
    """What goes first when nobody types; a smaller one also takes the lane from a greater one."""

    SPECULATION = 0
    """What follows when the suggestion on the screen is taken."""
    READ_AHEAD = 1
    """The text around a cursor that has come to rest."""
    REVIEW = 2
    """Reviews and rewrites: minutes are nothing to them."""


@dataclass(slots=True)
class _Turn:
    priority: Priority
    owner: str
    order: int
    granted: asyncio.Future[None]
    task: asyncio.Future[Any] | None = None
    gave_way: bool = field(default=False)


class Lane:
    """The order of those who ask one model server. All methods belong to one event loop.

    Args:
        quiet_s: Seconds without typing before other work goes on.
        clock: Monotonic seconds.
    """

    def __init__(
        self, quiet_s: float = QUIET_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quiet_s = quiet_s
        self._clock = clock
        self._urgent = 0
        self._touched: float | None = None
        self._waiting: list[_Turn] = []
        self._running: _Turn | None = None
        self._orders = itertools.count()
        self._grants = itertools.count()
        # Whose work was begun when, as a count of all that was.
        self._served: OrderedDict[str, int] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def touch(self) -> None:
        """Take it that somebody is typing, so that a keystroke's request may come at once."""
        self._touched = self._clock()
        self._give_way()

    @contextmanager
    def urgent(self) -> Generator[None]:
        """Keep other work away while something runs that a person waits for."""
        self._urgent += 1
        self.touch()
        try:
            yield
        finally:
            self._urgent -= 1
            self.touch()
            self._grant()

    async def run(
        self,
        work: Callable[[], Awaitable[_T]],
        *,
        priority: Priority = Priority.REVIEW,
        owner: str = "",
    ) -> _T:
        """Do other work when the lane is free, and anew each time it has to give way.

        Args:
            work: Begins the work; must bear to be cancelled at any point and begun again.
            priority: What it gives way to besides typing.
            owner: Whose work it is, such as a document: of two that wait with the same priority,
                the one goes first whose last turn was longer ago.

        Returns:
            What the work returned.

        Raises:
            EndpointError: Too much is waiting already.
            asyncio.CancelledError: The work was cancelled, and not to give way.
        """
        while True:
            turn = self._enqueue(priority, owner)
            try:
                await turn.granted
                task = turn.task = asyncio.ensure_future(work())
                if turn.gave_way:
                    task.cancel()
                await asyncio.wait({task})
            finally:
                await self._leave(turn)
            # What was cancelled by something else would be so each time it is begun again.
            if not turn.gave_way or not task.cancelled():
                return task.result()

    def _enqueue(self, priority: Priority, owner: str) -> _Turn:
        if len(self._waiting) >= MOST_WAITING:
            raise EndpointError(
                ProblemKind.TIMEOUT,
                "Too much waits for the model server already; try again in a moment.",
            )
        granted = asyncio.get_running_loop().create_future()
        turn = _Turn(priority, owner, next(self._orders), granted)
        self._waiting.append(turn)
        if self._running is not None and priority < self._running.priority:
            self._give_way()
        self._grant()
        return turn

    async def _leave(self, turn: _Turn) -> None:
        """Make room for the next one, whatever has become of this one."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        task = turn.task
        try:
            if task is not None and not task.done():
                # The caller itself was cancelled.
                task.cancel()
                await asyncio.wait({task})
        finally:
            # Also where it is cancelled a second time: nobody else would make room.
            if self._running is turn:
                self._running = None
            self._grant()

    def _give_way(self) -> None:
        turn = self._running
        if turn is not None and not turn.gave_way:
            turn.gave_way = True
            if turn.task is not None:
                turn.task.cancel()

    def _grant(self) -> None:
        """Give the lane to who is next, now or when it has been quiet for long enough."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._urgent or self._running is not None or not self._waiting:
            return
        turn = min(self._waiting, key=self._rank)
        left = self._quiet_for(turn) - self._quiet_since()
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left, self._grant)
            return
        self._waiting.remove(turn)
        self._running = turn
        self._served[turn.owner] = next(self._grants)
        self._served.move_to_end(turn.owner)
        while len(self._served) > _REMEMBERED_OWNERS:
            self._served.popitem(last=False)
        if turn.granted.done():
            # Who waited has been cancelled and has not been told yet.
            self._running = None
            self._grant()
        else:
            turn.granted.set_result(None)

    def _rank(self, turn: _Turn) -> tuple[int, int, int]:
        return turn.priority, self._served.get(turn.owner, -1), turn.order

    def _quiet_for(self, turn: _Turn) -> float:
        if turn.priority is Priority.SPECULATION:
            return min(self._quiet_s, SPECULATION_QUIET_SECONDS)
        return self._quiet_s

    def _quiet_since(self) -> float:
        return self._quiet_s if self._touched is None else self._clock() - self._touched
