"""Ties the context from beyond the file to the session: what happens there, and when to renew it.

A block is renewed where the cursor has come to rest, when a document is opened, and, in editors
that do not tell where the cursor is, some seconds after the last key, where that was typed. What
finds and keeps it is `sirdab.context`, which is there when the engine is.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.policy.uris import path_of
from sirdab.server.neighbours import NeighbourHost
from sirdab.text.document import Change, Snapshot
from sirdab.text.store import Point

if TYPE_CHECKING:
    from sirdab.context.keeper import Keeper
    from sirdab.server.language_server import SirdabServer

_log = logging.getLogger(__name__)

# A document that has been open for this long, in seconds, is one that somebody looks at.
_OPEN_SECONDS = 0.25

# While a workspace is indexed for the first time, it is looked so often, in seconds, whether it is.
_INDEX_SECONDS = 2.0

# Files that are told of in one message and looked at one by one, in about 10 ms.
_MOST_CHANGES = 1_000

_START = types.Position(0, 0)


class ContextHost:
    """Tells the keeper of blocks what happens, and has it renew them in time."""

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._keeper: Keeper | None = None
        self._neighbours = NeighbourHost(ls)
        self._timer: asyncio.TimerHandle | None = None
        # Where the cursor was seen last: the document's URI and the point.
        self._last: tuple[str, Point] | None = None
        self._watching = False

    def attach(self, keeper: "Keeper") -> None:
        """Take the keeper, which is made when the client has its answer to `initialize`."""
        self._keeper = keeper

    async def close(self) -> None:
        """End all that goes on in the background."""
        self._neighbours.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await keeper.close()

    def clear(self) -> None:
        """Drop what has been found for all documents."""
        if self._keeper is not None:
            self._keeper.clear()

    # --- what happens ---------------------------------------------------------------------------

    def opened(self, uri: str) -> None:
        """Find what a document imports when it has been open for a moment."""
        snapshot = self._ls.session.snapshot(uri)
        if snapshot is not None:
            self._ls.spawn(self._open(snapshot))

    def changed(self, uri: str, changes: Sequence[Change]) -> None:
        """Take the changes of a document; nothing is renewed until they end."""
        keeper = self._keeper
        if keeper is None:
            return
        keeper.typed(uri, changes)
        if changes and keeper.wanted:
            self._last = (uri, _end_of(changes[-1]))
            self._wait(keeper)

    def saved(self, uri: str) -> None:
        """Take it that the file of a document was written."""
        self._neighbours.files_changed()
        path = path_of(uri)
        if self._keeper is not None and path is not None:
            self._keeper.file_changed(path)

    def files_changed(self, uris: Sequence[str]) -> None:
        """Take it that files were written, made or removed, here or elsewhere."""
        if len(uris) <= _MOST_CHANGES:
            for uri in uris:
                self.saved(uri)
            return
        self._neighbours.files_changed()
        if self._keeper is not None:
            # As when a branch is checked out: to look at each name here would be noticed.
            self._keeper.files_changed_all_over()

    def closed(self, snapshot: Snapshot) -> None:
        """Take it that a document was closed."""
        if self._is_in(snapshot.uri):
            self._last = None
        if self._keeper is not None:
            self._keeper.closed(snapshot)

    # --- renewing -------------------------------------------------------------------------------

    async def renew(self, request: CompletionRequest) -> None:
        """Renew the block of a document, where the cursor rests; never raises."""
        keeper = self._keeper
        if keeper is None:
            return
        self._last = (request.snapshot.uri, request.point)
        try:
            await keeper.renew(request)
        except Exception as error:  # noqa: BLE001 - there is less context then, and no more
            _log.error("context was not renewed: %s", type(error).__name__)
        self._watch(keeper)
        if keeper is self._keeper and not keeper.indexed(0):
            # There will be more to be found.
            self._wait(keeper, _INDEX_SECONDS)

    async def _open(self, snapshot: Snapshot) -> None:
        ls = self._ls
        await asyncio.sleep(_OPEN_SECONDS)
        if not ls.begun:
            return
        await ls.services()
        await ls.first_settings()
        request = ls.session.completion_request(snapshot.uri, _START, Trigger.INVOKED)
        if request is not None:
            ls.spawn(self._neighbours.opened(request))
        # Somebody who works in it already is in another place than at its start.
        if (
            request is not None
            and request.snapshot.text is snapshot.text
            and not self._is_in(snapshot.uri)
        ):
            await self.renew(request)

    def _is_in(self, uri: str) -> bool:
        return self._last is not None and self._last[0] == uri

    def _wait(self, keeper: "Keeper", seconds: float = 0.0) -> None:
        """Look again when the keys have been still for long enough, or later."""
        if self._timer is None:
            seconds = max(seconds, keeper.idle_in() + 0.01)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look, keeper)

    def _look(self, keeper: "Keeper") -> None:
        self._timer = None
        if keeper is not self._keeper:
            return
        if keeper.idle_in():
            self._wait(keeper)
            return
        if not keeper.indexed(0):
            self._wait(keeper, _INDEX_SECONDS)
            return
        uri, point = self._last or ("", Point(0, 0))
        request = self._ls.session.completion_request(uri, _START, Trigger.INVOKED)
        if request is not None and keeper.wanted:
            here = request.snapshot.text.clamp(point)
            # It renews the block, and then has the model read it.
            self._ls.warm_up.rested(replace(request, point=here))

    # --- files ------------------------------------------------------------------------------------

    def _watch(self, keeper: "Keeper") -> None:
        """Have the client tell of files that change, once there is an index of them."""
        supported = get_capability(
            self._ls.session.capabilities,
            "workspace.did_change_watched_files.dynamic_registration",
        )
        if self._watching or not supported or not keeper.is_indexing:
            return
        from sirdab.context.files import WATCHED_GLOBS

        self._watching = True
        registration = types.Registration(
            id="sirdab-watched-files",
            method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            register_options=types.DidChangeWatchedFilesRegistrationOptions(
                [types.FileSystemWatcher(glob) for glob in WATCHED_GLOBS]
            ),
        )
        self._ls.spawn(
            self._ls.ask_client(
                types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams([registration])
            )
        )


def _end_of(change: Change) -> Point:
    """Return where the cursor is after a change was typed, as near as can be told."""
    if change.range is None:
        return Point(0, 0)
    lines = change.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > 1:
        return Point(change.range.start_line + len(lines) - 1, len(lines[-1]))
    return Point(change.range.start_line, change.range.start_character + len(change.text))
