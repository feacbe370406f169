"""What the NAME of `sirdab model` commands means: the catalog's, a file's or a server's model."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sirdab.cli import runtime
from sirdab.cli.model_rows import find_served
from sirdab.models import store
from sirdab.models.catalog import Downloadable, model_named, suggestion_for
from sirdab.models.errors import ModelError

if TYPE_CHECKING:
    from sirdab.cli.servers import FoundServer
    from sirdab.config.schema import Settings
    from sirdab.endpoint.base import ServedModel


@dataclass(frozen=True, slots=True)
class Meant:
    """What a name means; exactly one of the three is there.

    Attributes:
        downloadable: A model of the catalog.
        path: The file of a model, absolute.
        served: A server, and its model.
    """

    downloadable: Downloadable | None = None
    path: Path | None = None
    served: "tuple[FoundServer, ServedModel] | None" = None

    @property
    def key(self) -> str:
        """The name under which it is pinned and written down."""
        if self.downloadable is not None:
            return self.downloadable.id
        if self.served is not None:
            server, model = self.served
            return f"{server.kind}:{model.name}"
        return str(self.path)


def meant_by(name: str) -> Meant:
    """Return what a name means; servers are asked only where it is no other's.

    Raises:
        click.UsageError: It means nothing here.
        click.ClickException: It is the path of a file that is not there.
    """
    known = model_named(name)
    if known is not None:
        return Meant(downloadable=known)
    if store.looks_like_path(name) and store.is_file(path := Path(runtime.model_name(name))):
        return Meant(path=path)
    # Names of servers may hold slashes too ("Qwen/Qwen2.5-Coder-7B").
    servers = servers_now()
    served = find_served(name, servers)
    if served is not None:
        return Meant(served=served)
    if store.looks_like_path(name) and not any(server.models for server in servers):
        raise click.ClickException(f"There is no model file {runtime.model_name(name)}.")
    raise unknown(name, servers)


def catalog_model(name: str) -> Downloadable:
    """Return the model of the catalog that a name means.

    Raises:
        click.UsageError: None is named so.
    """
    model = model_named(name)
    if model is None:
        raise unknown(name)
    return model


def name_in_use(settings: "Settings") -> str:
    """Return the name of the model that is used now.

    Raises:
        click.UsageError: That cannot be told without a name.
    """
    chosen = settings.endpoint.model
    if chosen != store.AUTO:
        return chosen
    if not settings.endpoint.is_auto:
        raise click.UsageError(
            "The server of endpoint.url chooses the model; say which one is meant: see "
            "sirdab model list."
        )
    try:
        return store.find(chosen).name
    except ModelError as error:
        raise click.ClickException(error.message) from error


def servers_now() -> "tuple[FoundServer, ...]":
    """Return the servers that answer at this moment."""
    from sirdab.cli.servers import find_servers

    settings, _ = runtime.user_settings()
    return asyncio.run(find_servers(settings))


def unknown(name: str, servers: "tuple[FoundServer, ...]" = ()) -> click.UsageError:
    """Return the error for a name that means nothing."""
    theirs = [model.name for server in servers for model in server.models]
    if theirs:
        return click.UsageError(
            f'There is no model "{name}", neither in the catalog nor on a server that answers; '
            "see: sirdab model list"
        )
    return click.UsageError(f'There is no model "{name}"; {suggestion_for(name)}')
