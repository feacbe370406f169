"""Whether a model answers too slowly to be of use, judged by its last answers.

The window and its limits are those of Tabby's client (clients/tabby-agent, latencyTracker.ts: the
last ten, healthy below a mean of 5 s): they tell a model that is too large from one slow answer.
"""

from collections import deque

WINDOW = 10
"""Answers that are looked at."""

SLOW_MEAN_S = 5.0
"""Mean wait for the first word, in seconds, beyond which a model is too slow."""

SLOW_SHARE = 0.5
"""Share of requests without an answer in time beyond which it is too slow."""

_LEAST = 3


class LatencyWindow:
    """The waits for the last answers."""

    def __init__(self) -> None:
        self._waits: deque[float] = deque(maxlen=WINDOW)
        self._late: deque[bool] = deque(maxlen=WINDOW)

    def answered(self, seconds: float) -> None:
        """Record how long the first word of an answer took."""
        self._waits.append(seconds)
        self._late.append(False)

    def timed_out(self) -> None:
        """Record that no answer came in time."""
        self._late.append(True)

    def given_up(self, seconds: float) -> None:
        """Record a wait that its user broke off; a short one says nothing."""
        if seconds >= SLOW_MEAN_S:
            self.answered(seconds)

    def clear(self) -> None:
        """Forget all: another model is asked."""
        self._waits.clear()
        self._late.clear()

    @property
    def mean_s(self) -> float:
        """Mean wait in seconds; 0 before the first answer."""
        return sum(self._waits) / len(self._waits) if self._waits else 0.0

    @property
    def late_share(self) -> float:
        """Share of requests without an answer in time, from 0 to 1."""
        return sum(self._late) / len(self._late) if self._late else 0.0

    @property
    def is_slow(self) -> bool:
        """Whether the model is too slow to be of use; never after fewer than three requests."""
        if len(self._late) < _LEAST:
            return False
        return self.mean_s > SLOW_MEAN_S or self.late_share > SLOW_SHARE
