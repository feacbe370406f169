"""Reviews and what is shown of them: findings by document, published as diagnostics.

The review itself is in `sirdab.review`, which is imported when it is first needed.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from sirdab.config.schema import Settings
from sirdab.policy.sanitize import visible
from sirdab.server import convert
from sirdab.server.jsonrpc import Code
from sirdab.server.protocol import RequestError
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.dismissals import Dismissals, Scope
    from sirdab.review.finding import Finding
    from sirdab.review.request import Review, UnitReview
    from sirdab.review.reviewer import Reviewer
    from sirdab.review.rewrite import Rewriter
    from sirdab.server.language_server import SirdabServer
    from sirdab.server.progress import Progress, Token

_log = logging.getLogger(__name__)

# Seconds after the last edit until a document is reviewed by itself (review.run "onIdle").
_IDLE_SECONDS = 2.0

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}


@dataclass(slots=True)
class _Desk:
    """What is known of one document.

    Attributes:
        snapshot: The state that `findings` are placed in.
        findings: All findings, the dismissed ones included.
        shown: What the client has been told last.
        idle: Runs out when the document has not been edited for a while.
        task: The review that began by itself.
    """

    snapshot: Snapshot
    findings: "list[Finding]" = field(default_factory=list["Finding"])
    shown: tuple[types.Diagnostic, ...] = ()
    idle: asyncio.TimerHandle | None = None
    task: "asyncio.Future[Any] | None" = None


class Reviews:
    """The reviews of one session."""

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._desks: dict[str, _Desk] = {}
        self._reviewer: Reviewer | None = None
        self._rewriter: Rewriter | None = None
        self._dismissals: Dismissals | None = None

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
        key = convert.document_key(snapshot.uri) or snapshot.uri
        before = self._placed_in(key, snapshot)

        async def work(progress: "Progress") -> None:
            result = await self._review(key, snapshot, lines, before, progress.report)
            if result.problem:
                raise RequestError(Code.REQUEST_FAILED, result.problem)

        def summary() -> str:
            return _counted(len(self.shown(key)), "finding")

        await self._ls.work_shown.run("Reviewing", token, work, summary)
        self._publish(key, always=True)
        return {"findings": len(self.shown(key))}

    async def review_workspace(self, token: "Token | None") -> dict[str, int]:
        """Review the code of the workspace's folders and return how much was read and found.

        Raises:
            RequestError: There is nothing to review, or the model cannot be asked.
        """
        folders = self._ls.session.workspace_folders
        if not folders:
            raise RequestError(
                Code.REQUEST_FAILED,
                "There is no workspace folder to review; open one, or review a document.",
            )
        _check_enabled(self._ls.session.settings)
        done: list[str] = []

        async def work(progress: "Progress") -> None:
            await self._review_folders(folders, progress, done)

        def found() -> int:
            return sum(len(self.shown(key)) for key in done)

        def summary() -> str:
            return f"{_counted(found(), 'finding')} in {_counted(len(done), 'file')}"

        await self._ls.work_shown.run("Reviewing the workspace", token, work, summary)
        return {"files": len(done), "findings": found()}

    async def dismiss(self, fingerprint: str, scope: "Scope", uri: str = "") -> None:
        """Do not show a finding, or its rule, again.

        Args:
            fingerprint: The finding.
            scope: How much of its kind is dismissed with it.
            uri: The document it is dismissed in, because copied code has one fingerprint in
                several; "" when it is not known.

        Raises:
            RequestError: The finding is not known, or it cannot be remembered.
        """
        named = convert.document_key(uri) or uri
        desks = sorted(self._desks.items(), key=lambda entry: entry[0] != named)
        for key, desk in desks:
            for finding in desk.findings:
                if finding.fingerprint == fingerprint:
                    await self._dismiss(fingerprint, finding.rule, key, scope)
                    return
        raise RequestError(
            Code.REQUEST_FAILED, "That finding is no longer there; review the document again."
        )

    async def _dismiss(self, fingerprint: str, rule: str, key: str, scope: "Scope") -> None:
        dismissals = self._load_dismissals()
        try:
            await asyncio.to_thread(dismissals.dismiss, fingerprint, rule, key, scope)
        except (OSError, TimeoutError) as error:
            raise RequestError(
                Code.REQUEST_FAILED,
                f"The dismissal could not be kept ({type(error).__name__}); check that the state "
                "directory can be written.",
            ) from error
        for other in list(self._desks):
            self._publish(other)

    def stop(self) -> None:
        """Begin nothing more by itself, because the session is over."""
        for desk in self._desks.values():
            _stop(desk)

    def clear_cache(self) -> None:
        """Drop what is remembered of answers."""
        if self._reviewer is not None:
            self._reviewer.clear()

    # --- what happens to documents ---------------------------------------------------------

    def opened(self, uri: str) -> None:
        """Take it that a document was opened, which may differ from what is on disk."""
        key = convert.document_key(uri)
        if key is None:
            return
        desk = self._desks.get(key)
        snapshot = self._ls.session.snapshot(uri)
        if desk is not None and desk.shown and snapshot is not None and desk.snapshot.uri != uri:
            # The client spells it differently, so the old spelling would stay for ever.
            self._tell(desk.snapshot.uri, None, ())
            desk.shown = ()
        self._follow(key, uri)
        self._wait_for_idleness(key, uri)

    def changed(self, uri: str) -> None:
        """Move a document's findings along with an edit, before anything else is told."""
        key = convert.document_key(uri)
        if key is None:
            return
        if self._ls.session.settings.completion.enabled:
            # A keystroke's request is near: what the model does for a review gives way now.
            self._ls.lane.touch()
        self._follow(key, uri)
        self._wait_for_idleness(key, uri)

    def saved(self, uri: str) -> None:
        """Review a saved document where the settings say so."""
        key = convert.document_key(uri)
        if key is None:
            return
        self._follow(key, uri)
        if self._ls.session.settings.review.run == "onSave":
            self._begin(key, uri)

    def closed(self, uri: str) -> None:
        """Withdraw what is shown of a closed document."""
        key = convert.document_key(uri)
        desk = self._desks.pop(key, None) if key is not None else None
        if desk is None:
            return
        _stop(desk)
        if desk.shown:
            self._tell(desk.snapshot.uri, None, ())

    def configured(self, before: Settings) -> None:
        """Take it that settings have changed."""
        review = self._ls.session.settings.review
        if before.review.enabled and not review.enabled:
            for desk in self._desks.values():
                _stop(desk)
                if desk.shown:
                    self._tell(desk.snapshot.uri, None, ())
            self._desks.clear()

    # --- what is shown -----------------------------------------------------------------------

    def shown(self, key: str) -> "list[Finding]":
        """Return the findings of a document that are not dismissed, as they are placed now."""
        desk = self._desks.get(key)
        if desk is None or not desk.findings:
            return []
        dismissals = self._load_dismissals()
        dismissals.refresh()
        return [finding for finding in desk.findings if not dismissals.covers(finding, key)]

    def known(self, snapshot: Snapshot) -> "list[tuple[Finding, types.Diagnostic]]":
        """Return what is shown of a document, with the diagnostics that show it."""
        key = convert.document_key(snapshot.uri) or snapshot.uri
        return [(found, self._diagnostic(snapshot, found)) for found in self.shown(key)]

    def _follow(self, key: str, uri: str) -> None:
        """Bring the findings of a document to its present state."""
        desk = self._desks.get(key)
        snapshot = self._ls.session.snapshot(uri)
        if desk is None or snapshot is None:
            return
        if desk.findings:
            from sirdab.review.track import moved

            desk.findings = moved(desk.findings, desk.snapshot.text, snapshot.text)
        desk.snapshot = snapshot
        self._publish(key)

    def _placed_in(self, key: str, snapshot: Snapshot) -> "tuple[Finding, ...]":
        """Return a document's findings as they are placed in a state of it."""
        desk = self._desks.get(key)
        if desk is None or not desk.findings:
            return ()
        from sirdab.review.track import moved

        return tuple(moved(desk.findings, desk.snapshot.text, snapshot.text))

    def _present(self, key: str, reviewed: Snapshot, findings: "list[Finding]") -> None:
        """Show findings that are placed in the state that was reviewed."""
        if not self._ls.session.settings.review.enabled:
            # Turned off while the model was answering.
            return
        current = self._ls.session.snapshot(reviewed.uri)
        now = reviewed if current is None else current
        if findings and now.text is not reviewed.text:
            from sirdab.review.track import moved

            findings = moved(findings, reviewed.text, now.text)
        desk = self._desks.get(key)
        if desk is None:
            if not findings:
                return
            desk = self._desks[key] = _Desk(now)
        desk.snapshot, desk.findings = now, findings
        self._publish(key)

    def _publish(self, key: str, *, always: bool = False) -> None:
        """Tell the client what is shown of a document, when that is news."""
        desk = self._desks.get(key)
        if desk is None:
            return
        shown = tuple(self._diagnostic(desk.snapshot, finding) for finding in self.shown(key))
        if shown == desk.shown and not always:
            return
        desk.shown = shown
        is_open = self._ls.session.snapshot(desk.snapshot.uri) is not None
        self._tell(desk.snapshot.uri, desk.snapshot.version if is_open else None, shown)

    def _tell(
        self, uri: str, version: int | None, diagnostics: tuple[types.Diagnostic, ...]
    ) -> None:
        self._ls.notify(
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS,
            types.PublishDiagnosticsParams(uri, list(diagnostics), version),
        )

    def _diagnostic(self, snapshot: Snapshot, finding: "Finding") -> types.Diagnostic:
        return types.Diagnostic(
            range=convert.range_of(
                snapshot, finding.start, finding.stop, self._ls.session.encoding
            ),
            message=finding.message,
            severity=_SEVERITIES[finding.severity],
            code=f"{finding.category}/{finding.rule}",
            source="sirdab",
            data={"fingerprint": finding.fingerprint},
        )

    # --- the work ------------------------------------------------------------------------------

    async def rewriter(self) -> "Rewriter":
        """Return what rewrites code, made when it is first needed.

        Raises:
            RequestError: There is no model to ask.
        """
        reviewer = await self.reviewer()
        if self._rewriter is None:
            from sirdab.review.rewrite import Rewriter

            services = await self._ls.services()
            assert services.endpoints is not None  # noqa: S101 - reviewer() has raised
            self._rewriter = Rewriter(
                services.endpoints, self._ls.lane, reviewer.gates, audit=services.audit
            )
        return self._rewriter

    async def reviewer(self) -> "Reviewer":
        """Return the reviewer, made when it is first needed.

        Raises:
            RequestError: There is no model to ask.
        """
        services = await self._ls.services()
        await self._ls.first_settings()
        if services.endpoints is None:
            raise RequestError(Code.REQUEST_FAILED, "There is no model server to review with.")
        if self._reviewer is None:
            # Its libraries take some ten milliseconds, in which messages must not wait.
            await asyncio.to_thread(__import__, "sirdab.review.reviewer")
            from sirdab.review.reviewer import Reviewer

            self._reviewer = Reviewer(services.endpoints, self._ls.lane, audit=services.audit)
        return self._reviewer

    async def _review(
        self,
        key: str,
        snapshot: Snapshot,
        lines: tuple[int, int] | None,
        before: "tuple[Finding, ...]",
        report: Callable[[int, int, str], None],
    ) -> "Review":
        """Review a document, showing what is found as it is found.

        Returns:
            What became of it; with a problem when it is not reviewed, or the model failed.

        Raises:
            RequestError: There is no model to ask, or reviews are off.
        """
        reviewer = await self.reviewer()
        from sirdab.review.request import ReviewRequest

        _check_enabled(self._ls.session.settings)
        old, new = list(before), list["Finding"]()
        was_open = self._ls.session.snapshot(snapshot.uri) is not None

        def on_unit(unit: "UnitReview", done: int, total: int) -> None:
            if was_open and self._ls.session.snapshot(snapshot.uri) is None:
                # Closed meanwhile: what is shown of it has been withdrawn.
                return
            kept = [f for f in old if not unit.first <= f.start.line <= unit.last]
            news = bool(unit.findings) or len(kept) != len(old)
            old[:] = kept
            new.extend(unit.findings)
            if news:
                self._present(key, snapshot, sorted((*old, *new), key=lambda f: f.start))
            report(done, total, f"{done} of {total} parts")

        if key not in self._desks and was_open:
            self._desks[key] = _Desk(snapshot)
        request = ReviewRequest(
            snapshot, self._ls.session.settings, self._ls.session.workspace_folders, lines
        )
        result = await reviewer.review(request, on_unit)
        if not result.problem and lines is None and old:
            # What lay outside of every unit is no longer code.
            self._present(key, snapshot, new)
        return result

    async def _review_folders(
        self, folders: tuple[str, ...], progress: "Progress", done: list[str]
    ) -> None:
        reviewer = await self.reviewer()
        from sirdab.review.files import files_of, snapshot_of

        settings = self._ls.session.settings
        files = await asyncio.to_thread(files_of, folders, settings, reviewer.gates)
        for number, path in enumerate(files):
            progress.report(number, len(files), _relative(path, folders))
            uri = path.absolute().as_uri()
            snapshot = self._ls.session.snapshot(uri)
            if snapshot is None:
                snapshot = await asyncio.to_thread(snapshot_of, path)
            if snapshot is None:
                continue
            key = convert.document_key(snapshot.uri) or snapshot.uri
            before = self._placed_in(key, snapshot)
            result = await self._review(key, snapshot, None, before, _unreported)
            if result.failed:
                raise RequestError(Code.REQUEST_FAILED, result.problem)
            if result.problem:
                # An open document may be of a kind that its file is not.
                _log.info("a file of the workspace is not reviewed")
            else:
                done.append(key)
        self._withdraw_all_but(done)

    def _withdraw_all_but(self, keys: list[str]) -> None:
        """Withdraw what is shown of files that are neither open nor reviewed any more."""
        for key in self._desks.keys() - set(keys):
            desk = self._desks[key]
            if self._ls.session.snapshot(desk.snapshot.uri) is None:
                del self._desks[key]
                if desk.shown:
                    self._tell(desk.snapshot.uri, None, ())

    # --- reviews that begin by themselves --------------------------------------------------------

    def _wait_for_idleness(self, key: str, uri: str) -> None:
        review = self._ls.session.settings.review
        snapshot = self._ls.session.snapshot(uri)
        if not review.enabled or review.run != "onIdle" or snapshot is None:
            return
        desk = self._desks.setdefault(key, _Desk(snapshot))
        if desk.idle is not None:
            desk.idle.cancel()
        loop = asyncio.get_running_loop()
        desk.idle = loop.call_later(_IDLE_SECONDS, self._begin, key, uri)

    def _begin(self, key: str, uri: str) -> None:
        """Review an open document unasked; what goes wrong is only logged."""
        snapshot = self._ls.session.snapshot(uri)
        if snapshot is None or not self._ls.session.settings.review.enabled:
            return
        desk = self._desks.setdefault(key, _Desk(snapshot))
        _stop(desk)
        before = self._placed_in(key, snapshot)
        desk.task = asyncio.ensure_future(self._unasked(key, snapshot, before))
        self._ls.spawn(desk.task)

    async def _unasked(self, key: str, snapshot: Snapshot, before: "tuple[Finding, ...]") -> None:
        try:
            result = await self._review(key, snapshot, None, before, _unreported)
        except RequestError as error:
            _log.info("no review: %s", error.message)
        else:
            if result.problem:
                _log.info("no review: %s", result.problem)

    def _load_dismissals(self) -> "Dismissals":
        if self._dismissals is None:
            from sirdab.review.dismissals import Dismissals

            self._dismissals = Dismissals()
        return self._dismissals


def _unreported(done: int, total: int, message: str) -> None:
    """Show nobody how far the work is."""
    del done, total, message


def _check_enabled(settings: Settings) -> None:
    if not settings.review.enabled:
        raise RequestError(Code.REQUEST_FAILED, "Reviews are off; set review.enabled to true.")


def _stop(desk: _Desk) -> None:
    if desk.idle is not None:
        desk.idle.cancel()
        desk.idle = None
    if desk.task is not None:
        desk.task.cancel()
        desk.task = None


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _relative(path: Path, folders: tuple[str, ...]) -> str:
    """Return a path as it is shown."""
    for folder in folders:
        if path.is_relative_to(folder):
            return visible(str(path.relative_to(folder)))
    return visible(path.name)
