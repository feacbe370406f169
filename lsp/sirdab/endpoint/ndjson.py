"""Reads JSON objects, one on each line, from bytes that arrive in any pieces.

That is how Ollama streams (docs/api.md, "Streaming responses"; the media type is
`application/x-ndjson`). The format is the one of the NDJSON specification
(github.com/ndjson/ndjson-spec): UTF-8, lines that end in a line feed, with an optional carriage
return before it. An empty line is skipped. A line that does not begin as an object does is an
error, because here it means that something other than a model server is answering.

Lines are cut in bytes, and only at line feeds: a JSON text may hold U+2028 and friends unescaped,
at which `str.splitlines` would cut as well.
"""

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.stream import LARGEST_LINE, LARGEST_STREAM, Event

MEDIA_TYPE = "application/x-ndjson"
"""What Ollama calls the format, in the header Content-Type."""


class NdjsonParser:
    """Turns pieces of bytes into events, one for each line.

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

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes and return the events they complete.

        Raises:
            EndpointError: The bytes are not such a stream, or are too many.
        """
        self._total += len(piece)
        if self._total > self._largest_stream:
            raise _problem(f"is longer than {self._largest_stream} bytes")
        if b"\n" not in piece:
            self._keep(piece)
            return []
        first, *lines = piece.split(b"\n")
        self._keep(first)
        lines.insert(0, b"".join(self._partial))
        self._partial.clear()
        self._partial_size = 0
        self._keep(lines.pop())
        return [event for line in lines if (event := self._event(line)) is not None]

    def _keep(self, piece: bytes) -> None:
        self._partial_size += len(piece)
        if self._partial_size > self._largest_line:
            raise self._too_long()
        if piece:
            self._partial.append(piece)

    def _event(self, line: bytes) -> Event | None:
        if len(line) > self._largest_line:
            raise self._too_long()
        line = line.strip(b" \t\r")
        if not line:
            return None
        if not line.startswith(b"{"):
            raise _problem("is not a stream of JSON objects")
        try:
            return Event(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise _problem("is not UTF-8") from None

    def _too_long(self) -> EndpointError:
        return _problem(f"holds a line longer than {self._largest_line} bytes")


def _problem(what: str) -> EndpointError:
    return EndpointError(
        ProblemKind.PROTOCOL,
        f"The model server's answer {what}; check that endpoint.url names an Ollama server.",
    )
