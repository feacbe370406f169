"""`sirdab stats`: what became of the suggestions on this machine."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sirdab.cli import runtime
from sirdab.cli.sparkline import sparkline

if TYPE_CHECKING:
    from rich.console import Console

    from sirdab.metrics.report import Report, Tally
    from sirdab.metrics.store import Store

_MOST_DAYS = 90
_MOST_LANGUAGES = 12
_HORIZON_NAMES = {30: "30 s", 90: "90 s", 300: "5 min"}
_SOURCE_NAMES = {
    "model": "asked of the model",
    "in-flight": "joined while it was written",
    "speculation": "computed ahead",
    "cache": "from memory",
    "copy": "copied from open files",
}
# Dates and their names stand beside a chart.
_BESIDE_CHART = 14
# The columns that the tables need; a narrower terminal wraps their lines, and loses no figure.
_LEAST_WIDTH = 80


@click.command(
    "stats",
    epilog="Example: sirdab stats --days 7",
    short_help="Print what became of the suggestions.",
)
@click.option(
    "--days",
    type=click.IntRange(1, _MOST_DAYS),
    default=30,
    show_default=True,
    help="How many days to look back, today included.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--reset", is_flag=True, help="Forget all figures, after asking.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(days: int, as_json: bool, reset: bool, yes: bool) -> int:
    """Print how many suggestions were shown, taken and kept, and what they cost.

    The figures are collected by the language server, stay on this machine and hold nothing of
    your code.
    """
    from sirdab.metrics.store import Store, StoreError, default_path

    path = default_path()
    if yes and not reset:
        raise click.UsageError("--yes answers the question of --reset; add that.")
    if reset:
        return _reset(path, yes=yes)
    try:
        store = Store(path) if path.exists() else None
        try:
            found = _read(store, days)
        finally:
            if store is not None:
                store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        runtime.echo_json(found.as_json())
    elif found.empty:
        click.echo(
            f"There are no figures for the last {days} days: they begin with the first "
            "suggestion that an editor shows, and never leave this machine."
        )
    else:
        _print(found, path)
    return 0


def _read(store: "Store | None", days: int) -> "Report":
    from sirdab.metrics.report import report

    return report(store, days, time.time())


def _reset(path: Path, *, yes: bool) -> int:
    from sirdab.metrics.store import Store, StoreError

    if not path.exists():
        click.echo("There are no figures to forget.")
        return 0
    if not yes and not click.confirm(f"Forget all figures in {path}?", default=False):
        click.echo("Nothing was forgotten.")
        return 1
    try:
        store = Store(path)
        try:
            store.reset()
        finally:
            store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    click.echo("All figures are forgotten.")
    return 0


def _print(found: "Report", path: Path) -> None:
    out = runtime.console()
    width, out.width = out.width, max(out.width, _LEAST_WIDTH)
    out.print(f"Suggestions from {found.first} to {found.last}", style="bold")
    _print_total(out, found.total)
    if found.sources:
        _print_latency(out, found)
    if len(found.languages) > 1:
        _print_rows(out, "Language", dict(list(found.languages.items())[:_MOST_LANGUAGES]))
    if out.is_terminal and out.encoding.lower().startswith("utf"):
        _print_chart(out, found, width)
    else:
        _print_rows(out, "Day", found.days)
    out.print()
    out.print(
        f'These figures are in {path} and never leave this machine; "sirdab stats --reset" '
        "forgets them.",
        style="dim",
        markup=False,
    )


def _print_total(out: "Console", total: "Tally") -> None:
    from rich.table import Table

    from sirdab.metrics.record import PARTS

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    concluded = total.shown - total.shown_told
    parts = ", ".join(f"{total.accepted[part]:,} {part}" for part in PARTS if total.accepted[part])
    quietly = total.taken - total.accepted_told
    table.add_row(
        "Shown",
        f"{total.shown:,}",
        f"{concluded:,} concluded, because the editor does not say" if concluded else "",
    )
    table.add_row(
        "Accepted",
        f"{total.taken:,}",
        "; ".join(
            note
            for note in (
                _percent(total.rate),
                parts,
                f"{quietly:,} seen from the text alone" if quietly else "",
            )
            if note
        ),
    )
    table.add_row("Dismissed", f"{total.endings['dismissed']:,}", "seen, and not wanted")
    table.add_row("Passed", f"{total.endings['passed']:,}", "gone before it could be read")
    table.add_row("Typed out", f"{total.endings['typed']:,}", "right, and typed by hand")
    for horizon, name in _HORIZON_NAMES.items():
        share = total.retained(horizon)
        if share is not None:
            table.add_row(f"Kept for {name}", _percent(share), "of the accepted text")
    table.add_row("Characters", f"{total.characters:,}", "accepted instead of typed")
    cost = total.tokens_per_character
    if cost is not None:
        table.add_row("Tokens read", f"{cost:,.1f}", "for each accepted character")
    out.print(table)


def _print_latency(out: "Console", found: "Report") -> None:
    from rich.table import Table

    from sirdab.metrics.report import PERCENTILES

    names = [f"p{percent}" for percent in PERCENTILES]
    table = Table("Answers", "Count", *names, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for source, latency in found.sources.items():
        table.add_row(
            _SOURCE_NAMES[source],
            f"{latency.answers:,}",
            *(_milliseconds(latency.percentile(percent)) for percent in PERCENTILES),
        )
    out.print()
    out.print(table)


def _print_rows(out: "Console", title: str, rows: "dict[str, Tally]") -> None:
    from rich.table import Table

    table = Table(
        title, "Shown", "Accepted", "Rate", "Dismissed", "Characters", box=None, pad_edge=False
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for name, tally in rows.items():
        table.add_row(
            name,
            f"{tally.shown:,}",
            f"{tally.taken:,}",
            _percent(tally.rate) or "–",
            f"{tally.endings['dismissed']:,}",
            f"{tally.characters:,}",
        )
    out.print()
    out.print(table)


def _print_chart(out: "Console", found: "Report", width: int) -> None:
    figures: dict[str, Callable[[Tally], float]] = {
        "Shown": lambda day: day.shown,
        "Accepted": lambda day: day.taken,
        "Characters": lambda day: day.characters,
    }
    width = max(width - _BESIDE_CHART, 10)
    out.print()
    for name, figure in figures.items():
        values = [figure(day) for day in found.days.values()]
        out.print(f"{name:<11} ", end="")
        out.print(sparkline(values, width), style="cyan", markup=False)
    first, last = (date.fromisoformat(day) for day in (min(found.days), max(found.days)))
    out.print(f"{'':<12}{first:%d.%m.} to {last:%d.%m.}, by day", style="dim")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _milliseconds(ms: float) -> str:
    return f"{ms:.1f} ms" if ms < 10 else f"{ms:,.0f} ms"
