"""Cuts out of a document what a model is asked to rewrite."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sirdab.policy.sanitize import clean_output
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.shrink import LineEdit
from sirdab.text.store import Text

MOST_LINES = 400
"""Most lines that are rewritten at once."""


@dataclass(frozen=True, slots=True)
class Region:
    """The lines that a model is asked to rewrite.

    Attributes:
        first: Number of the first line, 0-based.
        lines: The lines as the model is shown them, without the indentation they share and
            without line ends; as many as in the document.
        indent: The indentation they share.
        hidden: Numbers of lines, counted from `first`, that the model is not shown as they are:
            a secret or characters that nobody sees were taken out.
    """

    first: int
    lines: tuple[str, ...]
    indent: str
    hidden: frozenset[int]

    @property
    def last(self) -> int:
        """Number of the last line, 0-based."""
        return self.first + len(self.lines) - 1


def region(text: Text, first: int, last: int, *, redact_secrets: bool) -> Region:
    """Cut the lines `first`..`last` (0-based, inclusive) out of a document.

    Raises:
        RefusalError: There is nothing in them, or too much.
    """
    while first < last and not text.line_body(first).strip():
        first += 1
    while last > first and not text.line_body(last).strip():
        last -= 1
    bodies = [text.line_body(number) for number in range(first, last + 1)]
    if not any(body.strip() for body in bodies):
        raise RefusalError("There is no code in the lines that were chosen.")
    if len(bodies) > MOST_LINES:
        raise RefusalError(f"More than {MOST_LINES} lines are too many to rewrite; choose fewer.")
    shown = [clean_output(body) for body in bodies]
    if redact_secrets:
        shown = _without_secrets(text, first, last)
    hidden = frozenset(
        number for number, pair in enumerate(zip(bodies, shown, strict=True)) if len(set(pair)) > 1
    )
    indent = shared_indent(shown)
    return Region(
        first, tuple(line.removeprefix(indent).rstrip() for line in shown), indent, hidden
    )


class Part(NamedTuple):
    """Some lines of a document.

    Attributes:
        text: The document.
        first: Number of the first line, 0-based.
        last: Number of the last line.
    """

    text: Text
    first: int
    last: int

    @property
    def lines(self) -> list[str]:
        """The lines, without line ends."""
        return [self.text.line_body(row) for row in range(self.first, self.last + 1)]


def part_after(asked: Region, changed: Text, edits: Sequence[LineEdit]) -> Part:
    """Return the lines that a region has become.

    Args:
        asked: The region.
        changed: The document with the edits in it.
        edits: The edits, in the region and above it, as lines of the document before.
    """
    above = inside = 0
    for edit in edits:
        ends = edit.text.count("\n") or edit.text.count("\r")
        grown = ends - (edit.stop.line - edit.start.line)
        if edit.start.line < asked.first:
            above += grown
        else:
            inside += grown
    return Part(changed, asked.first + above, asked.last + above + inside)


def shared_indent(lines: list[str]) -> str:
    """Return the white space that all lines with code begin with."""
    indents = [line[: len(line) - len(line.lstrip())] for line in lines if line.strip()]
    shortest = min(indents, key=len, default="")
    while any(not indent.startswith(shortest) for indent in indents):
        shortest = shortest[:-1]
    return shortest


def _without_secrets(text: Text, first: int, last: int) -> list[str]:
    from sirdab.policy.secrets import redact

    # The whole document is searched, because a key may begin far above.
    count = text.line_count
    whole = redact("\n".join(text.line_body(number) for number in range(count)))
    lines = whole.split("\n")
    if len(lines) != count:
        raise RefusalError("The secrets of this document cannot be taken out of it safely.")
    return [clean_output(line) for line in lines[first : last + 1]]
