"""Looks at changed code with the review's own eyes: is the defect gone, and none come in?"""

import re

from sirdab.review import units
from sirdab.review.finding import squeeze
from sirdab.review.refactor import trees
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.region import Part
from sirdab.review.refactor.shrink import LineEdit
from sirdab.review.rules import Rule, all_rules, rule_named
from sirdab.review.units import Unit

# Rules whose signs are almost proofs, so that new ones are a reason to refuse.
_GRAVE = ("swallowed-error", "mutable-default")
# Text that is still put together, in a way that the rule's own signs do not see.
_JOINED = {
    "sql-injection": re.compile(
        r"""["'`]\s*(?:\+|%|\.\.)\s*[\w(]|\w\s*\+\s*["'`]|\$\{|\.format\(|[Ss]printf\(|\bf["'][^"']*\{"""
    ),
    "command-injection": re.compile(
        r"""["'`][^"'`]*\s[^"'`]*["'`]\s*(?:\+|%)|["'`][^"'`]*\s[^"'`]*\$\{|\bf["'][^"']*\s[^"']*\{"""
    ),
}
_LONGEST_LINE = 2_000
# Of the lines that are extracted, those that must stand in the new code.
_KEPT_BY_EXTRACTING = 0.6


def defect_gone(old: Part, new: Part, language_id: str, rule_id: str) -> None:
    """Hold that a rule's signs are fewer in the changed code than they were.

    Args:
        old: What was fixed.
        new: What it has become.
        language_id: Its language.
        rule_id: The rule.

    Raises:
        RefusalError: The defect seems to be there still.
    """
    rule = rule_named(rule_id)
    if rule is None:
        return
    before = _signs(_units(old, language_id), language_id, rule)
    after = _signs(_units(new, language_id), language_id, rule)
    joined = rule.id in _JOINED and any(
        _JOINED[rule.id].search(line[:_LONGEST_LINE]) for line in _fresh(old, new)
    )
    if joined or (before and after >= before):
        raise RefusalError(
            "The change would not remove the problem, so nothing is done.",
            hint=f"The problem is still there. {rule.cure}",
        )


def nothing_worse(old: Part, new: Part, language_id: str) -> None:
    """Hold that no grave defect has come in with a change.

    Raises:
        RefusalError: A rule for security, or one like it, sees new signs.
    """
    before, after = _units(old, language_id), _units(new, language_id)
    for rule in all_rules():
        grave = rule.category == "security" or rule.id in _GRAVE
        if grave and _signs(after, language_id, rule) > _signs(before, language_id, rule):
            raise RefusalError(
                f"The change would bring in a problem ({rule.title}), so nothing is done.",
                hint=f"It has a new problem: {rule.title}. {rule.cure}",
            )


def extracted(
    old: Part, new: Part, language_id: str, part: tuple[int, int], edits: list[LineEdit]
) -> None:
    """Hold that some lines have moved into a function that is new and called in their place.

    Args:
        old: What could be changed.
        new: What it has become.
        language_id: Its language.
        part: First and last of the lines, 0-based.
        edits: The edits.

    Raises:
        RefusalError: They have not, or more has happened.
    """
    known = {one.name for one in trees.functions(old.text, language_id, old.first, old.last)}
    after = trees.functions(new.text, language_id, new.first, new.last)
    fresh = [one for one in after if one.name not in known]
    if len(fresh) != 1 or not any(_calls(one, fresh[0].name) for one in after if one.name in known):
        raise RefusalError(
            "The model did not make one new function and call it, so nothing is done.",
            hint="Define exactly one new function, before the old one, and call it in the old one.",
        )
    outside = [edit for edit in edits if not part[0] <= edit.start.line <= part[1]]
    if any(edit.start != edit.stop for edit in outside):
        raise RefusalError(
            "The model would change other lines than those selected, so nothing is done.",
            hint="Keep every line of the old function that is not moved as it is.",
        )
    body = squeeze("".join(new.lines))
    moved = [squeeze(line) for line in Part(old.text, *part).lines]
    moved = [line for line in moved if line]
    kept = sum(line.rstrip(";,") in body for line in moved)
    if kept < _KEPT_BY_EXTRACTING * len(moved):
        raise RefusalError(
            "The model did not move the lines but wrote others, so nothing is done.",
            hint="Move the lines as they are.",
        )


def _calls(function: trees.Function, name: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}\s*\(", function.code) is not None


def _fresh(old: Part, new: Part) -> list[str]:
    known = {line.strip() for line in old.lines}
    return [line for line in new.lines if line.strip() not in known]


def _units(part: Part, language_id: str) -> list[Unit]:
    return [
        unit
        for unit in units.split(part.text, language_id)
        if unit.first <= part.last and unit.last >= part.first
    ]


def _signs(found: list[Unit], language_id: str, rule: Rule) -> int:
    return sum(len(rule.lines_of(unit, language_id)) for unit in found)
