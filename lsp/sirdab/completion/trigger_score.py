"""How good a moment for a suggestion a place is, by what stands before the cursor.

People hesitate where a decision is due, and there a suggestion is wanted at once: behind an opening
bracket, a dot or an operator, at the start of a line. Inside of a word the next key is already on
its way.
"""

INSIDE_WORD = 0.0
WORD_ENDED = 0.3
"""Behind what closes something: a bracket, a quote, a semicolon."""
BETWEEN_WORDS = 0.6
NEW_LINE = 0.9
OPENED = 1.0

_OPENERS = frozenset("([{.")
_TWO_OPENERS = ("->", "::")
_OPERATORS = frozenset("=+-*/%<>!&|^~?,:@\\")


def trigger_score(before: str) -> float:
    """Return a figure from 0, where the next key is on its way, to 1, where a decision is due.

    Args:
        before: The line up to the cursor.
    """
    if not before.strip():
        return NEW_LINE
    last = before[-1]
    if last in _OPENERS or before.endswith(_TWO_OPENERS):
        # The dot of a number is a part of a word.
        return INSIDE_WORD if last == "." and before[-2:-1].isdigit() else OPENED
    if last in _OPERATORS:
        return NEW_LINE
    if last.isspace():
        return NEW_LINE if before.rstrip()[-1] in _OPERATORS else BETWEEN_WORDS
    return INSIDE_WORD if last.isalnum() or last in "_$" else WORD_ENDED
