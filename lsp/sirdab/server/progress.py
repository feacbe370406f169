"""Work-done progress (LSP 3.18, "Work Done Progress"): shown by the editor, and cancelled there."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.capabilities import get_capability

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer

_T = TypeVar("_T")

Token = int | str


class Progress:
    """Tells how far one piece of work is; tells nobody where the client shows no progress."""

    def __init__(self, ls: "SirdabServer", token: Token | None) -> None:
        self._ls = ls
        self._token = token
        self._last = -1

    def begin(self, title: str) -> None:
        """Show that the work has begun."""
        self._send(types.WorkDoneProgressBegin(title=title, cancellable=True, percentage=0))

    def report(self, done: int, total: int, message: str) -> None:
        """Show how far it is; nothing is sent while the percentage stays the same."""
        percentage = 100 * done // total if total else 100
        if percentage != self._last:
            self._last = percentage
            self._send(types.WorkDoneProgressReport(message=message, percentage=percentage))

    def end(self, message: str) -> None:
        """Show that it is over."""
        self._send(types.WorkDoneProgressEnd(message=message))

    def _send(self, value: Any) -> None:
        if self._token is not None:
            self._ls.notify(types.PROGRESS, types.ProgressParams(self._token, value))


class ProgressBoard:
    """The progress of everything that is going on, by its token."""

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._numbers = itertools.count(1)
        self._working: dict[Token, asyncio.Future[Any]] = {}

    async def run(
        self,
        title: str,
        token: Token | None,
        work: Callable[[Progress], Awaitable[_T]],
        summary: Callable[[], str],
    ) -> _T | None:
        """Do something while the editor shows how far it is.

        Args:
            title: What is done.
            token: The client's token, or None to have one made where the client can.
            work: Does it; given the progress.
            summary: Says at the end what came of it.

        Returns:
            What the work returned, or None when the user cancelled it in the editor.
        """
        if token is None:
            token = await self._create()
        progress = Progress(self._ls, token)
        progress.begin(title)
        task = asyncio.ensure_future(work(progress))
        if token is not None:
            self._working[token] = task
        try:
            await asyncio.wait({task})
            return None if task.cancelled() else task.result()
        finally:
            if token is not None:
                self._working.pop(token, None)
            if not task.done():
                task.cancel()
            progress.end(summary())

    def cancel(self, token: Token) -> None:
        """Stop a piece of work because the user said so."""
        task = self._working.get(token)
        if task is not None:
            task.cancel()

    async def _create(self) -> Token | None:
        ls = self._ls
        if not get_capability(ls.session.capabilities, "window.work_done_progress"):
            return None
        token = f"sirdab-{next(self._numbers)}"
        created = await ls.ask_client(
            types.WINDOW_WORK_DONE_PROGRESS_CREATE,
            types.WorkDoneProgressCreateParams(token),
            failed=_FAILED,
        )
        return None if created is _FAILED else token


_FAILED = object()
