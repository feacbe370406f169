"""What the commands that ask a model share: settings, the engine and its end."""

import json
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sirdab.config.schema import Settings
from sirdab.config.settings import load_user_source, resolve

if TYPE_CHECKING:
    from rich.console import Console

    from sirdab.completion.context import ContextSource
    from sirdab.completion.engine import Engine
    from sirdab.endpoint.select import EndpointManager


def console(*, stderr: bool = False) -> "Console":
    """Return a console that prints plainly when it is not a terminal."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def output_encoding() -> str:
    """Return the encoding of what is printed."""
    return getattr(sys.stdout, "encoding", None) or "ascii"


def echo_json(value: object) -> None:
    """Print a value as JSON, with escapes where the output's encoding has not all characters."""
    encoding = output_encoding().lower().replace("-", "")
    click.echo(json.dumps(value, ensure_ascii=not encoding.startswith("utf"), indent=2))


def user_settings(
    *, url: str | None = None, model: str | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """Read the user's own settings and apply what the command line says.

    Args:
        url: Address of the model server.
        model: Model, as it was written on the command line.

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
        endpoint = replace(endpoint, model=model_name(model))
    return replace(settings, endpoint=endpoint), (*problems, *resolved.problems)


def model_name(written: str) -> str:
    """Return a model's name, or its whole path: on a command line a relative one is meant."""
    from sirdab.models.store import looks_like_path

    if not looks_like_path(written):
        return written
    path = Path(written)
    # The home of a user who does not exist is left as it is written, and then not found.
    with suppress(RuntimeError):
        path = path.expanduser()
    return str(path.absolute())


@asynccontextmanager
async def engine(
    settings: Settings,
    on_state: Callable[[str], None] | None = None,
    context: "ContextSource | None" = None,
) -> "AsyncGenerator[tuple[Engine, EndpointManager]]":
    """Make an engine for one command and close what it opened.

    Args:
        settings: The settings in force.
        on_state: Told in one sentence what is being done so that the endpoint will answer.
        context: Holds what is shown from beyond the document; None for nothing.
    """
    from sirdab.completion.engine import Engine
    from sirdab.completion.speeds import Speeds
    from sirdab.endpoint.select import EndpointManager, EndpointState
    from sirdab.models import speeds
    from sirdab.policy.audit import AuditTrail, default_path

    def tell(state: EndpointState) -> None:
        # That it works is seen from what it answers, and that it fails is said as an error.
        if on_state is not None and state.state == "starting":
            on_state(state.message)

    manager = EndpointManager(lambda: settings, tell)
    known = Speeds(speeds.default_path())
    engine = Engine(
        manager,
        audit=AuditTrail(default_path()),
        context=context,
        speeds=known,
        # Who asks on a command line wants to know what the model says, or that it does not.
        copies=False,
    )
    try:
        yield engine, manager
    finally:
        engine.clear()
        engine.save()
        await manager.aclose()
