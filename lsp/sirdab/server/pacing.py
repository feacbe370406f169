"""When the model is asked while somebody types, and how the keys that decide about it come in."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sirdab.completion.debounce import Debounce, Decision
from sirdab.completion.request import CompletionRequest, Outcome, Reason, Source, Trigger
from sirdab.server.edit_steps import keys_in, steps_of
from sirdab.server.lifecycle import Lifecycle
from sirdab.text.document import Change, Snapshot
from sirdab.text.positions import Encoding
from sirdab.text.store import Point, Text

_log = logging.getLogger(__name__)


class _Decided(NamedTuple):
    """The last request of a keystroke, and what it had to wait for."""

    text: Text
    point: Point
    decision: Decision


class Pacing:
    """The debounce of one session, and what it learns from. No method raises."""

    def __init__(self) -> None:
        """Start without a past."""
        self.debounce = Debounce()
        self._last: _Decided | None = None

    def edited(
        self,
        before: Snapshot,
        changes: Sequence[Change],
        encoding: Encoding,
        lifecycle: Lifecycle,
    ) -> None:
        """Take a change of a document.

        Args:
            before: The document before it.
            changes: What the client sent.
            encoding: The units of its positions.
            lifecycle: Follows the suggestions in it.
        """
        try:
            steps = list(steps_of(before.text, changes, encoding))
            taken = lifecycle.changed(before.uri, steps)
            # What came in with a suggestion says nothing of how fast somebody types.
            self.debounce.rhythm.typed(0 if taken else keys_in(steps))
        except Exception as error:  # noqa: BLE001 - the change itself has been applied
            _log.error("an edit could not be followed (%s)", type(error).__name__)

    def decide(self, request: CompletionRequest) -> Decision:
        """Decide about a request that has come, and remember it."""
        self._last = None
        try:
            decision = self.debounce.asked(request)
        except Exception as error:  # noqa: BLE001 - then it is asked at once
            _log.error("no debounce (%s)", type(error).__name__)
            return Decision(0, 0, 0.0, 0)
        if request.trigger is Trigger.AUTOMATIC:
            self._last = _Decided(request.snapshot.text, request.point, decision)
        return decision

    def learn(self, outcome: Outcome) -> None:
        """Learn from an answer how long the model takes."""
        if outcome.trace.get("source") == Source.COPY:
            return
        took = outcome.trace.get("total_ms")
        joined = "model_ms" not in outcome.trace or "in_flight" in outcome.trace
        if not joined and isinstance(took, int | float):
            self.debounce.answered(took)

    def explained(self, request: CompletionRequest, outcome: Outcome) -> Outcome:
        """Return an explanation with what a keystroke's request had to wait for at a place.

        Args:
            request: The place.
            outcome: What the model says there.

        Returns:
            The outcome; with the reason that nothing appeared, where it is that too much was
            dismissed.
        """
        last = self._last
        if last is not None and (last.text, last.point) == (request.snapshot.text, request.point):
            decision = last.decision
        else:
            # As it would be if a key had just been pressed there.
            automatic = replace(request, trigger=Trigger.AUTOMATIC)
            decision = self.debounce.decide(automatic, since_key_ms=0.0)
        outcome = replace(outcome, trace={**outcome.trace, "debounce": decision.trace})
        if not decision.backed_off or outcome.reason is not Reason.SUGGESTED:
            return outcome
        refusal = decision.refusal()
        return replace(outcome, reason=refusal.reason, detail=refusal.detail)
