"""Makes text of what streams in, the same text however it was cut into pieces.

A piece ends anywhere: in the middle of a control token, of a line end, of a character that JSON
writes as two surrogates. What may be the beginning of something is held back until it is known.
"""

import re

from sirdab.completion.prompt import broken

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# What a decoder puts in the place of half a UTF-8 sequence.
_REPLACEMENT = "\ufffd"


class Incoming:
    """Joins pieces, ends the text at a control token and mends those of the user's own text."""

    def __init__(self, sentinels: tuple[str, ...] = (), mended: tuple[str, ...] = ()) -> None:
        """Prepare for one answer.

        Args:
            sentinels: Control tokens of the model's family: the text ends before the first one.
            mended: Those that stand in the user's own text and were broken in the prompt
                (`sirdab.completion.prompt.neutralise`); an answer that repeats one in its broken
                form means the real one.
        """
        self._ends = sentinels
        self._mends = {broken(token): token for token in mended}
        signs = sorted({*sentinels, *self._mends}, key=len, reverse=True)
        self._signs = re.compile("|".join(map(re.escape, signs))) if signs else None
        self._starts = frozenset(sign[:size] for sign in signs for size in range(1, len(sign)))
        self._longest = max(map(len, signs), default=1)
        self._held = ""
        self.ended = False
        """Whether a control token was met: nothing behind it belongs to the text."""

    def feed(self, piece: str) -> str:
        """Add a piece and return what is certain of the text now, and was not before."""
        if self.ended:
            return ""
        text = self._held + piece
        keep = self._uncertain(text)
        self._held = text[len(text) - keep :]
        return self._clear(text[: len(text) - keep])

    def finish(self) -> str:
        """Return what was held back, at the end of the stream."""
        text, self._held = self._held, ""
        return "" if self.ended else self._clear(text)

    def _uncertain(self, text: str) -> int:
        """Return how many characters at the end may mean something else with more behind them."""
        for size in range(min(self._longest - 1, len(text)), 0, -1):
            if text[-size:] in self._starts:
                return size
        return 1 if text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff") else 0

    def _clear(self, text: str) -> str:
        if self._signs is not None:
            parts: list[str] = []
            at = 0
            for match in self._signs.finditer(text):
                parts.append(text[at : match.start()])
                mended = self._mends.get(match[0])
                if mended is None:
                    self.ended = True
                    at = len(text)
                    break
                parts.append(mended)
                at = match.end()
            text = "".join((*parts, text[at:]))
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if _PAIR.search(text):
            text = _PAIR.sub(_join, text)
        if _REPLACEMENT in text:
            # Half a character: what is behind it was cut off with the other half.
            self.ended = True
            text = text[: text.index(_REPLACEMENT)]
        return text


def _join(match: re.Match[str]) -> str:
    return match[0].encode("utf-16", "surrogatepass").decode("utf-16")
