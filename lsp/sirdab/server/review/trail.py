"""The states that a document has had while it was reviewed, and what is led through them.

What a review finds is placed in the state that it was begun with. It is told several times, so each
entry is led through each edit only once: where it was led to is remembered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sirdab.review.finding import Dropped, Finding
from sirdab.review.track import Difference, compare, moved, moved_dropped, moved_lines
from sirdab.text.store import Text

# Edits during one review that findings are led through one by one. When there were more, the
# oldest count as one edit, in which fewer findings are known again.
_MOST_STEPS = 256

_T = TypeVar("_T", Finding, Dropped)
_Step = Callable[[_T, Text, Text, Difference], list[_T]]


@dataclass(slots=True)
class _Led(Generic[_T]):
    """An entry on its way.

    Attributes:
        origin: As it was found.
        now: As it is placed in a later state; None when an edit has withdrawn it.
        state: The number of that state.
    """

    origin: _T
    now: _T | None
    state: int = 0


class Trail:
    """The states of one document from the beginning of a review on.

    Args:
        states: The first ones, from the one that is reviewed to the present one.
        signs: What begins a comment that goes to the end of its line.
    """

    def __init__(self, states: Sequence[Text], signs: Sequence[str]) -> None:
        self._states = [states[0]]
        # Between each state and the next one.
        self._differences: list[Difference] = []
        # How many states have been left out behind the first one.
        self._left_out = 0
        self._signs = tuple(signs)
        self._findings: dict[int, _Led[Finding]] = {}
        self._dropped: dict[int, _Led[Dropped]] = {}
        for state in states[1:]:
            self.add(state)

    def add(self, state: Text) -> None:
        """Take it that the document was edited."""
        self._differences.append(compare(self._states[-1], state))
        self._states.append(state)
        if len(self._states) > _MOST_STEPS:
            gone = _MOST_STEPS // 2 - 1
            del self._states[1 : gone + 1]
            self._differences[: gone + 1] = [compare(self._states[0], self._states[1])]
            self._left_out += gone

    def lines(self, first: int, last: int) -> tuple[int, int] | None:
        """Return where some lines of the first state stand now; None if they were edited."""
        for state, difference in zip(self._states, self._differences, strict=False):
            place = moved_lines(first, last, state, difference)
            if place is None:
                return None
            first, last = place
        return first, last

    def findings(self, origins: Sequence[Finding]) -> list[Finding]:
        """Return findings of the first state as they are placed now, in the same order."""

        def step(entry: Finding, old: Text, new: Text, between: Difference) -> list[Finding]:
            return moved([entry], old, new, self._signs, between)

        self._findings, placed = self._led(origins, self._findings, step)
        return placed

    def dropped(self, origins: Sequence[Dropped]) -> list[Dropped]:
        """Return what was not shown of the first state as it is placed now."""

        def step(entry: Dropped, old: Text, new: Text, between: Difference) -> list[Dropped]:
            return moved_dropped([entry], old, new, between)

        self._dropped, placed = self._led(origins, self._dropped, step)
        return placed

    def _led(
        self, origins: Sequence[_T], known: dict[int, _Led[_T]], step: _Step[_T]
    ) -> tuple[dict[int, _Led[_T]], list[_T]]:
        """Return what is to be remembered of some entries, and where they are now."""
        kept: dict[int, _Led[_T]] = {}
        placed: list[_T] = []
        for origin in origins:
            led = known.get(id(origin))
            if led is None or led.origin is not origin:
                led = _Led(origin, origin)
            self._lead(led, step)
            kept[id(origin)] = led
            if led.now is not None:
                placed.append(led.now)
        return kept, placed

    def _lead(self, led: _Led[_T], step: _Step[_T]) -> None:
        """Lead an entry to the present state."""
        at = led.state - self._left_out if led.state else 0
        if at < 0 or (at == 0 and led.state):
            # The state that it was led to has been left out.
            led.now, at = led.origin, 0
        while led.now is not None and at < len(self._differences):
            now = step(led.now, self._states[at], self._states[at + 1], self._differences[at])
            led.now, at = (now[0] if now else None), at + 1
        led.state = at + self._left_out if at else 0
