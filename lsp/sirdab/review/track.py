"""Moves findings along when the document changes, or withdraws them.

What stands above and below an edit is the same text as before, so a finding there keeps its
line or moves by the lines that came and went. A finding that the edit touched is kept only
where its code is still there, once, in what the edit left. A comment that was put behind the code,
or taken from there, changes nothing of it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sirdab.review.finding import Dropped, Finding, squeeze
from sirdab.text.store import Point, Text

_LINE_END = re.compile(r"\r\n|\r|\n")


class Difference(NamedTuple):
    """The one stretch of whole lines in which two texts differ.

    Attributes:
        head: Number of lines before it, the same in both.
        tail: Number of lines behind it, the same in both.
        shift: How many lines more the new text has.
    """

    head: int
    tail: int
    shift: int


def moved(
    findings: Iterable[Finding],
    old: Text,
    new: Text,
    signs: Sequence[str] = (),
    difference: Difference | None = None,
) -> list[Finding]:
    """Return the findings of one state of a document as they are in another.

    Args:
        findings: Findings whose places are those of `old`.
        old: The state they were made for.
        new: The state that is asked about.
        signs: What begins a comment that goes to the end of its line.
        difference: What `compare` says of the two, where it is known already.
    """
    wanted = list(findings)
    if old is new or not wanted:
        return wanted
    head, tail, shift = difference or compare(old, new)
    signs = tuple(signs)
    kept: list[Finding] = []
    for finding in wanted:
        if finding.stop.line < head:
            kept.append(finding)
        elif finding.start.line >= old.line_count - tail:
            kept.append(_shifted(finding, shift))
        else:
            found = _search(finding, new, head, new.line_count - tail, signs)
            if found is not None:
                kept.append(found)
    return kept


def moved_dropped(
    dropped: Iterable[Dropped], old: Text, new: Text, difference: Difference | None = None
) -> list[Dropped]:
    """Return what was not shown of one state of a document as it is in another.

    What lies in lines that were edited is left out, because nothing of its code is kept.

    Args:
        dropped: Entries whose lines are those of `old`.
        old: The state they were made for.
        new: The state that is asked about.
        difference: What `compare` says of the two, where it is known already.
    """
    wanted = list(dropped)
    if old is new or not wanted:
        return wanted
    head, tail, shift = difference or compare(old, new)
    kept: list[Dropped] = []
    for entry in wanted:
        if entry.line < head:
            kept.append(entry)
        elif entry.line >= old.line_count - tail:
            kept.append(replace(entry, line=entry.line + shift))
    return kept


def moved_lines(first: int, last: int, old: Text, difference: Difference) -> tuple[int, int] | None:
    """Return where some lines of one state stand in another; None if they were edited.

    Args:
        first: The first of them.
        last: The last.
        old: The one state.
        difference: What `compare` says of it and the other.
    """
    head, tail, shift = difference
    if last < head:
        return first, last
    return (first + shift, last + shift) if first >= old.line_count - tail else None


def compare(old: Text, new: Text) -> Difference:
    """Find the lines in which two texts differ, in a time that goes with what was edited.

    States of one document share the chunks that no edit has touched.

    Args:
        old: One state.
        new: The other.
    """
    head = tail = 0
    for before, after in zip(old.chunks, new.chunks, strict=False):
        if before is not after:
            break
        head += len(before)
    least = min(old.line_count, new.line_count)
    head += _common(old.lines(head), new.lines(head))
    for before, after in zip(reversed(old.chunks), reversed(new.chunks), strict=False):
        if before is not after or tail + len(before) > least - head:
            break
        tail += len(before)
    rest_old = list(old.lines(head, old.line_count - tail))
    rest_new = list(new.lines(head, new.line_count - tail))
    tail += _common(reversed(rest_old), reversed(rest_new))
    return Difference(head, tail, new.line_count - old.line_count)


def _common(old: Iterable[str], new: Iterable[str]) -> int:
    """Count the lines that two texts share at their beginning, but for their line ends."""
    count = 0
    for before, after in zip(old, new, strict=False):
        if before != after and before.rstrip("\r\n") != after.rstrip("\r\n"):
            break
        count += 1
    return count


def _shifted(finding: Finding, lines: int) -> Finding:
    start, stop = finding.start, finding.stop
    return replace(
        finding,
        start=Point(start.line + lines, start.column),
        stop=Point(stop.line + lines, stop.column),
    )


def _search(
    finding: Finding, text: Text, first: int, stop: int, signs: tuple[str, ...]
) -> Finding | None:
    """Find a finding's lines among the lines `first` to before `stop`; None unless just once."""
    sought = [squeeze(line) for line in _LINE_END.split(finding.code)]
    bodies = [text.line_body(number) for number in range(first, stop)]
    plain = [squeeze(body) for body in bodies]
    places = [
        row
        for row in range(len(plain) - len(sought) + 1)
        if all(_is_same(wanted, plain[row + at], signs) for at, wanted in enumerate(sought))
    ]
    if len(places) != 1:
        return None
    row = places[0]
    last = row + len(sought) - 1
    return replace(
        finding,
        start=Point(first + row, len(bodies[row]) - len(bodies[row].lstrip())),
        stop=Point(first + last, len(bodies[last].rstrip())),
        code="\n".join(bodies[row : last + 1]).strip(),
    )


def _is_same(one: str, other: str, signs: tuple[str, ...]) -> bool:
    """Whether two lines without their blanks are the same but for a comment at the end."""
    if one == other:
        return True
    short, long = (one, other) if len(one) < len(other) else (other, one)
    return bool(short and signs) and long.startswith(short) and long.startswith(signs, len(short))
