"""Keeps what is copied from closing brackets that are not open at the cursor."""

import re

_PAIRS = {")": "(", "]": "[", "}": "{"}
_OPENING = frozenset(_PAIRS.values())
# What stands in quotes on one line says nothing about brackets.
_STRING = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`""")


def open_brackets(text: str) -> str:
    """Return the brackets that a part of a line leaves open, the innermost last."""
    stack: list[str] = []
    for character in _bare(text):
        if character in _OPENING:
            stack.append(character)
        elif character in _PAIRS and stack and stack[-1] == _PAIRS[character]:
            stack.pop()
    return "".join(stack)


def fit(rest: str, there: str, here: str) -> str:
    """Cut what follows somewhere before a bracket that closes nothing here.

    Args:
        rest: What follows there.
        there: The line there up to it.
        here: The line here up to the cursor.

    Returns:
        All of `rest` where both lines leave the same brackets open, or where a bracket was opened
        on a line above there, which is taken to be so here.
    """
    opened, has = list(open_brackets(there)), list(open_brackets(here))
    if opened == has:
        return rest
    depth: list[str] = []
    for place, character in enumerate(_bare(rest)):
        if character in _OPENING:
            depth.append(character)
        elif character in _PAIRS:
            if depth:
                depth.pop()
                continue
            wanted = opened.pop() if opened else ""
            found = has.pop() if has else ""
            if wanted and not found:
                return rest[:place].rstrip()
    return rest


def _bare(text: str) -> str:
    return _STRING.sub(lambda match: "·" * len(match[0]), text)
