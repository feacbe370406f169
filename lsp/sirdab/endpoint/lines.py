"""Cuts a stream of bytes into lines, within bounds of bytes.

Lines are cut in bytes, and only at line feeds. Cutting decoded text with `str.splitlines`, as
common HTTP libraries do, would also cut at U+2028 and friends inside a suggestion.
"""

from collections.abc import Callable
from typing import NoReturn

LARGEST_LINE = 4 * 1024 * 1024
"""Most bytes of one line. The last event of llama.cpp may repeat the whole prompt."""

LARGEST_STREAM = 32 * 1024 * 1024
"""Most bytes of one answer."""


class BoundedLines:
    """Holds what has come of a line until its end comes.

    Args:
        largest_line: Most bytes of one line.
        largest_stream: Most bytes altogether.
        refuse: Raises the error of the protocol; called with what is wrong, as the end of a
            sentence that begins with the answer.
    """

    def __init__(
        self, largest_line: int, largest_stream: int, refuse: Callable[[str], NoReturn]
    ) -> None:
        self._largest_line = largest_line
        self._largest_stream = largest_stream
        self._refuse = refuse
        self._total = 0
        self._partial: list[bytes] = []
        self._partial_size = 0

    def count(self, size: int) -> None:
        """Take it that so many bytes have come; raises when they are too many altogether."""
        self._total += size
        if self._total > self._largest_stream:
            self._refuse(f"is longer than {self._largest_stream} bytes")

    def cut(self, piece: bytes) -> list[bytes]:
        """Return the lines that a piece completes, without their line feeds.

        Raises what `refuse` raises when the line that goes on is too long already.
        """
        first, *lines = piece.split(b"\n")
        self._keep(first)
        if not lines:
            return []
        lines.insert(0, b"".join(self._partial))
        self._partial.clear()
        self._partial_size = 0
        self._keep(lines.pop())
        return lines

    def check(self, line: bytes) -> None:
        """Raise what `refuse` raises when a line is too long."""
        self._bound(len(line))

    def _keep(self, piece: bytes) -> None:
        self._partial_size += len(piece)
        self._bound(self._partial_size)
        if piece:
            self._partial.append(piece)

    def _bound(self, size: int) -> None:
        if size > self._largest_line:
            self._refuse(f"holds a line longer than {self._largest_line} bytes")
