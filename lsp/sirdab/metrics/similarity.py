"""How much of an accepted text is still there, after its neighbourhood was edited."""

import re

_SPACE = re.compile(r"\s+")
# Comparing costs the product of the lengths; of a longer text the beginning tells enough.
_MOST_PATTERN = 1_000
_MOST_TEXT = 8_000


def retained(accepted: str, now: str) -> float:
    """Return the share of a text that is found in another, from 0 to 1.

    It is 1 less the edit distance to the most similar part of `now`, by the length of `accepted`.
    What was written before or behind it does not count against it, nor does white space, which
    formatters change.

    Args:
        accepted: The text as it was accepted.
        now: What stands at its place.
    """
    pattern = _SPACE.sub(" ", accepted.strip())[:_MOST_PATTERN]
    text = _SPACE.sub(" ", now.strip())[:_MOST_TEXT]
    if not pattern:
        return 1.0
    return 1.0 - _distance(pattern, text) / len(pattern)


def _distance(pattern: str, text: str) -> int:
    """Return the least edit distance between a pattern and any part of a text.

    The algorithm is that of Myers, "A fast bit-vector algorithm for approximate string matching
    based on dynamic programming", 1999, with Python's integers as vectors of any width: a column
    of the table of distances is kept as the signs of its steps.
    """
    if pattern in text:
        return 0
    size = len(pattern)
    everywhere = (1 << size) - 1
    last = 1 << (size - 1)
    matches: dict[str, int] = {}
    for position, char in enumerate(pattern):
        matches[char] = matches.get(char, 0) | 1 << position
    rises, falls = everywhere, 0
    distance = best = size
    for char in text:
        equal = matches.get(char, 0)
        down = equal | falls
        level = ((equal & rises) + rises) ^ rises | equal
        up = falls | ~(level | rises) & everywhere
        fall = rises & level
        if up & last:
            distance += 1
        elif fall & last:
            distance -= 1
        best = min(best, distance)
        up, fall = up << 1, fall << 1
        rises = (fall | ~(down | up)) & everywhere
        falls = up & down
    return best
