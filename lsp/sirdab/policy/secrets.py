r"""Finds secrets in source code and takes them out, leaving the code around them whole.

There are three kinds of signs, each precise by itself:

- Tokens whose issuer gave them a recognisable form (the source of each form is its issuer's
  documentation; the list follows the common ground of gitleaks' and detect-secrets' rules).
- Private keys between PEM markers (RFC 7468), also where only one marker is in sight.
- Literals given to something whose name says that it is secret. Here the literal has to look
  like a secret too; its entropy is only ever a second sign, because hashes and identifiers
  of other kinds have as much of it.

Give whole files or windows made of whole lines: half a token cannot be recognised.

A search costs looking for some dozens of short strings in the lines not seen before; only
lines in which one occurs are matched against patterns.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sirdab.policy import private_keys
from sirdab.policy.private_keys import key_spans
from sirdab.policy.secret_forms import BY_FORM, BY_NEEDLE, DETECTORS, KEY_OF, NAMED

PLACEHOLDER = "REDACTED"
"""What stands in a secret's place: a word, so that it is at home inside quotes, in a URL and
as a bare value in every language."""

_CACHED_LINES = 16_384
_CACHED_LINE_LENGTH = 1_000


class SecretSpan(NamedTuple):
    """A secret's place in a text.

    Attributes:
        start: Index of its first character.
        stop: Index behind its last character.
        kind: What it is, for example "github-token".
    """

    start: int
    stop: int
    kind: str


def find_secrets(text: str) -> list[SecretSpan]:
    """Return the secrets in a text, in order, none overlapping another."""
    lines = text.split("\n")
    known = {line: _known_lines.get(line) for line in lines}
    fresh = _search([line for line, found in known.items() if found is None])
    spans = [SecretSpan(*span, "private-key") for span in key_spans(text)]
    at = 0
    for line in lines:
        found = known[line] or fresh.get(line, ())
        spans.extend(SecretSpan(at + low, at + high, kind) for low, high, kind in found)
        at += len(line) + 1
    _remember(fresh)
    return _without_overlaps(spans)


def redact(text: str) -> str:
    """Return the text with each secret replaced by `PLACEHOLDER`.

    Quotes, markers and line ends stay, so lines keep their numbers.
    """
    return _replace(text, find_secrets(text))


def _replace(text: str, spans: list[SecretSpan]) -> str:
    if not spans:
        return text
    pieces: list[str] = []
    at = 0
    for start, stop, _ in spans:
        pieces += (text[at:start], PLACEHOLDER)
        at = stop
    return "".join((*pieces, text[at:]))


def redact_around(before: str, after: str) -> tuple[str, str]:
    """Return both sides of a cursor with their secrets replaced by `PLACEHOLDER`.

    A side alone may hide what a secret is: the marker at the top of a private key stands before a
    cursor in its midst, and the rest of it after.

    Args:
        before: Whole lines, and the line of the cursor up to it.
        after: The rest of that line, and whole lines.
    """
    cut = len(before)
    spans = find_secrets(before + after)
    spans += find_secrets(before)
    spans += [SecretSpan(low + cut, high + cut, kind) for low, high, kind in find_secrets(after)]
    sides: tuple[list[SecretSpan], list[SecretSpan]] = ([], [])
    for start, stop, kind in _without_overlaps(spans):
        if start < cut:
            sides[0].append(SecretSpan(start, min(stop, cut), kind))
        if stop > cut:
            sides[1].append(SecretSpan(max(start, cut) - cut, stop - cut, kind))
    return _replace(before, sides[0]), _replace(after, sides[1])


def line_has_secret(line: str) -> bool:
    """Return whether a line, taken by itself, holds a secret."""
    return bool(find_secrets(line))


def is_inside_secret(body_of: Callable[[int], str], count: int, number: int) -> bool:
    """Return whether a line of a document holds a secret, or lies within one of many lines.

    Args:
        body_of: Returns a line without its line end.
        count: How many lines there are.
        number: Which line is asked about.
    """
    line = body_of(number)
    if line_has_secret(line):
        return True
    first, last = max(number - private_keys.LINES, 0), min(number + private_keys.LINES, count - 1)
    near = range(max(number - 2, first), min(number + 1, last) + 1)
    if not any(private_keys.may_be_part(body_of(one)) for one in near):
        return False
    lines = [body_of(one) for one in range(first, last + 1)]
    hidden = private_keys.lines_with_keys(lines)
    if number - first in hidden:
        return True
    # A line on which nothing stands yet belongs to what it continues.
    above = next((one for one in range(number - first - 1, -1, -1) if lines[one].strip()), -1)
    return not line.strip() and above in hidden and "-----END" not in lines[above]


# What was found in a line, by line. A keystroke changes one line of a window.
_known_lines: dict[str, tuple[SecretSpan, ...]] = {}


def forget() -> None:
    """Drop what is remembered of lines; for measuring."""
    _known_lines.clear()


def _remember(fresh: dict[str, tuple[SecretSpan, ...]]) -> None:
    if len(_known_lines) + len(fresh) > _CACHED_LINES:
        _known_lines.clear()
    _known_lines.update(
        (line, spans) for line, spans in fresh.items() if len(line) <= _CACHED_LINE_LENGTH
    )


def _search(lines: list[str]) -> dict[str, tuple[SecretSpan, ...]]:
    """Return what each of some different lines holds.

    The short strings are looked for in all lines at once: that is one fast search for each
    instead of one for each and every line. Those of the forms of issuers are looked for only in
    lines that have something as long as a token.
    """
    found: dict[str, tuple[SecretSpan, ...]] = dict.fromkeys(lines, ())
    if not lines:
        return found
    text = "\n".join(lines)
    lower = _lower(text)
    done: set[tuple[int, int]] = set()
    _try(text, _occurrences(lower, BY_NEEDLE), done, found)
    _try(text, _key_names(lower), done, found)
    long = "\n".join(_long_lines(text))
    if long:
        _try(long, _occurrences(_lower(long), BY_FORM), set(), found)
    return found


def _try(
    text: str,
    signs: Iterator[tuple[int, tuple[int, ...]]],
    done: set[tuple[int, int]],
    found: dict[str, tuple[SecretSpan, ...]],
) -> None:
    """Match the lines in which a short string occurs against the patterns it stands for."""
    for at, numbers in signs:
        start = text.rfind("\n", 0, at) + 1
        stop = text.find("\n", at)
        line = text[start : len(text) if stop < 0 else stop]
        for number in numbers:
            if (number, start) not in done:
                done.add((number, start))
                found[line] += tuple(_matches(number, line))


def _occurrences(
    lower: str, by_needle: dict[str, tuple[int, ...]]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the first place in each line of each short string, with the detectors it is for."""
    for needle, numbers in by_needle.items():
        at = lower.find(needle)
        while at >= 0:
            yield at, numbers
            stop = lower.find("\n", at)
            at = lower.find(needle, stop) if stop >= 0 else -1


