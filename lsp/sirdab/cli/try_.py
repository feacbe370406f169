"""`sirdab try`: shows the main job on a sample project, on this machine."""

import asyncio
import platform
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from sirdab import __version__
from sirdab.cli import runtime
from sirdab.cli.complete import summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.text import Text as RichText

    from sirdab.cli.places import SamplePlace
    from sirdab.completion.engine import Engine
    from sirdab.completion.request import Outcome
    from sirdab.config.schema import Settings

# Lines above the cursor that are shown with a suggestion.
_CONTEXT_LINES = 3

_EDITORS = """\
Connect your editor:
  Neovim   put clients/neovim on the runtime path, then: require("sirdab").setup({})
  others   any LSP client: the command is `sirdab --stdio`, for every language
Something is missing? Run: sirdab doctor
"""


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
    if settings.endpoint.url == "auto" and not _has_model(settings.endpoint.model, consent=yes):
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
        await _show_typing(engine, patient, out)
    shown = sum(bool(outcome.suggestions) for outcome in outcomes)
    times = [float(item.trace["model_ms"]) for item in outcomes if item.suggestions]
    if times:
        out.print(
            f"{shown} of {len(outcomes)} places have a suggestion; "
            f"median {statistics.median(times):.0f} ms, each place read for the first time.\n",
            markup=False,
        )
    out.print(_EDITORS, markup=False)
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
    from sirdab.completion.request import CompletionRequest, Trigger

    request = CompletionRequest(place.snapshot, place.point, Trigger.INVOKED, settings)
    return await engine.complete(request, on_text=on_text)


async def _show_typing(engine: "Engine", settings: "Settings", out: "Console") -> None:
    """Type what the author wrote, key by key, and say what each key costs."""
    from sirdab.cli.places import sample_places
    from sirdab.text.store import Point

    place = sample_places()[0]
    await _complete(engine, place, settings)
    read: list[int] = []
    times: list[float] = []
    text, point = place.snapshot.text, place.point
    for character in place.written[:8]:
        text = text.replace(point, point, character)
        point = Point(point.line, point.column + 1)
        typed = replace(place, snapshot=replace(place.snapshot, text=text), point=point)
        trace = (await _complete(engine, typed, settings)).trace
        if trace.get("first_token_ms") is not None:
            read.append(int(trace["evaluated_tokens"]))
            times.append(float(trace["first_token_ms"]))
    if times:
        out.print(
            f"\nTyping on there, each key: {statistics.median(read):.0f} prompt tokens read anew, "
            f"first token after {statistics.median(times):.0f} ms (median of {len(times)} keys).",
            markup=False,
        )
