"""What explains code and writes tests of it, imported when it is first needed."""

from pathlib import Path
from typing import TYPE_CHECKING

from sirdab.policy.uris import path_of
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.refactor.explain import Explainer
    from sirdab.review.refactor.newtests import Wanted, WriterOfTests
    from sirdab.review.refactor.symbols import Symbol
    from sirdab.review.refactor.testplace import PlaceOfTests
    from sirdab.server.language_server import SirdabServer


class Refactorings:
    """The model's helpers of one session."""

    def __init__(self, ls: "SirdabServer") -> None:
        """Make nothing yet."""
        self._ls = ls

    async def explainer(self) -> "Explainer":
        """Return what explains code.

        Raises:
            RequestError: There is no model to ask.
        """
        from sirdab.review.refactor.explain import Explainer

        rewriter = await self._ls.reviews.rewriter()
        return Explainer(rewriter.author)

    async def test_writer(self) -> "WriterOfTests":
        """Return what writes tests.

        Raises:
            RequestError: There is no model to ask.
        """
        from sirdab.review.refactor.newtests import WriterOfTests

        rewriter = await self._ls.reviews.rewriter()
        return WriterOfTests(rewriter.author)

    def tests_wanted(self, snapshot: Snapshot, symbol: "Symbol") -> "Wanted":
        """Return which tests are written for a function or class, and where they go.

        Raises:
            RefusalError: The document is no file, so that there is no place for them.
        """
        from sirdab.review.refactor.newtests import Wanted
        from sirdab.review.refactor.refusal import RefusalError

        place = self.test_place(snapshot)
        if isinstance(place, str):
            raise RefusalError(place)
        session = self._ls.session
        return Wanted(snapshot, session.settings, session.workspace_folders, symbol, place)

    def test_place(self, snapshot: Snapshot) -> "PlaceOfTests | str":
        """Return where the tests of a document go, or the sentence that says why nowhere."""
        from sirdab.review.gates import Gates
        from sirdab.review.refactor.testplace import is_test, place_for

        local = path_of(snapshot.uri) if snapshot.uri.startswith("file:") else None
        if local is None:
            return "Save the document first; tests go beside its file."
        path = Path(local)
        if is_test(path):
            return "This is a file of tests itself."
        settings, folders = self._ls.session.settings, self._ls.session.workspace_folders
        gates = Gates()
        place = place_for(
            path,
            snapshot.language_id,
            folders,
            lambda one: gates.excluded_by(str(one), settings, folders) is None,
        )
        if place.path.exists():
            return f"{place.path.name} is there already; add tests to it."
        return place
