"""Moves findings along when the document changes, or withdraws them.

What stands above and below an edit is the same text as before, so a finding there keeps its
line or moves by the lines that came and went. A finding that the edit touched is kept only
where its code is still there, once, in what the edit left.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from sirdab.review.finding import Finding, squeeze
from sirdab.text.store import Point, Text

_LINE_END = re.compile(r"\r\n|\r|\n")


def moved(findings: Iterable[Finding], old: Text, new: Text) -> list[Finding]:
    """Return the findings of one state of a document as they are in another.

    Args:
        findings: Findings whose places are those of `old`.
        old: The state they were made for.
        new: The state that is asked about.
    """
    wanted = list(findings)
    if old is new or not wanted:
        return wanted
    before, after = list(old.lines()), list(new.lines())
    head = _common(before, after)
    tail = _common(reversed(before), reversed(after))
    tail = min(tail, min(len(before), len(after)) - head)
    shift = new.line_count - old.line_count
    kept: list[Finding] = []
    for finding in wanted:
        if finding.stop.line < head:
            kept.append(finding)
        elif finding.start.line >= old.line_count - tail:
            kept.append(_shifted(finding, shift))
        else:
            found = _search(finding, new, head, new.line_count - tail)
            if found is not None:
                kept.append(found)
    return kept


def _common(old: Iterable[str], new: Iterable[str]) -> int:
    """Count the lines that two texts share at their beginning."""
    count = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
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


def _search(finding: Finding, text: Text, first: int, stop: int) -> Finding | None:
    """Find a finding's lines among the lines `first` to before `stop`; None unless just once."""
    sought = [squeeze(line) for line in _LINE_END.split(finding.code)]
    bodies = [text.line_body(number) for number in range(first, stop)]
    plain = [squeeze(body) for body in bodies]
    places = [
        row
        for row in range(len(plain) - len(sought) + 1)
        if plain[row : row + len(sought)] == sought
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
