"""Types a stretch of a real source file again, key by key, into an editor that helps as editors do.

The editor indents new lines and closes brackets and quotes by itself; the typist types over what
is there already, mends an indentation that is not the one wanted, mistypes now and then and takes
it back, and leaves a block that the editor closed by moving out of it. Everything is decided by
the place in the text and a seed, not by what was accepted before: two runs over the same stretch
differ only in what their suggestions saved.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sirdab.benchmark.rhythm import Rhythm
from sirdab.completion.lines import opens_block
from sirdab.text.store import Point, Text

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_QUOTES = "\"'`"
_COMMENT = ("#", "//", "--", "/*", "*")
_NEAR = "qwertyuiopasdfghjklzxcvbnm"
# Behind such a line a block of Python is over, and editors take the indentation back.
_LEAVES_BLOCK = re.compile(r"\s*(?:return|raise|break|continue|pass)\b")
_WORD = re.compile(r"\s*(?:\w+|[^\w\s]+)")


class Kind(StrEnum):
    """What a key does."""

    TYPE = "type"
    ENTER = "enter"
    OVER = "over"
    """Types over a bracket or quote that the editor has put there."""
    INDENT = "indent"
    """Mends the indentation: Tab, or Backspace at the start of a line."""
    SLIP = "slip"
    BACKSPACE = "backspace"
    LEAVE = "leave"
    """Moves out of a block whose end the editor has put there; changes nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit replaced.

    Attributes:
        start: First point replaced.
        stop: Its end.
        text: The new text.
    """

    start: Point
    stop: Point
    text: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is to be typed, and where.

    Attributes:
        id: Names it; all chance comes from this and the seed.
        language_id: Of the file.
        start: Where the cursor stands first.
        target: The text, with LF line ends; the first character is that of a new line.
    """

    id: str
    language_id: str
    start: Point
    target: str


@dataclass(slots=True)
class Buffer:
    """A document and a cursor."""

    text: Text
    point: Point

    def replace(self, start: Point, stop: Point, new: str) -> Change:
        """Replace a range and put the cursor behind what is new."""
        change = Change(start, stop, new)
        self.text = self.text.replace(start, stop, new)
        *above, last = new.split("\n")
        column = len(last) if above else start.column + len(last)
        self.point = Point(start.line + len(above), column)
        return change


@dataclass(slots=True)
class _Closing:
    """What the editor has put behind the cursor: its text and its place in the target."""

    text: str
    at: int


