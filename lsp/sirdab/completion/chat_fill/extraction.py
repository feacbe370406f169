"""Takes the completion out of what a chat model writes, while it streams in.

Told to answer with code alone, models still greet, think aloud, put the code into a fence, repeat
the lines above it, the mark of the cursor or all of the file, escape it for HTML, and explain it
afterwards. What is handed on is what belongs at the cursor, indented as the place is; where the
answer leaves any doubt, it is nothing, for a wrong suggestion costs more than none.

What comes out does not depend on how the stream was cut into pieces.
"""

import html
import re
from enum import Enum, auto
from typing import Protocol

from sirdab.completion.chat_fill import prose
from sirdab.completion.chat_fill.fence import Fence, info_string, may_be_fence, opened
from sirdab.completion.chat_fill.place import CURSOR, Join, Joiner, Place
from sirdab.completion.lines import columns, opens_suite

_THINK = ("think", "thinking", "thought", "reasoning")
_OPEN_THINK = re.compile(rf"\s*<(?:{'|'.join(_THINK)})>", re.IGNORECASE)
_CLOSE_THINK = re.compile(rf"</(?:{'|'.join(_THINK)})>", re.IGNORECASE)
# As the five that HTML cannot do without are written by those who escape everything.
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27|#34);")
_LONGEST_ENTITY = len("&#x27;")
_MARKUP = frozenset(
    {
        "blade",
        "erb",
        "handlebars",
        "html",
        "javascriptreact",
        "markdown",
        "php",
        "svelte",
        "typescriptreact",
        "vue",
        "xhtml",
        "xml",
        "xsl",
    }
)
# Behind what a person was told, a block of code may open on the same line.
_FENCE_AT_END = re.compile(r"(?P<said>.*\S)\s*(?P<fence>`{3,}[\w+#.-]*)\s*")
_COMMENT = re.compile(r"\s*(?:#|//|/\*|\*|--|;|%|\"\"\"|''')")
_DEFAULT_STEP = 4


class Source(Protocol):
    """What pieces of an answer go through; see `sirdab.completion.incoming.Incoming`."""

    @property
    def ended(self) -> bool:
        """Whether nothing behind belongs to the text."""
        ...

    def feed(self, piece: str) -> str:
        """Add a piece and return what is certain of the text now, and was not before."""
        ...

    def finish(self) -> str:
        """Return what was held back, at the end of the stream."""
        ...


class Chain:
    """Two of these, one behind the other."""

    def __init__(self, first: Source, second: Source) -> None:
        self._first = first
        self._second = second

    @property
    def ended(self) -> bool:
        """Whether nothing behind belongs to the text."""
        return self._first.ended or self._second.ended

    def feed(self, piece: str) -> str:
        """Add a piece and return what is certain of the text now, and was not before."""
        return self._second.feed(self._first.feed(piece))

    def finish(self) -> str:
        """Return what was held back, at the end of the stream."""
        return self._second.feed(self._first.finish()) + self._second.finish()


class _State(Enum):
    OUTSIDE = auto()
    """Nothing of the answer was code so far."""
    JOINING = auto()
    """Code, but where it belongs is not known yet."""
    BODY = auto()
    """Code that belongs at the cursor."""
    DONE = auto()


