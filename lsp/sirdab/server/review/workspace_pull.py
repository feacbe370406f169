"""`workspace/diagnostic`: what is shown of all documents, and then what becomes news.

A client asks again as soon as it is answered (VS Code after two seconds, for as long as it runs),
so a request is held open while there is nothing to tell, as LSP 3.18 foresees ("Workspace
Diagnostics"). One that gives a token for partial results is told of all news that way; any other
is answered when there is some. The very first one is answered at once in any case.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lsprotocol import types

from sirdab.server import convert
from sirdab.server.review.diagnostics import NOTHING, Diagnostics

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer
    from sirdab.server.protocol import Pending

# Documents of one partial result.
_MOST_AT_ONCE = 100
# Seconds in which news is gathered. Longer than the client takes to let go of a document that
# it closes: until then it would not take what is told of it here.
_GATHER_SECONDS = 0.5


class Report(NamedTuple):
    """What is shown of one document.

    Attributes:
        uri: As the client spells it.
        version: None when it is not open.
        name: Its result id.
        diagnostics: What is shown.
        given: Names what the client was given last, which it need not tell: it forgets
            documents that it closes.
    """

    uri: str
    version: int | None
    name: str
    diagnostics: Diagnostics
    given: str = NOTHING


Item = dict[str, Any]
"""A `WorkspaceDocumentDiagnosticReport` of LSP 3.18 as JSON."""


class WorkspacePull:
    """Answers `workspace/diagnostic`.

    Args:
        ls: The server.
        reports: Returns what is shown of all documents of which the client may know something.
        reported: Called with what the client knows then.
    """

    def __init__(
        self,
        ls: "SirdabServer",
        reports: Callable[[], dict[str, Report]],
        reported: Callable[[dict[str, Report]], None],
    ) -> None:
        self._ls = ls
        self._reports = reports
        self._reported = reported
        self._held: Pending | None = None
        self._news = asyncio.Event()
        self.is_used = False
        """Whether the client has ever asked."""

    @property
    def is_open(self) -> bool:
        """Whether a request is held open, so that news can be told by it."""
        return self._held is not None

    def wake(self) -> None:
        """Take it that there may be news."""
        self._news.set()

    def stop(self) -> None:
        """Answer what is held open: there will be no more news."""
        held, self._held = self._held, None
        if held is not None:
            self._ls.protocol.abandon(held, {"items": []})

    def report(
        self, params: types.WorkspaceDiagnosticParams
    ) -> Awaitable[dict[str, Any]] | dict[str, Any]:
        """Answer a request, at once where there is something to tell."""
        # The client waits for one at a time; an older one would never be told anything.
        self.stop()
        first, self.is_used = not self.is_used, True
        known = {
            convert.document_key(entry.uri) or entry.uri: entry.value
            for entry in params.previous_result_ids
        }
        uris = {convert.document_key(entry.uri): entry.uri for entry in params.previous_result_ids}
        self._news.clear()
        reports = self._reports()
        for key, uri in uris.items():
            # What nothing is known of shows nothing.
            if key is not None and key not in reports:
                reports[key] = Report(uri, None, NOTHING, ())
        token = params.partial_result_token
        if token is None:
            items = _items(reports, known)
            if first or any(_is_full(item) for item in items):
                self._reported(reports)
                return {"items": items}
        else:
            self._stream(token, reports, known)
        self._held = self._ls.protocol.dispatched
        return self._hold(self._held, token, known)

    async def _hold(
        self, pending: "Pending", token: int | str | None, known: dict[str, str]
    ) -> dict[str, Any]:
        try:
            while True:
                await self._news.wait()
                await asyncio.sleep(_GATHER_SECONDS)
                self._news.clear()
                reports = self._reports()
                if token is not None:
                    self._stream(token, reports, known)
                    continue
                items = [item for item in _items(reports, known) if _is_full(item)]
                if items:
                    self._reported(reports)
                    return {"items": items}
        finally:
            if self._held is pending:
                self._held = None

    def _stream(self, token: int | str, reports: dict[str, Report], known: dict[str, str]) -> None:
        """Send what the client does not know yet, and take it as known."""
        items = [item for item in _items(reports, known) if _is_full(item)]
        for start in range(0, len(items), _MOST_AT_ONCE):
            part = {"items": items[start : start + _MOST_AT_ONCE]}
            self._ls.protocol.notify_plain(types.PROGRESS, {"token": token, "value": part})
        known.update((key, report.name) for key, report in reports.items())
        self._reported(reports)


def _items(reports: dict[str, Report], known: dict[str, str]) -> Sequence[Item]:
    """Return the reports for a client that has been given some results before."""
    items: list[Item] = []
    for key, report in reports.items():
        before = known.get(key, report.given)
        item: Item = {"uri": report.uri, "version": report.version, "resultId": report.name}
        if before != report.name:
            items.append({**item, "kind": "full", "items": report.diagnostics})
        elif key in known:
            items.append({**item, "kind": "unchanged"})
    return items


def _is_full(item: Item) -> bool:
    return item["kind"] == "full"
