"""What each key costs the model server while a person types into a real file.

A few lines of a real source file are taken out one after the other and typed again, key by key,
with code above and below them. Each key is one request, as in an editor without debounce. The
same keys are sent in both layouts, on the same server, in one run:

- ``prefix-as-middle``, where typing only appends to the prompt;
- ``psm``, prefix, suffix, middle, the order most tools use, in which the suffix stands behind what
  is typed and is read again at every key.

Run as `python -m bench.typing`; writes `bench/results/typing.json` and `typing.md`.
"""

import asyncio
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from sirdab.cli import runtime
from sirdab.completion.engine import Engine
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.config.schema import Settings
from sirdab.endpoint.base import ModelInfo
from sirdab.models.catalog import Family, Layout, family_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
SOURCE = ROOT / "lsp" / "sirdab" / "text" / "store.py"
LAYOUTS: tuple[Layout, Layout] = ("prefix-as-middle", "psm")
LINES = 4
LONGEST_LINE = 40


@dataclass(frozen=True, slots=True)
class Key:
    """What one key cost.

    Attributes:
        first: Whether it is the first one at its place, where the window is new to the server.
        evaluated: Prompt tokens the server read anew.
        first_token_ms: Until the first piece of the answer.
        total_ms: Until the suggestion was complete.
        right: Whether the suggestion is what stands there in the file.
    """

    first: bool
    evaluated: int
    first_token_ms: float
    total_ms: float
    right: bool


def places(text: Text) -> list[int]:
    """Choose lines of code, evenly spread over the middle of a file."""
    wanted = [
        number
        for number in range(text.line_count // 4, text.line_count * 3 // 4)
        if 20 <= len(text.line_body(number).strip()) <= LONGEST_LINE
        and not text.line_body(number).strip().startswith(("#", '"'))
    ]
    step = max(1, len(wanted) // LINES)
    return wanted[::step][:LINES]


def keystrokes(text: Text, number: int) -> Iterator[tuple[Text, Point, str]]:
    """Yield the document, the cursor and what is still to come, before each key of a line."""
    body = text.line_body(number)
    indent = len(body) - len(body.lstrip())
    for column in range(indent, len(body)):
        cut = text.replace(Point(number, column), Point(number, len(body)), "")
        yield cut, Point(number, column), body[column:]


async def type_lines(engine: Engine, settings: Settings) -> list[Key]:
    """Type the chosen lines of the source file and return what every key cost."""
    text = Text(SOURCE.read_text(encoding="utf-8"))
    keys: list[Key] = []
    for number in places(text):
        for count, (document, point, rest) in enumerate(keystrokes(text, number)):
            request = CompletionRequest(
                Snapshot("untitled:bench.py", "python", count, document),
                point,
                Trigger.AUTOMATIC,
                settings,
            )
            outcome = await engine.complete(request, fresh=True)
            trace = outcome.trace
            if trace.get("first_token_ms") is None:
                continue
            said = outcome.suggestions[0].text if outcome.suggestions else ""
            keys.append(
                Key(
                    first=count == 0,
                    evaluated=trace["evaluated_tokens"],
                    first_token_ms=trace["first_token_ms"],
                    total_ms=trace["model_ms"],
                    right=said.rstrip() == rest.rstrip(),
                )
            )
    return keys


async def measure(layout: Layout) -> list[Key]:
    """Type with one layout, whatever the catalog prefers."""

    def family(info: ModelInfo) -> Family:
        return replace(family_of(info.name, info.path), layouts=(layout,))

    settings, _ = runtime.user_settings()
    patient = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=120_000))
    with mock.patch.object(ModelInfo, "family", property(family)):
        async with runtime.engine(patient) as (engine, _manager):
            return await type_lines(engine, patient)


def summary(keys: list[Key]) -> dict[str, float]:
    """Return the figures of one layout; those of first keys apart, in milliseconds and tokens."""
    typed = [key for key in keys if not key.first]
    totals = sorted(key.total_ms for key in typed)
    return {
        "keys": len(typed),
        "tokens_read_per_key": round(statistics.mean(key.evaluated for key in typed), 1),
        "first_token_ms_median": round(statistics.median(key.first_token_ms for key in typed), 1),
        "suggestion_ms_median": round(statistics.median(totals), 1),
        "suggestion_ms_p95": round(totals[int(len(totals) * 0.95)], 1),
        "exact_percent": round(100 * sum(key.right for key in typed) / len(typed), 1),
        "first_key_tokens_mean": round(
            statistics.mean(key.evaluated for key in keys if key.first), 1
        ),
    }


def main() -> int:
    """Measure both layouts and write the results."""
    found = {layout: summary(asyncio.run(measure(layout))) for layout in LAYOUTS}
    ours, usual = (found[layout] for layout in LAYOUTS)
    ratio = usual["tokens_read_per_key"] / ours["tokens_read_per_key"]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    report = {"machine": machine, "layouts": found, "tokens_read_ratio": round(ratio, 1)}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "typing.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    rows = [f"| {name} | {ours[name]:g} | {usual[name]:g} |" for name in ours]
    lines = [
        "# Typing",
        "",
        "Written by `python -m bench.typing`, which says what is measured. The embedded server",
        f"with the default model, {machine}.",
        "",
        f"| | {LAYOUTS[0]} | {LAYOUTS[1]} |",
        "| --- | ---: | ---: |",
        *rows,
        "",
        f"Tokens read per key, {LAYOUTS[1]} to {LAYOUTS[0]}: {ratio:.1f} to 1.",
    ]
    (RESULTS / "typing.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
