"""What the commands that ask a model share: settings, the engine and its end."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sirdab.config.schema import Settings
from sirdab.config.settings import load_user_source, resolve

if TYPE_CHECKING:
    from rich.console import Console

    from sirdab.completion.engine import Engine
    from sirdab.endpoint.select import EndpointManager


def console(*, stderr: bool = False) -> "Console":
    """Return a console that prints plainly when it is not a terminal."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def user_settings(
    *, url: str | None = None, model: str | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """Read the user's own settings and apply what the command line says.

    Returns:
        The settings and the problems met in the configuration file, one sentence each.
    """
    source, problems = load_user_source()
    resolved = resolve([source] if source else [])
    settings = resolved.settings
    endpoint = settings.endpoint
    if url is not None:
        endpoint = replace(endpoint, url=url)
    if model is not None:
        endpoint = replace(endpoint, model=model)
    return replace(settings, endpoint=endpoint), (*problems, *resolved.problems)


@asynccontextmanager
async def engine(
    settings: Settings, on_state: Callable[[str], None] | None = None
) -> "AsyncGenerator[tuple[Engine, EndpointManager]]":
    """Make an engine for one command and close what it opened.

    Args:
        settings: The settings in force.
        on_state: Told in one sentence what keeps the endpoint from answering.
    """
    from sirdab.completion.engine import Engine
    from sirdab.endpoint.select import EndpointManager, EndpointState
    from sirdab.policy.audit import AuditTrail, default_path

    def tell(state: EndpointState) -> None:
        # That it works, and works again, is seen from what it answers.
        if on_state is not None and state.state not in ("ready", "busy"):
            on_state(state.message)

    manager = EndpointManager(lambda: settings, tell)
    try:
        yield Engine(manager, audit=AuditTrail(default_path())), manager
    finally:
        await manager.aclose()
