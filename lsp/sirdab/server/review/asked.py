"""Reviews that a person asks for, of a document or of the workspace, with their progress."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sirdab.policy.sanitize import visible
from sirdab.server.jsonrpc import Code
from sirdab.server.protocol import RequestError
from sirdab.server.review.document_reviews import DocumentReviews, check_enabled
from sirdab.server.review.known import Known, key_of
from sirdab.server.review.models import ReviewModels
from sirdab.server.review.queue import Rank, ReviewQueue
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.request import Review
    from sirdab.server.language_server import SirdabServer
    from sirdab.server.progress import Progress, Token

_log = logging.getLogger(__name__)


class AskedReviews:
    """The reviews that a person waits for.

    Args:
        ls: The server.
        known: Where what is found is kept.
        models: Makes the reviewer.
        queue: The order of all reviews.
        reviews: Carries one out.
    """

    def __init__(
        self,
        ls: "SirdabServer",
        known: Known,
        models: ReviewModels,
        queue: ReviewQueue,
        reviews: DocumentReviews,
    ) -> None:
        self._ls = ls
        self._known = known
        self._models = models
        self._queue = queue
        self._reviews = reviews

    async def document(
        self, snapshot: Snapshot, lines: tuple[int, int] | None, token: "Token | None"
    ) -> int:
        """Review an open document and return how many findings are shown in it.

        Args:
            snapshot: The document when it was asked for.
            lines: First and last line, 0-based and inclusive; None for all.
            token: The client's progress token.

        Raises:
            RequestError: It cannot be reviewed; the message says why.
        """
        uri = snapshot.uri
        # Lines are those of this state, so edits from now on have to be known.
        desk = self._known.desk(snapshot) if lines is not None else None
        run = desk.begin(snapshot) if desk is not None else None

        async def work(progress: "Progress") -> None:
            result = await self._queue.run(
                Rank.ASKED, lambda: self._reviews.review(snapshot, lines, run, progress.report)
            )
            if result.problem:
                raise RequestError(Code.REQUEST_FAILED, result.problem)

        def summary() -> str:
            return _counted(self._known.count(uri), "finding")

        try:
            await self._ls.work_shown.run("Reviewing", token, work, summary)
        finally:
            if desk is not None and run is not None:
                desk.end(run)
        return self._known.count(uri)

    async def workspace(self, token: "Token | None") -> tuple[int, int]:
        """Review the code of the workspace's folders; return how many files and findings.

        Raises:
            RequestError: There is nothing to review, or the model cannot be asked.
        """
        folders = self._ls.session.workspace_folders
        if not folders:
            raise RequestError(
                Code.REQUEST_FAILED,
                "There is no workspace folder to review; open one, or review a document.",
            )
        check_enabled(self._ls.session.settings)
        done: dict[str, int] = {}

        async def work(progress: "Progress") -> None:
            await self._folders(folders, progress, done)

        def summary() -> str:
            found = _counted(sum(done.values()), "finding")
            return f"{found} in {_counted(len(done), 'file')}"

        await self._ls.work_shown.run("Reviewing the workspace", token, work, summary)
        return len(done), sum(done.values())

    async def _folders(
        self, folders: tuple[str, ...], progress: "Progress", done: dict[str, int]
    ) -> None:
        """Review the files of some folders; put into `done` how many findings each one shows."""
        reviewer = await self._models.reviewer()
        from sirdab.review import files

        settings = self._ls.session.settings
        most = files.MAX_FILES
        found = await asyncio.to_thread(
            files.find_files, folders, settings, reviewer.gates, most=most
        )
        if found.more:
            self._ls.warn(
                f"The workspace has more than {most:,} files of code, and only so many are "
                "reviewed; open its folders one by one to review the others."
            )
        latest = [one.uri for one in self._ls.session.latest(len(found.paths))]
        paths = await asyncio.to_thread(_latest_first, found.paths, latest)
        for number, path in enumerate(paths):
            progress.report(number, len(paths), _relative(path, folders))
            uri = path.absolute().as_uri()

            async def review(path: Path = path, uri: str = uri) -> "tuple[str, Review] | None":
                snapshot = self._ls.session.snapshot(uri)
                if snapshot is None:
                    snapshot = await asyncio.to_thread(files.snapshot_of, path)
                if snapshot is None:
                    return None
                return snapshot.uri, await self._reviews.review(snapshot)

            reviewed = await self._queue.run(Rank.WORKSPACE, review)
            if reviewed is None:
                continue
            uri, result = reviewed
            if result.failed:
                raise RequestError(Code.REQUEST_FAILED, result.problem)
            if result.problem:
                # An open document may be of a kind that its file is not.
                _log.info("a file of the workspace is not reviewed")
            else:
                # Counted one by one, because all at the end would hold everything up.
                done[uri] = self._known.count(uri)
                self._known.list_file(uri)
        self._known.forget_files_but(list(done))


def _latest_first(paths: list[Path], latest: list[str]) -> list[Path]:
    """Return files with those that are open first, the one that was edited last at the top."""
    order = {key_of(uri): number for number, uri in enumerate(latest)}
    return sorted(
        paths,
        key=lambda path: order.get(key_of(path.absolute().as_uri()), len(order)),
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _relative(path: Path, folders: tuple[str, ...]) -> str:
    """Return a path as it is shown."""
    for folder in folders:
        if path.is_relative_to(folder):
            return visible(str(path.relative_to(folder)))
    return visible(path.name)
