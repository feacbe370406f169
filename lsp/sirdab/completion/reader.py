"""Reads an answer as it streams in, up to where it is complete."""

from collections.abc import Callable

from sirdab.completion.stop import StreamStop


class Reader:
    """Takes off what was backed up over, then hands the rest to the early stop."""

    def __init__(
        self, backed_up: str, stop: StreamStop, on_text: Callable[[str], None] | None
    ) -> None:
        self._expected = backed_up
        self._stop = stop
        self._on_text = on_text
        self._head = ""
        self._open = bool(backed_up)
        self.answer: str | None = None

    def feed(self, piece: str) -> bool:
        """Add a piece; return True when the stream is no longer needed."""
        if self._open:
            self._head += piece
            size = min(len(self._head), len(self._expected))
            if self._head[:size] != self._expected[:size]:
                return True
            if len(self._head) < len(self._expected):
                return False
            piece = self._head[len(self._expected) :]
            self._open = False
        self.answer = self._stop.feed(piece)
        if self._on_text is not None:
            self._on_text(self._stop.text if self.answer is None else self.answer)
        return self.answer is not None

    def whole_lines(self) -> str:
        """What stands on its own so far."""
        return "" if self._open else self._stop.complete_lines().strip()

    def settle(self) -> None:
        """Be content with the whole lines."""
        self.answer = self._stop.complete_lines()

    def finish(self, *, truncated: bool = False) -> None:
        """Take what there is when the answer is at its end.

        Args:
            truncated: The token limit ended it, so that its last line is half a line: of several
                lines only the whole ones are taken.
        """
        if self.answer is None and not self._open:
            if truncated and self.whole_lines():
                self.settle()
            else:
                self.answer = self._stop.finish()
