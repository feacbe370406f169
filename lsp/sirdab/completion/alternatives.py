"""Other suggestions for a place where one has been offered.

An editor shows the first suggestion as soon as it has it, so the first is never made to wait for
others. Only who asks again at the same place, which is what "show another" does in editors, gets
alternatives to what is known.
"""

from typing import NamedTuple

from sirdab.completion.request import CompletionRequest, Suggestion
from sirdab.text.store import Point, Text

TEMPERATURE = 0.8
"""The first suggestion is greedy, so others need some chance. Of 0.4, 0.6, 0.8 and 1.0, see
`bench/results/alternatives.md`."""

BUDGET_MS = 1500
"""Alternatives are asked for as long as this after the request came, in milliseconds."""


class _Offered(NamedTuple):
    text: Text
    point: Point
    suggestions: tuple[Suggestion, ...]


class Offers:
    """What was offered last in each document."""

    def __init__(self) -> None:
        self._offers: dict[str, _Offered] = {}

    def remember(self, request: CompletionRequest, suggestions: tuple[Suggestion, ...]) -> None:
        """Take what is being offered for a request."""
        snapshot = request.snapshot
        self._offers[snapshot.uri] = _Offered(snapshot.text, request.point, suggestions)

    def known(self, request: CompletionRequest) -> tuple[Suggestion, ...]:
        """Return what was offered at this very place of this very text, or nothing."""
        offered = self._offers.get(request.snapshot.uri)
        if offered is None or request.selected is not None:
            return ()
        # A text is immutable, so another state of the document is another object.
        same = offered.text is request.snapshot.text and offered.point == request.point
        return offered.suggestions if same else ()

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a document."""
        self._offers.pop(uri, None)
