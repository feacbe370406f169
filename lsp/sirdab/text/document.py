"""The document that a client has open: its edits in order, and snapshots of its states."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

from sirdab.text.positions import Encoding, Place, to_place
from sirdab.text.store import Point, Text

_SURROGATE = re.compile("[\ud800-\udfff]")


class Range(NamedTuple):
    """A range in the client's units: line and character of its start and of its end.

    Attributes:
        start_line: From 0.
        start_character: From 0, in units of the agreed encoding.
        end_line: From 0.
        end_character: From 0, exclusive.
    """

    start_line: int
    start_character: int
    end_line: int
    end_character: int


class Change(NamedTuple):
    """One content change of `textDocument/didChange`.

    Attributes:
        range: What is replaced, in the state that the change before it left; None when
            `text` is the whole new content.
        text: What takes its place.
    """

    range: Range | None
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document as it was at one moment.

    Attributes:
        uri: As the client spells it.
        language_id: The client's language identifier.
        version: The client's version number of this state.
        text: The content.
        suspect: Why this content may differ from what the client shows, as one sentence;
            None when nothing speaks for that. No completion is offered while it is set.
    """

    uri: str
    language_id: str
    version: int
    text: Text
    suspect: str | None = None


class Document:
    """Holds the present state of one open document.

    Changes are taken exactly as the client sent them. When one shows that client and server
    no longer hold the same text, the document says so in `suspect` and goes on; a change
    that carries the full text, or opening the document again, clears it. Nothing is ever
    repaired by guessing. What counts as a sign:

    - A version that does not increase. A version that skips numbers is fine: LSP 3.18 only
      asks that it increases ("VersionedTextDocumentIdentifier").
    - A range that starts or ends more than one line past the last line. One line past it is
      the usual way to name the end. From the very start to anywhere past the end is the
      usual way to name the whole text.
    - In UTF-8, a range with an edge inside a character: half of one cannot be kept.

    A range whose end comes before its start is swapped, as the reference implementation of
    text documents for language servers does (vscode-languageserver-textdocument).
    """

    __slots__ = ("_encoding", "_snapshot")

    _snapshot: Snapshot
    _encoding: Encoding

    def __init__(
        self, uri: str, language_id: str, version: int, text: str, encoding: Encoding
    ) -> None:
        """Open a document (`textDocument/didOpen`).

        Args:
            uri: As the client spells it.
            language_id: The client's language identifier.
            version: The client's version number.
            text: The whole content.
            encoding: The units of the positions in later changes.
        """
        self._encoding = encoding
        self._snapshot = Snapshot(uri, language_id, version, Text(text))

    @classmethod
    def open(cls, uri: str, language_id: str, version: int, text: str, encoding: Encoding) -> Self:
        """Open a document; a document that is opened again is a new one."""
        return cls(uri, language_id, version, text, encoding)

    @property
    def uri(self) -> str:
        """As the client spells it."""
        return self._snapshot.uri

    @property
    def version(self) -> int:
        """Version number that the client gave the present state."""
        return self._snapshot.version

    @property
    def text(self) -> Text:
        """The present content."""
        return self._snapshot.text

    @property
    def suspect(self) -> str | None:
        """Why the content may differ from the client's, or None."""
        return self._snapshot.suspect

    def snapshot(self) -> Snapshot:
        """Return the present state; it never changes."""
        return self._snapshot

    def apply(self, changes: Iterable[Change], version: int) -> None:
        """Apply the changes of one `textDocument/didChange`.

        Args:
            changes: In the order sent; each is relative to the state after the one before.
            version: The client's version number of the state after the last change.
        """
        old = self._snapshot
        text = old.text
        suspect = old.suspect
        if suspect is None and version <= old.version:
            suspect = f"The editor sent version {version} after version {old.version}."
        for change in changes:
            if change.range is None:
                text = Text(change.text)
                suspect = None
                continue
            text, doubt = _edit(text, change.range, change.text, self._encoding)
            suspect = suspect or doubt
        self._snapshot = Snapshot(old.uri, old.language_id, version, text, suspect)


def _edit(text: Text, span: Range, new: str, encoding: Encoding) -> tuple[Text, str | None]:
    """Return the text after one change, and what the change gives reason to doubt."""
    if span[:2] > span[2:]:
        span = Range(*span[2:], *span[:2])
    start = to_place(text, span.start_line, span.start_character, encoding)
    stop = to_place(text, span.end_line, span.end_character, encoding)
    doubt = None
    whole = start.point == (0, 0) and start.lines_past == 0
    if start.lines_past > 1 or (stop.lines_past > 1 and not whole):
        doubt = (
            f"The editor changed line {span.end_line + 1} of a document that has "
            f"{text.line_count} lines here."
        )
    if start.inside or stop.inside:
        if encoding is not Encoding.UTF16:
            doubt = doubt or "The editor changed a part of one character."
        else:
            return _edit_halves(text, start, stop, new), doubt
    if not new.isascii() and _SURROGATE.search(new):
        return _edit_halves(text, start, stop, new), doubt
    return text.replace(start.point, stop.point, new), doubt


def _edit_halves(text: Text, start: Place, stop: Place, new: str) -> Text:
    """Replace between two points that may lie inside a surrogate pair.

    UTF-16 clients may replace one half of a pair, or write its halves one by one. The half
    that stays is kept, and halves that meet become the character they mean, so that our
    text goes on holding what the client's does.
    """
    first, last = start.point, stop.point
    if start.inside:
        new = _halves(text, first)[0] + new
    if stop.inside:
        new += _halves(text, last)[1]
        last = Point(last.line, last.column + 1)
    # The neighbours may be lone halves that the new text completes.
    if first.column:
        first = Point(first.line, first.column - 1)
    last = text.clamp(Point(last.line, last.column + 1))
    before = text.slice(first, start.point)
    after = text.slice(Point(stop.point.line, stop.point.column + bool(stop.inside)), last)
    return text.replace(first, last, _joined(before + new + after))


def _halves(text: Text, point: Point) -> str:
    char = text.line(point.line)[point.column]
    encoded = char.encode("utf-16-le")
    return "".join(encoded[i : i + 2].decode("utf-16-le", "surrogatepass") for i in (0, 2))


def _joined(content: str) -> str:
    """Return the string with each high surrogate that a low one follows made one character."""
    return content.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
