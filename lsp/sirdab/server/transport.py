"""The pipe to the editor. The only module that writes to standard output.

A thread of its own reads, because that is what works alike on Linux, macOS and Windows, and
because a thread pool would make the process wait for a read that never returns. It reads the
file descriptor itself: Python's buffered reader holds a lock that a process cannot exit with.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from typing import NamedTuple

from sirdab.server.framing import Frame, FrameDecoder

_CHUNK = 64 * 1024

# Chunks that may wait for the event loop. Past it the reader stops reading, and the editor
# feels it in its pipe instead of us in our memory.
_PENDING_CHUNKS = 64


class Streams(NamedTuple):
    """The descriptors that carry the protocol, which nothing else in this process knows."""

    stdin: int
    stdout: int


def protect_stdio() -> Streams:
    """Take the standard streams for the protocol alone.

    Afterwards whatever a library prints, also from C and from child processes, goes to
    standard error, and nothing else can eat what the editor sends.
    """
    if sys.stdout is not None:  # None under pythonw.exe
        sys.stdout.flush()
    # Duplicates are not inherited by child processes (PEP 446).
    streams = Streams(os.dup(0), os.dup(1))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if os.name == "posix":
        # Some editors hand over sockets that do not block.
        for descriptor in streams:
            os.set_blocking(descriptor, True)
    return streams


class PipeWriter:
    """Writes to the editor; what pygls calls a writer.

    Writing blocks while the editor does not read. That is meant: an editor that has stopped
    reading has stopped, and a queue would only grow.
    """

    def __init__(self, descriptor: int, on_broken: Callable[[], None]) -> None:
        """Write to `descriptor`; call `on_broken` once when nobody reads any more."""
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._broken = False

    def write(self, data: bytes) -> None:
        """Write all of `data`, or nothing once the pipe is broken."""
        rest = memoryview(data)
        while rest and not self._broken:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                self._broken = True
                self._on_broken()

    def close(self) -> None:
        """Write nothing any more."""
        self._broken = True


class PipeReader:
    """Reads frames from the editor in a thread and hands them to the event loop in order."""

    def __init__(
        self,
        descriptor: int,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[], None],
    ) -> None:
        """Read from `descriptor`.

        Args:
            descriptor: Where the editor writes to.
            on_frame: Called on the loop for each frame, in order; must not raise.
            on_end: Called on the loop when the editor has closed the stream.
        """
        self._descriptor = descriptor
        self._on_frame = on_frame
        self._on_end = on_end
        self._slots = threading.BoundedSemaphore(_PENDING_CHUNKS)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start reading."""
        threading.Thread(target=self._read, args=(loop,), name="stdin", daemon=True).start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        decoder = FrameDecoder()
        try:
            while data := self._read_chunk():
                frames = list(decoder.feed(data))
                if frames:
                    self._slots.acquire()
                    loop.call_soon_threadsafe(self._deliver, frames)
            loop.call_soon_threadsafe(self._on_end)
        except RuntimeError:
            # The loop has been closed: nobody is left to read for.
            return

    def _read_chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK)
        except OSError:
            return b""

    def _deliver(self, frames: list[Frame]) -> None:
        self._slots.release()
        for frame in frames:
            self._on_frame(frame)
