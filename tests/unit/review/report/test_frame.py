"""Code frames: the marks stand under what they are about, whatever the line is made of."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sirdab.policy.sanitize import visible
from sirdab.review.report.frame import frame
from sirdab.review.report.text import shown_in
from sirdab.text.store import Point, Text


def drawn(
    content: str,
    start: tuple[int, int],
    stop: tuple[int, int],
    width: int = 120,
    shown: Callable[[str], str] = visible,
) -> list[str]:
    lines = frame(Text(content), Point(*start), Point(*stop), width=width, shown=shown)
    return ["".join(piece.text for piece in line) for line in lines]


CASES = {
    "one line with its neighbours": (
        "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n",
        ((3, 4), (3, 5)),
        ["  2 | b = 2", "  3 | c = 3", "> 4 | d = 4", "    |     ^", "  5 | e = 5", "  6 | f = 6"],
    ),
    "the first line": ("abc\n", ((0, 0), (0, 3)), ["> 1 | abc", "    | ^^^"]),
    "the numbers are as wide as the widest": (
        "a\n" * 10,
        ((9, 0), (9, 1)),
        ["   8 | a", "   9 | a", "> 10 | a", "     | ^"],
    ),
    "a tab is as wide as it looks": (
        "\tif\tx:\n",
        ((0, 1), (0, 5)),
        ["> 1 |     if  x:", "    |     ^^^^^"],
    ),
    "wide characters take two columns": (
        'x = "漢字" + y',
        ((0, 11), (0, 12)),
        ['> 1 | x = "漢字" + y', "    |              ^"],
    ),
    "a mark on a letter takes none": (
        "e\u0301 = 1; f",
        ((0, 8), (0, 9)),
        ["> 1 | e\u0301 = 1; f", "    |        ^"],
    ),
    "what a terminal would obey is written out": (
        "a\x1b[31m = 1",
        ((0, 0), (0, 1)),
        ["> 1 | a\\x1b[31m = 1", "    | ^"],
    ),
    "what reorders a line is written out": (
        "s = '\u202e' # x",
        ((0, 4), (0, 7)),
        ["> 1 | s = '\\u202e' # x", "    |     ^^^^^^^^"],
    ),
    "several lines": (
        "f(\n    a,\n\n)\n",
        ((0, 0), (3, 1)),
        ["> 1 | f(", "    | ^^", "> 2 |     a,", "    |     ^^", "> 3 |", "> 4 | )", "    | ^"],
    ),
    "blank lines around are left out, but not those between": (
        "\na\n\nb\n\nc\n",
        ((3, 0), (3, 1)),
        ["  2 | a", "  3 |", "> 4 | b", "    | ^", "  5 |", "  6 | c"],
    ),
    "a place of no width": ("abc", ((0, 1), (0, 1)), ["> 1 | abc", "    |  ^"]),
    "a place behind the line's end": ("abc", ((0, 9), (0, 12)), ["> 1 | abc", "    |    ^"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_frame(name: str) -> None:
    content, (start, stop), expected = CASES[name]
    assert drawn(content, start, stop) == expected


def test_the_middle_of_a_long_finding_is_left_out() -> None:
    lines = drawn("".join(f"f{number}()\n" for number in range(40)), (2, 0), (30, 5))
    assert len(lines) < 25
    assert "  ... |" in lines
    assert any("f30()" in line for line in lines)
    assert not any("f20()" in line for line in lines)


def test_a_long_line_is_cut_to_where_the_finding_is() -> None:
    content = "x = [" + "1, " * 400 + "evil()" + ", 2" * 400 + "]"
    at = content.index("evil()")
    code, marks = drawn(content, (0, at), (0, at + 6), width=60)
    assert cell_len(code) <= 60
    assert "..." in code
    assert code[marks.index("^") : marks.rindex("^") + 1] == "evil()"


def test_what_the_output_cannot_hold_is_written_as_an_escape() -> None:
    code, marks = drawn('x = "漢" + y', (0, 10), (0, 11), shown=shown_in("latin-1"))
    assert code == '> 1 | x = "\\u6f22" + y'
    assert code[marks.index("^")] == "y"
    code.encode("latin-1")


@given(
    st.text(alphabet=st.sampled_from("ab \t漢e\u0301😀\u200d\x1b\u202e\r\n{}|^"), max_size=200),
    st.integers(0, 12),
    st.integers(0, 40),
    st.integers(0, 3),
    st.integers(0, 40),
    st.integers(1, 90),
)
def test_any_text_and_any_place(
    content: str, line: int, column: int, more: int, stop: int, width: int
) -> None:
    text = Text(content)
    line = min(line, text.line_count - 1)
    lines = drawn(content, (line, column), (line + more, stop), width=width)
    assert any(one.startswith(">") for one in lines)
    for one in lines:
        assert one.isprintable()
        # A gutter of its own width, and never fewer than 24 columns of code.
        assert cell_len(one) <= max(width, 24 + 8)
