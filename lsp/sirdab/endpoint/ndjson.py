"""Reads JSON objects, one on each line, from bytes that arrive in any pieces.

That is how Ollama streams (docs/api.md, "Streaming responses"; the media type is
`application/x-ndjson`). The format is the one of the NDJSON specification
(github.com/ndjson/ndjson-spec): UTF-8, lines that end in a line feed, with an optional carriage
return before it. An empty line is skipped. A line that does not begin as an object does is an
error, because here it means that something other than a model server is answering.

Lines are cut in bytes, and only at line feeds: a JSON text may hold U+2028 and friends unescaped,
at which `str.splitlines` would cut as well.
"""

from typing import NoReturn

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.lines import LARGEST_LINE, LARGEST_STREAM, BoundedLines
from sirdab.endpoint.stream import Event

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
        self._lines = BoundedLines(largest_line, largest_stream, _refuse)

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes and return the events they complete.

        Raises:
            EndpointError: The bytes are not such a stream, or are too many.
        """
        self._lines.count(len(piece))
        lines = self._lines.cut(piece)
        return [event for line in lines if (event := self._event(line)) is not None]

    def _event(self, line: bytes) -> Event | None:
        self._lines.check(line)
        line = line.strip(b" \t\r")
        if not line:
            return None
        if not line.startswith(b"{"):
            _refuse("is not a stream of JSON objects")
        try:
            return Event(line.decode("utf-8"))
        except UnicodeDecodeError:
            _refuse("is not UTF-8")


def _refuse(what: str) -> NoReturn:
    raise EndpointError(
        ProblemKind.PROTOCOL,
        f"The model server's answer {what}; check that endpoint.url names an Ollama server.",
    ) from None
