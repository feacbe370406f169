"""How much of an accepted text is still there."""

import random

import pytest

from sirdab.metrics.similarity import retained


@pytest.mark.parametrize(
    ("accepted", "now", "expect"),
    [
        ("return a + b", "return a + b", 1.0),
        ("return a + b", "    x = 1\n    return a + b\n    y", 1.0),
        ("if a:\n    return b", "if a:\n\treturn b", 1.0),
        ("return a + b", "", 0.0),
        ("abcdefghij", "abcdeXghij", 0.9),
        ("abcdefghij", "abcde", 0.5),
        ("abcdefghij", "abcdeXXfghij", 0.8),
        ("abcdefghij", "0123456789", 0.0),
        ("  \n ", "anything", 1.0),
    ],
)
def test_the_share_that_is_left(accepted: str, now: str, expect: float) -> None:
    assert retained(accepted, now) == pytest.approx(expect)


def edits_to_the_nearest_part(pattern: str, text: str) -> int:
    """The table of Sellers' algorithm, written out."""
    row = [0] * (len(text) + 1)
    for number, one in enumerate(pattern, 1):
        below = [number]
        for column, other in enumerate(text, 1):
            below.append(min(row[column] + 1, below[-1] + 1, row[column - 1] + (one != other)))
        row = below
    return min(row)


def test_it_is_the_edit_distance_to_the_nearest_part() -> None:
    chance = random.Random(7)
    for _ in range(400):
        pattern = "".join(chance.choice("abc") for _ in range(chance.randint(1, 70)))
        text = "".join(chance.choice("abcd") for _ in range(chance.randint(0, 90)))
        expect = 1 - edits_to_the_nearest_part(pattern, text) / len(pattern)
        assert retained(pattern, text) == pytest.approx(expect), (pattern, text)


def test_a_very_long_text_is_compared_by_its_beginning() -> None:
    text = "".join(f"line {number}\n" for number in range(100_000))
    assert retained(text, text) == 1.0
