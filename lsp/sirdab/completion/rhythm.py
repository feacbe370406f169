"""How fast somebody types, measured from the keys of this session."""

import time
from collections import deque
from collections.abc import Callable, Collection

TYPICAL_MS = 170.0
"""Milliseconds between two keys before enough of them are known: between the fast typists (122 ms)
and the average (239 ms) of Dhakal et al., "Observations on Typing from 136 Million Keystrokes",
2018."""

_LEAST_MS, _MOST_MS = 60.0, 400.0
# A longer interval is a thought, not a rhythm.
_PAUSE_MS = 1_000.0
# Few enough to follow somebody who tires, many enough that one word does not decide.
_REMEMBERED = 48
_ENOUGH = 8
# Who merges keys sends some at once; more than this is a paste, an item of a list or a command.
_MOST_KEYS = 8
# Requests that tell how the editor asks; of fewer nothing is concluded.
_REQUESTS = 9
_ENOUGH_REQUESTS = 4


class Rhythm:
    """The interval between keys, and how many of them the editor sends at once.

    The median is taken, because hesitations are a third of all intervals at most and would drag
    a mean along.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without keys.

        Args:
            clock: Seconds; injectable for tests.
        """
        self._clock = clock
        self._intervals: deque[float] = deque(maxlen=_REMEMBERED)
        self._last: float | None = None
        self._since_request = 0
        self._keys_per_request: deque[int] = deque(maxlen=_REQUESTS)

    def typed(self, keys: int) -> None:
        """Take it that keys were pressed.

        Args:
            keys: How many came in one message; 0 when the change was not typed.
        """
        now = self._clock()
        last, self._last = self._last, now
        if not 0 < keys <= _MOST_KEYS:
            # What comes next is not a key behind a key.
            self._last = None
            self._since_request = 0
            return
        self._since_request += keys
        if last is not None and (interval := (now - last) * 1000 / keys) <= _PAUSE_MS:
            self._intervals.append(interval)

    def asked(self) -> None:
        """Take it that the editor asks for a suggestion while somebody types."""
        if self._since_request:
            self._keys_per_request.append(self._since_request)
        self._since_request = 0

    @property
    def interval_ms(self) -> float:
        """Milliseconds between two keys, the hesitations left out."""
        if len(self._intervals) < _ENOUGH:
            return TYPICAL_MS
        return min(max(middle(self._intervals), _LEAST_MS), _MOST_MS)

    @property
    def since_last_ms(self) -> float:
        """Milliseconds since the last key; 0 when there was none."""
        return 0.0 if self._last is None else (self._clock() - self._last) * 1000

    @property
    def merged(self) -> float:
        """Whether the editor itself waits for a pause: 0 when it asks at every key, else 1."""
        if len(self._keys_per_request) < _ENOUGH_REQUESTS:
            return 0.0
        return min(max(middle(self._keys_per_request) - 1.0, 0.0), 1.0)


def middle(values: Collection[float]) -> float:
    """Return the upper median; the module `statistics` would cost 10 ms of start-up."""
    return sorted(values)[len(values) // 2]
