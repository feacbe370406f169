"""What an answer cost: by the server's own figures where it gives them, else by our clock.

The size of the window follows how fast a model reads (`sirdab.completion.budget`), also where a
server tells nothing of it: the time until the first word is mostly reading, and the rest is
writing.
"""

from collections.abc import Callable
from dataclasses import replace

from sirdab.endpoint.base import Usage

# Characters of source code to a token, where the server has counted none: somewhat more than what
# `sirdab.completion.budget.CHARS_PER_TOKEN` allows for, because here neither side is the safe one.
_TYPICAL_CHARACTERS = 3.0


class Timing:
    """Watches one answer."""

    def __init__(self, clock: Callable[[], float], unread: int, whole: int) -> None:
        """Begin.

        Args:
            clock: Seconds.
            unread: Characters of the prompt that the server has not been sent before.
            whole: Characters of the prompt.
        """
        self._clock = clock
        self._unread = unread
        self._whole = whole
        self._started = clock()
        self._first: float | None = None
        self._latest = 0.0
        self._written = 0

    def take(self, text: str) -> None:
        """Take a piece of the answer that has come now."""
        if not text:
            return
        self._latest = self._clock()
        if self._first is None:
            self._first = self._latest
        else:
            # What came first was written while the prompt's time was still running.
            self._written += len(text)

    @property
    def first_ms(self) -> float | None:
        """Time until the first text, in milliseconds; None when there was none."""
        return None if self._first is None else (self._first - self._started) * 1000

    @property
    def total_ms(self) -> float:
        """Time since the beginning, in milliseconds."""
        return (self._clock() - self._started) * 1000

    def usage(self, reported: Usage, characters_per_token: float) -> Usage:
        """Return what the answer cost.

        Args:
            reported: What the server says.
            characters_per_token: Of this model; 0 while unknown.
        """
        if reported.prompt_ms or reported.generated_ms or self._first is None:
            return reported
        if reported.prompt_tokens and self._whole:
            evaluated = reported.prompt_tokens * self._unread // self._whole
        else:
            evaluated = int(self._unread / (characters_per_token or _TYPICAL_CHARACTERS))
        written = int(self._written / (characters_per_token or _TYPICAL_CHARACTERS))
        return replace(
            reported,
            evaluated_tokens=reported.evaluated_tokens or evaluated,
            prompt_ms=self.first_ms or 0.0,
            # Tokens that the server counted may hold some that were never text.
            generated_tokens=written,
            generated_ms=(self._latest - self._first) * 1000,
        )
