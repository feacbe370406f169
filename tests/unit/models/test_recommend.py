"""Which model suits which machine."""

from dataclasses import replace

import pytest

from sirdab.models import recommend, speeds
from sirdab.models.catalog import downloadable_models, model_named
from sirdab.models.gpus import Gpu
from sirdab.models.hardware import Cpu, Hardware
from sirdab.models.memory import needed_bytes, shape_of_size
from sirdab.models.speeds import Figures

GIB = 1 << 30
CPU = Cpu("Some Processor", 8, 16, ("AVX2",))


def machine(ram: float = 16, gpu: Gpu | None = None) -> Hardware:
    return Hardware(CPU, int(ram * GIB), int(ram * GIB / 2), (gpu,) if gpu else ())


def card(gigabytes: float) -> Gpu:
    return Gpu("nvidia", "Some Card", int(gigabytes * GIB), None, "nvml")


def apple(line: str, gigabytes: float) -> Gpu:
    return Gpu("apple", f"Apple {line} GPU", int(gigabytes * GIB), None, "", is_shared=True)


@pytest.mark.parametrize(
    ("gpu", "size"),
    [
        (card(4), "1.5B"),
        (card(8), "7B"),
        (card(12), "14B"),
        (card(24), "32B"),
        (card(80), "32B"),
        # What fits is not what is read fast enough.
        (apple("M1", 10.6), "1.5B"),
        (apple("M2 Pro", 22), "7B"),
        (apple("M3 Max", 48), "14B"),
        (apple("M2 Ultra", 144), "32B"),
    ],
)
def test_the_largest_that_fits_and_is_quick(gpu: Gpu, size: str) -> None:
    found = recommend.recommend(machine(64, gpu), {})
    assert found is not None
    assert (found.place, found.option.size.name, found.downloadable) == ("gpu", size, None)
    assert found.option.needed_bytes[recommend.CONTEXT_TOKENS] <= found.available_bytes
    assert found.option.title in found.reason
    assert gpu.name in found.reason


def test_without_a_gpu_what_was_never_measured_is_the_small_one() -> None:
    found = recommend.recommend(machine(), {})
    assert found is not None
    assert (found.place, found.option.size.name) == ("cpu", "0.5B")
    assert found.downloadable == downloadable_models()[0]


@pytest.mark.parametrize(
    ("read", "written", "size", "said"),
    [
        (2_000, 200, "1.5B", "the largest that answers in time here"),
        (200, 40, "0.5B", "the largest that answers in time here"),
        (20, 4, "0.5B", "which is more than the 750 ms"),
    ],
)
def test_on_a_processor_the_measured_speed_decides(
    read: float, written: float, size: str, said: str
) -> None:
    name = speeds.key_of(downloadable_models()[0].id, "127.0.0.1")
    found = recommend.recommend(machine(), {name: Figures(read, written, 4.0)})
    assert found is not None
    assert found.option.size.name == size
    assert said in found.reason
    assert found.downloadable is not None


def test_nothing_fits_into_nothing() -> None:
    assert recommend.recommend(machine(0.5), {}) is None


def test_an_option_needs_what_the_arithmetic_says() -> None:
    options = recommend.options(machine(64))
    assert [option.weights_bytes for option in options] == sorted(
        option.weights_bytes for option in options
    )
    for option in options:
        assert option.family.fim is not None
        assert option.licence in {"Apache-2.0", "MIT"}
        ours = model_named(f"{option.family.id}-{option.size.name}")
        shape = replace(shape_of_size(option.size), weights_bytes=ours.size_bytes if ours else 0)
        for tokens in recommend.CONTEXTS:
            assert option.needed_bytes[tokens] == needed_bytes(shape, tokens).total_bytes
