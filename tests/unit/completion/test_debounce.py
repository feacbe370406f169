"""How long a keystroke's request waits, and when it is not put to the model at all."""

from dataclasses import replace
from typing import Literal

import pytest

from sirdab.completion.backoff import Backoff
from sirdab.completion.debounce import EDITOR_BUDGET_MS, Debounce
from sirdab.completion.request import CompletionRequest, Reason, Trigger
from sirdab.completion.rhythm import TYPICAL_MS, Rhythm
from sirdab.completion.trigger_score import trigger_score
from tests.support.completion import request_for


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now

    def wait(self, ms: float) -> None:
        self.now += ms / 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


def automatic(
    marked: str = "retu$0", debounce_ms: Literal["auto"] | int = "auto"
) -> CompletionRequest:
    return request_for(marked, trigger=Trigger.AUTOMATIC, debounce_ms=debounce_ms)


def type_at(debounce: Debounce, clock: Clock, interval_ms: float, keys: int = 20) -> None:
    """Type in an editor that asks at every key."""
    for _ in range(keys):
        clock.wait(interval_ms)
        debounce.rhythm.typed(1)
        debounce.rhythm.asked()


# --- the moment -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        ("print(", "print"),
        ("self.", "self"),
        ("x = ", "x "),
        ("x =", "x"),
        ("    ", "ret"),
        ("", "i"),
        ("return ", "return"),
        ("f(a)", "f(a"),
        ("std::", "std"),
        ("p->", "p"),
        ("a, ", "a"),
        ("[", "]"),
    ],
)
def test_people_hesitate_where_a_decision_is_due(sooner: str, later: str) -> None:
    assert trigger_score(sooner) > trigger_score(later)


@pytest.mark.parametrize("line", ["retu", "x1", "a_", "$", "3.", "naïv", "变"])
def test_inside_of_a_word_the_next_key_is_on_its_way(line: str) -> None:
    assert trigger_score(line) == 0.0


@pytest.mark.parametrize("line", ["", "\t", "f(", "a.b(c, ", "#", "\x00", "🎉", "]"])
def test_a_score_is_a_share(line: str) -> None:
    assert 0.0 <= trigger_score(line) <= 1.0


# --- the rhythm -------------------------------------------------------------------------------


def test_the_rhythm_is_the_median_of_the_intervals(clock: Clock) -> None:
    rhythm = Rhythm(clock)
    assert rhythm.interval_ms == TYPICAL_MS
    for ms in (100, 120, 110, 900, 130, 105, 115, 800, 125, 118):
        clock.wait(ms)
        rhythm.typed(1)
    assert rhythm.interval_ms == pytest.approx(120, abs=5)


def test_a_pause_is_no_rhythm(clock: Clock) -> None:
    rhythm = Rhythm(clock)
    for _ in range(30):
        for ms in (90, 90, 5_000, 90):
            clock.wait(ms)
            rhythm.typed(1)
    assert rhythm.interval_ms == pytest.approx(90)


def test_the_rhythm_follows_who_slows_down(clock: Clock) -> None:
    rhythm = Rhythm(clock)
    for ms, expect in ((100, 100), (250, 250)):
        for _ in range(60):
            clock.wait(ms)
            rhythm.typed(1)
        assert rhythm.interval_ms == pytest.approx(expect)


@pytest.mark.parametrize(("ms", "expect"), [(5, 60), (900, 400)])
def test_no_rhythm_is_out_of_reason(clock: Clock, ms: float, expect: float) -> None:
    rhythm = Rhythm(clock)
    for _ in range(30):
        clock.wait(ms)
        rhythm.typed(1)
    assert rhythm.interval_ms == expect


def test_what_was_not_typed_is_no_key(clock: Clock) -> None:
    rhythm = Rhythm(clock)
    for _ in range(30):
        clock.wait(100)
        rhythm.typed(1)
        clock.wait(10)
        rhythm.typed(0)
        clock.wait(10)
        rhythm.typed(500)
    assert rhythm.interval_ms == TYPICAL_MS


