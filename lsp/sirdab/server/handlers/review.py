"""The commands that review code: of a document, of the workspace, and what is dismissed of it."""

from collections.abc import Awaitable
from typing import Any

from lsprotocol import types

from sirdab.server.jsonrpc import Code
from sirdab.server.language_server import SirdabServer
from sirdab.server.places import points_of, snapshot_of
from sirdab.server.protocol import RequestError


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


def restore_dismissed(ls: SirdabServer, arguments: list[Any]) -> Awaitable[dict[str, int]]:
    """Show again what has been dismissed, in a document or anywhere: `[uri?]`."""
    match arguments:
        case []:
            return ls.reviews.restore()
        case [str(uri)] if uri:
            return ls.reviews.restore(uri)
        case _:
            raise RequestError(
                Code.INVALID_PARAMS,
                "sirdab.restoreDismissed takes nothing, or the URI of an open document.",
            )


def cancel_progress(ls: SirdabServer, params: types.WorkDoneProgressCancelParams) -> None:
    """Stop what the user has cancelled in the editor's display of progress."""
    ls.work_shown.cancel(params.token)
