"""Draws the lines around a finding, with marks below it: plain lines, without any colour.

What the code holds is somebody else's: whatever a terminal would obey, or nobody could see, is
written as an escape, and what is too long is cut.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from sirdab.policy.sanitize import visible
from sirdab.text.store import Point, Text

AROUND = 2
"""Lines that are shown before the finding and behind it."""

WIDTH = 120
"""Columns of code that are shown where nobody says how wide the terminal is."""

_NARROWEST = 24
_TAB = 4
# A finding of more lines is shown without its middle.
_MOST_LINES = 8
_LEAD = 8
_CUT = "..."
# Characters of a line that are looked at: a minified one has megabytes.
_LONGEST = 4_000

Style = Literal["", "place", "severity", "message", "gutter", "code", "near", "mark", "note"]


class Piece(NamedTuple):
    """A stretch of a line that looks the same.

    Attributes:
        text: Printable characters.
        style: What it is; how that looks is for the terminal to say.
    """

    text: str
    style: Style = ""


Line = tuple[Piece, ...]


class _Drawn(NamedTuple):
    """A line of code as it is shown.

    Attributes:
        cells: What stands in each column; "" in the second one of a wide character.
        starts: The column that each character begins in, and the one behind the last.
    """

    cells: list[str]
    starts: list[int]


def frame(
    text: Text,
    start: Point,
    stop: Point,
    *,
    width: int = WIDTH,
    shown: Callable[[str], str] = visible,
) -> list[Line]:
    """Return the lines of a code frame.

    Args:
        text: The document.
        start: First point of the finding.
        stop: Behind its last character.
        width: Columns that a line may take, the numbers included.
        shown: Writes a character as it can be shown.
    """
    first, last = start.line, min(max(start.line, stop.line), text.line_count - 1)
    numbers = _numbers(text, first, last)
    digits = len(str(max(number for number in numbers if number is not None) + 1))
    room = max(width - digits - 5, _NARROWEST)
    drawn = {n: _draw(text.line_body(n)[:_LONGEST], shown) for n in numbers if n is not None}
    marks = {n: _marked(drawn[n], text.line_body(n), n, start, stop) for n in drawn}
    left = _left_edge([(drawn[n], marks[n]) for n in drawn if first <= n <= last], room)
    lines: list[Line] = []
    for number in numbers:
        if number is None:
            lines.append((Piece(f"  {_CUT:>{digits}} |", "gutter"),))
            continue
        is_found = first <= number <= last
        sign = ">" if is_found else " "
        gutter = Piece(f"{sign} {number + 1:>{digits}} |", "gutter")
        code = _window(drawn[number].cells, left, room)
        lines.append((gutter, Piece(f" {code}".rstrip(), "code" if is_found else "near")))
        low, high = (min(max(edge - left, 0), room) for edge in marks[number])
        if is_found and low < high:
            rest = Piece(f" {' ' * low}{'^' * (high - low)}", "mark")
            lines.append((Piece(f"  {'':>{digits}} |", "gutter"), rest))
    return lines


def _numbers(text: Text, first: int, last: int) -> list[int | None]:
    """Return the numbers of the lines that are shown; None where some are left out."""
    before: list[int | None] = list(range(max(first - AROUND, 0), first))
    behind: list[int | None] = list(range(last + 1, min(last + 1 + AROUND, text.line_count)))

    def is_blank(number: int | None) -> bool:
        return number is not None and not text.line_body(number).strip()

    # A frame neither begins nor ends with nothing.
    while before and is_blank(before[0]):
        del before[0]
    while behind and is_blank(behind[-1]):
        del behind[-1]
    if last - first < _MOST_LINES:
        return [*before, *range(first, last + 1), *behind]
    return [*before, *range(first, first + _MOST_LINES - 2), None, last, *behind]


def _draw(body: str, shown: Callable[[str], str]) -> _Drawn:
    from rich.cells import get_character_cell_size

    cells: list[str] = []
    starts: list[int] = []
    for char in body:
        starts.append(len(cells))
        if char == "\t":
            cells.extend(" " * (_TAB - len(cells) % _TAB))
            continue
        for part in shown(char):
            size = get_character_cell_size(part)
            if size == 0 and cells:
                # A mark is drawn on the letter before it.
                cells[-1] += part
            else:
                cells.extend((part, *([""] * (size - 1))))
    return _Drawn(cells, [*starts, len(cells)])


def _marked(drawn: _Drawn, body: str, number: int, start: Point, stop: Point) -> tuple[int, int]:
    """Return the columns of a line that belong to the finding, without blanks at its ends."""
    low = start.column if number == start.line else len(body) - len(body.lstrip())
    high = stop.column if number == stop.line else len(body.rstrip())
    most = len(drawn.starts) - 1
    low, high = min(low, most), min(high, most)
    if number == start.line == stop.line and low == high:
        # A finding without any width is shown as one column.
        return drawn.starts[low], drawn.starts[low] + 1
    return drawn.starts[low], drawn.starts[max(low, high)]


def _left_edge(found: list[tuple[_Drawn, tuple[int, int]]], room: int) -> int:
    """Return the first column that is shown: further right where the finding would be cut off."""
    ends = max(high for _, (_, high) in found)
    begins = min(low for _, (low, _) in found)
    return 0 if ends <= room else max(0, min(begins - _LEAD, ends - room + _LEAD))


def _window(cells: list[str], left: int, room: int) -> str:
    """Return the columns that are shown, with dots where something was cut off."""
    part = cells[left : left + room]
    if left and part:
        # The half of a wide character is a blank.
        part = [*_CUT, *part[len(_CUT) :]] if len(part) > len(_CUT) else part
        if len(part) > len(_CUT) and not part[len(_CUT)]:
            part[len(_CUT)] = " "
    if len(cells) > left + room:
        part = [*part[: -len(_CUT)], *_CUT]
        if not cells[left + room - len(_CUT)]:
            part[-len(_CUT) - 1] = " "
    return "".join(part)
