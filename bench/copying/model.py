"""The predictor beside a real model, at the same places."""

import itertools
import math
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.copying import results
from bench.copying.places import (
    FRESH,
    JUDGED,
    PACKAGES,
    SEED,
    Place,
    places,
    shape_at,
)
from sirdab.cli import runtime
from sirdab.completion.copy import Copied, CopyPredictor
from sirdab.completion.copying.confidence import Kind, kind_of
from sirdab.completion.engine import Engine
from sirdab.completion.gates import Rules
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.config.schema import Settings
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot

MODEL = "qwen2.5-coder-0.5b"
# Confidence from which a stratum begins, and how many places are asked in it, once in code that is
# newer than the model and once in code that it may have seen.
STRATA = ((0.0, 30), (0.5, 22), (0.7, 18), (0.8, 20), (0.9, 20), (0.95, 20))

Chosen = list[tuple[str, bool, Place, Copied | None]]


@dataclass(frozen=True, slots=True)
class Pair:
    """What the predictor and the model said at the same place.

    Attributes:
        id: Names the place.
        fresh: Whether the code is newer than the model.
        kind: The kind of the place.
        stratum: Which part of all places it stands for.
        confidence: Of the predictor; 0 when it said nothing.
        copied: Whether what the predictor said is right; None when it said nothing.
        asked: Whether what the model said is right; None when it said nothing.
        copy_ms: Time of the predictor.
        model_ms: Time until the model's suggestion.
    """

    id: str
    fresh: bool
    kind: Kind
    stratum: str
    confidence: float
    copied: bool | None
    asked: bool | None
    copy_ms: float
    model_ms: float


def request_at(place: Place, settings: Settings) -> CompletionRequest:
    """Make the request of a place."""
    uri = Path("/bench") / place.path
    return CompletionRequest(
        Snapshot(uri.as_uri(), language_of(uri), 1, place.text),
        place.point,
        Trigger.INVOKED,
        settings,
        open_documents=tuple(
            Snapshot((Path("/bench") / one.uri.lstrip("/")).as_uri(), one.language_id, 1, one.text)
            for one in place.beside
        ),
    )


def is_right(said: str, place: Place) -> bool:
    """Whether every line of a suggestion is what stands there, as far as it goes."""
    there = [place.expected, *place.below]
    lines = said.split("\n")
    return len(lines) <= len(there) and all(
        a.rstrip() == b.rstrip() for a, b in zip(lines, there, strict=False)
    )


def copied_at(request: CompletionRequest, predictor: CopyPredictor) -> tuple[Copied | None, float]:
    """Return what the predictor says, and the milliseconds it took with everything indexed."""
    while True:
        before = predictor.pending
        predictor.look(request)
        predictor.settle()
        if not before and not predictor.pending:
            break
    started = time.perf_counter()
    found = predictor.predict(request, model=MODEL, unsure=True)
    return found, (time.perf_counter() - started) * 1000


def stratum_of(fresh: bool, found: Copied | None) -> str:
    """Return the part of all places that one stands for."""
    sure = found.confidence if found else 0.0
    return next(stratum_name(fresh, low) for low, _ in reversed(STRATA) if sure >= low)


def stratum_name(fresh: bool, low: float) -> str:
    """Name a part of all places."""
    return f"{'fresh' if fresh else 'known'} {low:g}"


def all_places(settings: Settings, code: Path) -> dict[str, Chosen]:
    """Return places by stratum.

    Args:
        settings: The settings of the requests.
        code: The folder that holds what is `FRESH`.
    """
    pools: dict[str, Chosen] = {}
    for root, names, fresh, count in ((code, FRESH, True, 1200), (PACKAGES, JUDGED, False, 240)):
        for name in names:
            predictor, path = CopyPredictor(Rules()), ""
            for place in places(root, name, count, random.Random(f"model {SEED} {name}")):
                if place.path != path:
                    predictor, path = CopyPredictor(Rules()), place.path
                found, _ = copied_at(request_at(place, settings), predictor)
                stratum = stratum_of(fresh, found)
                id_ = f"{place.path}:{place.point.line}:{place.point.column}"
                pools.setdefault(stratum, []).append((id_, fresh, place, found))
    return pools


