"""One line or a block."""

import pytest

from sirdab.completion.shape import Shape, decide


@pytest.mark.parametrize(
    ("before", "rest", "multiline", "expected"),
    [
        ("x = ", "", "auto", Shape.LINE),
        ("def f():", "", "auto", Shape.BLOCK),
        ("def f():\n    ", "", "auto", Shape.BLOCK),
        ("def f():\n", "", "auto", Shape.BLOCK),
        ('def f():\n    """Doc."""\n    ', "", "auto", Shape.BLOCK),
        ("function f() {\n  ", "", "auto", Shape.BLOCK),
        ("const g = () =>", "", "auto", Shape.BLOCK),
        ("if x then", "", "auto", Shape.BLOCK),
        ("local function max(a, b)", "", "auto", Shape.BLOCK),
        ("M.max = function(a, b)\n  ", "", "auto", Shape.BLOCK),
        ("x = max(a, b)", "", "auto", Shape.LINE),
        ("f(", ")", "auto", Shape.LINE),
        ("x = 1\n", "", "auto", Shape.LINE),
        ("def f():\n    ", "", "never", Shape.LINE),
        ("x = ", "", "always", Shape.BLOCK),
        ("x = ", " + 1", "always", Shape.LINE),
    ],
)
def test_decides(before: str, rest: str, multiline: str, expected: Shape) -> None:
    assert decide(before, rest, multiline) is expected  # type: ignore[arg-type]
