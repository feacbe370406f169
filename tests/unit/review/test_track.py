"""Findings move with the text, and are withdrawn when their code has changed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirdab.review.finding import Dropped, Finding, squeeze
from sirdab.review.track import moved, moved_dropped
from sirdab.text.store import Point, Text

BEFORE = "a = 1\nb = 2\n    c = d / n\ne = 4\nf = 5\n"


def finding(line: int, text: Text) -> Finding:
    body = text.line_body(line)
    start = len(body) - len(body.lstrip())
    code = body.strip()
    return Finding(
        Point(line, start),
        Point(line, len(body)),
        code,
        "correctness",
        "r",
        "hint",
        "m",
        None,
        str(line),
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


# --- any edits, against an oracle --------------------------------------------------------------

_LINES = st.lists(
    st.sampled_from(
        ["x = a / n", "    x = a / n", "y = 1", "", "  ", "def f():", "x = a / n  # why", "é = '€'"]
    ),
    min_size=1,
    max_size=30,
)
_NEW = st.lists(
    st.sampled_from(["x = a / n", "z", "", "# sirdab: ignore", "\tx=a/n", "y = 1 # b"]), max_size=4
)


def code_of(line: str) -> str:
    """What a line does: without blanks, and without a comment at its end."""
    return squeeze(line).partition("#")[0]


@settings(max_examples=300, deadline=None)
@given(
    before=_LINES,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    edits=st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 5), st.integers(0, 12), _NEW), max_size=6
    ),
)
def test_whatever_is_edited_a_finding_stands_on_its_own_code(
    before: list[str], line_end: str, edits: list[tuple[int, int, int, list[str]]]
) -> None:
    text = Text(line_end.join(before) + line_end)
    kept = [finding(number, text) for number, body in enumerate(before) if body.strip()]
    whole = {id(text): text}
    for line, count, column, new in edits:
        start = text.clamp(Point(line, column))
        stop = text.clamp(Point(line + count, column))
        after = text.replace(start, stop, line_end.join(new))
        kept, text = moved(kept, text, after, ("#",)), after
        whole[id(text)] = text
    names = [entry.fingerprint for entry in kept]
    for entry in kept:
        body = text.line_body(entry.start.line)
        # The oracle: the line that it is on now does what its line did when it was found.
        assert code_of(body) == code_of(before[int(entry.fingerprint)])
        assert text.slice(entry.start, entry.stop) == entry.code == body.strip()
    assert len(set(names)) == len(names)


@settings(max_examples=200, deadline=None)
@given(before=_LINES, after=_LINES, at=st.integers(0, 30))
def test_what_an_edit_does_not_touch_is_kept(before: list[str], after: list[str], at: int) -> None:
    """Lines that no edit touched keep what was found in them, however many are alike."""
    at = min(at, len(before))
    old = Text("\n".join([*before[:at], *before[at:]]))
    new = Text("\n".join([*before[:at], *after, *before[at:]]))
    wanted = [finding(number, old) for number, body in enumerate(before) if body.strip()]
    kept = moved(wanted, old, new)
    assert len(kept) == len(wanted)
    for entry in kept:
        assert new.line_body(entry.start.line).strip() == entry.code


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("    c = d / n  # sirdab: ignore[x]", True),
        ("    c = d / n#", True),
        ("    c = d / n // 2", False),
        ("    c = d / n + 1  # sirdab: ignore[x]", False),
        ("    # c = d / n", False),
    ],
)
def test_a_comment_behind_the_code_changes_nothing_of_it(line: str, kept: bool) -> None:
    old = Text(BEFORE)
    new = Text(BEFORE.replace("    c = d / n", line))
    found = moved([finding(2, old)], old, new, ("#",))
    assert [entry.code for entry in found] == ([line.strip()] if kept else [])
    # And back again.
    back = moved(found, new, old, ("#",))
    assert [entry.code for entry in back] == (["c = d / n"] if kept else [])


def test_the_chunks_that_two_states_share_are_not_compared() -> None:
    """An edit in the middle of a long document leaves the rest as it was."""
    old = Text("".join(f"line {number}\n" for number in range(5_000)))
    wanted = [finding(number, old) for number in (0, 2_499, 2_500, 2_501, 4_999)]
    new = old.replace(Point(2_500, 0), Point(2_500, 0), "new\nnew\n")
    assert [entry.start.line for entry in moved(wanted, old, new)] == [
        0,
        2_499,
        2_502,
        2_503,
        5_001,
    ]
    new = new.replace(Point(0, 0), Point(2_000, 0), "")
    assert [entry.start.line for entry in moved(wanted, old, new)] == [499, 502, 503, 3_001]


def test_what_was_dropped_moves_as_well() -> None:
    old = Text(BEFORE)
    dropped = [Dropped("r", line, "refuted") for line in (-1, 0, 2, 4)]
    new = Text("new\n" + BEFORE.replace("c = d / n", "c = d / m"))
    assert [entry.line for entry in moved_dropped(dropped, old, new)] == [-1, 5]
    same = Text(BEFORE.replace("c = d / n", "c = d / m"))
    assert [entry.line for entry in moved_dropped(dropped, old, same)] == [-1, 0, 4]
