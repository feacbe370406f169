"""Chooses the largest model that is quick enough on this machine.

A larger model is right more often: on code it has not seen, Qwen2.5-Coder 1.5B completes nearly
twice as many lines as 0.5B. It is worth that only where it answers before somebody types on.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from sirdab.models.catalog import Downloadable
from sirdab.models.speeds import Figures, key_of

LATENCY_MS = 750.0
"""Within this an answer is of use: VS Code drops what comes later."""

READ_TOKENS = 30
"""Prompt tokens read anew for a usual keystroke, with a prompt that only grows: what was typed
since the last answer, and the end of the text that was cut off at a token's start."""

WRITTEN_TOKENS = 12
"""Tokens of the rest of a line."""

_HOST = "127.0.0.1"


class Choice(NamedTuple):
    """A model and why it was chosen.

    Attributes:
        model: The model.
        reason: One sentence for a person; "" when nothing has been measured.
    """

    model: Downloadable
    reason: str


def latency_ms(figures: Figures) -> float | None:
    """Return how long a usual suggestion takes, in milliseconds; None when it is not known."""
    if not figures.read_per_second or not figures.written_per_second:
        return None
    seconds = READ_TOKENS / figures.read_per_second + WRITTEN_TOKENS / figures.written_per_second
    return seconds * 1000


def choose(
    installed: Sequence[Downloadable], default: Downloadable, known: Mapping[str, Figures]
) -> Choice:
    """Choose among the models that are on this machine.

    Args:
        installed: The models; not empty.
        default: The one to begin with, before anything has been measured.
        known: What has been measured, as `sirdab.models.speeds.read` returns it.

    Returns:
        The largest model that is quick enough, by its own speed or, before it has been used, by
        what the speed of another one lets expect. Once used, its own speed counts.
    """
    by_size = sorted(installed, key=lambda model: model.size_bytes, reverse=True)
    first = default if default in installed else by_size[-1]
    measured = {
        model.id: figures
        for model in installed
        if latency_ms(figures := figures_of(model, known)) is not None
    }
    if not measured:
        return Choice(first, "")
    for model in by_size:
        figures = measured.get(model.id) or _expected(model, installed, measured)
        expected = latency_ms(figures)
        if expected is not None and expected <= LATENCY_MS:
            how = "takes" if model.id in measured else "should take"
            return Choice(
                model,
                f"{model.id} is the largest model here that is quick enough: a suggestion {how} "
                f"about {expected:.0f} ms.",
            )
    smallest = by_size[-1]
    return Choice(smallest, f"{smallest.id} is the quickest model here.")


def figures_of(model: Downloadable, known: Mapping[str, Figures]) -> Figures:
    """Return what has been measured of a model, by either name that it is served under."""
    names = (model.id, PurePath(model.file).stem)
    found = (known.get(key_of(name, _HOST)) for name in names)
    return next((figures for figures in found if figures is not None), Figures())


def _expected(
    model: Downloadable, installed: Sequence[Downloadable], measured: Mapping[str, Figures]
) -> Figures:
    """Return what to expect of a model: work goes with the bytes of its weights."""
    nearest = min(
        (other for other in installed if other.id in measured),
        key=lambda other: abs(other.size_bytes - model.size_bytes),
    )
    ratio = nearest.size_bytes / model.size_bytes
    figures = measured[nearest.id]
    return figures._replace(
        read_per_second=figures.read_per_second * ratio,
        written_per_second=figures.written_per_second * ratio,
    )
