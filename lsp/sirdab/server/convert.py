"""To and from LSP types. Everything behind this module speaks of points and plain strings."""

import math
import re
from enum import Enum
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from sirdab.completion.request import Outcome, Selected, Suggestion, Trigger
from sirdab.text.document import Change, Range, Snapshot
from sirdab.text.positions import Encoding, to_point, to_units
from sirdab.text.store import Point

ACCEPT_COMMAND = "sirdab.accept"

SCHEMES = frozenset({"file", "untitled", "vscode-notebook-cell"})
"""Schemes of the URIs of documents that are served."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DOTS = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)")


def document_key(uri: str) -> str | None:
    """Return what a document is filed under, or None when its URI is not one we serve.

    Clients spell one document's URI in several ways (`c%3A` and `c:`), so the key is the
    decoded form. Not served: other schemes, a `file:` URI of another host (on Windows
    opening one sends the user's credentials there), and paths with control characters or
    parent steps, which no editor sends and ignore rules could be walked around with.

    Args:
        uri: As the client spells it.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme not in SCHEMES or _CONTROL.search(uri):
        return None
    path = unquote(parts.path)
    if _CONTROL.search(path) or _DOTS.search(path):
        return None
    if parts.scheme == "file":
        host = parts.netloc.lower()
        if host not in ("", "localhost") or path.startswith(("//", "\\", "/\\")):
            return None
        return f"file://{path}"
    return f"{parts.scheme}:{unquote(parts.netloc)}{path}?{parts.query}#{parts.fragment}"


def folder_path(uri: str) -> str | None:
    """Return the absolute path of a workspace folder, or None when it is not on disk here."""
    key = document_key(uri)
    if key is None or not key.startswith("file://"):
        return None
    path = key.removeprefix("file://")
    # "/C:/x" is the path of "file:///C:/x" on Windows.
    return path[1:] if re.match(r"/[A-Za-z]:", path) else path


def encoding_of(kind: str) -> Encoding:
    """Return our encoding for the one that was agreed on at `initialize`."""
    return Encoding(str(kind.value) if isinstance(kind, types.PositionEncodingKind) else kind)


def point_of(snapshot: Snapshot, position: types.Position, encoding: Encoding) -> Point:
    """Return a position as a point, clamped to the document."""
    return to_point(snapshot.text, position.line, position.character, encoding)


def changes_of(params: types.DidChangeTextDocumentParams) -> list[Change]:
    """Return the content changes in the order in which they apply."""
    found: list[Change] = []
    for change in params.content_changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = change.range.start, change.range.end
            span = Range(start.line, start.character, end.line, end.character)
            found.append(Change(span, change.text))
        else:
            found.append(Change(None, change.text))
    return found


def trigger_of(kind: types.InlineCompletionTriggerKind) -> Trigger:
    """Return why the editor asks."""
    if kind is types.InlineCompletionTriggerKind.Invoked:
        return Trigger.INVOKED
    return Trigger.AUTOMATIC


def selected_of(
    info: types.SelectedCompletionInfo | None, snapshot: Snapshot, encoding: Encoding
) -> Selected | None:
    """Return the selected item of the editor's completion list.

    None as well for a range that no item may have, over several lines or back to front:
    Neovim sends the visual selection here.
    """
    if info is None:
        return None
    start = point_of(snapshot, info.range.start, encoding)
    stop = point_of(snapshot, info.range.end, encoding)
    if start.line != stop.line or start > stop:
        return None
    return Selected(start, stop, info.text)


def range_of(snapshot: Snapshot, start: Point, stop: Point, encoding: Encoding) -> types.Range:
    """Return the range between two points."""
    first = to_units(snapshot.text, start, encoding)
    last = to_units(snapshot.text, stop, encoding)
    return types.Range(types.Position(*first), types.Position(*last))


def accept_command(suggestion: Suggestion) -> types.Command:
    """Return the command by which the editor tells that a suggestion was taken whole."""
    return types.Command("Accept", ACCEPT_COMMAND, arguments=[suggestion.id, "full"])


def inline_list(
    outcome: Outcome, snapshot: Snapshot, encoding: Encoding
) -> types.InlineCompletionList | None:
    """Return the suggestions as ghost text, or None when there are none."""
    if not outcome.suggestions:
        return None
    return types.InlineCompletionList(
        [
            types.InlineCompletionItem(
                insert_text=suggestion.text,
                range=range_of(snapshot, suggestion.start, suggestion.stop, encoding),
                command=accept_command(suggestion),
            )
            for suggestion in outcome.suggestions
        ]
    )


def client_commands(experimental: Any) -> frozenset[str]:
    """Return the commands that a client says it carries out itself.

    Args:
        experimental: What it announces, `{"sirdab": {"clientCommands": […]}}`; of any shape,
            and objects are whatever the converter has made of them.
    """
    names = _member(_member(experimental, "sirdab"), "clientCommands")
    if not isinstance(names, list | tuple):
        return frozenset()
    return frozenset(name for name in cast("list[Any]", names) if isinstance(name, str))


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(name)
    return getattr(value, name, None)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; what it cannot hold becomes its string."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {str(key): plain(item) for key, item in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in cast("list[Any]", value)]
    return str(value)