def chosen_places(pools: Mapping[str, Chosen], scale: float) -> Chosen:
    """Choose places of every confidence.

    Args:
        pools: All places, by stratum.
        scale: Share of the places that are chosen.
    """
    chance = random.Random(SEED)
    chosen: Chosen = []
    for fresh, (low, count) in itertools.product((True, False), STRATA):
        pool = pools.get(stratum_name(fresh, low), [])
        chosen += chance.sample(pool, min(count, len(pool)))[: math.ceil(count * scale)]
    # In the order of the files, so that the server has read most of the prompt before.
    chosen.sort(key=lambda one: (one[2].path, one[2].point))
    return chosen


def renewed(pairs: Iterable[Pair], pools: Mapping[str, Chosen]) -> dict[str, Pair]:
    """Return what was measured before, with what the predictor says now."""
    present = {
        id_: (fresh, place, found) for pool in pools.values() for id_, fresh, place, found in pool
    }
    found: dict[str, Pair] = {}
    for pair in pairs:
        if pair.id in present:
            fresh, place, copied = present[pair.id]
            found[pair.id] = replace(
                pair,
                stratum=stratum_of(fresh, copied),
                confidence=copied.confidence if copied else 0.0,
                copied=None if copied is None else is_right(copied.text, place),
            )
    return found


async def beside_model(model: str, seconds: float, code: Path, scale: float) -> None:
    """Ask a real model at the chosen places, as many as there is time for.

    Args:
        model: Its name in the catalog.
        seconds: The time; what is measured is kept, and the next run goes on. Without any, only
            what the predictor says is brought up to date.
        code: The folder that holds what is `FRESH`.
        scale: Share of the places that are asked; the largest models are slow.
    """
    settings, _ = runtime.user_settings(model=model)
    patient = replace(settings, endpoint=replace(settings.endpoint, timeout_ms=120_000))
    pools = all_places(patient, code)
    chosen = chosen_places(pools, scale)
    before: list[dict[str, Any]] = results.load().get("beside", {}).get(model, [])
    known = renewed((Pair(**pair) for pair in before), pools)

    def keep() -> None:
        raw = results.load()
        raw["strata"] = {name: len(pool) for name, pool in pools.items()}
        raw.setdefault("beside", {})[model] = [asdict(pair) for pair in known.values()]
        results.save(raw)

    keep()
    if not seconds:
        return
    deadline = time.monotonic() + seconds
    async with runtime.engine(patient) as (engine, _manager):
        for number, (id_, fresh, place, found) in enumerate(chosen):
            if time.monotonic() > deadline:
                break
            if id_ not in known:
                known[id_] = await pair_at(engine, patient, id_, fresh, place, found)
                keep()
            results.tell(f"{number + 1}/{len(chosen)} {id_}")
    results.tell(f"{len(known)} of {len(chosen)} places have been asked")


async def pair_at(
    engine: Engine, settings: Settings, id_: str, fresh: bool, place: Place, found: Copied | None
) -> Pair:
    """Ask the model at a place."""
    request = request_at(place, settings)
    engine.clear()
    outcome = await engine.complete(request)
    said = outcome.suggestions[0].text if outcome.suggestions else None
    predictor = CopyPredictor(Rules())
    _, copy_ms = copied_at(request, predictor)
    line_before = place.text.line_body(place.point.line)[: place.point.column]
    return Pair(
        id=id_,
        fresh=fresh,
        kind=kind_of(shape_at(place), line_before),
        stratum=stratum_of(fresh, found),
        confidence=found.confidence if found else 0.0,
        copied=None if found is None else is_right(found.text, place),
        asked=None if said is None else is_right(said, place),
        copy_ms=round(copy_ms, 3),
        model_ms=float(outcome.trace["total_ms"]),
    )
