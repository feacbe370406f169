"""Circles are found, and what only looks like one is not."""

from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.completion import repetition as rep


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a " * 16, True),
        ("foo(bar); " * 8, True),
        ("x = [" + "0, " * 12, True),
        ("x = [0, 0, 0, 0]", False),
        ("# " + "=" * 200, False),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaa", False),
        ("return self._cache.find(uri, conditions, self._composer.place(request))", False),
        ("", False),
    ],
)
def test_circle(text: str, expected: bool) -> None:
    assert rep.is_circle(text) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("abc" * 6, True),
        ("abc" * 5, False),
        ("x" + "0123456789" * 4, True),
        ("0123456789" * 3, False),
        ("ha" * 12, True),
        ("aaaaaaaaaaaaaaaaaa", True),
        ("# " + "-" * 100, False),
        ("    x = 1", False),
        ("abc" * 6 + "d", False),
        ("", False),
    ],
)
def test_ends_in_circle(line: str, expected: bool) -> None:
    assert rep.ends_in_circle(line) is expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a()\na()\na()", 1),
        ("x\na()\n  a()\na()\nb", 2),
        ("a()\nb()\na()\nb()\na()\nb()", 2),
        ("a()\nb()\na()\nb()", None),
        ("a\n\n\n\nb", None),
        ("a\nb\nc\nd\n" * 3, 4),
    ],
)
def test_unrepeated_lines(text: str, kept: int | None) -> None:
    assert rep.unrepeated_lines(text.split("\n")) == kept


@given(st.text("ab", max_size=40))
def test_period_is_the_shortest(text: str) -> None:
    found = rep.period(text)
    fits = [
        size
        for size in range(1, len(text) + 1)
        if all(text[place] == text[place - size] for place in range(size, len(text)))
    ]
    assert found == min(fits, default=0)


@given(st.text("ab", max_size=20), st.text("ab", max_size=20))
def test_overlap_is_the_longest(text: str, following: str) -> None:
    sizes = [
        size
        for size in range(min(len(text), len(following)) + 1)
        if text.endswith(following[:size])
    ]
    assert rep.overlap(text, following) == max(sizes)


class Counted:
    """An item that counts how often it is compared."""

    comparisons = 0

    def __init__(self, value: Hashable) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return isinstance(other, Counted) and self.value == other.value


@pytest.mark.parametrize("text", ["a" * 5_000, "ab" * 2_500, "a" * 4_999 + "b", "aab" * 1_600])
def test_borders_take_linear_time(text: str) -> None:
    Counted.comparisons = 0
    rep.borders([Counted(character) for character in text])
    assert Counted.comparisons <= 3 * len(text)
