"""Which model suits this machine, and why.

A larger model is right more often, so the largest is recommended whose weights and context fit
into the memory it would be computed in, and that answers before somebody types on. Only models of
families are recommended whose prompts were measured here, with licences that allow any use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sirdab.models import fitness
from sirdab.models.catalog import (
    Downloadable,
    Family,
    default_model,
    downloadable_models,
    families,
)
from sirdab.models.family import Size
from sirdab.models.gpus import Gpu
from sirdab.models.hardware import Hardware
from sirdab.models.memory import USUAL_QUANTISATION, Memory, needed_bytes, shape_of_size
from sirdab.models.speeds import Figures

CONTEXT_TOKENS = 8_192
"""Context that the memory is reckoned with: what the embedded server has."""

CONTEXTS = (4_096, 8_192, 32_768)
"""Lengths of context in the table, in tokens."""

_FREE_LICENCES = frozenset({"Apache-2.0", "MIT"})
# What drivers and windows take of a graphics processor, or the user's own programs of the memory.
_GPU_SHARE = 0.9
_RAM_SHARE = 0.5
# What of the time is left for writing, besides the reading of the prompt.
_WRITING_SHARE = 2 / 3
# Bytes that processors read from their memory in a second, lowest of each line: Apple, technical
# specifications of M1 to M4. All weights that are used are read for each token.
_BANDWIDTHS: Mapping[str, float] = {"Ultra": 800e9, "Max": 300e9, "Pro": 150e9, "": 68e9}


@dataclass(frozen=True, slots=True)
class Option:
    """One size of a family, quantised.

    Attributes:
        family: The family.
        size: The size.
        quantisation: For example "Q4_K_M".
        weights_bytes: Memory of the weights.
        needed_bytes: Memory of the weights, the context and the buffers, by tokens of context.
        fits: Whether it fits into this machine with `CONTEXT_TOKENS`.
    """

    family: Family
    size: Size
    quantisation: str
    weights_bytes: int
    needed_bytes: Mapping[int, int] = field(hash=False)
    fits: bool

    @property
    def title(self) -> str:
        """Name for a person."""
        return f"{self.family.title} {self.size.name}"

    @property
    def licence(self) -> str:
        """Licence of the weights."""
        return self.size.licence or self.family.licence

    @property
    def read_bytes(self) -> float:
        """Bytes of the weights that are read for each token: a part, in a mixture of experts."""
        active = self.size.active or self.size.parameters
        return self.weights_bytes * active / self.size.parameters


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A model for this machine.

    Attributes:
        option: Which.
        place: What it would be computed on.
        available_bytes: Memory there that it may have.
        reason: Why, as one sentence.
        downloadable: The same in our own store; None where a server has to have it.
    """

    option: Option
    place: Literal["gpu", "cpu"]
    available_bytes: int
    reason: str
    downloadable: Downloadable | None


def options(hardware: Hardware) -> list[Option]:
    """Return what may be recommended on some machine, the smallest first."""
    room = available_bytes(hardware)
    found = [
        _option(family, size, room)
        for family in families()
        if family.fim is not None and family.layout_figures
        for size in family.sizes
        if size.layers and (size.licence or family.licence) in _FREE_LICENCES
    ]
    return sorted(found, key=lambda option: option.weights_bytes)


def available_bytes(hardware: Hardware) -> int:
    """Return the memory that a model may have on this machine, in bytes."""
    gpu = hardware.gpu
    if gpu is None:
        return int(hardware.ram_bytes * _RAM_SHARE)
    if gpu.is_shared:
        # The share of Apple's is taken off already.
        return gpu.total_bytes if gpu.vendor == "apple" else int(gpu.total_bytes * _RAM_SHARE)
    return int(gpu.total_bytes * _GPU_SHARE)


def recommend(hardware: Hardware, known: Mapping[str, Figures]) -> Recommendation | None:
    """Return the model that suits this machine best; None when none fits.

    Args:
        hardware: What this machine has.
        known: What has been measured, as `sirdab.models.speeds.read` returns it.
    """
    fitting = [option for option in options(hardware) if option.fits]
    if not fitting:
        return None
    gpu = hardware.gpu
    if gpu is None:
        return _for_cpu(hardware, fitting, known)
    return _for_gpu(hardware, gpu, fitting)


