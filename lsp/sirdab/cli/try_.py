"""`sirdab try`: shows the main job on a sample project, on this machine."""

import asyncio
import json
import platform
import shlex
import shutil
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sirdab import __version__
from sirdab.cli import runtime
from sirdab.cli.complete import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.text import Text as RichText

    from sirdab.cli.places import SamplePlace
    from sirdab.completion.engine import Engine
    from sirdab.completion.request import CompletionRequest, Outcome
    from sirdab.config.schema import Settings

# Lines above the cursor that are shown with a suggestion.
_CONTEXT_LINES = 3

# The editors that have a page among the documents.
_OTHERS = "Emacs, Helix, Vim, Kate, Sublime Text, Zed, JupyterLab, Kakoune"

# Keys that are measured, at the most.
_KEYS = 8


@click.command(
    "try",
    epilog="Example: sirdab try --yes",
    short_help="Show ghost text on a sample project.",
)
@click.option("--yes", is_flag=True, help="Download the model without asking when it is missing.")
@click.option("--url", help="Address of a model server of your own.")
@click.option("--model", help="Model to use: a catalog name or the path of a GGUF file.")
def command(yes: bool, url: str | None, model: str | None) -> int:
    """Check the set-up, then complete several places of a small sample project."""
    settings, problems = runtime.user_settings(url=url, model=model)
    out, errors = runtime.console(), runtime.console(stderr=True)
    for problem in problems:
        errors.print(f"sirdab: {problem}", markup=False)
    out.print(f"Sirdab {__version__} on Python {platform.python_version()}", markup=False)
    if settings.endpoint.is_auto and not _has_model(settings.endpoint.model, consent=yes):
        return 1
    return asyncio.run(_show(settings, out, errors))


def _has_model(name: str, *, consent: bool) -> bool:
    """Whether the embedded server has its model, which is fetched after asking if not."""
    from sirdab.cli.model import fetch
    from sirdab.models import store
    from sirdab.models.catalog import default_model, model_named
    from sirdab.models.errors import ModelError, ModelMissingError

    try:
        found = store.find(name)
    except ModelMissingError:
        return fetch(model_named(name) or default_model(), consent=consent) is not None
    except ModelError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Model {found.name}: {found.path}")
    return True


async def _show(settings: "Settings", out: "Console", errors: "Console") -> int:
    from sirdab.cli.places import sample_places

    # A first prompt may be read on a busy machine; nobody types here, so there is time.
    patient = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=120_000))

    def say(message: str) -> None:
        errors.print(message, style="dim", markup=False)

    async with runtime.engine(patient, say) as (engine, manager):
        # What starting takes is said before the first line that is redrawn, not across it.
        await manager.acquire()
        outcomes = [await _show_place(engine, place, patient, out) for place in sample_places()]
        if any(outcome.reason.value in ("endpoint", "internal") for outcome in outcomes):
            failed = next(
                item for item in outcomes if item.reason.value in ("endpoint", "internal")
            )
            errors.print(f"sirdab: {failed.detail}", markup=False)
            return 1
        shown = sum(bool(outcome.suggestions) for outcome in outcomes)
        times = [float(item.trace["model_ms"]) for item in outcomes if item.suggestions]
        if times:
            out.print(
                f"\n{shown} of {len(outcomes)} places have a suggestion; "
                f"median {statistics.median(times):.0f} ms, each place read for the first time.",
                markup=False,
            )
        await _show_typing(engine, patient, out)
    out.print(next_steps(), markup=False)
    return 0 if shown else 1


async def _show_place(
    engine: "Engine", place: "SamplePlace", settings: "Settings", out: "Console"
) -> "Outcome":
    from rich.live import Live

    out.print(f"\n{place.file}:{place.point.line + 1}", style="bold")
    first = max(0, place.point.line - _CONTEXT_LINES)
    for number in range(first, place.point.line):
        out.print(f"  {place.snapshot.text.line_body(number)}", markup=False)
    if out.is_terminal:
        with Live(_line(place, ""), console=out, auto_refresh=False, transient=True) as live:
            outcome = await _complete(
                engine, place, settings, lambda text: live.update(_line(place, text), refresh=True)
            )
    else:
        outcome = await _complete(engine, place, settings)
    out.print(_line(place, outcome.suggestions[0].text if outcome.suggestions else ""))
    if outcome.suggestions:
        out.print(f"  {summary(outcome.trace)}", style="dim", markup=False)
    else:
        out.print(f"  no suggestion: {outcome.detail}", style="dim", markup=False)
    return outcome


def _line(place: "SamplePlace", ghost: str) -> "RichText":
    from rich.text import Text as RichText

    body = place.snapshot.text.line_body(place.point.line)
    line = RichText(f"  {body[: place.point.column]}")
    line.append(ghost.replace("\n", "\n  "), style="dim italic cyan")
    line.append(body[place.point.column :])
    return line


