"""Counts what became of the suggestions of one session. Kept in memory only."""

PARTS = ("full", "line", "word")

# Ids of suggestions that an answer may still come for; older ones are forgotten.
_REMEMBERED = 256


class Tally:
    """How many suggestions were offered, shown and taken.

    Each suggestion counts once in each column, whatever the client repeats.
    """

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}
        self.counts: dict[str, int] = dict.fromkeys(("offered", "shown", "accepted"), 0)

    def offered(self, id_: str) -> None:
        """Count a suggestion that was sent to the client."""
        self._seen[id_] = set()
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self.counts["offered"] += 1

    def shown(self, id_: str) -> None:
        """Count a suggestion that the client has shown."""
        self._once(id_, "shown")

    def accepted(self, id_: str, part: str) -> None:
        """Count a suggestion that the user has taken.

        Args:
            id_: The suggestion; unknown ones do not count.
            part: How much of it was taken, one of `PARTS`; a word is as good as all of it,
                and the words of one suggestion count as one.
        """
        if part in PARTS:
            self._once(id_, "accepted")

    def _once(self, id_: str, column: str) -> None:
        seen = self._seen.get(id_)
        if seen is not None and column not in seen:
            seen.add(column)
            self.counts[column] += 1
