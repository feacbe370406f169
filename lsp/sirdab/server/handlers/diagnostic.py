"""`textDocument/diagnostic`: what is known of a document, at once; nothing is asked for it."""

from typing import Any

from lsprotocol import types

from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, params: types.DocumentDiagnosticParams) -> Any:
    """Answer from what is known at this place of the stream."""
    return ls.reviews.publisher.document_report(params.text_document.uri, params.previous_result_id)
