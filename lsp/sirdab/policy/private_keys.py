"""Finds private keys between PEM markers (RFC 7468), also where only one marker is in sight."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

LINES = 400
"""Most lines that a key may have beyond one of its markers."""

Span = tuple[int, int]
"""Where something begins, and where it ends."""

_KEY_MARKER = re.compile(
    r"-----(?P<side>BEGIN|END) (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
)
# "\n" written out, as in a key inside a string literal, or a run of base64.
_KEY_RUN = re.compile(
    r"(?:\\[nr])+|(?P<run>[A-Za-z0-9+/]{2,}={0,2}(?:(?:\\[nr])+[A-Za-z0-9+/]{2,}={0,2})*)"
)
_DECORATION = re.compile(r"[\s\"'`#*>|+.,;:()\\/-]*")
# What is taken at first is never given back ("*+"): a line of blanks would otherwise be cut in two
# at every place.
_KEY_HEADER = re.compile(r"[\s\"'`#*]*+(?:[A-Z][A-Za-z-]{2,20}: .*)?(?:\\n)?[\s\"'`,+\\]*+$")


# RFC 7468 has lines of 64; only the last one of a key is shorter.
_PART = re.compile(r"[A-Za-z0-9+/]{40}|PRIVATE KEY")


def may_be_part(line: str) -> bool:
    """Return whether a line could belong to a key at all; mostly the answer is no."""
    return _PART.search(line) is not None


def lines_with_keys(lines: Sequence[str]) -> set[int]:
    """Return the numbers of the lines that hold a part of a private key."""
    text = "\n".join(lines)
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    return {bisect_right(starts, low) - 1 for low, _ in key_spans(text)}


def key_spans(text: str) -> Iterator[Span]:
    """Yield the base64 of private keys, line by line, on the inner side of each marker."""
    if "PRIVATE KEY" not in text:
        return
    for marker in _KEY_MARKER.finditer(text):
        if marker["side"] == "BEGIN":
            yield from _forwards(text, marker.end())
        else:
            yield from _backwards(text, marker.start())


def _forwards(text: str, at: int) -> Iterator[Span]:
    in_key = False
    for _ in range(LINES):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        marker = text.find("-----", at, stop)
        spans = _runs(text, at, stop if marker < 0 else marker)
        in_key = in_key or _is_key_line(text, spans)
        if spans and not in_key:
            return  # A word of code below a marker that only names the format.
        yield from spans
        if not spans and not _KEY_HEADER.match(text[at:stop]):
            return
        if marker >= 0 or stop == len(text):
            return
        at = stop + 1


def _backwards(text: str, at: int) -> Iterator[Span]:
    tail: list[Span] = []
    in_key = False
    for _ in range(LINES):
        start = text.rfind("\n", 0, at) + 1
        marker = text.rfind("-----", start, at)
        spans = _runs(text, start if marker < 0 else marker + 5, at)
        if _is_key_line(text, spans):
            in_key = True
        elif tail or in_key:
            return  # Only the last line of a key is short.
        tail += spans
        if in_key:
            yield from tail
            tail = []
        if not spans and not _KEY_HEADER.match(text[start:at]):
            return
        if marker >= 0 or start == 0:
            return
        at = start - 1


def _is_key_line(text: str, spans: list[Span]) -> bool:
    """Whether base64 is that of a key and not a word that happens to have its letters."""
    longest = max((text[start:stop] for start, stop in spans), key=len, default="")
    return len(longest) >= 20 and (len(longest) >= 60 or any(map(str.isdigit, longest)))


def _runs(text: str, start: int, stop: int) -> list[Span]:
    """Return the base64 in a part of a line; nothing when there is anything else in it."""
    found: list[Span] = []
    at = start
    for match in _KEY_RUN.finditer(text, start, stop):
        if _DECORATION.fullmatch(text, at, match.start()) is None:
            return []
        at = match.end()
        if match["run"]:
            found.append(match.span("run"))
    return found if _DECORATION.fullmatch(text, at, stop) else []
