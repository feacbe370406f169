"""What asks the model for reviews and rewrites, made when it is first needed.

Its libraries take some ten milliseconds to load, in which messages must not wait.
"""

import asyncio
import gc
from importlib import import_module
from typing import TYPE_CHECKING

from sirdab.server.jsonrpc import Code
from sirdab.server.protocol import RequestError

if TYPE_CHECKING:
    from sirdab.review.reviewer import Reviewer
    from sirdab.review.rewrite import Rewriter
    from sirdab.server.language_server import SirdabServer

# All that a review imports on its way, most of it where it is first needed.
_MODULES = (
    "sirdab.review.reviewer",
    "sirdab.review.evidence",
    "sirdab.review.store",
    "sirdab.review.sift",
    "sirdab.review.suppress",
    "sirdab.server.review.desk",
)


def load() -> None:
    """Import all that a review needs, and read what it is told of models; call it in a thread."""
    for module in _MODULES:
        import_module(module)
    from sirdab.models import catalog, user_families

    catalog.load()
    user_families.user_families()
    # Nothing of that is garbage, so the collector need not look at it each time: while it looks,
    # no message is answered.
    gc.freeze()


class ReviewModels:
    """The reviewer and the rewriter of one session."""

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._reviewer: Reviewer | None = None
        self._rewriter: Rewriter | None = None

    @property
    def has_memory(self) -> bool:
        """Whether anything was ever reviewed, so that something may be known of a document."""
        from sirdab.review.store import default_path

        return self._reviewer is not None or default_path().exists()

    def clear(self) -> None:
        """Drop what is remembered of answers."""
        if self._reviewer is not None:
            self._reviewer.clear()
        elif self.has_memory:
            from sirdab.review.store import ReviewStore, default_path

            # What earlier sessions have kept, though nothing was reviewed in this one.
            store = ReviewStore(default_path())
            store.clear()
            store.close()

    async def rewriter(self) -> "Rewriter":
        """Return what rewrites code.

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
        """Return what reviews code.

        Raises:
            RequestError: There is no model to ask.
        """
        services = await self._ls.services()
        await self._ls.first_settings()
        if services.endpoints is None:
            raise RequestError(Code.REQUEST_FAILED, "There is no model server to review with.")
        if self._reviewer is None:
            await asyncio.to_thread(load)
        # Another one may have waited for the same.
        if self._reviewer is None:
            from sirdab.review.evidence import Linter
            from sirdab.review.reviewer import Reviewer
            from sirdab.review.store import ReviewStore, default_path

            self._reviewer = Reviewer(
                services.endpoints,
                self._ls.lane,
                audit=services.audit,
                store=ReviewStore(default_path()),
                evidence=Linter(),
            )
        return self._reviewer

    def close(self) -> None:
        """Write what is still to be written of what was said; call it in a thread."""
        if self._reviewer is not None:
            self._reviewer.close()
