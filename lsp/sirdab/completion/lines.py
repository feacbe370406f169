"""What one line says about the code around it, without knowing its language."""

import re

TAB_COLUMNS = 4
"""Columns of a tab, where an answer in blanks is compared with a document in tabs."""

# What a line ends with when a block, an argument list or a literal is about to begin. The words
# are those of Lua, Ruby, shells and Pascal-like languages; a function of Lua has no sign at all.
_OPENS_BLOCK = re.compile(
    r"(?:[:{(\[]|=>|->|\b(?:do|then|begin|else|try|finally)|\bfunction\b.*\))\s*$"
)
# A line that is nothing but the end of a block. A word closes one when it is all of the line:
# `end = 3` is an assignment.
_CLOSING_LINE = re.compile(r"[})\];,]+|(?:end|fi|done|esac)[;,)]*")


def columns(line: str) -> int:
    """Return how many columns of white space a line begins with."""
    return len(line[: len(line) - len(line.lstrip())].expandtabs(TAB_COLUMNS))


def opens_block(line: str) -> bool:
    """Whether a block, an argument list or a literal begins behind a line."""
    return _OPENS_BLOCK.search(line) is not None


def repeats(line: str, other: str) -> bool:
    """Whether a line says what another one says; closing lines do so only at the same depth."""
    if line.strip() != other.strip():
        return False
    return not _CLOSING_LINE.fullmatch(line.strip()) or columns(line) == columns(other)
