"""Changes as steps: what they do to places, and how many keys they were."""

import random

import pytest

from sirdab.server.edit_steps import Span, Step, keys_in, steps_of
from sirdab.text.document import Change, Range
from sirdab.text.positions import Encoding
from sirdab.text.store import Point, Text


def step(old: str, new: str, line: int = 0, column: int = 4) -> Step:
    start = Point(line, column)
    return Step(start, Step(start, start, "", old).end, old, new)


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ("", "a", 1),
        ("", "abc", 3),
        ("", "()", 1),
        ("", '""', 1),
        ("", "\n    ", 1),
        ("", "\n", 1),
        ("a", "", 1),
        ("    ", "", 1),
        ("name", "", 0),
        ("", "return a + b", 0),
        ("", "a\nb", 0),
        ("pri", "print", 2),
        ("old", "new", 0),
        ("same", "same", 0),
    ],
)
def test_how_many_keys_a_change_was(old: str, new: str, keys: int) -> None:
    assert keys_in([step(old, new)]) == keys


def test_the_same_key_at_several_cursors_is_one() -> None:
    assert keys_in([step("", "a"), step("", "a", 3)]) == 1
    assert keys_in([step("", "a"), step("b", "", 3), step("", "xyz", 4)]) == 0
    assert keys_in([]) == 0
    assert keys_in([None]) == 0


@pytest.mark.parametrize(
    ("old", "new", "least"),
    [
        ("abc", "abXc", (6, "", "X")),
        ("abc", "ac", (5, "b", "")),
        ("aaa", "aa", (6, "a", "")),
        ("abc", "abc", (7, "", "")),
        ("", "abc", (4, "", "abc")),
        ("abc", "xyz", (4, "abc", "xyz")),
    ],
)
def test_the_least_step(old: str, new: str, least: tuple[int, str, str]) -> None:
    found = step(old, new).least
    assert (found.start.column, found.old, found.new) == least
    assert found.stop.column == found.start.column + len(found.old)


def test_a_span_holds_on_to_its_text_through_any_edits_around_it() -> None:
    chance = random.Random(3)
    for _ in range(300):
        text = Text("".join(chance.choice("ab\n") for _ in range(60)))
        points = [Point(line, 0) for line in range(text.line_count)]
        first, last = sorted(chance.sample(points, 2)) if len(points) > 1 else (points[0],) * 2
        span = Span(first, last)
        inside = text.slice(*span)
        for _ in range(6):
            # Only edits that do not touch it.
            before = chance.random() < 0.5
            low, high = (Point(0, 0), span.start) if before else (span.stop, text.end)
            lines = range(low.line, high.line + 1)
            spots = sorted(
                max(low, min(high, text.clamp(Point(chance.choice(lines), chance.randint(0, 9)))))
                for _ in range(2)
            )
            new = "".join(chance.choice("xy\n") for _ in range(chance.randint(0, 5)))
            change = Change(Range(*spots[0], *spots[1]), new)
            (found,) = steps_of(text, [change], Encoding.UTF32)
            assert found is not None
            span = span.after(found)
            text = text.replace(spots[0], spots[1], new)
            assert text.slice(*span) == inside


@pytest.mark.parametrize(
    ("first", "last", "new", "expect"),
    [
        (0, 2, "y", (3, 7)),
        (0, 4, "y", (1, 5)),
        (2, 6, "y", (2, 5)),
        (4, 8, "", (4, 4)),
        (5, 6, "yyy", (4, 10)),
        (6, 10, "y", (4, 7)),
        (8, 10, "y", (4, 8)),
        (2, 10, "y", (2, 3)),
        (4, 4, "y", (5, 9)),
        (8, 8, "y", (4, 8)),
    ],
)
def test_what_replaces_a_part_of_a_span_belongs_to_it(
    first: int, last: int, new: str, expect: tuple[int, int]
) -> None:
    made = Step(Point(0, first), Point(0, last), "x" * (last - first), new)
    span = Span(Point(0, 4), Point(0, 8)).after(made)
    assert (span.start.column, span.stop.column) == expect


def test_a_new_content_is_the_lines_that_differ() -> None:
    before = Text("a\nb\nc\nd\n")
    (found,) = steps_of(before, [Change(None, "a\nB\nB\nc\nd\n")], Encoding.UTF16)
    assert found == Step(Point(1, 0), Point(2, 0), "b\n", "B\nB\n")
    (found,) = steps_of(before, [Change(None, str(before))], Encoding.UTF16)
    assert found is not None
    assert found.least.old == found.least.new == ""


def test_a_new_content_of_a_long_document_is_not_looked_through() -> None:
    before = Text("x\n" * 6_000)
    assert list(steps_of(before, [Change(None, "x\n")], Encoding.UTF16)) == [None]


def test_positions_are_in_the_clients_units() -> None:
    (found,) = steps_of(Text("𝒳 = 1"), [Change(Range(0, 5, 0, 6), "2")], Encoding.UTF16)
    assert found == Step(Point(0, 4), Point(0, 5), "1", "2")


LONG = "".join(f"line {number}\n" for number in range(6_000))


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        (LONG, [Change(Range(0, 0, 6_000, 0), LONG.replace("line 9", "LINE 9"))]),
        (LONG, [Change(Range(0, 0, 6_000, 0), "")]),
        ("", [Change(Range(0, 0, 0, 0), LONG * 4)]),
        ("x\n", [Change(None, LONG * 4)]),
        (LONG, [Change(Range(number, 0, number, 4), "word") for number in range(600)]),
    ],
    ids=["formatted", "emptied", "pasted", "read anew", "replaced everywhere"],
)
def test_what_costs_much_is_not_followed_and_is_no_key(before: str, changes: list[Change]) -> None:
    steps = list(steps_of(Text(before), changes, Encoding.UTF16))
    assert steps == [None]
    assert keys_in(steps) == 0
