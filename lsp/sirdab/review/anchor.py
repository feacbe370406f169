"""Lets a finding pass only when it is about code that is there.

A small model invents: a line it has not seen, a rule that has nothing to do with the code. So
the quoted code must occur in the unit (blanks aside, nearest to the line that was named), and
the quoted lines must show the signs of the rule. Whatever falls is kept with the reason.
"""

import re
from collections.abc import Iterable

from sirdab.policy.sanitize import clean_output
from sirdab.review.finding import (
    SEVERITIES,
    Dropped,
    Finding,
    Severity,
    fingerprint,
    squeeze,
)
from sirdab.review.question import LEAST_QUOTED, RawFinding
from sirdab.review.rules import Rule
from sirdab.review.units import Unit
from sirdab.text.store import Point, Text

MAX_MESSAGE_CHARACTERS = 240
"""Longest message of a finding: two lines of an editor's list of problems."""

_NAMED: dict[str, Severity] = {severity: severity for severity in SEVERITIES}
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S*|\bwww\.\S+|\bmailto:\S+", re.IGNORECASE)
# What makes a link or a command of text in editors that render Markdown.
_MARKUP = re.compile(r"[<>\[\]`]|\]\(")


def anchor(
    unit: Unit,
    raw: Iterable[RawFinding],
    rules: dict[Rule, tuple[int, ...]],
    text: Text,
    *,
    minimum: Severity,
) -> tuple[list[Finding], list[Dropped]]:
    """Check what the model found in a unit.

    Args:
        unit: The unit as it was shown.
        raw: What the model wrote.
        rules: The rules it was asked about, with the lines that show their signs.
        text: The document that the unit is of.
        minimum: Findings of less severity are dropped.

    Returns:
        The findings that hold, in order of their lines, and what fell.
    """
    held: dict[tuple[int, str], Finding] = {}
    dropped: list[Dropped] = []
    offered = {rule.id: rule for rule in rules}
    for entry in raw:
        rule = offered.get(entry.rule)
        if rule is None:
            dropped.append(Dropped("", -1, "unknown-rule"))
            continue
        found = _check(unit, entry, rule, rules[rule], text)
        if isinstance(found, Dropped):
            dropped.append(found)
        elif (found.start.line, found.rule) in held:
            dropped.append(Dropped(found.rule, found.start.line, "duplicate"))
        elif SEVERITIES.index(found.severity) < SEVERITIES.index(minimum):
            dropped.append(Dropped(found.rule, found.start.line, "below-minimum-severity"))
        else:
            held[found.start.line, found.rule] = found
    return sorted(held.values(), key=lambda finding: finding.start), dropped


def _check(
    unit: Unit, entry: RawFinding, rule: Rule, signs: tuple[int, ...], text: Text
) -> Finding | Dropped:
    named = unit.first + entry.line - 1
    if len(squeeze(entry.code)) < LEAST_QUOTED:
        return Dropped(rule.id, named, "quotes-too-little")
    place = locate(unit.lines, entry.code, entry.line - 1)
    if place is None:
        return Dropped(rule.id, named, "code-is-not-there")
    first, last = place[0].line, place[1].line
    if not any(first <= number <= last for number in signs):
        return Dropped(rule.id, unit.first + first, "no-sign-of-the-rule")
    message = clean_message(entry.message)
    if not message:
        return Dropped(rule.id, unit.first + first, "no-message")
    start, stop = _whole_lines(text, unit.first + first, unit.first + last)
    code = text.slice(start, stop)
    return Finding(
        start=start,
        stop=stop,
        code=code,
        category=rule.category,
        rule=rule.id,
        severity=_severity(rule, entry.severity),
        message=f"{rule.title}: {message}"[:MAX_MESSAGE_CHARACTERS],
        replacement=entry.replacement,
        fingerprint=fingerprint(rule.id, unit.name, code),
    )


def locate(lines: tuple[str, ...], code: str, near: int) -> tuple[Point, Point] | None:
    """Find quoted code, blanks aside, at the place nearest to a line.

    Args:
        lines: Where to look.
        code: The quoted code; it may go over several lines.
        near: Number of the line, counted from 0, that it is said to be on.

    Returns:
        Its first point and the point behind its last character, or None.
    """
    sought = squeeze(code)
    if not sought:
        return None
    places = [
        Point(row, column)
        for row, line in enumerate(lines)
        for column, char in enumerate(line)
        if not char.isspace()
    ]
    body = "".join(lines[row][column] for row, column in places)
    best: tuple[Point, Point] | None = None
    at = body.find(sought)
    while at >= 0:
        start, end = places[at], places[at + len(sought) - 1]
        if best is None or abs(start.line - near) < abs(best[0].line - near):
            best = start, Point(end.line, end.column + 1)
        at = body.find(sought, at + 1)
    return best


def clean_message(message: str) -> str:
    """Return a model's sentence as one line of plain text, without addresses and markup."""
    line = " ".join(clean_output(message.replace("\r", "\n")).split())
    line = " ".join(_MARKUP.sub("", _ADDRESS.sub("", line)).split())
    if not any(char.isalpha() for char in line):
        return ""
    if len(line) > MAX_MESSAGE_CHARACTERS // 2 + 40:
        line = line[: MAX_MESSAGE_CHARACTERS // 2 + 39].rstrip() + "…"
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def _whole_lines(text: Text, first: int, last: int) -> tuple[Point, Point]:
    """Return the lines `first`..`last` without the blanks before and behind them.

    Comments and secrets are not shown to the model, so columns it speaks of mean little; and a
    line is what a person looks at.
    """
    head, tail = text.line_body(first), text.line_body(last)
    return Point(first, len(head) - len(head.lstrip())), Point(last, len(tail.rstrip()))


def _severity(rule: Rule, said: str) -> Severity:
    """Return the rule's severity, or the model's where that is less."""
    named = _NAMED.get(said)
    if named is None or SEVERITIES.index(named) > SEVERITIES.index(rule.severity):
        return rule.severity
    return named