def test_keys_that_come_at_once_share_their_interval(clock: Clock) -> None:
    rhythm = Rhythm(clock)
    for _ in range(30):
        clock.wait(450)
        rhythm.typed(3)
    assert rhythm.interval_ms == pytest.approx(150)


# --- the wait ---------------------------------------------------------------------------------


def test_none_when_asked_for(clock: Clock) -> None:
    debounce = Debounce(clock)
    for _ in range(20):
        debounce.backoff.dismissed()
    decision = debounce.asked(request_for("retu$0", debounce_ms=500))
    assert (decision.ms, decision.backed_off) == (0, False)


@pytest.mark.parametrize("ms", [0, 75, 400, 10_000])
def test_a_number_is_that_number(clock: Clock, ms: int) -> None:
    debounce = Debounce(clock)
    type_at(debounce, clock, 90)
    debounce.answered(300)
    for _ in range(20):
        debounce.backoff.dismissed()
    for marked in ("retu$0", "f($0"):
        decision = debounce.asked(automatic(marked, debounce_ms=ms))
        assert (decision.ms, decision.backed_off) == (ms, False)


def test_slow_typists_are_waited_for_longer(clock: Clock) -> None:
    waits: list[int] = []
    for interval_ms in (80, 150, 220):
        debounce = Debounce(clock)
        type_at(debounce, clock, interval_ms)
        waits.append(debounce.decide(automatic()).ms)
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


def test_a_place_of_decision_is_asked_for_sooner(clock: Clock) -> None:
    debounce = Debounce(clock)
    type_at(debounce, clock, 150)
    places = ("foo($0", "foo $0", "foo)$0", "foo$0")
    waits = [debounce.decide(automatic(place)).ms for place in places]
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


def test_a_quick_model_is_asked_sooner(clock: Clock) -> None:
    waits: list[int] = []
    for response_ms in (60, 90, 200):
        debounce = Debounce(clock)
        type_at(debounce, clock, 150)
        debounce.answered(response_ms)
        waits.append(debounce.decide(automatic()).ms)
    assert waits == sorted(waits)
    assert waits[0] < waits[1] < waits[2]


def test_one_slow_answer_is_no_slow_model(clock: Clock) -> None:
    debounce = Debounce(clock)
    for ms in (100, 90, 110, 9_000, 105, 95):
        debounce.answered(ms)
    assert debounce.response_ms < 120


def test_what_the_editor_has_waited_already_counts(clock: Clock) -> None:
    debounce = Debounce(clock)
    type_at(debounce, clock, 150)
    at_once = debounce.decide(automatic()).ms
    clock.wait(50)
    assert debounce.decide(automatic()).ms == at_once - 50
    clock.wait(5_000)
    assert debounce.decide(automatic()).ms == 0


def test_an_editor_that_waits_for_a_pause_itself_is_not_kept_waiting(clock: Clock) -> None:
    """Neovim tells of the keys together with the request that it has held back."""
    debounce = Debounce(clock)
    for _ in range(20):
        clock.wait(700)
        debounce.rhythm.typed(4)
        debounce.asked(automatic())
    assert debounce.decide(automatic()).ms == 0


@pytest.mark.parametrize("response_ms", [0, 100, 400, 640, 700, 3_000])
@pytest.mark.parametrize("dismissed", [0, 4, 20])
def test_answers_come_within_the_editors_patience(
    clock: Clock, response_ms: float, dismissed: int
) -> None:
    debounce = Debounce(clock)
    type_at(debounce, clock, 400)
    debounce.answered(response_ms)
    for _ in range(dismissed):
        debounce.backoff.dismissed()
    for marked in ("retu$0", "f($0", "$0"):
        wait = debounce.decide(automatic(marked)).ms
        assert wait >= 0
        assert wait + response_ms <= max(EDITOR_BUDGET_MS - 100, response_ms)


# --- less of what nobody wants -------------------------------------------------------------------


