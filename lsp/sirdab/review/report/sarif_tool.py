"""The part of a SARIF log that says what Sirdab is and what its rules are.

It is the same in all logs of a version. Section numbers are those of SARIF 2.1.0; what GitHub's
code scanning asks for beyond it is in its documentation, "SARIF support for code scanning".
"""

from typing import Any

from sirdab import __version__
from sirdab.review.finding import Severity
from sirdab.review.rules import Grade, Rule, all_rules

LEVELS: dict[Severity, str] = {
    "error": "error",
    "warning": "warning",
    "information": "note",
    "hint": "note",
}
"""What the levels of the standard are for our severities (section 3.27.10)."""

# What code scanning sorts by: a score for what is about security, a word for the rest.
_SCORES: dict[Severity, str] = {
    "error": "8.0",
    "warning": "6.0",
    "information": "3.0",
    "hint": "2.0",
}
_WORDS: dict[Severity, str] = {
    "error": "error",
    "warning": "warning",
    "information": "recommendation",
    "hint": "recommendation",
}
# How often a rule is right, in code scanning's words.
_PRECISION: dict[Grade, str] = {"proof": "high", "sign": "medium"}

SKIPPED, ENDED = "file-skipped", "ended-early"
"""Names of the notifications, in the order that they are described in."""

# Code scanning wants as much of these as of rules.
_NOTIFICATIONS = (
    (SKIPPED, "note", "A file was not reviewed.", "The message of the notification says why."),
    (
        ENDED,
        "error",
        "The review ended before its last file.",
        "What was found until then is there; the message of the notification says why it ended.",
    ),
)


def driver() -> dict[str, Any]:
    """Return the tool component (section 3.19); its rules are in the order of `all_rules`."""
    weaknesses = _weaknesses()
    return {
        "name": "Sirdab",
        "version": __version__,
        "semanticVersion": __version__,
        "fullName": f"Sirdab {__version__}",
        "shortDescription": {"text": "Review by a language model on the user's own machine."},
        "rules": [_rule(rule, weaknesses) for rule in all_rules()],
        "notifications": [_notification(*entry) for entry in _NOTIFICATIONS],
        "supportedTaxonomies": [{"name": "CWE", "index": 0}],
    }


def _notification(name: str, level: str, what: str, why: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": _pascal(name),
        "shortDescription": {"text": what},
        "fullDescription": {"text": f"{what} {why}"},
        "help": {"text": why},
        "defaultConfiguration": {"level": level},
    }


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def _rule(rule: Rule, weaknesses: list[int]) -> dict[str, Any]:
    tags = [rule.category, *([f"external/cwe/cwe-{rule.cwe:03d}"] if rule.cwe else [])]
    properties: dict[str, Any] = {"tags": tags, "precision": _PRECISION[rule.grade]}
    if rule.category == "security":
        properties["security-severity"] = _SCORES[rule.severity]
    else:
        properties["problem.severity"] = _WORDS[rule.severity]
    found: dict[str, Any] = {
        "id": rule.id,
        "name": _pascal(rule.id),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.why or f"{_upper(rule.ask)}."},
        "help": {
            "text": f"{_upper(rule.ask)}. {rule.why} {rule.cure}".replace("  ", " "),
            "markdown": "\n\n".join(
                filter(None, (f"{_upper(rule.ask)}.", rule.why, f"**What to do:** {rule.cure}"))
            ),
        },
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": properties,
    }
    if rule.cwe:
        number = weaknesses.index(rule.cwe)
        target: dict[str, Any] = {"id": f"CWE-{rule.cwe}", "index": number}
        target["toolComponent"] = {"name": "CWE", "index": 0}
        found["relationships"] = [{"target": target, "kinds": ["relevant"]}]
    return found


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def taxonomy() -> dict[str, Any]:
    """Return the weaknesses that rules are about (section 3.19.25)."""
    return {
        "name": "CWE",
        "organization": "MITRE",
        "shortDescription": {"text": "The Common Weakness Enumeration."},
        "informationUri": "https://cwe.mitre.org/",
        "isComprehensive": False,
        "taxa": [
            {
                "id": f"CWE-{number}",
                "helpUri": f"https://cwe.mitre.org/data/definitions/{number}.html",
            }
            for number in _weaknesses()
        ],
    }


def _weaknesses() -> list[int]:
    return sorted({rule.cwe for rule in all_rules() if rule.cwe})
