"""What a review finds: frozen values, no behaviour beyond their names."""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from sirdab.text.store import Point

Category = Literal["correctness", "security", "performance"]
Severity = Literal["hint", "information", "warning", "error"]

SEVERITIES: tuple[Severity, ...] = ("hint", "information", "warning", "error")
"""From the least to the gravest."""

REASONS: dict[str, str] = {
    "unreadable-answer": "The model's answer was not what it was asked for.",
    "unknown-rule": "The model named a rule that it was not asked about.",
    "quotes-too-little": "The model quoted too little to say what it is about.",
    "code-is-not-there": "The code that the model quoted does not occur there.",
    "no-sign-of-the-rule": "The quoted code shows no sign of such a defect.",
    "no-message": "The model said nothing of it.",
    "says-nothing": "The model only repeated the code, a comment or the rule.",
    "duplicate": "The same was found before.",
    "below-minimum-severity": "It is less severe than review.minimumSeverity.",
    "not-named": "The code looks like it, but the model did not see the defect.",
    "refuted": "Asked again, the model did not uphold it.",
    "dismissed": "It was dismissed.",
    "ignored": "A comment in the code says to ignore it.",
}
"""What each reason of `Dropped` means, as one sentence for a person."""

_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect that the model named and that our checks let pass.

    Attributes:
        start: First point of the quoted code in the document that was reviewed.
        stop: Behind its last character.
        code: The quoted code as it stands in the document.
        category: What it is about.
        rule: Short name of the rule, in kebab-case.
        severity: How grave it is.
        message: One sentence.
        replacement: The line or lines that the model would write in place of the quoted
            ones, or None.
        fingerprint: Names the finding in any state of the document; see `fingerprint`.
        unit: Name of the function or class around it; "" at the top level.
        why: What follows from it, in one sentence of the rule's or the model's; may be "".
        confidence: Share of the votes that upheld it, from 0 to 1; 1 where nobody voted.
        evidence: Codes of a linter's findings in the same lines that are about the same defect.
    """

    start: Point
    stop: Point
    code: str
    category: Category
    rule: str
    severity: Severity
    message: str
    replacement: str | None
    fingerprint: str
    unit: str = ""
    why: str = ""
    confidence: float = 1.0
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something the model named that is not shown.

    Attributes:
        rule: The rule as far as it is known, else "".
        line: 0-based line of the document, -1 when there is none.
        reason: Why not, as a short name; `REASONS` has a sentence for each.
        message: The model's sentence, cleaned; "" where there is none.
    """

    rule: str
    line: int
    reason: str
    message: str = ""


def squeeze(code: str) -> str:
    """Return code without any blanks: what stays the same when it is formatted anew."""
    return _BLANK.sub("", code)


def fingerprint(rule: str, unit: str, code: str) -> str:
    """Name a finding so that it is known again after edits elsewhere.

    Neither the line nor the file is part of it: code that moves keeps its verdict, code that
    changes loses it.

    Args:
        rule: The rule.
        unit: Name of the function or class around it.
        code: The quoted code.
    """
    text = "\0".join((rule, unit, squeeze(code)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
