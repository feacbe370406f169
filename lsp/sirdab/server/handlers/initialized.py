"""`initialized`: the client is listening, so everything that takes time begins here."""

from lsprotocol import types

from sirdab.server.handlers import did_change_configuration
from sirdab.server.language_server import SirdabServer


def handle(ls: SirdabServer, _: types.InitializedParams) -> None:
    """Start the engine, and get the settings that only the client can tell."""
    if ls.start():
        ls.spawn(did_change_configuration.refresh_and_register(ls))
