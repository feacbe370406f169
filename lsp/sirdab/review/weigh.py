"""Makes findings of what the model has said of a unit, and says which votes are still open.

Where findings come from: the signs of the rules, which are as good as a proof or only a hint
(`Rule.grade`). What decides is in this order:

- A proof stands, whatever the model says; where one names it that speaks well, in its words.
- What is put to the vote stands or falls by it (`sirdab.review.refute`), whether or not the
  model named it: a small model finds little by reading, and much by writing.
- Else it counts how often signs of this grade are right, and whether the model named it when it
  was asked about the unit. What is less sure than `LEAST_CONFIDENCE` is not shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from sirdab.review import anchor, refute, rewriting, rules
from sirdab.review.finding import Dropped, Finding, Severity
from sirdab.review.incremental import RawFinding
from sirdab.review.refute import Plan, Voter
from sirdab.review.rewriting import Hole
from sirdab.review.rules import Rule
from sirdab.review.settled import Hint, Place, Settled
from sirdab.review.units import Unit
from sirdab.text.store import Text

MAX_NOMINATED = 6
"""Most findings of a unit that its signs alone name: voting on them takes a small model seconds."""

LEAST_CONFIDENCE = 0.5
"""What is less sure is not shown: what is rather wrong than right is better not said. With 0.3,
Qwen2.5-Coder 1.5B found 52 of 100 defects in packages instead of 51 (81 instead of 79 in our own
code), with 1.66 false findings in 1,000 lines instead of 1.17."""

NAMED = 2.2
NOT_NAMED = 0.4
"""How much the model's word changes the odds of a finding. Measured on Qwen2.5-Coder 1.5B, with 19
defects and 18 places that look alike: it named 14 of the former and 6 of the latter."""

Offered = dict[Rule, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """A unit that is reviewed, and all that does not depend on the model.

    Attributes:
        unit: The unit.
        language_id: Its language.
        offered: The rules it shows signs of, with the lines that show them, counted from 0.
        hints: What a linter says of it.
        key: Names what the model is asked about it.
        text: The document.
        minimum: Findings of less severity are dropped.
        votes: The setting `review.votes`.
    """

    unit: Unit
    language_id: str
    offered: Offered
    hints: tuple[Hint, ...]
    key: str
    text: Text
    minimum: Severity
    votes: int | str


class Open(NamedTuple):
    """A finding whose votes are not all in.

    Attributes:
        place: What is voted on.
        plan: How.
        rule: Its rule.
        hole: What a rewrite takes out; None for a verdict.
    """

    place: Place
    plan: Plan
    rule: Rule
    hole: Hole | None


class Weighed(NamedTuple):
    """What is made of all that is known.

    Attributes:
        findings: What is shown, in the order of the lines.
        dropped: What fell, and why.
        open: What is still to be voted on; not shown before that.
    """

    findings: tuple[Finding, ...]
    dropped: tuple[Dropped, ...]
    open: tuple[Open, ...]


def weigh(case: Case, known: Settled, voter: Voter | None) -> Weighed:
    """Make findings of what is known of a unit.

    Args:
        case: The unit.
        known: What the model has said of it.
        voter: How the model votes; None where nobody can be asked, and the votes that there are
            decide.
    """
    held, dropped = _anchored(case, known.findings)
    has_not_said = known.state in ("unasked", "too-long", "broken")
    nominated, _ = _anchored(case, _by_signs(case, held))
    entries = [*((finding, True) for finding in held), *((one, False) for one in nominated)]
    shown: list[Finding] = []
    still: list[Open] = []
    for finding, is_named in sorted(entries, key=lambda entry: entry[0].start):
        rule = rules.rule_named(finding.rule)
        if rule is None:
            continue
        by_reading = _by_reading(rule, is_named=is_named or (None if has_not_said else False))
        entry = _open(case, finding, rule, voter, known)
        if entry is None:
            # What only the sign names waits for the answer, which may have better words for it.
            is_answered = known.state != "open" if voter is not None else known.is_voted
            if is_answered or (is_named and voter is not None):
                told = replace(finding, confidence=by_reading)
                _show(told, "not-named", shown, dropped, is_shown=by_reading >= LEAST_CONFIDENCE)
            continue
        votes = known.votes_on(entry.place)[: entry.plan.most]
        most = entry.plan.most if voter is not None else len(votes)
        if not refute.is_certain(entry.place, votes, most):
            still.append(entry)
            continue
        written = known.rewriting_of(entry.place)
        better = finding.replacement if written is None else _line(case, entry.place, written)
        is_silent = entry.place.kind == "rewrite" and set(votes) <= {"unreadable"}
        share = by_reading if is_silent else refute.confidence(votes)
        told = replace(finding, confidence=share, replacement=better)
        if is_silent:
            _show(told, "not-named", shown, dropped, is_shown=share >= LEAST_CONFIDENCE)
        else:
            is_shown = refute.stands(entry.place, votes)
            _show(told, "refuted", shown, dropped, is_shown=is_shown)
    return Weighed(tuple(shown), tuple(dropped), tuple(still))


def _show(
    finding: Finding, reason: str, shown: list[Finding], dropped: list[Dropped], *, is_shown: bool
) -> None:
    if is_shown:
        shown.append(finding)
    else:
        dropped.append(Dropped(finding.rule, finding.start.line, reason, finding.message))


def _by_reading(rule: Rule, *, is_named: bool | None) -> float:
    """Return how sure a finding is that nobody has voted on.

    Args:
        rule: Its rule.
        is_named: Whether the model named it; None where it has not said, or was not asked.
    """
    if is_named is None or rule.grade == "proof":
        return rule.confidence
    odds = rule.confidence / (1 - rule.confidence) * (NAMED if is_named else NOT_NAMED)
    return odds / (1 + odds)


def _anchored(case: Case, raws: Iterable[RawFinding]) -> tuple[list[Finding], list[Dropped]]:
    said = [one._replace(line=one.line + case.unit.first) for one in case.hints]
    return anchor.anchor(case.unit, raws, case.offered, case.text, minimum=case.minimum, said=said)


def _by_signs(case: Case, held: list[Finding]) -> list[RawFinding]:
    """Return what the signs name and the model has not."""
    found: list[RawFinding] = []
    nominated = 0
    for rule, lines in case.offered.items():
        for line in lines:
            row = case.unit.first + line
            is_held = any(
                anchor.same(one.rule, rule.id) and one.start.line <= row <= one.stop.line
                for one in held
            )
            nominated += not is_held and rule.grade != "proof"
            if not is_held and (rule.grade == "proof" or nominated <= MAX_NOMINATED):
                found.append(RawFinding(line + 1, case.unit.lines[line], rule.id))
    return found


def _open(
    case: Case, finding: Finding, rule: Rule, voter: Voter | None, known: Settled
) -> Open | None:
    """Return how a finding is put to the vote; None when it is not."""
    if rule.grade == "proof" or case.votes == 0:
        return None
    line = _line_of(case, finding, rule)
    if voter is None:
        places = (place for place, _ in known.votes if place[:2] == (rule.id, line))
        place = next(places, None)
        return (
            None if place is None else Open(place, Plan(place.kind, refute.MOST_VOTES), rule, None)
        )
    hole = rewriting.hole_of(rule, case.unit, line, case.language_id)
    plan = refute.plan(rule, hole, case.votes, voter)
    if plan is None:
        return None
    return Open(Place(rule.id, line, plan.kind), plan, rule, hole)


def _line_of(case: Case, finding: Finding, rule: Rule) -> int:
    """Return the line of the unit, counted from 0, that shows the sign of a finding."""
    first, last = finding.start.line - case.unit.first, finding.stop.line - case.unit.first
    return next((one for one in case.offered.get(rule, ()) if first <= one <= last), first)


def _line(case: Case, place: Place, written: str) -> str | None:
    """Return a rewritten line as it would stand in the document; None where that shows more.

    Comments and secrets were taken out of what the model saw.
    """
    row = case.unit.first + place.line
    if case.text.line_body(row).rstrip() != case.unit.lines[place.line]:
        return None
    return written.strip()
