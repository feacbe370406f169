"""`workspace/didChangeWorkspaceFolders`: where ignore files are looked up."""

from lsprotocol import types

from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Take the folders that came and went."""
    ls.session.change_folders(
        [folder.uri for folder in params.event.added],
        [folder.uri for folder in params.event.removed],
    )
