"""Reviews one document, and puts what is found where it is shown."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types

from sirdab.config.schema import Settings
from sirdab.policy.sanitize import visible
from sirdab.server.jsonrpc import Code
from sirdab.server.protocol import RequestError
from sirdab.server.review.known import Known, key_of
from sirdab.server.review.models import ReviewModels
from sirdab.server.review.showing import Showing
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.request import Review, UnitReview
    from sirdab.server.language_server import SirdabServer
    from sirdab.server.review.desk import Desk, Run

# Names in comments of which is remembered that the user was told that no rule has them.
_MOST_TOLD = 1_024

Report = Callable[[int, int, str], None]


def unreported(done: int, total: int, message: str) -> None:
    """Show nobody how far the work is."""
    del done, total, message


class DocumentReviews:
    """Reviews documents, each when it is told to.

    Args:
        ls: The server.
        known: Where what is found is kept.
        models: Makes the reviewer.
        changed: Called with a document of which something else may be shown now.
    """

    def __init__(
        self,
        ls: "SirdabServer",
        known: Known,
        models: ReviewModels,
        changed: Callable[[str], None],
    ) -> None:
        self._ls = ls
        self._known = known
        self._models = models
        self._changed = changed
        self._told_names: set[tuple[str, str]] = set()

    async def review(
        self,
        snapshot: Snapshot,
        lines: tuple[int, int] | None = None,
        run: "Run | None" = None,
        report: Report = unreported,
    ) -> "Review":
        """Review a document, showing what is found as it is found.

        Args:
            snapshot: The state that is reviewed; the present one where all of it is.
            lines: First and last line of `snapshot`; None for all.
            run: Where the findings go; None for a new one.
            report: Told how many units are done, and how many there are.

        Returns:
            What became of it; with a problem when it is not reviewed, or the model failed.

        Raises:
            RequestError: There is no model to ask, or reviews are off.
        """
        reviewer = await self._models.reviewer()
        from sirdab.review.request import ReviewRequest

        session = self._ls.session
        check_enabled(session.settings)
        now = session.snapshot(snapshot.uri)
        was_open = now is not None
        if lines is None and now is not None:
            snapshot = now
        desk = self._known.desk(now or snapshot)
        await self._read_comments(desk, snapshot)
        begun = run or desk.begin(snapshot)
        showing = Showing(lambda: self._present(desk, begun))

        def on_unit(unit: "UnitReview", done: int, total: int) -> None:
            if was_open and session.snapshot(snapshot.uri) is None:
                # Closed meanwhile: what is shown of it has been withdrawn.
                return
            if begun.take(unit):
                showing.news()
            if unit.whole:
                report(done, total, f"{done} of {total} parts")

        request = ReviewRequest(
            snapshot, session.settings, session.workspace_folders, lines, begun.is_untouched
        )
        try:
            result = await reviewer.review(request, on_unit)
            if not result.problem:
                if lines is None and begun.end():
                    showing.news()
                desk.reviewed = True
        finally:
            showing.end()
            if run is None:
                desk.end(begun)
        return result

    def _present(self, desk: "Desk", run: "Run") -> None:
        if self._ls.session.settings.review.enabled and self._known.keeps(desk):
            # Else it was turned off, or the document closed, while the model was answering.
            desk.present(run)
            self._changed(desk.key)

    async def _read_comments(self, desk: "Desk", snapshot: Snapshot) -> None:
        """Find the comments that tell to ignore something.

        Which of them name a rule that there is not goes into the client's log, each once. Linters
        do the same: such a comment ignores nothing, which its writer does not expect.
        """
        from sirdab.review import suppress

        text, key = snapshot.text, key_of(snapshot.uri)
        directives = await asyncio.to_thread(suppress.read, text, snapshot.language_id)
        if desk.snapshot.text is text:
            desk.directives = directives
        for entry in suppress.unknown(directives):
            name = visible(entry.name)
            if (key, name) in self._told_names:
                continue
            if len(self._told_names) >= _MOST_TOLD:
                self._told_names.clear()
            self._told_names.add((key, name))
            self._ls.window_log_message(
                types.LogMessageParams(
                    types.MessageType.Warning,
                    f"{snapshot.uri}: the comment in line {entry.line + 1} ignores nothing, "
                    f'because Sirdab has no rule "{name}"; correct the name.',
                )
            )


def check_enabled(settings: Settings) -> None:
    """Raise `RequestError` when reviews are off."""
    if not settings.review.enabled:
        raise RequestError(Code.REQUEST_FAILED, "Reviews are off; set review.enabled to true.")
