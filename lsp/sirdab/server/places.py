"""Documents and ranges as commands name them."""

from typing import TYPE_CHECKING, Any, cast

from sirdab.server.jsonrpc import Code
from sirdab.server.protocol import RequestError
from sirdab.text.document import Snapshot
from sirdab.text.positions import to_point
from sirdab.text.store import Point

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer


def snapshot_of(ls: "SirdabServer", uri: str) -> Snapshot:
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
    ls: "SirdabServer", snapshot: Snapshot, value: Any, command: str
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
