"""`sirdab bench replay`: how quick and how right ghost text is while one's own code is typed."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sirdab.cli import runtime

if TYPE_CHECKING:
    from sirdab.benchmark.replay import Session
    from sirdab.config.schema import Settings

_SHARES = {
    "Keystrokes with a suggestion": "shown",
    "the same within 300 ms of the key": "within_300_ms",
    "the same within 750 ms": "within_750_ms",
    "Suggestions that are all true": "true",
    "whose first line is": "line_exact",
    "that break the syntax": "breaks_syntax",
}
_TIMES = {
    "From the key to ghost text (ms)": "key_to_ghost_ms",
    "From the editor's request (ms)": "request_to_ghost_ms",
    "the same while typing along (ms)": "typing_along_request_to_ghost_ms",
}
# A file of the speeds that have been learnt; the rest of the state is not the replay's business.
_SPEEDS = "speeds.json"


@click.command(
    "replay",
    epilog="Example: sirdab bench replay src --keys 200",
    short_help="Type your code again, in real time, and watch what is suggested.",
)
@click.argument(
    "path", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER"
)
@click.option(
    "--keys",
    type=click.IntRange(10, 100_000),
    default=300,
    show_default=True,
    help="Keys to press; about three a second.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Other files and places.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--url", help='Address of the model server; "auto" for what is found here.')
@click.option("--model", help="Model to use: a catalog name or the path of a GGUF file.")
def command(
    path: Path, keys: int, seed: int, as_json: bool, url: str | None, model: str | None
) -> int:
    """Type lines of the files in FOLDER again in the rhythm of a person, with slips and jumps.

    The language server is the one that your editor starts, and is asked as VS Code asks it. What is
    to be typed is not in the files that it sees. Your files are not changed, and nothing of this
    is counted in "sirdab stats". An editor with Sirdab that works at the same time slows it down.
    """
    from sirdab.benchmark import figures
    from sirdab.benchmark.editor import ServerGoneError

    settings, problems = runtime.user_settings(url=url, model=model)
    errors = runtime.console(stderr=True)
    for problem in problems:
        errors.print(f"sirdab: {problem}", markup=False)
    chosen = _choose(path.absolute(), keys, seed, settings)
    if not chosen:
        raise click.ClickException(
            f"there is no file in {path} with code enough to type again: 50 lines or more, "
            "with LF line ends."
        )
    try:
        with _own_state() as state:
            name, kept = asyncio.run(
                _play(path.absolute(), chosen, keys, seed, _options(settings), state)
            )
            learnt = _learnt(state)
    except ServerGoneError as error:
        raise click.ClickException(str(error)) from error
    found = {
        "model": name,
        "seed": seed,
        "files": [session.id for session in chosen],
        **figures.summarise(kept),
    }
    # The editor's side does not know where a suggestion came from; the server's own figures do.
    for unknown in ("sources", "by_source"):
        del found[unknown]
    found |= learnt
    if as_json:
        runtime.echo_json(found)
    else:
        _print(found)
    return 0


def _choose(folder: Path, keys: int, seed: int, settings: "Settings") -> "list[Session]":
    from sirdab.benchmark.replay import sessions
    from sirdab.policy.ignore import ExclusionRules

    rules = ExclusionRules(settings.privacy.exclude, [str(folder)])
    found: list[Session] = []
    for session in sessions(folder, seed):
        if rules.is_excluded(folder / session.path) is not None:
            continue
        found.append(session)
        # Slips, jumps and brackets that the editor closes add about a quarter to the keys.
        if sum(one.characters for one in found) >= keys:
            break
    return found


async def _play(
    folder: Path,
    chosen: "list[Session]",
    keys: int,
    seed: int,
    options: dict[str, Any],
    state: Path,
) -> tuple[str, list[dict[str, Any]]]:
    from rich.progress import Progress

    from sirdab.benchmark import figures
    from sirdab.benchmark.editor import Editor
    from sirdab.benchmark.replay import Player, lay_out
    from sirdab.config.directories import STATE_ENV

    kept: list[dict[str, Any]] = []
    name = ""
    console = runtime.console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("Starting", total=keys)
        for number, session in enumerate(chosen):
            if len(kept) >= keys:
                break
            copy = state / f"workspace-{number}"
            lay_out(folder, [session], copy)
            editor = Editor(
                (sys.executable, "-m", "sirdab", "--stdio"),
                copy,
                options,
                {STATE_ENV: str(state)},
            )
            try:
                await editor.start()
                player = Player(editor, seed=seed, on_key=lambda _: progress.advance(bar))
                progress.update(bar, description=session.id)
                pressed = await player.play(session, copy, keys - len(kept))
                name = editor.model or name
            finally:
                await editor.aclose()
            kept += [figures.keystroke_json(key) for key in pressed]
    return name, kept


@contextmanager
def _own_state() -> "Generator[Path]":
    """Give the servers a state of their own, and end the model server that they have started."""
    from sirdab.config.directories import STATE_ENV, state_directory
    from sirdab.endpoint.managed.server import running, stop

    speeds = state_directory() / _SPEEDS
    before = os.environ.get(STATE_ENV)
    with tempfile.TemporaryDirectory(prefix="sirdab-replay-", ignore_cleanup_errors=True) as place:
        state = Path(place)
        if speeds.is_file():
            shutil.copyfile(speeds, state / _SPEEDS)
        os.environ[STATE_ENV] = place
        try:
            yield state
        finally:
            try:
                for server in running():
                    stop(server)
            finally:
                if before is None:
                    del os.environ[STATE_ENV]
                else:
                    os.environ[STATE_ENV] = before


def _options(settings: "Settings") -> dict[str, Any]:
    """Return what the command line says as `initializationOptions`.

    The rest comes from the user's configuration file, which the server reads itself.
    """
    endpoint = settings.endpoint
    return {
        "endpoint": {"url": list(endpoint.urls), "model": endpoint.model},
        "privacy": {"audit": False},
    }


def _learnt(state: Path) -> dict[str, Any]:
    """Return what the server has counted: latency by source, and the tokens that were read."""
    import time

    from sirdab.metrics.report import report
    from sirdab.metrics.store import Store, StoreError, default_path

    path = default_path()
    if not path.is_relative_to(state) or not path.exists():
        return {}
    try:
        store = Store(path)
        try:
            found = report(store, 2, time.time())
        finally:
            store.close()
    except StoreError:
        return {}
    return {
        "latency_by_source": {name: one.as_json() for name, one in found.sources.items()},
        "tokens_read": found.total.tokens_read,
    }


def _print(found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("", "", box=None, show_header=False)
    table.columns[1].justify = "right"
    table.add_row("Keystrokes", str(found["keystrokes"]))
    for title, key in _TIMES.items():
        times = found[key]
        shown = " / ".join(f"{times[name]:.0f}" for name in ("p50", "p95", "p99"))
        table.add_row(f"{title}, p50 / p95 / p99", shown if times["count"] else "none")
    for title, key in _SHARES.items():
        table.add_row(title, f"{found[key]:.1%}")
    table.add_row("Acceptances", str(found["acceptances"]))
    table.add_row(
        "Characters accepted per keystroke", f"{found['accepted_chars_per_keystroke']:.2f}"
    )
    if "tokens_read" in found:
        read = found["tokens_read"] / max(found["keystrokes"], 1)
        table.add_row("Prompt tokens read per keystroke, for answers", f"{read:.1f}")
    out = runtime.console()
    out.print(f"{found['model'] or 'No model'}, {len(found['files'])} file(s)", style="bold")
    out.print(table)
