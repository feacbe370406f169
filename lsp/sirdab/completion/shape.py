"""Decides whether a suggestion may have several lines.

In this order:

1. `completion.multiline` is "never": one line.
2. Text stands right of the cursor, be it only brackets: one line. Several lines in front of text
   that stays on the cursor's line would push it down.
3. `completion.multiline` is "always": a block.
4. The suggestion before this one was just accepted whole: a block. Who takes what is offered
   wants to go on with it (as GitHub Copilot's client has it).
5. The cursor is in an empty block, or behind what begins one: a block. The syntax tree says so
   where there is a grammar; else the line above and the indentation of the line below.
6. Else one line.
"""

import re
from enum import StrEnum
from typing import Literal

from sirdab.completion.blocks import is_empty
from sirdab.completion.lines import columns, opens_block
from sirdab.completion.region import Region

# A docstring that ends right above the cursor stands where a body begins.
_DOCSTRING_END = re.compile(r"(?:\"\"\"|''')\s*$")


class Shape(StrEnum):
    """How far a suggestion may go."""

    LINE = "line"
    """To the end of the cursor's line."""
    BLOCK = "block"
    """To the end of the block that begins at the cursor."""


def decide(
    before: str,
    rest_of_line: str,
    multiline: Literal["auto", "never", "always"],
    *,
    below: str = "",
    region: Region | None = None,
    just_accepted: bool = False,
) -> Shape:
    """Choose the shape of a suggestion.

    Args:
        before: Text before the cursor, with LF line ends.
        rest_of_line: Text after the cursor on its line.
        multiline: The user's setting.
        below: The lines after it.
        region: The code around the cursor, for the syntax tree; None where there is no grammar.
        just_accepted: Whether the suggestion before this one was accepted whole, and nothing
            was typed since.
    """
    if multiline == "never" or rest_of_line.strip():
        return Shape.LINE
    if multiline == "always" or just_accepted:
        return Shape.BLOCK
    return Shape.BLOCK if _is_in_empty_block(before, below, region) else Shape.LINE


def _is_in_empty_block(before: str, below: str, region: Region | None) -> bool:
    line_start = before.rfind("\n") + 1
    line = before[line_start:]
    if line.strip() and not opens_block(line):
        return False
    empty = is_empty(region) if region is not None else None
    return _is_empty_by_indentation(before, below) if empty is None else empty


def _is_empty_by_indentation(before: str, below: str) -> bool:
    line_start = before.rfind("\n") + 1
    opener = before[line_start:]
    if not opener.strip():
        above = before[:line_start].rstrip()
        opener = above[above.rfind("\n") + 1 :]
        if not opens_block(opener) and not _DOCSTRING_END.search(opener):
            return False
        if _DOCSTRING_END.search(opener):
            # The docstring stands as far in as the body: that is not further in than itself.
            return not _goes_on_below(below, columns(opener) - 1)
    return not _goes_on_below(below, columns(opener))


def _goes_on_below(below: str, depth: int) -> bool:
    """Whether the next line that says something is further in."""
    following = next((line for line in below.split("\n") if line.strip()), "")
    return columns(following) > depth
