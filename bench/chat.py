"""What asking a model in words is worth, against plain continuation of the text before the cursor.

    python -m bench.chat MODEL.gguf [MODEL.gguf ...] [--count 60] [--folder FOLDER]

Holes in real code (`sirdab.benchmark.holes`) are filled by each model in several ways:

- "prefix-only": the model goes on with the text before the cursor, and sees nothing behind it;
- "chat": it is shown the text behind the cursor in its own chat format, and goes on with an answer
  that was begun with the text before it;
- "messages": it is asked in messages and answers in its own words, as on servers that take nothing
  else; the messages are written in the family's chat format here, as such a server's template does;
- "fim": the family's own layout, where it has one, for comparison.

The embedded server serves every model from its file, so any GGUF file will do. The window is the
one of a CPU throughout. A run that is stopped goes on where it was (`--state`), and `--seconds`
stops it. Writes `bench/results/chat.json` and `chat.md`, over the holes that were filled in every
way.
"""

import argparse
import asyncio
import json
import platform
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from bench.own_state import own_state
from sirdab.benchmark import results
from sirdab.benchmark import score as scoring
from sirdab.benchmark.holes import Hole, choose
from sirdab.cli import runtime
from sirdab.completion.budget import Speed
from sirdab.completion.engine import Engine
from sirdab.completion.request import CompletionRequest, Reason, Trigger
from sirdab.config.schema import Settings
from sirdab.endpoint.base import (
    Ability,
    Chunk,
    Endpoint,
    EndpointSource,
    GenerationRequest,
    ModelInfo,
)
from sirdab.models.catalog import Chat, Family, Layout, family_of
from sirdab.text.document import Snapshot

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
SEED = 23
KINDS = ("line", "middle", "block")

Way = Literal["fim", "prefix-only", "chat", "messages"]
# A server that takes messages and nothing else.
MESSAGES = frozenset({Ability.CHAT, Ability.USAGE, Ability.TOKENIZE})


def ways_of(family: Family) -> tuple[Way, ...]:
    """Return the ways in which a family's models can be asked."""
    plain: tuple[Way, ...] = ("prefix-only",)
    chat: tuple[Way, ...] = ("chat", "messages") if family.chat is not None else ()
    fim: tuple[Way, ...] = ("fim",) if family.fim is not None else ()
    return (*plain, *chat, *fim)


def layout_of(way: Way) -> Layout | None:
    """Return the layout that a way asks for; None for the family's own."""
    return None if way == "fim" else "chat" if way == "messages" else way


