"""What code of other files is worth, by how much of it the model is shown.

    python -m bench.context [--count 40] [--folder FOLDER]...

Holes in real code (`sirdab bench holes`, see `sirdab.benchmark.holes`) are filled with the
embedded model, without context from other files and with more and more of it, in each style that
the model's family knows: as comments, and in the family's format for repositories. The files
beside the one with the hole are an index of the folder and the nearest files as if they were open;
there are no recent edits in a folder that nobody edits, so what those are worth is not measured.

Every hole is read from nothing, so the milliseconds are those of a cold start; while one types, the
context has been read already.

A run that is stopped goes on where it was (`--state`). Writes `bench/results/context.json` and
`context.md`.
"""

import argparse
import asyncio
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from sirdab.benchmark import results
from sirdab.benchmark import score as scoring
from sirdab.benchmark.holes import Hole, Kind, choose
from sirdab.benchmark.neighbourhood import MOST_OPEN, Neighbourhood
from sirdab.cli import runtime
from sirdab.completion.budget import Speed
from sirdab.completion.request import Reason
from sirdab.completion.window import Anchors
from sirdab.config.schema import Settings
from sirdab.context.similar import words_of
from sirdab.endpoint.base import ModelInfo
from sirdab.models.catalog import DEFAULT_MODEL, ContextStyle, Family, family_of

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
FOLDERS = ("lsp/sirdab",)
BUDGETS = (600, 1_200)
STYLES: tuple[ContextStyle, ...] = ("comments", "repository")
NAME_BUDGETS = (300, 600, 1_200, 2_400, 4_800)
# A block is written for longer than its prompt is read, and tells as little as its first line.
KINDS: tuple[Kind, ...] = ("line", "middle")
SEED = 11


def styled(style: ContextStyle) -> Any:
    """Return a patch under which every family shows code of other files in one style."""

    def chosen(info: ModelInfo) -> Family:
        return replace(family_of(info.name, info.path), context_style=style)

    return mock.patch.object(ModelInfo, "family", property(chosen))


class Run(NamedTuple):
    """One way to show code of other files.

    Attributes:
        characters: Most characters of it; 0 for none.
        style: As comments or in the family's format; of no meaning for none.
    """

    characters: int
    style: ContextStyle

    @property
    def name(self) -> str:
        """What the results call it."""
        return self.style if self.characters else "none"


RUNS = (Run(0, "comments"), *(Run(most, style) for most in BUDGETS for style in STYLES))

Scores = dict[Run, dict[str, scoring.Score]]


def known(folder: Path, holes: Sequence[Hole], state: Path) -> Scores:
    """Return what was measured before."""
    found: Scores = {}
    for run in RUNS:
        conditions = {
            "folder": folder.name,
            "characters": run.characters,
            "style": run.name,
            "holes": [hole.id for hole in holes],
        }
        scores = results.begin(file_of(folder, run, state), conditions)
        found[run] = {one.id: one for one in scores}
    return found


def file_of(folder: Path, run: Run, state: Path) -> Path:
    """Return where the scores of one run are kept."""
    return state / f"{folder.name}-{run.characters}-{run.name}.jsonl"


async def fill(
    holes: Sequence[Hole],
    folder: Path,
    settings: Settings,
    scores: Scores,
    state: Path,
    ends_at: float,
) -> bool:
    """Fill every hole in every way that is missing; return False when the time is over before."""
    if all(len(one) == len(holes) for one in scores.values()):
        return True
    around = Neighbourhood(folder, max(BUDGETS))
    async with around, runtime.engine(settings, context=around.source) as (engine, _manager):
        # Hole by hole, so that a run that is stopped says something of every way.
        for hole in holes:
            for run in RUNS:
                if hole.id in scores[run]:
                    continue
                if time.monotonic() > ends_at:
                    return False
                request = await around.request(hole, settings)
                around.show(run.characters)
                with styled(run.style):
                    outcome = await engine.complete(request, fresh=True)
                if outcome.reason is Reason.ENDPOINT:
                    raise RuntimeError(outcome.detail)
                scores[run][hole.id] = scoring.score(hole, outcome)
                results.append(file_of(folder, run, state), scores[run][hole.id])
    return True


async def count_names(folder: Path, count: int) -> list[dict[str, Any]]:
    """Count how many of the names that a hole needs, and the window lacks, the block holds.

    It needs no model, so there can be many holes, and it bounds what context can be worth.
    """
    settings = Settings()
    lean = Speed().budget(0, settings.completion.max_tokens)
    found: dict[int, Counter[str]] = {most: Counter() for most in NAME_BUDGETS}
    async with Neighbourhood(folder, max(NAME_BUDGETS)) as around:
        assert around.source is not None
        for hole in choose(folder, KINDS, count, SEED):
            window = Anchors().window(hole.id, hole.text, hole.point, lean)
            shown = words_of(f"{window.before} {window.rest_of_line} {window.below}")
            lacking = words_of(hole.expected) - shown
            request = await around.request(hole, settings)
            for most, total in found.items():
                around.show(most)
                block = around.source.block(request, family_of(DEFAULT_MODEL), 0, most, window)
                inside = words_of(block.text)
                total["holes"] += 1
                total["lacking"] += bool(lacking)
                total["names"] += len(lacking)
                total["names in block"] += len(lacking & inside)
                total["holes helped"] += bool(lacking & inside)
                total["characters used"] += len(block.text)
    return [{"folder": folder.name, "characters": most, **total} for most, total in found.items()]


