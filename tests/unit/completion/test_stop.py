"""Where a stream is cut."""

import pytest

from sirdab.completion.shape import Shape
from sirdab.completion.stop import MOST_LINES, StreamStop


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
