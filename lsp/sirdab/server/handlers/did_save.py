"""`textDocument/didSave`: a chance to notice that client and server hold different texts."""

from lsprotocol import types

from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, params: types.DidSaveTextDocumentParams) -> None:
    """Take the saved text where ours differs from it."""
    ls.session.saved(params.text_document.uri, params.text)
    ls.reviews.saved(params.text_document.uri)
    ls.context.saved(params.text_document.uri)
