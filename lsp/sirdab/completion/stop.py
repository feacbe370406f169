"""Decides, while an answer streams in, that enough of it has been seen.

Every token the model writes after the useful ones costs the user time and the machine
warmth, so the stream is closed at the first character that shows the suggestion has ended.
"""

import re

from sirdab.completion.lines import columns, repeats
from sirdab.completion.shape import Shape

# A suggestion longer than this is read by nobody before the next key is pressed.
MOST_LINES = 10
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

    def __init__(self, shape: Shape, line_before: str, below: str) -> None:
        """Prepare for one answer.

        Args:
            shape: How far the answer may go.
            line_before: Text of the cursor's line before the cursor.
            below: Text after the cursor's line.
        """
        self._shape = shape
        self._line_before = line_before
        following = next((line for line in below.split("\n") if line.strip()), "")
        self._next_line = following
        self._closed_below = bool(
            _CLOSES.match(following.strip()) or _CONTINUES.match(following.strip())
        )
        self._text = ""

    @property
    def text(self) -> str:
        """All that has been received."""
        return self._text

    def feed(self, piece: str) -> str | None:
        """Add a piece of the answer.

        Returns:
            The whole suggestion once it is known to be complete, else None.
        """
        self._text += piece
        return self._cut(final=False)

    def finish(self) -> str:
        """Return the suggestion when the model has nothing more to say."""
        cut = self._cut(final=True)
        return self._text if cut is None else cut

    def complete_lines(self) -> str:
        """Return what stands on its own so far: the whole lines, without the last line end."""
        head, found, _ = self._text.rpartition("\n")
        return head if found else ""

    def _cut(self, *, final: bool) -> str | None:
        lines = self._text.split("\n")
        if self._shape is Shape.LINE:
            return lines[0] if len(lines) > 1 or final else None
        return self._cut_block(lines, final=final)

    def _cut_block(self, lines: list[str], *, final: bool) -> str | None:
        floor = self._first_floor(lines[0])
        opener = columns(self._line_before)
        seen_content = bool(lines[0].strip())
        for number, line in enumerate(lines[1:], 1):
            known = final or number < len(lines) - 1
            stripped = line.strip()
            if not stripped:
                if known and seen_content and number > 1:
                    return "\n".join(lines[:number])
                continue
            indent = columns(line)
            if known and repeats(line, self._next_line):
                return "\n".join(lines[:number])
            if floor is None:
                if indent <= opener and self._line_before.strip():
                    return self._close(lines, number, known=known)
                floor = indent
            elif indent < floor:
                return self._close(lines, number, known=known)
            seen_content = True
            if number >= MOST_LINES:
                return "\n".join(lines[:number])
        return None

    def _first_floor(self, first: str) -> int | None:
        """The block's own indentation, when the cursor's line already shows it."""
        if self._line_before.strip():
            return None
        whole = self._line_before + first
        return columns(whole) if whole.strip() else None

    def _close(self, lines: list[str], number: int, *, known: bool) -> str | None:
        """End the block at a dedented line: with it, when it is the block's own closing line."""
        stripped = lines[number].strip()
        if not known and any(word.startswith(stripped) for word in _CLOSING_WORDS):
            return None  # "e" may become "end": wait for the rest of the line.
        # A line below that is further in belongs to the same block, which must stay open for it.
        goes_on = columns(self._next_line) > columns(lines[number])
        if _CLOSES.match(stripped) and not self._closed_below and not goes_on:
            return "\n".join(lines[: number + 1]) if known else None
        return "\n".join(lines[:number])
