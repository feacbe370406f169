"""Decides which findings of a review are shown: none that is dismissed or ignored.

The server and the command line both ask here, so that an editor and a terminal agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sirdab.review import suppress
from sirdab.review.dismissals import Dismissals
from sirdab.review.finding import Dropped, Finding
from sirdab.review.suppress import Directives
from sirdab.text.document import Snapshot


@dataclass(frozen=True, slots=True)
class Sifted:
    """What is shown of some findings, and what is not.

    Attributes:
        shown: In the order they came.
        dropped: The others, each with the reason "dismissed" or "ignored".
    """

    shown: tuple[Finding, ...]
    dropped: tuple[Dropped, ...]


def sift(
    findings: Iterable[Finding],
    snapshot: Snapshot,
    dismissals: Dismissals,
    *,
    directives: Directives | None = None,
) -> Sifted:
    """Separate findings into those that are shown and those that are not.

    Args:
        findings: Findings whose places are those of `snapshot`.
        snapshot: The document in its present state.
        dismissals: What the user has dismissed; `refresh` is the caller's business.
        directives: The document's comments that tell to ignore something, where they are known
            already.
    """
    wanted = tuple(findings)
    if not wanted:
        return Sifted((), ())
    text, language_id = snapshot.text, snapshot.language_id
    if directives is None:
        marks = suppress.ignored(text, language_id)
    else:
        marks = suppress.ignored_by(directives, text, language_id)
    shown: list[Finding] = []
    dropped: list[Dropped] = []
    for finding in wanted:
        line = finding.start.line
        if suppress.is_ignored(marks, finding.rule, line, finding.stop.line):
            dropped.append(Dropped(finding.rule, line, "ignored", finding.message))
        elif dismissals.covers(finding, snapshot.uri):
            dropped.append(Dropped(finding.rule, line, "dismissed", finding.message))
        else:
            shown.append(finding)
    return Sifted(tuple(shown), tuple(dropped))
