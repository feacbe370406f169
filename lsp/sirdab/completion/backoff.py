"""Less of what nobody wants: suggestions that were dismissed make the next ones rarer.

One dismissal says little, because most suggestions are not taken even by those who like them.
Several in a row say that the user has something else in mind, and every further one is an
interruption. The memory of them fades, and an acceptance or an explicit request wipes it out, so
that it never stays silent.
"""

import math
import time
from collections.abc import Callable

HALF_LIFE_SECONDS = 90.0
"""A task of a few lines is over in a minute or two, and the next may be one to help with."""

# The weight of a dismissal is 1 and fades. `bench/debounce.py` reports what these levels do by
# acceptance rate: where nothing is taken, half of all moments to read a suggestion pass without
# one; where 3 of 10 are, 1 in 12; where half are, 1 in 100.
_SLOWER_FROM = 4.0
_OUTSIDE_WORDS_FROM = 6.0
_DECISIONS_FROM = 9.0
_MOST = 12.0
_SLOWER_MS = 100.0
# What is less than half a dismissal is forgotten.
_FORGOTTEN = 0.5

# Scores of `sirdab.completion.trigger_score` that are asked for at the two higher levels.
_OUTSIDE_WORDS = 0.25
_DECISIONS = 0.75


class Backoff:
    """How many suggestions in a row were dismissed, and what follows from it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing dismissed.

        Args:
            clock: Seconds; injectable for tests.
        """
        self._clock = clock
        self._weight = 0.0
        self._at = clock()
        self._row = 0

    def dismissed(self) -> None:
        """Count a suggestion that was seen and not wanted."""
        self._row = self.in_a_row + 1
        self._weight = min(self.weight + 1.0, _MOST)
        self._at = self._clock()

    def welcome(self) -> None:
        """Forget them: a suggestion was taken, or asked for."""
        self._weight, self._row = 0.0, 0

    @property
    def weight(self) -> float:
        """Dismissals in a row, the older ones counted for less."""
        return self._weight * 0.5 ** ((self._clock() - self._at) / HALF_LIFE_SECONDS)

    @property
    def in_a_row(self) -> int:
        """Dismissals in a row; 0 when they have faded."""
        return self._row if self.weight >= _FORGOTTEN else 0

    @property
    def slower_ms(self) -> float:
        """Milliseconds to wait longer."""
        over = self.weight - _SLOWER_FROM
        return 0.0 if over < 0 else (over + 1) * _SLOWER_MS

    @property
    def bar(self) -> float:
        """The least trigger score that is asked for; 0 when any will do."""
        weight = self.weight
        if weight < _OUTSIDE_WORDS_FROM:
            return 0.0
        return _OUTSIDE_WORDS if weight < _DECISIONS_FROM else _DECISIONS

    def seconds_until(self, score: float) -> float:
        """Return for how many seconds a place of a score stays below the bar."""
        if score >= self.bar:
            return 0.0
        level = _OUTSIDE_WORDS_FROM if score < _OUTSIDE_WORDS else _DECISIONS_FROM
        return HALF_LIFE_SECONDS * math.log2(self.weight / level)
