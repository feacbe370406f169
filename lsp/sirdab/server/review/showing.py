"""Shows what a review finds while it goes on, no more often than is no burden.

All findings of a document are told at once, so telling them for each unit of a long document would
cost the square of its length, in the loop that also answers keystrokes.
"""

import asyncio
import time
from collections.abc import Callable

_LEAST_SECONDS = 0.1
"""Time between two times; a person does not see more."""

_TIMES_ITS_COST = 25.0
"""What has taken long is done so many times as long later again: at most 4 % of the time."""


class Showing:
    """One review's news. All methods belong to one event loop.

    Args:
        show: Shows what is known now.
        clock: Seconds; injectable for tests.
    """

    def __init__(
        self, show: Callable[[], None], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._show = show
        self._clock = clock
        self._not_before: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def news(self) -> None:
        """Show what is known: now, or as soon as it is time again."""
        if self._timer is not None:
            return
        wait = 0.0 if self._not_before is None else self._not_before - self._clock()
        if wait <= 0:
            self._now()
        else:
            self._timer = asyncio.get_running_loop().call_later(wait, self._now)

    def end(self) -> None:
        """Show what has not been shown yet."""
        if self._timer is not None:
            self._now()

    def _now(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        begun = self._clock()
        try:
            self._show()
        finally:
            took = self._clock() - begun
            self._not_before = begun + took + max(_LEAST_SECONDS, _TIMES_ITS_COST * took)
