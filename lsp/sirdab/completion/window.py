"""Chooses the text around the cursor that the model gets to see.

The start of the window is an anchor that stays where it is while the user types, because a
model server re-reads everything behind the first character that changed: a window that slid
with every line would cost a full re-read per line (ARCHITECTURE.md, "The path of a
keystroke").
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from sirdab.text.store import Point, Text

# Documents whose anchors are remembered; the least recently used is forgotten.
_REMEMBERED = 64
# How far an anchor line may have moved through edits above it and still be found again.
_SEARCH_LINES = 200


@dataclass(frozen=True, slots=True)
class Budget:
    """Most characters of the document on each side of the cursor."""

    before: int
    after: int


class Window(NamedTuple):
    """Text around the cursor, with LF line ends.

    Attributes:
        before: From the anchor to the cursor.
        rest_of_line: From the cursor to the end of its line.
        below: Whole lines after the cursor's line.
        first_line: Number of the line of the anchor, 0-based.
        last_line: Number of the last line of `below`, 0-based and inclusive.
    """

    before: str
    rest_of_line: str
    below: str
    first_line: int
    last_line: int


@dataclass(slots=True)
class _Anchor:
    line: int
    body: str


class Anchors:
    """Remembers where the window of each document starts."""

    def __init__(self) -> None:
        self._anchors: OrderedDict[str, _Anchor] = OrderedDict()

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a document that was closed."""
        self._anchors.pop(uri, None)

    def window(self, uri: str, text: Text, point: Point, budget: Budget) -> Window:
        """Cut the window around a point.

        Args:
            uri: Names the document whose anchor is used.
            text: The document.
            point: The cursor.
            budget: Most characters on each side.
        """
        first = self._first_line(uri, text, point, budget.before)
        before = text.slice(Point(first, 0), point)
        if len(before) > budget.before:
            # One line alone is over the budget, or the block has no better start.
            before = before[-budget.before :]
        body = text.line_body(point.line)
        below, last = _below(text, point.line + 1, budget.after)
        return Window(_unix(before), body[point.column :], _unix(below), first, last)

    def _first_line(self, uri: str, text: Text, point: Point, budget: int) -> int:
        anchor = self._anchors.get(uri)
        if anchor is not None:
            line = _relocate(text, anchor)
            if line is not None and line <= point.line:
                size = _size(text, line, point, limit=budget)
                # An anchor at the top of a file is never given up for being too near; any
                # other is, when so little is left before the cursor that the model is blind.
                if size <= budget and (line == 0 or size >= budget // 8):
                    anchor.line = line
                    self._anchors.move_to_end(uri)
                    return line
        line = _place(text, point, budget)
        self._anchors[uri] = _Anchor(line, text.line_body(line))
        self._anchors.move_to_end(uri)
        while len(self._anchors) > _REMEMBERED:
            self._anchors.popitem(last=False)
        return line


def _relocate(text: Text, anchor: _Anchor) -> int | None:
    """Find the anchor's line again after edits above it."""
    if anchor.line == 0:
        return 0
    for distance in range(_SEARCH_LINES):
        for line in {anchor.line - distance, anchor.line + distance}:
            if 0 < line < text.line_count and text.line_body(line) == anchor.body:
                return line
    return None


def _size(text: Text, line: int, point: Point, limit: int) -> int:
    """Characters from the start of a line to a point, counted no further than just over a limit."""
    size = point.column
    for number in range(point.line - 1, line - 1, -1):
        size += len(text.line(number))
        if size > limit:
            break
    return size


def _place(text: Text, point: Point, budget: int) -> int:
    """Choose a new anchor: the file's start, else a top-level line that leaves room to type on."""
    size = point.column
    line = point.line
    while line > 0 and size + len(text.line(line - 1)) <= budget // 2:
        line -= 1
        size += len(text.line(line))
    if line == 0 or _size(text, 0, point, limit=budget * 3 // 4) <= budget * 3 // 4:
        return 0
    for candidate in range(line, point.line):
        if _is_top_level(text.line_body(candidate)):
            return candidate
    return line


def _is_top_level(body: str) -> bool:
    """Whether a line starts something: it is not indented, not blank and not a closing bracket."""
    return bool(body) and body[0] not in " \t)]}#/*"


def _below(text: Text, first: int, budget: int) -> tuple[str, int]:
    """Take whole lines from `first` on while they fit."""
    taken: list[str] = []
    size = 0
    last = first - 1
    for number in range(first, text.line_count):
        line = text.line(number)
        size += len(line)
        if size > budget:
            break
        taken.append(line)
        last = number
    return "".join(taken), last


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
