"""Finds the lines of a text that differ from another state of it, in time that has a bound.

The method is Bram Cohen's "patience diff": what two texts share at both ends is cut off, lines that
occur just once in each of them and in the same order are taken as the same, and what lies
between these is compared in the same way. It never says that a line is old which is not;
among lines that repeat it may call more new than there are, which costs a question more.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from sirdab.text.common import agreeing

# How often what lies between is compared again. Each time costs no more than reading both texts.
_DEPTH = 12


def changed_lines(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the stretches of `new` that are not in `old`.

    Args:
        old: Lines without line ends.
        new: Lines without line ends, at least one.

    Returns:
        First and last line (0-based, inclusive) of each stretch, from top to bottom; they neither
        touch nor overlap. Where lines were only taken out, the line before and the one after count.
    """
    gaps: list[tuple[int, int, int, int]] = []
    _compare(old, new, (0, len(old), 0, len(new)), _DEPTH, gaps)
    stretches: list[tuple[int, int]] = []
    for _, _, begin, end in gaps:
        only_out = begin == end
        first = max(begin - 1, 0) if only_out else begin
        stop = min(end + 1, len(new)) if only_out else end
        if stretches and first <= stretches[-1][1] + 1:
            stretches[-1] = (stretches[-1][0], max(stop - 1, stretches[-1][1]))
        else:
            stretches.append((first, stop - 1))
    return stretches


def _compare(
    old: Sequence[str],
    new: Sequence[str],
    within: tuple[int, int, int, int],
    depth: int,
    gaps: list[tuple[int, int, int, int]],
) -> None:
    """Add the parts of `within` (start and end in both texts) that differ, from top to bottom."""
    start, end, first, stop = within
    most = min(end - start, stop - first)
    same = agreeing(most, lambda a, b: old[start + a : start + b] == new[first + a : first + b])
    start, first, most = start + same, first + same, most - same
    same = agreeing(most, lambda a, b: old[end - b : end - a] == new[stop - b : stop - a])
    end, stop = end - same, stop - same
    if start == end and first == stop:
        return
    anchors = _anchors(old, new, (start, end, first, stop)) if depth else []
    if not anchors:
        gaps.append((start, end, first, stop))
        return
    for place, row in (*anchors, (end, stop)):
        _compare(old, new, (start, place, first, row), depth - 1, gaps)
        start, first = place + 1, row + 1


def _anchors(
    old: Sequence[str], new: Sequence[str], within: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Return the lines that occur once in both parts, as many as stand in the same order."""
    start, end, first, stop = within
    before, after = Counter(old[start:end]), Counter(new[first:stop])
    rows = {new[row]: row for row in range(first, stop)}
    pairs = [
        (place, rows[line])
        for place in range(start, end)
        if before[line := old[place]] == 1 and after.get(line) == 1
    ]
    # The longest run in which both numbers rise: the piles of patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    below: list[int] = []
    for number, (_, row) in enumerate(pairs):
        pile = bisect_left(tops, row)
        below.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(row)
            piles.append(number)
        else:
            tops[pile], piles[pile] = row, number
    found: list[tuple[int, int]] = []
    at = piles[-1] if piles else -1
    while at >= 0:
        found.append(pairs[at])
        at = below[at]
    return found[::-1]
