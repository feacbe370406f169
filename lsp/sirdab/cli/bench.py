"""`sirdab bench`: how good completions and reviews are on the user's own code."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sirdab.cli import bench_replay, bench_review, runtime

if TYPE_CHECKING:
    from sirdab.benchmark.holes import Hole
    from sirdab.benchmark.neighbourhood import Neighbourhood
    from sirdab.benchmark.score import Score
    from sirdab.config.schema import Settings
    from sirdab.models.catalog import Layout

_KINDS = ("line", "middle", "block")
# As `sirdab.models.catalog.LAYOUTS`, which a command line is not worth loading for.
_LAYOUTS = ("psm", "spm", "prefix-as-middle", "insert", "prefix-only", "chat")
# Nobody waits for a benchmark with a finger on a key; it must not fail because a model is slow.
_PATIENCE_MS = 120_000


@click.group(
    "bench",
    epilog="Example: sirdab bench holes src",
    short_help="Measure completions and reviews on your own code.",
)
def command() -> None:
    """Measure completions and reviews on your own code, with the model that you use."""


command.add_command(bench_replay.command)
command.add_command(bench_review.command)


@command.command(
    "holes",
    epilog="Example: sirdab bench holes src --count 100 --output holes.jsonl",
    short_help="Take code out and count how often it comes back.",
)
@click.argument(
    "path", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER"
)
@click.option("--count", type=click.IntRange(1, 100_000), default=60, show_default=True)
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(_KINDS),
    multiple=True,
    help="Kind of hole; may be given several times. All by default.",
)
@click.option(
    "--context",
    "characters",
    type=click.IntRange(0, 100_000),
    default=0,
    show_default=True,
    help="Characters of context from other files of FOLDER.",
)
@click.option(
    "--layout",
    type=click.Choice(_LAYOUTS),
    help="Prompt layout, to compare them; the first one of the model's family by default.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Other holes for another one.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File of results.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--url", help='Address of the model server; "auto" for the embedded one.')
@click.option("--model", help="Model to use: a catalog name or the path of a GGUF file.")
def holes(
    path: Path,
    count: int,
    kinds: tuple[str, ...],
    characters: int,
    layout: "Layout | None",
    seed: int,
    output: Path | None,
    as_json: bool,
    url: str | None,
    model: str | None,
) -> int:
    """Take code out of the files in FOLDER and count how often it comes back.

    The model sees the file with the hole and, with --context, code of the other files: what is
    imported or used near the hole, and what is alike in the files around it.
    With --output, a run that was stopped goes on where it was, and two files can be compared.
    """
    from sirdab.benchmark.holes import choose
    from sirdab.benchmark.neighbourhood import Neighbourhood
    from sirdab.benchmark.results import ResultsError

    settings, problems = runtime.user_settings(url=url, model=model)
    errors = runtime.console(stderr=True)
    for problem in problems:
        errors.print(f"sirdab: {problem}", markup=False)
    wanted: Any = kinds or _KINDS
    chosen = list(choose(path.absolute(), wanted, count, seed, settings.privacy.exclude))
    if not chosen:
        raise click.ClickException(f"there is no source code to be read in {path}.")
    conditions: dict[str, Any] = {
        "kinds": list(wanted),
        "seed": seed,
        "model": settings.endpoint.model,
    }
    if characters:
        conditions["context"] = characters
    if layout:
        conditions["layout"] = layout
    try:
        around = Neighbourhood(path.absolute(), characters)
        scores = asyncio.run(_fill(chosen, settings, output, conditions, around, layout))
    except ResultsError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        runtime.echo_json(_summaries(scores))
    else:
        _print(scores)
    return 0 if scores else 1


@command.command(
    "compare",
    epilog="Example: sirdab bench compare before.jsonl after.jsonl",
    short_help="Say what differs between two files of results.",
)
@click.argument("first", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def compare(first: Path, second: Path) -> int:
    """Say how SECOND differs from FIRST at the holes that both have."""
    from sirdab.benchmark import results
    from sirdab.benchmark import score as scoring

    figures: dict[str, Callable[[Score], float]] = {
        "exact": lambda one: one.exact,
        "first line": lambda one: one.first_line,
        "similarity": lambda one: one.similarity,
        "shown": lambda one: one.shown,
        "ms": lambda one: one.ms,
        "tokens read": lambda one: one.read,
    }
    try:
        before, after = results.read(first)[1], results.read(second)[1]
        found = {name: scoring.compare(before, after, figure) for name, figure in figures.items()}
    except (results.ResultsError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    from rich.table import Table

    table = Table("Figure", "Difference", "95 % confidence", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, one in found.items():
        table.add_row(name, f"{one.mean:+.3f}", f"{one.low:+.3f} … {one.high:+.3f}")
    out = runtime.console()
    out.print(table)
    out.print(f"{next(iter(found.values())).holes} holes in both files.")
    return 0


async def _fill(
    chosen: "list[Hole]",
    settings: "Settings",
    output: Path | None,
    conditions: dict[str, Any],
    around: "Neighbourhood",
    layout: "Layout | None",
) -> "list[Score]":
    from dataclasses import replace

    from rich.progress import track

    from sirdab.benchmark import results
    from sirdab.benchmark.score import score
    from sirdab.completion.request import Reason

    patient = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=_PATIENCE_MS))
    done = results.begin(output, conditions) if output is not None else []
    known = {one.id: one for one in done}
    scores: list[Score] = []
    async with around, runtime.engine(patient, context=around.source) as (engine, _manager):
        for hole in track(
            chosen,
            "Filling holes",
            console=runtime.console(stderr=True),
            disable=not sys.stderr.isatty(),
        ):
            if hole.id in known:
                scores.append(known[hole.id])
                continue
            request = replace(await around.request(hole, patient), layout=layout)
            outcome = await engine.complete(request, fresh=True)
            if outcome.reason is Reason.ENDPOINT:
                raise click.ClickException(outcome.detail)
            if layout and outcome.trace.get("layout", layout) != layout:
                family = outcome.trace["family"]
                raise click.ClickException(f"the family {family} does not define {layout}.")
            scores.append(score(hole, outcome))
            if output is not None:
                results.append(output, scores[-1])
    return scores


def _summaries(scores: "list[Score]") -> dict[str, Any]:
    from dataclasses import asdict

    from sirdab.benchmark.score import summarise

    kinds = sorted({one.kind for one in scores})
    found = {kind: asdict(summarise([s for s in scores if s.kind == kind])) for kind in kinds}
    return {**found, "all": asdict(summarise(scores))}


def _print(scores: "list[Score]") -> None:
    from rich.table import Table

    heads = ("Holes", "", "Shown", "Exact", "Of shown", "First line", "Alike", "Parse", "Median ms")
    table = Table(*heads, "p95 ms", "Tokens read", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, one in _summaries(scores).items():
        shares = ("shown", "exact", "precision", "first_line", "similarity", "parses")
        table.add_row(
            kind,
            str(one["holes"]),
            *(f"{one[name]:.0%}" for name in shares),
            *(f"{one[name]:.0f}" for name in ("median_ms", "p95_ms", "read")),
        )
    runtime.console().print(table)