def _for_gpu(hardware: Hardware, gpu: Gpu, fitting: Sequence[Option]) -> Recommendation:
    quick = fitting
    if gpu.is_shared:
        bandwidth = _bandwidth(gpu)
        seconds = fitness.LATENCY_MS / 1000 * _WRITING_SHARE
        most = bandwidth * seconds / fitness.WRITTEN_TOKENS
        quick = [option for option in fitting if option.read_bytes <= most] or fitting[:1]
    option = quick[-1]
    room = available_bytes(hardware)
    needs = _gib(option.needed_bytes[CONTEXT_TOKENS])
    why = f"the largest that fits into the {_gib(room)} of {gpu.name} that a model may have"
    if len(quick) < len(fitting):
        why = f"the largest that {gpu.name} reads fast enough from its memory"
    reason = (
        f"{option.title} in {option.quantisation} is {why}: it needs {needs} with a context of "
        f"{CONTEXT_TOKENS:,} tokens."
    )
    return Recommendation(option, "gpu", room, reason, None)


def _for_cpu(
    hardware: Hardware, fitting: Sequence[Option], known: Mapping[str, Figures]
) -> Recommendation:
    room = available_bytes(hardware)
    ours = {
        option: model
        for option in fitting
        if (model := _downloadable(option.family, option.size)) is not None
    }
    # Whatever is measured of one tells what to expect of all: work goes with the bytes.
    choice = fitness.choose(list(ours.values()) or [default_model()], default_model(), known)
    option = next((one for one, model in ours.items() if model == choice.model), fitting[0])
    expected = _expected_ms(option, ours, known)
    if expected is None:
        reason = (
            f"{option.title} is quick enough for most processors; a larger one is recommended "
            "where it has been used and has proved fast enough."
        )
    else:
        reason = (
            f"{option.title} is the largest that answers in time here: a suggestion takes about "
            f"{expected:.0f} ms of the {fitness.LATENCY_MS:.0f} ms that it may take."
        )
        if expected > fitness.LATENCY_MS:
            reason = (
                f"{option.title} is the quickest; a suggestion takes about {expected:.0f} ms here, "
                f"which is more than the {fitness.LATENCY_MS:.0f} ms that one should take."
            )
    return Recommendation(option, "cpu", room, reason, ours.get(option))


def _expected_ms(
    option: Option, ours: Mapping[Option, Downloadable], known: Mapping[str, Figures]
) -> float | None:
    """Return how long a suggestion takes by what was measured of any of our models."""
    for other, model in sorted(
        ours.items(), key=lambda pair: abs(pair[0].weights_bytes - option.weights_bytes)
    ):
        measured = fitness.latency_ms(fitness.figures_of(model, known))
        if measured is not None:
            return measured * option.weights_bytes / other.weights_bytes
    return None


def _option(family: Family, size: Size, room: int) -> Option:
    ours = _downloadable(family, size)
    # The size of a file that we know is the truth; the rest is reckoned.
    shape = replace(shape_of_size(size), weights_bytes=ours.size_bytes if ours else 0)
    memory: dict[int, Memory] = {tokens: needed_bytes(shape, tokens) for tokens in CONTEXTS}
    return Option(
        family=family,
        size=size,
        quantisation=USUAL_QUANTISATION,
        weights_bytes=memory[CONTEXT_TOKENS].weights_bytes,
        needed_bytes={tokens: one.total_bytes for tokens, one in memory.items()},
        fits=memory[CONTEXT_TOKENS].total_bytes <= room,
    )


def _downloadable(family: Family, size: Size) -> Downloadable | None:
    """Return the model of our own store that is this size of this family."""
    name = size.name.lower()
    for model in downloadable_models():
        if family.matches(model.id) and model.id.endswith(f"-{name}"):
            return model
    return None


def _bandwidth(gpu: Gpu) -> float:
    return next(speed for line, speed in _BANDWIDTHS.items() if line in gpu.name)


def _gib(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"
