"""How much a review finds, how often it is wrong, and which fixes work, on the real models.

    python -m bench.review --model qwen2.5-coder-0.5b --model qwen2.5-coder-1.5b

For each model, in this order:

- ``fixtures``: defects in the code that was written for the bench (`sirdab.benchmark.defects`), and
  that code as it is. Each defect is a real one: the fixture's test fails with it. With and without
  refutation, with and without the linter.
- ``others``: functions of installed packages as they are, and defects in them. What is found in
  them as they are counts as false, though it may be right; no test says of these defects whether
  they are any.
- ``fixes``: the model is told of each defect, and the fixture's test is run on what it writes.

- ``timed``: some functions of the packages once more, for what a review takes; on an idle machine.

Counted is what is shown by the default settings for reviews, so nothing that is only a hint. What
is said of the same line without the defect as well is not taken for a find.

What was done is kept in `--state`, by the state of the code that reviews, so that a run that was
stopped goes on and nothing old is mixed with it; answers of a model are kept by all that was asked,
and asked again only in ``timed``. Writes `bench/results/review.json` and
`review.md`.
"""

import argparse
import asyncio
import hashlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.recorded import Recorded
from sirdab.benchmark import review_fixes
from sirdab.benchmark.review import VARIANTS, Bench, Results, Variant, report
from sirdab.benchmark.review_cases import Case, installed, own, seeded
from sirdab.benchmark.review_fixes import FixBench, Fixed
from sirdab.benchmark.review_score import cost
from sirdab.cli import runtime
from sirdab.config.schema import Settings
from sirdab.endpoint.base import EndpointSource

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
STATE = ROOT / "bench" / "state"
MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
# Of those none is among the packages whose signs are counted (`bench.signs`), by which the rules
# were chosen.
PACKAGES = (
    "attr",
    "cattrs",
    "ctypes",
    "h11",
    "hatchling",
    "httpcore",
    "jsonschema",
    "markdown_it",
    "multiprocessing",
    "packaging",
    "pathspec",
    "psutil",
    "pynvim",
    "pyte",
    "tomlkit",
    "unittest",
    "wsgiref",
    "xmlrpc",
)
# What was found in the first draw of them has been read, and signs were narrowed by it.
_DRAW = 2
PATIENCE_MS = 120_000


async def review(
    name: str,
    cases: Sequence[Case],
    variants: Sequence[Variant],
    settings: Settings,
    manager: EndpointSource,
    state: Path,
) -> dict[str, Any]:
    """Review cases in some variants, and go on where an earlier run was."""
    results = Results(state / f"{name}.jsonl", {"cases": [case.id for case in cases]})
    found: dict[str, Any] = {}
    for variant in variants:
        bench = Bench(manager, settings, variant)
        outcomes: list[Any] = []
        for number, case in enumerate(cases, 1):
            outcome = results.known(variant.name, case)
            if outcome is None:
                outcome = await bench.judge(case)
                results.keep(variant.name, outcome)
            outcomes.append(outcome)
            sys.stderr.write(f"\r{name}, {variant.name}: {number} of {len(cases)}   ")
        found[variant.name] = outcomes
    sys.stderr.write("\n")
    return report(found)["variants"]


async def fix(
    name: str, cases: Sequence[Case], settings: Settings, manager: EndpointSource, state: Path
) -> dict[str, Any]:
    """Ask for a fix of each defect, and go on where an earlier run was."""
    path = state / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    known: dict[str, Fixed] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.endswith("}"):
                one = Fixed(**json.loads(line))
                known[one.id] = one
    bench = FixBench(manager, settings)
    await bench.ready()
    for number, case in enumerate(cases, 1):
        if case.seed is not None and case.id not in known:
            known[case.id] = await bench.fix(case.seed)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[case.id].as_json()) + "\n")
        sys.stderr.write(f"\r{name}: {number} of {len(cases)}   ")
    sys.stderr.write("\n")
    return review_fixes.summarise([known[case.id] for case in cases if case.id in known])


