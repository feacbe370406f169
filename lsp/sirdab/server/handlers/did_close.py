"""`textDocument/didClose`."""

from lsprotocol import types

from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, params: types.DidCloseTextDocumentParams) -> None:
    """Forget the document and what is being worked on for it."""
    ls.lifecycle.closed(params.text_document.uri)
    last = ls.session.snapshot(params.text_document.uri)
    uri = ls.session.close(params.text_document.uri)
    ls.reviews.closed(params.text_document.uri)
    engine = ls.engine_if_ready()
    if last is not None:
        ls.context.closed(last)
    if uri is not None:
        ls.warm_up.closed(uri)
        ls.speculation.closed(uri)
    if uri is not None and engine is not None:
        engine.forget(uri)
