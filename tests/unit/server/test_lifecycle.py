"""What becomes of a suggestion, by what the editor says and by what happens to the text."""

import random
from collections.abc import Callable

import pytest

from sirdab.completion.request import Source, Trigger
from sirdab.metrics.record import SOURCES
from sirdab.server.edit_steps import lf
from sirdab.text.store import Point
from tests.support.suggestions import URI, Editor

START = "def add(a, b):\n    ret$0\n"


def typed(keys: str) -> Callable[[Editor], None]:
    return lambda editor: editor.type(keys)


def inserted(text: str) -> Callable[[Editor], None]:
    return lambda editor: editor.insert(text)


def moved(line: int, column: int) -> Callable[[Editor], None]:
    return lambda editor: editor.move(line, column)


@pytest.mark.parametrize(
    ("what", "became", "heard"),
    [
        (typed("x"), "dismissed", ["dismissed"]),
        (typed("u"), "shown", []),
        (typed("urn a + b"), "typed", ["welcome"]),
        (typed("urn x"), "dismissed", ["dismissed"]),
        (inserted("urn a + b"), "full", ["welcome"]),
        (inserted("urn"), "word", ["welcome"]),
        (inserted("urn  "), "dismissed", ["dismissed"]),
        (moved(0, 3), "dismissed", ["dismissed"]),
        (moved(1, 7), "shown", []),
        (lambda editor: editor.backspace(), "dismissed", ["dismissed"]),
        (lambda editor: editor.edit(0, "add", "sum"), "shown", []),
        (lambda editor: editor.change(str(editor.text)), "shown", []),
        (lambda editor: editor.close(), "left", []),
        (lambda editor: editor.offer("urn sum"), "replaced", []),
    ],
)
def test_what_happens_to_the_text_decides(
    what: Callable[[Editor], None], became: str, heard: list[str]
) -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    what(editor)
    assert (editor.became(), editor.heard) == (became, heard)


def test_a_key_that_agrees_and_is_taken_back_leaves_it_on_the_screen() -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.type("urn")
    editor.backspace(2)
    editor.type("rn a")
    assert editor.became() == "shown"
    editor.type("!")
    assert editor.became() == "dismissed"


def test_the_bracket_that_the_editor_closes_is_typed_along() -> None:
    editor = Editor("print$0")
    editor.show("(a, b)")
    editor.insert("()")
    editor.cursor = Point(0, 6)
    editor.type("a")
    assert editor.became() == "shown"


def test_enter_with_its_indentation_is_a_key() -> None:
    editor = Editor("if a:$0")
    editor.show("\n    return b")
    editor.insert("\n    ")
    assert (editor.became(), editor.taken) == ("shown", False)
    editor.insert("return b")
    assert (editor.became(), editor.taken) == ("full", True)
    assert editor.record is not None
    # Only what came in as a piece did not have to be typed.
    assert editor.record.characters_accepted == len("return b")


def test_what_was_gone_before_it_could_be_read_was_not_dismissed() -> None:
    editor = Editor(START)
    editor.show("urn a + b", seconds=0.2)
    editor.type("x")
    assert (editor.became(), editor.heard) == ("passed", [])


def test_what_was_asked_for_may_be_refused() -> None:
    editor = Editor(START)
    editor.lifecycle.shown(editor.offer("urn a + b", trigger=Trigger.INVOKED))
    editor.wait(1)
    editor.type("x")
    assert (editor.became(), editor.heard) == ("dismissed", [])


# --- what the editor says ------------------------------------------------------------------


def test_the_editor_says_that_it_was_taken_behind_the_text() -> None:
    editor = Editor(START)
    id_ = editor.show("urn a + b")
    editor.insert("urn a + b")
    record = editor.record
    assert record is not None
    assert (record.part, record.part_told) == ("full", False)
    editor.lifecycle.accepted(id_, "full")
    record = editor.record
    assert record is not None
    assert (record.part, record.part_told, record.characters_accepted) == ("full", True, 9)
    assert editor.heard == ["welcome"]


