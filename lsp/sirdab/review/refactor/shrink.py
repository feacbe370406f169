"""Makes an edit of whole lines as small as it can be, so that a cursor and marks beside it stay."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from sirdab.text.store import Point, Text

_TOKEN = re.compile(r"\w+|[ \t]+|.", re.DOTALL)
# Comparing two lists of lines costs their product in the worst case.
_MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class LineEdit:
    """A stretch of text that is replaced.

    Attributes:
        start: Where it begins.
        stop: Where it ends.
        text: What takes its place, with the document's line ends.
    """

    start: Point
    stop: Point
    text: str


def shrunk(text: Text, edit: LineEdit) -> Iterator[LineEdit]:
    """Yield the edits that do the same, in order, without the code that stays as it is.

    One line gives one edit at most: between its first and its last token that changes.

    Args:
        text: The document.
        edit: Whole lines that are replaced.
    """
    if edit.start.column or edit.stop.column or edit.start.line == edit.stop.line:
        yield edit
        return
    old = [text.line(number) for number in range(edit.start.line, edit.stop.line)]
    new = _lines(edit.text)
    at = edit.start.line
    for low, high, new_low, new_high in _pairs(old, new):
        if high - low == new_high - new_low:
            for offset in range(high - low):
                yield from _within(at + low + offset, old[low + offset], new[new_low + offset])
        else:
            yield LineEdit(Point(at + low, 0), Point(at + high, 0), "".join(new[new_low:new_high]))


def _lines(text: str) -> list[str]:
    # `splitlines` knows more line ends than LSP does.
    return [line for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text) if line]


def _pairs(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield which lines become which, by what they are without their indentation."""
    if len(old) == len(new) or max(len(old), len(new)) > _MOST_LINES:
        yield 0, len(old), 0, len(new)
        return
    matcher = SequenceMatcher(
        None, [line.strip() for line in old], [line.strip() for line in new], autojunk=False
    )
    for _, low, high, new_low, new_high in matcher.get_opcodes():
        yield low, high, new_low, new_high


def _within(row: int, old: str, new: str) -> Iterator[LineEdit]:
    """Yield the edit within one line, if there is one."""
    if old == new:
        return
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    start = sum(map(len, before[:head]))
    end = len(old) - sum(map(len, before[len(before) - tail :]))
    wanted = "".join(after[head : len(after) - tail])
    if not old[start:end].strip() and not wanted.strip():
        # Blanks that become more or fewer.
        kept = min(len(old[start:end]), len(wanted))
        if old[start : start + kept] == wanted[:kept]:
            start, wanted = start + kept, wanted[kept:]
    yield LineEdit(Point(row, start), Point(row, end), wanted)


def _common(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
