"""`textDocument/didOpen`."""

from lsprotocol import types

from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, params: types.DidOpenTextDocumentParams) -> None:
    """Take the document, and get the model ready when it is the first."""
    was_wanted = ls.session.wants_model
    # A client may open one anew without having closed it; what was known of places in it is past.
    ls.lifecycle.closed(params.text_document.uri)
    ls.session.open(params.text_document)
    ls.reviews.opened(params.text_document.uri)
    ls.context.opened(params.text_document.uri)
    if not was_wanted:
        ls.wake()
