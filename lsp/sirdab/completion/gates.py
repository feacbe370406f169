"""The checks a request passes before any text is prepared for a model.

They run from the cheapest to the dearest, and each refusal has a reason of its own, because
"why is there nothing?" is the question users of other tools never get answered.
"""

import re
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sirdab.completion.request import CompletionRequest, Reason, Trigger
from sirdab.policy import limits
from sirdab.policy.uris import judged_paths
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.policy.ignore import ExclusionRules

# Text right of the cursor that a suggestion may stand in front of while typing: closing
# brackets and quotes and a last separator (the rule of GitHub Copilot's client library).
_CLOSERS_ONLY = re.compile(r"\s*[)>}\]\"'`]*\s*[:{;,]?\s*$")
# Lines from the top that are looked at for signs of binary content.
_SNIFFED_LINES = 16
# Fewer characters than this before the cursor say nothing about what comes next.
_LEAST_CONTEXT = 3
# Lines above the cursor that are looked at for it, and from the top of the document where those are
# blank: more of them take milliseconds with every key.
_NEAR_LINES = 200
_TOP_LINES = 64


class Refusal(NamedTuple):
    """A gate's no."""

    reason: Reason
    detail: str


Gate = Callable[[CompletionRequest, "Rules"], Refusal | None]


class Rules:
    """Asks the policy rooms, which are imported when they are first needed."""

    def __init__(self) -> None:
        # The rules for the settings and folders of the last request, which seldom change.
        self._key: tuple[tuple[str, ...], tuple[str, ...]] | None = None
        self._exclusions: ExclusionRules | None = None

    def excluded_by(self, request: CompletionRequest) -> str | None:
        """Return the rule that excludes the document, or None."""
        return self._rule_for(request.snapshot, request)

    def may_be_read(self, other: Snapshot, request: CompletionRequest) -> bool:
        """Whether another document than the request's own may be looked at for it."""
        text = other.text
        return (
            not other.suspect
            and text.char_count <= limits.MAX_DOCUMENT_CHARACTERS
            and not limits.looks_binary("".join(text.lines(0, _SNIFFED_LINES)))
            and self._rule_for(other, request) is None
        )

    def _rule_for(self, snapshot: Snapshot, request: CompletionRequest) -> str | None:
        paths = judged_paths(snapshot.uri)
        if not paths:
            return None
        key = (request.settings.privacy.exclude, request.workspace_folders)
        if self._exclusions is None or self._key != key:
            from sirdab.policy.ignore import ExclusionRules

            self._key, self._exclusions = key, ExclusionRules(*key)
        return next(filter(None, map(self._exclusions.is_excluded, paths)), None)


def only_closers(rest_of_line: str) -> bool:
    """Whether nothing but closing brackets, quotes and a separator follows on the line."""
    return _CLOSERS_ONLY.match(rest_of_line) is not None


def _enabled(request: CompletionRequest, rules: Rules) -> Refusal | None:
    del rules
    if request.switched_off:
        return Refusal(Reason.DISABLED, request.switched_off)
    if request.settings.completion.enabled:
        return None
    return Refusal(Reason.DISABLED, "Ghost text is off; set completion.enabled to true.")


def _language(request: CompletionRequest, rules: Rules) -> Refusal | None:
    del rules
    language = request.snapshot.language_id
    if language not in request.settings.completion.disabled_languages:
        return None
    return Refusal(
        Reason.LANGUAGE_DISABLED, f"{language} is listed in completion.disabledLanguages."
    )


def _document(request: CompletionRequest, rules: Rules) -> Refusal | None:
    del rules
    snapshot = request.snapshot
    if snapshot.suspect:
        return Refusal(Reason.UNSUPPORTED_DOCUMENT, snapshot.suspect)
    if snapshot.text.char_count > limits.MAX_DOCUMENT_CHARACTERS:
        return Refusal(
            Reason.TOO_LARGE,
            f"The document has more than {limits.MAX_DOCUMENT_CHARACTERS:,} characters.",
        )
    body = snapshot.text.line_body(request.point.line)
    if len(body) > limits.MAX_LINE_CHARACTERS:
        return Refusal(
            Reason.TOO_LARGE, f"The line has more than {limits.MAX_LINE_CHARACTERS:,} characters."
        )
    # A NUL near the start of the file, or on the line itself.
    if "\0" in body or limits.looks_binary("".join(snapshot.text.lines(0, _SNIFFED_LINES))):
        return Refusal(Reason.UNSUPPORTED_DOCUMENT, "The document looks binary.")
    return None


def _mid_line(request: CompletionRequest, rules: Rules) -> Refusal | None:
    del rules
    if request.trigger is Trigger.INVOKED or request.selected is not None:
        return None
    rest = request.snapshot.text.line_body(request.point.line)[request.point.column :]
    if only_closers(rest):
        return None
    return Refusal(
        Reason.MID_WORD,
        "There is code right of the cursor; ask for a suggestion explicitly to fill in there.",
    )


def _context(request: CompletionRequest, rules: Rules) -> Refusal | None:
    del rules
    text, point = request.snapshot.text, request.point
    size = len(text.line_body(point.line)[: point.column].strip())
    near = max(point.line - _NEAR_LINES, 0)
    above = range(point.line - 1, near - 1, -1)
    for line in chain(above, range(min(near, _TOP_LINES))):
        if size >= _LEAST_CONTEXT:
            break
        size += len(text.line_body(line).strip())
    if size >= _LEAST_CONTEXT:
        return None
    return Refusal(Reason.NO_CONTEXT, "There is too little text before the cursor to go by.")


def _excluded(request: CompletionRequest, rules: Rules) -> Refusal | None:
    rule = rules.excluded_by(request)
    if rule is None:
        return None
    return Refusal(Reason.EXCLUDED, f"The file is excluded by {rule}; it is never read.")


def _secret(request: CompletionRequest, rules: Rules) -> Refusal | None:
    del rules
    from sirdab.policy.secrets import is_inside_secret

    text = request.snapshot.text
    if not is_inside_secret(text.line_body, text.line_count, request.point.line):
        return None
    return Refusal(Reason.SECRET, "The line holds what looks like a secret, or a part of one.")


def _scope(request: CompletionRequest, rules: Rules) -> Refusal | None:
    del rules
    disabled = request.settings.completion.disabled_scopes
    if not disabled:
        return None
    from sirdab.syntax.scopes import scope_at

    scope = scope_at(request.snapshot.text, request.snapshot.language_id, request.point)
    if scope not in disabled:
        return None
    return Refusal(Reason.SCOPE_DISABLED, f"completion.disabledScopes turns it off in a {scope}.")


GATES: tuple[tuple[str, Gate], ...] = (
    ("enabled", _enabled),
    ("language", _language),
    ("document", _document),
    ("mid-line", _mid_line),
    ("context", _context),
    ("excluded", _excluded),
    ("secret", _secret),
    ("scope", _scope),
)


def check(request: CompletionRequest, rules: Rules) -> tuple[str, Refusal] | None:
    """Return the name and the refusal of the first gate that is shut, or None."""
    for name, gate in GATES:
        refusal = gate(request, rules)
        if refusal is not None:
            return name, refusal
    return None


def verdicts(request: CompletionRequest, rules: Rules) -> dict[str, str]:
    """Return what every gate says, by its name: "open", or why it is shut."""
    found: dict[str, str] = {}
    for name, gate in GATES:
        refusal = gate(request, rules)
        found[name] = "open" if refusal is None else refusal.detail
    return found
