"""What is known of documents, and what of it is shown: not what is dismissed or ignored."""

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from lsprotocol import types

from sirdab.config.schema import ReviewSettings
from sirdab.server import convert
from sirdab.server.review.diagnostics import DiagnosticMaker, Diagnostics, result_id
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.dismissals import Dismissals
    from sirdab.review.finding import Finding
    from sirdab.review.sift import Sifted
    from sirdab.server.language_server import SirdabServer
    from sirdab.server.review.desk import Desk


# Other editors write the file of dismissals too; it is looked at no more often than this.
_REFRESH_SECONDS = 0.1
# Findings of some lines that actions are offered for; a menu for more is read by nobody, and a
# client may ask for those of the whole document.
_MOST_IN_LINES = 20


class Present:
    """What the client is shown of a document.

    Args:
        snapshot: The state that it is placed in.
        diagnostics: What is shown.
    """

    def __init__(self, snapshot: Snapshot, diagnostics: Diagnostics) -> None:
        self.snapshot = snapshot
        self.diagnostics = diagnostics

    @cached_property
    def name(self) -> str:
        """Names the same diagnostics, in any session; only clients that pull need it."""
        return result_id(self.diagnostics)


class Known:
    """The desks of one session, by document.

    Args:
        ls: The server.

    Attributes:
        on_gone: Called with a document of which nothing is known any more.
    """

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self.on_gone: Callable[[str], None] = _nothing
        self._desks: dict[str, Desk] = {}
        self._dismissals: Dismissals | None = None
        self._refreshed = 0.0
        self._diagnostics = DiagnosticMaker(ls)

    def __iter__(self) -> "Iterator[Desk]":
        """Return the desks of all documents, of which some may go meanwhile."""
        return iter(list(self._desks.values()))

    @property
    def dismissals(self) -> "Dismissals":
        """What the user has dismissed."""
        if self._dismissals is None:
            from sirdab.review.dismissals import Dismissals

            self._dismissals = Dismissals(folders=lambda: self._ls.session.workspace_folders)
        return self._dismissals

    def find(self, uri: str) -> "Desk | None":
        """Return what is known of a document, None when nothing is."""
        return self._desks.get(key_of(uri))

    def desk(self, snapshot: Snapshot) -> "Desk":
        """Return what is known of a document, made when nothing is."""
        key = key_of(snapshot.uri)
        desk = self._desks.get(key)
        if desk is None:
            from sirdab.server.review.desk import Desk

            desk = self._desks[key] = Desk(key, snapshot)
        elif not self.is_open(desk):
            # A file may have been written since it was looked at.
            desk.follow(snapshot)
        return desk

    def keeps(self, desk: "Desk") -> bool:
        """Whether something is still to be known of a document."""
        return self._desks.get(desk.key) is desk

    def is_open(self, desk: "Desk") -> bool:
        """Whether a document is open."""
        return self._ls.session.is_open(desk.key)

    def forget(self, desk: "Desk") -> None:
        """Know nothing of a document any more."""
        del self._desks[desk.key]
        self.on_gone(desk.key)

    def list_file(self, uri: str) -> None:
        """Keep what is known of a file also when it is closed, if there is anything."""
        desk = self.find(uri)
        if desk is not None:
            desk.listed = True
            if not desk.findings and not self.is_open(desk):
                # Of most files nothing is found, and what is not kept needs no room.
                self.forget(desk)

    def forget_files_but(self, uris: list[str]) -> None:
        """Forget the files that are neither open nor among those that were reviewed."""
        kept = {key_of(uri) for uri in uris}
        for desk in self:
            if desk.key not in kept and not self.is_open(desk):
                self.forget(desk)

    # --- what is shown ---------------------------------------------------------------------------

    def sift(self, desk: "Desk") -> "Sifted":
        """Separate what is shown of a document from what is not.

        This is asked at each edit and of each file of a workspace, so what has been worked out is
        kept for as long as it is true.
        """
        from sirdab.review.sift import sift

        dismissals = self.dismissals
        if time.monotonic() - self._refreshed > _REFRESH_SECONDS:
            dismissals.refresh()
            self._refreshed = time.monotonic()
        # Lists are put in place of others here and never changed, and texts never change.
        made_of = (
            desk.findings,
            desk.directives,
            desk.snapshot.text,
            desk.snapshot.uri,
            dismissals.version,
            self._ls.session.workspace_folders,
        )
        known = desk.sifted
        if known is not None and known[0] == made_of:
            return known[1]
        sifted = sift(desk.findings, desk.snapshot, dismissals, directives=desk.directives)
        desk.sifted = made_of, sifted
        return sifted

    def count(self, uri: str) -> int:
        """Return how many findings are shown of a document."""
        desk = self.find(uri)
        return len(self.sift(desk).shown) if desk is not None else 0

    def shown(self, uri: str) -> "tuple[Finding, ...]":
        """Return what is shown of a document, from top to bottom."""
        desk = self.find(uri)
        return self.sift(desk).shown if desk is not None else ()

    def shown_in(self, uri: str, first: int, last: int) -> "list[tuple[Finding, types.Diagnostic]]":
        """Return the first of what is shown in some lines, with the diagnostics that show it.

        Args:
            uri: The document.
            first: The first line, 0-based.
            last: The last line.
        """
        desk = self.find(uri)
        if desk is None:
            return []
        inside = (
            found
            for found in self.sift(desk).shown
            if found.start.line <= last and found.stop.line >= first
        )
        return [
            (found, self._diagnostics.diagnostic(desk.snapshot, found))
            for found in islice(inside, _MOST_IN_LINES)
        ]

    def present(self, key: str) -> Present | None:
        """Return what the client is shown of a document, by what it is filed under."""
        desk = self._desks.get(key)
        if desk is None:
            return None
        sifted, snapshot = self.sift(desk), desk.snapshot
        known = desk.shown
        if known is None or known[0] is not sifted or known[1].snapshot is not snapshot:
            diagnostics = tuple(self._diagnostics.plain(snapshot, found) for found in sifted.shown)
            known = desk.shown = (sifted, Present(snapshot, diagnostics))
        return known[1]

    def documents(self) -> list[str]:
        """Return what the documents of which something is known are filed under."""
        return list(self._desks)


def _nothing(key: str) -> None:
    """Tell nobody."""
    del key


def key_of(uri: str) -> str:
    """Return what a document is filed under."""
    return convert.document_key(uri) or uri


def sift_anew(desk: "Desk", review: ReviewSettings) -> bool:
    """Leave out what other settings do not want any more; return whether there was such.

    Args:
        desk: The document.
        review: The settings for reviews that are in force now.
    """
    from sirdab.review.finding import SEVERITIES, Dropped

    least = SEVERITIES.index(review.minimum_severity)
    kept: list[Finding] = []
    for finding in desk.findings:
        if finding.category not in review.categories:
            continue
        if SEVERITIES.index(finding.severity) < least:
            line, reason = finding.start.line, "below-minimum-severity"
            desk.dropped.append(Dropped(finding.rule, line, reason, finding.message))
        else:
            kept.append(finding)
    changed = len(kept) != len(desk.findings)
    desk.findings = kept
    return changed
