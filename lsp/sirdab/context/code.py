"""Code from another place, ready to be shown: redacted lines, by path, with what each is worth."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of code that may be shown.

    Attributes:
        kind: "definition", "similar" or "edit".
        path: Relative to the workspace folder, with "/"; never one of an excluded file.
        line: Number of the first line, from 0.
        last_line: Of the last one, inclusive.
        lines: Without line ends; they hold no secret.
        worth: What each line is worth; None when only the beginning makes sense.
    """

    kind: str
    path: str
    line: int
    last_line: int
    lines: tuple[str, ...]
    worth: tuple[int, ...] | None = None

    def cut(self, characters: int, least_lines: int, line_cost: int) -> "Piece | None":
        """Return as much of it as there is room for.

        Args:
            characters: The room.
            least_lines: With fewer lines of many it says nothing.
            line_cost: Characters that a line takes beside its own.

        Returns:
            The most valuable lines that follow each other, or the first ones; None when there
            is room for too few.
        """
        costs = [len(line) + line_cost for line in self.lines]
        if sum(costs) <= characters:
            return self
        start, stop = self._first(costs, characters)
        if self.worth is not None:
            start, stop = _richest(costs, self.worth, characters)
        if stop - start < min(least_lines, len(self.lines)):
            return None
        return Piece(
            self.kind,
            self.path,
            self.line if self.worth is None else self.line + start,
            self.last_line if self.worth is None else self.line + stop - 1,
            self.lines[start:stop],
            None if self.worth is None else self.worth[start:stop],
        )

    @staticmethod
    def _first(costs: list[int], characters: int) -> tuple[int, int]:
        for number, cost in enumerate(costs):
            characters -= cost
            if characters < 0:
                return 0, number
        return 0, len(costs)


def _richest(costs: list[int], worth: tuple[int, ...], characters: int) -> tuple[int, int]:
    """Return the stretch worth most that fits; of several the first, of those the shortest."""
    best = (0, 0, 0)
    start = size = value = 0
    for stop, cost in enumerate(costs, 1):
        size += cost
        value += worth[stop - 1]
        while size > characters:
            size -= costs[start]
            value -= worth[start]
            start += 1
        if value > best[0]:
            best = (value, start, stop)
    return best[1], best[2]
