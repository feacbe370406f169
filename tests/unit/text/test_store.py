"""What a `Text` holds, and what an edit leaves of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.text import store
from sirdab.text.store import Point, Text

CONTENTS = st.text(
    alphabet=st.sampled_from("ab\n\r\t é√😀\x0b\x0c\x85\u2028\u2029\u0301\x00\ud83d\ude00"),
    max_size=60,
)


def check_lines(content: str, expect: list[str]) -> None:
    text = Text.from_str(content)
    assert list(text.lines()) == expect
    assert text.line_count == len(expect)
    assert [text.line(number) for number in range(text.line_count)] == expect
    assert [text.line_body(number) for number in range(text.line_count)] == [
        line.rstrip("\r\n") for line in expect
    ]
    assert str(text) == content
    assert text.char_count == len(content)


@pytest.mark.parametrize(
    ("content", "expect"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a\n", ""]),
        ("a\nb", ["a\n", "b"]),
        ("\n", ["\n", ""]),
        ("\r", ["\r", ""]),
        ("\r\n", ["\r\n", ""]),
        ("\n\r", ["\n", "\r", ""]),
        ("\r\r\n\n", ["\r", "\r\n", "\n", ""]),
        ("a\rb\r\nc\nd", ["a\r", "b\r\n", "c\n", "d"]),
        (
            "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i",
            ["a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i"],
        ),
        ("\ud83d\n\ude00", ["\ud83d\n", "\ude00"]),
    ],
)
def test_only_lsp_line_ends_end_a_line(content: str, expect: list[str]) -> None:
    check_lines(content, expect)


def check_edit(
    before: str, start: tuple[int, int], stop: tuple[int, int], new: str, after: str
) -> None:
    text = Text(before)
    edited = text.replace(Point(*start), Point(*stop), new)
    assert str(edited) == after
    # An edited text must be what the same content read afresh would be.
    assert list(edited.lines()) == list(Text(after).lines())
    assert edited.char_count == len(after)
    assert edited.line_end == Text(after).line_end
    assert str(text) == before


@pytest.mark.parametrize(
    ("before", "start", "stop", "new", "after"),
    [
        ("", (0, 0), (0, 0), "x", "x"),
        ("abc", (0, 1), (0, 2), "", "ac"),
        ("abc\n", (1, 0), (1, 0), "d", "abc\nd"),
        ("a\nb\nc", (0, 1), (2, 0), "", "ac"),
        ("a\nb\nc", (0, 0), (2, 1), "", ""),
        ("a\nb", (0, 1), (0, 1), "\nx", "a\nx\nb"),
        # The end comes first.
        ("abc", (0, 2), (0, 1), "X", "aXc"),
        # Past the line's end is before its line end; past the last line is the end.
        ("a\r\nb", (0, 9), (0, 9), "X", "aX\r\nb"),
        ("a\nb", (7, 0), (9, 9), "X", "a\nbX"),
        ("a\nb", (0, 0), (99, 0), "X", "X"),
        ("a\nb", (-1, 5), (0, -3), "X", "Xa\nb"),
        # The halves of a line end meet, part and are left alone.
        ("a\rb", (1, 0), (1, 0), "\n", "a\r\nb"),
        ("a\nb", (0, 1), (0, 1), "\r", "a\r\nb"),
        ("a\rX\nb", (1, 0), (1, 1), "", "a\r\nb"),
        ("a\r\nb", (0, 1), (0, 1), "\r", "a\r\r\nb"),
        ("a\r\nb", (1, 0), (1, 0), "\n", "a\r\n\nb"),
        ("a\r\nb", (0, 1), (1, 0), "\r", "a\rb"),
        ("a\r\rb", (1, 0), (1, 0), "x", "a\rx\rb"),
        ("\r\nb", (0, 0), (1, 0), "\n", "\nb"),
        ("a\r", (1, 0), (1, 0), "\n", "a\r\n"),
    ],
)
def test_an_edit_gives_the_text_that_reading_its_content_gives(
    before: str, start: tuple[int, int], stop: tuple[int, int], new: str, after: str
) -> None:
    check_edit(before, start, stop, new, after)


@pytest.mark.parametrize(
    ("content", "expect"),
    [
        ("", "\n"),
        ("a", "\n"),
        ("a\r\nb\r\nc\n", "\r\n"),
        ("a\rb\rc\n", "\r"),
        ("a\r\nb\n", "\n"),
    ],
)
def test_the_dominant_line_end_is_what_most_lines_have(content: str, expect: str) -> None:
    assert Text(content).line_end == expect


@pytest.mark.parametrize(
    ("point", "expect"),
    [
        ((0, 0), (0, 0)),
        ((0, 2), (0, 2)),
        ((0, 3), (0, 2)),
        ((0, 4), (0, 2)),
        ((1, 1), (1, 0)),
        ((2, 99), (2, 3)),
        ((3, 0), (2, 3)),
        ((-1, 7), (0, 0)),
        ((2, -7), (2, 0)),
    ],
)
def test_a_point_is_clamped_before_the_line_end(
    point: tuple[int, int], expect: tuple[int, int]
) -> None:
    assert Text("ab\r\n\nxyz").clamp(Point(*point)) == expect


@pytest.mark.parametrize("number", [-1, 2, 99])
def test_a_line_that_is_not_there_is_an_error(number: int) -> None:
    with pytest.raises(IndexError):
        Text("a\nb").line(number)


def test_a_slice_of_lines_is_clamped() -> None:
    text = Text("".join(f"{number}\n" for number in range(2000)))
    assert list(text.lines(-5, 2)) == ["0\n", "1\n"]
    assert list(text.lines(1999)) == ["1999\n", ""]
    assert list(text.lines(255, 515)) == [f"{number}\n" for number in range(255, 515)]
    assert list(text.lines(5, 5)) == []
    assert list(text.lines(9, 3)) == []


def test_an_edit_shares_the_rest_of_a_long_text() -> None:
    text = Text("line\n" * 10_000)
    edited = text.replace(Point(5_000, 2), Point(5_000, 2), "x")
    shared = sum(a is b for a, b in zip(text._chunks, edited._chunks, strict=True))
    assert shared == len(text._chunks) - 1


def test_thinning_every_chunk_leaves_no_crowd_of_tiny_ones() -> None:
    size = store._CHUNK
    content = [f"{number}\n" for number in range(40 * size)]
    text = Text("".join(content))
    for start in range(39 * size, -1, -size):
        text = text.replace(Point(start + 2, 0), Point(start + size - 2, 0), "")
    kept = [line for number, line in enumerate(content) if (number + 2) % size < 4]
    assert list(text.lines()) == [*kept, ""]
    assert len(text._chunks) <= 1 + len(kept) // store._CHUNK_MIN


def test_growing_line_by_line_keeps_chunks_bounded() -> None:
    text = Text("")
    for number in range(3_000):
        text = text.replace(text.end, text.end, f"{number}\n")
    assert str(text) == "".join(f"{number}\n" for number in range(3_000))
    assert max(map(len, text._chunks)) <= store._CHUNK_MAX


def test_the_representation_holds_no_content() -> None:
    assert "hunter2" not in repr(Text("password = hunter2"))


@given(CONTENTS, CONTENTS, st.data())
def test_slice_and_replace_agree_with_the_string(
    content: str, new: str, data: st.DataObject
) -> None:
    text = Text(content)
    points = st.builds(
        Point, st.integers(0, text.line_count), st.integers(0, 1 + max(map(len, text.lines())))
    )
    start, stop = sorted((text.clamp(data.draw(points)), text.clamp(data.draw(points))))
    low, high = (
        sum(len(line) for line in text.lines(0, point.line)) + point.column
        for point in (start, stop)
    )
    assert text.slice(start, stop) == content[low:high]
    check_edit(content, start, stop, new, content[:low] + new + content[high:])
