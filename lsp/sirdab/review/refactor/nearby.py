"""Leaves out of a fix what the model changed elsewhere."""

import re
from collections.abc import Callable

Opcode = tuple[str, int, int, int, int]

_NEAR = 2
"""Lines between a defect and a change that surely belongs to its fix."""

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
# Trying each subset would cost a parse each.
_MOST_TRIES = 6


def chosen(
    changes: list[Opcode],
    before: list[str],
    after: list[str],
    row: int,
    is_whole: Callable[[list[Opcode]], bool],
) -> list[Opcode]:
    """Return the changes that a fix consists of.

    Small models mend a line and, in passing, reword a message ten lines further down. What is
    near the defect is kept, and what shares a new name with it; the rest is left out where what
    is kept is code by itself.

    Args:
        changes: All that the model changed, as `SequenceMatcher` tells it.
        before: The lines as they were.
        after: The lines as the model wrote them.
        row: The line of the defect, counted as in `before`.
        is_whole: Whether some changes make code by themselves.
    """
    if len(changes) < 2:
        return changes
    kept = {number for number, change in enumerate(changes) if _is_near(change, row)}
    if not kept:
        return changes
    for _ in range(_MOST_TRIES):
        names = _new_names([changes[number] for number in kept], before, after)
        more = {
            number
            for number, change in enumerate(changes)
            if number not in kept and names & _names(change, before, after)
        }
        if not more:
            break
        kept |= more
    some = [change for number, change in enumerate(changes) if number in kept]
    return some if len(some) == len(changes) or is_whole(some) else changes


def _is_near(change: Opcode, row: int) -> bool:
    _, low, high, _, _ = change
    return low - _NEAR <= row < max(high, low + 1) + _NEAR


def _names(change: Opcode, before: list[str], after: list[str]) -> set[str]:
    _, low, high, new_low, new_high = change
    lines = before[low:high] + after[new_low:new_high]
    return {name for line in lines for name in _IDENTIFIER.findall(line)}


def _new_names(changes: list[Opcode], before: list[str], after: list[str]) -> set[str]:
    """Return the names that come or go with some changes."""
    old: set[str] = set()
    new: set[str] = set()
    for _, low, high, new_low, new_high in changes:
        old |= {name for line in before[low:high] for name in _IDENTIFIER.findall(line)}
        new |= {name for line in after[new_low:new_high] for name in _IDENTIFIER.findall(line)}
    return old ^ new
