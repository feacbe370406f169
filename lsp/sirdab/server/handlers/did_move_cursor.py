"""`sirdab/didMoveCursor`: the cursor is somewhere else now."""

from lsprotocol import types

from sirdab.completion.request import Trigger
from sirdab.server.language_server import SirdabServer

METHOD = "sirdab/didMoveCursor"


def handle(ls: SirdabServer, params: types.TextDocumentPositionParams) -> None:
    """Stop working on what nobody looks at any more, and read ahead where the cursor is."""
    uri, position = params.text_document.uri, params.position
    ls.session.moved(uri, position)
    request = ls.session.completion_request(uri, position, Trigger.INVOKED)
    if request is not None:
        ls.lifecycle.moved(uri, request.point)
        ls.left(request)
        ls.speculation.moved(request)
        ls.warm_up.moved(request)
