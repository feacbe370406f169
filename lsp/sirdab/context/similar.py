"""Finds the code in other documents that looks most like what stands around the cursor.

Windows of 60 lines are compared by the identifiers they have in common with the lines before the
cursor, as GitHub Copilot's client library does (Jaccard index; one window a file, the best four).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sirdab.context.code import Piece
from sirdab.text.store import Point, Text

WINDOW_LINES = 60
"""Lines of a window."""

MOST_WINDOWS = 4
"""Windows that are returned."""

MOST_FILES = 20
"""Documents that are looked at."""

MOST_LINES = 3_000
"""Lines that are looked at of each document."""

# With less in common they only share what everybody writes.
_LEAST_LIKENESS = 0.08
_LEAST_REFERENCE = 4
_IDENTIFIER = re.compile(r"\b[^\W\d]\w+")
# What says nothing of what code is about: the words of the languages and those everybody uses.
_COMMON = frozenset(
    """
    abstract and any args as assert async auto await bool boolean break byte case catch char
    class const continue def default defer del delete do double elif else end enum except export
    extends extern false final finally float fn for from func function global go goto if impl
    implements import in inline instanceof int interface is lambda let local long match mod mut
    namespace new nil none nonlocal not null number of or override package pass private
    protected pub public raise range readonly ref register repeat require return select self
    short signed sizeof static str string struct super switch template then this throw throws
    trait true try type typedef typename typeof union unsafe unsigned until use using val var
    virtual void volatile where while with yield the an be it to that None True False Self
    """.split()  # noqa: SIM905 - easier to read
)


class Source(NamedTuple):
    """A document that may be shown.

    Attributes:
        path: See `sirdab.context.code.Piece`.
        lines: Its lines without line ends and without secrets.
        words: The identifiers of each line.
        hidden: Lines that the prompt holds anyway, from the first to before the second.
    """

    path: str
    lines: Sequence[str]
    words: Sequence[frozenset[str]]
    hidden: tuple[int, int] = (0, 0)


def words_of(line: str) -> frozenset[str]:
    """Return the identifiers of a line that say what it is about."""
    return frozenset(_IDENTIFIER.findall(line)) - _COMMON


def reference(text: Text, point: Point) -> frozenset[str]:
    """Return the identifiers before the cursor that other code is compared by."""
    start = max(0, point.line - WINDOW_LINES + 1)
    before = text.slice(Point(start, 0), point)
    return words_of(before)


def similar(
    wanted: frozenset[str], sources: Iterable[Source], pause: Callable[[], None]
) -> list[Piece]:
    """Return the windows that are most alike, the best first.

    Args:
        wanted: See `reference`.
        sources: The documents, the one edited last first.
        pause: Called every few lines.
    """
    if len(wanted) < _LEAST_REFERENCE:
        return []
    found: list[tuple[float, int, Piece]] = []
    for number, source in enumerate(sources):
        if number >= MOST_FILES:
            break
        likeness, start, stop = _best(wanted, source, pause)
        if likeness >= _LEAST_LIKENESS:
            worth = tuple(len(wanted & words) for words in source.words[start:stop])
            lines = tuple(source.lines[start:stop])
            piece = Piece("similar", source.path, start, stop - 1, lines, worth)
            found.append((-likeness, number, piece))
    found.sort(key=lambda one: one[:2])
    return [piece for _, _, piece in found[:MOST_WINDOWS]]


def _best(
    wanted: frozenset[str], source: Source, pause: Callable[[], None]
) -> tuple[float, int, int]:
    """Return the likeness and the lines of the best window of a document."""
    best = (0.0, 0, 0)
    hidden_from, hidden_to = source.hidden
    count = min(len(source.words), MOST_LINES)
    for first, last in ((0, min(hidden_from, count)), (hidden_to, count)):
        inside: Counter[str] = Counter()
        common = 0
        for stop in range(first + 1, last + 1):
            if stop % 16 == 0:
                pause()
            for word in source.words[stop - 1]:
                inside[word] += 1
                common += inside[word] == 1 and word in wanted
            start = stop - WINDOW_LINES
            if start > first:
                for word in source.words[start - 1]:
                    inside[word] -= 1
                    if not inside[word]:
                        del inside[word]
                        common -= word in wanted
            if start < first and stop < last:
                # The window is not full yet, and there is more to fill it.
                continue
            likeness = common / (len(inside) + len(wanted) - common)
            if likeness > best[0]:
                best = (likeness, max(start, first), stop)
    return best
