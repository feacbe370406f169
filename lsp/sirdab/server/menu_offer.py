"""Offers the completion menu to the client, and takes the offer back.

What `initialize` says is settled for the whole session. A setting that arrives later can only be
followed by registering (LSP 3.18, "client/registerCapability"), where the client knows how to.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.server import convert, greeting

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer

_ID = "sirdab-completion"
_DYNAMIC = "text_document.completion.dynamic_registration"


class MenuOffer:
    """Whether the client may ask for the menu.

    Attributes:
        static: It was offered at `initialize`, so it cannot be taken back.
    """

    def __init__(self, ls: "SirdabServer") -> None:
        """Start without an offer."""
        self._ls = ls
        self.static = False
        self._registered = False
        self._told = False
        # Two settings in a row must not overtake each other on their way to the client.
        self._lock = asyncio.Lock()

    def begin(self, _: types.InitializeParams, capabilities: dict[str, Any]) -> None:
        """Take what `initialize` is answered with."""
        self.static = "completionProvider" in capabilities

    def follow(self) -> None:
        """Make the offer fit the settings in force, in the background."""
        if not self.static:
            self._ls.spawn(self._follow())

    async def _follow(self) -> None:
        async with self._lock:
            wanted = self.wanted
            if wanted == self._registered:
                return
            if not get_capability(self._ls.session.capabilities, _DYNAMIC):
                self._tell()
            elif wanted:
                await self._register()
            else:
                await self._unregister()

    @property
    def wanted(self) -> bool:
        """Whether the settings in force want the menu for this client."""
        session = self._ls.session
        inline = get_capability(session.capabilities, "text_document.inline_completion")
        return greeting.menu_is_offered(session.settings.completion.menu, inline is not None)

    async def _register(self) -> None:
        options = types.CompletionRegistrationOptions(
            # A client may serve no document at all when no selector is given.
            document_selector=[
                types.TextDocumentFilterScheme(scheme=scheme) for scheme in sorted(convert.SCHEMES)
            ],
            trigger_characters=list(greeting.MENU_TRIGGERS),
        )
        registration = types.Registration(_ID, types.TEXT_DOCUMENT_COMPLETION, options)
        await self._ls.ask_client(
            types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams([registration])
        )
        self._registered = True

    async def _unregister(self) -> None:
        registration = types.Unregistration(_ID, types.TEXT_DOCUMENT_COMPLETION)
        await self._ls.ask_client(
            types.CLIENT_UNREGISTER_CAPABILITY, types.UnregistrationParams([registration])
        )
        self._registered = False

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._ls.log(
                "This editor can be offered the completion menu at its start only; set "
                "completion.menu in initializationOptions or in config.toml and restart it."
            )
