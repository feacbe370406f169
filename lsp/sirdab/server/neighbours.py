"""Has the files near the open documents read, so that code can be copied from them.

They are read when a document has been open for a moment, and again when a file has been written.
It happens in a thread and touches a few files; nothing waits for it.
"""

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from lsprotocol import types

from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.context.neighbours import Neighbours
    from sirdab.server.language_server import SirdabServer

_log = logging.getLogger(__name__)

# Files are often written several at once, as by a formatter or by checking out a branch.
_SETTLE_SECONDS = 1.0
# Documents whose surroundings are looked at again, those edited last.
_MOST_DOCUMENTS = 8

_START = types.Position(0, 0)


class NeighbourHost:
    """Keeps the session's neighbours as they are on the disk."""

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._found: Neighbours | None = None
        self._lock = threading.Lock()
        self._timer: asyncio.TimerHandle | None = None

    async def opened(self, request: CompletionRequest) -> None:
        """Read the files near a document; never raises but for cancellation."""
        if not request.settings.completion.enabled:
            return
        try:
            found = await asyncio.to_thread(self._read, request)
        except Exception as error:  # noqa: BLE001 - there is less to copy then, and no more
            _log.error("no file near a document was read: %s", type(error).__name__)
            return
        self._ls.session.set_neighbours(request.snapshot.uri, found)

    def files_changed(self) -> None:
        """Take it that files were written, and look at them when no more come."""
        if self._timer is None and self._ls.begun:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_SETTLE_SECONDS, self._look)

    def close(self) -> None:
        """Look at nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        for snapshot in self._ls.session.latest(_MOST_DOCUMENTS):
            request = self._ls.session.completion_request(snapshot.uri, _START, Trigger.INVOKED)
            if request is not None:
                self._ls.spawn(self.opened(request))

    def _read(self, request: CompletionRequest) -> tuple[Snapshot, ...]:
        from sirdab.context.neighbours import Neighbours

        with self._lock:
            if self._found is None:
                self._found = Neighbours()
            return self._found.of(request)
