"""Positions: between the client's code units and our code points.

A client counts columns in the units of the encoding that was agreed on at `initialize`
(LSP 3.18, "Position"): bytes of UTF-8, 16-bit units of UTF-16, or code points (UTF-32).
"""

from enum import StrEnum
from typing import NamedTuple

from sirdab.text.store import Point, Text

_ASTRAL = 0x10000

# JSON can carry half a surrogate pair, and a client may hold one: it must be measured like
# any other character, not raise.
_ERRORS = "surrogatepass"


class Encoding(StrEnum):
    """What one unit of a column is (LSP 3.18, PositionEncodingKind)."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


class Place(NamedTuple):
    """A client's position in our terms, with what had to be given up to express it.

    Attributes:
        point: The position, clamped to the text and moved to the start of a character.
        inside: Units by which the position lies inside the character at `point`; 0 when it
            lies between two characters.
        lines_past: How many lines past the last one the position named; 0 when the line
            exists. 1 is usual: clients name the end of a document by the line after it.
    """

    point: Point
    inside: int
    lines_past: int


def to_point(text: Text, line: int, character: int, encoding: Encoding) -> Point:
    """Return a client's position as a point of the text.

    A character past the end of its line means the line's end before its line end; a line
    past the last one means the end of the text; a position inside a character means the
    start of that character. Negative numbers mean 0.

    Args:
        text: The text that the client speaks of.
        line: Line number, from 0.
        character: Column in units of `encoding`, from 0.
        encoding: The agreed encoding.
    """
    return to_place(text, line, character, encoding).point


def to_place(text: Text, line: int, character: int, encoding: Encoding) -> Place:
    """Do as `to_point` and also say how the position had to be adjusted."""
    count = text.line_count
    if line >= count:
        return Place(text.end, 0, line - count + 1)
    if line < 0 or character <= 0:
        return Place(Point(max(line, 0), 0), 0, 0)
    body = text.line_body(line)
    if encoding is Encoding.UTF32 or body.isascii():
        return Place(Point(line, min(character, len(body))), 0, 0)
    column, inside = (
        _utf8_column(body, character)
        if encoding is Encoding.UTF8
        else _utf16_column(body, character)
    )
    return Place(Point(line, column), inside, 0)


def to_units(text: Text, point: Point, encoding: Encoding) -> tuple[int, int]:
    """Return a point, clamped to the text, as the client's line and character.

    Args:
        text: The text that the point belongs to.
        point: Line and code point column.
        encoding: The agreed encoding.
    """
    line, column = text.clamp(point)
    return line, count_units(text.line(line)[:column], encoding)


def count_units(content: str, encoding: Encoding) -> int:
    """Return the length of a string in units of an encoding."""
    if encoding is Encoding.UTF32 or content.isascii():
        return len(content)
    if encoding is Encoding.UTF8:
        return len(content.encode("utf-8", _ERRORS))
    return len(content.encode("utf-16-le", _ERRORS)) // 2


def _utf8_column(body: str, character: int) -> tuple[int, int]:
    encoded = body.encode("utf-8", _ERRORS)
    if character >= len(encoded):
        return len(body), 0
    start = character
    # Continuation bytes are 0b10xxxxxx (RFC 3629, section 3).
    while encoded[start] & 0xC0 == 0x80:
        start -= 1
    return len(encoded[:start].decode("utf-8", _ERRORS)), character - start


def _utf16_column(body: str, character: int) -> tuple[int, int]:
    if max(body) < chr(_ASTRAL):
        return min(character, len(body)), 0
    units = 0
    for column, char in enumerate(body):
        after = units + (2 if ord(char) >= _ASTRAL else 1)
        if after > character:
            return column, character - units
        units = after
    return len(body), 0
