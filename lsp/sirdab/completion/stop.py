"""Decides, while an answer streams in, that enough of it has been seen.

Every token the model writes after the useful ones costs the user time and the machine
warmth, so the stream is closed at the first character that shows the suggestion has ended.

The rules, in the order in which they are asked. "Known" means that the line's end has come:

1. A control token, or half a character: nothing behind it is text (`incoming`).
2. The text right of the cursor begins again, at least 6 characters of it, or the first 20 when
   there are more (Continue's client looks for 20).
3. One line is wanted, and it has ended.
4. An empty line behind the first line that says something.
5. A line further out than the block: the block has ended, with its own closing line or before it.
6. A known line that says what the next line below the cursor says, or ends with it, when that is
   at least 12 characters long.
7. The parse tree shows that the block at the cursor is closed (`block_end`), asked at line ends.
8. Three known lines that say the same, or a group of up to four that comes three times.
9. The same short piece again and again (`repetition`), looked for every 32 characters.
10. Ten lines, or 4,000 characters.

Rules 9 and 10 leave out the line in which they strike, unless it is the first one.

What a rule says does not depend on how the stream was cut into pieces.
"""

import re
from collections.abc import Callable
from typing import Self

from sirdab.completion.blocks import end_of_block
from sirdab.completion.chat_fill.extraction import Chain, Extraction, Source
from sirdab.completion.incoming import Incoming
from sirdab.completion.lines import columns, repeats
from sirdab.completion.postprocess import Surroundings
from sirdab.completion.repetition import is_circle, unrepeated_lines
from sirdab.completion.shape import Shape

# A suggestion longer than this is read by nobody before the next key is pressed.
MOST_LINES = 10
MOST_CHARACTERS = 4_000
# The text right of the cursor is known again by so many characters, and a shorter one is not:
# `)` or `+ 1` stand in every other line.
_LONGEST_SIGHT, _SHORTEST_SIGHT = 20, 6
# A line that ends with the line below is a copy of it only when that is no common word.
_SHORTEST_END = 12
_CIRCLE_STEP = 32
# Only such a line may close a block from one level further out. A word closes it when it is
# all of the line: `end = 3` is an assignment.
_CLOSING_WORDS = ("end", "fi", "done", "esac")
_CLOSES = re.compile(r"[})\]]|(?:end|fi|done|esac)[;,)]*$")
# What goes on with a block that has been open so far: its closing line comes after it.
_CONTINUES = re.compile(r"(?:else|elseif|elsif|elif|except|finally|catch|rescue|ensure)\b")


