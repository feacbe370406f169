"""What a model needs of memory, against real files and against published sizes."""

from dataclasses import replace
from pathlib import Path

import pytest

from sirdab.models.catalog import downloadable_models, families
from sirdab.models.errors import ModelError
from sirdab.models.gguf import read_header
from sirdab.models.memory import (
    BITS_PER_WEIGHT,
    ModelShape,
    bits_per_weight,
    kv_bytes_per_token,
    needed_bytes,
    shape_of_header,
    shape_of_size,
    size_of,
)
from sirdab.models.store import find_model

FAMILIES = {family.id: family for family in families()}
QWEN_7B = shape_of_size(FAMILIES["qwen2.5-coder"].sizes[3])


def shape(family: str, size: str, quantisation: str) -> ModelShape:
    known = next(one for one in FAMILIES[family].sizes if one.name == size)
    return shape_of_size(known, quantisation)


@pytest.mark.parametrize("model", downloadable_models(), ids=lambda model: model.id)
def test_a_real_file(model: object, request: pytest.FixtureRequest) -> None:
    """The header of the real file tells its weights and cache; reckoning comes near them."""
    known = next(one for one in downloadable_models() if one is model)
    try:
        path = find_model(known).path
    except ModelError as error:
        pytest.skip(str(error))
    header = read_header(path)
    told = shape_of_header(header)
    needed = needed_bytes(told, 4096)
    assert needed.is_exact
    assert needed.weights_bytes == known.size_bytes - header.data_start
    assert needed.cache_bytes == known.kv_bytes_per_token * 4096
    reckoned = needed_bytes(replace(told, weights_bytes=0), 4096)
    assert not reckoned.is_exact
    assert reckoned.weights_bytes == pytest.approx(needed.weights_bytes, rel=0.07)
    assert reckoned.cache_bytes == needed.cache_bytes


def test_the_catalog_agrees_with_the_real_file(real_model_path: Path) -> None:
    """Layers, heads and widths in the catalog are those that the file tells."""
    header = read_header(real_model_path)
    size = next(size for size in FAMILIES["qwen2.5-coder"].sizes if size.width == header.width)
    assert (size.layers, size.kv_heads, size.head) == (
        header.layers,
        header.kv_heads,
        header.key_length,
    )
    assert size.vocabulary == header.vocabulary
    # These files hold the embedding twice, as input and as output.
    assert size.parameters + size.width * size.vocabulary == header.parameters


# Sizes of files, in bytes. Llama: tools/quantize/README.md of ggml-org/llama.cpp ("Memory/Disk
# Requirements" and the table of types); Qwen: the list of tags of qwen2.5-coder in Ollama's
# library; Gemma: the file of the tests of chat models.
PUBLISHED = [
    ("llama-3", "8B", "Q4_K_M", 4.9e9),
    ("llama-3", "70B", "Q4_K_M", 43.1e9),
    ("llama-3", "8B", "Q2_K", 2.95 * 2**30),
    ("llama-3", "8B", "Q4_K_S", 4.36 * 2**30),
    ("llama-3", "8B", "Q5_K_M", 5.33 * 2**30),
    ("llama-3", "8B", "Q6_K", 6.14 * 2**30),
    ("llama-3", "8B", "Q8_0", 7.95 * 2**30),
    ("llama-3", "8B", "F16", 14.96 * 2**30),
    ("qwen2.5-coder", "0.5B", "Q4_K_M", 398e6),
    ("qwen2.5-coder", "1.5B", "Q4_K_M", 986e6),
    ("qwen2.5-coder", "3B", "Q4_K_M", 1.9e9),
    ("qwen2.5-coder", "7B", "Q4_K_M", 4.7e9),
    ("qwen2.5-coder", "14B", "Q4_K_M", 9.0e9),
    ("qwen2.5-coder", "32B", "Q4_K_M", 20e9),
    ("gemma", "270M", "Q4_K_M", 253_113_024),
]


@pytest.mark.parametrize(("family", "size", "quantisation", "size_bytes"), PUBLISHED)
def test_published_sizes(family: str, size: str, quantisation: str, size_bytes: float) -> None:
    reckoned = needed_bytes(shape(family, size, quantisation), 0).weights_bytes
    # Two of the published ones are rounded to one digit; only the smallest quantisations, whose
    # table holds the embedding already, come out larger.
    assert reckoned == pytest.approx(size_bytes, rel=0.1 if quantisation == "Q2_K" else 0.05)


