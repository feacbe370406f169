"""Findings and reports of them, made by hand, for the tests of what is told of a review."""

from pathlib import Path
from typing import Any

from sirdab.review.finding import Finding, fingerprint
from sirdab.review.report.record import FileReport, Report, Reported, Suppressed
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

ROOT = Path("/home/somebody/project")


def finding(content: str, code: str, rule: str = "sql-injection", **more: Any) -> Finding:
    """A finding about the first place where some code stands."""
    at = content.index(code)
    head, whole = content[:at].split("\n"), content[: at + len(code)].split("\n")
    given: dict[str, Any] = {
        "start": Point(len(head) - 1, len(head[-1])),
        "stop": Point(len(whole) - 1, len(whole[-1])),
        "code": code,
        "category": "security",
        "rule": rule,
        "severity": "error",
        "message": "The query is built from text.",
        "replacement": None,
        "fingerprint": fingerprint(rule, "", code),
    }
    return Finding(**(given | more))


def file_report(
    content: str, *found: Finding, name: str = "app.py", suppressed: Suppressed = ""
) -> FileReport:
    """What came of one file of the project."""
    snapshot = Snapshot((ROOT / "app.py").as_uri(), language_of(Path(name)), 0, Text(content))
    reported = [Reported(one, suppressed) for one in found]
    return FileReport(name, ROOT, name, snapshot, reported)


def report(*files: FileReport, **more: Any) -> Report:
    """What came of a run."""
    return Report(list(files), **more)
