"""Chooses among the models of all servers of this machine, and says why.

What counts, in this order: that a model fills in the middle, or at least was made for code; that it
answers in time on this machine, by what was measured; that it is in memory already; and then its
size, because a larger model is right more often (`sirdab.models.fitness`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sirdab.models.catalog import Family, default_model, model_named
from sirdab.models.fitness import LATENCY_MS, latency_ms
from sirdab.models.speeds import Figures, key_of

AUTO = "auto"

_PRESUMED_QUICK_BYTES = 6_000_000_000
"""A model that was never measured is tried up to this size: a 7B model at four bits, which most
graphics cards hold. It is measured then, and left if it is too slow."""

# Weights at four bits and their scales (llama.cpp, tools/quantize/README.md: Q4_K_M has 4.85).
_BYTES_PER_PARAMETER = 0.6

_BILLIONS = re.compile(r"(?<![a-z0-9.])(\d{1,3}(?:\.\d{1,2})?)b(?![a-z0-9])")
_FOR_CODE = re.compile(r"cod(?:e|er|es|ing)|codestral|devstral|mellum|refact|zeta|artigenz")
_NOT_FOR_TEXT = re.compile(
    r"embed|rerank|whisper|minilm|\bbge\b|\bgte\b|\be5\b|\bclip\b|stable-diffusion|\btts\b|ocr"
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that could be used.

    Attributes:
        server: What a person calls the server, with its address.
        model: The server's name of the model.
        family: The family it belongs to.
        fills_in: Whether it can fill in the middle there.
        size_bytes: Size of its weights; 0 when not known.
        parameters: How many; 0 when not known.
        is_loaded: Whether it is in memory.
        is_embedded: Whether it is ours.
        is_current: Whether it is the one in use, which counts as loaded: it is only because of
            us if it is not.
        aliases: Other names that its speed may have been kept under.
        host: Host of the server, as in `sirdab.models.speeds.key_of`.
    """

    server: str
    model: str
    family: Family
    fills_in: bool
    size_bytes: int = 0
    parameters: int = 0
    is_loaded: bool = False
    is_embedded: bool = False
    is_current: bool = False
    aliases: tuple[str, ...] = ()
    host: str = "127.0.0.1"

    @property
    def weight(self) -> float:
        """Bytes of the weights, reckoned from the parameters where they are not told.

        Many servers tell neither; then the billions in the name count, as in "coder-7b".
        """
        parameters = self.parameters or named_parameters(self.model)
        return self.size_bytes or parameters * _BYTES_PER_PARAMETER

    @property
    def is_for_code(self) -> bool:
        """Whether it was trained for code above all."""
        return bool(_FOR_CODE.search(f"{self.family.id} {self.model}".lower()))


class Choice(NamedTuple):
    """A model and why it was chosen.

    Attributes:
        offer: The model.
        reason: One sentence for a person.
        others: The rest, the next best first: what to use should this one fail.
    """

    offer: Offer
    reason: str
    others: tuple[Offer, ...] = ()


class _Rank(NamedTuple):
    """What an offer is worth; the larger the better, field by field."""

    fitness: int
    is_quick: bool
    is_loaded: bool
    size: float
    precedence: int


def choose(
    offers: Sequence[Offer], known: Mapping[str, Figures], wanted: str = AUTO
) -> Choice | None:
    """Choose among the models of all servers.

    Args:
        offers: The models, those of preferred servers first.
        known: What has been measured, as `sirdab.models.speeds.read` returns it.
        wanted: `endpoint.model`: "auto", or a name that the model must have.

    Returns:
        None when no model can be used.
    """
    usable = [
        offer for offer in offers if is_for_text(offer.model) and is_named(offer.model, wanted)
    ]
    if not usable:
        return None
    latencies = [_latency(offer, usable, known) for offer in usable]
    ranks = [
        _rank(offer, latency, -place)
        for place, (offer, latency) in enumerate(zip(usable, latencies, strict=True))
    ]
    order = sorted(range(len(usable)), key=lambda place: ranks[place], reverse=True)
    best = order[0]
    others = tuple(usable[place] for place in order[1:])
    reason = _reason(usable[best], latencies[best], others, wanted, is_quick=ranks[best].is_quick)
    return Choice(usable[best], reason, others)


