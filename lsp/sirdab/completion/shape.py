"""Decides whether a suggestion may have several lines."""

import re
from enum import StrEnum
from typing import Literal

from sirdab.completion.lines import opens_block

# A docstring that ends right above the cursor stands where a body begins.
_DOCSTRING_END = re.compile(r"(?:\"\"\"|''')\s*$")


class Shape(StrEnum):
    """How far a suggestion may go."""

    LINE = "line"
    """To the end of the cursor's line."""
    BLOCK = "block"
    """To the end of the block that begins at the cursor."""


def decide(before: str, rest_of_line: str, multiline: Literal["auto", "never", "always"]) -> Shape:
    """Choose the shape of a suggestion.

    Args:
        before: Text before the cursor, with LF line ends.
        rest_of_line: Text after the cursor on its line.
        multiline: The user's setting.
    """
    if multiline == "never" or rest_of_line.strip():
        # Several lines in front of text that stays on the cursor's line would push it down.
        return Shape.LINE
    if multiline == "always":
        return Shape.BLOCK
    line_start = before.rfind("\n") + 1
    line = before[line_start:]
    if line.strip():
        return Shape.BLOCK if opens_block(line) else Shape.LINE
    above = before[:line_start].rstrip()
    opener = above[above.rfind("\n") + 1 :]
    if opens_block(opener) or _DOCSTRING_END.search(opener):
        return Shape.BLOCK
    return Shape.LINE
