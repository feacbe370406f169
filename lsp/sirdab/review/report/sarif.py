"""A review as SARIF 2.1.0 (OASIS Standard, "Static Analysis Results Interchange Format").

Section numbers below are those of that standard. What GitHub's code scanning asks for beyond it
(GitHub's documentation, "SARIF support for code scanning") is there as well. No name of a
folder outside of the project is in it, so that a log may be given away.
"""

import os
import re
from typing import Any
from urllib.parse import quote

from sirdab.policy.sanitize import visible
from sirdab.review.report.line_hash import line_hashes
from sirdab.review.report.record import FileReport, Report, Reported, Skipped
from sirdab.review.report.sarif_tool import ENDED, LEVELS, SKIPPED, driver, taxonomy
from sirdab.review.rules import all_rules
from sirdab.text.positions import Encoding, to_units
from sirdab.text.store import Point, Text

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_ROOT = "SRCROOT"
# Section 3.11.6: this would be a link in a plain text message.
_LINK = re.compile(r"\[[^\]]*\]\(")
_AROUND = 2
_LONGEST = 2_000


def as_sarif(report: Report, *, suppressed: bool = False) -> dict[str, Any]:
    """Return a review as a tree for `json.dumps`.

    Args:
        report: What came of the run.
        suppressed: Whether findings are named that are dismissed or ignored; they are marked.
    """
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report, suppressed=suppressed)]}


def _run(report: Report, *, suppressed: bool) -> dict[str, Any]:
    indices = {rule.id: number for number, rule in enumerate(all_rules())}
    # Files of several projects in one run have several roots.
    roots = dict.fromkeys(file.root for file in report.files)
    bases = {root: _base_id(number) for number, root in enumerate(roots)}
    places = {id(file): number for number, file in enumerate(report.files)}
    hashes = {id(file): line_hashes(str(file.snapshot.text)) for file in report.files if file.found}
    results: list[dict[str, Any]] = []
    for file, reported in report.findings(suppressed=suppressed):
        location = _location(file, reported, bases[file.root], places[id(file)])
        result: dict[str, Any] = {
            "ruleId": reported.finding.rule,
            "level": LEVELS[reported.finding.severity],
            "kind": "fail",
            "message": {"text": _message(reported)},
            "locations": [location],
            "partialFingerprints": {
                "primaryLocationLineHash": hashes[id(file)][reported.finding.start.line],
                "sirdabFinding/v1": reported.finding.fingerprint,
            },
            "properties": _properties(reported),
        }
        if reported.finding.rule in indices:
            result["ruleIndex"] = indices[reported.finding.rule]
        if suppressed:
            # Section 3.27.23: where some results say it, the others say that they are not.
            result["suppressions"] = _suppressions(reported)
        results.append(result)
    return {
        "tool": {"driver": driver()},
        "automationDetails": {
            "id": "sirdab/review/",
            "description": {"text": "A review by a language model on the user's own machine."},
        },
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {
            base: {"description": {"text": "The root of the project."}}
            for base in bases.values() or [_base_id(0)]
        },
        "taxonomies": [taxonomy()],
        "artifacts": [_artifact(file, bases[file.root]) for file in report.files],
        "invocations": [_invocation(report)],
        "results": results,
    }


def _base_id(number: int) -> str:
    """Return the name of a root; the first is called what code scanning's own tools call it."""
    return f"%{_ROOT}%" if number == 0 else f"%{_ROOT}_{number + 1}%"


# --- files and places --------------------------------------------------------------------------


def _uri(file: FileReport) -> str:
    """Return a file's name as a relative reference (RFC 3986), whatever bytes it is made of."""
    return quote(os.fsencode(file.inside), safe="/")


def _artifact(file: FileReport, base: str) -> dict[str, Any]:
    return {
        "location": {"uri": _uri(file), "uriBaseId": base},
        "roles": ["analysisTarget"],
        "sourceLanguage": file.snapshot.language_id,
        "encoding": "utf-8",
    }


def _location(file: FileReport, reported: Reported, base: str, number: int) -> dict[str, Any]:
    text, finding = file.snapshot.text, reported.finding
    first, last = finding.start.line, finding.stop.line
    before, behind = max(first - _AROUND, 0), min(last + _AROUND, text.line_count - 1)
    place: dict[str, Any] = {
        "artifactLocation": {"uri": _uri(file), "uriBaseId": base, "index": number},
        "region": _region(text, finding.start, finding.stop),
    }
    if before < first or behind > last:
        # Section 3.29.5: larger than the region itself.
        end = Point(behind, len(text.line_body(behind)))
        place["contextRegion"] = _region(text, Point(before, 0), end)
    location: dict[str, Any] = {"physicalLocation": place}
    if finding.unit:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.unit, "kind": "function"}]
    return location


def _region(text: Text, start: Point, stop: Point) -> dict[str, Any]:
    line, column = to_units(text, start, Encoding.UTF16)
    last, end = to_units(text, stop, Encoding.UTF16)
    region: dict[str, Any] = {
        "startLine": line + 1,
        "startColumn": column + 1,
        "endLine": last + 1,
        "endColumn": end + 1,
    }
    lines = [text.line_body(number) for number in range(line, last + 1)]
    lines[-1] = lines[-1][: stop.column]
    lines[0] = lines[0][start.column :]
    snippet = "\n".join(lines)
    if len(snippet) <= _LONGEST:
        region["snippet"] = {"text": snippet}
    return region


# --- results -----------------------------------------------------------------------------------


def _message(reported: Reported) -> str:
    finding = reported.finding
    said = visible(finding.message) or "The rule is broken here."
    if _LINK.search(said):
        return re.sub(r"([\\\[\]])", r"\\\1", said)
    return said


def _properties(reported: Reported) -> dict[str, Any]:
    finding = reported.finding
    properties: dict[str, Any] = {
        "category": finding.category,
        "severity": finding.severity,
        "confidence": round(finding.confidence, 3),
        "evidence": list(finding.evidence),
    }
    if finding.why:
        properties["why"] = visible(finding.why)
    return properties


def _suppressions(reported: Reported) -> list[dict[str, Any]]:
    if not reported.suppressed:
        return []
    is_comment = reported.suppressed == "ignored"
    return [
        {
            # Section 3.35.2: a comment in the code, or what is kept outside of it.
            "kind": "inSource" if is_comment else "external",
            "status": "accepted",
            "justification": "A comment in the code says to ignore it."
            if is_comment
            else "The user has dismissed it.",
        }
    ]


def _reason(skipped: Skipped) -> str:
    """Return why a file was skipped, with the names in it as they are in the project."""
    return visible(skipped.reason.replace(f"{skipped.root}{os.sep}", ""))


def _invocation(report: Report) -> dict[str, Any]:
    notifications: list[dict[str, Any]] = [
        {
            "descriptor": {"id": SKIPPED, "index": 0},
            "level": "note",
            "message": {"text": f"{visible(one.inside)} was not reviewed: {_reason(one)}"},
        }
        for one in report.skipped
    ]
    if report.problem:
        notifications.append(
            {
                "descriptor": {"id": ENDED, "index": 1},
                "level": "error",
                "message": {"text": visible(report.problem)},
            }
        )
    return {
        "executionSuccessful": not report.problem,
        "toolExecutionNotifications": notifications,
    }