async def _complete(
    engine: "Engine",
    place: "SamplePlace",
    settings: "Settings",
    on_text: "Callable[[str], None] | None" = None,
) -> "Outcome":
    return await engine.complete(_request(place, settings), on_text=on_text)


def _request(place: "SamplePlace", settings: "Settings") -> "CompletionRequest":
    from sirdab.completion.request import CompletionRequest, Trigger

    return CompletionRequest(place.snapshot, place.point, Trigger.INVOKED, settings)


async def _show_typing(engine: "Engine", settings: "Settings", out: "Console") -> None:
    """Type key by key, and say what a key costs with the model, and without it."""
    from sirdab.cli.places import sample_places

    place = sample_places()[0]
    outcome = await _complete(engine, place, settings)
    if outcome.suggestions:
        times = list(_remembered(engine, settings, place, outcome.suggestions[0].text))
        if times:
            out.print(
                f"Typing along a suggestion: {statistics.median(times):.2f} ms a key; it is "
                f"answered from memory, without the model (median of {len(times)} keys).",
                markup=False,
            )
    # What the author wrote, whatever the model has suggested; nothing is answered from memory.
    traces = [
        (await engine.complete(_request(typed, settings), fresh=True)).trace
        for typed in _typed(place, place.written)
    ]
    asked = [trace for trace in traces if trace.get("first_token_ms") is not None]
    if asked:
        first = statistics.median(float(trace["first_token_ms"]) for trace in asked)
        whole = statistics.median(float(trace["model_ms"]) for trace in asked)
        read = round(statistics.median(int(trace["evaluated_tokens"]) for trace in asked))
        out.print(
            f"Typing something else: {whole:.0f} ms a key, the first token after {first:.0f} ms; "
            f"the model is asked, and reads {read} more token{'' if read == 1 else 's'} of the "
            f"prompt (median of {len(asked)} keys).\n",
            markup=False,
        )


def _remembered(
    engine: "Engine", settings: "Settings", place: "SamplePlace", suggested: str
) -> "Iterator[float]":
    """Type along a suggestion, and return how long each answer from memory took, in ms."""
    for typed in _typed(place, suggested):
        request = _request(typed, settings)
        started = time.perf_counter()
        found = engine.recall(request)
        taken = time.perf_counter() - started
        if found is not None:
            yield taken * 1000


def _typed(place: "SamplePlace", keys: str) -> "Iterator[SamplePlace]":
    """Type the first keys of a text, and return the place after each of them."""
    from sirdab.text.store import Point

    text, point = place.snapshot.text, place.point
    # Not up to the end: there is nothing left to suggest.
    for number, character in enumerate(keys.partition("\n")[0][:-1][:_KEYS], 1):
        text = text.replace(point, point, character)
        point = Point(point.line, point.column + 1)
        snapshot = replace(place.snapshot, text=text, version=number)
        yield replace(place, snapshot=snapshot, point=point)


def next_steps() -> str:
    """Return what to do next, exactly as it is to be done on this machine."""
    program = _program()
    is_on_path = program == ["sirdab"]
    source = _source()
    install = f"make vsix && code --install-extension dist/sirdab-{__version__}.vsix"
    plugin, pages = "clients/neovim", "docs/editors"
    where = "in Sirdab's source folder"
    if source is not None:
        install = f"cd {shlex.quote(str(source))} && {install}"
        plugin, pages = str(source / plugin), str(source / pages)
        where = "in a terminal"
    options = "" if is_on_path else f" cmd = {{ {_strings([*program, '--stdio'])} }} "
    return "\n".join(
        (
            "Connect your editor:",
            f"  VS Code  {where}: {install}",
            "           "
            + (
                "The extension finds this Sirdab by itself."
                if is_on_path
                else "The extension offers to install the server, with one click."
            ),
            f"  Neovim   in init.lua: vim.opt.runtimepath:append({_strings([plugin])})",
            f'                        require("sirdab").setup({{{options}}})',
            f"  {_OTHERS}:",
            f"           see {pages}; the command is: {shlex.join([*program, '--stdio'])}",
            f"Something is missing? Run: {shlex.join([*program, 'doctor'])}",
            "",
        )
    )


def _program() -> list[str]:
    """Return how this Sirdab is called: by its name where that is enough."""
    own = Path(sys.executable).with_name("sirdab")
    found = shutil.which("sirdab")
    if found is not None and (not own.is_file() or Path(found).samefile(own)):
        return ["sirdab"]
    return [str(own)] if own.is_file() else [sys.executable, "-m", "sirdab"]


def _source() -> Path | None:
    """Return the folder of Sirdab's source where this program runs from it."""
    folder = Path(__file__).resolve().parents[3]
    return folder if (folder / "clients" / "neovim" / "lua").is_dir() else None


def _strings(values: list[str]) -> str:
    return ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
