"""Chooses the text around the cursor that the model gets to see.

A model server re-reads everything behind the first character of the prompt that changed, and in the
layout that only appends, the text after the cursor stands first. So neither side may change
because somebody types (ARCHITECTURE.md, "The path of a keystroke"):

- The window starts at an anchor, a line that stays where it is while the user types. It moves when
  the window has outgrown its budget, by half of it, or by a quarter where the whole file fitted
  before: at most once in so many characters typed. The last places of a document are kept, so
  that who goes back to one finds the window of before.
- What the prompt says of the text after the cursor is frozen. It is taken anew only when the text
  there is another one. What editors put behind the cursor while one types (closing brackets and
  quotes, and the lines they stand on) does not make it another one: it comes and goes with
  every bracket, and the answer is trimmed by what really stands there.
"""

import re
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import NamedTuple

from sirdab.completion.gates import only_closers
from sirdab.completion.lines import columns
from sirdab.text.store import Point, Text

# Documents whose places are remembered; the least recently used is forgotten.
_REMEMBERED = 64
# Places that are remembered of each; what a server has been sent is remembered about as long.
_PLACES = 8
# How far an anchor line may have moved through edits above it and still be found again.
_SEARCH_LINES = 200
# What an editor puts behind the cursor by itself: brackets and quotes closed on the same line, or
# on lines of their own when Enter is pressed between them.
_MADE_BY_EDITOR = re.compile(r"[\s)\]}>\"'`;,]*")
# More of it than this was written by somebody.
_LONGEST_MADE = 160


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
        suffix: What the prompt says of the text after the cursor. It ends where `below` ends or
            somewhat before or behind, and leaves out what an editor puts behind the cursor.
    """

    before: str
    rest_of_line: str
    below: str
    first_line: int
    last_line: int
    suffix: str = ""


@dataclass(slots=True)
class _Place:
    """An anchor, found again by its text, and the text after the cursor that goes with it."""

    line: int
    body: str
    suffix: str


class Anchors:
    """Remembers the windows of each document: where they start, and what stands behind them."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, deque[_Place]] = OrderedDict()
        # One key asks for its window several times.
        self._last: tuple[str, Text, Point, Budget, Window] | None = None

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a document that was closed."""
        self._documents.pop(uri, None)
        self._last = None

    def window(self, uri: str, text: Text, point: Point, budget: Budget) -> Window:
        """Cut the window around a point.

        Args:
            uri: Names the document whose anchors are used.
            text: The document.
            point: The cursor.
            budget: Most characters on each side.
        """
        last = self._last
        # A text never changes, so the very same one is enough to know.
        if last is not None and last[1] is text and (last[0], *last[2:4]) == (uri, point, budget):
            return last[4]
        found = self._cut(uri, text, point, budget)
        self._last = (uri, text, point, budget, found)
        return found

    def _cut(self, uri: str, text: Text, point: Point, budget: Budget) -> Window:
        places = self._documents.setdefault(uri, deque(maxlen=_PLACES))
        self._documents.move_to_end(uri)
        while len(self._documents) > _REMEMBERED:
            self._documents.popitem(last=False)
        rest = text.line_body(point.line)[point.column :]
        below, last = _below(text, point.line + 1, budget.after)
        below = _unix(below)
        place = _find(places, text, point, budget, _fresh_suffix(rest, below, budget.after))
        before = _bounded(text.slice(Point(place.line, 0), point), budget.before)
        return Window(_unix(before), rest, below, place.line, last, place.suffix)


def _find(places: deque[_Place], text: Text, point: Point, budget: Budget, fresh: str) -> _Place:
    """Return the place that the cursor is at, one that is known if one still serves.

    Where the text after the cursor is another one, all is read anew anyway: then the window
    starts where it leaves the most room to type on, wherever it started before.
    """
    ahead: tuple[str, bool] | None = None
    suffix = None
    for place in tuple(places):
        if 2 * len(place.suffix) + _LONGEST_MADE < len(fresh):
            continue
        if len(place.suffix) > 2 * budget.after:
            continue
        if place.suffix != fresh:
            ahead = ahead or _ahead(text, point, 2 * budget.after + _LONGEST_MADE)
            if not _still_holds(place.suffix, *ahead):
                continue
        suffix = place.suffix if suffix is None else suffix
        line = _relocate(text, place)
        if line is None:
            places.remove(place)
        elif _serves(text, line, point, budget.before):
            place.line = line
            if places[0] is not place:
                places.remove(place)
                places.appendleft(place)
            return place
    line = _choose_line(text, point, budget.before)
    place = _Place(line, text.line_body(line), fresh if suffix is None else suffix)
    places.appendleft(place)
    return place


def _serves(text: Text, line: int, point: Point, budget: int) -> bool:
    """Whether a window may start at a line.

    The top of a file is never given up for being too near; any other line is, when so little is
    left before the cursor that the model is blind.
    """
    if line > point.line:
        return False
    size = _size(text, line, point, limit=budget)
    return size <= budget and (line == 0 or size >= budget // 8)


def _bounded(before: str, budget: int) -> str:
    """Cut a text at its beginning if it is over a budget.

    Then one line alone is over it. The cut moves by half the budget, for the same reason that
    an anchor does.
    """
    over = len(before) - budget
    if over <= 0:
        return before
    step = max(1, budget // 2)
    return before[-(-over // step) * step :]


def _fresh_suffix(rest: str, below: str, budget: int) -> str:
    """Return what the prompt says of the text after the cursor at a place that is new.

    Closing brackets right of the cursor are left out: editors put them there while one types.
    """
    rest = "" if only_closers(rest) else rest[:budget]
    return f"{rest}\n{below}" if below else rest


def _ahead(text: Text, point: Point, size: int) -> tuple[str, bool]:
    """Return whole lines from the cursor on, somewhat more than `size`, and if these are all."""
    taken = [text.line(point.line)[point.column :][: 2 * size]]
    found = len(taken[0])
    number = point.line + 1
    while number < text.line_count and found <= size:
        taken.append(text.line(number)[: 2 * size])
        found += len(taken[-1])
        number += 1
    return _unix("".join(taken)), number == text.line_count


def _still_holds(suffix: str, ahead: str, whole: bool) -> bool:
    """Whether a text is still what stands after the cursor, but for what editors put there.

    Args:
        suffix: The text.
        ahead: What stands there.
        whole: Whether that is all up to the end of the document.
    """
    made = _MADE_BY_EDITOR.match(ahead, 0, _LONGEST_MADE)
    most = made.end() if made is not None else 0
    if not suffix:
        return whole and most == len(ahead)
    at = ahead.find(suffix, 0, most + len(suffix))
    if at < 0:
        return False
    # Half a line is another line.
    return suffix.endswith("\n") or (whole and at + len(suffix) == len(ahead))


def _relocate(text: Text, anchor: _Place) -> int | None:
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


def _choose_line(text: Text, point: Point, budget: int) -> int:
    """Choose a new anchor: the file's start, else a line that leaves room to type on.

    The outermost line among those that leave enough before the cursor: there something begins.
    """
    size = point.column
    line = point.line
    while line > 0 and size + len(text.line(line - 1)) <= budget // 2:
        line -= 1
        size += len(text.line(line))
    if line == 0 or _size(text, 0, point, limit=budget * 3 // 4) <= budget * 3 // 4:
        return 0
    best, least = line, 1 << 30
    for candidate in range(line, point.line):
        if size < budget // 4:
            break
        size -= len(text.line(candidate))
        body = text.line_body(candidate)
        depth = columns(body)
        if depth < least and _starts_something(body.lstrip()):
            best, least = candidate, depth
    return best


def _starts_something(code: str) -> bool:
    """Whether a line begins something: it is not blank, a closing bracket or a comment."""
    return bool(code) and code[0] not in ")]}#/*-"


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
