"""Reads server-sent events from bytes that arrive in any pieces.

Follows the event stream format of the HTML standard (section 9.2, "Server-sent events"), and is
stricter in one respect: a line that is not a field of that format is an error, because here it
means that something other than a model server is answering.

Lines are cut in bytes, and only at the line ends of the format. Cutting decoded text with
`str.splitlines`, as common HTTP libraries do, would also cut at U+2028 and friends inside a
suggestion.
"""

from typing import NamedTuple

from sirdab.endpoint.base import EndpointError, ProblemKind

LARGEST_LINE = 4 * 1024 * 1024
"""Most bytes of one line. The last event of llama.cpp may repeat the whole prompt."""

LARGEST_STREAM = 32 * 1024 * 1024
"""Most bytes of one answer."""

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
        self._largest_line = largest_line
        self._largest_stream = largest_stream
        self._total = 0
        self._partial: list[bytes] = []
        self._partial_size = 0
        self._skip_line_feed = False
        self._at_start = True
        self._data: list[str] = []
        self._is_error = False

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes and return the events they complete.

        Raises:
            EndpointError: The bytes are not an event stream, or are too many.
        """
        self._total += len(piece)
        if self._total > self._largest_stream:
            raise _problem(f"is longer than {self._largest_stream} bytes")
        if self._skip_line_feed and piece:
            # The carriage return that ended the last piece was the first half of CR LF.
            self._skip_line_feed = False
            piece = piece.removeprefix(b"\n")
        if b"\r" in piece:
            self._skip_line_feed = piece.endswith(b"\r")
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in piece:
            self._keep(piece)
            return []
        first, *lines = piece.split(b"\n")
        self._keep(first)
        lines.insert(0, b"".join(self._partial))
        self._partial.clear()
        self._partial_size = 0
        self._keep(lines.pop())
        events: list[Event] = []
        for line in lines:
            if line:
                self._read_line(line)
            elif self._data:
                events.append(Event("\n".join(self._data), self._is_error))
                self._data.clear()
                self._is_error = False
        return events

    def _keep(self, piece: bytes) -> None:
        self._partial_size += len(piece)
        if self._partial_size > self._largest_line:
            raise _problem(f"holds a line longer than {self._largest_line} bytes")
        if piece:
            self._partial.append(piece)

    def _read_line(self, line: bytes) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        if name in {b"data", b"error"}:
            try:
                self._data.append(value.removeprefix(b" ").decode("utf-8"))
            except UnicodeDecodeError:
                raise _problem("is not UTF-8") from None
            self._is_error = self._is_error or name == b"error"
        elif name not in {b"", b"event", b"id", b"retry"}:
            raise _problem("is not a stream of events")


def _problem(what: str) -> EndpointError:
    return EndpointError(
        ProblemKind.PROTOCOL,
        f"The model server's answer {what}; check that endpoint.url names a model server.",
    )
