"""From findings to diagnostics, in the form that the client can take.

They are made as plain JSON, because all that is shown of a document is told together, after each
edit above it: the types of lsprotocol would cost ten times as much, in the loop that also answers
keystrokes.

`relatedInformation` is not used: a finding is about one place, and what follows from it is on the
page that `codeDescription` names.
"""

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.text.document import Snapshot
from sirdab.text.positions import to_units
from sirdab.text.store import Text

if TYPE_CHECKING:
    from sirdab.review.finding import Finding
    from sirdab.server.language_server import SirdabServer

SOURCE = "sirdab"

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}
_TAGS = {
    "unnecessary": types.DiagnosticTag.Unnecessary,
    "deprecated": types.DiagnosticTag.Deprecated,
}

# Clients announce what they take of a diagnostic for both ways of getting them; older ones that
# pull announce it for the other way alone (LSP 3.17, "DiagnosticClientCapabilities").
_ANNOUNCED = ("text_document.diagnostic", "text_document.publish_diagnostics")

_MOST_KEPT = 4_096

Plain = dict[str, Any]
"""A `Diagnostic` of LSP 3.18 as JSON; shared, so it must not be changed."""

Diagnostics = tuple[Plain, ...]


def result_id(diagnostics: Diagnostics) -> str:
    """Name what is shown of a document: the same for the same diagnostics, in any session."""
    return hashlib.sha256(json.dumps(diagnostics).encode("ascii")).hexdigest()[:16]


NOTHING = result_id(())
"""Names that nothing is shown."""


@dataclass(frozen=True, slots=True)
class _Form:
    """What a client takes of a diagnostic."""

    data: bool
    description: bool
    tags: frozenset[types.DiagnosticTag]

    @classmethod
    def of(cls, capabilities: types.ClientCapabilities) -> "_Form":
        support = _announced(capabilities, "tag_support")
        return cls(
            bool(_announced(capabilities, "data_support")),
            bool(_announced(capabilities, "code_description_support")),
            frozenset(support.value_set if support is not None else ()),
        )


class _Made(NamedTuple):
    """A diagnostic, and what it was made of: its columns are told by its first and last line."""

    finding: "Finding"
    first: str
    last: str
    diagnostic: Plain


class DiagnosticMaker:
    """Makes the diagnostics of one client.

    All diagnostics of a document are told together, each time one of them is new, so those that
    were made are kept.
    """

    def __init__(self, ls: "SirdabServer") -> None:
        self._ls = ls
        self._form: tuple[types.ClientCapabilities, _Form] | None = None
        self._made: OrderedDict[int, _Made] = OrderedDict()

    def plain(self, snapshot: Snapshot, finding: "Finding") -> Plain:
        """Return the diagnostic that shows a finding, as JSON.

        Args:
            snapshot: The document in the state that the finding is placed in.
            finding: The finding.
        """
        text = snapshot.text
        first, last = _line(text, finding.start.line), _line(text, finding.stop.line)
        known = self._made.get(id(finding))
        # An edit elsewhere leaves the finding as it is, and its lines.
        if known is not None and known.finding is finding and known[1:3] == (first, last):
            return known.diagnostic
        made = self._make(snapshot, finding)
        self._made[id(finding)] = _Made(finding, first, last, made)
        while len(self._made) > _MOST_KEPT:
            self._made.popitem(last=False)
        return made

    def diagnostic(self, snapshot: Snapshot, finding: "Finding") -> types.Diagnostic:
        """Return the same in the form of lsprotocol, for what a code action is about."""
        made = self.plain(snapshot, finding)
        first, last = made["range"]["start"], made["range"]["end"]
        page = made.get("codeDescription")
        tags = made.get("tags")
        return types.Diagnostic(
            range=types.Range(types.Position(**first), types.Position(**last)),
            message=made["message"],
            severity=types.DiagnosticSeverity(made["severity"]),
            code=made["code"],
            source=made["source"],
            code_description=types.CodeDescription(**page) if page else None,
            tags=[types.DiagnosticTag(tag) for tag in tags] if tags else None,
            data=made.get("data"),
        )

    def _make(self, snapshot: Snapshot, finding: "Finding") -> Plain:
        form, encoding = self._takes(), self._ls.session.encoding
        line, character = to_units(snapshot.text, finding.start, encoding)
        last, end = to_units(snapshot.text, finding.stop, encoding)
        made: Plain = {
            "range": {
                "start": {"line": line, "character": character},
                "end": {"line": last, "character": end},
            },
            "message": finding.message,
            "severity": _SEVERITIES[finding.severity].value,
            "code": f"{finding.category}/{finding.rule}",
            "source": SOURCE,
        }
        if form.data:
            made["data"] = {
                "fingerprint": finding.fingerprint,
                "rule": finding.rule,
                "unit": finding.unit,
            }
        page, tags = _of_rule(finding.rule)
        if page and form.description:
            made["codeDescription"] = {"href": page}
        if taken := [_TAGS[name].value for name in tags if _TAGS.get(name) in form.tags]:
            made["tags"] = taken
        return made

    def _takes(self) -> _Form:
        capabilities = self._ls.session.capabilities
        if self._form is None or self._form[0] is not capabilities:
            self._form = capabilities, _Form.of(capabilities)
        return self._form[1]


def _line(text: Text, number: int) -> str:
    """Return a line; "" for one that there is not."""
    return text.line(number) if 0 <= number < text.line_count else ""


@cache
def _of_rule(rule_id: str) -> tuple[str, tuple[str, ...]]:
    """Return the page of a rule, "" for none, and its tags."""
    from sirdab.review import rules

    rule = rules.rule_named(rule_id)
    return ("", ()) if rule is None else (rules.page_of(rule_id), tuple(rule.tags))


def _announced(capabilities: types.ClientCapabilities, name: str) -> Any:
    for place in _ANNOUNCED:
        found = get_capability(capabilities, f"{place}.{name}")
        if found is not None:
            return found
    return None