def test_the_editor_says_it_before_the_text() -> None:
    editor = Editor(START)
    id_ = editor.show("urn a + b")
    editor.lifecycle.accepted(id_, "full")
    editor.insert("urn a + b")
    record = editor.record
    assert record is not None
    assert (record.part, record.part_told, record.characters_accepted) == ("full", True, 9)
    assert editor.heard == ["welcome"]


def test_word_by_word_adds_up_and_keeps_the_name_that_the_editor_gives_it() -> None:
    editor = Editor(START)
    id_ = editor.show("urn a + b")
    for word in ("urn", " a", " +", " b"):
        editor.insert(word)
        editor.lifecycle.accepted(id_, "word")
    record = editor.record
    assert record is not None
    assert (record.part, record.part_told, record.characters_accepted) == ("word", True, 9)


def test_a_word_and_then_the_rest_is_all_of_it() -> None:
    editor = Editor(START)
    id_ = editor.show("urn a + b")
    editor.insert("urn")
    editor.insert(" a + b")
    editor.lifecycle.accepted(id_, "full")
    record = editor.record
    assert record is not None
    assert (record.part, record.characters_accepted) == ("full", 9)


def test_who_takes_a_word_and_goes_on_alone_has_not_dismissed_it() -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.insert("urn")
    editor.type(" c")
    assert (editor.became(), editor.heard) == ("word", ["welcome"])


def test_a_line_of_several() -> None:
    editor = Editor("if a:$0")
    editor.show(" return b\nreturn c")
    editor.insert(" return b")
    assert editor.became() == "line"


def test_an_editor_that_replaces_what_was_typed_already() -> None:
    editor = Editor("os.pa$0")
    id_ = editor.offer("th.join(a)", selected=2)
    editor.lifecycle.shown(id_)
    editor.wait(1)
    editor.cursor = Point(0, 15)
    editor.change((Point(0, 3), Point(0, 5), "path.join(a)"))
    assert editor.became() == "full"


@pytest.mark.parametrize("part", ["half", "", "FULL"])
def test_parts_that_do_not_exist(part: str) -> None:
    editor = Editor(START)
    editor.lifecycle.accepted(editor.show("urn"), part)
    assert editor.became() == "shown"


def test_ids_that_do_not_exist() -> None:
    editor = Editor(START)
    editor.lifecycle.accepted("s99", "full")
    editor.lifecycle.shown("s99")
    assert editor.record is None


def test_another_alternative_takes_the_place_of_the_first() -> None:
    editor = Editor(START)
    editor.lifecycle.shown(editor.offer("urn a", "urn b", trigger=Trigger.INVOKED))
    editor.wait(1)
    second = max(editor.lifecycle._stories)
    editor.lifecycle.shown(second)
    editor.insert("urn b")
    became = [record.part or record.ending for record in editor.kept.records.values()]
    assert became == ["replaced", "full"]


def test_the_same_one_again_is_the_same_one() -> None:
    """An editor asks at every key, and the answer from memory has the id of the first."""
    editor = Editor(START)
    id_ = editor.show("urn a + b")
    for count in range(1, 9):
        editor.type("urn a + b"[count - 1])
        editor.offer("urn a + b"[count:], id_=id_)
        editor.lifecycle.shown(id_)
    assert len(editor.kept.records) == 1
    assert editor.heard == []


def test_one_that_grows_while_it_is_shown() -> None:
    """The model goes on writing what an editor could not wait for."""
    editor = Editor(START)
    id_ = editor.show("urn a")
    editor.offer("urn a + b\n    pass", id_=id_)
    editor.insert("urn a + b\n    pass")
    record = editor.record
    assert record is not None
    assert (record.part, record.characters, record.lines) == ("full", 18, 2)


# --- editors that say nothing -------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "became"), [(0.1, ""), (0.22, "passed"), (3, "dismissed")])
def test_what_was_offered_for_a_while_was_shown(seconds: float, became: str) -> None:
    editor = Editor(START)
    editor.offer("urn a + b")
    editor.wait(seconds)
    editor.type("x")
    assert editor.became() == became
    if editor.record is not None:
        assert not editor.record.told


