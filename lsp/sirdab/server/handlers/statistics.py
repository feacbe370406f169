"""`sirdab/statistics`: what became of the suggestions, for a status item's tooltip."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from sirdab.server.language_server import SirdabServer

METHOD = "sirdab/statistics"


def handle(ls: SirdabServer, params: Any) -> Awaitable[dict[str, Any]]:
    """Answer with the session's counts and the user's count of today."""
    del params
    return _statistics(ls)


async def _statistics(ls: SirdabServer) -> dict[str, Any]:
    tally = ls.session.tally
    accepted_today = await asyncio.to_thread(ls.metrics.accepted_today)
    return {**tally.counts, "acceptedToday": accepted_today, "last": tally.last}
