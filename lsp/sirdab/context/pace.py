"""Lets a background thread work in short turns.

Python runs one thread at a time, and a thread that never waits keeps the others waiting 5 ms each
time they have something to do (`sys.getswitchinterval`). One that stops by itself after a
millisecond does not, and one that stops altogether while somebody types is not noticed at all.
"""

import threading
import time
from collections.abc import Callable

TURN_SECONDS = 0.001
"""Longest stretch of work, in seconds; a keystroke waits no longer than that."""

# How long the thread stops after each turn, and how long it looks away while somebody types.
_REST_SECONDS = 0.001
_QUIET_SECONDS = 0.7


class Stopped(Exception):  # noqa: N818 - not an error: the thread is to end
    """The work is no longer wanted."""


class Pace:
    """The turns of one thread, and the signs that others give it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Make one.

        Args:
            clock: Seconds; injectable for tests.
        """
        self._clock = clock
        self._stopped = threading.Event()
        self._quiet_from = 0.0
        self._turn_ends = 0.0
        self.turns = 0

    def somebody_types(self) -> None:
        """Work no further for a moment."""
        self._quiet_from = self._clock() + _QUIET_SECONDS

    def stop(self) -> None:
        """End the work at its next pause."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether the work is to end."""
        return self._stopped.is_set()

    def pause(self) -> None:
        """Rest when the turn is over.

        Raises:
            Stopped: The work is to end.
        """
        now = self._clock()
        if now < self._turn_ends:
            return
        self.turns += 1
        self.wait(_REST_SECONDS)
        while (left := self._quiet_from - self._clock()) > 0:
            self.wait(left)
        self._turn_ends = self._clock() + TURN_SECONDS

    def wait(self, seconds: float) -> None:
        """Rest.

        Raises:
            Stopped: The work is to end.
        """
        if self._stopped.wait(seconds):
            raise Stopped
