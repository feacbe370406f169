"""`workspace/didRenameFiles`: what is dismissed in a file stays so under its new name."""

from collections.abc import Awaitable

from lsprotocol import types

from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, params: types.RenameFilesParams) -> Awaitable[None]:
    """Take the new names."""
    return ls.reviews.renamed([(file.old_uri, file.new_uri) for file in params.files])