@pytest.mark.parametrize(
    ("family", "size", "per_token"),
    [
        # layers x key-value heads x (key + value) x 2 bytes, by hand.
        ("qwen2.5-coder", "0.5B", 24 * 2 * 128 * 2),
        ("qwen2.5-coder", "7B", 28 * 4 * 256 * 2),
        ("codellama", "7B", 32 * 32 * 256 * 2),
        ("starcoder", "15B", 40 * 1 * 256 * 2),
        ("llama-3", "8B", 131_072),
    ],
)
def test_the_cache_of_a_token(family: str, size: str, per_token: int) -> None:
    assert kv_bytes_per_token(shape(family, size, "Q4_K_M")) == per_token


def test_the_cache_grows_with_the_context_and_nothing_else_does() -> None:
    short, long = needed_bytes(QWEN_7B, 4096), needed_bytes(QWEN_7B, 32_768)
    assert long.cache_bytes == 8 * short.cache_bytes
    assert (long.weights_bytes, long.overhead_bytes) == (short.weights_bytes, short.overhead_bytes)
    assert long.total_bytes == long.weights_bytes + long.cache_bytes + long.overhead_bytes


def test_a_cache_of_eight_bits_is_half_as_large() -> None:
    assert (
        needed_bytes(QWEN_7B, 4096, 1.0).cache_bytes * 2 == needed_bytes(QWEN_7B, 4096).cache_bytes
    )


def test_reading_less_at_once_needs_smaller_buffers() -> None:
    usual, small = needed_bytes(QWEN_7B, 0), needed_bytes(QWEN_7B, 0, read_at_once=256)
    assert usual.overhead_bytes - small.overhead_bytes == 152_064 * 256 * 4


def test_a_known_size_of_the_weights_is_the_truth() -> None:
    needed = needed_bytes(replace(QWEN_7B, weights_bytes=123), 0)
    assert (needed.weights_bytes, needed.is_exact) == (123, True)


def test_a_shape_of_which_little_is_known() -> None:
    needed = needed_bytes(ModelShape(7_000_000_000), 8192)
    assert 4.0e9 < needed.weights_bytes < 5.0e9
    assert needed.cache_bytes == 0
    assert needed.overhead_bytes > 0


def test_more_bits_are_more_bytes() -> None:
    by_bits = sorted(BITS_PER_WEIGHT, key=BITS_PER_WEIGHT.__getitem__)
    for family, size in (("llama-3", "8B"), ("qwen2.5-coder", "0.5B")):
        ladder = [
            needed_bytes(shape(family, size, name), 0).weights_bytes
            for name in ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "F16")
        ]
        assert ladder == sorted(ladder)
    assert (by_bits[0], by_bits[-1]) == ("IQ1_S", "F32")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Q4_K_M", "Q4_K_M"),
        ("q4_k_m", "Q4_K_M"),
        ("q4_K", "Q4_K_M"),
        ("Q8_0", "Q8_0"),
        ("fp16", "F16"),
        ("F16", "F16"),
        ("BF16", "BF16"),
        ("UD-Q4_K_XL", "Q4_K_M"),
        ("Q3_K_XL", "Q3_K_M"),
        ("Q6_K_L", "Q6_K"),
        ("IQ4_XS", "IQ4_XS"),
        ("", "Q4_K_M"),
        ("unknown", "Q4_K_M"),
    ],
)
def test_how_a_quantisation_is_spelled(said: str, meant: str) -> None:
    assert bits_per_weight(said) == BITS_PER_WEIGHT[meant]


@pytest.mark.parametrize(
    ("family", "parameters", "size"),
    [
        ("qwen2.5-coder", 7_600_000_000, "7B"),
        ("qwen2.5-coder", 7_000_000_000, "7B"),
        ("qwen2.5-coder", 1_500_000_000, "1.5B"),
        ("qwen2.5-coder", 100_000_000_000, None),
        ("qwen2.5-coder", 0, None),
        ("default", 7_000_000_000, None),
    ],
)
def test_the_size_that_is_meant(family: str, parameters: int, size: str | None) -> None:
    found = size_of(FAMILIES[family], parameters)
    assert (found.name if found else None) == size
