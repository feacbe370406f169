"""Where the documents were edited last."""

import pytest

from sirdab.context.edits import MOST_EDITS, RecentEdits, Region
from sirdab.text.document import Change, Range

A, B = "file:///a.py", "file:///b.py"


def edit(first: int, last: int, text: str) -> Change:
    return Change(Range(first, 0, last, 0), text)


@pytest.mark.parametrize(
    ("changes", "expect"),
    [
        ([edit(5, 5, "x")], [(5, 5)]),
        ([edit(5, 5, "x\ny\n")], [(5, 7)]),
        ([edit(5, 5, "x\r\ny\rz")], [(5, 7)]),
        ([edit(9, 5, "x")], [(5, 5)]),
        # Typed on from line to line it stays one region.
        ([edit(5, 5, "x"), edit(6, 6, "y"), edit(12, 12, "z")], [(5, 12)]),
        # Far apart they are two, the last first.
        ([edit(5, 5, "x"), edit(50, 50, "y")], [(50, 50), (5, 5)]),
        # Lines that come or go above move what is below.
        ([edit(50, 50, "x"), edit(5, 5, "1\n2\n3\n")], [(5, 8), (53, 53)]),
        ([edit(50, 50, "x"), edit(5, 15, "")], [(5, 5), (40, 40)]),
        # Taken out with what is around it.
        ([edit(50, 50, "x"), edit(40, 60, "")], [(40, 40)]),
        ([edit(5, 5, "x"), Change(None, "all new")], []),
        ([edit(-5, -1, "x")], [(0, 0)]),
    ],
)
def test_regions(changes: list[Change], expect: list[tuple[int, int]]) -> None:
    edits = RecentEdits()
    edits.changed(A, changes)
    assert edits.regions() == tuple(Region(A, *lines) for lines in expect)


def test_over_all_documents() -> None:
    edits = RecentEdits()
    edits.changed(A, [edit(5, 5, "x")])
    edits.changed(B, [edit(5, 5, "x")])
    assert [region.uri for region in edits.regions()] == [B, A]
    edits.changed(A, [edit(6, 6, "x")])
    assert edits.regions() == (Region(A, 5, 6), Region(B, 5, 5))
    edits.forget(A)
    assert edits.regions() == (Region(B, 5, 5),)
    edits.clear()
    assert edits.regions() == ()


def test_only_the_last_are_remembered() -> None:
    edits = RecentEdits()
    edits.changed(A, [edit(100 * number, 100 * number, "x") for number in range(20)])
    assert [region.first for region in edits.regions()] == [
        100 * number for number in range(19, 19 - MOST_EDITS, -1)
    ]
