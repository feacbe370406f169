"""Findings are led through all edits of a review, and through each of them only once."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirdab.review.finding import Dropped, Finding
from sirdab.review.track import moved, moved_dropped
from sirdab.server.review import trail
from sirdab.server.review.trail import Trail
from sirdab.text.store import Point, Text

CODE = "".join(f"x{number} = a / b{number}\n" for number in range(12))


def finding(line: int) -> Finding:
    body = f"x{line} = a / b{line}"
    return Finding(
        *(Point(line, 0), Point(line, len(body)), body, "correctness", "division-by-zero"),
        *("warning", "It divides.", None, f"f{line}"),
    )


FINDINGS = [finding(line) for line in range(12)]
DROPPED = [Dropped("r", line, "refuted") for line in range(12)]

_edits = st.lists(
    st.tuples(
        st.integers(0, 14),
        st.integers(0, 3),
        st.sampled_from(["", "\n", "y = 1\n", "x3 = a / b3\n", "  "]),
        st.booleans(),
    ),
    max_size=20,
)


def edited(text: Text, line: int, gone: int, new: str) -> Text:
    return text.replace(Point(line, 0), Point(line + gone, 0), new)


@given(_edits)
def test_it_is_as_if_all_were_led_through_all_edits_each_time(
    edits: list[tuple[int, int, str, bool]],
) -> None:
    text = Text(CODE)
    led, findings, dropped = Trail([text], ("#",)), FINDINGS, DROPPED
    for line, gone, new, asked in edits:
        after = edited(text, line, gone, new)
        findings = [one for each in findings for one in moved([each], text, after, ("#",))]
        dropped = moved_dropped(dropped, text, after)
        led.add(after)
        text = after
        if asked:
            assert led.findings(FINDINGS) == findings
            assert led.dropped(DROPPED) == dropped
    assert led.findings(FINDINGS) == findings
    assert led.dropped(DROPPED) == dropped
    for entry in FINDINGS:
        place = led.lines(entry.start.line, entry.stop.line)
        # What was not edited is at its place, whatever was edited around it.
        if place is not None:
            assert text.line_body(place[0]) == entry.code


def test_an_edit_is_compared_once_and_an_entry_led_through_it_once() -> None:
    with (
        mock.patch.object(trail, "compare", side_effect=trail.compare) as compared,
        mock.patch.object(trail, "moved", side_effect=trail.moved) as led,
    ):
        text = Text(CODE)
        states = Trail([text], ())
        for number in range(30):
            text = text.replace(Point(0, 0), Point(0, 0), "\n")
            states.add(text)
            for entry in FINDINGS:
                states.lines(entry.start.line, entry.stop.line)
            placed = states.findings(FINDINGS)
            assert [one.start.line for one in placed] == [number + 1 + at for at in range(12)]
    assert compared.call_count == 30
    assert led.call_count == 30 * 12


@settings(max_examples=20)
@given(st.integers(1, 700), st.integers(1, 60))
def test_of_very_many_edits_the_oldest_count_as_one(edits: int, every: int) -> None:
    text = Text(CODE)
    states = Trail([text], ())
    for number in range(edits):
        text = text.replace(Point(0, 0), Point(0, 0), "\n")
        states.add(text)
        if number % every == 0:
            states.findings(FINDINGS)
    assert [one.start.line for one in states.findings(FINDINGS)] == list(range(edits, edits + 12))
    assert states.lines(0, 11) == (edits, edits + 11)


@pytest.mark.parametrize("asked_at", [1, 126, 127, 128, 129, 254, 255, 256])
def test_what_was_led_to_a_state_that_is_left_out_begins_anew(asked_at: int) -> None:
    text = Text(CODE)
    states = Trail([text], ())
    for number in range(1, 301):
        text = text.replace(Point(0, 0), Point(0, 0), "\n")
        states.add(text)
        if number == asked_at:
            states.findings(FINDINGS)
    assert [one.start.line for one in states.findings(FINDINGS)] == list(range(300, 312))


def test_what_an_edit_has_withdrawn_stays_away_and_what_comes_later_is_placed() -> None:
    text = Text(CODE)
    states = Trail([text], ())
    assert len(states.findings(FINDINGS[:4])) == 4
    after = text.replace(Point(2, 0), Point(2, 2), "other")
    states.add(after)
    assert [one.start.line for one in states.findings(FINDINGS[:4])] == [0, 1, 3]
    states.add(after.replace(Point(0, 0), Point(0, 0), "\n\n"))
    assert [one.start.line for one in states.findings(FINDINGS[:6])] == [2, 3, 5, 6, 7]
