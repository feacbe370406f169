"""How often a prediction is right, by what it looks like; measured, not guessed.

The figures stand in `calibration.toml`, which `python -m bench.copying` writes from real code.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sirdab.completion.copying.predict import FEATURES, Prediction
from sirdab.completion.shape import Shape

Kind = Literal["rest", "line", "block"]
"""A kind of place: something is typed on the line, nothing is, or a block is about to begin."""

KINDS: tuple[Kind, ...] = ("rest", "line", "block")
FILE = Path(__file__).with_name("calibration.toml")
NEVER = math.inf


def kind_of(shape: Shape, line_before: str) -> Kind:
    """Return the kind of a place.

    Args:
        shape: How far a suggestion may go there.
        line_before: The cursor's line before the cursor.
    """
    if shape is Shape.BLOCK:
        return "block"
    return "rest" if line_before.strip() else "line"


class Bars(NamedTuple):
    """The least confidence with which a prediction is offered, by kind of place.

    Attributes:
        instant: In place of asking the model.
        stand_in: Where the model does not answer.
    """

    instant: Mapping[Kind, float]
    stand_in: Mapping[Kind, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What `python -m bench.copying` found.

    Attributes:
        intercept: Of the logistic model.
        weights: Of each feature, in the order of `FEATURES`.
        further: Share of further lines that are right when all above are, by the number of
            places that have it: one, two, and more.
        measured: The bars beside models that were measured, by a part of the model's name.
        other: The bars beside any other model.
    """

    intercept: float
    weights: tuple[float, ...]
    further: tuple[float, ...]
    measured: tuple[tuple[str, Bars], ...]
    other: Bars

    def confidence(self, prediction: Prediction) -> float:
        """Return how likely the rest of the line is right, from 0 to 1."""
        terms = zip(self.weights, prediction.features, strict=True)
        return logistic(self.intercept + sum(weight * value for weight, value in terms))

    def bars(self, model: str) -> Bars:
        """Return the bars beside a model; "" where nothing is known of it."""
        name = model.lower()
        return next((bars for part, bars in self.measured if part in name), self.other)

    def lines(self, prediction: Prediction, confidence: float, bar: float) -> list[str]:
        """Return the further lines that can be offered without falling below a bar."""
        taken: list[str] = []
        for line in prediction.further:
            confidence *= self.further[min(line.votes, len(self.further)) - 1]
            if confidence < bar:
                break
            taken.append(line.text)
        return taken


def logistic(value: float) -> float:
    """Return the probability of log odds."""
    return 1 / (1 + math.exp(-max(min(value, 30.0), -30.0)))


@cache
def calibration() -> Calibration:
    """Return what was measured."""
    import tomllib

    return parsed(tomllib.loads(FILE.read_text(encoding="utf-8")))


def parsed(data: Mapping[str, Any]) -> Calibration:
    """Read the figures.

    Raises:
        KeyError: One is missing.
    """
    weights: Mapping[str, float] = data["weights"]
    further: Sequence[float] = data["further"]
    return Calibration(
        intercept=data["intercept"],
        weights=tuple(weights[name] for name in FEATURES),
        further=tuple(further),
        measured=tuple((entry["model"], _bars(entry)) for entry in data["models"]),
        other=_bars(data["other"]),
    )


def _bars(entry: Mapping[str, Mapping[str, float]]) -> Bars:
    """Read bars; a kind without one is never offered."""
    instant: dict[Kind, float] = {kind: entry["instant"].get(kind, NEVER) for kind in KINDS}
    stand_in: dict[Kind, float] = {kind: entry["stand_in"].get(kind, NEVER) for kind in KINDS}
    return Bars(instant, stand_in)
