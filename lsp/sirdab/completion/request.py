"""What goes into the engine and what comes out of it: frozen values, no behaviour."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sirdab.config.schema import Settings
from sirdab.models.catalog import Layout
from sirdab.text.document import Snapshot
from sirdab.text.store import Point


class Trigger(StrEnum):
    """Why the editor asks (LSP 3.18, InlineCompletionTriggerKind)."""

    INVOKED = "invoked"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Selected:
    """The item selected in the editor's own completion list.

    A suggestion must extend `text` and replace the same range, or the editor hides it
    (LSP 3.18, SelectedCompletionInfo).
    """

    start: Point
    stop: Point
    text: str


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One request, bound to the state of the document when it was dispatched.

    Attributes:
        snapshot: The document.
        point: Where the cursor is, clamped to the document.
        trigger: Typed or asked for.
        settings: The settings in force.
        switched_off: The sentence that says which switch of the session keeps ghost text
            away; "" when none does.
        selected: The selected item of the completion list, if any.
        workspace_folders: Absolute paths that ignore files are looked up in.
        trusted: Whether the user trusts the workspace.
        alternatives: Most suggestions wanted, where one has been offered already.
        open_documents: The other open documents, the one that was edited last first. Not all of
            them may be read: see `sirdab.completion.gates.Rules.may_be_read`.
        neighbours: Files that are not open and lie near the document, as they are on the disk; code
            may be copied from them.
        asked: When it came, in seconds of `time.perf_counter`; None when nobody looked.
        just_accepted: Whether the suggestion before this one was accepted whole and nothing was
            typed since, so that a whole block may follow.
        layout: Prompt layout to use instead of the family's first one, for the benchmark.
    """

    snapshot: Snapshot
    point: Point
    trigger: Trigger
    settings: Settings
    switched_off: str = ""
    selected: Selected | None = None
    workspace_folders: tuple[str, ...] = ()
    trusted: bool = True
    alternatives: int = 1
    open_documents: tuple[Snapshot, ...] = ()
    neighbours: tuple[Snapshot, ...] = ()
    asked: float | None = None
    just_accepted: bool = False
    layout: Layout | None = None


class Reason(StrEnum):
    """Why there is, or is not, a suggestion. Stable names for `sirdab/explain`."""

    SUGGESTED = "suggested"
    DISABLED = "disabled"
    LANGUAGE_DISABLED = "language-disabled"
    SCOPE_DISABLED = "scope-disabled"
    UNSUPPORTED_DOCUMENT = "unsupported-document"
    TOO_LARGE = "too-large"
    EXCLUDED = "excluded"
    SECRET = "secret"  # noqa: S105 - the name of a reason, not a password
    MID_WORD = "mid-word"
    NO_CONTEXT = "no-context"
    ENDPOINT = "endpoint"
    EMPTY = "empty"
    NOT_REPRODUCED = "not-reproduced"
    DUPLICATE = "duplicate"
    REPETITION = "repetition"
    TOO_SHORT = "too-short"
    SYNTAX = "syntax"
    SUPERSEDED = "superseded"
    BACKED_OFF = "backed-off"
    INTERNAL = "internal"


class Source(StrEnum):
    """Where a suggestion comes from. Stable names for `sirdab/explain` and the metrics."""

    MODEL = "model"
    CACHE = "cache"
    IN_FLIGHT = "in-flight"
    """The model was writing it already when it was asked for."""
    SPECULATION = "speculation"
    """Written while the suggestion before it was on the screen."""
    COPY = "copy"
    """Copied from the open documents, without a model."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text to be offered in place of `start`..`stop`.

    Attributes:
        id: Unique in this process; names the suggestion in later notifications.
        text: What the range is replaced by, with the document's line ends.
        start: First point replaced.
        stop: End of the replaced range; always on the line of `start`.
    """

    id: str
    text: str
    start: Point
    stop: Point


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request.

    Attributes:
        reason: The verdict.
        detail: One sentence for a person.
        suggestions: Best first; empty unless `reason` is `SUGGESTED`.
        trace: What each stage decided, measured and cut, by stage name. Holds no source
            text beyond the suggestion unless the caller asked for the prompt.
    """

    reason: Reason
    detail: str
    suggestions: tuple[Suggestion, ...] = ()
    trace: dict[str, Any] = field(default_factory=dict[str, Any])
