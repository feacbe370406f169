"""Counts what became of the suggestions of one session. Kept in memory only."""

from collections.abc import Mapping
from typing import Any, TypedDict

from sirdab.metrics.record import PARTS

# Ids of suggestions that an answer may still come for; older ones are forgotten.
_REMEMBERED = 256


class LastAnswer(TypedDict):
    """What the last suggestion cost.

    Attributes:
        latencyMs: Milliseconds from the end of the debounce to the suggestion.
        tokensRead: Tokens of the prompt that the model had to read anew.
        tokensWritten: Tokens that it wrote.
    """

    latencyMs: float
    tokensRead: int
    tokensWritten: int


class Tally:
    """How many suggestions were offered, shown and taken.

    Each suggestion counts once in each column, whatever the client repeats.
    """

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}
        self.counts: dict[str, int] = dict.fromkeys(("offered", "shown", "accepted"), 0)
        self.last: LastAnswer | None = None

    def answered(self, trace: Mapping[str, Any]) -> None:
        """Take what the engine measured of a suggestion.

        Args:
            trace: The trace of its outcome.
        """
        total_ms = trace.get("total_ms")
        if not isinstance(total_ms, int | float):
            return
        self.last = {
            "latencyMs": total_ms,
            "tokensRead": int(trace.get("evaluated_tokens") or 0),
            "tokensWritten": int(trace.get("generated_tokens") or 0),
        }

    def offered(self, id_: str) -> None:
        """Count a suggestion that was sent to the client."""
        if id_ in self._seen:
            return
        self._seen[id_] = set()
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self.counts["offered"] += 1

    def shown(self, id_: str) -> None:
        """Count a suggestion that the client has shown."""
        self._once(id_, "shown")

    def accepted(self, id_: str, part: str) -> bool:
        """Count a suggestion that the user has taken.

        Args:
            id_: The suggestion; unknown ones do not count.
            part: How much of it was taken, one of `PARTS`; a word is as good as all of it,
                and the words of one suggestion count as one.

        Returns:
            Whether it has been counted now.
        """
        return part in PARTS and self._once(id_, "accepted")

    def _once(self, id_: str, column: str) -> bool:
        seen = self._seen.get(id_)
        if seen is None or column in seen:
            return False
        seen.add(column)
        self.counts[column] += 1
        return True
