"""What goes into a review and what comes out of it: frozen values, no behaviour."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sirdab.config.schema import Settings
from sirdab.review.finding import Dropped, Finding
from sirdab.text.document import Snapshot


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """One review, bound to a state of a document.

    Attributes:
        snapshot: The document.
        settings: The settings in force.
        workspace_folders: Absolute paths that ignore files are looked up in.
        lines: First and last line (0-based, inclusive) that are reviewed; None for all. Units
            that lie in them partly are reviewed whole.
        is_wanted: Asked before each question whether its unit, by its first and last line, is
            still of interest; one that was edited meanwhile is not, and is left out. None when
            all are.
    """

    snapshot: Snapshot
    settings: Settings
    workspace_folders: tuple[str, ...] = ()
    lines: tuple[int, int] | None = None
    is_wanted: Callable[[int, int], bool] | None = None

    def wants(self, first: int, last: int) -> bool:
        """Whether a unit is to be reviewed still, by its first and last line."""
        return self.is_wanted is None or self.is_wanted(first, last)


@dataclass(frozen=True, slots=True)
class UnitReview:
    """What became of one unit.

    Attributes:
        first: Its first line, 0-based.
        last: Its last line, 0-based.
        findings: What was found, in order.
        dropped: What the model named and our checks did not let pass.
        whole: Whether the unit is done; False while the model is still writing, when `findings`
            are the first of it.
    """

    first: int
    last: int
    findings: tuple[Finding, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Review:
    """What became of a review.

    Attributes:
        units: What became of each unit that was reviewed, from top to bottom.
        problem: Why it was not carried out, or not to its end, as one sentence; "" when it
            was.
        failed: Whether the problem is a failure, and not that the document is not reviewed.
        trace: What it cost; holds no source text.
    """

    units: tuple[UnitReview, ...] = ()
    problem: str = ""
    failed: bool = False
    trace: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of the document."""
        return tuple(finding for unit in self.units for finding in unit.findings)

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """All that the model named and our checks did not let pass."""
        return tuple(entry for unit in self.units for entry in unit.dropped)