def _key_names(lower: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the first place in each line of names like `api_key`, too many to look for each."""
    at = lower.find("key")
    while at >= 0:
        after = at + 3
        if KEY_OF.search(lower, max(at - 12, 0), at):
            yield at, NAMED
            after = lower.find("\n", at)
        at = lower.find("key", after) if after >= 0 else -1


def _long_lines(text: str) -> Iterator[str]:
    """Yield the lines that hold a run of characters of a token as long as the shortest."""
    # Each character of a token becomes the same byte, so that a run of them is found as fast as any
    # other string.
    marked = text.encode("latin-1", "replace").translate(_MARKS)
    at = marked.find(_LONG_RUN)
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        stop = text.find("\n", at)
        yield text[start : len(text) if stop < 0 else stop]
        at = marked.find(_LONG_RUN, stop) if stop >= 0 else -1


_LONG_RUN = b"x" * 20
_MARKS = bytes(
    ord("x") if chr(code).isascii() and (chr(code).isalnum() or chr(code) in "_-+/") else 0
    for code in range(256)
)


def _lower(text: str) -> str:
    lower = text.lower()
    if len(lower) != len(text):
        # A few capitals have a longer small form, which would shift what follows.
        lower = "".join(small if len(small := char.lower()) == 1 else char for char in text)
    return lower


def _matches(number: int, line: str) -> Iterator[SecretSpan]:
    kind, _, pattern, accepts, _ = DETECTORS[number]
    group = "value" if "value" in pattern.groupindex else 0
    for match in pattern.finditer(line):
        if accepts(match):
            yield SecretSpan(*match.span(group), kind)


def _without_overlaps(spans: list[SecretSpan]) -> list[SecretSpan]:
    """Sort the spans and join those that overlap, so that no part of a secret stays."""
    result: list[SecretSpan] = []
    for span in sorted(spans):
        if result and span.start < result[-1].stop:
            last = result[-1]
            result[-1] = last._replace(stop=max(last.stop, span.stop))
        else:
            result.append(span)
    return result
