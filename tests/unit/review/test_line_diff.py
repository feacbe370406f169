"""Changed lines: none that is new is called old, and edits are found where they were made."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.review.line_diff import changed_lines


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("a b c", "a b c", []),
        ("", "a b", [(0, 1)]),
        ("a b c", "a x c", [(1, 1)]),
        ("a b c", "x a b c", [(0, 0)]),
        ("a b c", "a b c x y", [(3, 4)]),
        # Taken out: the lines around it.
        ("a b c d", "a c d", [(0, 1)]),
        ("a b c", "a b", [(1, 1)]),
        ("a b c", "b c", [(0, 0)]),
        ("a b c d e", "x b c d y", [(0, 0), (4, 4)]),
        # Moved: what kept its order with the most others is the same.
        ("a b c d", "d a b c", [(0, 0), (3, 3)]),
        # Repeated lines, of which none occurs once.
        ("} } }", "} } } }", [(3, 3)]),
        ("f { } g { }", "f { } h { } g { }", [(3, 5)]),
    ],
)
def test_changes(old: str, new: str, changed: list[tuple[int, int]]) -> None:
    assert changed_lines(old.split(), new.split()) == changed


LINES = st.lists(st.sampled_from("abcdefgh{}"), max_size=60)


@given(LINES, LINES.filter(bool))
def test_what_is_not_changed_stands_in_the_old_text_in_the_same_order(
    old: list[str], new: list[str]
) -> None:
    stretches = changed_lines(old, new)
    rows = [row for first, last in stretches for row in range(first, last + 1)]
    assert rows == sorted(set(rows))
    assert all(0 <= row < len(new) for row in rows)
    # Neither touching nor overlapping.
    assert all(one[1] + 1 < two[0] for one, two in pairwise(stretches))
    left = iter(old)
    assert all(line in left for row, line in enumerate(new) if row not in set(rows))
    assert bool(stretches) == (old != new)


def test_a_large_text_of_the_same_line_takes_no_time() -> None:
    # With a diff that compares each line with each other one this does not come to an end.
    old = ["}"] * 60_000
    assert changed_lines(old, ["{", *old, "{"]) == [(0, 60_001)]
