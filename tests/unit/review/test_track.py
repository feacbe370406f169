"""Findings move with the text, and are withdrawn when their code has changed."""

import random

import pytest

from sirdab.review.finding import Finding
from sirdab.review.track import moved
from sirdab.text.store import Point, Text

BEFORE = "a = 1\nb = 2\n    c = d / n\ne = 4\nf = 5\n"


def finding(line: int, text: Text) -> Finding:
    body = text.line_body(line)
    start = len(body) - len(body.lstrip())
    code = body.strip()
    return Finding(
        Point(line, start), Point(line, len(body)), code, "correctness", "r", "hint", "m", None, "x"
    )


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (BEFORE, 2),
        ("new\n" + BEFORE, 3),
        ("new\n\n\n" + BEFORE.replace("f = 5", "f = 6"), 5),
        (BEFORE.replace("a = 1\n", ""), 1),
        (BEFORE.replace("e = 4", "e = 5"), 2),
        (BEFORE.replace("    c = d / n", "        c = d  /  n"), 2),
        (BEFORE.replace("c = d / n", "c = d / m"), None),
        (BEFORE.replace("    c = d / n\n", ""), None),
        # The edit leaves it twice, so which one was meant is not known.
        (BEFORE.replace("    c = d / n\n", "  c = d / n\n    x\n  c = d / n\n"), None),
        ("", None),
    ],
)
def test_moved(after: str, line: int | None) -> None:
    old, new = Text(BEFORE), Text(after)
    found = moved([finding(2, old)], old, new)
    assert [entry.start.line for entry in found] == ([] if line is None else [line])


def test_the_same_code_elsewhere_is_not_taken_for_it() -> None:
    old = Text("x = 1\ny = a / n\nz = 3\nw = 4\ny = a / n\n")
    new = Text("x = 1\ny = a / m\nz = 3\nw = 4\ny = a / n\n")
    found = moved([finding(1, old), finding(4, old)], old, new)
    assert [entry.start.line for entry in found] == [4]


def test_never_at_a_wrong_line() -> None:
    """Whatever is edited, a finding that is kept stands on its own code."""
    chance = random.Random(7)
    for _ in range(300):
        lines = [f"line {chance.randrange(6)}" for _ in range(12)]
        old = Text("\n".join(lines) + "\n")
        kept = [finding(number, old) for number in range(12)]
        text = old
        for _ in range(chance.randrange(1, 4)):
            start = Point(chance.randrange(text.line_count), chance.randrange(8))
            stop = Point(min(start.line + chance.randrange(3), text.line_count), 3)
            after = text.replace(start, stop, chance.choice(["", "x", "\n", "line 3\n", "\n\n y"]))
            kept, text = moved(kept, text, after), after
        for entry in kept:
            assert text.line_body(entry.start.line).strip() == entry.code
            assert text.slice(entry.start, entry.stop) == entry.code
