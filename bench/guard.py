"""What the syntax guard costs, and what it is worth.

Two questions, each over holes in real source files (`sirdab.benchmark.holes`):

- Without a model: the text that was really there is given to the guard as if a model had said it.
  The guard must let it pass; what it stops is a false alarm. This also says what judging costs.
- With the model: what would have been offered without the guard, and what is offered with it. The
  guard must not lower the share that is right, and should lower the share that breaks the file.

Run as `python -m bench.guard FOLDER…` for the first and `python -m bench.guard --model FOLDER…` for
the second; without folders, over this project. Results are in `bench/results/guard.json` and
`guard.md`. With the model, a run goes on where the one before it ended, up to `--count` holes a
folder or for `--seconds`.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any
from unittest import mock

from sirdab.benchmark.holes import KINDS, Hole, choose
from sirdab.benchmark.score import count_errors
from sirdab.cli import runtime
from sirdab.completion import guard, region
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
HERE = ("lsp", "clients")
LARGE_LINES = 50_000


@dataclass(frozen=True, slots=True)
class Judged:
    """What the guard made of the right texts of one folder.

    Attributes:
        folder: Its name.
        holes: How many texts.
        stopped: Texts that were shortened or dropped, all of them wrongly.
        unjudged: Texts that were let pass because the code around them is not whole for the
            grammar, or for lack of time.
        median_ms: Time for cutting out the region and judging, in milliseconds.
        p95_ms: 95th percentile of it.
        most_ms: The longest.
    """

    folder: str
    holes: int
    stopped: int
    unjudged: int
    median_ms: float
    p95_ms: float
    most_ms: float


@dataclass(slots=True)
class Offered:
    """What the model's suggestions were with and without the guard.

    Attributes:
        folder: Name of the folder.
        holes: How many places.
        offered: Suggestions without the guard.
        dropped: Of them, dropped by it.
        shortened: Of them, shortened by it.
        exact_without: Suggestions that were right without the guard.
        exact_with: The same with it.
        breaking_without: Suggestions with which the file has more errors than with the right text.
        breaking_with: The same with the guard.
        first_line_without: Suggestions whose first line was right.
        first_line_with: The same with the guard.
        times: What judging took each time, in milliseconds.
    """

    folder: str
    holes: int = 0
    offered: int = 0
    dropped: int = 0
    shortened: int = 0
    exact_without: int = 0
    exact_with: int = 0
    breaking_without: int = 0
    breaking_with: int = 0
    first_line_without: int = 0
    first_line_with: int = 0
    times: list[float] = field(default_factory=list[float])


def judge(hole: Hole, text: str) -> tuple[guard.Verdict, float]:
    """Give a text to the guard and return what it said, and what that took in milliseconds."""
    started = time.perf_counter()
    item = region.cut(hole.text, hole.point, hole.language_id)
    verdict = guard.Verdict(text, judged=False) if item is None else guard.guard(text, item)
    return verdict, (time.perf_counter() - started) * 1000


def without_model(name: str, folder: Path, count: int) -> Judged:
    """Judge the right texts of a folder."""
    times: list[float] = []
    stopped = unjudged = 0
    for hole in choose(folder, KINDS, count, seed=1):
        verdict, ms = judge(hole, hole.expected)
        times.append(ms)
        stopped += verdict.text != hole.expected
        unjudged += not verdict.judged
    return Judged(name, len(times), stopped, unjudged, *_spread(times))


def large(language: str, unit: str) -> Judged:
    """Judge an answer in the middle of a file of 50,000 lines."""
    lines = unit.count("\n")
    text = Text(unit * (LARGE_LINES // lines))
    times: list[float] = []
    for number in range(200):
        line = (text.line_count // 200 * number // lines) * lines + 1
        body = text.line_body(line)
        start = Point(line, len(body) - len(body.lstrip()))
        hole = Hole("", "", language, "line", text, start, "")
        _, ms = judge(hole, body.strip())
        times.append(ms)
    return Judged(f"{language}, {LARGE_LINES:,} lines", len(times), 0, 0, *_spread(times))


def _spread(times: list[float]) -> tuple[float, float, float]:
    times = sorted(times) or [0.0]
    return times[len(times) // 2], times[int(len(times) * 0.95)], times[-1]


async def with_model(found: Offered, folder: Path, count: int, model: str, deadline: float) -> None:
    """Ask the model at places of a folder, and judge what it says.

    Args:
        found: What was found at the first places already; added to.
        folder: The folder.
        count: Places in all.
        model: The model.
        deadline: When to stop, in seconds of `time.monotonic`.
    """
    settings, _ = runtime.user_settings(model=model)
    patient = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=120_000))
    judged: list[tuple[str, str]] = []

    def recording(text: str, item: region.Region) -> guard.Verdict:
        started = time.perf_counter()
        verdict = guard.guard(text, item)
        found.times.append(round((time.perf_counter() - started) * 1000, 3))
        judged.append((text, verdict.text))
        return verdict

    async with runtime.engine(patient) as (engine, _manager):
        for hole in islice(choose(folder, KINDS, count, seed=1), found.holes, None):
            if time.monotonic() > deadline:
                break
            judged.clear()
            # The step of the chain finds the guard where it is imported from.
            with mock.patch("sirdab.completion.postprocess.judge", recording):
                await engine.complete(
                    CompletionRequest(
                        Snapshot(f"untitled:{hole.id}", hole.language_id, 1, hole.text),
                        hole.point,
                        Trigger.INVOKED,
                        patient,
                    ),
                    fresh=True,
                )
            found.holes += 1
            if judged:
                _count(found, hole, *judged[-1])


def _count(found: Offered, hole: Hole, before: str, after: str) -> None:
    found.offered += 1
    found.dropped += not after
    found.shortened += bool(after) and after != before
    found.exact_without += _tidy(before) == _tidy(hole.expected)
    found.exact_with += _tidy(after) == _tidy(hole.expected)
    found.first_line_without += _first(before) == _first(hole.expected)
    found.first_line_with += _first(after) == _first(hole.expected)
    found.breaking_without += _breaks(hole, before)
    found.breaking_with += bool(after) and _breaks(hole, after)


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def _first(text: str) -> str:
    return _tidy(text).split("\n")[0]


def _breaks(hole: Hole, text: str) -> bool:
    def errors(filling: str) -> int:
        whole = hole.text.replace(hole.point, hole.point, filling)
        return count_errors(whole, hole.language_id) or 0

    return errors(text) > errors(hole.expected)


def table(data: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        "# The syntax guard",
        "",
        "The right text given to the guard: what it stops is a false alarm. Times are for cutting",
        "out the region and judging, with the budget that is in force.",
        "",
        "| Code | Texts | Stopped | Not judged | Median ms | p95 ms | Most ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one['folder']} | {one['holes']} | {one['stopped']} "
        f"| {one['unjudged'] / max(one['holes'], 1):.0%} | {one['median_ms']:.2f} "
        f"| {one['p95_ms']:.2f} | {one['most_ms']:.2f} |"
        for one in data["right"].values()
    ]
    lines += [
        "",
        "What the model offers, without the guard → with it. A suggestion breaks the file when the",
        "file has more syntax errors with it than with the right text.",
        "",
        "| Code, model | Holes | Offered | Dropped | Cut | Exact | First line | Breaks | p50 ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {name} | {one['holes']} | {one['offered']} | {one['dropped']} | {one['shortened']} "
        f"| {one['exact_without']} → {one['exact_with']} "
        f"| {one['first_line_without']} → {one['first_line_with']} "
        f"| {one['breaking_without']} → {one['breaking_with']} "
        f"| {_spread(one['times'])[0]:.2f} |"
        for name, one in data["offered"].items()
    ]
    return "\n".join(lines) + "\n"


_UNITS = {
    "python": "def f(a, b):\n    total = a + b\n    return total\n\n",
    "typescript": "function f(a: number) {\n  const b = a + 1;\n  return b;\n}\n",
    "lua": "local function f(a)\n  local b = a + 1\n  return b\nend\n",
}


def main() -> int:
    """Measure and write the results."""
    arguments = argparse.ArgumentParser(description="What the syntax guard costs and is worth.")
    arguments.add_argument("folders", nargs="*", type=Path)
    arguments.add_argument("--model", nargs="?", const="qwen2.5-coder-0.5b")
    arguments.add_argument("--count", type=int)
    arguments.add_argument("--seconds", type=float, default=86_400.0)
    options = arguments.parse_args()
    path = RESULTS / "guard.json"
    data: dict[str, dict[str, Any]] = {"right": {}, "offered": {}}
    if path.exists():
        data |= json.loads(path.read_text(encoding="utf-8"))
    right, offered = data["right"], data["offered"]
    folders = [(name, ROOT / name) for name in HERE]
    if options.folders:
        folders = [(folder.name, folder.absolute()) for folder in options.folders]
    deadline = time.monotonic() + options.seconds
    for name, folder in folders:
        if options.model:
            row = f"{name}, {options.model}"
            score = Offered(**offered[row]) if row in offered else Offered(name)
            count = options.count or 120
            asyncio.run(with_model(score, folder, count, options.model, deadline))
            offered[row] = asdict(score)
        else:
            right[name] = asdict(without_model(name, folder, options.count or 600))
    if not options.folders and not options.model:
        for language, unit in _UNITS.items():
            one = large(language, unit)
            right[one.folder] = asdict(one)
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "guard.md").write_text(table(data), encoding="utf-8")
    sys.stdout.write(table(data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