class Asked:
    """An endpoint that can do what a way needs, made of one that can do more."""

    def __init__(self, source: EndpointSource, way: Way) -> None:
        self._source = source
        self._way = way
        self._chat: Chat | None = None
        self._endpoint: Endpoint | None = None

    async def acquire(self) -> "Asked":
        """Return itself, when the server is there."""
        self._endpoint = await self._source.acquire()
        return self

    @property
    def _inner(self) -> Endpoint:
        assert self._endpoint is not None
        return self._endpoint

    async def describe(self) -> ModelInfo:
        """Return what is served, with the abilities that the way leaves."""
        info = await self._inner.describe()
        self._chat = info.family.chat
        return replace(info, abilities=MESSAGES) if self._way == "messages" else info

    def generate(
        self, request: GenerationRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        """Stream an answer; messages are written as the model's template does."""
        if request.messages and self._chat is not None:
            task, *turns = (message.content for message in request.messages)
            end = self._chat.end.strip()
            request = replace(
                request, prompt=self._chat.prompt(task, *turns), messages=(), stop=(end,)
            )
        return self._inner.generate(request)

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has."""
        return await self._inner.count_tokens(text)


def file_of(model: str, way: Way, state: Path) -> Path:
    """Return where the scores of one run are kept."""
    return state / f"{model}-{way}.jsonl"


async def fill(
    model: Path, holes: Sequence[Hole], settings: Settings, state: Path, ends_at: float
) -> None:
    """Fill the holes in every way that is missing, until the time is over."""
    family = family_of(model.name)
    ways = ways_of(family)
    conditions = {"model": model.name, "holes": [hole.id for hole in holes]}
    done = {
        way: {one.id for one in results.begin(file_of(model.stem, way, state), conditions)}
        for way in ways
    }
    if all(len(ids) == len(holes) for ids in done.values()):
        return
    async with runtime.engine(settings) as (_, manager):
        engines: dict[Way, Engine] = {
            way: Engine(Asked(manager, way), copies=False) for way in ways
        }
        # Hole by hole, so that a run that is stopped says something of every way.
        for hole in holes:
            for way, engine in engines.items():
                if hole.id in done[way]:
                    continue
                if time.monotonic() > ends_at:
                    return
                snapshot = Snapshot(f"untitled:{hole.id}", hole.language_id, 1, hole.text)
                request = CompletionRequest(
                    snapshot, hole.point, Trigger.INVOKED, settings, layout=layout_of(way)
                )
                outcome = await engine.complete(request, fresh=True)
                if outcome.reason is Reason.ENDPOINT:
                    raise RuntimeError(outcome.detail)
                scores = scoring.score(hole, outcome)
                results.append(file_of(model.stem, way, state), scores)


def rows_of(model: Path, holes: Sequence[Hole], state: Path) -> list[dict[str, Any]]:
    """Return the figures of a model over the holes that were filled in every way."""
    family = family_of(model.name)
    ways = ways_of(family)
    scores = {
        way: {one.id: one for one in results.read(file_of(model.stem, way, state))[1]}
        for way in ways
    }
    ids = [hole.id for hole in holes if all(hole.id in one for one in scores.values())]
    if not ids:
        return []
    plain = [scores["prefix-only"][id_] for id_ in ids]
    rows: list[dict[str, Any]] = []
    for way in ways:
        own = [scores[way][id_] for id_ in ids]
        rows.append(
            {
                "model": model.stem,
                "family": family.id,
                "way": way,
                **asdict(scoring.summarise(own)),
                "similarity_difference": asdict(
                    scoring.compare(plain, own, lambda one: one.similarity)
                ),
                "exact_difference": asdict(scoring.compare(plain, own, lambda one: one.exact)),
                "kinds": {
                    kind: asdict(scoring.summarise(of_kind))
                    for kind in KINDS
                    if (of_kind := [one for one in own if one.kind == kind])
                },
            }
        )
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the results as Markdown."""
    lines = [
        "# Asking in words",
        "",
        "Written by `python -m bench.chat`: the same holes in real code, filled in several ways.",
        '"prefix-only" goes on with the text before the cursor. "chat" goes on with an answer that',
        "was begun with that text, after the text behind the cursor was shown, in the model's chat",
        'format. "messages" leaves the whole answer to the model. "fim" is its family\'s layout.',
        "The difference is that of the similarity to prefix-only, hole by hole, with its 95 %",
        "confidence interval. What the server still knew of a file is not read again.",
        "",
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}.",
        "",
        (
            "| Model | Way | Holes | Shown | Exact | Of shown | First line right | Alike "
            "| Difference | Parse | Median ms | Tokens read |"
        ),
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for one in rows:
        gap = one["similarity_difference"]
        lines.append(
            f"| {one['model']} | {one['way']} | {one['holes']} | {one['shown']:.0%} "
            f"| {one['exact']:.1%} | {one['precision']:.1%} | {one['first_line']:.1%} "
            f"| {one['similarity']:.3f} "
            f"| {gap['mean']:+.3f} ({gap['low']:+.3f} … {gap['high']:+.3f}) "
            f"| {one['parses']:.0%} | {one['median_ms']:.0f} | {one['read']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("models", nargs="+", type=Path, help="GGUF files")
    parser.add_argument("--count", type=int, default=60, help="holes for each model")
    parser.add_argument("--folder", type=Path, default=ROOT, help="a folder with code")
    parser.add_argument(
        "--state", type=Path, default=ROOT / "build" / "bench-chat", help="results so far"
    )
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so many")
    given = parser.parse_args(argv)
    ends_at = time.monotonic() + given.seconds
    holes = list(choose(given.folder.resolve(), KINDS, given.count, SEED))
    settings, _ = runtime.user_settings()
    rows: list[dict[str, Any]] = []
    given.state.mkdir(parents=True, exist_ok=True)
    for model in given.models:
        endpoint = replace(
            settings.endpoint, url="auto", model=str(model.resolve()), timeout_ms=120_000
        )
        # A window that follows the speed would be another one for each way.
        with own_state(), mock.patch.object(Speed, "_step", return_value=0.0):
            asyncio.run(
                fill(model, holes, replace(settings, endpoint=endpoint), given.state, ends_at)
            )
        rows += rows_of(model, holes, given.state)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "chat.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "chat.md").write_text(table(rows), encoding="utf-8")
    sys.stdout.write(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
