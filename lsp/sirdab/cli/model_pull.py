"""Fetching models, after asking: into our own store, or by a server of Ollama into its."""

import asyncio
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sirdab.cli import runtime
from sirdab.cli.servers import FoundServer, api_key_of
from sirdab.models import journal, pins, store
from sirdab.models.catalog import Downloadable, HuggingFaceSource
from sirdab.models.errors import ModelError, ModelMissingError

if TYPE_CHECKING:
    from sirdab.endpoint.ollama_store import PullProgress

OnBytes = Callable[[int, int, str], None]
"""Told how many bytes are here, of how many (0 when that is not known), and from where."""


def fetch(model: Downloadable, *, consent: bool) -> Path | None:
    """Make sure that a model is on this machine, downloading it after asking.

    Says on standard output what it does.

    Args:
        model: The model.
        consent: Whether the user has agreed already.

    Returns:
        The file, or None when the user said no.

    Raises:
        click.UsageError: There is nobody to ask.
        click.ClickException: It cannot be had; the message says why.
    """
    try:
        found = store.find_model(model)
    except ModelMissingError:
        pass
    except pins.PinnedError as error:
        # What would be downloaded is another file, so it would not be used.
        raise click.ClickException(error.message) from error
    except ModelError as error:
        # Damaged, or an earlier version: said, and then fetched again.
        click.echo(error.message)
    else:
        click.echo(f"{model.title} is on this machine: {found.path}")
        pin = pins.pin_of(model.id)
        if pin is not None and pin.digest != model.sha256:
            click.echo(
                f"It is pinned to {pins.short(pin.digest)}, which is not the published file; to "
                f"fetch that one, run: sirdab model pin {model.id} --remove"
            )
        return found.path
    click.echo(
        f"{model.title}: {store.megabytes(model.size_bytes)}, licence {model.licence}, "
        f"from {' or '.join(source_names(model))}, into {store.store_directory()}."
    )
    if not _agreed(model.id, consent=consent):
        return None
    from sirdab.endpoint.managed.pull import Progress
    from sirdab.endpoint.managed.pull import pull as download

    sources = [""]
    try:
        with progress_bar(model.size_bytes) as show:

            def on_progress(progress: Progress) -> None:
                sources[0] = progress.source
                show(progress.done_bytes, progress.total_bytes, progress.source)

            path = download(model, on_progress=on_progress)
    except KeyboardInterrupt:
        _say_what_is_kept(model)
        raise
    except ModelError as error:
        raise click.ClickException(error.message) from error
    journal.record(
        "pull", model.id, digest=model.sha256, size_bytes=model.size_bytes, source=sources[0]
    )
    click.echo(f"Verified by SHA-256: {path}")
    for version in store.earlier_versions(model)[:1]:
        click.echo(
            f"The file before it ({pins.short(version.digest)}) is kept; to go back to it, "
            f"run: sirdab model rollback {model.id}"
        )
    return path


def fetch_with_ollama(server: FoundServer, name: str, *, consent: bool) -> bool:
    """Have a server of Ollama download a model, after asking; returns whether it did.

    Raises:
        click.UsageError: There is nobody to ask.
        click.ClickException: It cannot be had; the message says why.
    """
    from sirdab.endpoint.base import EndpointError

    if server.address is None:
        raise click.ClickException(server.problem)
    where = "" if server.address.is_loopback else ", which is not this machine,"
    click.echo(
        f"Ollama at {server.url}{where} downloads {name} from its own registry into its own store; "
        "Sirdab itself sends the name to that server and nothing else."
    )
    if not _agreed(name, consent=consent):
        return False
    try:
        with progress_bar(0) as show:
            asyncio.run(_pull_with_ollama(server, name, show))
    except EndpointError as error:
        raise click.ClickException(error.message) from error
    except KeyboardInterrupt:
        click.echo("Stopped; Ollama keeps what came, and the next pull continues there.", err=True)
        raise
    digest, size = asyncio.run(_pulled(server, name))
    journal.record(
        "pull", f"ollama:{name}", digest=digest, size_bytes=size, source=f"Ollama at {server.url}"
    )
    click.echo(f"Ollama has {name}{f' ({pins.short(digest)})' if digest else ''}.")
    return True


def key_for(server: FoundServer) -> str:
    """Return the API key for a server: the one of the settings is meant for theirs alone."""
    settings, _ = runtime.user_settings()
    return api_key_of(settings) if server.is_configured else ""


def source_names(model: Downloadable) -> list[str]:
    """Return where a model of the catalog can be had, in words."""
    return [
        f"Hugging Face ({source.repo})"
        if isinstance(source, HuggingFaceSource)
        else "a mirror on your package index"
        for source in model.sources
    ]


@contextmanager
def progress_bar(total_bytes: int) -> Generator[OnBytes]:
    """Show a download: a bar on a terminal, a line for each tenth elsewhere.

    Args:
        total_bytes: Size of the whole; 0 when it is not known yet.
    """
    if not sys.stdout.isatty():
        yield _plain_progress()
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=runtime.console(),
    ) as bar:
        task = bar.add_task("", total=total_bytes or None)

        def show_bar(done: int, total: int, source: str) -> None:
            # The model was named above; with its name here the bar would not fit 80 columns.
            bar.update(task, completed=done, total=total or None, description=source)

        yield show_bar


def _plain_progress() -> OnBytes:
    told: tuple[str, int] | None = None

    def show_line(done: int, total: int, source: str) -> None:
        nonlocal told
        tenth = done * 10 // total if total else 0
        if told is not None and told[0] == source and tenth <= told[1]:
            return
        told = source, tenth
        if total:
            click.echo(
                f"{tenth * 10:3d} %  {store.megabytes(done)} of {store.megabytes(total)} "
                f"from {source}"
            )
        else:
            click.echo(source)

    return show_line


def _agreed(name: str, *, consent: bool) -> bool:
    if consent:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is no terminal to ask on; add --yes to download {name}.")
    if click.confirm("Download it?", default=True):
        return True
    click.echo("Nothing was downloaded.")
    return False


def _say_what_is_kept(model: Downloadable) -> None:
    part = store.store_directory() / f"{model.file}.part"
    kept = 0
    with suppress(OSError):
        kept = part.stat().st_size
    if kept:
        click.echo(
            f"Stopped; {store.megabytes(kept)} of {store.megabytes(model.size_bytes)} are kept in "
            f"{part}, and the next pull continues there.",
            err=True,
        )
    else:
        click.echo("Stopped; nothing had come yet.", err=True)


async def _pull_with_ollama(server: FoundServer, name: str, show: OnBytes) -> None:
    from sirdab.endpoint.ollama_store import pull

    def on_progress(progress: "PullProgress") -> None:
        show(progress.done_bytes, progress.total_bytes, f"Ollama: {progress.status}")

    if server.address is not None:
        await pull(server.address, name, on_progress, api_key=key_for(server))


async def _pulled(server: FoundServer, name: str) -> tuple[str, int]:
    """Return the digest and the size of what was pulled, as far as the server tells."""
    from sirdab.endpoint.base import EndpointError
    from sirdab.endpoint.ollama import OllamaEndpoint
    from sirdab.models.choose import is_named

    if server.address is None:
        return "", 0
    endpoint = OllamaEndpoint(server.address, api_key=key_for(server), model=name)
    try:
        models = await endpoint.models()
    except EndpointError:
        return "", 0
    finally:
        await endpoint.aclose()
    found = next((model for model in models if is_named(model.name, name)), None)
    return (found.digest, found.size_bytes) if found else ("", 0)
