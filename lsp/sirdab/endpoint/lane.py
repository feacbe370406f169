"""Who may use the model server: what a person waits for comes first, other work gives way.

A model server does one thing at a time on a small machine. A review must therefore never be in
the way of a keystroke: its stream is closed when one comes, which stops the server within
some milliseconds, and its question is asked again when nobody has typed for a moment.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")

QUIET_SECONDS = 0.7
"""How long nobody must have typed before other work goes on. Pauses between the words of somebody
who types are mostly shorter, and a question that is begun in one is only broken off."""


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
        self._turn = asyncio.Lock()
        self._working: asyncio.Task[object] | None = None
        self._changed = asyncio.Event()

    def touch(self) -> None:
        """Take it that somebody is typing, so that a keystroke's request may come at once."""
        self._touched = self._clock()
        if self._working is not None:
            self._working.cancel()
            self._working = None

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
            if not self._urgent:
                self._changed.set()
                self._changed = asyncio.Event()

    async def run(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Do other work when the lane is free, and anew each time it has to give way.

        Args:
            work: Begins the work; must bear to be cancelled at any point and begun again.

        Returns:
            What the work returned.

        Raises:
            asyncio.CancelledError: The work was cancelled, and not to give way.
        """
        while True:
            async with self._turn:
                await self._wait_until_quiet()
                task = asyncio.ensure_future(work())
                self._working = task
                gave_way = False
                try:
                    await asyncio.wait({task})
                    gave_way = self._working is not task
                finally:
                    if not task.done():
                        # The caller itself was cancelled.
                        task.cancel()
                        await asyncio.wait({task})
                    if self._working is task:
                        self._working = None
                # What was cancelled by something else would be so each time it is begun again.
                if not gave_way or not task.cancelled():
                    return task.result()

    async def _wait_until_quiet(self) -> None:
        while True:
            if self._urgent:
                await self._changed.wait()
                continue
            if self._touched is None:
                return
            left = self._touched + self._quiet_s - self._clock()
            if left <= 0:
                return
            await asyncio.sleep(left)
