"""The rules of a review, read from `rules.toml`, and the signs by which they are believed."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from sirdab.review.finding import Category, Severity
from sirdab.review.units import Unit

_Patterns = tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of defect; `rules.toml` explains the fields."""

    id: str
    category: Category
    severity: Severity
    title: str
    ask: str
    cure: str
    signs: _Patterns
    unit_signs: _Patterns
    unless: _Patterns
    unit_unless: _Patterns
    languages: frozenset[str]

    def lines_of(self, unit: Unit, language_id: str) -> tuple[int, ...]:
        """Return the lines of a unit, counted from 0, that show the rule's signs."""
        if self.languages and language_id not in self.languages:
            return ()
        lines = unit.lines
        if self.unit_signs and not _any(self.unit_signs, lines):
            return ()
        if _any(self.unit_unless, lines):
            return ()
        return tuple(
            number
            for number, line in enumerate(lines)
            if _any(self.signs, (line,)) and not _any(self.unless, (line,))
        )


def _any(patterns: _Patterns, lines: Iterable[str]) -> bool:
    return any(pattern.search(line) for line in lines for pattern in patterns)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, in the order of the file."""
    return tuple(_rule(entry) for entry in tomllib.loads(_data())["rules"])


def rule_named(name: str) -> Rule | None:
    """Return the rule of that name, or None."""
    return next((rule for rule in all_rules() if rule.id == name), None)


@cache
def version() -> str:
    """Name the present state of the rules: what was found under others is asked again."""
    return hashlib.sha256(_data().encode()).hexdigest()[:12]


def candidates(
    unit: Unit, language_id: str, categories: Sequence[str]
) -> dict[Rule, tuple[int, ...]]:
    """Return the rules whose signs a unit shows, with the lines that show them."""
    found: dict[Rule, tuple[int, ...]] = {}
    for rule in all_rules():
        if rule.category in categories and (lines := rule.lines_of(unit, language_id)):
            found[rule] = lines
    return found


def _data() -> str:
    return resources.files("sirdab.review").joinpath("rules.toml").read_text(encoding="utf-8")


def _rule(entry: dict[str, Any]) -> Rule:
    def patterns(key: str) -> _Patterns:
        return tuple(re.compile(pattern) for pattern in entry.get(key, ()))

    return Rule(
        id=entry["id"],
        category=entry["category"],
        severity=entry["severity"],
        title=entry["title"],
        ask=entry["ask"],
        cure=entry["cure"],
        signs=patterns("signs"),
        unit_signs=patterns("unit_signs"),
        unless=patterns("unless"),
        unit_unless=patterns("unit_unless"),
        languages=frozenset(entry.get("languages", ())),
    )
