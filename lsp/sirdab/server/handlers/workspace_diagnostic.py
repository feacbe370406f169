"""`workspace/diagnostic`: what is known of all documents, and then what becomes news."""

from typing import Any

from lsprotocol import types

from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, params: types.WorkspaceDiagnosticParams) -> Any:
    """Answer from what is known at this place of the stream, or when there is news."""
    return ls.reviews.publisher.workspace.report(params)
