"""Typing replayed in real time against Sirdab and two baselines, on the real model.

    python -m bench.replay --events 500 --model qwen2.5-coder-0.5b

Lines of real source files of this project (Python, TypeScript, Lua) are typed again in the rhythm
of a person, with slips, jumps to another place and back, and the help that an editor gives. Each
contestant gets the same sessions and a model server of its own that has just been started: the
embedded one with the same model, threads and context.

- ``sirdab``: the real language server with its default settings;
- ``naive``: prefix, suffix, middle at each key, as `bench.replay.naive` says;
- ``ring``: the algorithm of llama.vim, as `bench.replay.ring` says.

The order changes from session to session. With --patient no key is pressed before the last one is
answered: nothing is given up half-read, so that what each contestant has the model read can be
compared. Writes `bench/results/replay.json` and `replay.md`, or files of another `--name`.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import psutil

from bench.replay import figures
from bench.replay.model_server import model_server
from bench.replay.naive import Naive
from bench.replay.relay import Exchange, Relay
from bench.replay.report import page
from bench.replay.ring import BATCH_TOKENS, Ring
from bench.replay.simulated import SimulatedServer
from sirdab.benchmark.replay import (
    EDITOR_DELAY_MS,
    Contestant,
    Keystroke,
    Player,
    Session,
    lay_out,
    sessions,
)
from sirdab.config.directories import CACHE_ENV, STATE_ENV
from sirdab.models.catalog import family_of
from sirdab.models.store import find

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
FOLDERS = ("lsp/sirdab", "clients/vscode/src", "clients/neovim/lua")
CONTESTANTS = ("sirdab", "naive", "ring")


def choose(folders: Sequence[Path], events: int, seed: int) -> list[tuple[Path, Session]]:
    """Choose sessions, the folders in turn, until there is enough to type."""
    found: list[tuple[Path, Session]] = []
    typed = 0
    each = [[(folder, one) for one in sessions(folder, seed)] for folder in folders]
    for one in chain.from_iterable(zip_longest(*each)):
        if typed >= events:
            break
        if one is not None:
            found.append(one)
            typed += one[1].characters
    return found


@asynccontextmanager
async def contestant(
    name: str, model: Path, folder: Path, truth: Sequence[str]
) -> AsyncGenerator[tuple[Contestant, Relay]]:
    """Start a contestant with a model server of its own.

    Args:
        name: Which one.
        model: The weights.
        folder: The workspace.
        truth: The finished files, for a simulated server; empty for the real one.
    """
    batch = BATCH_TOKENS if name == "ring" else 0
    async with (
        _server(model, batch, truth) as upstream,
        Relay(upstream, batch or _managed_batch()) as relay,
    ):
        made: Any
        if name == "sirdab":
            # Imported here, because it brings the whole server with it.
            from bench.replay.sirdab import Sirdab

            made = Sirdab(relay.url, folder.as_uri())
            await made.start()
        elif name == "naive":
            fim = family_of(model.stem).fim
            if fim is None:
                raise SystemExit(f"{model.name} knows no fill-in-the-middle.")
            made = Naive(relay.url, fim)
        else:
            made = Ring(relay.url)
        try:
            yield made, relay
        finally:
            await made.aclose()


@asynccontextmanager
async def _server(model: Path, batch: int, truth: Sequence[str]) -> AsyncGenerator[str]:
    if truth:
        async with SimulatedServer(truth, batch or _managed_batch()) as simulated:
            yield simulated.url
        return
    async with model_server(model, batch) as upstream:
        yield upstream


def _managed_batch() -> int:
    from sirdab.endpoint.managed import engine

    return engine.BATCH_TOKENS


async def play(
    chosen: Sequence[tuple[Path, Session]],
    names: tuple[str, ...],
    model: Path,
    options: argparse.Namespace,
    keep: Callable[[list[dict[str, Any]]], None],
) -> None:
    """Play every session to every contestant and hand over what came of it."""
    from rich.console import Console
    from rich.progress import Progress

    with (
        tempfile.TemporaryDirectory() as place,
        Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress,
    ):
        # What the server learns and keeps is not to come from, or go to, the user's own.
        os.environ[STATE_ENV] = f"{place}/state"
        os.environ[CACHE_ENV] = f"{place}/cache"
        os.environ["SIRDAB_CONFIG"] = os.devnull
        characters = sum(session.characters for _, session in chosen)
        bar = progress.add_task("typing", total=characters * len(names))
        for number, (folder, session) in enumerate(chosen):
            copy = Path(place) / f"{number}"
            lay_out(folder, [session], copy)
            for turn in range(len(names)):
                index: int = (number + options.seed + turn) % len(names)
                name = names[index]
                progress.update(bar, description=f"{name}: {session.id}")

                def told(key: Keystroke) -> None:
                    gained = key.accepted or (key.kind in ("type", "over"))
                    progress.advance(bar, int(gained))

                truth = [(folder / session.path).read_text("utf-8")] if options.simulate else []
                async with contestant(name, model, copy, truth) as (made, relay):
                    player = Player(
                        made,
                        seed=options.seed,
                        editor_delay_ms=options.editor_delay_ms,
                        patient=options.patient,
                        on_key=told,
                    )
                    worked = _processor_seconds()
                    keys = await player.play(session, copy, options.most)
                    worked = _processor_seconds() - worked
                    relay.settle()
                    started = player.started
                    ident = f"{options.seed}.{number}"
                    kept: list[dict[str, Any]] = [
                        {"key": figures.keystroke_json(name, ident, key)} for key in keys
                    ]
                    kept += [
                        {"exchange": _exchange(name, ident, one, started)}
                        for one in relay.exchanges
                    ]
                    kept.append({"work": {"contestant": name, "seconds": round(worked, 2)}})
                    keep(kept)


def _processor_seconds() -> float:
    """Return the processor time that the model server of this process has taken so far."""
    servers = [
        process
        for process in psutil.Process().children()
        if "bench.replay.model_server" in process.cmdline()
    ]
    return sum(sum(process.cpu_times()[:2]) for process in servers)


def _exchange(name: str, ident: str, one: Exchange, started: float) -> dict[str, Any]:
    found = asdict(one)
    at = found.pop("at")
    return {"contestant": name, "round": ident, "at_ms": round((at - started) * 1000, 1), **found}


def report(raw: Sequence[dict[str, Any]], model: str, editor_delay_ms: float) -> dict[str, Any]:
    """Add everything up."""
    keys = [one["key"] for one in raw if "key" in one]
    exchanges = [one["exchange"] for one in raw if "exchange" in one]
    work = [one["work"] for one in raw if "work" in one]
    present = [name for name in CONTESTANTS if any(key["contestant"] == name for key in keys)]
    found = {
        name: figures.summarise(
            [key for key in keys if key["contestant"] == name],
            [one for one in exchanges if one["contestant"] == name],
            sum(one["seconds"] for one in work if one["contestant"] == name),
        )
        for name in present
    }
    return {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "model": model,
        "editor_delay_ms": editor_delay_ms,
        "sessions": sorted({key["session"] for key in keys}),
        "contestants": found,
    }


def main() -> int:
    """Read the command line, play, and write the results."""
    parser = argparse.ArgumentParser(prog="bench.replay", description=__doc__)
    parser.add_argument("--events", type=int, default=450, help="characters to type, about")
    parser.add_argument("--minutes", type=float, help="the same as a time, for all contestants")
    parser.add_argument("--model", default="auto", help="catalog name or path of a GGUF file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=1 << 30, help="keys a session at most")
    parser.add_argument("--only", action="append", choices=CONTESTANTS, help="only this one")
    parser.add_argument("--editor-delay-ms", type=float, default=EDITOR_DELAY_MS)
    parser.add_argument("--folder", type=Path, action="append", help="other source code to type")
    parser.add_argument("--simulate", action="store_true", help="with a server that only takes its "
                        "time, as the 0.5B model does on two idle cores")  # fmt: skip
    parser.add_argument("--patient", action="store_true", help="type no key before the last one is "
                        "answered, so that nothing is given up half-read")  # fmt: skip
    parser.add_argument("--raw", type=Path, help="append every key and request to this file, and "
                        "report on all that it holds")  # fmt: skip
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the report")
    parser.add_argument("--name", default="replay", help="name of the report's files")
    options = parser.parse_args()
    names = tuple(options.only or CONTESTANTS)
    # About 0.3 s a key with pauses, and some seconds for each start.
    events = int(options.minutes * 60 / 0.33 / len(names)) if options.minutes else options.events
    model = find(options.model).path
    raw: list[dict[str, Any]] = []

    def keep(found: list[dict[str, Any]]) -> None:
        raw.extend(found)
        if options.raw is not None:
            with options.raw.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(one) + "\n" for one in found)

    folders: list[Path] = options.folder or [ROOT / name for name in FOLDERS]
    if events:
        asyncio.run(play(choose(folders, events, options.seed), names, model, options, keep))
    if options.raw is not None:
        raw = [json.loads(line) for line in options.raw.open(encoding="utf-8")]
    name = "a simulated server" if options.simulate else model.stem
    found = {**report(raw, name, options.editor_delay_ms), "patient": options.patient}
    options.results.mkdir(parents=True, exist_ok=True)
    results = options.results / f"{options.name}.json"
    results.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    text = page(found)
    results.with_suffix(".md").write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
