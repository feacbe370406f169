"""What reading ahead is worth: the first word at a place the model has not seen.

Places of this project are asked about on one server in one run, each once and in a document of its
own, by turns: at once, and after the prompt has been read ahead in slices, as it is where the
cursor rests.

Run as `python -m bench.read_ahead`; writes `bench/results/read_ahead.json` and `read_ahead.md`.
"""

import asyncio
import json
import os
import platform
import statistics
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from sirdab.benchmark.holes import Hole, choose
from sirdab.cli import runtime
from sirdab.completion.engine import Engine
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.config.schema import Settings
from sirdab.endpoint.base import Usage
from sirdab.text.document import Snapshot

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PLACES = 24
SEED = 5


async def at_once(work: Callable[[], Awaitable[Usage]]) -> Usage:
    """Wait for nobody: nothing else uses the server."""
    return await work()


async def first_word(engine: Engine, settings: Settings, hole: Hole, *, ahead: bool) -> float:
    """Return the milliseconds from the request to the first piece of the answer."""
    request = CompletionRequest(
        Snapshot(f"untitled:{hole.id}", hole.language_id, 1, hole.text),
        hole.point,
        Trigger.INVOKED,
        settings,
    )
    if ahead:
        await engine.warm(request, at_once)
    outcome = await engine.complete(request, fresh=True)
    return float(outcome.trace.get("first_token_ms") or 0.0)


async def run() -> dict[str, list[float]]:
    """Measure every place once, every other one after reading ahead."""
    settings, _ = runtime.user_settings()
    patient = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=120_000))
    found: dict[str, list[float]] = {"cold": [], "ahead": []}
    async with runtime.engine(patient) as (engine, _manager):
        for count, hole in enumerate(choose(ROOT / "lsp", ("line",), PLACES, SEED)):
            ahead = count % 2 == 1
            took = await first_word(engine, patient, hole, ahead=ahead)
            if took:
                found["ahead" if ahead else "cold"].append(took)
    return found


def table(found: dict[str, list[float]]) -> str:
    """Return the figures as Markdown."""
    names = {"cold": "at once", "ahead": "after reading ahead"}
    lines = [
        "# Reading ahead",
        "",
        "Written by `python -m bench.read_ahead`. Milliseconds to the first word of the model at",
        f"places of this project it has not seen, 0.5B model, {os.cpu_count()} cores,",
        f"{platform.machine()}.",
        "",
        "| | places | median | longest |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {names[way]} | {len(times)} | {statistics.median(times):.0f} | {max(times):.0f} |"
        for way, times in found.items()
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and write the results."""
    found = asyncio.run(run())
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "read_ahead.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "read_ahead.md").write_text(table(found), encoding="utf-8")
    sys.stdout.write(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
