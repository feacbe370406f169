"""How long to wait after a keystroke before the model is asked, and when not to ask at all.

A request that the next key makes useless costs the machine, and one that waits costs the user. So
the wait is as long as the next key is likely to take: it follows the rhythm that is typed in, is
none where people stop to think and long inside of words, is shorter where the model is quick, and
leaves a slow one the time that the editor gives it. The shape, a rate times the rhythm, is that of
Tabby's client; the constants are those that `bench/debounce.py` found: no more requests and lost
work than with a fixed 75 ms, and suggestions sooner.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sirdab.completion.backoff import Backoff
from sirdab.completion.request import CompletionRequest, Outcome, Reason, Trigger
from sirdab.completion.rhythm import Rhythm, middle
from sirdab.completion.trigger_score import trigger_score

# Intervals between keys to wait for the next key, at a trigger score of 0 and of 1.
RATE_INSIDE_WORD = 1.2
RATE_AT_DECISION = 0.0
# What a request costs that the next key makes useless is the model's time until then, so for a
# quick model less is waited: in proportion to its time, from this one down, in milliseconds.
FULL_PRICE_MS = 100.0
LEAST_PRICE = 0.8
MOST_MS = 300.0
"""Nobody whose last suggestions were welcome waits longer than this for the model to be asked."""

EDITOR_BUDGET_MS = 750.0
"""VS Code 1.139 waits this long for ghost text behind a word character, then shows its own list."""
# Milliseconds for the editor's own pause before it asks (about 50) and for drawing.
_EDITOR_SHARE_MS = 100.0

_RESPONSES = 16


@dataclass(frozen=True, slots=True)
class Decision:
    """What a keystroke's request has to wait for.

    Attributes:
        ms: Milliseconds to wait.
        rhythm_ms: Milliseconds between two keys, as this user types.
        score: How good a moment it is, from 0 to 1.
        dismissed_in_a_row: Suggestions in a row that the user did not want.
        quiet_seconds: 0 when the model may be asked; else for how long such a place is left
            alone, because of what was dismissed.
    """

    ms: int
    rhythm_ms: int
    score: float
    dismissed_in_a_row: int
    quiet_seconds: float = 0.0

    @property
    def backed_off(self) -> bool:
        """Whether the model is not to be asked."""
        return self.quiet_seconds > 0

    @property
    def trace(self) -> dict[str, float]:
        """What `sirdab/explain` says of it."""
        return {
            "ms": self.ms,
            "rhythm_ms": self.rhythm_ms,
            "score": self.score,
            "dismissed_in_a_row": self.dismissed_in_a_row,
        }

    def refusal(self) -> Outcome:
        """Return the outcome of a request that is not put to the model."""
        return Outcome(
            Reason.BACKED_OFF,
            f"The last {self.dismissed_in_a_row} suggestions were dismissed, so at places like "
            f"this one none comes by itself for {max(1, round(self.quiet_seconds))} s more. Ask "
            "for one, or take one, and all is as before.",
            trace={"debounce": self.trace},
        )


class Debounce:
    """Decides for each request, from what was typed and dismissed in this session."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without a past.

        Args:
            clock: Seconds; injectable for tests.
        """
        self.rhythm = Rhythm(clock)
        self.backoff = Backoff(clock)
        self._responses: deque[float] = deque(maxlen=_RESPONSES)

    def answered(self, ms: float) -> None:
        """Take how long the model took for an answer, in milliseconds."""
        self._responses.append(ms)

    @property
    def response_ms(self) -> float:
        """What an answer of the model takes, in milliseconds; 0 when it is not known yet."""
        return middle(self._responses) if self._responses else 0.0

    def asked(self, request: CompletionRequest) -> Decision:
        """Decide about a request that has come, and learn from it how the editor asks."""
        if request.trigger is Trigger.AUTOMATIC:
            self.rhythm.asked()
        else:
            self.backoff.welcome()
        return self.decide(request)

    def decide(self, request: CompletionRequest, since_key_ms: float | None = None) -> Decision:
        """Return what holds for a request now.

        Args:
            request: The request; nothing is learned from it.
            since_key_ms: Milliseconds since the last key; measured by default.
        """
        rhythm_ms = self.rhythm.interval_ms
        line = request.snapshot.text.line_body(request.point.line)
        score = trigger_score(line[: request.point.column])
        in_a_row = self.backoff.in_a_row

        def decision(ms: float, quiet_seconds: float = 0.0) -> Decision:
            return Decision(round(ms), round(rhythm_ms), score, in_a_row, quiet_seconds)

        if request.trigger is Trigger.INVOKED:
            return decision(0)
        configured = request.settings.completion.debounce_ms
        if configured != "auto":
            # Whoever names a figure wants that figure, whatever was dismissed.
            return decision(configured)
        quiet_seconds = self.backoff.seconds_until(score)
        if quiet_seconds > 0:
            return decision(0, quiet_seconds)
        if since_key_ms is None:
            since_key_ms = self.rhythm.since_last_ms
        return decision(self._wait_ms(rhythm_ms, score, since_key_ms))

    def _wait_ms(self, rhythm_ms: float, score: float, since_key_ms: float) -> float:
        rate = RATE_INSIDE_WORD + (RATE_AT_DECISION - RATE_INSIDE_WORD) * score
        response_ms = self.response_ms
        price = min(max(response_ms / FULL_PRICE_MS, LEAST_PRICE), 1.0) if response_ms else 1.0
        wait = min(rate * rhythm_ms * price, MOST_MS) + self.backoff.slower_ms
        # What the editor has waited already counts, seen or concluded.
        wait = (wait - since_key_ms) * (1.0 - self.rhythm.merged)
        return min(max(wait, 0.0), max(EDITOR_BUDGET_MS - _EDITOR_SHARE_MS - response_ms, 0.0))
