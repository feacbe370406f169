"""A circuit breaker: a server that failed is left alone for a while, then tried once.

While the circuit is open a caller learns so in well under 0.1 ms, so that a dead server costs
nothing per keystroke. After the delay one caller may try (half-open); if that fails too, the
delay doubles. The delay is jittered, so that several editors do not knock at once.
"""

import random
import time
from collections.abc import Callable
from enum import StrEnum


class BreakerState(StrEnum):
    """Whether requests may pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitBreaker:
    """Counts failures in a row and decides whether the next request may be tried.

    Args:
        threshold: Failures in a row that open the circuit.
        first_delay: Seconds it stays open the first time.
        longest_delay: Seconds beyond which the delay does not grow.
        clock: Monotonic seconds.
        jitter: Returns a number from 0 up to 1; the delay is shortened by up to a half of it.
    """

    def __init__(
        self,
        *,
        threshold: int = 3,
        first_delay: float = 0.5,
        longest_delay: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._threshold = threshold
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._delay = first_delay
        self._until = 0.0
        self._state = BreakerState.CLOSED

    @property
    def state(self) -> BreakerState:
        """Whether requests may pass."""
        return self._state

    @property
    def retry_after(self) -> float:
        """Seconds until the next try may pass; 0 when one may pass now."""
        if self._state is BreakerState.CLOSED:
            return 0.0
        return max(0.0, self._until - self._clock())

    def allow(self) -> bool:
        """Say whether a request may be tried now; in the half-open state only one may.

        The one that was let through need not report back (its caller may have gone): another
        one is let through when the delay has passed again.
        """
        if self._state is BreakerState.CLOSED:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._state = BreakerState.HALF_OPEN
        self._until = now + self._delay
        return True

    def record_success(self) -> None:
        """Close the circuit: the server answered."""
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._delay = self._first_delay

    def record_failure(self, *, trip: bool = False) -> None:
        """Count a failure.

        Args:
            trip: Open the circuit at once, whatever the count.
        """
        self._failures += 1
        if self._state is BreakerState.CLOSED and not trip and self._failures < self._threshold:
            return
        if self._state is BreakerState.HALF_OPEN:
            self._delay = min(self._delay * 2, self._longest_delay)
        self._state = BreakerState.OPEN
        self._until = self._clock() + self._delay * (1 - self._jitter() / 2)
