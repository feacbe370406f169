"""Where a stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.completion import region
from sirdab.completion.incoming import Incoming
from sirdab.completion.postprocess import Surroundings, process
from sirdab.completion.shape import Shape
from sirdab.completion.stop import MOST_CHARACTERS, MOST_LINES, StreamStop
from tests.support.completion import place


def run(shape: Shape, line_before: str, below: str, answer: str) -> tuple[str, str]:
    """Feed an answer character by character; return the suggestion and what was not needed."""
    stop = StreamStop(shape, line_before, below)
    for number, character in enumerate(answer, 1):
        found = stop.feed(character)
        if found is not None:
            return found, answer[number:]
    return stop.finish(), ""


@pytest.mark.parametrize(
    ("shape", "line_before", "below", "answer", "expected"),
    [
        (Shape.LINE, "    return ", "", "a + b\n\ndef g", "a + b"),
        (Shape.LINE, "    return ", "", "a + b", "a + b"),
        (Shape.LINE, "    ", "", "\nx", ""),
        (Shape.BLOCK, "    ", "", "x = 1\n    return x\ny = 2", "x = 1\n    return x"),
        (Shape.BLOCK, "", "", "    x = 1\n    return x\ny = 2", "    x = 1\n    return x"),
        (Shape.BLOCK, "def f():", "", "\n    return 1\n\ndef g", "\n    return 1"),
        (Shape.BLOCK, "def f():", "", "\nx = 1\n", ""),
        (
            Shape.BLOCK,
            "    if x:",
            "",
            "\n        y()\n        z()\n    return",
            "\n        y()\n        z()",
        ),
        (Shape.BLOCK, "f() {", "", "\n  a();\n}\n\nb", "\n  a();\n}"),
        (Shape.BLOCK, "f() {", "}\n", "\n  a();\n}\n\nb", "\n  a();"),
        (Shape.BLOCK, "  ", "}\n", "a();\n}\nb", "a();"),
        (Shape.BLOCK, "if x then", "", "\n  y()\nend\nz", "\n  y()\nend"),
        (Shape.BLOCK, "    ", "    done()\n", "x = 1\n    done()\n", "x = 1"),
        (Shape.BLOCK, "    ", "", "end = 3\nendpoint = 4\n", "end = 3"),
        # The end of an inner block is not the end of the outer one that stands below.
        (
            Shape.BLOCK,
            "",
            "}\n",
            "    if a {\n        b\n    }\n    c\n}\n",
            "    if a {\n        b\n    }\n    c",
        ),
        (Shape.BLOCK, "  ", "else\n", "a()\nend\nb()", "a()"),
        (Shape.BLOCK, "    ", "except OSError:\n", "a()\nend\n", "a()"),
        # The block goes on below the cursor, so it must not be closed above that.
        (Shape.BLOCK, "f() {", "    b();\n}\n", "\n    a();\n}\n", "\n    a();"),
        (Shape.BLOCK, "f() {", "}\n", "\n    a();\n}\n", "\n    a();"),
        # A document in tabs, an answer in blanks, and the other way round.
        (Shape.BLOCK, "\t\t", "", "a();\n        b();\n    }\nc", "a();\n        b();\n    }"),
        (Shape.BLOCK, "        ", "", "a();\n\t\tb();\n\t}\nc", "a();\n\t\tb();\n\t}"),
    ],
)
def test_cuts(shape: Shape, line_before: str, below: str, answer: str, expected: str) -> None:
    found, _ = run(shape, line_before, below, answer)
    assert found.rstrip("\n") == expected


def test_stops_reading_at_the_dedent() -> None:
    _, unread = run(Shape.BLOCK, "    ", "", "return 1\ndef unneeded(): pass")
    # "d" might still have become "done", the closing word of a shell loop.
    assert unread == "f unneeded(): pass"


def test_never_more_lines_than_a_person_reads() -> None:
    found, _ = run(Shape.BLOCK, "    ", "", "a()\n" + "    a()\n" * 50)
    assert found.count("\n") <= MOST_LINES


@pytest.mark.parametrize(
    ("rest", "answer", "expected"),
    [
        # The text right of the cursor begins again in the middle of a line.
        (" + total)", "a * b + total) # and more", "a * b "),
        (", key=lambda one: one.size)", "items, key=lambda one: one.name)", "items"),
        # Too little of it to be known again.
        (")", "g(a), b)", "g(a), b)"),
        (" + b", "a + b + c", "a + b + c"),
    ],
)
def test_stops_at_the_text_right_of_the_cursor(rest: str, answer: str, expected: str) -> None:
    stop = StreamStop(Shape.LINE, "x = f(", "", rest_of_line=rest)
    found = next((cut for one in answer if (cut := stop.feed(one)) is not None), None)
    assert (stop.finish() if found is None else found) == expected


@pytest.mark.parametrize(
    ("below", "answer", "expected"),
    [
        ("    return total\n", "x = 1\n    return total\n", "x = 1"),
        ("    return total\n", "x = 1\n    y = 2; return total\n", "x = 1\n    y = 2;"),
        ("    return total\n", "x = 1\n    my_return total\n", "x = 1\n    my_return total"),
        ("    a()\n", "x = 1\n    b = a()\n", "x = 1\n    b = a()"),
    ],
)
def test_stops_at_the_line_below(below: str, answer: str, expected: str) -> None:
    assert run(Shape.BLOCK, "    ", below, answer)[0] == expected


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        ("a()\n" + "    b()\n" * 9, 3 * 8 + 4),
        ("a()\n" + "    b()\n    c()\n" * 9, 6 * 8 + 4),
        ("x = [" + "0, " * 500, 128),
        ("foo " * 500, 128),
        ("x" * 9_000, MOST_CHARACTERS),
    ],
)
def test_stops_where_the_model_goes_round_in_a_circle(answer: str, most: int) -> None:
    found, unread = run(Shape.BLOCK, "    ", "", answer)
    assert len(found) <= most
    assert unread


@pytest.mark.parametrize("answer", ["# " + "-" * 70 + "\n", "x = [1, 2, 3, 1, 2, 3]\n"])
def test_a_ruler_or_a_short_list_is_no_circle(answer: str) -> None:
    assert run(Shape.LINE, "", "", answer)[0] == answer.rstrip()


def test_a_closed_block_is_the_end() -> None:
    where = region.cut(*place("function f() {$0"), "typescript")
    assert where is not None
    around = Surroundings("function f() {", "", "", region=where)
    stop = StreamStop.at(Shape.BLOCK, around)
    answer = "\n  a();\n  }\n  b();\n"
    found = [cut for one in answer if (cut := stop.feed(one)) is not None]
    assert found[0] == "\n  a();\n  }"


def test_a_control_token_ends_the_stream() -> None:
    stop = StreamStop(Shape.LINE, "", "", incoming=Incoming(("<|endoftext|>",)))
    assert stop.feed("a = 1<|endof") is None
    assert stop.feed("text|>b") == "a = 1"


PIECES = st.sampled_from(
    (
        *("a", "b", " ", "\n", "    ", "(", ")", "{", "}", "end", "return total", "x = 1", "\t"),
        *(
            "a return total",
            "<|e|>",
            "< |s|>",
            "\r",
            "\ud83d",
            "\ude00",
            "else",
            "d",
            "\n    ",
            "foo(bar); ",
            "0, ",
        ),
    )
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)


@given(
    TEXTS,
    st.sampled_from(Shape),
    st.sampled_from(["", "    ", "def f():", "  if (a) {", "x = f("]),
    st.sampled_from(["", ")", " + total)", "return total"]),
    st.sampled_from(["", "}\n", "    return total\n", "end\n", "\n\nx = 1\n"]),
    st.data(),
)
def test_how_the_stream_is_cut_makes_no_difference(
    answer: str, shape: Shape, line_before: str, rest: str, below: str, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(answer)), max_size=6)))
    bounds = [0, *cuts, len(answer)]
    pieces = [answer[low:high] for low, high in pairwise(bounds)]

    def outcome(pieces: list[str]) -> str:
        incoming = Incoming(("<|e|>", "<|s|>"), ("<|s|>",))
        stop = StreamStop(shape, line_before, below, rest_of_line=rest, incoming=incoming)
        for piece in pieces:
            found = stop.feed(piece)
            if found is not None:
                return found
        return stop.finish()

    whole = outcome([answer])
    assert outcome(pieces) == whole
    assert outcome(list(answer)) == whole
    around = Surroundings(line_before, rest, below)
    assert process(outcome(pieces), around) == process(whole, around)


@pytest.mark.parametrize("unit", ["a", " ", "\n", "a\n", "(", "0, ", "\t", "end\n"])
def test_what_is_kept_is_bounded(unit: str) -> None:
    stop = StreamStop(Shape.BLOCK, "    ", "")
    fed = 0
    while stop.feed(unit) is None and fed < 3 * MOST_CHARACTERS:
        fed += len(unit)
    assert len(stop.text) <= MOST_CHARACTERS + len(unit)
