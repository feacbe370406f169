"""Finds the place where a model goes round in a circle.

Small models do so often, and never stop by themselves. Two kinds are known: a short piece again
and again, as in `0, 0, 0, 0`, and lines that come back in the same order.
"""

import re
from collections.abc import Hashable, Sequence

# Tokens as a reader sees them: a word, a run of one sign, a run of blanks, a line end.
_TOKEN = re.compile(r"\w+|\n|[^\S\n]+|([^\w\s])\1*")
# A text is a circle when a pattern of at most the first number of tokens fills the last ones of
# the second number. The figures are those that GitHub Copilot's client uses (`@vscode/chat-lib`,
# its repetition filter); a real list of numbers is longer than the shortest and so is kept at
# the price of a few tokens.
_CIRCLES = ((1, 10), (10, 30), (20, 45), (30, 60))
_MOST_TOKENS = max(considered for _, considered in _CIRCLES)
# Characters that hold as many tokens; a token longer than the rest of them is no pattern.
_SEARCHED = 1_200
_TAILS = ((3, 6), (10, 4))
# Characters of a line's end that are searched for such a tail.
_SEARCHED_TAIL = 240
# Lines in a row that say the same: shown whole, three are never what a person was about to write.
_SAME_LINES = 3
# A group of up to so many lines that comes three times in a row.
_GROUP_LINES = 4


def borders(items: Sequence[Hashable]) -> list[int]:
    """Return, for each beginning of a sequence, how long its longest border is.

    A border is a beginning that is an end as well. The table of Knuth, Morris and Pratt ("Fast
    Pattern Matching in Strings", 1977), made in one pass: what is left of a sequence without its
    longest border is its shortest period.
    """
    table = [0] * len(items)
    size = 0
    for place in range(1, len(items)):
        while size and items[place] != items[size]:
            size = table[size - 1]
        size += items[place] == items[size]
        table[place] = size
    return table


def period(items: Sequence[Hashable]) -> int:
    """Return the shortest period of a sequence: its length when it has none."""
    return len(items) - borders(items)[-1] if items else 0


def overlap(text: str, following: str) -> int:
    """Return how many characters of the beginning of a text another text ends with already."""
    most = min(len(text), len(following))
    # A sign that is in neither keeps a border from reaching over the seam.
    return borders([*following[:most], None, *text[len(text) - most :]])[-1] if most else 0


def ends_in_circle(line: str) -> bool:
    """Whether a line ends in a piece of 3 characters six times over, or of 10 four times over.

    The figures are tabby-agent's. A ruler, one sign again and again, is none.
    """
    tail = line[: -_SEARCHED_TAIL - 1 : -1]
    for place, border in enumerate(borders(tail)):
        size = place + 1
        step = size - border
        if step == 1 and not tail[0].isalnum():
            continue
        if any(size >= times * step * -(-least // step) for least, times in _TAILS):
            return True
    return False


def is_circle(text: str) -> bool:
    """Whether a text ends in a short piece again and again."""
    tokens = [match[0] for match in _TOKEN.finditer(text[-_SEARCHED:])][-_MOST_TOKENS:]
    return any(
        len(tokens) >= considered and period(tokens[-considered:]) <= pattern
        for pattern, considered in _CIRCLES
    )


def unrepeated_lines(lines: Sequence[str]) -> int | None:
    """Return how many lines there are before they repeat themselves; None when they do not.

    One round of what is repeated stays.
    """
    said = [line.strip() for line in lines]
    for number in range(len(said)):
        if said[number] and said[number : number + _SAME_LINES] == [said[number]] * _SAME_LINES:
            return number + 1
        for size in range(2, _GROUP_LINES + 1):
            group = said[number : number + size]
            if any(group) and said[number : number + 3 * size] == group * 3:
                return number + size
    return None
