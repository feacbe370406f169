"""What came of a review of many files: plain values that every format is made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sirdab.review.finding import SEVERITIES, Dropped, Finding, Severity
from sirdab.text.document import Snapshot

Suppressed = Literal["", "dismissed", "ignored"]


@dataclass(frozen=True, slots=True)
class Reported:
    """One finding of a file.

    Attributes:
        finding: The finding.
        suppressed: Why it is not shown by itself: the user has dismissed it, or a comment in the
            code says to ignore it; "" when it is shown.
    """

    finding: Finding
    suppressed: Suppressed = ""


@dataclass(slots=True)
class FileReport:
    """What came of one file.

    Attributes:
        named: Its name as the user gave it, or as it was found below what the user named.
        root: Whole path of the project: its repository, or else the folder that was named.
        inside: Its name in the project, with "/".
        snapshot: What was reviewed, which the places of the findings are those of.
        found: The findings, in the order they came.
        dropped: What the model named and our checks did not let pass, and what is not shown.
    """

    named: str
    root: Path
    inside: str
    snapshot: Snapshot
    found: list[Reported] = field(default_factory=list[Reported])
    dropped: list[Dropped] = field(default_factory=list[Dropped])


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not reviewed.

    Attributes:
        named: Its name as the user gave it.
        root: Whole path of the project.
        inside: Its name in the project, with "/".
        reason: Why, as the second half of a sentence.
    """

    named: str
    root: Path
    inside: str
    reason: str


@dataclass(slots=True)
class Report:
    """What came of a run.

    Attributes:
        files: The files that were reviewed, in order. The last one may not be whole, where
            `problem` says so.
        skipped: Files that were not reviewed.
        problem: Why the run ended early, as one sentence; "" when it did not.
        interrupted: Whether it was the user who ended it.
    """

    files: list[FileReport] = field(default_factory=list[FileReport])
    skipped: list[Skipped] = field(default_factory=list[Skipped])
    problem: str = ""
    interrupted: bool = False

    def findings(self, *, suppressed: bool = False) -> Iterator[tuple[FileReport, Reported]]:
        """Yield the findings of all files.

        Args:
            suppressed: Whether to yield those as well that are not shown by themselves.
        """
        for file in self.files:
            for reported in file.found:
                if suppressed or not reported.suppressed:
                    yield file, reported

    def has_at_least(self, least: Severity) -> bool:
        """Whether a finding that is shown is as grave as this, or graver."""
        grave = SEVERITIES[SEVERITIES.index(least) :]
        return any(reported.finding.severity in grave for _, reported in self.findings())


WORDS: dict[str, Severity] = {
    **{severity: severity for severity in SEVERITIES},
    "low": "information",
    "medium": "warning",
    "high": "error",
}
"""What a severity may be called on a command line: our names, and the words of security tools."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def inside_of(path: Path, root: Path) -> str:
    """Return a file's name in its project, with "/"; its whole path where it lies elsewhere."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def ordered(found: Iterable[Reported]) -> list[Reported]:
    """Return findings in the order of the document."""
    return sorted(found, key=lambda one: (one.finding.start, one.finding.stop, one.finding.rule))