def _version() -> str:
    """Name the present state of the code that reviews and counts, and of the fixtures."""
    state = hashlib.sha256()
    for folder in ("review", "benchmark"):
        for path in sorted((ROOT / "lsp" / "sirdab" / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                state.update(path.read_bytes())
    return state.hexdigest()[:12]


async def measure(model: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one model."""
    settings, _ = runtime.user_settings(model=model)
    endpoint = replace(settings.endpoint, timeout_ms=PATIENCE_MS)
    # Not the review settings of who runs it: the figures are to be the same for everybody.
    settings = replace(settings, endpoint=endpoint, review=Settings().review)
    state: Path = options.state / _version()
    fixtures = own(options.seeds, 1)
    others = [
        *installed(PACKAGES, options.lines, _DRAW),
        *seeded(PACKAGES, options.others, _DRAW),
    ]
    variants = VARIANTS if options.compare else VARIANTS[-1:]
    async with runtime.engine(settings) as (_, manager):
        kept = Recorded(manager, options.state / f"answers-{model}.jsonl")
        found: dict[str, Any] = {
            "fixtures": await review(
                f"fixtures-{model}", fixtures, variants, settings, kept, state
            ),
            "others": await review(f"others-{model}", others, VARIANTS[-1:], settings, kept, state),
        }
        if options.fixes:
            fixed = own(options.fixes, 1)
            found["fixes"] = await fix(f"fixes-{model}", fixed, settings, kept, state)
        if options.timed:
            some = installed(PACKAGES, options.timed, _DRAW + 1)
            found["timed"] = await timed(some, settings, manager)
    return found


async def timed(
    cases: Sequence[Case], settings: Settings, manager: EndpointSource
) -> dict[str, float]:
    """Review cases with nothing kept, and return what it took."""
    bench = Bench(manager, settings, VARIANTS[-1])
    return cost([await bench.judge(case) for case in cases])


def percent(share: dict[str, Any]) -> str:
    """Return a share with its interval."""
    return f"{share['share']:.0%} ({share['low']:.0%}–{share['high']:.0%})"


def row(title: str, block: dict[str, Any]) -> str:
    """Return a line of the table of a review."""
    false = block["false_findings"]
    cells = (
        title,
        percent(block["recall"]),
        percent(block["right_place"]),
        percent(block["precision"]),
        f"{false['per_1000']:.2f} ({false['low']:.2f}–{false['high']:.2f})",
    )
    return f"| {' | '.join(cells)} |"


HEADS = (
    "| | Found | Right place | Of what it said right | False for 1,000 lines |",
    "| --- | ---: | ---: | ---: | ---: |",
)


def page(machine: str, models: dict[str, dict[str, Any]]) -> str:
    """Return the results as a page."""
    lines = [
        "# Review",
        "",
        "Written by `python -m bench.review`, which says what is measured. Intervals hold the",
        f"truth in 95 of 100 cases. The embedded server, {machine}.",
    ]
    for model, found in models.items():
        usual = found["fixtures"][VARIANTS[-1].name]
        others = found["others"][VARIANTS[-1].name]
        lines += [
            "",
            f"## {model}",
            "",
            f"{usual['seeds']} defects in our own code, and its {usual['clean_lines']:,} lines:",
            "",
            *HEADS,
            *(row(name, one["all"]) for name, one in found["fixtures"].items()),
            *(row(name, one) for name, one in usual["by_category"].items()),
            *(row(name, one) for name, one in usual["by_language"].items()),
            "",
            f"{others['seeds']} defects in {', '.join(PACKAGES)}; {others['clean_lines']:,} lines:",
            "",
            *HEADS,
            row("all", others["all"]),
            *(row(name, one) for name, one in others["by_category"].items()),
            "",
            *([_cost(found["timed"]), ""] if "timed" in found else []),
            "Blank lines are not counted. By the least confidence that is shown (our own code):",
            "",
            "| Confidence from | Found | Of what it said right | False for 1,000 lines |",
            "| ---: | ---: | ---: | ---: |",
            *(
                f"| {point['threshold']:.2f} | {point['recall']:.0%} | {point['precision']:.0%} "
                f"| {point['false_per_1000']:.2f} |"
                for point in usual["curve"]
            ),
            "",
            "| Kind of defect | Defects | Found | Right place |",
            "| --- | ---: | ---: | ---: |",
            *(
                f"| {name} | {one['seeds']} | {one['hits']} | {one['right_place']} |"
                for name, one in usual["by_operator"].items()
            ),
        ]
        if "fixes" in found:
            lines += ["", *_fixes(found["fixes"])]
    return "\n".join(lines) + "\n"


def _cost(cost: dict[str, float]) -> str:
    return (
        f"1,000 lines of packages take {cost['seconds_per_1000']:.0f} s, "
        f"{cost['requests_per_1000']:.0f} questions, {cost['tokens_read_per_1000']:,.0f} tokens "
        f"read and {cost['tokens_written_per_1000']:,.0f} written."
    )


def _fixes(found: dict[str, Any]) -> list[str]:
    names = ("applies", "parses", "test_passes", "restored")
    return [
        "| Fixes | | An edit | Parses | The test passes | As it was |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {title} | {block['fixes']} | {' | '.join(percent(block[name]) for name in names)} |"
            for title, block in (("all", found["all"]), *found["by_category"].items())
        ),
    ]


def main() -> int:
    """Measure the models and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--model", action="append", help="both that install here by default")
    parser.add_argument("--seeds", type=int, default=240, help="defects in our own code")
    parser.add_argument("--others", type=int, default=120, help="defects in installed packages")
    parser.add_argument("--lines", type=int, default=6000, help="lines of installed packages")
    parser.add_argument("--fixes", type=int, default=120, help="defects to be fixed; 0 for none")
    parser.add_argument("--timed", type=int, default=600, help="lines to be timed; 0 for none")
    parser.add_argument("--no-compare", dest="compare", action="store_false")
    parser.add_argument("--state", type=Path, default=STATE, help="folder of what was done")
    options = parser.parse_args()
    models = {name: asyncio.run(measure(name, options)) for name in options.model or MODELS}
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine, "models": models}
    (RESULTS / "review.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    written = page(machine, models)
    (RESULTS / "review.md").write_text(written, encoding="utf-8")
    sys.stdout.write(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
