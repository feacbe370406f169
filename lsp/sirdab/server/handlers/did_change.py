"""`textDocument/didChange`."""

import logging

from lsprotocol import types

from sirdab.server import convert
from sirdab.server.language_server import SirdabServer

_log = logging.getLogger(__name__)


def handle(ls: SirdabServer, params: types.DidChangeTextDocumentParams) -> None:
    """Apply the changes now, so that the next message sees them."""
    document = params.text_document
    before, changes = ls.session.snapshot(document.uri), convert.changes_of(params)
    if before is None or not ls.session.change(document.uri, document.version, changes):
        # Editors send this for documents of kinds that are not served; nothing is wrong.
        _log.info("ignored a change of a document that is not open")
        return
    ls.warm_up.edited(before.uri)
    ls.edited(before, changes)
    ls.context.changed(before.uri, changes)
    ls.reviews.changed(document.uri)
