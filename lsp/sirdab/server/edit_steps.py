"""The changes of one `textDocument/didChange` as steps between points, and what they do to places.

Whoever remembers a place in a document moves it along with these.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sirdab.text.document import Change
from sirdab.text.positions import Encoding, to_point
from sirdab.text.store import Point, Text

_LINE_END = re.compile(r"\r\n|\r")

# Finding out what a new content has changed takes about a millisecond for so many lines.
_MOST_LINES = 5_000

# What a formatter or a replacement everywhere does costs several times what its application does
# when it is followed; beyond these, in characters and changes of one message, it is not.
_MOST_CHARACTERS = 200_000
_MOST_CHANGES = 500

_PAIRS = frozenset(("()", "[]", "{}", '""', "''", "``", "<>"))
# More characters than this in one message were not typed one by one.
_MOST_KEYS = 8


class Step(NamedTuple):
    """One replacement in one state of a document.

    Attributes:
        start: First point replaced.
        stop: End of what is replaced.
        old: What stood there, with LF line ends.
        new: What takes its place, with LF line ends.
    """

    start: Point
    stop: Point
    old: str
    new: str

    @property
    def end(self) -> Point:
        """Where the new text ends, in the state that the step leads to."""
        *above, last = self.new.split("\n")
        return Point(
            self.start.line + len(above), len(last) if above else self.start.column + len(last)
        )

    def shift(self, point: Point) -> Point:
        """Return where a point at or behind `stop` is afterwards."""
        end = self.end
        if point.line > self.stop.line:
            return Point(point.line + end.line - self.stop.line, point.column)
        return Point(end.line, end.column + point.column - self.stop.column)

    @property
    def least(self) -> "Step":
        """The same step without what it replaces by itself, at its start and then at its end."""
        old, new = self.old, self.new
        head = _common(old, new)
        start = Step(self.start, self.start, "", old[:head]).end
        old, new = old[head:], new[head:]
        tail = _common(old[::-1], new[::-1])
        old, new = old[: len(old) - tail], new[: len(new) - tail]
        return Step(start, Step(start, start, "", old).end, old, new)


class Span(NamedTuple):
    """A part of a document, between two points."""

    start: Point
    stop: Point

    def after(self, step: Step) -> "Span":
        """Return where it is after a step.

        What is written before or behind it does not belong to it; what replaces a part of it, or
        of it and its surroundings, does.
        """
        start, stop = self
        if step.stop <= start:
            start = step.shift(start)
        elif step.start < start:
            start = step.start
        if step.start < self.stop:
            stop = step.shift(stop) if step.stop <= self.stop else step.end
        return Span(start, max(start, stop))


def steps_of(before: Text, changes: Sequence[Change], encoding: Encoding) -> Iterator[Step | None]:
    """Yield the changes of one notification as steps, each in the state the one before left.

    Args:
        before: The document before the first.
        changes: As the client sent them.
        encoding: The units of their positions.

    Yields:
        None where it cannot be said at reasonable cost what has changed; what follows may be
        left out then, because nothing is known of any place any more.
    """
    if len(changes) > _MOST_CHANGES:
        yield None
        return
    text = before
    for change in changes:
        if len(change.text) > _MOST_CHARACTERS:
            yield None
            return
        if change.range is None:
            after = Text(change.text)
            yield _difference(text, after)
            text = after
            continue
        span = change.range
        start = to_point(text, span.start_line, span.start_character, encoding)
        stop = to_point(text, span.end_line, span.end_character, encoding)
        start, stop = sorted((start, stop))
        if stop.line - start.line > _MOST_LINES:
            yield None
            return
        yield Step(start, stop, lf(text.slice(start, stop)), lf(change.text))
        text = text.replace(start, stop, change.text)


def _difference(old: Text, new: Text) -> Step | None:
    """Return the step from one text to another, by whole lines."""
    if max(old.line_count, new.line_count) > _MOST_LINES:
        return None
    before, after = list(old.lines()), list(new.lines())
    head = _common(before, after)
    tail = _common(before[::-1], after[::-1])
    tail = min(tail, len(before) - head, len(after) - head)
    stop = len(before) - tail
    whole = stop == len(before)
    return Step(
        old.clamp(Point(head, 0)),
        old.end if whole else Point(stop, 0),
        lf("".join(before[head:stop])),
        lf("".join(after[head : len(after) - tail])),
    )


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def lf(text: str) -> str:
    """Return a text with LF line ends."""
    return _LINE_END.sub("\n", text)


def keys_in(steps: Sequence[Step | None]) -> int:
    """Return how many keys somebody has pressed for a change; 0 when it was not typed.

    An editor adds the closing bracket and the indentation of a new line itself, and one that
    waits before it tells of changes sends several keys as one.
    """
    if not steps or any(step is None for step in steps):
        return 0
    least = [step.least for step in steps if step is not None]
    counts = {_keys(step) for step in least if step.old or step.new}
    # The same at several cursors is one key; anything else was not typed.
    return counts.pop() if len(counts) == 1 else 0


def _keys(step: Step) -> int:
    old, new = step.old, step.new
    if old and new:
        return 0
    if old:
        # Backspace behind an indentation takes several away.
        return 1 if len(old) == 1 or not old.strip(" \t") else 0
    if new in _PAIRS or (new[0] == "\n" and not new.strip()):
        return 1
    return len(new) if len(new) <= _MOST_KEYS and "\n" not in new else 0


__all__ = ["Span", "Step", "keys_in", "lf", "steps_of"]
