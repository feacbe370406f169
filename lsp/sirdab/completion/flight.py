"""An answer that the model is still writing, and that belongs to no single request.

The next key mostly comes before the answer to the last one. As long as what is typed agrees with
what the model has written, or has not been contradicted yet, the same answer is what the new
request wants: to stop the model and ask again would throw away the reading of the prompt, which
takes seconds at a place the model has not seen.
"""

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Hashable
from typing import Any

from sirdab.completion.cache import Known, Place, closed_by_itself
from sirdab.completion.question import Question

GRACE_SECONDS = 0.15
"""How long an answer goes on with nobody waiting for it. Editors give up the request before a key
and send the one behind it in the same breath; who has gone for good stops the model this much
later."""

LINGER_SECONDS = 4.0
"""The same for one that is late: an editor that gives up a late request has somebody before it
who waits, and whose next key wants this answer."""


class Flight:
    """One answer under way.

    Attributes:
        question: What was asked.
        conditions: Whatever else the answer depends on.
        trace: What has been measured of it; complete when it is done.
        text: What has been written so far, as the model said it.
        offered: The suggestion that was made of it, or of a first part of it, so far.
        asked: When the latest request came that waits for it, in seconds; an earlier one may not
            take its place.
    """

    def __init__(self, question: Question, conditions: Hashable, patience_s: float) -> None:
        """Describe an answer; `start` begins it.

        Args:
            question: What is asked.
            conditions: Whatever else the answer depends on.
            patience_s: Seconds after which it is late.
        """
        self.question = question
        self.conditions = conditions
        self._patience_s = patience_s
        self._started = 0.0
        self.offered: Known | None = None
        self.asked = 0.0
        self.trace: dict[str, Any] = {}
        self.text = ""
        self._task: asyncio.Task[Any] | None = None
        self._grown = asyncio.Event()
        self._waiting = 0
        self._leaving: asyncio.TimerHandle | None = None

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin; the work reports to `grow` as it goes."""
        self._started = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._landed)

    @property
    def place(self) -> Place:
        """Where it was asked for."""
        return self.question.place

    @property
    def done(self) -> bool:
        """Whether the answer is complete, has failed or was given up."""
        return self._task is None or self._task.done()

    def grow(self, text: str) -> None:
        """Take what has been written so far."""
        self.text = text
        self._grown.set()

    def ask_instead(self, question: Question, conditions: Hashable) -> None:
        """Take it that another question is asked for the same place, and let who waits know.

        Args:
            question: What is asked instead.
            conditions: Whatever else its answer depends on.
        """
        self.question = question
        self.conditions = conditions
        self._grown.set()

    def leads_to(self, place: Place, conditions: Hashable) -> bool:
        """Whether the answer may still be one for a place."""
        if self.done or conditions != self.conditions:
            return False
        if not place.before.startswith(self.place.before):
            return False
        typed = place.before[len(self.place.before) :]
        closer = closed_by_itself(self.place.after, place.after)
        if closer is None or (closer and not typed):
            return False
        return self.text.startswith(typed) or typed.startswith(self.text)

    async def wait(self, timeout_s: float | None = None) -> None:
        """Wait until there is news: more text, the end, or that it takes too long.

        Args:
            timeout_s: Longest time to wait, in seconds; None and infinity set no limit.
        """
        self._waiting += 1
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        try:
            self._grown.clear()
            if not self.done:
                with contextlib.suppress(TimeoutError):
                    limit = None if timeout_s == math.inf else timeout_s
                    async with asyncio.timeout(limit):
                        await self._grown.wait()
        finally:
            self._waiting -= 1
            if not self._waiting and not self.done:
                loop = asyncio.get_running_loop()
                is_late = loop.time() - self._started > self._patience_s
                grace = LINGER_SECONDS if is_late else GRACE_SECONDS
                self._leaving = loop.call_later(grace, self.cancel)

    def result(self) -> Any:
        """Return what the work returned, or raise what it raised.

        Raises:
            asyncio.CancelledError: It was given up.
        """
        if self._task is None:
            raise asyncio.CancelledError
        return self._task.result()

    def cancel(self) -> None:
        """Give it up, which stops the model."""
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        if self._task is not None:
            self._task.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether it was given up."""
        return self._task is not None and self._task.done() and self._task.cancelled()

    def _landed(self, task: "asyncio.Task[Any]") -> None:
        self._grown.set()
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        # Whoever waits takes the error; asyncio would complain of one that nobody waits for.
        if not task.cancelled():
            task.exception()
