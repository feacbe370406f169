"""Looks for a lost endpoint while nobody asks for one.

Without it a user who stopped typing would be told that the server is away long after it came
back, and an embedded server that was killed would be started again only by the next pause in
typing.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sirdab.endpoint.base import EndpointError

FIRST_DELAY_S = 1.0
"""Seconds after the loss until the first look."""

LONGEST_DELAY_S = 30.0
"""Seconds between looks at a server that stays away; each wait is twice the one before."""


class Recovery:
    """Repeats a look until it succeeds or is called off."""

    def __init__(self, look: Callable[[], Awaitable[object]], first_s: float) -> None:
        """Prepare; nothing is done before `begin`.

        Args:
            look: Tries to reach the endpoint; raises `EndpointError` while it is away.
            first_s: Seconds until the first look.
        """
        self._look = look
        self._first_s = first_s
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start looking, unless that goes on already."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._repeat())

    async def stop(self) -> None:
        """Call it off and wait until it has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _repeat(self) -> None:
        delay = self._first_s
        while True:
            await asyncio.sleep(delay)
            try:
                await self._look()
            except EndpointError:
                delay = min(delay * 2, LONGEST_DELAY_S)
            else:
                return