@dataclass(slots=True)
class Typist:
    """Types one stretch. `buffer` may be shared with another typist elsewhere in the file."""

    buffer: Buffer
    stretch: Stretch
    seed: int = 1
    rhythm: Rhythm = field(default_factory=Rhythm)
    typed: int = 0
    """Characters of the target that stand before the cursor."""
    _closings: list[_Closing] = field(default_factory=list[_Closing])
    _indent: str = ""
    """Indentation that the editor has made of the current line."""
    _wanted: str = ""
    """Indentation that the current line is to have."""
    _wrong: int = 0
    """Characters before the cursor that are to be taken back."""
    _late: bool = False
    """Whether a slip is noticed only one key later."""
    _slipped: set[int] = field(default_factory=set[int])

    @property
    def done(self) -> bool:
        """Whether all is typed."""
        return self.typed == len(self.stretch.target) and not self._unsettled and not self._closings

    @property
    def _unsettled(self) -> bool:
        """Whether the text before the cursor is not what the file is to have."""
        return self._wrong > 0 or self._indent != self._wanted

    @property
    def rest(self) -> str:
        """What may be inserted at the cursor and would be right; "" while something is wrong."""
        if self._unsettled:
            return ""
        stop = self._closings[-1].at if self._closings else len(self.stretch.target)
        return self.stretch.target[self.typed : stop]

    @property
    def at_line_start(self) -> bool:
        """Whether nothing but the indentation of the current line is typed."""
        return not self.line_before.strip()

    @property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.buffer.text.line_body(self.buffer.point.line)[: self.buffer.point.column]

    def pause_ms(self) -> float:
        """Return the time before the next key."""
        chance = self._chance("pause")
        if self._wrong or self._indent != self._wanted:
            return self.rhythm.pause_ms(chance, "a", "a")
        before = "\n" if self.at_line_start else self.line_before[-1:]
        target, typed = self.stretch.target, self.typed
        return self.rhythm.pause_ms(chance, before, target[typed : typed + 1])

    def press(self) -> tuple[Kind, Change | None]:
        """Press the next key; the change is None when it only moved the cursor."""
        if self._wrong:
            return self._mend()
        if self._indent != self._wanted:
            return Kind.INDENT, self._mend_indent()
        closing = self._closings[-1] if self._closings else None
        if closing is not None and closing.at == self.typed:
            return self._pass(closing)
        key = self.stretch.target[self.typed]
        if key == "\n":
            return Kind.ENTER, self._enter()
        if self._slips(key):
            return Kind.SLIP, self._slip()
        return Kind.TYPE, self._type(key)

    def take(self, text: str) -> Change:
        """Accept a suggestion, or a part of one.

        Raises:
            ValueError: It is not what `rest` begins with.
        """
        if not self.rest.startswith(text):
            raise ValueError("only what is right may be accepted")
        self.typed += len(text)
        self._indent = self._wanted = ""
        point = self.buffer.point
        return self.buffer.replace(point, point, text)

    # --- keys -------------------------------------------------------------------------------

    def _type(self, key: str) -> Change:
        closer = self._closer(key)
        self.typed += 1
        point = self.buffer.point
        change = self.buffer.replace(point, point, key + (closer.text if closer else ""))
        if closer is not None:
            self._closings.append(closer)
            self.buffer.point = Point(point.line, point.column + len(key))
        return change

    def _pass(self, closing: _Closing) -> tuple[Kind, None]:
        self._closings.pop()
        self.typed += len(closing.text)
        *lines, last = closing.text.split("\n")
        point = self.buffer.point
        column = len(last) if lines else point.column + len(last)
        self.buffer.point = Point(point.line + len(lines), column)
        return (Kind.LEAVE if lines else Kind.OVER), None

    def _enter(self) -> Change:
        buffer, target = self.buffer, self.stretch.target
        line = self.line_before
        indent = line[: len(line) - len(line.lstrip())]
        inner = indent + self._unit() if opens_block(line) else indent
        if self.stretch.language_id == "python" and _LEAVES_BLOCK.match(line):
            inner = indent[: -len(self._unit())]
        # An editor takes back the indentation that it made of a line that stayed empty.
        start = buffer.point if line.strip() else Point(buffer.point.line, 0)
        closing = self._closings[-1] if self._closings else None
        behind = ""
        if closing is not None and target[self.typed - 1] in _PAIRS:
            lower = f"\n{indent}"
            at = closing.at - len(lower)
            if "\n" not in closing.text and at > self.typed and target.startswith(lower, at):
                behind = lower
                closing.text, closing.at = lower + closing.text, at
        change = buffer.replace(start, buffer.point, f"\n{inner}{behind}")
        if behind:
            buffer.point = Point(start.line + 1, len(inner))
        self.typed += 1
        following = target[self.typed :]
        wanted = following[: len(following) - len(following.lstrip(" \t"))]
        if following[:1] in ("", "\n"):
            # An empty line keeps what the editor has put there until the next Enter.
            self._indent = self._wanted = ""
            return change
        self._indent, self._wanted = inner, wanted
        if inner == wanted:
            self._settle_indent()
        return change

    def _mend_indent(self) -> Change:
        point, unit = self.buffer.point, len(self._unit())
        have, want = self._indent, self._wanted
        line_start = Point(point.line, 0)
        if want.startswith(have):
            now = want if len(want) - len(have) <= unit else have + want[len(have) :][:unit]
        elif have.startswith(want):
            now = have[: max(len(want), len(have) - unit)]
        else:
            now = want
        self._indent = now
        same = min(len(have), len(now))
        line_start = Point(point.line, same if have[:same] == now[:same] else 0)
        change = self.buffer.replace(line_start, point, now[line_start.column :])
        if now == want:
            self._settle_indent()
        return change

    def _settle_indent(self) -> None:
        self.typed += len(self._wanted)
        self._indent = self._wanted = ""

    def _slips(self, key: str) -> bool:
        if not key.isalpha() or self.typed in self._slipped:
            return False
        return self._chance("slip").random() < self.rhythm.slip

    def _slip(self) -> Change:
        chance = self._chance("slip of")
        self._slipped.add(self.typed)
        self._late = chance.random() < 0.4
        self._wrong = 1
        point = self.buffer.point
        return self.buffer.replace(point, point, chance.choice(_NEAR))

    def _mend(self) -> tuple[Kind, Change]:
        point = self.buffer.point
        following = self.stretch.target[self.typed + 1 : self.typed + 2]
        if self._late and following.isalpha():
            self._late = False
            self._wrong += 1
            return Kind.SLIP, self.buffer.replace(point, point, following)
        self._wrong -= 1
        start = Point(point.line, point.column - 1)
        return Kind.BACKSPACE, self.buffer.replace(start, point, "")

    # --- what the editor knows ----------------------------------------------------------------

    def _chance(self, what: str) -> random.Random:
        # Not a secret: the same keys each time is the point.
        wrong = f"{self._wrong}:{self._indent}"
        return random.Random(f"{self.seed}:{self.stretch.id}:{self.typed}:{wrong}:{what}")  # noqa: S311

    def _unit(self) -> str:
        """One step of indentation in this stretch."""
        for line in self.stretch.target.split("\n"):
            if line.startswith("\t"):
                return "\t"
        return "  " if self.stretch.language_id in ("lua", "typescript", "javascript") else "    "

    def _closer(self, key: str) -> _Closing | None:
        """Return what the editor puts behind a key, where the text has that very end."""
        target, start = self.stretch.target, self.typed
        line_start = target.rfind("\n", 0, start) + 1
        line = target[line_start:start]
        if line.lstrip().startswith(_COMMENT):
            return None
        if any(one.text in _QUOTES for one in self._closings):
            return None
        limit = self._closings[-1].at if self._closings else len(target)
        if key in _QUOTES:
            at = _closing_quote(target, start, line)
            return _Closing(key, at) if at is not None and at < limit else None
        if key not in _PAIRS:
            return None
        closer = _PAIRS[key]
        at = _matching(target, start, key, closer)
        if at is None:
            indent = line[: len(line) - len(line.lstrip())]
            found = target.find(f"\n{indent}{closer}", start)
            if target[start + 1 : start + 2] != "\n" or found < 0:
                return None
            at = found + 1 + len(indent)
        return _Closing(closer, at) if at < limit else None


