"""The commands that review code: of a document, of the workspace, and what is dismissed of it."""

from collections.abc import Awaitable
from typing import Any, cast

from lsprotocol import types

from sirdab.server.jsonrpc import Code
from sirdab.server.language_server import SirdabServer
from sirdab.server.protocol import RequestError
from sirdab.text.document import Snapshot
from sirdab.text.positions import to_point
from sirdab.text.store import Point


def review_document(ls: SirdabServer, arguments: list[Any]) -> Awaitable[dict[str, int]]:
    """Review an open document, or a range of it: `[{"uri": …, "range"?: …}]`."""
    match arguments:
        case [{"uri": str(uri), **more}]:
            snapshot = snapshot_of(ls, uri)
        case _:
            raise RequestError(
                Code.INVALID_PARAMS,
                'sirdab.reviewDocument takes an object with "uri", and "range" for a part.',
            )
    lines: tuple[int, int] | None = None
    if more.get("range") is not None:
        start, stop = points_of(ls, snapshot, more["range"], "sirdab.reviewDocument")
        last = stop.line - 1 if stop.column == 0 and stop.line > start.line else stop.line
        lines = start.line, last
    return ls.reviews.review_document(snapshot, lines, ls.protocol.dispatched.progress)


def review_workspace(ls: SirdabServer, arguments: list[Any]) -> Awaitable[dict[str, int]]:
    """Review the code of the workspace's folders."""
    del arguments
    return ls.reviews.review_workspace(ls.protocol.dispatched.progress)


def dismiss(ls: SirdabServer, arguments: list[Any]) -> Awaitable[None]:
    """Do not show a finding again: `[fingerprint, "finding" | "rule-here" | "rule", uri?]`."""
    match arguments:
        case [str(fingerprint), ("finding" | "rule-here" | "rule") as scope]:
            return ls.reviews.dismiss(fingerprint, scope)
        case [str(fingerprint), ("finding" | "rule-here" | "rule") as scope, str(uri)]:
            return ls.reviews.dismiss(fingerprint, scope, uri)
        case _:
            raise RequestError(
                Code.INVALID_PARAMS,
                'sirdab.dismiss takes the fingerprint of a finding, "finding", "rule-here" or '
                '"rule", and the URI of the document if it is known.',
            )


def cancel_progress(ls: SirdabServer, params: types.WorkDoneProgressCancelParams) -> None:
    """Stop what the user has cancelled in the editor's display of progress."""
    ls.work_shown.cancel(params.token)


def snapshot_of(ls: SirdabServer, uri: str) -> Snapshot:
    """Return an open document.

    Raises:
        RequestError: It is not open.
    """
    snapshot = ls.session.snapshot(uri)
    if snapshot is None:
        raise RequestError(
            Code.REQUEST_FAILED, "The document is not open, or of a kind that is not served."
        )
    return snapshot


def points_of(
    ls: SirdabServer, snapshot: Snapshot, value: Any, command: str
) -> tuple[Point, Point]:
    """Read a range of a command's arguments, in order and clamped to the document.

    Raises:
        RequestError: It is no range.
    """
    match value:
        case {
            "start": {"line": int(line), "character": int(character)},
            "end": {"line": int(end_line), "character": int(end_character)},
        }:
            encoding, text = ls.session.encoding, snapshot.text
            points = (
                to_point(text, line, character, encoding),
                to_point(text, end_line, end_character, encoding),
            )
            return cast("tuple[Point, Point]", tuple(sorted(points)))
        case _:
            raise RequestError(Code.INVALID_PARAMS, f"{command} was given a range that is none.")