def test_an_editor_that_says_what_it_shows_is_taken_at_its_word() -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.type("x")
    editor.offer("yz")
    editor.wait(3)
    editor.type("x")
    assert len(editor.kept.records) == 1


def test_what_is_taken_was_shown() -> None:
    editor = Editor(START)
    id_ = editor.offer("urn a + b")
    editor.insert("urn a + b")
    editor.lifecycle.accepted(id_, "full")
    assert editor.record is not None
    assert (editor.became(), editor.record.told) == ("full", True)


def test_nobody_knows_whether_an_item_of_a_menu_was_seen() -> None:
    editor = Editor(START)
    editor.offer("urn a + b", menu=True)
    editor.wait(3)
    editor.type("x")
    assert (editor.record, editor.heard) == (None, [])


def test_an_item_of_a_menu_is_taken_when_the_editor_says_so() -> None:
    editor = Editor(START)
    id_ = editor.offer("urn a + b", menu=True)
    editor.insert("urn a + b")
    assert editor.record is None
    editor.lifecycle.accepted(id_, "full")
    assert editor.became() == "full"
    editor.wait(31)
    assert editor.kept.left == {(1, 30): 1.0}


def test_an_item_of_a_menu_does_not_hide_ghost_text() -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.offer("urn", menu=True)
    editor.insert("urn a + b")
    assert editor.became() == "full"


# --- what is kept -------------------------------------------------------------------------


def test_what_is_left_of_it_later() -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.insert("urn a + b")
    editor.wait(31)
    editor.insert("\n    # and more\n")
    editor.change((Point(0, 0), Point(0, 0), "import os\n\n"))
    editor.wait(60)
    editor.edit(3, "return a + b", "return a")
    editor.wait(300)
    assert editor.kept.left == {(1, 30): 1.0, (1, 90): 1.0, (1, 300): 0.56}


@pytest.mark.parametrize(
    ("edit", "left"),
    [
        (lambda editor: editor.edit(1, "urn a + b", ""), 0.0),
        (lambda editor: editor.edit(1, "a + b", "a + b + c"), 1.0),
        (lambda editor: editor.edit(1, "return a + b", "return a + bc"), 1.0),
        (lambda editor: editor.edit(0, "def add(a, b):", "def add(x, a, b):"), 1.0),
        (lambda editor: editor.change(str(editor.text).replace("    ", "\t")), 1.0),
        (lambda editor: editor.change("x = 1\ny = 2\n" + str(editor.text)), 1.0),
        (lambda editor: editor.change(""), 0.0),
        (lambda editor: editor.change((Point(0, 0), Point(1, 16), "pass")), 0.11),
        (lambda editor: editor.change((Point(0, 0), editor.text.end, "")), 0.0),
    ],
)
def test_edits_do_not_lose_it(edit: Callable[[Editor], None], left: float) -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.insert("urn a + b")
    edit(editor)
    editor.wait(31)
    assert editor.kept.left == {(1, 30): left}


def test_several_changes_at_once() -> None:
    editor = Editor("a = $0\nb = 1\n")
    editor.show("first()")
    editor.insert("first()")
    editor.change(
        (Point(1, 4), Point(1, 5), "2"),
        (Point(0, 4), Point(0, 9), "second"),
        (Point(0, 0), Point(0, 0), "# a\n"),
    )
    editor.wait(31)
    left = editor.kept.left[1, 30]
    assert 0.2 < left < 0.6


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_other_line_ends(line_end: str) -> None:
    editor = Editor(f"if a:$0{line_end}x = 1{line_end}")
    editor.show(f"{line_end}    return b{line_end}    pass")
    editor.insert(f"{line_end}    return b{line_end}    pass")
    assert editor.became() == "full"
    editor.wait(31)
    assert editor.kept.left == {(1, 30): 1.0}


def test_after_a_sleep_nobody_knows() -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.insert("urn a + b")
    editor.wait(3_600, asleep=True)
    assert editor.kept.left == {}


def test_a_closed_document_cannot_be_looked_at() -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.insert("urn a + b")
    editor.close()
    editor.wait(400)
    assert (editor.became(), editor.kept.left) == ("full", {})


