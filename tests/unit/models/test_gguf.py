"""The GGUF header reader: right about good files, and never upset by bad ones."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sirdab.models.catalog import known_family_of
from sirdab.models.errors import ModelError
from sirdab.models.gguf import GgufHeader, NotGgufError, read_header
from sirdab.models.sentinels import to_probe, to_probe_unnamed
from tests.support.gguf import METADATA, gguf, pair, text

HUGE = 2**63 - 1


def read(tmp_path: Path, data: bytes) -> GgufHeader:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    return read_header(path)


def test_reads_what_a_file_says_of_itself(tmp_path: Path) -> None:
    header = read(tmp_path, gguf())
    assert header.architecture == "qwen2"
    assert header.name == "Tiny"
    assert header.kind == "model"
    assert header.context_tokens == 512
    # 2 layers x 2 key-value heads x 16 values x (key and value) x 2 bytes.
    assert header.kv_bytes_per_token == 256
    assert header.last_tensor_start == header.data_start + 64


def test_reads_what_memory_and_resolution_need(tmp_path: Path) -> None:
    said: dict[str, object] = {
        **METADATA,
        "general.file_type": 15,
        "general.license": "apache-2.0",
        "qwen2.attention.key_length": 24,
        "tokenizer.chat_template": "{{ 'x' * 3 }}" * 1000,
        "tokenizer.ggml.tokens": ["a", "<fim_prefix>", "\u2581<MID>", "<fim_prefix> ", "x" * 99],
    }
    (tmp_path / "model.gguf").write_bytes(gguf(said))
    wanted = frozenset({"<fim_prefix>", "<MID>", "<SUF>"})
    header = read_header(tmp_path / "model.gguf", wanted)
    # Two tensors of 16 values.
    assert (header.parameters, header.weights_bytes, header.parts) == (32, 128, 1)
    assert (header.quantisation, header.licence) == ("Q4_K_M", "apache-2.0")
    assert (header.layers, header.kv_heads, header.width, header.vocabulary) == (2, 2, 64, 5)
    assert (header.key_length, header.value_length) == (24, 16)
    assert header.kv_bytes_per_token == 2 * 2 * (24 + 16) * 2
    assert header.chat_template == said["tokenizer.chat_template"]
    assert header.tokens == {"<fim_prefix>", "<MID>"}


def test_what_a_file_leaves_out_is_not_made_up(tmp_path: Path) -> None:
    header = read(tmp_path, gguf({"general.architecture": "x"}))
    assert (header.quantisation, header.licence, header.chat_template) == ("", "", "")
    assert (header.layers, header.kv_heads, header.key_length, header.vocabulary) == (0, 0, 0, 0)
    assert header.kv_bytes_per_token == 0
    assert header.tokens == frozenset()


def test_layers_may_have_different_heads(tmp_path: Path) -> None:
    header = read(tmp_path, gguf({**METADATA, "qwen2.attention.head_count_kv": [4, 1]}))
    # The mean of 4 and 1, rounded up.
    assert header.kv_heads == 3


def test_a_part_of_a_split_model_says_so(tmp_path: Path) -> None:
    assert read(tmp_path, gguf({**METADATA, "split.count": 3})).parts == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("general.file_type", 12345),
        ("general.file_type", "Q4_K_M"),
        ("general.license", 3),
        ("qwen2.attention.head_count_kv", "many"),
        ("qwen2.attention.head_count_kv", ["2", "2"]),
        ("qwen2.block_count", "2"),
        ("tokenizer.ggml.tokens", "all"),
        ("tokenizer.ggml.tokens", [1, 2, 3]),
        ("tokenizer.chat_template", 1),
        ("split.count", 0),
    ],
)
def test_values_of_another_type_are_left_out(tmp_path: Path, key: str, value: object) -> None:
    header = read(tmp_path, gguf({**METADATA, key: value}))
    assert header.name == "Tiny"
    assert header.parts == 1
    assert header.quantisation == ""
    assert header.licence == ""


def test_says_when_a_file_is_no_model(tmp_path: Path) -> None:
    header = read(tmp_path, gguf({**METADATA, "general.type": "adapter"}))
    assert header.kind == "adapter"


def test_reads_the_real_model(real_model_path: Path) -> None:
    header = read_header(real_model_path)
    assert header.architecture == "qwen2"
    assert header.context_tokens == 32768
    assert header.kv_bytes_per_token in (12_288, 28_672)
    assert header.quantisation == "Q4_K_M"
    assert (header.vocabulary, header.layers) in ((151_936, 24), (151_936, 28))
    assert "<|im_start|>" in header.chat_template


def test_the_real_model_has_the_sentinels_of_its_family_only(real_model_path: Path) -> None:
    header = read_header(real_model_path, frozenset(to_probe_unnamed()))
    assert header.tokens == set(to_probe(known_family_of("qwen2.5-coder")))


def _with_pairs(count: int, body: bytes = b"") -> bytes:
    return struct.pack("<4sIQQ", b"GGUF", 3, 1, count) + body


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too short"),
        (b"GG", "too short"),
        (b"PK\3\4" + b"\0" * 99, "does not begin as one"),
        (b"<!DOCTYPE html>", "does not begin as one"),
        (b"GGUF", "cut short"),
        (gguf(version=1), "unknown version 1"),
        (gguf(version=99), "unknown version 99"),
        (_with_pairs(HUGE), "counts are impossible"),
        (struct.pack("<4sIQQ", b"GGUF", 3, HUGE, 0), "counts are impossible"),
        (_with_pairs(1, struct.pack("<Q", HUGE)), "impossibly long"),
        (_with_pairs(1, text("k") + struct.pack("<I", 77)), "unknown type 77"),
        (_with_pairs(1, text("k") + struct.pack("<IQ", 8, HUGE)), "cut short"),
        (_with_pairs(1, text("k") + struct.pack("<IIQ", 9, 8, HUGE)), "impossibly long"),
        (_with_pairs(1, text("k") + struct.pack("<IIQ", 9, 9, 1)), "unknown type 9"),
        (_with_pairs(1, text("k") + struct.pack("<IIQ", 9, 4, 4_000_000)), "cut short"),
        (gguf({"general.name": "x"}), "names no architecture"),
        (gguf({**METADATA, "general.alignment": 0}), "alignment is impossible"),
        (gguf(tensors=()), "cut short"),
        (gguf(tensors=(0, 1 << 40)), "cut short"),
        (gguf(data=0), "cut short"),
        (gguf()[:-100], "cut short"),
    ],
)
def test_refuses_in_one_sentence(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(NotGgufError) as refused:
        read(tmp_path, data)
    assert reason in refused.value.message
    assert "model.gguf" in refused.value.message
    assert "\n" not in refused.value.message


def test_a_text_that_nobody_wants_is_skipped_unread(tmp_path: Path) -> None:
    long = {"tokenizer.chat_template": "x" * 300_000, "general.license": "x" * 5_000}
    header = read(tmp_path, gguf({**long, **METADATA}))
    assert (header.name, header.chat_template, header.licence) == ("Tiny", "", "")


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_header(tmp_path / "none.gguf")


def _refuses_or_reads(path: Path, data: bytes) -> None:
    """Anything else that is raised fails the test."""
    path.write_bytes(data)
    with contextlib.suppress(NotGgufError):
        assert read_header(path).architecture


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=300), magic=st.booleans())
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes, magic: bool) -> None:
    _refuses_or_reads(tmp_path / "x.gguf", (b"GGUF\3\0\0\0" if magic else b"") + data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 400), value=st.binary(min_size=1, max_size=8), cut=st.integers(0, 500))
def test_any_damage_is_read_or_refused(tmp_path: Path, place: int, value: bytes, cut: int) -> None:
    good = gguf()
    bad = good[:place] + value + good[place + len(value) :]
    _refuses_or_reads(tmp_path / "x.gguf", bad[: len(bad) - cut])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.text(max_size=20), value=st.one_of(st.text(), st.integers(0, 2**32 - 1)))
def test_any_other_pair_changes_nothing(tmp_path: Path, key: str, value: object) -> None:
    (tmp_path / "x.gguf").write_bytes(gguf({f"other.{key}": value, **METADATA}))
    assert read_header(tmp_path / "x.gguf").name == "Tiny"
    assert pair(key, value)
