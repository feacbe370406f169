"""Rows of the doctor's report, and the facts behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the report.

    Attributes:
        name: What was looked at.
        verdict: How it ended.
        detail: What was found; where it is not well, what to do.
    """

    name: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What one subject adds to the report.

    Attributes:
        checks: Its rows.
        facts: The same for programs, by the keys of the JSON report.
    """

    checks: tuple[Check, ...]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


def ok(name: str, detail: str) -> Check:
    """Return a row that says that something is well."""
    return Check(name, Verdict.OK, detail)


def warning(name: str, detail: str) -> Check:
    """Return a row that says what to look at, although the main job works."""
    return Check(name, Verdict.WARNING, detail)


def failed(name: str, detail: str) -> Check:
    """Return a row that says why the main job does not work, and what to do."""
    return Check(name, Verdict.FAILED, detail)
