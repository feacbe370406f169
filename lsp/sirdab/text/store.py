r"""An immutable text whose edits cost the same in a short file and in a long one.

The lines lie in chunks of a few hundred. An edit copies the chunk it touches and the short
table of chunks, and shares everything else with the text before it, so keeping an old state
of a document is keeping a reference.

Line ends are "\n", "\r\n" and "\r" and nothing else (LSP 3.18, "Text Documents").
`str.splitlines` also breaks at form feed, vertical tab, NEL and U+2028, which shifts every
later position and so corrupts the document at the next edit; it must not be used here.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple, Self

_CHUNK = 256
_CHUNK_MAX = 2 * _CHUNK
_CHUNK_MIN = _CHUNK // 4

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_LINE_ENDS = ("\n", "\r\n", "\r")


class Point(NamedTuple):
    """A place between two characters.

    Attributes:
        line: Line number, from 0.
        column: Code points from the start of the line, from 0.
    """

    line: int
    column: int


class Text:
    r"""Immutable lines with their line ends.

    Invariants: there is at least one line; every line but the last has a line end and the
    last has none; no "\r\n" is torn over two lines. Two texts are equal only when they are
    the same object, which makes a text a cheap key for a cache; compare `str(text)` for the
    content.
    """

    __slots__ = ("__weakref__", "_char_count", "_chunks", "_line_ends", "_starts")

    _chunks: tuple[tuple[str, ...], ...]
    _starts: tuple[int, ...]
    _char_count: int
    _line_ends: tuple[int, int, int]

    def __init__(self, content: str = "") -> None:
        """Split a string into lines.

        Args:
            content: Any string; lone surrogates are kept as they are.
        """
        lines = _split(content)
        self._chunks = tuple(_chunked(lines))
        self._starts = tuple(accumulate(map(len, self._chunks), initial=0))
        self._char_count = len(content)
        self._line_ends = _count_line_ends(lines)

    @classmethod
    def from_str(cls, content: str) -> Self:
        """Return the text that has this content."""
        return cls(content)

    @property
    def line_count(self) -> int:
        """Number of lines, at least 1; a line end at the very end opens one more, empty line."""
        return self._starts[-1]

    @property
    def char_count(self) -> int:
        """Number of code points, line ends included."""
        return self._char_count

    @property
    def chunks(self) -> tuple[tuple[str, ...], ...]:
        """The lines in the chunks that they are kept in.

        A chunk that no edit has touched is the same object in both texts, so whatever is worked
        out from a chunk may be kept for as long as the chunk is.
        """
        return self._chunks

    @property
    def end(self) -> Point:
        """The point behind the last character."""
        return Point(self.line_count - 1, len(self._chunks[-1][-1]))

    @property
    def line_end(self) -> str:
        r"""The line end that most lines have; "\n" where there is none or a draw with it."""
        most = max(self._line_ends)
        return _LINE_ENDS[self._line_ends.index(most)]

    def line(self, number: int) -> str:
        """Return a line with its line end.

        Raises:
            IndexError: There is no such line. Negative numbers name no line.
        """
        if not 0 <= number < self._starts[-1]:
            raise IndexError(f"line {number} of {self._starts[-1]}")
        chunk = bisect_right(self._starts, number) - 1
        return self._chunks[chunk][number - self._starts[chunk]]

    def line_body(self, number: int) -> str:
        """Return a line without its line end.

        Raises:
            IndexError: There is no such line. Negative numbers name no line.
        """
        line = self.line(number)
        return line[: _size(line)]

    def lines(self, start: int = 0, stop: int | None = None) -> Iterator[str]:
        """Iterate over the lines `start`..`stop` with their line ends.

        Args:
            start: First line; numbers below 0 mean 0.
            stop: The line to stop before; None or a number past the end mean the end.
        """
        count = self._starts[-1]
        stop = count if stop is None else min(stop, count)
        start = max(start, 0)
        while start < stop:
            chunk = bisect_right(self._starts, start) - 1
            base = self._starts[chunk]
            part = self._chunks[chunk][start - base : stop - base]
            yield from part
            start += len(part)

    def clamp(self, point: Point) -> Point:
        """Return the nearest point of this text, as LSP clamps positions.

        A column past the end of its line means the line's end before its line end; a line
        past the last one means the end of the text.
        """
        if point.line < 0:
            return Point(0, 0)
        if point.line >= self._starts[-1]:
            return self.end
        column = max(point.column, 0)
        line = self.line(point.line)
        # Most points are well inside their line, where the line end need not be looked for.
        return Point(point.line, column if column < len(line) - 1 else min(column, _size(line)))

    def slice(self, start: Point, stop: Point) -> str:
        """Return the characters between two points, clamped and in either order."""
        start, stop = sorted((self.clamp(start), self.clamp(stop)))
        if start.line == stop.line:
            return self.line(start.line)[start.column : stop.column]
        lines = list(self.lines(start.line, stop.line + 1))
        lines[0] = lines[0][start.column :]
        lines[-1] = lines[-1][: stop.column]
        return "".join(lines)

    def replace(self, start: Point, stop: Point, new: str) -> Self:
        """Return the text in which `new` stands between two points.

        Args:
            start: Where the replaced part begins; clamped.
            stop: Where it ends; clamped, and swapped with `start` when it comes first.
            new: What takes its place; may hold line ends, or only half of one.
        """
        start, stop = sorted((self.clamp(start), self.clamp(stop)))
        first, last = start.line, stop.line
        middle = self.line(first)[: start.column] + new + self.line(last)[stop.column :]
        if first and middle[:1] == "\n" and self.line(first - 1)[-1] == "\r":
            # What now begins with "\n" completes the "\r" of the line above.
            first -= 1
            middle = self.line(first) + middle
        lines = _split(middle)
        if last < self._starts[-1] - 1:
            # The line end of the last line touched opens no line: the one below is there.
            lines.pop()
        size = self._char_count + len(new) - self._measure(start, stop)
        return self._spliced(first, last, lines, size)

    def __str__(self) -> str:
        return "".join(chain.from_iterable(self._chunks))

    def __repr__(self) -> str:
        # Content stays out: a repr ends up in logs and in failure messages.
        return f"<Text {self.line_count} lines, {self._char_count} characters>"

    def _measure(self, start: Point, stop: Point) -> int:
        """Count the code points between two clamped, ordered points."""
        if start.line == stop.line:
            return stop.column - start.column
        whole = sum(map(len, self.lines(start.line, stop.line)))
        return whole - start.column + stop.column

    def _spliced(self, first: int, last: int, lines: list[str], size: int) -> Self:
        """Return the text in which `lines` stand for the lines `first`..`last`, inclusive."""
        starts, chunks = self._starts, self._chunks
        low = bisect_right(starts, first) - 1
        high = low if last < starts[low + 1] else bisect_right(starts, last) - 1
        block = (
            *chunks[low][: first - starts[low]],
            *lines,
            *chunks[high][last + 1 - starts[high] :],
        )
        fresh = object.__new__(type(self))
        fresh._char_count = size
        gone = _count_line_ends(self.lines(first, last + 1))
        come = _count_line_ends(lines)
        if gone == come:
            fresh._line_ends = self._line_ends
        else:
            lf, crlf, cr = self._line_ends
            fresh._line_ends = (
                lf - gone[0] + come[0],
                crlf - gone[1] + come[1],
                cr - gone[2] + come[2],
            )
        if low == high and len(lines) == last - first + 1:
            # No line came or went, as with most keystrokes: the table of starts stays true.
            fresh._chunks = (*chunks[:low], block, *chunks[low + 1 :])
            fresh._starts = starts
            return fresh
        if len(block) < _CHUNK_MIN:
            # A chunk that has shrunk joins a neighbour, or deleting would leave a long
            # table of tiny chunks behind.
            if high + 1 < len(chunks):
                high += 1
                block = (*block, *chunks[high])
            elif low:
                low -= 1
                block = (*chunks[low], *block)
        pieces = (block,) if len(block) <= _CHUNK_MAX else _chunked(block)
        fresh._chunks = (*chunks[:low], *pieces, *chunks[high + 1 :])
        fresh._starts = (
            *starts[:low],
            *accumulate(map(len, fresh._chunks[low:]), initial=starts[low]),
        )
        return fresh


def _split(content: str) -> list[str]:
    """Split at LSP line ends, keeping them, with the empty line that a last one opens."""
    lines = _LINES.findall(content)
    if not lines or lines[-1][-1] in "\r\n":
        lines.append("")
    return lines


def _chunked(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(lines), _CHUNK):
        yield tuple(lines[start : start + _CHUNK])


def _size(line: str) -> int:
    """Return the length of a line without its line end."""
    if line[-1:] == "\n":
        return len(line) - (2 if line[-2:-1] == "\r" else 1)
    return len(line) - (line[-1:] == "\r")


def _count_line_ends(lines: Iterable[str]) -> tuple[int, int, int]:
    r"""Count "\n", "\r\n" and "\r", in this order."""
    lf = crlf = cr = 0
    for line in lines:
        last = line[-1:]
        if last == "\n":
            if line[-2:-1] == "\r":
                crlf += 1
            else:
                lf += 1
        elif last == "\r":
            cr += 1
    return lf, crlf, cr
