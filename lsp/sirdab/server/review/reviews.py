"""Reviews and what is known of documents by them: the one place that handlers ask.

The review itself is in `sirdab.review`, which is imported when it is first needed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from sirdab.config.schema import Settings
from sirdab.policy.uris import path_of
from sirdab.server import convert
from sirdab.server.review.asked import AskedReviews
from sirdab.server.review.dismissing import Dismissing
from sirdab.server.review.document_reviews import DocumentReviews
from sirdab.server.review.known import Known, key_of, sift_anew
from sirdab.server.review.models import ReviewModels
from sirdab.server.review.publish import Publisher
from sirdab.server.review.queue import ReviewQueue
from sirdab.server.review.recalling import Recalling
from sirdab.server.review.unasked import UnaskedReviews
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.dismissals import Scope
    from sirdab.review.finding import Finding
    from sirdab.review.rewrite import Rewriter
    from sirdab.server.language_server import SirdabServer
    from sirdab.server.progress import Token
    from sirdab.server.review.desk import Desk

# Entries of `sirdab/explain` about what was dropped.
_MOST_EXPLAINED = 200
# Open documents that are looked at again when a setting has changed.
_MOST_OPEN = 200


class Reviews:
    """The reviews of one session.

    Attributes:
        publisher: Shows the client what is known, and answers its pulls.
    """

    def __init__(self, ls: "SirdabServer") -> None:
        """Know nothing yet."""
        self._ls = ls
        self._known = Known(ls)
        self.publisher = Publisher(ls, self._known.present, self._known.documents)
        self._known.on_gone = self.publisher.now
        self._models = ReviewModels(ls)
        self._recalling = Recalling(ls, self._known, self._models, self.publisher.now)
        self._queue = ReviewQueue()
        self._reviews = DocumentReviews(ls, self._known, self._models, self.publisher.now)
        self._asked = AskedReviews(ls, self._known, self._models, self._queue, self._reviews)
        self._unasked = UnaskedReviews(ls, self._queue, self._reviews)
        self._dismissing = Dismissing(ls, self._known, self._show_all)

    def begin(self, _: types.InitializeParams, capabilities: dict[str, Any]) -> None:
        """Take what `initialize` is answered with."""
        self.publisher.pulls = "diagnosticProvider" in capabilities

    def stop(self) -> None:
        """Begin and tell nothing more, because the session is over."""
        self._unasked.stop()
        self._recalling.stop()
        self.publisher.stop()

    def close(self) -> None:
        """Write what is still to be written; call it in a thread, after `stop`."""
        self._models.close()

    # --- what the user asks for ------------------------------------------------------------

    async def review_document(
        self, snapshot: Snapshot, lines: tuple[int, int] | None, token: "Token | None"
    ) -> dict[str, int]:
        """Review an open document and return how many findings are shown in it.

        Args:
            snapshot: The document when it was asked for.
            lines: First and last line, 0-based and inclusive; None for all.
            token: The client's progress token.

        Raises:
            RequestError: It cannot be reviewed; the message says why.
        """
        findings = await self._asked.document(snapshot, lines, token)
        self.publisher.now(key_of(snapshot.uri), always=True)
        return {"findings": findings}

    async def review_workspace(self, token: "Token | None") -> dict[str, int]:
        """Review the code of the workspace's folders and return how much was read and found.

        Raises:
            RequestError: There is nothing to review, or the model cannot be asked.
        """
        files, findings = await self._asked.workspace(token)
        return {"files": files, "findings": findings}

    async def dismiss(self, fingerprint: str, scope: "Scope", uri: str = "") -> None:
        """Do not show a finding, or its rule, again; see `Dismissing.dismiss`."""
        await self._dismissing.dismiss(fingerprint, scope, uri)

    async def restore(self, uri: str = "") -> dict[str, int]:
        """Show again what has been dismissed in a document, or anywhere; say how much."""
        return {"restored": await self._dismissing.restore(uri)}

    def explain(self, uri: str) -> dict[str, Any]:
        """Return what is known of a document, for `sirdab/explain`."""
        desk = self._known.find(uri)
        if desk is None or not desk.reviewed:
            return {"reviewed": False, "findings": 0, "dropped": []}
        from sirdab.review.finding import REASONS

        sifted = self._known.sift(desk)
        dropped = sorted((*desk.dropped, *sifted.dropped), key=lambda entry: entry.line)
        return {
            "reviewed": True,
            "findings": len(sifted.shown),
            "dropped": [
                {
                    "rule": entry.rule,
                    "line": entry.line + 1,
                    "reason": entry.reason,
                    "detail": REASONS.get(entry.reason, ""),
                    "message": entry.message,
                }
                for entry in dropped[:_MOST_EXPLAINED]
            ],
        }

    def clear_cache(self) -> None:
        """Drop what is remembered of answers."""
        self._models.clear()

    # --- what happens to documents ---------------------------------------------------------

    def opened(self, uri: str) -> None:
        """Take it that a document was opened, which may differ from what is on disk."""
        if convert.document_key(uri) is None:
            return
        self.publisher.opened(key_of(uri), uri)
        self._follow(uri)
        self.publisher.now(key_of(uri))
        self._recalling.recall(uri)
        self._unasked.wait_for_idleness(uri)

    def changed(self, uri: str) -> None:
        """Move a document's findings along with an edit, before anything else is told."""
        if self._ls.session.settings.completion.enabled:
            # A keystroke's request is near: what the model does for a review gives way now.
            self._ls.lane.touch()
        self._follow(uri)
        self._unasked.wait_for_idleness(uri)

    def saved(self, uri: str) -> None:
        """Review a saved document where the settings say so."""
        self._follow(uri)
        if self._ls.session.settings.review.run == "onSave":
            self._unasked.begin(uri)

    def closed(self, uri: str) -> None:
        """Withdraw what is shown of a closed document, unless the workspace was reviewed."""
        self._unasked.give_up(uri)
        self._recalling.forget(uri)
        desk = self._known.find(uri)
        if desk is None:
            return
        if desk.listed and desk.findings:
            self._ls.spawn(self._keep_file(desk))
        else:
            self._known.forget(desk)

    async def renamed(self, names: Sequence[tuple[str, str]]) -> None:
        """Take it that files have other names: pairs of the URIs before and now."""
        await self._dismissing.renamed(names)

    def configured(self, before: Settings) -> None:
        """Take it that settings have changed."""
        review = self._ls.session.settings.review
        if before.review.enabled and not review.enabled:
            self._unasked.stop(over=False)
            for desk in self._known:
                self._known.forget(desk)
        elif review.enabled and review != before.review:
            for desk in self._known:
                if sift_anew(desk, review):
                    self.publisher.soon(desk.key)
            for snapshot in self._ls.session.latest(_MOST_OPEN):
                self._recalling.recall(snapshot.uri)

    # --- what is known -----------------------------------------------------------------------

    def shown(self, snapshot: Snapshot) -> "tuple[Finding, ...]":
        """Return what is shown of a document."""
        return self._known.shown(snapshot.uri)

    def shown_in(
        self, snapshot: Snapshot, first: int, last: int
    ) -> "list[tuple[Finding, types.Diagnostic]]":
        """Return the first of what is shown in some lines; see `Known.shown_in`."""
        return self._known.shown_in(snapshot.uri, first, last)

    async def rewriter(self) -> "Rewriter":
        """Return what rewrites code, made when it is first needed.

        Raises:
            RequestError: There is no model to ask.
        """
        return await self._models.rewriter()

    def _show_all(self) -> None:
        # Those that are open first: only they are on the screen.
        keys = self._known.documents()
        self.publisher.in_turns(sorted(keys, key=lambda key: not self._ls.session.is_open(key)))

    def _follow(self, uri: str) -> None:
        """Bring what is known of a document to its present state."""
        desk, snapshot = self._known.find(uri), self._ls.session.snapshot(uri)
        if desk is not None and snapshot is not None:
            desk.follow(snapshot)
            self.publisher.soon(desk.key)
            if desk.lost or (desk.directives is not None and not desk.directives.is_sure):
                self._recalling.recall(uri, after_pause=True)

    async def _keep_file(self, desk: "Desk") -> None:
        """Keep what is known of a file that was closed, as far as its saved state has it."""
        from sirdab.review.files import snapshot_of

        uri = desk.snapshot.uri
        path = path_of(uri)
        saved = await asyncio.to_thread(snapshot_of, Path(path)) if path is not None else None
        if self._known.is_open(desk) or not self._known.keeps(desk):
            return
        if saved is None:
            self._known.forget(desk)
            return
        desk.follow(replace(saved, uri=uri, language_id=desk.snapshot.language_id))
        self.publisher.soon(desk.key)
