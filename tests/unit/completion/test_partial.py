"""What of an unfinished answer can be shown."""

import pytest

from sirdab.completion.partial import standing


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("", ""),
        ("retu", ""),
        ("width * hei", ""),
        ("area(width, hei", ""),
        ("area(width, height)", "area(width, height)"),
        ("area(width, height) * fact", "area(width, height)"),
        ("items[0].na", "items[0]"),
        ("print('a b", ""),
        ("print('a b')", "print('a b')"),
        ("'it\\'s' + na", "'it\\'s'"),
        ("'a)' + f(b", "'a)'"),
        # A backslash that is escaped itself escapes nothing.
        (r"'a\\', 'b', c", r"'a\\', 'b'"),
        (r"'a\\', 'b", r"'a\\'"),
        # Closes what the user has opened: the rest of the line is another thought.
        ("width, height) + rest(", "width, height)"),
        ("a]) and more", "a]"),
        ("first = 1\nsecond = ", "first = 1"),
        ("first = 1\nsecond = 2\n", "first = 1\nsecond = 2"),
        ("\nsecond = f(x)", ""),
        ("\n    \n    x", ""),
    ],
)
def test_standing(written: str, shown: str) -> None:
    assert standing(written) == shown
