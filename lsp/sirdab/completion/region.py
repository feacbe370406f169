"""The piece of code around the cursor that is parsed to judge a suggestion.

A whole file is too much to parse at a key: a parse holds the interpreter, and a file of 50,000
lines takes a third of a second. What a suggestion can break is the top-level item that the cursor
is in, so that is what is cut out, by its indentation, in the time that reading its lines takes.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from sirdab.syntax.brackets import LANGUAGES, closer, left_open, read
from sirdab.syntax.grammars import grammar
from sirdab.syntax.parse import to_source
from sirdab.text.store import Point, Text

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

MOST_LINES = 250
MOST_CHARACTERS = 8_000
"""Of each side of the cursor. tree-sitter reads about 14 KiB in a millisecond, so that is what the
first parse of the largest region takes; half of all regions of real code are under 2,000."""

BUDGET_MS = 10.0
"""What judging one answer may take in all, looked at before each parse. What is not judged in time
counts as good: a suggestion that is late is worth less than one that is a little wrong."""

NAME = "_x"
"""Stands where a name is missing."""

# What begins with one of these at the start of a line goes on with what stands above it.
_CONTINUES = re.compile(
    r"[\s})\]#*{,.;:|&?+<\-]|//|/\*|$"
    r"|(?:else|elif|elseif|elsif|except|finally|catch|end|until|then|do|in|where|case|default"
    r"|extends|implements)\b|(?:public|private|protected)\s*:"
)
# Decorators and attributes are nothing without the item below them.
_BELONGS_BELOW = ("@", "#[")
# Namespaces and the like that end below an item and began above it.
_MOST_AROUND = 3


class Region(NamedTuple):
    """A piece of a document, with LF line ends.

    Attributes:
        language_id: As LSP spells it.
        before: From the region's start to the cursor.
        rest_of_line: From the cursor to the end of its line.
        below: The lines below up to the region's end.
    """

    language_id: str
    before: str
    rest_of_line: str
    below: str

    @property
    def after(self) -> str:
        """All that follows the cursor."""
        return f"{self.rest_of_line}\n{self.below}"

    def after_with(self, text: str) -> str:
        """Return what follows a text at the cursor.

        Last lines that close what is open around the item, such as a namespace, are left out.
        """
        after = self.after
        # What the text closes too much is its own fault, so no more than without it.
        around = len(read(f"{self.before}{after}", self.language_id).unmatched)
        for _ in range(min(around, _MOST_AROUND)):
            unmatched = read(f"{self.before}{text}{after}", self.language_id).unmatched
            kept = after.rstrip()
            start = kept.rfind("\n") + 1
            if not unmatched or not start or not kept[start:].lstrip().startswith(unmatched[-1]):
                break
            after = kept[:start]
        return after


class Filled:
    """A region with a text at the cursor, and with all closed behind it that is left open."""

    def __init__(self, region: Region, text: str) -> None:
        """Find out what has to be closed.

        Args:
            region: The code around the cursor.
            text: What stands at the cursor.
        """
        self._head = region.before + text
        self._after = region.after_with(text)
        self.closes_too_much = bool(
            read(self._head, region.language_id).unmatched[
                len(read(region.before, region.language_id).unmatched) :
            ]
        )
        """Whether the text closes what nothing has opened."""
        # Nothing can follow a comment on its line.
        self._gap = "\n" if read(self._head, region.language_id).in_comment else ""
        missing = left_open(self._head, self._after, region.language_id)
        inner = len(missing)
        while inner and missing[inner - 1] in ("(", "["):
            inner -= 1
        self._brackets = _close(missing[inner:])
        self._blocks = _close(missing[:inner])

    def content(self, operand: str = "", ending: str = "") -> str:
        """Return the whole.

        Args:
            operand: Stands right behind the text.
            ending: Stands behind the round and square brackets, before blocks are closed.
        """
        tail = f"{operand}{self._brackets}{ending}{self._blocks}"
        return f"{self._head}{self._gap if tail else ''}{tail}{self._after}"


def _close(opened: tuple[str, ...]) -> str:
    """Return what closes brackets and words, the innermost first."""
    closers = [closer(sign) for sign in reversed(opened)]
    return "".join(
        f" {one} {NAME}\n" if one == "until" else f" {one}\n" if one.isalpha() else one
        for one in closers
    )


def cut(text: Text, point: Point, language_id: str) -> Region | None:
    """Cut out the outermost item around a point that is small enough.

    The item begins above the cursor's line, because that may go on with it, as `else` does.

    Args:
        text: The document.
        point: The cursor, clamped to the text.
        language_id: As LSP spells it.

    Returns:
        None when the language has no grammar, or the item is too large and so is every item
        in it: most grammars take a method for an item as well.
    """
    line = text.line_body(point.line)
    if language_id not in LANGUAGES or len(line) > MOST_CHARACTERS:
        return None
    items = 2 if line.lstrip().startswith(_BELONGS_BELOW) else 1
    for first in reversed(list(_enclosing(text, point))):
        below = _below(text, point.line + 1, _depth(text.line(first)), items)
        if below is not None:
            return Region(
                language_id,
                _unix(text.slice(Point(first, 0), point)),
                text.line_body(point.line)[point.column :],
                _unix(below),
            )
    return None


def _enclosing(text: Text, point: Point) -> Iterator[int]:
    """Yield the lines of the items that a point is in or below, the innermost first."""
    size, depth = point.column, -1
    for number in range(point.line - 1, point.line - MOST_LINES, -1):
        if number < 0:
            yield 0
            return
        line = text.line(number)
        size += len(line)
        if size > MOST_CHARACTERS:
            return
        here = _depth(line)
        if (depth < 0 or here < depth) and _begins(line, here):
            depth = here
            yield number
            if depth == 0:
                return


def _below(text: Text, first: int, depth: int, items: int) -> str | None:
    """Return the lines from `first` on that belong to an item; None when they are too many.

    Args:
        text: The document.
        first: The line below the cursor.
        depth: How far in the item is.
        items: The end of how many items is wanted.
    """
    lines: list[str] = []
    size = 0
    for number in range(first, text.line_count):
        line = text.line(number)
        items -= _begins(line, depth)
        if not items or (line.strip() and _depth(line) < depth):
            break
        size += len(line)
        if size > MOST_CHARACTERS or len(lines) == MOST_LINES:
            return None
        lines.append(line)
    return "".join(lines)


def _begins(line: str, depth: int) -> bool:
    """Whether an item at a depth begins with a line."""
    return _depth(line) == depth and not _CONTINUES.match(line[depth:])


def _depth(line: str) -> int:
    """Return with how many blanks and tabs a line begins."""
    return len(line) - len(line.lstrip(" \t"))


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class LateError(Exception):
    """The time for judging an answer is over."""


class Variants:
    """Parses variants of one region, each as a repair of the last one."""

    def __init__(
        self,
        region: Region,
        *,
        budget_ms: float = BUDGET_MS,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """Prepare for one answer.

        Args:
            region: What the variants are of.
            budget_ms: What all parses together may take, in milliseconds.
            clock: Seconds of work, not of waiting: on a machine that is busy with a model, the same
                text gets the same verdict. Injectable for tests.
        """
        self.region = region
        self._left_ms = budget_ms
        self._clock = clock
        self._parser: Parser | None = None
        self._last: tuple[bytes, Tree] | None = None

    @property
    def spent(self) -> bool:
        """Whether the time is over."""
        return self._left_ms <= 0

    def parse(self, content: str) -> "Node | None":
        """Return the root of the tree of a text.

        Args:
            content: Any text, with LF line ends; mostly the region with something in it.

        Returns:
            None when the grammar cannot be loaded.

        Raises:
            LateError: The time is over.
        """
        if self._parser is None:
            language = grammar(self.region.language_id)
            if language is None:
                return None
            from tree_sitter import Parser

            self._parser = Parser(language)
        if self.spent:
            raise LateError
        started = self._clock()
        source = to_source(content)
        # As a whole, which cannot be stopped: a region is small, and py-tree-sitter 0.26 never
        # frees the pieces of a source that is read in pieces.
        if self._last is None:
            tree = self._parser.parse(source)
        else:
            tree = self._parser.parse(source, _edited(*self._last, source))
        self._left_ms -= (self._clock() - started) * 1000
        self._last = source, tree
        return tree.root_node


def _edited(old: bytes, tree: "Tree", new: bytes) -> "Tree":
    """Tell a tree in which stretch the new source differs."""
    start = _same(old, new, min(len(old), len(new)))
    tail = _same(old[::-1], new[::-1], min(len(old), len(new)) - start)
    copy = tree.copy()
    old_stop, new_stop = len(old) - tail, len(new) - tail
    copy.edit(start, old_stop, new_stop, _at(new, start), _at(old, old_stop), _at(new, new_stop))
    return copy


def _same(one: bytes, other: bytes, most: int) -> int:
    """Return how many bytes two sources have in common at their start."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _at(source: bytes, offset: int) -> tuple[int, int]:
    """Return row and column, in bytes, of an offset."""
    return source.count(b"\n", 0, offset), offset - (source.rfind(b"\n", 0, offset) + 1)