def _closing_quote(target: str, start: int, line: str) -> int | None:
    """Return where a string ends on its line; `line` is what stands before it there."""
    quote = target[start]
    if line[-1:].isalnum() or line[-1:] == quote or target[start + 1 : start + 2] == quote:
        return None
    stop = target.find("\n", start)
    at = target.find(quote, start + 1, stop if stop >= 0 else len(target))
    return None if at < 0 or target[at - 1] == "\\" else at


def _matching(target: str, start: int, opener: str, closer: str) -> int | None:
    """Return where a bracket is closed on its line, strings aside."""
    depth, quote = 0, ""
    for at in range(start, len(target)):
        char = target[at]
        if char == "\n":
            return None
        if quote:
            quote = "" if char == quote and target[at - 1] != "\\" else quote
        elif char in _QUOTES:
            quote = char
        elif char == opener:
            depth += 1
        elif char == closer:
            depth -= 1
            if not depth:
                return at
    return None


def parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to take a suggestion, the greediest first: its name and its text."""
    yield "full", text
    first, found, _ = text.partition("\n")
    if found and first.strip():
        yield "line", first
    word = _WORD.match(text)
    if word is not None and word[0] != text:
        yield "word", word[0]


__all__ = ["Buffer", "Change", "Kind", "Stretch", "Typist", "parts"]
