"""`sirdab/didShow`: the client has shown a suggestion."""

from typing import Any, cast

from sirdab.server.language_server import SirdabServer

METHOD = "sirdab/didShow"


def handle(ls: SirdabServer, params: Any) -> None:
    """Count it; the counts never leave this machine."""
    if isinstance(params, dict):
        id_ = cast("dict[str, Any]", params).get("id")
        if isinstance(id_, str):
            ls.session.tally.shown(id_)
            ls.lifecycle.shown(id_)
