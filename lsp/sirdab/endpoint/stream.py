"""Reads server-sent events from bytes that arrive in any pieces.

Follows the event stream format of the HTML standard (section 9.2, "Server-sent events"), and is
stricter in one respect: a line that is not a field of that format is an error, because here it
means that something other than a model server is answering.

Lines are cut in bytes, and only at the line ends of the format. Cutting decoded text with
`str.splitlines`, as common HTTP libraries do, would also cut at U+2028 and friends inside a
suggestion.
"""

from typing import NamedTuple, NoReturn

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.lines import LARGEST_LINE, LARGEST_STREAM, BoundedLines

_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event.

    Attributes:
        data: The text of its data lines.
        is_error: Whether it came in an `error:` field, in which llama.cpp before 2025 sent its
            errors (tools/server/README.md); newer ones send {"error": ...} as data.
    """

    data: str
    is_error: bool = False


class EventStreamParser:
    """Turns pieces of bytes into events.

    Args:
        largest_line: Most bytes of one line.
        largest_stream: Most bytes altogether.
    """

    def __init__(
        self, *, largest_line: int = LARGEST_LINE, largest_stream: int = LARGEST_STREAM
    ) -> None:
        self._lines = BoundedLines(largest_line, largest_stream, _refuse)
        self._skip_line_feed = False
        self._at_start = True
        self._data: list[str] = []
        self._is_error = False

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes and return the events they complete.

        Raises:
            EndpointError: The bytes are not an event stream, or are too many.
        """
        self._lines.count(len(piece))
        if self._skip_line_feed and piece:
            # The carriage return that ended the last piece was the first half of CR LF.
            self._skip_line_feed = False
            piece = piece.removeprefix(b"\n")
        if b"\r" in piece:
            self._skip_line_feed = piece.endswith(b"\r")
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        events: list[Event] = []
        for line in self._lines.cut(piece):
            if line:
                self._read_line(line)
            elif self._data:
                events.append(Event("\n".join(self._data), self._is_error))
                self._data.clear()
                self._is_error = False
        return events

    def _read_line(self, line: bytes) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        if name in {b"data", b"error"}:
            try:
                self._data.append(value.removeprefix(b" ").decode("utf-8"))
            except UnicodeDecodeError:
                _refuse("is not UTF-8")
            self._is_error = self._is_error or name == b"error"
        elif name not in {b"", b"event", b"id", b"retry"}:
            _refuse("is not a stream of events")


def _refuse(what: str) -> NoReturn:
    raise EndpointError(
        ProblemKind.PROTOCOL,
        f"The model server's answer {what}; check that endpoint.url names a model server.",
    ) from None
