"""A review as text for people, and for what reads the messages of compilers.

The first line of a finding is `path:line:column: severity category/rule: message`, the form that
editors and build tools know how to read. That is a promise; the lines below it are not.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sirdab.policy.sanitize import visible
from sirdab.review.finding import REASONS, Dropped
from sirdab.review.report.frame import WIDTH, Line, Piece, frame
from sirdab.review.report.record import FileReport, Report, Reported, counted
from sirdab.review.rules import page_of, rule_named

_SUPPRESSED = {"dismissed": "dismissed", "ignored": "ignored by a comment"}


@dataclass(frozen=True, slots=True)
class Look:
    """How text is written.

    Attributes:
        width: Columns that a line of code may take.
        shown: Writes a string as the output can show it.
        framed: Whether there is more of a finding than its first line.
    """

    width: int = WIDTH
    shown: Callable[[str], str] = visible
    framed: bool = True


def shown_in(encoding: str) -> Callable[[str], str]:
    """Return what writes a string so that it can be seen, in an encoding that may lack some of it.

    Args:
        encoding: Name of the output's encoding.
    """

    def show(text: str) -> str:
        seen = visible(text)
        try:
            return seen.encode(encoding, "backslashreplace").decode(encoding)
        except (LookupError, ValueError):
            return seen.encode("ascii", "backslashreplace").decode("ascii")

    return show


def finding_lines(file: FileReport, reported: Reported, look: Look) -> list[Line]:
    """Return what is said of a finding, the line that machines read first."""
    finding, show = reported.finding, look.shown
    place = f"{show(file.named)}:{finding.start.line + 1}:{finding.start.column + 1}"
    head: Line = (
        Piece(place, "place"),
        Piece(": "),
        Piece(finding.severity, "severity"),
        Piece(f" {finding.category}/{finding.rule}"),
        Piece(f": {show(finding.message)}", "message"),
    )
    if not look.framed:
        return [head]
    code = frame(
        file.snapshot.text, finding.start, finding.stop, width=look.width, shown=look.shown
    )
    return [head, *code, *(((Piece(f"    = {show(note)}", "note")),) for note in _notes(reported))]


def _notes(reported: Reported) -> list[str]:
    """Return what else is known of a finding, one line each."""
    finding = reported.finding
    rule = rule_named(finding.rule)
    facts = [
        f"CWE-{rule.cwe}" if rule is not None and rule.cwe else "",
        f"in {finding.unit}" if finding.unit else "",
        f"confidence {finding.confidence:.0%}" if finding.confidence < 1 else "",
        f"a linter agrees ({', '.join(finding.evidence)})" if finding.evidence else "",
        _SUPPRESSED.get(reported.suppressed, ""),
    ]
    page = page_of(finding.rule)
    return [
        note
        for note in (finding.why, "; ".join(filter(None, facts)), f"see {page}" if page else "")
        if note
    ]


def dropped_line(file: FileReport, dropped: Dropped, look: Look) -> Line:
    """Return why something that the model named is not shown."""
    place = look.shown(file.named) + (f":{dropped.line + 1}" if dropped.line >= 0 else "")
    rule = f" {look.shown(dropped.rule)}:" if dropped.rule else ""
    reason = REASONS.get(dropped.reason, dropped.reason)
    said = f" ({look.shown(dropped.message)})" if dropped.message else ""
    return (Piece(f"{place}: not shown:{rule} {reason}{said}", "near"),)


def summary(report: Report, nothing: str = "There is nothing to review.") -> str:
    """Say in one line what came of a run.

    Args:
        report: What came of it.
        nothing: What is said where there was no file at all.
    """
    if not (report.files or report.skipped or report.problem):
        return nothing
    shown = sum(1 for _ in report.findings())
    hidden = sum(1 for _ in report.findings(suppressed=True)) - shown
    parts = [
        f"{counted(shown, 'finding')} in {counted(len(report.files), 'file')}",
        f"{hidden:,} dismissed or ignored" if hidden else "",
        f"{counted(len(report.skipped), 'file')} skipped" if report.skipped else "",
    ]
    said = ", ".join(filter(None, parts))
    # Nobody may take what an early end has left of it for a clean bill.
    return f"The review is not complete: {said}" if report.problem else said