def test_one_or_two_dismissals_mean_nothing(clock: Clock) -> None:
    debounce = Debounce(clock)
    before = debounce.decide(automatic())
    for _ in range(2):
        debounce.backoff.dismissed()
    after = debounce.decide(automatic())
    assert (after.ms, after.backed_off) == (before.ms, False)


def test_the_more_are_dismissed_the_higher_the_bar(clock: Clock) -> None:
    debounce = Debounce(clock)
    places = ("foo$0", "foo)$0", "foo $0", "foo($0")
    asked: list[int] = []
    waits: list[int] = []
    for _ in range(12):
        decisions = [debounce.decide(automatic(place)) for place in places]
        asked.append(sum(not decision.backed_off for decision in decisions))
        waits.append(decisions[-1].ms)
        debounce.backoff.dismissed()
    assert asked == sorted(asked, reverse=True)
    assert (asked[0], asked[-1]) == (4, 1)
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


def test_inside_of_words_it_falls_silent_first(clock: Clock) -> None:
    debounce = Debounce(clock)
    for _ in range(7):
        debounce.backoff.dismissed()
    assert debounce.decide(automatic("foo$0")).backed_off
    assert not debounce.decide(automatic("foo $0")).backed_off


def test_it_says_why_and_for_how_long(clock: Clock) -> None:
    debounce = Debounce(clock)
    for _ in range(8):
        debounce.backoff.dismissed()
    decision = debounce.decide(automatic())
    outcome = decision.refusal()
    assert outcome.reason is Reason.BACKED_OFF
    assert outcome.suggestions == ()
    assert "8 suggestions" in outcome.detail
    assert outcome.trace["debounce"]["dismissed_in_a_row"] == 8
    clock.wait(decision.quiet_seconds * 1000 - 100)
    assert debounce.decide(automatic()).backed_off
    clock.wait(200)
    assert not debounce.decide(automatic()).backed_off


@pytest.mark.parametrize("marked", ["foo$0", "foo)$0", "foo $0"])
def test_it_is_never_silent_for_ever(clock: Clock, marked: str) -> None:
    debounce = Debounce(clock)
    for _ in range(1_000):
        debounce.backoff.dismissed()
    clock.wait(3 * 60_000)
    decision = debounce.decide(automatic(marked))
    assert not decision.backed_off
    clock.wait(10 * 60_000)
    assert debounce.decide(automatic(marked)).dismissed_in_a_row == 0


def test_at_a_place_of_decision_it_is_never_silent(clock: Clock) -> None:
    debounce = Debounce(clock)
    for _ in range(1_000):
        debounce.backoff.dismissed()
        assert not debounce.decide(automatic("foo($0")).backed_off


def test_one_that_is_taken_makes_up_for_all(clock: Clock) -> None:
    debounce = Debounce(clock)
    fresh = debounce.decide(automatic())
    for _ in range(20):
        debounce.backoff.dismissed()
    debounce.backoff.welcome()
    assert debounce.decide(automatic()) == fresh


def test_who_asks_wants_suggestions_again(clock: Clock) -> None:
    debounce = Debounce(clock)
    fresh = debounce.decide(automatic())
    for _ in range(20):
        debounce.backoff.dismissed()
    debounce.asked(replace(automatic(), trigger=Trigger.INVOKED))
    assert debounce.decide(automatic()) == fresh


def test_a_look_at_what_would_be_decided_changes_nothing(clock: Clock) -> None:
    debounce = Debounce(clock)
    for _ in range(20):
        debounce.backoff.dismissed()
    debounce.decide(replace(automatic(), trigger=Trigger.INVOKED))
    assert debounce.decide(automatic()).backed_off


def test_rare_dismissals_do_not_add_up(clock: Clock) -> None:
    backoff = Backoff(clock)
    for _ in range(100):
        backoff.dismissed()
        clock.wait(60_000)
    assert backoff.bar == 0.0
    assert backoff.slower_ms == 0.0
