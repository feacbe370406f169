"""The confidence of the predictor: a logistic regression over cases from real code."""

import itertools
import math
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.copying.places import SEED, Place, places, shape_at
from sirdab.completion.copying.confidence import Kind, kind_of, logistic
from sirdab.completion.copying.corpus import Corpus
from sirdab.completion.copying.predict import Prediction, predict
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot


@dataclass(frozen=True, slots=True)
class Case:
    """What the predictor said at a place.

    Attributes:
        group: The package or folder.
        kind: The kind of the place.
        features: Of the prediction; empty when there is none.
        right: Whether it is the rest of the line.
        further: Of each further line that would be offered: how many places have it, and whether
            it and all above it are right.
    """

    group: str
    kind: Kind
    features: tuple[float, ...]
    right: bool
    further: tuple[tuple[int, bool], ...]


def ask(place: Place, corpus: Corpus) -> Prediction | None:
    """Return what the predictor says at a place with everything indexed."""
    snapshot = Snapshot(place.path, language_of(Path(place.path)), 1, place.text)
    corpus.show([snapshot, *place.beside])
    corpus.work(None)
    return predict(place.text, place.point, list(corpus))


def case_of(group: str, place: Place, corpus: Corpus) -> Case:
    """Compare what the predictor says with what stands there."""
    found = ask(place, corpus)
    kind = kind_of(shape_at(place), place.text.line_body(place.point.line)[: place.point.column])
    if found is None:
        return Case(group, kind, (), right=False, further=())
    right = found.rest.rstrip() == place.expected.rstrip()
    return Case(group, kind, found.features, right, _further(found, place) if right else ())


def _further(found: Prediction, place: Place) -> tuple[tuple[int, bool], ...]:
    lines: list[tuple[int, bool]] = []
    for said, there in zip(found.further, place.below, strict=False):
        right = said.text.rstrip() == there.rstrip()
        lines.append((said.votes, right))
        if not right:
            break
    return tuple(lines)


def collect(root: Path, names: Iterable[str], count: int) -> list[Case]:
    """Walk through packages."""
    cases: list[Case] = []
    for name in names:
        chance = random.Random(f"{SEED} {name}")
        corpus, path = Corpus(), ""
        for place in places(root, name, count, chance):
            if place.path != path:
                corpus, path = Corpus(), place.path
            cases.append(case_of(name, place, corpus))
        sys.stderr.write(f"{name}: {sum(case.group == name for case in cases)} places\n")
    return cases


def fit(cases: Sequence[Case], *, ridge: float = 1.0, rounds: int = 25) -> list[float]:
    """Return intercept and weights of a logistic regression, by Newton's method.

    The ridge keeps the weights of features that say the same from growing against each other.
    """
    rows = [(1.0, *case.features) for case in cases]
    size = len(rows[0])
    weights = [0.0] * size
    for _ in range(rounds):
        slope = [-ridge * weight if n else 0.0 for n, weight in enumerate(weights)]
        curve = [[ridge if a == b and a else 1e-9 for b in range(size)] for a in range(size)]
        for row, case in zip(rows, cases, strict=True):
            likely = logistic(sum(w * x for w, x in zip(weights, row, strict=True)))
            miss, width = case.right - likely, likely * (1 - likely)
            for a, x in enumerate(row):
                if x:
                    slope[a] += miss * x
                    line = curve[a]
                    for b in range(a, size):
                        line[b] += width * x * row[b]
        for a, b in itertools.combinations(range(size), 2):
            curve[b][a] = curve[a][b]
        step = solve(curve, slope)
        weights = [weight + by for weight, by in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return weights


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a system of linear equations by elimination."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for n in range(size):
        pivot = max(range(n, size), key=lambda row: abs(rows[row][n]))
        rows[n], rows[pivot] = rows[pivot], rows[n]
        for row in range(size):
            if row != n and rows[row][n]:
                factor = rows[row][n] / rows[n][n]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[n], strict=True)]
    return [rows[n][size] / rows[n][n] for n in range(size)]


def further_shares(cases: Sequence[Case]) -> list[float]:
    """Return how often a further line is right, by the number of places that have it.

    The figures are the lower ends of their confidence intervals: what is shown wrongly over
    several lines annoys more.
    """
    shares: list[float] = []
    for votes in (1, 2, 3):
        seen = [
            right
            for case in cases
            for has, right in case.further
            if has == votes or (votes == 3 and has > votes)
        ]
        shares.append(round(lower_end(sum(seen), len(seen)), 4))
    return shares


def lower_end(right: int, of: int) -> float:
    """Return the lower end of Wilson's 95 % interval of a share."""
    if not of:
        return 0.0
    z = 1.96
    share = right / of
    middle = share + z * z / (2 * of)
    width = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - width) / (1 + z * z / of)


def confidence_of(case: Case, weights: Sequence[float]) -> float:
    """Return the confidence that the fit gives a case."""
    terms = zip(weights[1:], case.features, strict=True)
    return logistic(weights[0] + sum(weight * value for weight, value in terms))
