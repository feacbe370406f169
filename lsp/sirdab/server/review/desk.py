"""What is known of one document: its findings, as they are placed now, and reviews under way.

Nothing here knows the protocol. Findings are moved along with every edit; those of a review that
was begun before some edits are led through the same edits, one by one.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sirdab.review.finding import Dropped, Finding
from sirdab.review.request import UnitReview
from sirdab.review.sift import Sifted
from sirdab.review.suppress import Directives, carried, line_signs
from sirdab.review.track import moved, moved_dropped
from sirdab.server.review.trail import Trail
from sirdab.text.document import Snapshot
from sirdab.text.store import Text

if TYPE_CHECKING:
    from sirdab.server.review.known import Present

# How often what an edit has withdrawn is looked for among what was found earlier.
_MOST_LOOKS = 20


class Run:
    """One review under way.

    Args:
        desk: Of the document.
        snapshot: The state that is reviewed.
    """

    def __init__(self, desk: "Desk", snapshot: Snapshot) -> None:
        signs = line_signs(snapshot.language_id)
        known, text = desk.snapshot.text, snapshot.text
        self._old = moved(desk.findings, known, text, signs)
        self._old_dropped = moved_dropped(desk.dropped, known, text)
        self._units: dict[tuple[int, int], UnitReview] = {}
        self._trail = Trail([text] if known is text else [text, known], signs)
        self._is_whole = True

    def follow(self, text: Text) -> None:
        """Take it that the document was edited."""
        self._trail.add(text)

    def take(self, unit: UnitReview) -> bool:
        """Take what was found in a unit, in place of what this review found there before.

        Returns:
            Whether there may be another thing to show now.
        """
        before = self._units.get((unit.first, unit.last))
        self._units[unit.first, unit.last] = unit
        if before is not None and not unit.whole:
            return before.findings != unit.findings
        return bool(unit.findings or unit.dropped or before) or any(
            unit.first <= place <= unit.last
            for place in (
                *(finding.start.line for finding in self._old),
                *(entry.line for entry in self._old_dropped),
            )
        )

    def is_untouched(self, first: int, last: int) -> bool:
        """Whether the lines of a unit are still as they were when the review was begun."""
        if self._trail.lines(first, last) is None:
            self._is_whole = False
            return False
        return True

    def end(self) -> bool:
        """Take it that the whole document was reviewed: what lies in no unit is no longer code.

        Returns:
            Whether there was anything.
        """
        if not self._is_whole:
            # Units that were edited meanwhile have been left out.
            return False
        is_reviewed = self._reviewed()
        news = any(not is_reviewed(finding.start.line) for finding in self._old)
        self._old.clear()
        self._old_dropped.clear()
        return news

    def placed(self) -> tuple[list[Finding], list[Dropped]]:
        """Return what is known now, as it is placed in the present state of the document."""
        units = sorted(self._units.values(), key=lambda unit: unit.first)
        findings = [finding for unit in units for finding in unit.findings]
        dropped = [entry for unit in units for entry in unit.dropped]
        # What a unit that is not done yet has named again is not listed twice.
        named = {(finding.start.line, finding.rule) for finding in findings}
        is_reviewed = self._reviewed()
        findings += [
            finding
            for finding in self._old
            if not is_reviewed(finding.start.line)
            and (finding.start.line, finding.rule) not in named
        ]
        dropped += [entry for entry in self._old_dropped if not is_reviewed(entry.line)]
        findings.sort(key=lambda finding: finding.start)
        dropped.sort(key=lambda entry: entry.line)
        return self._trail.findings(findings), self._trail.dropped(dropped)

    def _reviewed(self) -> Callable[[int], bool]:
        """Return what says whether a line lies in a unit that is done; no two overlap."""
        units = sorted((unit.first, unit.last) for unit in self._units.values() if unit.whole)
        starts = [first for first, _ in units]

        def is_reviewed(line: int) -> bool:
            at = bisect_right(starts, line) - 1
            return at >= 0 and line <= units[at][1]

        return is_reviewed


@dataclass(slots=True, eq=False)
class Desk:
    """What is known of one document.

    Attributes:
        key: What the document is filed under.
        snapshot: The state that `findings` and `dropped` are placed in.
        findings: All findings, those that are not shown included.
        dropped: What the model named and the checks of the review did not let pass.
        reviewed: Whether anything of it has been reviewed, now or in an earlier session.
        listed: Whether it was part of a review of the workspace, so that what was found in it
            stays known when it is closed.
        runs: The reviews under way.
        lost: Fingerprints of what edits have withdrawn: it may be back when they are undone.
        directives: The comments that tell to ignore something; None until they were read.
        sifted: What is shown and what is not, with what it was made of.
        shown: The same in the client's form, with what it was made of.
    """

    key: str
    snapshot: Snapshot
    findings: list[Finding] = field(default_factory=list[Finding])
    dropped: list[Dropped] = field(default_factory=list[Dropped])
    reviewed: bool = False
    listed: bool = False
    runs: list[Run] = field(default_factory=list[Run])
    lost: set[str] = field(default_factory=set[str])
    directives: Directives | None = None
    sifted: tuple[tuple[object, ...], Sifted] | None = None
    shown: "tuple[Sifted, Present] | None" = None
    _looked: int = 0

    def follow(self, snapshot: Snapshot) -> None:
        """Bring what is known to another state of the document."""
        if snapshot.text is not self.snapshot.text:
            old, new = self.snapshot.text, snapshot.text
            kept = moved(self.findings, old, new, line_signs(snapshot.language_id))
            self._lose({finding.fingerprint for finding in self.findings}, kept)
            self.findings = kept
            self.dropped = moved_dropped(self.dropped, old, new)
            if self.directives is not None:
                self.directives = carried(self.directives, old, new, snapshot.language_id)
            for run in self.runs:
                run.follow(new)
        self.snapshot = snapshot

    def begin(self, snapshot: Snapshot) -> Run:
        """Begin a review of a state of the document."""
        run = Run(self, snapshot)
        self.runs.append(run)
        return run

    def end(self, run: Run) -> None:
        """End a review, whether it came to its end or not."""
        if run in self.runs:
            self.runs.remove(run)

    def present(self, run: Run) -> None:
        """Take what a review knows now."""
        self.findings, self.dropped = run.placed()
        self.reviewed = True
        self._find_lost()

    def _lose(self, before: set[str], kept: list[Finding]) -> None:
        gone = before - {finding.fingerprint for finding in kept}
        if gone:
            self.lost |= gone
            self._looked = 0

    def _find_lost(self) -> None:
        """Note what is there again, and look no further for what has been looked for often."""
        self.lost -= {finding.fingerprint for finding in self.findings}
        self._looked += 1
        if self._looked >= _MOST_LOOKS:
            self.lost.clear()

    def take_known(self, snapshot: Snapshot, units: Iterable[UnitReview]) -> None:
        """Take what was found earlier in some units of a state of the document."""
        run = Run(self, snapshot)
        for unit in units:
            run.take(unit)
            # A unit without any sign is known without having been reviewed.
            self.reviewed = self.reviewed or bool(unit.findings or unit.dropped)
        self.findings, self.dropped = run.placed()
        self._find_lost()
