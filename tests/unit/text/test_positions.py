"""Positions in the units of each encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.text.positions import Encoding, count_units, to_place, to_point, to_units
from sirdab.text.store import Point, Text

U8, U16, U32 = Encoding.UTF8, Encoding.UTF16, Encoding.UTF32
WIDE = "aé√😀e\u0301\ud83dz"


@pytest.mark.parametrize(
    ("encoding", "character", "column"),
    [
        (U32, 0, 0),
        (U32, 4, 4),
        (U32, 8, 8),
        (U32, 9, 8),
        (U16, 3, 3),
        (U16, 4, 3),  # inside the pair
        (U16, 5, 4),
        (U16, 8, 7),  # behind the lone half
        (U16, 9, 8),
        (U16, 99, 8),
        (U8, 1, 1),
        (U8, 2, 1),  # inside two bytes
        (U8, 3, 2),
        (U8, 4, 2),
        (U8, 5, 2),  # inside three bytes
        (U8, 6, 3),
        (U8, 9, 3),  # inside four bytes
        (U8, 10, 4),
        (U8, 13, 6),
        (U8, 15, 6),  # inside the lone half
        (U8, 16, 7),
        (U8, 17, 8),
        (U8, 99, 8),
        (U8, -1, 0),
    ],
)
def test_a_column_is_counted_in_the_units_of_the_encoding(
    encoding: Encoding, character: int, column: int
) -> None:
    assert to_point(Text(f"first\n{WIDE}\r\nlast"), 1, character, encoding) == (1, column)


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize(
    ("position", "point"),
    [
        ((0, 5), (0, 2)),
        ((1, 7), (1, 1)),
        ((2, 0), (2, 0)),
        ((2, 2**31 - 1), (2, 0)),
        ((3, 0), (2, 0)),
        ((2**31 - 1, 2**31 - 1), (2, 0)),
        ((-1, 3), (0, 0)),
    ],
)
def test_positions_outside_the_text_are_clamped(
    encoding: Encoding, position: tuple[int, int], point: tuple[int, int]
) -> None:
    assert to_point(Text("ab\r\né\n"), *position, encoding) == point


@pytest.mark.parametrize(
    ("encoding", "line", "character", "inside", "past"),
    [
        (U16, 0, 1, 1, 0),
        (U16, 0, 2, 0, 0),
        (U8, 0, 3, 3, 0),
        (U32, 0, 1, 0, 0),
        (U8, 2, 0, 0, 1),
        (U8, 9, 0, 0, 8),
        (U8, 1, 9, 0, 0),
    ],
)
def test_a_place_says_what_was_adjusted(
    encoding: Encoding, line: int, character: int, inside: int, past: int
) -> None:
    place = to_place(Text("😀\nx"), line, character, encoding)
    assert (place.inside, place.lines_past) == (inside, past)


@pytest.mark.parametrize(
    ("encoding", "point", "units"),
    [
        (U8, (1, 8), (1, 17)),
        (U16, (1, 8), (1, 9)),
        (U32, (1, 8), (1, 8)),
        (U16, (1, 99), (1, 9)),
        (U16, (7, 0), (2, 4)),
        (U8, (0, 3), (0, 3)),
    ],
)
def test_a_point_is_said_in_the_units_of_the_encoding(
    encoding: Encoding, point: tuple[int, int], units: tuple[int, int]
) -> None:
    assert to_units(Text(f"first\n{WIDE}\r\nlast"), Point(*point), encoding) == units


@given(
    st.text(alphabet=st.sampled_from("ab é√😀\u0301\ud83d\ude00𝔸"), max_size=30),
    st.sampled_from(Encoding),
)
def test_every_column_survives_the_way_there_and_back(body: str, encoding: Encoding) -> None:
    text = Text(f"{body}\nnext")
    for column in range(len(body) + 1):
        line, character = to_units(text, Point(0, column), encoding)
        assert to_place(text, line, character, encoding) == (Point(0, column), 0, 0)
        assert character == count_units(body[:column], encoding)
