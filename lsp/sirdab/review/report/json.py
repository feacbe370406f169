"""A review as JSON. Its form is a promise, described in docs/review.md: keys are only added."""

from typing import Any

from sirdab import __version__
from sirdab.review.finding import REASONS, Dropped
from sirdab.review.report.record import FileReport, Report, Reported
from sirdab.review.rules import rule_named

FORM = 1
"""Number of the form; it changes when a key goes or means something else."""


def as_json(report: Report, *, suppressed: bool = False, dropped: bool = False) -> dict[str, Any]:
    """Return a review as a tree for `json.dumps`.

    Args:
        report: What came of the run.
        suppressed: Whether findings are named that are dismissed or ignored.
        dropped: Whether it says what the model named and why it is not shown.
    """
    tree: dict[str, Any] = {
        "form": FORM,
        "version": __version__,
        "files": len(report.files),
        "findings": [_finding(*found) for found in report.findings(suppressed=suppressed)],
        "skipped": [
            {"file": one.named, "path": one.inside, "reason": one.reason} for one in report.skipped
        ],
        "problem": report.problem or None,
        "interrupted": report.interrupted,
    }
    if dropped:
        tree["dropped"] = [_dropped(file, one) for file in report.files for one in file.dropped]
    return tree


def _finding(file: FileReport, reported: Reported) -> dict[str, Any]:
    finding = reported.finding
    rule = rule_named(finding.rule)
    return {
        "file": file.named,
        "path": file.inside,
        "line": finding.start.line + 1,
        "column": finding.start.column + 1,
        "endLine": finding.stop.line + 1,
        "endColumn": finding.stop.column + 1,
        "severity": finding.severity,
        "category": finding.category,
        "rule": finding.rule,
        "cwe": (rule.cwe or None) if rule is not None else None,
        "message": finding.message,
        "why": finding.why or None,
        "code": finding.code,
        "unit": finding.unit or None,
        "confidence": round(finding.confidence, 3),
        "evidence": list(finding.evidence),
        "fingerprint": finding.fingerprint,
        "suppressed": reported.suppressed or None,
    }


def _dropped(file: FileReport, dropped: Dropped) -> dict[str, Any]:
    return {
        "file": file.named,
        "path": file.inside,
        "line": dropped.line + 1 if dropped.line >= 0 else None,
        "rule": dropped.rule or None,
        "reason": dropped.reason,
        "detail": REASONS.get(dropped.reason),
        "message": dropped.message or None,
    }
