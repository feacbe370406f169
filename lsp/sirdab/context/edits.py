"""Remembers where the documents were edited last.

What somebody does in one place is often done again in the next.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sirdab.text.document import Change

MOST_EDITS = 8
"""Regions remembered over all documents; as many as GitHub Copilot's client library keeps."""

AROUND_LINES = 3
"""Lines shown above and below an edit; the same library shows as many."""

# Regions that show the same lines, or lines that follow each other, are one.
_NEAR_LINES = 2 * AROUND_LINES
_LINE_END = re.compile(r"\r\n|\n|\r")


class Region(NamedTuple):
    """Lines that were edited.

    Attributes:
        uri: The document, as the client spells it.
        first: Its first line, from 0.
        last: Its last one, inclusive.
    """

    uri: str
    first: int
    last: int


class RecentEdits:
    """The regions edited last."""

    def __init__(self) -> None:
        """Start without any."""
        self._regions: list[Region] = []

    def changed(self, uri: str, changes: Sequence[Change]) -> None:
        """Take the changes of a document, in the order in which they were applied.

        Args:
            uri: The document.
            changes: A change of the whole text says nothing of where it was edited, so what was
                known of the document is forgotten.
        """
        for change in changes:
            if change.range is None:
                self.forget(uri)
                continue
            start, stop = sorted((change.range.start_line, change.range.end_line))
            self._edited(uri, max(0, start), max(0, stop), _count_line_ends(change.text))

    def forget(self, uri: str) -> None:
        """Drop what is known of a document."""
        self._regions = [region for region in self._regions if region.uri != uri]

    def clear(self) -> None:
        """Drop everything."""
        self._regions = []

    def regions(self) -> tuple[Region, ...]:
        """Return the regions, the one that was edited last first."""
        return tuple(self._regions)

    def _edited(self, uri: str, start: int, stop: int, added: int) -> None:
        edited = Region(uri, start, start + added)
        others: list[Region] = []
        for region in self._regions:
            if region.uri != uri:
                others.append(region)
                continue
            moved = _moved(region, start, stop, added)
            if moved.first - _NEAR_LINES <= edited.last and edited.first <= (
                moved.last + _NEAR_LINES
            ):
                edited = Region(uri, min(moved.first, edited.first), max(moved.last, edited.last))
            else:
                others.append(moved)
        self._regions = [edited, *others][:MOST_EDITS]


def _count_line_ends(text: str) -> int:
    if "\r" in text:
        return len(_LINE_END.findall(text))
    return text.count("\n")


def _moved(region: Region, start: int, stop: int, added: int) -> Region:
    """Return where a region is after lines `start`..`stop` have become `added` + 1 lines."""
    shift = added - (stop - start)

    def to(line: int) -> int:
        if line > stop:
            return line + shift
        return min(line, start + added)

    return region._replace(first=to(region.first), last=to(region.last))
