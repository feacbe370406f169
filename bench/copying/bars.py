"""From what was measured to the bars: how sure a copy has to be."""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bench.copying.fit import Case, confidence_of
from bench.copying.model import Pair
from sirdab.completion.copying.confidence import KINDS, Kind

SURE = 0.95
"""How often a copy must be right beside a model that was not measured."""
FILLS_IN = 0.5
"""How often it must be where there is no answer otherwise: at least as often as not."""
SCARCE = 0.7
"""The least bar of a kind of place that is too rare to have been asked often enough."""
LEAST_ASKED = 60
"""Fewer places with a confident copy than this do not make a model a measured one."""
LEAST_CASES = 25
"""Fewer cases than this say nothing about a bar."""
BINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 1.01)


class Bin(NamedTuple):
    """Predictions of some confidence and more.

    Attributes:
        bar: The least confidence.
        share: Of all places.
        precision: Share of these that is right.
        in_bin: How many lie between this bar and the next.
        right_in_bin: Share of these that is right; None where there are none.
    """

    bar: float
    share: float
    precision: float
    in_bin: int
    right_in_bin: float | None


def curve(cases: Sequence[Case], weights: Sequence[float]) -> list[Bin]:
    """Return how often predictions are right, by confidence."""
    sure = [(confidence_of(case, weights), case.right) for case in cases if case.features]
    bins: list[Bin] = []
    for low, high in itertools.pairwise(BINS):
        tail = [right for one, right in sure if one >= low]
        inside = [right for one, right in sure if low <= one < high]
        if tail:
            bins.append(
                Bin(
                    low,
                    round(len(tail) / len(cases), 4),
                    round(sum(tail) / len(tail), 4),
                    len(inside),
                    round(sum(inside) / len(inside), 4) if inside else None,
                )
            )
    return bins


def sure_bar(cases: Sequence[Case], weights: Sequence[float], wanted: float) -> float | None:
    """Return the lowest bar from which on at least a share of the predictions is right.

    Every bin above it has to reach nearly as much, so that many easy places do not hide others,
    and there must be enough of them to tell.
    """
    found: float | None = None
    for one in reversed(curve(cases, weights)):
        count = one.share * len(cases)
        if one.precision < wanted or (one.right_in_bin or 1.0) < wanted - 0.05:
            break
        if count >= LEAST_CASES:
            found = one.bar
    return found


def model_bar(pairs: Sequence[Pair]) -> float | None:
    """Return the lowest bar from which on copies are right at least as often as the model.

    This has to be so in every bin above it, and over all of them the copies have to be right more
    often than chance would make it look (a paired test, one-sided 95 %).
    """
    found: float | None = None
    for low, high in reversed(list(itertools.pairwise(BINS))):
        tail = [pair for pair in pairs if pair.confidence >= low]
        inside = [pair for pair in tail if pair.confidence < high]
        if low < FILLS_IN or sum(map(gain, inside)) < 0:
            break
        if len(tail) < LEAST_CASES:
            continue
        mean = sum(map(gain, tail)) / len(tail)
        spread = statistics.pstdev(map(gain, tail)) / math.sqrt(len(tail))
        if mean - 1.645 * spread > 0:
            found = low
    return found


def gain(pair: Pair) -> int:
    """Return 1 where only the copy is right, -1 where only the model is."""
    return int(bool(pair.copied)) - int(bool(pair.asked))


def instant_bars(pairs: Sequence[Pair]) -> dict[Kind, float | None]:
    """Return the bars beside a model that was asked at the same places.

    They are a bin higher than what was found, because the model gets to see more in an editor than
    at these places: other files, and what stands below the cursor.
    """
    bars: dict[Kind, float | None] = {}
    pooled = model_bar(pairs)
    for kind in KINDS:
        own = [pair for pair in pairs if pair.kind == kind]
        many = sum(pair.confidence >= FILLS_IN for pair in own) >= LEAST_CASES
        bar = model_bar(own) if many else pooled
        if bar is not None:
            higher = next(one for one in BINS if one > bar)
            bar = higher if many else max(higher, SCARCE)
        bars[kind] = bar
    return bars


def sure_bars(cases: Sequence[Case], weights: Sequence[float]) -> dict[Kind, float | None]:
    """Return the bars beside a model that was not asked."""
    return {
        kind: sure_bar([case for case in cases if case.kind == kind], weights, SURE)
        for kind in KINDS
    }


class OnAndOff(NamedTuple):
    """What is shown at the same places without and with the instant answer.

    The places stand for all, each for as many as its stratum has more of.

    Attributes:
        places: How many were asked.
        instant: Share at which the instant answer comes first.
        exact_off: Share of the places at which what is shown is right, without it.
        exact_on: The same with it.
        precision_off: Share of what is shown that is right, without it.
        precision_on: The same with it.
        median_off_ms: Median time until something is shown, without it.
        median_on_ms: The same with it.
    """

    places: int
    instant: float
    exact_off: float
    exact_on: float
    precision_off: float
    precision_on: float
    median_off_ms: float
    median_on_ms: float


def on_and_off(
    pairs: Sequence[Pair], strata: Mapping[str, int], bars: Mapping[Kind, float | None]
) -> OnAndOff:
    """Weigh the places that were asked, and compare."""
    asked: dict[str, int] = {}
    for pair in pairs:
        asked[pair.stratum] = asked.get(pair.stratum, 0) + 1
    total = sum(strata[name] for name in asked)

    def weigh(kind: Callable[[Pair], float]) -> float:
        return sum(
            kind(pair) * strata[pair.stratum] / asked[pair.stratum] / total for pair in pairs
        )

    def instant(pair: Pair) -> bool:
        bar = bars[pair.kind]
        return pair.copied is not None and bar is not None and pair.confidence >= bar

    def shown(pair: Pair) -> bool | None:
        return pair.copied if instant(pair) else pair.asked

    def median(times: Callable[[Pair], float]) -> float:
        ordered = sorted(
            (times(pair), strata[pair.stratum] / asked[pair.stratum]) for pair in pairs
        )
        left = sum(weight for _, weight in ordered) / 2
        for ms, weight in ordered:
            left -= weight
            if left <= 0:
                return round(ms, 1)
        return 0.0

    exact_off = weigh(lambda pair: bool(pair.asked))
    exact_on = weigh(lambda pair: bool(shown(pair)))
    return OnAndOff(
        len(pairs),
        round(weigh(instant), 4),
        round(exact_off, 4),
        round(exact_on, 4),
        round(exact_off / weigh(lambda pair: pair.asked is not None), 4),
        round(exact_on / weigh(lambda pair: shown(pair) is not None), 4),
        median(lambda pair: pair.model_ms),
        median(lambda pair: pair.copy_ms + (0.0 if instant(pair) else pair.model_ms)),
    )