class Extraction:
    """The completion in an answer."""

    def __init__(
        self, place: Place, language_id: str, *, marker: str = "", fence: Fence | None = None
    ) -> None:
        """Prepare for one answer.

        Args:
            place: Where it goes.
            language_id: The document's language.
            marker: What the cursor was marked with in the question.
            fence: What the prompt opened the block of code with that the answer goes on in, right
                at the cursor; None when the answer is the model's own from its first word.
        """
        self._place = place
        self._step = place.indent_width or _DEFAULT_STEP
        self._names = {language_id, info_string(language_id)} - {""}
        self._in_text = language_id in prose.PROSE_LANGUAGES or _is_text(place.line_before)
        known = "\n".join((*place.above, place.line_before))
        # Where the document has fences or entities of its own, those of an answer are its text.
        self._has_fences = "```" in known or "~~~" in known
        self._escapes = fence is None and language_id not in _MARKUP and not _ENTITY.search(known)
        self._marker = marker if fence is None else ""
        self._held = ""
        self._line = ""
        self._thinks = False
        self._joiner = Joiner(place)
        self._fence = fence
        self._quoted: list[str] = []
        self._wrote = False
        self._base = columns(place.line_before)
        self._shift: int | None = 0
        self._opens = False
        # Whether the beginning of the line that is being read has been handed on.
        self._inside = bool(place.line_before.strip())
        self._state = _State.OUTSIDE if fence is None else _State.BODY

    @property
    def ended(self) -> bool:
        """Whether the completion is complete."""
        return self._state is _State.DONE

    def feed(self, piece: str) -> str:
        """Add a piece and return what is certain of the completion now, and was not before."""
        if self.ended:
            return ""
        text = self._held + piece
        keep = self._uncertain(text)
        self._held = text[len(text) - keep :]
        return self._read(self._clear(text[: len(text) - keep]))

    def finish(self) -> str:
        """Return what was held back, at the end of the stream."""
        if self.ended:
            return ""
        text, self._held = self._held, ""
        found = self._read(self._clear(text))
        if self._line and self._state in (_State.OUTSIDE, _State.JOINING):
            line, self._line = self._line, ""
            found += self._whole_line(line, final=True) + self._read("")
        if self._state is _State.BODY:
            found += self._body_part(final=True)
        if self._state is _State.JOINING:
            found += self._end_of_code()
        if self._state is _State.OUTSIDE and not self._wrote and len(self._quoted) == 1:
            found += self._one_line(self._quoted[0])
        self._state = _State.DONE
        return found

    # Signs that stand for others.

    def _uncertain(self, text: str) -> int:
        """Return how many characters at the end may mean something else with more behind them."""
        if self._marker:
            for size in range(min(len(self._marker) - 1, len(text)), 0, -1):
                if self._marker.startswith(text[-size:]):
                    return size
        if self._escapes:
            at = text.rfind("&", max(len(text) - _LONGEST_ENTITY, 0))
            if at >= 0 and ";" not in text[at:]:
                return len(text) - at
        return 0

    def _clear(self, text: str) -> str:
        if self._marker:
            text = text.replace(self._marker, CURSOR)
        if self._escapes and "&" in text:
            text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
        return text

    # Lines.

    def _read(self, text: str) -> str:
        found: list[str] = []
        self._line += text
        while not self.ended:
            if self._state is _State.BODY:
                if "\n" not in self._line:
                    if self._fence is not None:
                        found.append(self._body_part(final=False))
                    break
                found.append(self._body_line())
                continue
            line, end, rest = self._line.partition("\n")
            if not end:
                break
            self._line = rest
            found.append(self._whole_line(line))
        return "".join(found)

    def _whole_line(self, line: str, *, final: bool = False) -> str:
        if self._state is _State.OUTSIDE:
            return self._outside(line, final=final)
        return self._joining(line, final=final)

    def _outside(self, line: str, *, final: bool) -> str:
        line = self._without_thoughts(line)
        said = line.strip()
        if not said or said.lower() in self._names:
            return ""
        fence = opened(line)
        if fence is None:
            behind = _FENCE_AT_END.fullmatch(line)
            if behind is not None and (prose.is_prose(behind["said"]) or behind["said"][-1] == ":"):
                fence = opened(behind["fence"])
        if fence is not None:
            self._fence, self._state = fence, _State.JOINING
            self._joiner = Joiner(self._place)
            return ""
        only = prose.only_quoted(line)
        if only is not None:
            return self._one_line(only)
        if self._is_said(line):
            named = prose.quoted(line)
            if named is not None:
                self._quoted.append(named)
            if prose.is_refusal(line):
                self._state = _State.DONE
            return ""
        self._fence, self._state = None, _State.JOINING
        self._joiner = Joiner(self._place)
        return self._joining(line, final=final)

    def _without_thoughts(self, line: str) -> str:
        """Return what of a line is no thinking aloud."""
        while True:
            opening = None if self._thinks else _OPEN_THINK.match(line)
            if opening is not None:
                self._thinks = True
                line = line[opening.end() :]
            closing = _CLOSE_THINK.search(line)
            if closing is None:
                return "" if self._thinks else line
            # One that nothing opened ends what the prompt's template has begun.
            self._thinks = False
            self._quoted.clear()
            line = line[closing.end() :]

    def _is_said(self, line: str) -> bool:
        return prose.is_preamble(line) if self._in_text else prose.is_prose(line)

    def _one_line(self, code: str) -> str:
        """Take a piece of code that is the whole completion."""
        joiner = Joiner(self._place)
        joined = joiner.line(code)
        if joined is None and not joiner.failed:
            joined = joiner.end()
        self._state = _State.DONE
        return "" if joined is None else joined.text

    def _joining(self, line: str, *, final: bool) -> str:
        if self._fence is None:
            closing = _CLOSE_THINK.search(line)
            if closing is not None:
                self._state = _State.OUTSIDE
                return self._outside(line[closing.end() :], final=final)
            if opened(line) is not None or self._is_said(line):
                return self._end_of_code()
        code, closed = self._cut_at_fence(line)
        found = ""
        if code.strip() or not closed:
            joined = self._joiner.line(code)
            if joined is not None:
                found = self._join(joined, ended=closed or not final)
            elif self._joiner.failed:
                self._state = _State.DONE
        if closed and not self.ended:
            found += self._end_of_code() if self._state is _State.JOINING else ""
            if self._state is _State.BODY:
                self._state = _State.DONE
        return found

    def _cut_at_fence(self, line: str) -> tuple[str, bool]:
        """Return what of a line is code, and whether the block is closed behind it."""
        fence = self._fence
        if fence is None:
            return line, False
        if fence.closed_by(line):
            return "", True
        if self._has_fences or fence.character != "`":
            return line, False
        code, run, _ = line.partition("`" * fence.size)
        return code, bool(run)

    def _end_of_code(self) -> str:
        """Take it that a block of code has ended before it was clear where it belongs."""
        joined = self._joiner.end()
        if joined is not None:
            found = self._join(joined, ended=False)
            self._state = _State.DONE
            return found
        # A block that only repeats what is there may be followed by one that goes on.
        has_more = self._fence is not None and not self._joiner.failed
        self._state = _State.OUTSIDE if has_more else _State.DONE
        return ""

    def _join(self, joined: Join, *, ended: bool) -> str:
        """Hand on the line in which the answer joins, and go on behind it."""
        self._state, self._wrote = _State.BODY, True
        self._base, self._shift = joined.base, joined.shift
        self._inside = False
        before = "" if joined.text.startswith("\n") else self._place.line_before
        self._opens = opens_suite(before + joined.text)
        if ended or joined.again:
            # What is behind it is read as if nobody had looked at it yet.
            self._line = "\n".join((*joined.again, self._line))
            return joined.text + "\n"
        return joined.text

    # Code that belongs at the cursor.

    def _body_line(self) -> str:
        """Hand on a line that is all there."""
        line, _, rest = self._line.partition("\n")
        self._line = line
        found = self._body_part(final=True)
        if self.ended:
            return found
        self._line, self._inside = rest, False
        return found + "\n"

    def _body_part(self, *, final: bool) -> str:
        """Hand on what is certain of the line that is being read.

        Args:
            final: Whether all of the line is there.
        """
        line = self._line
        if not self._inside:
            if not final and (may_be_fence(line) or not line.strip()):
                return ""
            if self._ends_here(line):
                self._state = _State.DONE
                return ""
            if not line.strip():
                self._line = ""
                return ""
            line = self._indented(line)
            self._inside = True
        code, closed = self._cut_in_line(line)
        code, mark, _ = code.partition(CURSOR)
        if closed or mark:
            self._state = _State.DONE
            return code
        keep = 0 if final or self._fence is None else len(code) - len(code.rstrip("`"))
        self._line = code[len(code) - keep :]
        return code[: len(code) - keep]

    def _ends_here(self, line: str) -> bool:
        """Whether the code has ended before a line."""
        if self._fence is not None:
            return self._fence.closed_by(line)
        return opened(line) is not None or self._is_said(line) or bool(_CLOSE_THINK.search(line))

    def _cut_in_line(self, line: str) -> tuple[str, bool]:
        if self._fence is None or self._has_fences or self._fence.character != "`":
            return line, False
        code, run, _ = line.partition("`" * self._fence.size)
        return code, bool(run)

    def _indented(self, line: str) -> str:
        """Return a line with its indentation moved to where the completion stands."""
        depth = columns(line)
        if self._shift is None:
            least = self._base + (self._step if self._opens else 0)
            inner = depth > self._base if self._opens else depth >= self._base
            self._shift = 0 if inner else least - depth
        if not self._shift:
            return line
        return " " * max(depth + self._shift, 0) + line.lstrip(" \t")


def _is_text(line_before: str) -> bool:
    """Whether prose may be what is wanted: behind the sign of a comment or in a string."""
    return bool(_COMMENT.match(line_before)) or any(
        line_before.count(quote) % 2 for quote in "\"'`"
    )
