"""Cuts a stream of bytes into message bodies, and survives whatever else the stream holds.

The base protocol is HTTP-like (LSP 3.18, "Base Protocol"): header lines, an empty line, a
body of `Content-Length` bytes. This decoder does no input or output, never raises on bad
input and never holds more than one body and one header.

How it gets back into step: a JSON string cannot hold a raw line end, so a complete header
inside what should be a body, or after garbage, can only be the start of the next message.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from sirdab.policy.limits import MAX_HEADER_BYTES, MAX_MESSAGE_BYTES

# Enough of a refused message to find its id in: clients write it before the params.
_HEAD_BYTES = 4 * 1024

_TAIL_BYTES = 64

_HEADER = re.compile(
    rb"content-length:[ \t]*[0-9]{1,10}[ \t]*\r\n(?:[!-9;-~]+:[^\r\n]*\r\n)*\r\n", re.IGNORECASE
)
_HEADER_END = re.compile(rb"\r\n\r\n|\n\n")
_DIGITS = 20


class Body(NamedTuple):
    """The body of one message, exactly as sent."""

    data: bytes


class Refused(NamedTuple):
    """Bytes that are no message.

    Attributes:
        reason: Why, as one sentence.
        too_large: Whether the size is what was wrong.
        head: The beginning of the refused body, as far as it was seen.
    """

    reason: str
    too_large: bool
    head: bytes


Frame = Body | Refused


class _State(Enum):
    HEADER = auto()
    BODY = auto()
    RESYNC = auto()


class FrameDecoder:
    """Takes bytes as they arrive and gives back whole frames, in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._state = _State.HEADER
        self._length = 0
        # The end of the last body: a length that says too much takes the next header's first
        # bytes with it, and then they are here.
        self._tail = b""
        # What is yet to be said about the message being skipped, and its beginning.
        self._refusal: Refused | None = None

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the next bytes of the stream and yield each frame that they complete."""
        self._buffer += data
        while True:
            state, size = self._state, len(self._buffer)
            frame = self._step()
            if frame is not None:
                yield frame
            elif state is self._state and size == len(self._buffer):
                return

    def _step(self) -> Frame | None:
        if self._state is _State.HEADER:
            return self._read_header()
        if self._state is _State.BODY:
            return self._read_body()
        return self._resync()

    def _read_header(self) -> Frame | None:
        buffer = self._buffer
        blank = len(buffer) - len(buffer.lstrip(b"\r\n"))
        # Some clients end a body with a line end of their own.
        self._tail = (self._tail + buffer[max(0, blank - _TAIL_BYTES) : blank])[-_TAIL_BYTES:]
        del buffer[:blank]
        end = _HEADER_END.search(buffer, 0, MAX_HEADER_BYTES)
        if end is None:
            if len(buffer) < MAX_HEADER_BYTES:
                return None
            return self._refuse_garbage(f"A header is longer than {MAX_HEADER_BYTES} bytes.", 1)
        lengths = _content_lengths(buffer[: end.start()])
        if len(lengths) != 1 or (length := lengths.pop()) is None:
            # A header whose length is of no use is gone as a whole; in a block without any,
            # the next header may follow right behind the garbage.
            skipped = end.end() if lengths else 1
            return self._refuse_garbage("A header does not say one Content-Length.", skipped)
        del buffer[: end.end()]
        if length > MAX_MESSAGE_BYTES:
            self._state = _State.RESYNC
            self._refusal = Refused(
                f"A message is longer than {MAX_MESSAGE_BYTES} bytes.", too_large=True, head=b""
            )
            return None
        self._length = length
        self._tail = b""
        self._state = _State.BODY
        return None

    def _refuse_garbage(self, reason: str, skipped: int) -> Frame:
        # At least one byte goes, so that the search for a header cannot find this one again.
        if self._tail and skipped == 1:
            self._buffer[:0] = self._tail
            self._tail = b""
        else:
            del self._buffer[:skipped]
        self._state = _State.RESYNC
        return Refused(reason, too_large=False, head=b"")

    def _read_body(self) -> Frame | None:
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        self._state = _State.HEADER
        # The cheap test first: it fails for every message that is what it says it is.
        if b"\r\n\r\n" in body and (next_header := _HEADER.search(body)):
            del self._buffer[: next_header.start()]
            return Refused(
                "A message is shorter than its Content-Length.",
                too_large=False,
                head=body[: min(next_header.start(), _HEAD_BYTES)],
            )
        del self._buffer[: self._length]
        self._tail = body[-_TAIL_BYTES:]
        return Body(body)

    def _resync(self) -> Frame | None:
        buffer, refusal = self._buffer, self._refusal
        found = _HEADER.search(buffer)
        if refusal is not None:
            if found is None and len(buffer) < _HEAD_BYTES:
                # Wait for enough of the message to tell which one it was.
                return None
            head = bytes(buffer[: min(found.start() if found else _HEAD_BYTES, _HEAD_BYTES)])
            refusal = refusal._replace(head=head)
            self._refusal = None
        del buffer[: found.start() if found else max(0, len(buffer) - MAX_HEADER_BYTES)]
        if found:
            self._state = _State.HEADER
        return refusal


def _content_lengths(header: bytes | bytearray) -> set[int | None]:
    """Return the lengths that a header announces; None among them for one that is no number."""
    lengths: set[int | None] = set()
    for line in header.split(b"\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            value = value.strip()
            # Python refuses to read numbers of thousands of digits.
            lengths.add(int(value) if value.isdigit() and len(value) <= _DIGITS else None)
    return lengths
