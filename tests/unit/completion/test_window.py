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


def suffixes(*steps: str) -> list[str]:
    """What the prompt says of the text after the cursor `$0`, step by step in one document."""
    anchors, found = Anchors(), list[str]()
    for step in steps:
        before, _, _ = step.partition("$0")
        point = Point(before.count("\n"), len(before.rpartition("\n")[2]))
        window = anchors.window("u", Text(step.replace("$0", "")), point, Budget(1000, 300))
        found.append(window.suffix)
    return found


def test_brackets_that_editors_close_are_not_text_after_the_cursor() -> None:
    typed = (
        "function f() {\n$0\n}\n\nlast();\n",
        "function f() {\n  call($0)\n}\n\nlast();\n",
        "function f() {\n  call({$0})\n}\n\nlast();\n",
        "function f() {\n  call({\n    $0\n  })\n}\n\nlast();\n",
        'function f() {\n  call({\n    a: "$0"\n  })\n}\n\nlast();\n',
        'function f() {\n  call({\n    a: "b"\n  })$0\n}\n\nlast();\n',
        'function f() {\n  call({\n    a: "b"\n  })\n  $0\n}\n\nlast();\n',
    )
    assert set(suffixes(*typed)) == {"\n}\n\nlast();\n"}


def test_brackets_that_stand_there_are_said_at_a_new_place() -> None:
    assert suffixes("if (a) {\n  $0\n}\n") == ["\n}\n"]


def test_text_that_stands_there_is_said() -> None:
    before, mid_line, changed = suffixes(
        "a = f(1)$0\nb = 2\nc = 3\n",
        "a = f($01 + 1)\nb = 2\nc = 3\n",
        "a = f(1)$0\nb = 3\nc = 3\n",
    )
    assert (before, mid_line, changed) == (
        "\nb = 2\nc = 3\n",
        "1 + 1)\nb = 2\nc = 3\n",
        "\nb = 3\nc = 3\n",
    )


def test_a_line_below_that_goes_on_is_another_text() -> None:
    first, grown = suffixes("a$0\nend", "a$0\nend of it")
    assert (first, grown) == ("\nend", "\nend of it")


def test_what_is_written_below_at_the_end_of_a_file_is_seen() -> None:
    alone, followed = suffixes("a = 1$0\n", "a = 1$0\n\ndef f():\n    return a\n")
    assert (alone, followed) == ("", "\n\ndef f():\n    return a\n")


def test_a_text_that_has_grown_a_lot_is_taken_anew() -> None:
    below = "".join(f"line_{number} = {number}\n" for number in range(20))
    short, long = suffixes("a = $0\nline_0 = 0\n", f"a = $0\n{below}")
    assert short == "\nline_0 = 0\n"
    assert len(long) > len(short) * 10


def test_a_window_begins_at_the_outermost_line_that_leaves_enough_to_see() -> None:
    body = "".join(f"        self.value_{number} = {number}\n" for number in range(20))
    text = Text(f"class A:\n    def f(self):\n{body}\n    def g(self):\n{body}\n\nx = \n")
    window = Anchors().window("u", text, Point(text.line_count - 2, 4), Budget(1200, 300))
    # Not at `x`, which leaves nothing, and not in the middle of a method.
    assert window.before.startswith("    def g(self):")
