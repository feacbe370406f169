"""A row of figures as a row of little bars."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_NOTHING = "·"


def sparkline(values: Sequence[float], width: int) -> str:
    """Return one character for each figure, as high as its share of the highest.

    Args:
        values: The figures, none below 0; a 0 is a dot, so that it differs from little.
        width: Most characters; of more figures, neighbours are added up.
    """
    if not values or width < 1:
        return ""
    each = -(-len(values) // width)
    # The last group is the one that is whole: it ends today.
    short = len(values) % each
    groups = [values[:short]] if short else []
    groups += [values[start : start + each] for start in range(short, len(values), each)]
    sums = [sum(group) for group in groups]
    highest = max(sums)
    return "".join(
        _BARS[min(int(value / highest * len(_BARS)), len(_BARS) - 1)] if value else _NOTHING
        for value in sums
    )
