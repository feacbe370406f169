"""`sirdab bench review`: how much a review finds, and how often it is wrong."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sirdab.cli import runtime

if TYPE_CHECKING:
    from sirdab.benchmark.review import Variant
    from sirdab.benchmark.review_cases import Case
    from sirdab.benchmark.review_score import Outcome
    from sirdab.config.schema import Settings

# Nobody waits for a benchmark with a finger on a key; it must not fail because a model is slow.
_PATIENCE_MS = 120_000


@click.command(
    "review",
    epilog="Example: sirdab bench review src --seeds 40",
    short_help="Put defects into code and count how many a review finds.",
)
@click.argument(
    "folder",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="[FOLDER]",
)
@click.option(
    "--seeds",
    "count",
    type=click.IntRange(0, 100_000),
    default=100,
    show_default=True,
    help="Most defects, the kinds in turn.",
)
@click.option(
    "--only",
    "names",
    multiple=True,
    metavar="OPERATOR",
    help="Kind of defect, such as range-bound; may be given several times.",
)
@click.option(
    "--clean",
    "modules",
    multiple=True,
    metavar="PACKAGE",
    help="Count false alarms on functions of an installed Python package as well.",
)
@click.option(
    "--clean-lines",
    type=click.IntRange(1, 1_000_000),
    default=2000,
    show_default=True,
    help="Lines of code that are taken of those packages.",
)
@click.option("--compare", is_flag=True, help="Also without refutation and without the linter.")
@click.option(
    "--fixes",
    is_flag=True,
    help="Ask for a fix of each defect instead, and run the fixture's test on it.",
)
@click.option("--seed", "number", type=int, default=1, show_default=True, help="Other defects.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File of results.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--url", help='Address of the model server; "auto" for what is found here.')
@click.option("--model", help="Model to use: a catalog name or the path of a GGUF file.")
def command(
    folder: Path | None,
    count: int,
    names: tuple[str, ...],
    modules: tuple[str, ...],
    clean_lines: int,
    compare: bool,
    fixes: bool,
    number: int,
    output: Path | None,
    as_json: bool,
    url: str | None,
    model: str | None,
) -> int:
    """Put defects of known kind and place into code, review it, and count.

    Without FOLDER the code is that of the bench: Python, JavaScript and TypeScript with tests.
    With FOLDER it is yours: the defects are only in memory and no file is changed. What is found
    in your code as it is counts as a false alarm, so look at it: it may be right.
    With --output, a run that was stopped goes on where it was.

    With --fixes the code that the model writes is RUN with your rights, to see whether the test
    passes: it could read and write your files. Each test has a process of its own with an empty
    environment, a temporary folder and bounds of time and memory, and is cut off from the network
    where the system lets a user do that (Linux with user namespaces); where it does not, that is
    said. It is done only with the code of the bench.
    """
    from sirdab.benchmark.defects import sandbox
    from sirdab.benchmark.results import ResultsError
    from sirdab.benchmark.review import BenchError
    from sirdab.review import question, rules

    if fixes and (folder is not None or modules or compare or output is not None):
        raise click.UsageError(
            "--fixes is for the code of the bench and keeps no file; "
            "leave FOLDER out, and --clean, --compare and --output."
        )
    settings, problems = runtime.user_settings(url=url, model=model)
    errors = runtime.console(stderr=True)
    for problem in problems:
        errors.print(f"sirdab: {problem}", markup=False)
    if fixes and not sandbox.without_network():
        errors.print(
            "sirdab: This system does not let a user cut a program off from the network, so the "
            "code that is run could reach it.",
            markup=False,
        )
    settings = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=_PATIENCE_MS))
    cases = _cases(folder, count, number, names, modules, clean_lines, settings)
    conditions: dict[str, Any] = {
        "folder": None if folder is None else str(folder.absolute()),
        "seeds": count,
        "only": list(names),
        "clean": [*modules, clean_lines] if modules else [],
        "seed": number,
        "model": settings.endpoint.model,
        # What was found by other rules, or asked in other words, is another run.
        "rules": rules.version(),
        "question": question.version(),
    }
    try:
        if fixes:
            report = asyncio.run(_fixes(cases, settings))
        else:
            report = asyncio.run(_reviews(cases, settings, compare, output, conditions))
    except (BenchError, ResultsError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        runtime.echo_json(report)
    elif fixes:
        _print_fixes(report)
    else:
        _print(report, mine=folder is not None)
    return 0


def _cases(
    folder: Path | None,
    count: int,
    number: int,
    names: tuple[str, ...],
    modules: tuple[str, ...],
    clean_lines: int,
    settings: "Settings",
) -> "list[Case]":
    from sirdab.benchmark import review_cases
    from sirdab.benchmark.defects.operators import all_operators, operator_named

    operators = [operator_named(name) for name in names]
    if None in operators:
        known = ", ".join(operator.id for operator in all_operators())
        raise click.UsageError(f"{names[operators.index(None)]} is no operator; there are {known}.")
    wanted = [operator for operator in operators if operator is not None]
    if folder is None:
        cases = review_cases.own(count, number, wanted)
    else:
        exclude = settings.privacy.exclude
        whole = folder.absolute()
        cases = review_cases.of_folder(whole, count, number, wanted, exclude)
        if not cases:
            raise click.ClickException(
                f"there is no Python, JavaScript or TypeScript in {folder} to put a defect into."
            )
    try:
        return cases + (review_cases.installed(modules, clean_lines, number) if modules else [])
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error


async def _reviews(
    cases: "list[Case]",
    settings: "Settings",
    compare: bool,
    output: Path | None,
    conditions: dict[str, Any],
) -> dict[str, Any]:
    from sirdab.benchmark.review import USUAL, VARIANTS, Results, report

    results = Results(output, conditions)
    variants = VARIANTS if compare else (USUAL,)
    async with runtime.engine(settings) as (_, manager):
        found = {
            variant.name: await _outcomes(cases, settings, variant, manager, results)
            for variant in variants
        }
    return report(found)


async def _outcomes(
    cases: "list[Case]", settings: "Settings", variant: "Variant", manager: Any, results: Any
) -> "list[Outcome]":
    from rich.progress import track

    from sirdab.benchmark.review import Bench

    known = [results.known(variant.name, case) for case in cases]
    todo = [case for case, one in zip(cases, known, strict=True) if one is None]
    outcomes = [one for one in known if one is not None]
    bench = Bench(manager, settings, variant)
    for case in track(
        todo,
        f"Reviewing ({variant.name})",
        console=runtime.console(stderr=True),
        disable=not sys.stderr.isatty(),
    ):
        outcome = await bench.judge(case)
        results.keep(variant.name, outcome)
        outcomes.append(outcome)
    return outcomes


async def _fixes(cases: "list[Case]", settings: "Settings") -> dict[str, Any]:
    from rich.progress import track

    from sirdab.benchmark.review import BenchError
    from sirdab.benchmark.review_fixes import FixBench, summarise
    from sirdab.endpoint.base import EndpointError

    seeds = [case.seed for case in cases if case.seed is not None]
    async with runtime.engine(settings) as (_, manager):
        bench = FixBench(manager, settings)
        shown = track(
            seeds, "Fixing", console=runtime.console(stderr=True), disable=not sys.stderr.isatty()
        )
        try:
            await bench.ready()
            fixes = [await bench.fix(seed) for seed in shown]
        except EndpointError as error:
            raise BenchError(error.message) from error
    return summarise(fixes)


def _share(share: dict[str, Any]) -> str:
    return f"{share['share']:.0%} ({100 * share['low']:.0f}-{100 * share['high']:.0f})"


def _table(*heads: str) -> Any:
    from rich.table import Table

    table = Table(*heads, box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _print(report: dict[str, Any], *, mine: bool) -> None:
    out = runtime.console()
    for name, found in report["variants"].items():
        table = _table(f"Review, {name}", "Found", "At its place", "Right", "False / 1,000")
        for title, block in (("all", found["all"]), *found["by_category"].items()):
            false = block["false_findings"]
            table.add_row(
                title,
                _share(block["recall"]),
                _share(block["right_place"]),
                _share(block["precision"]),
                f"{false['per_1000']:.2f} ({false['low']:.2f}-{false['high']:.2f})",
            )
        out.print(table)
        cost = found["cost"]
        out.print(
            "Found: share of the defects. Right: share of what was found in the units with a "
            "defect. False: findings in 1,000 lines that are taken to be right. In brackets: "
            "95 % confidence."
        )
        out.print(
            f"{found['seeds']} defects; {found['clean_lines']:,} lines taken to be right; "
            f"{cost['seconds_per_1000']:.0f} s, {cost['tokens_read_per_1000']:,.0f} tokens read "
            f"and {cost['tokens_written_per_1000']:,.0f} written for 1,000 lines."
        )
        if len(found["curve"]) > 1:
            curve = _table("Confidence from", "Found", "Right", "False / 1,000")
            for point in found["curve"]:
                curve.add_row(
                    f"{point['threshold']:.2f}",
                    f"{point['recall']:.0%}",
                    f"{point['precision']:.0%}",
                    f"{point['false_per_1000']:.2f}",
                )
            out.print(curve)
        _print_operators(out, found["by_operator"])
        _print_false(out, found["on_clean_code"])
    if mine:
        out.print("Findings on your code that may be right are counted as false: look at them.")


def _print_operators(out: Any, operators: dict[str, Any]) -> None:
    table = _table("Kind of defect", "Defects", "Found", "At its place")
    for name, one in operators.items():
        table.add_row(name, *(str(one[key]) for key in ("seeds", "hits", "right_place")))
    out.print(table)


def _print_false(out: Any, places: Sequence[dict[str, Any]]) -> None:
    from sirdab.policy.sanitize import visible

    for place in places:
        said = f"{place['name']}:{place['line']}: {place['rule']} ({place['confidence']:.2f})"
        out.print(visible(f"On code taken to be right: {said}"), markup=False, style="dim")


def _print_fixes(report: dict[str, Any]) -> None:
    out = runtime.console()
    heads = ("Fixes", "", "An edit", "Parses", "The test passes", "As it was", "s each")
    table = _table(*heads)
    for title, block in (("all", report["all"]), *report["by_category"].items()):
        table.add_row(
            title,
            str(block["fixes"]),
            *(_share(block[name]) for name in ("applies", "parses", "test_passes", "restored")),
            f"{block['seconds_per_fix']:.1f}",
        )
    out.print(table)
    for reason, count in report["refused"].items():
        out.print(f"{count} x {reason}", markup=False, style="dim")
