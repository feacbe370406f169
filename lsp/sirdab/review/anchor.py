"""Lets a finding pass only when it is about code that is there.

A small model invents: a line it has not seen, a rule that has nothing to do with the code. So
the quoted code must occur in the unit (blanks aside, nearest to the line that was named), and
the quoted lines must show the signs of the rule. Whatever falls is kept with the reason.
"""

from collections.abc import Iterable

from sirdab.policy.sentences import neutral_line
from sirdab.review.finding import (
    SEVERITIES,
    Dropped,
    Finding,
    Severity,
    fingerprint,
    squeeze,
)
from sirdab.review.inert import has_control, seen
from sirdab.review.question import LEAST_QUOTED, RawFinding
from sirdab.review.restate import repeats_code, says_nothing
from sirdab.review.rules import Rule, Said
from sirdab.review.units import Unit
from sirdab.text.store import Point, Text

MAX_MESSAGE_CHARACTERS = 240
"""Longest message of a finding: two lines of an editor's list of problems."""

# Rules that may all be named for one mistake. Which one the model names first is chance.
_SAME = (
    frozenset({"swallowed-error", "broad-except"}),
    frozenset({"none-dereference", "inverted-condition", "wrong-operator"}),
    frozenset({"missing-await", "async-foreach", "ignored-result"}),
    frozenset({"missing-return", "ignored-result", "unused-value"}),
    frozenset({"quadratic-loop", "loop-invariant", "needless-work"}),
    frozenset({"query-in-loop", "sequential-await"}),
    frozenset({"integer-division", "wrong-operator"}),
    frozenset({"off-by-one", "wrong-operator"}),
    frozenset({"falsy-default", "inverted-condition"}),
    frozenset({"self-comparison", "wrong-operator"}),
    frozenset({"command-injection", "code-injection"}),
    frozenset({"regex-injection", "slow-regex"}),
    frozenset({"path-traversal", "insecure-temp-file"}),
)

_NAMED: dict[str, Severity] = {severity: severity for severity in SEVERITIES}


def anchor(
    unit: Unit,
    raw: Iterable[RawFinding],
    rules: dict[Rule, tuple[int, ...]],
    text: Text,
    *,
    minimum: Severity,
    said: Iterable[Said] = (),
) -> tuple[list[Finding], list[Dropped]]:
    """Check what the model found in a unit.

    Args:
        unit: The unit as it was shown.
        raw: What the model wrote.
        rules: The rules it was asked about, with the lines that show their signs.
        text: The document that the unit is of.
        minimum: Findings of less severity are dropped.
        said: What a linter said of the document; it corroborates what means the same.

    Returns:
        The findings that hold, in order of their lines, and what fell.
    """
    witnesses = tuple(said)
    held: dict[tuple[int, str], Finding] = {}
    dropped: list[Dropped] = []
    offered = {rule.id: rule for rule in rules}
    for entry in raw:
        rule = offered.get(entry.rule)
        if rule is None:
            dropped.append(Dropped("", -1, "unknown-rule"))
            continue
        found = _check(unit, entry, rule, rules[rule], text, witnesses)
        if isinstance(found, Dropped):
            dropped.append(found)
        elif any(line == found.start.line and same(name, rule.id) for line, name in held):
            dropped.append(Dropped(found.rule, found.start.line, "duplicate"))
        elif SEVERITIES.index(found.severity) < SEVERITIES.index(minimum):
            dropped.append(Dropped(found.rule, found.start.line, "below-minimum-severity"))
        else:
            held[found.start.line, found.rule] = found
    return sorted(held.values(), key=lambda finding: finding.start), dropped


def same(one: str, other: str) -> bool:
    """Whether two rules mean the same defect where they are broken in the same place."""
    return one == other or any(one in group and other in group for group in _SAME)


def _check(
    unit: Unit,
    entry: RawFinding,
    rule: Rule,
    signs: tuple[int, ...],
    text: Text,
    said: tuple[Said, ...],
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
    if message and rule.grade != "proof":
        words = f"{rule.title} {rule.ask} {rule.why}"
        if says_nothing(message, _comments(unit, text, first, last), words):
            return Dropped(rule.id, unit.first + first, "says-nothing", message)
    if repeats_code(message, "\n".join(unit.lines[first : last + 1])):
        message = ""
    # Where the model's own words may not be shown, the finding stands with those of its rule: else
    # an order in the code ("name an address") would be a way to make findings disappear.
    message = message or clean_message(rule.ask)
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
        replacement=_visible(entry.replacement),
        fingerprint=fingerprint(rule.id, unit.name, code),
        unit=unit.name,
        why=rule.why,
        confidence=rule.confidence,
        evidence=tuple(
            sorted({one.code for one in said if start.line <= one.line <= stop.line} & rule.linter)
        ),
    )


def _comments(unit: Unit, text: Text, first: int, last: int) -> list[str]:
    """Return what is blanked out in some lines of a unit, and in the line before them."""
    found: list[str] = []
    for row in range(unit.first + max(first - 1, 0), unit.first + last + 1):
        shown, body = unit.lines[row - unit.first], text.line_body(row)
        hidden = "".join(
            char for at, char in enumerate(body) if at >= len(shown) or shown[at] != char
        )
        if hidden.strip():
            found.append(hidden)
    return found


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
    """Return a model's words as one plain sentence, "" where they may not be shown."""
    if has_control(message):
        # Who writes the signs of a conversation has been led to, and says nothing of the code.
        return ""
    line = neutral_line(message, MAX_MESSAGE_CHARACTERS // 2 + 40)
    line = line[:1].upper() + line[1:]
    return line if not line or line.endswith((".", "!", "?", "…")) else f"{line}."


def _visible(replacement: str | None) -> str | None:
    """Return a replacement of which a person sees everything, else None."""
    return replacement if replacement is not None and seen(replacement) == replacement else None


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
