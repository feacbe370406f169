"""`workspace/didChangeWatchedFiles`: files that the index of the workspace knows are others now."""

from lsprotocol import types

from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Read again what was written, and forget what was removed."""
    ls.context.files_changed([change.uri for change in params.changes])
