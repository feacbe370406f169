"""`sirdab/didMoveCursor`: the cursor is somewhere else now."""

from lsprotocol import types

from sirdab.server.language_server import SirdabServer

METHOD = "sirdab/didMoveCursor"


def handle(ls: SirdabServer, params: types.TextDocumentPositionParams) -> None:
    """Stop working on what nobody looks at any more."""
    ls.session.moved(params.text_document.uri, params.position)
