"""The simulation that the constants of the debounce come from counts what it says it counts."""

import pytest

from bench.debounce import EDITOR_MS, Key, fixed, keys, ours, quiet, scattered, simulate
from bench.debounce import Moment as At


def typed(*pauses_ms: float) -> list[Key]:
    """Keys with these pauses between them; the last one is followed by nothing."""
    now, found = 0.0, [Key(0.0, "a", line_ends=True, typed=True)]
    for pause in pauses_ms:
        now += pause
        found.append(Key(now, "a", line_ends=True, typed=True))
    return found


@pytest.mark.parametrize(
    ("pause_ms", "wait_ms", "requests", "superseded"),
    [
        (EDITOR_MS - 1, 0, 0, 0.0),
        (EDITOR_MS + 50, 75, 0, 0.0),
        (EDITOR_MS + 100, 75, 1, 1.0),
        (EDITOR_MS + 75 + 10_000, 75, 1, 0.0),
    ],
)
def test_a_request_is_sent_and_answered_or_not(
    pause_ms: float, wait_ms: float, requests: int, superseded: float
) -> None:
    found = simulate(typed(pause_ms), fixed(wait_ms), 1_000)
    # For 100 keys, and here are two.
    assert found.requests == requests * 50
    assert found.superseded == superseded


def test_a_pause_is_served_when_the_answer_can_be_read_in_it() -> None:
    found = simulate(typed(701, 60_000), fixed(0), 600)
    assert found.served == 0.5
    assert found.seen_after_ms > EDITOR_MS


def test_scattered_pauses_only_add_time() -> None:
    plain = keys(1.0)
    found = scattered(plain)
    assert [key.before for key in found] == [key.before for key in plain]
    assert found[-1].at > plain[-1].at


def test_the_adaptive_one_sends_no_more_than_a_fixed_one_and_is_sooner() -> None:
    plain = keys(1.0)
    ours_, fixed_ = simulate(plain, ours(), 250), simulate(plain, fixed(75), 250)
    assert ours_.requests <= fixed_.requests
    assert ours_.wasted_ms <= fixed_.wasted_ms
    assert ours_.seen_after_ms < fixed_.seen_after_ms


def test_the_less_is_taken_the_less_is_offered() -> None:
    moments = [At(score, 400.0) for score in (0.0, 0.6, 0.9)]
    passed = [sum(quiet(share, moments).values()) for share in (0.0, 0.1, 0.5, 1.0)]
    assert passed == sorted(passed, reverse=True)
    assert passed[0] > 0.4
    assert passed[-1] == 0.0
