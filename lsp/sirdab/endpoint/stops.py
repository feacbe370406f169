"""Ends a streamed text at stop strings, wherever the pieces are cut.

A server may take fewer stop strings than a request has (`Profile.most_stops`), and some leave the
string they stopped at in the text (Text Generation Inference does), so they are applied here too.
"""

from collections.abc import Iterable


class StopCutter:
    """Passes on text up to the first stop string.

    Args:
        stops: The strings; empty ones do not count.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        # The end of the text so far that may be the beginning of a stop string.
        self._held = ""
        self.is_cut = False

    def feed(self, piece: str) -> str:
        """Return what is certainly not part of a stop string; `is_cut` says when one came."""
        if self.is_cut:
            return ""
        if not self._stops:
            return piece
        text = self._held + piece
        found = [place for place in (text.find(stop) for stop in self._stops) if place >= 0]
        if found:
            self.is_cut = True
            self._held = ""
            return text[: min(found)]
        length = max(self._overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - length :]
        return text[: len(text) - length]

    def finish(self) -> str:
        """Return what was held back, at the end of the answer."""
        held, self._held = self._held, ""
        return held

    @staticmethod
    def _overlap(text: str, stop: str) -> int:
        """Return how many characters at the end of a text begin the string without ending it."""
        for length in range(min(len(stop) - 1, len(text)), 0, -1):
            if text.endswith(stop[:length]):
                return length
        return 0
