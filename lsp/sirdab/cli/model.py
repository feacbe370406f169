"""`sirdab model`: the models on this machine, and fetching, choosing and keeping them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sirdab.cli import model_history, runtime
from sirdab.cli.model_names import Meant, catalog_model, meant_by, servers_now, unknown
from sirdab.cli.model_pull import fetch, key_for, source_names
from sirdab.models import journal, pins, store, versions
from sirdab.models.catalog import DEFAULT_MODEL, Downloadable, family_of, model_named
from sirdab.models.errors import ModelError
from sirdab.policy.sanitize import visible

if TYPE_CHECKING:
    from sirdab.cli.model_rows import Row
    from sirdab.cli.servers import FoundServer

__all__ = ["command", "fetch"]

_OLLAMA_PREFIX = "ollama:"


@click.group("model", short_help="List, fetch, choose and keep models.", no_args_is_help=True)
def command() -> None:
    """List, fetch, choose and keep models.

    Example: sirdab model list
    """


@command.command("list", epilog="Example: sirdab model list --json", short_help="List the models.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_models(as_json: bool) -> None:
    """List the models that Sirdab knows, other model files, and what model servers have."""
    from sirdab.cli.model_rows import rows_of

    settings, problems = runtime.user_settings()
    for problem in problems:
        click.echo(f"sirdab: {problem}", err=True)
    servers = servers_now()
    try:
        rows = rows_of(settings, servers)
    except ModelError as error:
        raise click.ClickException(error.message) from error
    if as_json:
        runtime.echo_json([row.as_dict() for row in rows])
        return
    _print_rows(rows)
    for server in servers:
        if server.problem:
            click.echo(f"  {visible(server.problem)}")
    click.echo('* is what is used now. "sirdab model pull NAME" fetches one.')


@command.command(
    "show",
    epilog="Example: sirdab model show qwen2.5-coder-0.5b",
    short_help="Print everything known of one model.",
)
@click.argument("name", metavar="NAME")
def show(name: str) -> None:
    """Print everything known of the model NAME."""
    meant = meant_by(name)
    try:
        facts = _facts(meant)
    except ModelError as error:
        raise click.ClickException(error.message) from error
    for key, value in facts.items():
        if value:
            # Servers and files of others tell some of it, and a terminal obeys control characters.
            click.echo(f"{key:<8} {visible(value)}")


@command.command(
    "pull",
    epilog=f"Example: sirdab model pull {DEFAULT_MODEL} --yes",
    short_help="Download a model, after asking.",
)
@click.argument("name", metavar="[NAME]", default=DEFAULT_MODEL)
@click.option("--yes", is_flag=True, help="Do not ask.")
def pull(name: str, yes: bool) -> int:
    """Download the model NAME, the default one when none is named.

    This is the only command that uses the network, and it sends nothing of yours. An interrupted
    download continues where it stopped. With "ollama:" before NAME, the server of Ollama on this
    machine downloads it into its own store, as in "sirdab model pull ollama:qwen2.5-coder:7b";
    without, it does so where endpoint.url names that server and the catalog does not know NAME.
    """
    model = model_named(name)
    if model is not None:
        return 0 if fetch(model, consent=yes) is not None else 1
    from sirdab.cli.model_pull import fetch_with_ollama

    server, wanted = _ollama_for(name)
    return 0 if fetch_with_ollama(server, wanted, consent=yes) else 1


@command.command(
    "use",
    epilog="Example: sirdab model use qwen2.5-coder-1.5b",
    short_help="Choose the model that is used.",
)
@click.argument("name", metavar="NAME")
def use(name: str) -> None:
    """Write NAME as endpoint.model into the user's configuration file.

    NAME is a model of "sirdab model list", the path of a GGUF file, a model of a server that
    answers, or "auto". The rest of the file stays as it is.
    """
    from sirdab.config.settings import config_path
    from sirdab.models.selection import select_model

    try:
        chosen, digest, size, source = _chosen(name)
        select_model(config_path(), chosen)
    except ModelError as error:
        raise click.ClickException(error.message) from error
    journal.record("use", chosen, digest=digest, size_bytes=size, source=source)
    click.echo(f'endpoint.model is now "{chosen}" in {config_path()}.')
    click.echo("Running editors take it when their language server is restarted.")


@command.command(
    "remove",
    epilog="Example: sirdab model remove qwen2.5-coder-0.5b",
    short_help="Delete a downloaded model.",
)
@click.argument("name", metavar="NAME")
@click.option("--all-versions", is_flag=True, help="Delete the earlier files that are kept, too.")
@click.option("--yes", is_flag=True, help="Do not ask before a server deletes a model of its own.")
def remove(name: str, all_versions: bool, yes: bool) -> None:
    """Delete the model NAME, or what was downloaded of it, from Sirdab's own store.

    Files of other programs are left alone; only with "ollama:" before NAME, and after asking, the
    server of Ollama is told to delete one of its own.
    """
    if name.startswith(_OLLAMA_PREFIX):
        _remove_of_ollama(name.removeprefix(_OLLAMA_PREFIX), consent=yes)
        return
    model = catalog_model(name)
    path = store.store_directory() / model.file
    removed: list[Path] = []
    digest = store.known_digest(path)
    size = path.stat().st_size if path.is_file() else 0
    try:
        for file in (path, path.with_name(f"{path.name}.part")):
            if file.is_file():
                file.unlink()
                removed.append(file)
        if all_versions:
            removed += versions.remove(store.previous_directory(), model.id)
            pins.remove_pin(model.id)
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or path} cannot be removed ({error.strerror or error}); "
            "close the editors that use it and try again."
        ) from error
    except ModelError as error:
        raise click.ClickException(error.message) from error
    for file in removed:
        click.echo(f"Removed {file}.")
    if not removed:
        raise click.ClickException(f"Model {model.id} is not in {path.parent}; nothing to remove.")
    journal.record("remove", model.id, digest=digest, size_bytes=size, source=str(path.parent))
    kept = store.earlier_versions(model)
    if kept:
        total = store.megabytes(sum(one.size_bytes for one in kept))
        click.echo(
            f"{len(kept)} earlier file(s) ({total}) are kept; to delete them, "
            f"run: sirdab model remove {model.id} --all-versions"
        )


command.add_command(model_history.pin)
command.add_command(model_history.rollback)
command.add_command(model_history.log)


def _print_rows(rows: "list[Row]") -> None:
    from rich.cells import cell_len

    cells = [
        # Servers and files of others are named by others, and a terminal obeys control characters.
        tuple(
            map(
                visible,
                (
                    row.use if row.server is None else row.id,
                    row.quantisation or "-",
                    store.megabytes(row.size_bytes) if row.size_bytes else "-",
                    row.licence or "-",
                    row.digest or "-",
                    "loaded" if row.loaded else "",
                ),
            )
        )
        for row in rows
    ]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for row, texts in zip(rows, cells, strict=True):
        columns = [
            text + " " * (width - cell_len(text)) for text, width in zip(texts, widths, strict=True)
        ]
        pinned = " (pinned)" if row.pinned and not row.problem else ""
        mark = "*" if row.selected else " "
        click.echo(f"{mark} {'  '.join(columns)}  {visible(row.where)}{pinned}")


def _facts(meant: Meant) -> dict[str, str]:
    """Return what is known of a model, by the names of the facts."""
    if meant.downloadable is not None:
        return _facts_of_catalog(meant.downloadable)
    if meant.served is not None:
        server, served = meant.served
        fills = "fills in the middle" if served.fills_in else "continues text only"
        return {
            "name": meant.key,
            "licence": served.licence or served.family.licence,
            "size": _size(served.size_bytes),
            "sha256": served.digest,
            "quant": served.quantisation,
            "family": f"{served.family.title}; {fills}",
            "context": f"{served.context_tokens:,} tokens" if served.context_tokens else "",
            "here": f"{server.title} at {server.url}" + (", in memory" if served.is_loaded else ""),
            "pinned": _pinned(meant.key),
        }
    found = store.find(meant.key)
    family = family_of(found.name)
    return {
        "name": found.name,
        "licence": family.licence if family.fim else "",
        "size": _size(found.size_bytes),
        "sha256": store.known_digest(found.path),
        "family": f"{family.title} ({found.context_tokens:,} tokens)",
        "layout": family.layouts[0],
        "here": str(found.path),
        "pinned": _pinned(meant.key),
    }


def _facts_of_catalog(model: Downloadable) -> dict[str, str]:
    from sirdab.cli.model_rows import catalog_row

    row = catalog_row(model)
    family = family_of(model.id)
    return {
        "name": model.id,
        "title": model.title,
        "note": model.note,
        "licence": model.licence,
        "size": _size(row.size_bytes),
        "file": model.file,
        "sha256": row.sha256,
        "sources": ", then ".join(source_names(model)),
        "family": f"{family.title} ({family.context_tokens:,} tokens)",
        "layout": family.layouts[0],
        "here": row.path or row.problem or "no",
        "pinned": _pinned(model.id),
        "earlier": ", ".join(pins.short(digest) for digest in row.versions),
    }


def _pinned(key: str) -> str:
    pin = pins.pin_of(key)
    return f"{pin.digest} since {pin.time}" if pin else ""


def _size(count: int) -> str:
    return f"{store.megabytes(count)} ({count:,} bytes)" if count else ""


def _chosen(name: str) -> tuple[str, str, int, str]:
    """Return what to write for a name, and the digest, size and place of the model, if known.

    Raises:
        click.UsageError: The name means nothing.
        ModelError: The model is not here, or its file is damaged.
    """
    if name == store.AUTO:
        return name, "", 0, ""
    written = runtime.model_name(name)
    if model_named(written) is None and store.looks_like_path(written):
        # Names of servers may look like paths ("Qwen/Qwen2.5-Coder-7B").
        if not store.is_file(Path(written)) and (meant := _served(name)) is not None:
            return meant
        found = store.find(written)
        return written, store.known_digest(found.path), found.size_bytes, found.origin.value
    meant = meant_by(name)
    if meant.downloadable is not None:
        found = store.find_model(meant.downloadable)
        digest = store.known_digest(found.path)
        return meant.downloadable.id, digest, found.size_bytes, found.origin.value
    served = _served(name)
    if served is None:
        raise unknown(name)
    return served


def _served(name: str) -> tuple[str, str, int, str] | None:
    from sirdab.cli.model_rows import find_served

    found = find_served(name, servers_now())
    if found is None:
        return None
    server, model = found
    pins.check(f"{server.kind}:{model.name}", model.digest)
    return model.name, model.digest, model.size_bytes, f"{server.title} at {server.url}"


def _ollama_for(name: str) -> "tuple[FoundServer, str]":
    """Return the server of Ollama that is to download a model, and the name for it there."""
    from sirdab.cli.model_rows import ollama_of

    settings, _ = runtime.user_settings()
    is_explicit = name.startswith(_OLLAMA_PREFIX)
    wanted = name.removeprefix(_OLLAMA_PREFIX)
    if not wanted or not wanted.isprintable() or " " in wanted:
        raise click.UsageError(f'"{wanted}" is no name of a model of Ollama.')
    if not is_explicit and settings.endpoint.is_auto:
        raise unknown(name)
    server = ollama_of(servers_now())
    if server is None or not (is_explicit or server.is_configured):
        if not is_explicit:
            raise unknown(name)
        raise click.ClickException(
            f"No server of Ollama answers on this machine; start it to pull {wanted}."
        )
    return server, wanted


def _remove_of_ollama(name: str, *, consent: bool) -> None:
    import asyncio
    import sys

    from sirdab.cli.model_rows import find_served
    from sirdab.endpoint.base import EndpointError

    servers = [server for server in servers_now() if server.kind == "ollama"]
    found = find_served(name, servers)
    if found is None:
        raise click.ClickException(f"No server of Ollama that answers has a model {name}.")
    server, model = found
    if not consent:
        if not sys.stdin.isatty():
            raise click.UsageError(
                f"There is no terminal to ask on; add --yes to have Ollama delete {model.name}."
            )
        if not click.confirm(f"Have Ollama at {server.url} delete {model.name}?", default=False):
            click.echo("Nothing was removed.")
            return
    from sirdab.endpoint.ollama_store import delete

    try:
        if server.address is not None:
            asyncio.run(delete(server.address, model.name, api_key=key_for(server)))
    except EndpointError as error:
        raise click.ClickException(error.message) from error
    journal.record(
        "remove",
        f"{_OLLAMA_PREFIX}{model.name}",
        digest=model.digest,
        size_bytes=model.size_bytes,
        source=f"Ollama at {server.url}",
    )
    click.echo(f"Ollama removed {model.name}.")