def test_words_taken_one_by_one_are_looked_at_together() -> None:
    editor = Editor(START)
    editor.show("urn a + b")
    editor.insert("urn")
    editor.type(" ")
    editor.insert("a + b")
    editor.wait(31)
    assert editor.kept.left == {(1, 30): 1.0}
    editor.edit(1, "a + b", "")
    editor.wait(60)
    assert editor.kept.left[1, 90] == pytest.approx(3 / 9, abs=0.01)


# --- bounds and figures ----------------------------------------------------------------------


def test_what_an_answer_cost() -> None:
    editor = Editor(START)
    trace = {
        "source": "in-flight",
        "waited_ms": 250.5,
        "evaluated_tokens": 7,
        "generated_tokens": 12,
    }
    editor.offer("urn a", trace=trace)
    (answer,) = editor.kept.answers
    assert (answer.source, answer.latency_ms) == ("in-flight", 250.5)
    assert (answer.tokens_read, answer.tokens_written) == (7, 12)


@pytest.mark.parametrize(
    ("trace", "source"),
    [
        ({}, "model"),
        ({"cache": "hit"}, "cache"),
        ({"source": 5}, "model"),
        ({"source": "x"}, "model"),
    ],
)
def test_where_it_came_from_when_nobody_says(trace: dict[str, object], source: str) -> None:
    editor = Editor(START)
    editor.offer("urn a", trace=trace)
    assert editor.kept.answers[0].source == source


def test_the_metrics_know_every_source_of_the_engine() -> None:
    assert set(SOURCES) == {source.value for source in Source}


def test_memory_is_bounded() -> None:
    editor = Editor("$0")
    for number in range(2_000):
        editor.show(f"value_{number}()", seconds=0.5)
        editor.insert(f"value_{number}()")
        editor.insert("\n")
    lifecycle = editor.lifecycle
    assert len(lifecycle._stories) <= 256
    assert sum(map(len, lifecycle._kept.values())) <= 64


def test_a_fault_is_logged_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    editor = Editor(START)
    editor.show("urn a + b")

    def fail() -> None:
        raise ZeroDivisionError

    editor.lifecycle._on_dismissed = fail
    editor.type("x")
    assert "could not be followed (ZeroDivisionError)" in caplog.text


def do_something(editor: Editor, chance: random.Random) -> None:
    line = chance.randrange(editor.text.line_count)
    at = editor.text.clamp(Point(line, chance.randint(0, 12)))
    to = editor.text.clamp(Point(line + chance.randint(0, 1), chance.randint(0, 12)))
    story = editor.lifecycle._current.get(URI)
    match chance.randrange(8):
        case 0:
            editor.show(chance.choice(("urn a\n  b", "(a)", "\n    c", "𝒳y")))
        case 1:
            editor.offer("urn", "x()", menu=chance.random() < 0.3)
        case 2:
            new = chance.choice(("", "a", "()", "\n", "\r", "\r\n    ", "urn", "𝒳"))
            editor.change((min(at, to), max(at, to), new))
        case 3:
            editor.change(str(editor.text).replace("a", "b"))
        case 4:
            editor.move(*at)
        case 5:
            editor.wait(chance.choice((0.1, 1, 40, 400)))
        case 6 if story is not None:
            editor.insert(story.rest[: chance.randint(1, 4)])
        case 7 if story is not None:
            editor.lifecycle.accepted(story.id, "line")
        case _:
            editor.insert("x")
    editor.cursor = editor.text.clamp(editor.cursor)


def test_whatever_is_done_nothing_breaks(caplog: pytest.LogCaptureFixture) -> None:
    """Any edits, in any order: no fault, and what is left begins behind what was typed of it."""
    chance = random.Random(11)
    for _ in range(150):
        editor = Editor("def add(a, b):\r\n    ret$0\n\nx = 1")
        for _ in range(25):
            do_something(editor, chance)
            story = editor.lifecycle._current.get(URI)
            if story is not None:
                assert not story.ended
                before = lf(editor.text.slice(Point(0, 0), story.point))
                assert before.endswith(story.typed)
    assert "could not be followed" not in caplog.text