def named_parameters(name: str) -> int:
    """Return how many parameters a model's name says that it has, as in "coder-7b"; 0 for none."""
    billions = _BILLIONS.search(name.lower())
    return round(float(billions[1]) * 1e9) if billions is not None else 0


def is_for_text(model: str) -> bool:
    """Whether a model writes text, as far as its name tells: many servers list all they have."""
    return not _NOT_FOR_TEXT.search(model.lower())


def is_named(model: str, wanted: str) -> bool:
    """Whether a server's model is the one that a person named.

    A publisher before the name, Ollama's ":latest" and the end of a file's name may be left out,
    and a name of our catalog stands for all names it is known by.
    """
    if wanted == AUTO:
        return True
    ours, theirs = _plain(wanted), _plain(model)
    if ours in {theirs, theirs.rpartition("/")[2]}:
        return True
    entry = model_named(wanted)
    return entry is not None and model_named(model.strip().rpartition("/")[2]) is entry


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(":latest").removesuffix(".gguf")


def _rank(offer: Offer, latency: float | None, precedence: int) -> _Rank:
    fitness = 2 if offer.fills_in else int(offer.is_for_code)
    if latency is None:
        is_quick = offer.is_loaded or offer.is_current or offer.weight <= _PRESUMED_QUICK_BYTES
    else:
        is_quick = latency <= LATENCY_MS
    # Among those that are too slow the smallest is the quickest.
    size = offer.weight if is_quick else -(offer.weight or float("inf"))
    return _Rank(fitness, is_quick, offer.is_loaded or offer.is_current, size, precedence)


def _latency(offer: Offer, offers: Sequence[Offer], known: Mapping[str, Figures]) -> float | None:
    """Return how long a suggestion takes, in milliseconds; None when nothing lets expect it.

    Another model of the same server says what to expect: work goes with the bytes of the weights.
    One of another server does not, because it may not use the graphics card.
    """
    own = _measured(offer, known)
    if own is not None or not offer.weight:
        return own
    expected = [
        (abs(other.weight - offer.weight), measured * offer.weight / other.weight)
        for other in offers
        if other.server == offer.server and other.weight
        if (measured := _measured(other, known)) is not None
    ]
    return min(expected)[1] if expected else None


def _measured(offer: Offer, known: Mapping[str, Figures]) -> float | None:
    for name in (offer.model, *offer.aliases):
        figures = known.get(key_of(name, offer.host))
        if figures is not None and (latency := latency_ms(figures)) is not None:
            return latency
    return None


def _reason(
    offer: Offer,
    latency: float | None,
    others: Sequence[Offer],
    wanted: str,
    *,
    is_quick: bool,
) -> str:
    name = _name(offer)
    if wanted != AUTO:
        return f"{name} is used because endpoint.model names it."
    found = [other for other in others if not other.is_embedded]
    if offer.is_embedded and found and not any(other.fills_in for other in found):
        theirs = _names(found)
        return (
            f"{name} is used: it fills in the middle, and what was found besides cannot ({theirs})."
        )
    if not offer.fills_in:
        return (
            f"{name} is used: nothing was found that fills in the middle, which completes code "
            f"better; run: sirdab model pull {default_model().id}"
        )
    if not others:
        return f"{name} is used: it is the only model that was found."
    why = ["it fills in the middle"]
    if offer.is_loaded:
        why.append("is loaded")
    if latency is not None:
        why.append(f"takes about {latency:.0f} ms for a suggestion")
    elif len(why) == 1 and is_quick:
        why.append("is the largest of those that should be quick enough")
    elif len(why) == 1:
        why.append("is the smallest of those that do, though perhaps too slow")
    return f"{name} is used of {len(others) + 1} models found: {_listed(why)}."


def _name(offer: Offer) -> str:
    return f"{offer.model} of {offer.server}"


def _names(offers: Sequence[Offer]) -> str:
    shown = [_name(offer) for offer in offers[:2]]
    if len(offers) > len(shown):
        shown.append(f"{len(offers) - len(shown)} more")
    return ", ".join(shown)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
