"""How findings get to the client: it pulls them where it can be told that there is news.

A client that pulls diagnostics (LSP 3.18, "Pull Diagnostics") is answered at once from what is
known, and asked to pull again when that has changed. For its open documents nothing is pushed, so
no finding shows twice. A client that pulls but cannot be asked to (Neovim 0.10 and 0.11) would show
a finding only at the next edit, so it gets them pushed, like one that does not pull at all.

Files that are not open come by `workspace/diagnostic` from the client's first such request on;
until then they are pushed, because many clients that pull never ask for them (Helix).
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from sirdab.server import convert
from sirdab.server.review.diagnostics import NOTHING, Diagnostics
from sirdab.server.review.known import Present
from sirdab.server.review.told import Told
from sirdab.server.review.workspace_pull import Report, WorkspacePull

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer

# Seconds in which edits and findings are gathered before the client is told of them.
_GATHER_SECONDS = 0.1

# How long several documents are told of in one go.
_TURN_SECONDS = 0.001

# Documents of which is remembered what they were told, when nothing is known of them any more.
_MOST_GONE = 10_000


class Publisher:
    """Tells the client what is shown.

    Args:
        ls: The server.
        shown: Returns what is shown of a document now, with the state that it is placed in;
            None when nothing is known of it.
        keys: Returns the documents of which something is known.
    """

    def __init__(
        self,
        ls: "SirdabServer",
        shown: Callable[[str], Present | None],
        keys: Callable[[], Iterable[str]],
    ) -> None:
        self._ls = ls
        self._shown = shown
        self._keys = keys
        self._told: dict[str, Told] = {}
        self._waiting: dict[str, None] = {}
        self._timer: asyncio.Handle | None = None
        self._refreshing = False
        self._again = False
        self._over = False
        self.pulls = False
        """Whether the client pulls, and can be asked to."""
        self.workspace = WorkspacePull(ls, self._reports, self._reported)

    # --- news ------------------------------------------------------------------------------------

    def soon(self, key: str) -> None:
        """Tell the client in a moment what is shown of a document now."""
        self._waiting[key] = None
        if self._timer is None and not self._over:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_GATHER_SECONDS, self._flush)

    def in_turns(self, keys: Iterable[str]) -> None:
        """Tell the client what is shown of many documents now, and let messages in between."""
        self._waiting.update(dict.fromkeys(keys))
        if not self._over:
            if self._timer is not None:
                self._timer.cancel()
            self._flush()

    def now(self, key: str, *, always: bool = False) -> None:
        """Tell the client what is shown of a document now.

        Args:
            key: The document.
            always: Push it also where it is no news.
        """
        self._waiting.pop(key, None)
        if self._tell(key, always=always):
            self._ask_to_pull()

    def opened(self, key: str, uri: str) -> None:
        """Take it that a document was opened, perhaps under another spelling of its URI."""
        told = self._told.get(key)
        if told is None:
            return
        if told.pushed and (self.pulls or told.uri != uri):
            # Where it is pulled or spelt differently, the old ones would stay for ever.
            self._push(told, ())
        told.uri = uri

    def stop(self) -> None:
        """Tell nothing more, because the session is over."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.workspace.stop()

    def _flush(self) -> None:
        """Tell what waits, as much as is no burden, and the rest when messages have had a turn."""
        self._timer, news = None, False
        until = time.perf_counter() + _TURN_SECONDS
        while self._waiting:
            key = next(iter(self._waiting))
            del self._waiting[key]
            news = self._tell(key) or news
            if time.perf_counter() >= until:
                break
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_soon(self._flush)
        if news:
            self._ask_to_pull()

    def _tell(self, key: str, *, always: bool = False) -> bool:
        """Push what is news, and return whether the client has to be asked to pull."""
        found = self._shown(key)
        told = self._told.get(key)
        if told is None:
            if found is None or not (found.diagnostics or always):
                return False
            told = self._told[key] = Told(found.snapshot.uri)
        diagnostics = found.diagnostics if found is not None else ()
        is_open = self._ls.session.is_open(key)
        if not self._is_pushed(is_open):
            return self._mark(told, found.name if found is not None else NOTHING, is_open)
        version = found.snapshot.version if found is not None and is_open else None
        # A client that looks at versions drops what comes when it is further on already.
        late = bool(diagnostics) and told.version != version and self._takes_versions()
        if diagnostics != told.pushed or late or always:
            self._push(told, diagnostics, version)
        if not diagnostics and not is_open:
            del self._told[key]
        return False

    def _mark(self, told: Told, present: str, is_open: bool) -> bool:
        """Take what is shown of a document that is pulled; return whether that is news."""
        if told.pushed:
            self._push(told, ())
        news, told.present = present != told.present, present
        if news:
            self.workspace.wake()
        return news and (is_open or not self.workspace.is_open)

    def _is_pushed(self, is_open: bool) -> bool:
        return not self.pulls or (not is_open and not self.workspace.is_used)

    def _takes_versions(self) -> bool:
        document = self._ls.session.capabilities.text_document
        publish = document.publish_diagnostics if document is not None else None
        return publish is not None and bool(publish.version_support)

    def _push(self, told: Told, diagnostics: Diagnostics, version: int | None = None) -> None:
        told.pushed, told.version = diagnostics, version
        params: dict[str, Any] = {"uri": told.uri, "diagnostics": diagnostics}
        if version is not None and self._takes_versions():
            params["version"] = version
        self._ls.protocol.notify_plain(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    # --- pulls -----------------------------------------------------------------------------------

    def document_report(self, uri: str, previous: str | None) -> dict[str, Any]:
        """Answer `textDocument/diagnostic` from what is known; the answer is JSON already."""
        key = convert.document_key(uri) or uri
        found = self._shown(key)
        diagnostics = found.diagnostics if found is not None else ()
        name = found.name if found is not None else NOTHING
        told = self._told.get(key)
        if told is None and diagnostics:
            told = self._told[key] = Told(uri)
            self._forget_the_oldest()
        if told is not None:
            told.given = told.present = name
        if name == previous:
            return {"kind": "unchanged", "resultId": name}
        return {"kind": "full", "resultId": name, "items": diagnostics}

    def _reports(self) -> dict[str, Report]:
        """Return what `workspace/diagnostic` may tell, by document."""
        reports: dict[str, Report] = {}
        for key in {*self._keys(), *self._told}:
            found, told = self._shown(key), self._told.get(key)
            if found is None and told is None:
                continue
            uri = told.uri if told is not None else found.snapshot.uri if found is not None else ""
            is_open = self._ls.session.is_open(key)
            if told is not None and told.pushed:
                # From now on it is pulled.
                self._push(told, ())
            reports[key] = Report(
                uri,
                found.snapshot.version if found is not None and is_open else None,
                found.name if found is not None else NOTHING,
                found.diagnostics if found is not None else (),
                told.given if told is not None else NOTHING,
            )
        return reports

    def _reported(self, reports: dict[str, Report]) -> None:
        """Remember what the client has been given, and forget what nothing is known of."""
        for key, report in reports.items():
            told = self._told.get(key)
            if told is None and report.diagnostics:
                told = self._told[key] = Told(report.uri)
            if told is None:
                continue
            told.given = told.present = report.name
            if not report.diagnostics and not self._ls.session.is_open(key):
                del self._told[key]
        self._forget_the_oldest()

    def _forget_the_oldest(self) -> None:
        while len(self._told) > _MOST_GONE:
            del self._told[next(iter(self._told))]

    def _ask_to_pull(self) -> None:
        """Ask the client to pull again; one request at a time, because it pulls everything."""
        if self._over:
            return
        if self._refreshing:
            self._again = True
            return
        self._refreshing = True
        self._ls.spawn(self._refresh())

    async def _refresh(self) -> None:
        try:
            self._again = True
            while self._again and not self._over:
                self._again = False
                await self._ls.ask_client(types.WORKSPACE_DIAGNOSTIC_REFRESH, None)
        finally:
            self._refreshing = False
