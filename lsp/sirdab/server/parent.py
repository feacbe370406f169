"""Notices that the editor is gone even when it could not close our standard input."""

import asyncio
from collections.abc import Callable

# A forgotten server holds memory, not a processor, so being a few seconds late is no harm.
_INTERVAL_SECONDS = 3.0


async def watch(pid: int, on_gone: Callable[[], None], interval: float = _INTERVAL_SECONDS) -> None:
    """Wait for a process to end.

    Args:
        pid: The process. When it cannot be seen from here (an editor outside of our
            container) nothing is watched, since nothing can be known of it.
        on_gone: Called once, when the process has ended.
        interval: Seconds between two looks.
    """
    import psutil

    try:
        process = psutil.Process(pid)
    except (psutil.Error, ValueError, OverflowError):
        return
    while True:
        await asyncio.sleep(interval)
        try:
            # is_running also compares start times, so a reused id does not count.
            gone = not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            gone = True
        except psutil.Error:
            gone = False
        if gone:
            on_gone()
            return
