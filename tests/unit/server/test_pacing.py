"""What the server learns of its user's typing, and what it says of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sirdab.completion.request import CompletionRequest, Outcome, Reason, Trigger
from sirdab.server.pacing import Pacing
from sirdab.text.document import Change, Range
from sirdab.text.positions import Encoding
from tests.support.completion import request_for
from tests.support.suggestions import Editor


class Typing:
    """A pacing with a clock that stands still, and an editor whose keys it hears of."""

    def __init__(self, marked: str = "$0") -> None:
        self.now = 10.0
        self.pacing = Pacing()
        debounce = self.pacing.debounce
        debounce.rhythm._clock = debounce.backoff._clock = lambda: self.now
        self.editor = Editor(marked)

    def type(self, keys: Sequence[str], interval_ms: float) -> None:
        for key in keys:
            self.now += interval_ms / 1000
            before, at = self.editor.snapshot, self.editor.cursor
            span = Range(at.line, at.column, at.line, at.column)
            self.pacing.edited(before, [Change(span, key)], Encoding.UTF16, self.editor.lifecycle)
            self.editor.text = self.editor.text.replace(at, at, key)
            self.editor.cursor = at._replace(column=at.column + len(key))

    @property
    def request(self) -> CompletionRequest:
        request = request_for("$0", trigger=Trigger.AUTOMATIC)
        return replace(request, snapshot=self.editor.snapshot, point=self.editor.cursor)

    def explain(self, outcome: Outcome | None = None) -> Outcome:
        found = outcome or Outcome(Reason.SUGGESTED, "There is a suggestion.", (), {"gate": "x"})
        return self.pacing.explained(replace(self.request, trigger=Trigger.INVOKED), found)


def test_the_rhythm_is_heard_from_the_changes() -> None:
    typing = Typing()
    typing.type("return_value_of_something", 130)
    assert typing.explain().trace["debounce"]["rhythm_ms"] == 130


def test_a_piece_of_a_suggestion_is_no_key() -> None:
    typing = Typing("ret$0")
    for _ in range(30):
        typing.type("xy", 140)
        typing.editor.show("one two three four")
        # Had the words been typed, they would be keys 3 ms apart.
        typing.type(("one", " two", " three", " four"), 10)
    assert typing.explain().trace["debounce"]["rhythm_ms"] == 140


def test_an_explanation_tells_of_the_request_that_was() -> None:
    typing = Typing()
    typing.type("return_val", 130)
    typing.now += 0.05
    waited = typing.pacing.decide(typing.request).ms
    typing.now += 60
    assert typing.explain().trace["debounce"]["ms"] == waited
    assert waited > 0


def test_where_nothing_was_asked_it_tells_of_a_request_that_would_be() -> None:
    typing = Typing()
    typing.type("return_val", 130)
    typing.now += 60
    assert typing.explain().trace["debounce"]["ms"] > 0


def test_what_was_held_back_then_is_said_although_it_would_not_be_now() -> None:
    typing = Typing()
    typing.type("return_val", 130)
    for _ in range(12):
        typing.pacing.debounce.backoff.dismissed()
    assert typing.pacing.decide(typing.request).backed_off
    typing.now += 600
    found = typing.explain()
    assert found.reason is Reason.BACKED_OFF
    assert found.trace["gate"] == "x"
    typing.type("u", 130)
    assert typing.explain().reason is Reason.SUGGESTED


@pytest.mark.parametrize("reason", [Reason.EMPTY, Reason.EXCLUDED, Reason.ENDPOINT])
def test_another_reason_is_the_reason(reason: Reason) -> None:
    typing = Typing()
    typing.type("return_val", 130)
    for _ in range(12):
        typing.pacing.debounce.backoff.dismissed()
    assert typing.explain(Outcome(reason, "Because.")).reason is reason


@pytest.mark.parametrize(
    ("trace", "learned"),
    [
        ({"model_ms": 80.0, "total_ms": 90.0}, 90.0),
        ({"model_ms": 80.0, "total_ms": 90.0, "in_flight": "joined"}, 0.0),
        ({"total_ms": 0.2, "cache": "hit"}, 0.0),
        ({"model_ms": 80.0}, 0.0),
    ],
)
def test_only_an_answer_of_its_own_tells_how_long_the_model_takes(
    trace: dict[str, Any], learned: float
) -> None:
    pacing = Pacing()
    pacing.learn(Outcome(Reason.SUGGESTED, "", (), trace))
    assert pacing.debounce.response_ms == learned


def test_a_fault_is_no_reason_not_to_ask(caplog: pytest.LogCaptureFixture) -> None:
    typing = Typing()
    broken = replace(typing.request, snapshot=None)  # pyright: ignore[reportArgumentType]
    decision = typing.pacing.decide(broken)
    assert (decision.ms, decision.backed_off) == (0, False)
    assert "no debounce" in caplog.text