def row(
    scores: Sequence[scoring.Score], before: Sequence[scoring.Score], **names: Any
) -> dict[str, Any]:
    """Return the figures of one run, and how they differ from the run without context."""
    one = scoring.summarise(scores)
    first = scoring.compare(before, scores, lambda score: score.first_line)
    exact = scoring.compare(before, scores, lambda score: score.exact)
    return {
        **names,
        **asdict(one),
        "first_line_difference": asdict(first),
        "exact_difference": asdict(exact),
    }


def measure(
    folders: Sequence[Path], count: int, state: Path, seconds: float
) -> tuple[list[dict[str, Any]], bool]:
    """Measure everything, or as much as there is time for.

    Returns:
        The figures over the holes that were filled in every way, and whether those are all.
    """
    settings, _ = runtime.user_settings()
    patient = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=120_000))
    began = time.monotonic()
    rows: list[dict[str, Any]] = []
    complete = True
    for number, folder in enumerate(folders, 1):
        # Each folder has its share of the time, and what the ones before it did not need.
        ends_at = began + seconds * number / len(folders)
        holes = list(choose(folder, KINDS, count, SEED))
        scores = known(folder, holes, state)
        if time.monotonic() < ends_at:
            complete &= asyncio.run(fill(holes, folder, patient, scores, state, ends_at))
        done = [hole.id for hole in holes if all(hole.id in one for one in scores.values())]
        complete &= len(done) == len(holes)
        if done:
            before = [scores[RUNS[0]][id_] for id_ in done]
            rows += [
                row(
                    [scores[run][id_] for id_ in done],
                    before,
                    folder=folder.name,
                    characters=run.characters,
                    style=run.name,
                )
                for run in RUNS
            ]
    return rows, complete


def table(rows: Sequence[dict[str, Any]], names: Sequence[dict[str, Any]]) -> str:
    """Return the results as Markdown."""
    lines = [
        "# Context beyond the file",
        "",
        "Written by `python -m bench.context`: the rest of a line and a part within one, filled in",
        "by the embedded 0.5B model. The difference is that of first lines that are right, hole by",
        "hole, to the run without context, with its 95 % confidence interval. Every hole is read",
        f"from nothing. Open beside each file are the {MOST_OPEN} nearest ones; the folder is",
        "indexed; nothing has been edited.",
        "",
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}.",
        "",
        (
            "| Folder | Characters | Style | Holes | First line right | Difference | Exact "
            "| Alike | Median ms | Tokens read |"
        ),
        "| --- | ---: | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for one in rows:
        gap = one["first_line_difference"]
        lines.append(
            f"| {one['folder']} | {one['characters']} | {one['style']} | {one['holes']} "
            f"| {one['first_line']:.1%} "
            f"| {gap['mean']:+.1%} ({gap['low']:+.1%} … {gap['high']:+.1%}) "
            f"| {one['exact']:.1%} | {one['similarity']:.2f} | {one['median_ms']:.0f} "
            f"| {one['read']:.0f} |"
        )
    lines += [
        "",
        "## Names that are missing",
        "",
        "Of the names in a hole, those that stand nowhere in the text that the model sees of the",
        "document on a CPU, and how many of them are in the context. No model is asked; a name",
        "that is not seen is seldom guessed, so this bounds what context can add.",
        "",
        (
            "| Folder | Characters | Holes | With missing names | Missing names in the context "
            "| Holes with one in it | Characters used |"
        ),
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one['folder']} | {one['characters']} | {one['holes']} | {one['lacking']} "
        f"| {one['names in block'] / max(1, one['names']):.1%} "
        f"| {one['holes helped'] / max(1, one['lacking']):.1%} "
        f"| {one['characters used'] / max(1, one['holes']):.0f} |"
        for one in names
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=40, help="holes in each folder")
    parser.add_argument("--name-holes", type=int, default=300, help="holes without the model")
    parser.add_argument("--folder", action="append", type=Path, help="a folder with code")
    parser.add_argument(
        "--state", type=Path, default=ROOT / "build" / "bench-context", help="results so far"
    )
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so many")
    given = parser.parse_args(argv)
    folders = given.folder or [ROOT / name for name in FOLDERS]
    rows, complete = measure(
        [folder.resolve() for folder in folders], given.count, given.state, given.seconds
    )
    names = [
        one
        for folder in folders
        for one in asyncio.run(count_names(folder.resolve(), given.name_holes))
    ]
    RESULTS.mkdir(exist_ok=True)
    data = json.dumps({"holes": rows, "names": names}, indent=2)
    (RESULTS / "context.json").write_text(data + "\n", encoding="utf-8")
    (RESULTS / "context.md").write_text(table(rows, names), encoding="utf-8")
    sys.stdout.write(table(rows, names))
    if not complete:
        sys.stderr.write("There is more to measure; run it again.\n")
    return 0 if complete else 3


if __name__ == "__main__":
    sys.exit(main())
