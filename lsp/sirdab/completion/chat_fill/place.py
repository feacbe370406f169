"""The place in a document that an answer has to fit, and how the answer's first lines join it.

Models answer in four ways: they repeat lines above the cursor and go on, they repeat the
cursor's line and complete it, they write what is missing and nothing else, or they write something
else. What tells them apart is the first lines of the answer, so these are held back until it is
certain; a wrong guess would put code into the document twice.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from sirdab.completion.lines import columns, opens_block, opens_suite
from sirdab.text.common import agreeing

CURSOR = "\0"
"""Stands in an answer where the model repeated the mark of the cursor. No document that is
completed holds this character."""

# The beginning of a definition, up to the end of its name.
_DEFINITION = re.compile(
    r"(?:(?:export|default|public|private|protected|static|async|abstract|local|pub|final) +)*"
    r"(?:def|class|func|function|fn|fun|sub|interface|struct|trait|impl|enum|module|namespace)"
    r" +[\w.:]+\b"
)
# Lines above the cursor that are compared with those of the answer, and lines of an answer that
# are looked at until the cursor's own line has come.
_REMEMBERED_LINES = 400
_MOST_REPEATED = 120
# A whole line that opens a block is written anew only by who rewrites the block.
_SHORTEST_HEADER = 9
_DEFAULT_STEP = 4
_WORD_END = re.compile(r"[^\W\d]\w*\Z")
_WORD_START = re.compile(r"\w+")
_WORDS = re.compile(r"[^\W\d]\w*")
_BRACKETS = ("()", "[]", "{}")
# Behind these a blank is missing when the line ends with one and the answer begins with none.
_WANTS_BLANK = re.compile(r"(?:\s[-+*/%<>!&|=?]+|,)\Z")
# Words that languages reserve, which a document need not hold yet.
_RESERVED = """
abstract and as assert async await begin bool boolean break case catch char class const
constexpr continue def default defer delete do double elif else elseif end enum except export
extends extern false False final finally float fn for from func function global go goto if
impl implements import in include instanceof int interface is isinstance lambda len let local
long loop match mod module mut namespace new nil None nonlocal not null nullptr operator or
override package pass print private protected pub public raise range readonly require return
self short signed sizeof static str string struct super switch template then this throw throws
trait true True try type typedef typename typeof undefined union unless unsigned until use
using var virtual void volatile where while with yield
"""
_KEYWORDS = frozenset(_RESERVED.split())


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer goes, with LF line ends.

    Attributes:
        above: The lines above the cursor's.
        line_before: The cursor's line before the cursor.
        indent_width: Columns of one step of indentation; 0 when not known.
    """

    above: tuple[str, ...]
    line_before: str
    indent_width: int = 0

    @classmethod
    def behind(cls, before: str, indent_width: int = 0) -> "Place":
        """Return the place at the end of a text."""
        *above, line_before = before.split("\n")
        return cls(tuple(above[-_REMEMBERED_LINES:]), line_before, indent_width)


class Join(NamedTuple):
    """How an answer joins the document.

    Attributes:
        text: What is inserted of the line in which it joins.
        base: Indentation of the line that the text completes, in columns.
        shift: Columns by which the lines behind it are to be moved; None when their first one
            has to show it.
        again: Lines that have been looked at and come behind it.
    """

    text: str
    base: int
    shift: int | None = None
    again: tuple[str, ...] = ()


