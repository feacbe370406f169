"""Runs an asynchronous test server beside a command that has an event loop of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

_Server = TypeVar("_Server", bound=AbstractAsyncContextManager[Any])


@contextmanager
def in_background(server: _Server) -> Iterator[_Server]:
    """Enter a server in a thread, and leave it there when the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def enter() -> None:
        await server.__aenter__()

    async def leave() -> None:
        await server.__aexit__(None, None, None)

    try:
        asyncio.run_coroutine_threadsafe(enter(), loop).result(10)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(leave(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
