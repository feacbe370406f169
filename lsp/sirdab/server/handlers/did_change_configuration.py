"""`workspace/didChangeConfiguration`, and asking the client for its settings."""

from typing import Any, cast

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.config.schema import Settings
from sirdab.server.configuration import SECTION
from sirdab.server.language_server import SirdabServer
from sirdab.server.logs import set_trace


def handle(ls: SirdabServer, params: types.DidChangeConfigurationParams) -> None:
    """Take settings that were sent along, then ask for the rest."""
    before = ls.session.settings
    ls.session.configuration.push(params.settings)
    apply(ls, before)
    ls.spawn(refresh(ls))


async def refresh_and_register(ls: SirdabServer) -> None:
    """Ask for the settings as they are, which requests wait for, then to be told of changes."""
    await refresh(ls)
    ls.configured()
    capabilities = ls.session.capabilities
    if get_capability(capabilities, "workspace.did_change_configuration.dynamic_registration"):
        registration = types.Registration(
            id="sirdab-configuration",
            method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
            register_options=types.DidChangeConfigurationRegistrationOptions(section=SECTION),
        )
        await ls.ask_client(
            types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams([registration])
        )


async def refresh(ls: SirdabServer) -> None:
    """Ask for the settings where the client can be asked, and tell what is wrong with them."""
    before = ls.session.settings
    if get_capability(ls.session.capabilities, "workspace.configuration"):
        answer: Any = await ls.ask_client(
            types.WORKSPACE_CONFIGURATION,
            types.ConfigurationParams([types.ConfigurationItem(section=SECTION)]),
        )
        if isinstance(answer, list | tuple) and answer:
            ls.session.configuration.pull(cast("list[Any]", answer)[0])
    apply(ls, before)
    ls.report_settings_problems()


def apply(ls: SirdabServer, before: Settings) -> None:
    """Put settings into force that are not read at each request."""
    settings = ls.session.settings
    set_trace(settings.trace)
    ls.switch()
    if settings != before:
        # A document may be excluded now.
        ls.warm_up.stop()
        ls.speculation.stop()
    ls.reviews.configured(before)
    ls.menu.follow()
    if settings.endpoint != before.endpoint or settings.completion != before.completion:
        ls.wake()
