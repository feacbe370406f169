"""An answer that the model is still writing, and that belongs to no single request.

The next key mostly comes before the answer to the last one. As long as what is typed agrees with
what the model has written, or has not been contradicted yet, the same answer is what the new
request wants: to stop the model and ask again would throw away the reading of the prompt, which
takes seconds at a place the model has not seen.
"""

import asyncio
from collections.abc import Coroutine, Hashable
from typing import Any

from sirdab.completion.cache import Place

GRACE_SECONDS = 0.15
"""How long an answer goes on with nobody waiting for it. Editors give up the request before a key
and send the one behind it in the same breath; who has gone for good stops the model this much
later."""


class Flight:
    """One answer under way.

    Attributes:
        place: Where it was asked for.
        conditions: Whatever else it depends on.
        trace: What has been measured of it; complete when it is done.
        text: What has been written so far, as the model said it.
    """

    def __init__(self, place: Place, conditions: Hashable) -> None:
        """Describe an answer; `start` begins it."""
        self.place = place
        self.conditions = conditions
        self.trace: dict[str, Any] = {}
        self.text = ""
        self._task: asyncio.Task[Any] | None = None
        self._grown = asyncio.Event()
        self._waiting = 0
        self._leaving: asyncio.TimerHandle | None = None

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin; the work reports to `grow` as it goes."""
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._landed)

    @property
    def done(self) -> bool:
        """Whether the answer is complete, has failed or was given up."""
        return self._task is None or self._task.done()

    def grow(self, text: str) -> None:
        """Take what has been written so far."""
        self.text = text
        self._grown.set()

    def leads_to(self, place: Place, conditions: Hashable) -> bool:
        """Whether the answer may still be one for a place."""
        if self.done or conditions != self.conditions or place.after != self.place.after:
            return False
        if not place.before.startswith(self.place.before):
            return False
        typed = place.before[len(self.place.before) :]
        return self.text.startswith(typed) or typed.startswith(self.text)

    async def wait(self) -> None:
        """Wait until there is news: more text, or the end."""
        self._waiting += 1
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        try:
            self._grown.clear()
            if not self.done:
                await self._grown.wait()
        finally:
            self._waiting -= 1
            if not self._waiting and not self.done:
                loop = asyncio.get_running_loop()
                self._leaving = loop.call_later(GRACE_SECONDS, self.cancel)

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