class Joiner:
    """Finds out how an answer joins the document, line by line."""

    def __init__(self, place: Place) -> None:
        self._above = place.above
        self._line_before = place.line_before
        self._target = place.line_before.strip()
        self._step = place.indent_width or _DEFAULT_STEP
        self._said = [line.strip() for line in place.above if line.strip()]
        self._lines = frozenset(self._said)
        self._last = next((line for line in reversed(place.above) if line.strip()), "")
        self._blank_above = bool(place.above) and not place.above[-1].strip()
        # The answer so far, and where in `_said` what follows it may stand.
        self._read: list[str] = []
        self._places: set[int] = set()
        self._began_blank = False
        self.failed = False
        """Whether it is certain that the answer does not join."""

    def line(self, line: str) -> Join | None:
        """Look at the next whole line of the answer.

        Returns:
            How the answer joins, or None while that is open; see `failed`.
        """
        said = line.replace(CURSOR, "").strip()
        if not said and CURSOR not in line:
            self._began_blank = self._began_blank or not self._read
            return None
        joined = self._cursors_line(line, said) if self._target else self._new_line_behind(line)
        if joined is not None or self.failed:
            return joined
        if not self._read and said not in self._lines:
            if self._defines_again(said):
                self.failed = True
                return None
            return self._rest_of_line(line, said) if self._target else self._new_line(line)
        first = not self._read
        self._take(said, line)
        if len(self._read) >= _MOST_REPEATED:
            self.failed = True
        if not first and len(self._read) == 2 and not self._places:
            late = self.end()
            return None if late is None else late._replace(again=(line,))
        return None

    def end(self) -> Join | None:
        """Return how an answer joins whose first line stands above the cursor as well.

        Asked when nothing follows that line, or something else than follows it there. It may be
        meant once more; but where it opens a block, somebody begins to write the block anew.
        """
        if not self._read:
            return None
        first = self._read[0]
        said = first.strip()
        if self._target:
            return self._completed(first, said) if said.startswith(self._target) else None
        is_header = opens_suite(first) and len(said) >= _SHORTEST_HEADER
        return None if is_header or said == self._said[-1] else self._new_line(first)

    def _take(self, said: str, line: str) -> None:
        if self._read:
            self._places = {
                at + 1 for at in self._places if at < len(self._said) and self._said[at] == said
            }
        else:
            self._places = {at + 1 for at, one in enumerate(self._said) if one == said}
        self._read.append(line)

    def _defines_again(self, said: str) -> bool:
        """Whether a line begins the definition of what is defined above, in other words."""
        defined = _DEFINITION.match(said)
        if defined is None:
            return False
        found = (_DEFINITION.match(line) for line in self._said)
        return any(one is not None and one[0] == defined[0] for one in found)

    def _is_at_cursor(self) -> bool:
        """Whether what has been read ends with the last line above the cursor."""
        if len(self._said) in self._places:
            return True
        return len(self._read) > 1 and self._read[-1].strip() == self._said[-1]

    def _cursors_line(self, line: str, said: str) -> Join | None:
        """Join where the cursor's own line is repeated, alone or behind those above it."""
        if not said.startswith(self._target):
            return None
        if self._read and not self._is_at_cursor():
            return None
        if not self._read and said in self._lines:
            return None  # It may be a line above that begins alike; the next one will tell.
        return self._completed(line, said)

    def _completed(self, line: str, said: str) -> Join | None:
        head, mark, tail = line.partition(CURSOR)
        if mark and not tail.strip() and head.strip() == self._target:
            # The mark was repeated and nothing was put in its place.
            self.failed = True
            return None
        rest = said[len(self._target) :]
        if self._line_before[-1:].isspace():
            rest = rest.lstrip()
        base = columns(self._line_before)
        return Join(rest, base, base - columns(line))

    def _new_line_behind(self, line: str) -> Join | None:
        """Join on a new line, behind lines that repeat those above it."""
        if not self._read or not self._is_at_cursor():
            return None
        shift = columns(self._last) - columns(self._read[-1])
        return self._indented(line, columns(line) + shift, shift)

    def _new_line(self, line: str) -> Join | None:
        """Join on a new line, with the first line of the answer."""
        depth = columns(line)
        wanted = depth
        if self._line_before:
            wanted = columns(self._line_before)
        elif opens_suite(self._last) and depth <= columns(self._last):
            wanted = columns(self._last) + self._step
        elif not depth and not self._blank_above:
            wanted = columns(self._last)
        return self._indented(line, wanted, wanted - depth)

    def _indented(self, line: str, wanted: int, shift: int) -> Join | None:
        here = columns(self._line_before)
        if wanted < here:
            # It belongs further out than the cursor stands.
            self.failed = True
            return None
        code = line.replace(CURSOR, "").strip()
        return Join(" " * (wanted - here) + code, wanted, shift)

    def _rest_of_line(self, line: str, said: str) -> Join | None:
        """Join in the middle of the line, with what is missing there."""
        before = self._line_before
        base = columns(before)
        if self._goes_below(line):
            depth = base + self._step
            return Join("\n" + " " * depth + said, depth, depth - columns(line))
        cut = _overlap(before, said)
        rest = said[cut:]
        if base and columns(line):
            # It is indented as a whole line is, and is not the cursor's.
            self.failed = True
            return None
        if not cut and (self._rewrites(said) or self._breaks_word(said)):
            self.failed = True
            return None
        if before[-1:].isspace():
            rest = rest.lstrip()
        elif not cut and (_WANTS_BLANK.search(before) or self._is_keyword_before(said)):
            rest = f" {rest}"
        return Join(rest, base)

    def _goes_below(self, line: str) -> bool:
        """Whether the answer begins on the line below the cursor's."""
        before = self._line_before
        if before.endswith(":"):
            is_open = any(before.count(one) > before.count(two) for one, two in _BRACKETS)
            return opens_suite(before) and not is_open
        return opens_block(before) and (self._began_blank or columns(line) > columns(before))

    def _rewrites(self, said: str) -> bool:
        """Whether a line begins as the cursor's line does and then goes another way."""
        target = self._target
        size = agreeing(
            min(len(said), len(target)), lambda low, high: said[low:high] == target[low:high]
        )
        return re.search(r"[^\w.]", target[:size]) is not None

    def _breaks_word(self, said: str) -> bool:
        """Whether the word at the cursor would become one that nobody knows."""
        half, start = _WORD_END.search(self._line_before), _WORD_START.match(said)
        if half is None or start is None or self._is_keyword_before(said):
            return False
        word = half[0] + start[0]
        known = (*self._above, self._line_before)
        return word not in _KEYWORDS and not any(word in _WORDS.findall(line) for line in known)

    def _is_keyword_before(self, said: str) -> bool:
        """Whether a keyword stands before the cursor, and another word has to follow it."""
        half, start = _WORD_END.search(self._line_before), _WORD_START.match(said)
        if half is None or start is None:
            return False
        return half[0] in _KEYWORDS and half[0] + start[0] not in _KEYWORDS


def _overlap(before: str, said: str) -> int:
    """Return how many characters at the beginning of a line repeat the end of the one before it.

    A repetition begins where a word begins, and is more than one sign, unless it is that of an
    assignment.
    """
    before = before.strip()
    for size in range(min(len(before), len(said)), 0, -1):
        if not before.endswith(said[:size]) or (size == 1 and said[0] != "="):
            continue
        at = len(before) - size
        if before[at].isalnum() and at and (before[at - 1].isalnum() or before[at - 1] == "_"):
            continue
        return size
    return 0
