"""How warm the other suggestions for a place should be.

The rest of a line is taken out of real source files. The engine is asked for it, and then, as an
editor does for "show another", asked again at the same place. Counted for each temperature: how
many alternatives there are, how many of them leave the file parsable, and how often the text that
really stands there is among them when the first suggestion was another.

Run as `python -m bench.alternatives`; writes `bench/results/alternatives.json` and
`alternatives.md`.
"""

import ast
import asyncio
import json
import random
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from unittest import mock

from sirdab.cli import runtime
from sirdab.completion import alternatives
from sirdab.completion.engine import Engine
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.config.schema import Settings
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
TEMPERATURES = (0.4, 0.6, 0.8, 1.0)
HOLES = 40
WANTED = 3


@dataclass(slots=True)
class Score:
    """What came of one temperature.

    Attributes:
        temperature: Of the alternatives.
        places: How many places had a first suggestion.
        offered: Alternatives to it, of at most two a place.
        parsable: Those with which the file parses.
        first_right: Places whose first suggestion was the text that stands there.
        found: Places where only an alternative was.
    """

    temperature: float
    places: int = 0
    offered: int = 0
    parsable: int = 0
    first_right: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class Hole:
    """A document without the rest of one line."""

    text: Text
    point: Point
    rest: str


def holes() -> list[Hole]:
    """Choose places in the middle of lines of this project, the same ones each time."""
    chance = random.Random(3)
    files = sorted((ROOT / "lsp" / "sirdab").rglob("*.py"))
    found: list[Hole] = []
    while len(found) < HOLES:
        text = Text(chance.choice(files).read_text(encoding="utf-8"))
        number = chance.randrange(text.line_count)
        body = text.line_body(number)
        code = body.strip()
        if len(code) < 25 or code.startswith(("#", '"')) or " = " not in code:
            continue
        column = body.index(" = ") + 3
        cut = text.replace(Point(number, column), Point(number, len(body)), "")
        found.append(Hole(cut, Point(number, column), body[column:]))
    return found


def parses(hole: Hole, suggestion: str) -> bool:
    """Whether the file is Python with a suggestion in the hole."""
    try:
        ast.parse(str(hole.text.replace(hole.point, hole.point, suggestion)))
    except SyntaxError:
        return False
    return True


async def measure(
    engine: Engine, settings: Settings, chosen: list[Hole], temperature: float
) -> Score:
    """Ask at every place for a suggestion and then for others."""
    score = Score(temperature)
    for count, hole in enumerate(chosen):
        request = CompletionRequest(
            Snapshot(f"untitled:bench{count}.py", "python", 1, hole.text),
            hole.point,
            Trigger.INVOKED,
            settings,
            alternatives=WANTED,
        )
        if not (await engine.complete(request)).suggestions:
            continue
        first, *others = (await engine.complete(request)).suggestions
        score.places += 1
        score.offered += len(others)
        score.parsable += sum(parses(hole, other.text) for other in others)
        right = first.text.rstrip() == hole.rest.rstrip()
        score.first_right += right
        score.found += not right and any(
            other.text.rstrip() == hole.rest.rstrip() for other in others
        )
    return score


async def run() -> list[Score]:
    """Measure every temperature on one server."""
    settings, _ = runtime.user_settings()
    patient = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=120_000))
    scores: list[Score] = []
    chosen = holes()
    async with runtime.engine(patient) as (engine, _manager):
        for temperature in TEMPERATURES:
            engine.clear()
            with (
                mock.patch.object(alternatives, "TEMPERATURE", temperature),
                # The question is what they are worth, not how many fit into the time.
                mock.patch.object(alternatives, "BUDGET_MS", 120_000),
            ):
                scores.append(await measure(engine, patient, chosen, temperature))
    return scores


def table(scores: list[Score]) -> str:
    """Return the scores as Markdown."""
    lines = [
        "# Alternatives",
        "",
        f"The rest of a line at {HOLES} places of this project, 0.5B model, up to two",
        "alternatives to the first suggestion, which is greedy.",
        "",
        "| Temperature | Alternatives a place | Parse | First right | Only an alternative right |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {score.temperature} | {score.offered / max(score.places, 1):.2f} "
        f"| {score.parsable / max(score.offered, 1):.0%} | {score.first_right}/{score.places} "
        f"| {score.found}/{score.places} |"
        for score in scores
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and write the results."""
    scores = asyncio.run(run())
    RESULTS.mkdir(exist_ok=True)
    data = json.dumps([asdict(score) for score in scores], indent=2)
    (RESULTS / "alternatives.json").write_text(data + "\n", encoding="utf-8")
    (RESULTS / "alternatives.md").write_text(table(scores), encoding="utf-8")
    sys.stdout.write(table(scores))
    return 0


if __name__ == "__main__":
    sys.exit(main())
