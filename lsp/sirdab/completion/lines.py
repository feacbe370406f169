"""What one line says about the code around it, without knowing its language."""

import re
from collections import Counter
from collections.abc import Iterable

TAB_COLUMNS = 4
"""Columns of a tab, where an answer in blanks is compared with a document in tabs."""

# What a line ends with when a block, an argument list or a literal is about to begin. The words
# are those of Lua, Ruby, shells and Pascal-like languages; a function of Lua has no sign at all.
_OPENS_BLOCK = re.compile(
    r"(?:[:{(\[]|=>|->|\b(?:do|then|begin|else|try|finally)|\bfunction\b.*\))\s*$"
)
# The same without brackets that arguments may be aligned behind.
_OPENS_SUITE = re.compile(r"(?:[:{]|=>|\b(?:do|then|begin|else|try|finally)|\bfunction\b.*\))\s*$")
# A line that is nothing but the end of a block. A word closes one when it is all of the line:
# `end = 3` is an assignment.
_CLOSING_LINE = re.compile(r"[})\];,]+|(?:end|fi|done|esac)[;,)]*")


def columns(line: str) -> int:
    """Return how many columns of white space a line begins with."""
    return len(line[: len(line) - len(line.lstrip())].expandtabs(TAB_COLUMNS))


def opens_block(line: str) -> bool:
    """Whether a block, an argument list or a literal begins behind a line."""
    return _OPENS_BLOCK.search(line) is not None


def opens_suite(line: str) -> bool:
    """Whether statements begin behind a line, one step further in."""
    return _OPENS_SUITE.search(line) is not None


def repeats(line: str, other: str) -> bool:
    """Whether a line says what another one says; closing lines do so only at the same depth.

    Blanks between words and a comma or semicolon at the end make no difference. Letters and digits
    do: lines of a series differ by one of them, and the next one is what is wanted.
    """
    if line.strip() != other.strip() and _said(line) != _said(other):
        return False
    return not _CLOSING_LINE.fullmatch(line.strip()) or columns(line) == columns(other)


def _said(line: str) -> str:
    said = " ".join(line.split())
    return said.rstrip(",;") or said


def indentation_width(lines: Iterable[str]) -> int:
    """Return the columns of one step of indentation: the most frequent one; 0 when none is seen.

    Args:
        lines: Consecutive lines of a document. A step counts where a line that opens a block is
            followed by one that is further in, so that aligned arguments do not.
    """
    steps: Counter[int] = Counter()
    opener: int | None = None
    for line in lines:
        if not line.strip():
            continue
        here = columns(line)
        if opener is not None and here > opener:
            steps[here - opener] += 1
        opener = here if _OPENS_SUITE.search(line) else None
    return max(steps, key=lambda step: (steps[step], -step), default=0)