class StreamStop:
    """Collects an answer and says when it is complete.

    The answer is the text that would be inserted at the cursor: what was backed up over has
    been taken off already.
    """

    def __init__(
        self,
        shape: Shape,
        line_before: str,
        below: str,
        *,
        rest_of_line: str = "",
        incoming: Source | None = None,
        block_end: Callable[[str], bool] | None = None,
    ) -> None:
        """Prepare for one answer.

        Args:
            shape: How far the answer may go.
            line_before: Text of the cursor's line before the cursor.
            below: Text after the cursor's line.
            rest_of_line: Text of the cursor's line after the cursor.
            incoming: Joins the pieces; one that knows no control tokens when left out.
            block_end: Says whether whole lines of the answer close the block at the cursor; it
                is asked with all of them at each line end, and None when nobody knows.
        """
        self._shape = shape
        self._line_before = line_before
        self._incoming: Source = incoming or Incoming()
        self._block_end = block_end
        following = next((line for line in below.split("\n") if line.strip()), "")
        self._next_line = following
        self._closed_below = bool(
            _CLOSES.match(following.strip()) or _CONTINUES.match(following.strip())
        )
        rest = rest_of_line.strip()
        self._sight = rest[:_LONGEST_SIGHT] if len(rest) >= _SHORTEST_SIGHT else ""
        self._text = ""
        # Whole lines that have been judged, and where the line behind them begins.
        self._lines: list[str] = []
        self._start: int = 0
        self._floor: int | None = None
        self._seen_content = False
        self._searched: int = 0
        self._next_check = _CIRCLE_STEP
        self._complete: str | None = None

    @classmethod
    def at(cls, shape: Shape, around: Surroundings, extraction: Extraction | None = None) -> Self:
        """Prepare for one answer at a place.

        Args:
            shape: How far the answer may go.
            around: What stands around the cursor.
            extraction: Takes the text out of what the model writes, where that is more.
        """
        incoming = Incoming(around.sentinels, around.mended)
        return cls(
            shape,
            around.line_before,
            around.below,
            rest_of_line=around.rest_of_line,
            incoming=incoming if extraction is None else Chain(incoming, extraction),
            block_end=end_of_block(around.region) if around.region is not None else None,
        )

    @property
    def text(self) -> str:
        """All that has been received, up to where it is complete."""
        return self._text

    def feed(self, piece: str) -> str | None:
        """Add a piece of the answer.

        Returns:
            The whole suggestion once it is known to be complete, else None.
        """
        if self._complete is None:
            self._text += self._incoming.feed(piece)
            self._complete = self._look(final=False)
            if self._complete is None and self._incoming.ended:
                self._complete = self.finish()
        return self._complete

    def finish(self) -> str:
        """Return the suggestion when the model has nothing more to say."""
        if self._complete is None:
            self._text += self._incoming.finish()
            cut = self._look(final=True)
            self._complete = self._text if cut is None else cut
        return self._complete

    def complete_lines(self) -> str:
        """Return what stands on its own so far: the whole lines, without the last line end."""
        head, found, _ = self._text.rpartition("\n")
        return head if found else ""

    def _look(self, *, final: bool) -> str | None:
        """Judge what is new: each line that has ended, then the one that has not."""
        while True:
            stop = self._text.find("\n", max(self._start, self._searched))
            known = stop >= 0
            stop = stop if known else len(self._text)
            cut = self._inside(stop)
            if cut is None:
                cut = self._line_end(stop, known=known or final, ended=known)
            if cut is not None:
                return self._text[:cut]
            if not known:
                self._searched = len(self._text)
                return None
            self._lines.append(self._text[self._start : stop])
            self._start = self._searched = stop + 1

    def _inside(self, stop: int) -> int | None:
        """Return where the answer ends by what is seen within a line that is there up to `stop`.

        What is seen first counts, so that it does not matter how much came at once. Of a line
        behind the first one nothing is kept: other rules may have ended the answer before it.
        """
        seen: list[tuple[int, int]] = []
        if self._sight and not self._lines:
            # It may have begun in what was searched already.
            found = self._text.find(self._sight, max(self._searched - len(self._sight), 0), stop)
            if found >= 0:
                seen.append((found + len(self._sight), found))
        reach = min(stop, MOST_CHARACTERS, *(at for at, _ in seen))
        while self._next_check <= reach:
            if is_circle(self._text[: self._next_check]):
                seen.append((self._next_check, self._next_check))
                break
            self._next_check += _CIRCLE_STEP
        if stop >= MOST_CHARACTERS:
            seen.append((MOST_CHARACTERS, MOST_CHARACTERS))
        if not seen:
            return None
        return self._start - 1 if self._lines else min(seen)[1]

    def _line_end(self, stop: int, *, known: bool, ended: bool) -> int | None:
        """Return where the answer ends when a line of it is there up to `stop`.

        Args:
            stop: End of the line so far.
            known: Whether all of the line is there.
            ended: Whether a line end follows it.
        """
        if self._shape is Shape.LINE:
            return stop if ended else None
        line = self._text[self._start : stop]
        number = len(self._lines)
        if number == 0:
            self._floor = self._first_floor(line) if ended else None
            self._seen_content = bool(line.strip())
        else:
            cut = self._judge(line, number, known=known)
            if cut is not None:
                return cut
        if not ended:
            return None
        if self._block_end is not None and line.strip() and self._block_end(self._text[:stop]):
            return self._closed_at(line, stop)
        kept = unrepeated_lines([*self._lines[-_MEMORY:], line])
        return stop if kept is not None else None

    def _closed_at(self, line: str, stop: int) -> int:
        """Return where a block ends that a line closes: before the line, if it is there below."""
        again = self._lines and self._closed_below and _CLOSES.match(line.strip())
        return self._start - 1 if again else stop

    def _judge(self, line: str, number: int, *, known: bool) -> int | None:
        before = max(self._start - 1, 0)
        stripped = line.strip()
        if not stripped:
            return before if known and self._seen_content and number > 1 else None
        indent = columns(line)
        if self._floor is None:
            if indent <= columns(self._line_before) and self._line_before.strip():
                return self._close(line, before, known=known)
            self._floor = indent
        elif indent < self._floor:
            return self._close(line, before, known=known)
        overlap = self._overlap_with_below(line) if known else None
        if overlap is not None:
            return before if overlap == 0 else self._start + overlap
        self._seen_content = True
        return before if number >= MOST_LINES else None

    def _overlap_with_below(self, line: str) -> int | None:
        """Return where in a line the line below the cursor begins; 0 when it is all of it."""
        if repeats(line, self._next_line):
            return 0
        wanted = self._next_line.strip()
        said = line.rstrip()
        if len(wanted) < _SHORTEST_END or not said.endswith(wanted):
            return None
        place = len(said) - len(wanted)
        if said[place - 1].isalnum() or said[place - 1] == "_":
            return None
        return len(said[:place].rstrip())

    def _first_floor(self, first: str) -> int | None:
        """The block's own indentation, when the cursor's line already shows it."""
        if self._line_before.strip():
            return None
        whole = self._line_before + first
        return columns(whole) if whole.strip() else None

    def _close(self, line: str, before: int, *, known: bool) -> int | None:
        """End the block at a dedented line: with it, when it is the block's own closing line."""
        stripped = line.strip()
        if not known and any(word.startswith(stripped) for word in _CLOSING_WORDS):
            return None  # "e" may become "end": wait for the rest of the line.
        # A line below that is further in belongs to the same block, which must stay open for it.
        goes_on = columns(self._next_line) > columns(line)
        if _CLOSES.match(stripped) and not self._closed_below and not goes_on:
            return self._start + len(line) if known else None
        return before


# Lines that are looked at for a group that comes back: three groups of four.
_MEMORY = 12
