"""Where the prompt is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.completion.heal import heal


@pytest.mark.parametrize(
    ("before", "backed_up"),
    [
        ("", ""),
        ("x = 1\n", ""),
        ("def f():\n    ", "    "),
        ("def f():\n\t", "\t"),
        ("    return ", " "),
        ("    return", " return"),
        ("return", "return"),
        ("    retu", " retu"),
        ("self.it", ".it"),
        ("self.", "."),
        ("foo(", "("),
        ("foo(bar", "(bar"),
        ("foo((bar", "bar"),
        ("x +=", " +="),
        ("x += ite", " ite"),
        ("some_name", "_name"),
        ("x = 12", "2"),
        ("naïve_é", "_é"),
        ("s = '漢字", "漢字"),
        ("# " + "=" * 60, ""),
        ("a\nb\n\n", ""),
        # Arguments that are aligned under a bracket far to the right.
        ("call(a,\n" + " " * 47, " " * 47),
        (" " * 400, ""),
    ],
)
def test_backs_up_to_the_last_token_boundary(before: str, backed_up: str) -> None:
    assert heal(before) == (before[: len(before) - len(backed_up)], backed_up)


@given(st.text())
def test_the_parts_are_the_whole_and_no_line_end_is_backed_up(before: str) -> None:
    kept, backed_up = heal(before)
    assert kept + backed_up == before
    assert "\n" not in backed_up.rstrip("\n") or backed_up == ""
