"""Reviews many files one after another, and tells what is found as it is found."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sirdab.config.schema import Settings
from sirdab.review.dismissals import Dismissals
from sirdab.review.finding import Dropped, Finding
from sirdab.review.gates import not_reviewed
from sirdab.review.report.record import (
    FileReport,
    Report,
    Reported,
    Skipped,
    Suppressed,
    inside_of,
    ordered,
)
from sirdab.review.request import Review, ReviewRequest, UnitReview
from sirdab.review.reviewer import Reviewer
from sirdab.review.sift import sift
from sirdab.review.sources import Source
from sirdab.text.document import Snapshot


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        file: Name of the present file.
        number: Which one it is, from 1.
        files: How many there are.
        part: How many of its parts are done.
        parts: How many parts it has; 0 while that is not known.
    """

    file: str
    number: int
    files: int
    part: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told while a run goes on; all of it is said once more in the report.

    Attributes:
        found: A finding that is shown or suppressed.
        dropped: Something that the model named and that is not shown.
        skipped: A file that is not reviewed, and why.
        progress: How far it is.
    """

    found: Callable[[FileReport, Reported], None]
    dropped: Callable[[FileReport, Dropped], None]
    skipped: Callable[[Skipped], None]
    progress: Callable[[Progress], None]


class Batch:
    """One run.

    Args:
        reviewer: Asks the model.
        settings: The settings in force.
        listener: Who is told.
        dismissals: What the user has dismissed.
        rules: Names of the rules whose findings count; empty for all.
        report: Where what came of it is kept, also when the run is cancelled.
    """

    def __init__(
        self,
        reviewer: Reviewer,
        settings: Settings,
        listener: Listener,
        *,
        dismissals: Dismissals,
        rules: Sequence[str] = (),
        report: Report | None = None,
    ) -> None:
        self._reviewer = reviewer
        self._settings = settings
        self._listener = listener
        self._dismissals = dismissals
        self._rules = frozenset(rules)
        self.report = Report() if report is None else report

    async def run(self, sources: Sequence[Source]) -> Report:
        """Review files until the last one, or until the model cannot be asked."""
        self._dismissals.refresh()
        for number, source in enumerate(sources, 1):
            self._listener.progress(Progress(str(source.named), number, len(sources)))
            await self._file(source, number, len(sources))
            if self.report.problem:
                break
        return self.report

    async def _file(self, source: Source, number: int, files: int) -> None:
        gates, folders = self._reviewer.gates, (str(source.folder),)
        # An excluded file is not even read.
        rule = gates.excluded_by(str(source.path), self._settings, folders)
        if rule is not None:
            self._skip(source, f"it is excluded by {rule}.")
            return
        snapshot = await asyncio.to_thread(source.read)
        if isinstance(snapshot, str):
            self._skip(source, snapshot)
            return
        if not_reviewed(snapshot.language_id) is not None:
            kind = snapshot.language_id[:40]
            self._skip(source, f"it is {kind}, and only source code is reviewed.")
            return
        work = _File(self, source, snapshot, number, files)
        self.report.files.append(work.report)
        request = ReviewRequest(snapshot, self._settings, folders, is_wanted=source.wants)
        result = await self._reviewer.review(request, work.on_unit)
        work.finish(result)
        if result.failed:
            self.report.problem = result.problem
            if not result.units:
                self.report.files.pop()
        elif result.problem:
            self.report.files.pop()
            self._skip(source, result.problem)
        work.report.found[:] = ordered(work.report.found)

    def _skip(self, source: Source, reason: str) -> None:
        root = source.root
        skipped = Skipped(str(source.named), root, inside_of(source.path, root), reason)
        self.report.skipped.append(skipped)
        self._listener.skipped(skipped)

    def tell(self, file: FileReport, unit: UnitReview) -> None:
        """Sift what became of a unit, keep it and tell it."""
        for finding, suppressed in self._sifted(unit.findings, file.snapshot):
            if self._rules and finding.rule not in self._rules:
                continue
            reported = Reported(finding, suppressed)
            file.found.append(reported)
            self._listener.found(file, reported)
            if suppressed:
                place = finding.start.line
                self._drop(file, Dropped(finding.rule, place, suppressed, finding.message))
        for dropped in unit.dropped:
            if not self._rules or dropped.rule in self._rules:
                self._drop(file, dropped)

    def _drop(self, file: FileReport, dropped: Dropped) -> None:
        file.dropped.append(dropped)
        self._listener.dropped(file, dropped)

    def progress(self, progress: Progress) -> None:
        """Tell how far it is."""
        self._listener.progress(progress)

    def _sifted(
        self, findings: Sequence[Finding], snapshot: Snapshot
    ) -> Iterable[tuple[Finding, Suppressed]]:
        """Return each finding, and why it is not shown by itself."""
        sifted = sift(findings, snapshot, self._dismissals)
        ignored = {(one.rule, one.line) for one in sifted.dropped if one.reason == "ignored"}
        for finding in findings:
            if finding in sifted.shown:
                yield finding, ""
            else:
                is_comment = (finding.rule, finding.start.line) in ignored
                yield finding, "ignored" if is_comment else "dismissed"


class _File:
    """One file of a run: its units, as they come."""

    def __init__(
        self, batch: Batch, source: Source, snapshot: Snapshot, number: int, files: int
    ) -> None:
        root = source.root
        named = str(source.named)
        self.report = FileReport(named, root, inside_of(source.path, root), snapshot)
        self._batch = batch
        self._place = Progress(named, number, files)
        self._told: set[tuple[int, int]] = set()

    def on_unit(self, unit: UnitReview, done: int, total: int) -> None:
        """Take what became of a unit; what may still be withdrawn is not told yet."""
        if unit.whole and (unit.first, unit.last) not in self._told:
            self._told.add((unit.first, unit.last))
            self._batch.tell(self.report, unit)
        self._batch.progress(self._place._replace(part=done, parts=total))

    def finish(self, result: Review) -> None:
        """Take the end of a review."""
        for unit in result.units:
            if unit.whole and (unit.first, unit.last) not in self._told:
                self._told.add((unit.first, unit.last))
                self._batch.tell(self.report, unit)
