"""What the model gets to see, and that it stays put while one types."""

from sirdab.completion.window import Anchors, Budget
from sirdab.text.store import Point, Text

FUNCTION = "def f{n}(a):\n    x = a + {n}\n    return x\n\n\n"
LONG = "".join(FUNCTION.format(n=number) for number in range(200))


def test_a_short_file_is_seen_whole() -> None:
    text = Text("a = 1\nb = \nc = 3\n")
    window = Anchors().window("u", text, Point(1, 4), Budget(100, 100))
    assert (window.before, window.rest_of_line, window.below) == ("a = 1\nb = ", "", "c = 3\n")


def test_line_ends_are_made_one() -> None:
    text = Text("a\r\nb\r\nc\r\nd")
    window = Anchors().window("u", text, Point(1, 1), Budget(100, 100))
    assert (window.before, window.below) == ("a\nb", "c\nd")


def test_a_long_file_starts_at_a_top_level_line() -> None:
    text = Text(LONG)
    window = Anchors().window("u", text, Point(800, 0), Budget(1000, 300))
    assert window.before.startswith("def f")
    assert 500 >= len(window.before) >= 100
    assert len(window.below) <= 300


def test_typing_only_appends() -> None:
    anchors, budget = Anchors(), Budget(1000, 300)
    text, point = Text(LONG), Point(800, 0)
    previous = anchors.window("u", text, point, budget).before
    moved = 0
    for character in "def typed(value):\n    return value\n" * 30:
        text = text.replace(point, point, character)
        point = (
            Point(point.line + 1, 0) if character == "\n" else Point(point.line, point.column + 1)
        )
        now = anchors.window("u", text, point, budget).before
        moved += not now.startswith(previous)
        assert len(now) <= budget.before
        previous = now
    # 1,050 characters typed into a window of 1,000: the anchor moves, and seldom.
    assert 1 <= moved <= 3


def test_an_edit_above_moves_the_anchor_with_its_line() -> None:
    anchors, budget = Anchors(), Budget(1000, 300)
    text = Text(LONG)
    before = anchors.window("u", text, Point(800, 0), budget).before
    text = text.replace(Point(0, 0), Point(0, 0), "import os\nimport sys\n")
    assert anchors.window("u", text, Point(802, 0), budget).before == before


def test_one_line_over_the_budget_is_cut() -> None:
    text = Text("x" * 5000)
    window = Anchors().window("u", text, Point(0, 5000), Budget(1000, 300))
    assert len(window.before) == 1000
