"""Reads values out of decoded JSON whose types a server decides.

Each function returns a neutral value for what is absent or of another type, so that a server that
sends nonsense is one that says nothing.
"""

import math
from collections.abc import Iterator
from typing import cast

_LARGEST_FIGURE = 1e15


def figure(value: object) -> float:
    """Return a number that can be reckoned with: 0 for what is absent, negative or absurd."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    # Comparing first keeps an integer of a thousand digits out of float().
    if not 0 <= value <= _LARGEST_FIGURE or not math.isfinite(value):
        return 0.0
    return float(value)


def count(value: object) -> int:
    """Return a number of things, 0 for what is none."""
    return int(figure(value))


def text(value: object) -> str:
    """Return a string, "" for what is none."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> dict[str, object]:
    """Return a JSON object, an empty one for what is none."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def objects(value: object) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of a list, nothing for what is none."""
    if isinstance(value, list):
        for one in cast("list[object]", value):
            if isinstance(one, dict):
                yield cast("dict[str, object]", one)


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a list, () for what is none."""
    if not isinstance(value, list):
        return ()
    return tuple(one for one in cast("list[object]", value) if isinstance(one, str))
