"""What is taken for text."""

import pytest

from sirdab.policy import limits


@pytest.mark.parametrize(
    ("content", "expect"),
    [
        ("", False),
        ("print('hello')\n", False),
        ("\x1b[0m\x0c", False),
        ("GIF89a\0\x01", True),
        ("a" * limits.BINARY_SNIFF_CHARACTERS + "\0", False),
    ],
)
def test_a_nul_near_the_start_means_binary(content: str, expect: bool) -> None:
    assert limits.looks_binary(content) is expect
