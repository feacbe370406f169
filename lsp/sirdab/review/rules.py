"""The rules of a review, read from `rules.toml`, and the signs by which they are believed."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Protocol

from sirdab.review import signs
from sirdab.review.finding import Category, Severity
from sirdab.review.units import Unit

Tag = Literal["unnecessary", "deprecated"]
Grade = Literal["proof", "sign"]
Vote = Literal["rewrite", "verdict", "none"]

# Where the sign is all there is. Measured on seeded defects and clean code; see bench/signs.py.
_CONFIDENCE: dict[Grade, float] = {"proof": 0.9, "sign": 0.6}
# What a linter says of each handler that catches everything. Where there is a tree our own signs
# have looked into the handler, and those who print the error or pass it on are left alone.
_HANDLERS = ("E722", "S110", "S112")
_PAGE = Path(__file__).with_name("rules.md")
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
    why: str
    cwe: int
    tags: tuple[Tag, ...]
    linter: frozenset[str]
    grade: Grade
    vote: Vote
    structure: str
    signs: _Patterns
    unit_signs: _Patterns
    unless: _Patterns
    unit_unless: _Patterns
    languages: frozenset[str]

    @property
    def confidence(self) -> float:
        """Share of its findings that is right where nobody votes, from 0 to 1."""
        return _CONFIDENCE[self.grade]

    def lines_of(self, unit: Unit, language_id: str) -> tuple[int, ...]:
        """Return the lines of a unit, counted from 0, that show the rule's signs."""
        if self.languages and language_id not in self.languages:
            return ()
        lines = unit.lines
        seen = signs.seen(unit.signs, self.structure, language_id)
        if seen is not None:
            return tuple(place.row for place in seen)
        if self.unit_signs and not _any(self.unit_signs, lines):
            return ()
        if _any(self.unit_unless, lines):
            return ()
        return tuple(
            number
            for number, line in enumerate(lines)
            if _any(self.signs, (line,)) and not _any(self.unless, (line,))
        )

    def span(self, unit: Unit, line: int, language_id: str) -> tuple[int, int] | None:
        """Return the stretch of a line that shows the rule's sign: what is wrong there.

        Args:
            unit: The unit.
            line: The line of the unit, counted from 0.
            language_id: Its language.

        Returns:
            The first column and the one behind the last, in characters; None where the line
            shows no sign, or only a linter says that it does.
        """
        seen = signs.seen(unit.signs, self.structure, language_id)
        if seen is not None:
            return next(((one.start, one.stop) for one in seen if one.row == line), None)
        if not 0 <= line < len(unit.lines):
            return None
        matches = (pattern.search(unit.lines[line]) for pattern in self.signs)
        return next((match.span() for match in matches if match), None)


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


class Said(Protocol):
    """What a linter said; see `sirdab.review.evidence.LinterFinding`."""

    @property
    def line(self) -> int:
        """0-based line of the document."""
        ...

    @property
    def code(self) -> str:
        """The linter's name for it."""
        ...


def candidates(
    unit: Unit, language_id: str, categories: Sequence[str], said: Iterable[Said] = ()
) -> dict[Rule, tuple[int, ...]]:
    """Return the rules whose signs a unit shows, with the lines that show them.

    Args:
        unit: The unit.
        language_id: Its language.
        categories: Those that are wanted.
        said: What a linter said of the document: a sign by itself, where it is the model that
            decides.

    Returns:
        For each rule the lines of the unit, counted from 0.
    """
    told: dict[str, set[int]] = {}
    for one in said:
        if unit.first <= one.line <= unit.last and unit.lines[one.line - unit.first].strip():
            told.setdefault(one.code, set()).add(one.line - unit.first)
    if signs.seen(unit.signs, "broad-except", language_id) is not None:
        for code in _HANDLERS:
            told.pop(code, None)
    found: dict[Rule, tuple[int, ...]] = {}
    for rule in all_rules():
        if rule.category not in categories:
            continue
        lines = set(rule.lines_of(unit, language_id))
        if rule.grade != "proof":
            # What needs no vote needs our own sign: linters are made to be configured.
            lines.update(*(told[code] for code in rule.linter if code in told))
        if lines:
            found[rule] = tuple(sorted(lines))
    return found


def page_of(rule_id: str) -> str:
    """Return the address of our own page about a rule, a file of the package; "" for no rule."""
    return f"{_PAGE.as_uri()}#{rule_id}" if rule_named(rule_id) is not None else ""


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
        why=entry["why"],
        cwe=entry.get("cwe", 0),
        tags=tuple(entry.get("tags", ())),
        linter=frozenset(entry.get("linter", ())),
        grade=entry["grade"],
        vote=entry["vote"],
        structure=entry.get("structure", ""),
        signs=patterns("signs"),
        unit_signs=patterns("unit_signs"),
        unless=patterns("unless"),
        unit_unless=patterns("unit_unless"),
        languages=frozenset(entry.get("languages", ())),
    )
