"""What a model's file adds to what its server says."""

from pathlib import Path

import pytest

from sirdab.models.file_evidence import with_file
from sirdab.models.resolve import Evidence, resolve
from sirdab.models.sentinels import in_vocabulary
from tests.support.gguf import METADATA, gguf

FIM = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]
CODER = {
    **METADATA,
    "general.name": "Qwen2.5 Coder 7B",
    "tokenizer.ggml.tokens": ["a", *FIM],
    "tokenizer.chat_template": "<|im_start|>",
}


def file(folder: Path, said: dict[str, object], name: str = "model.gguf") -> str:
    path = folder / name
    path.write_bytes(gguf(said))
    return str(path)


def test_a_renamed_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    path = file(tmp_path, CODER)
    bare = Evidence(("default", path))
    assert resolve(bare).source == "nothing"
    found = resolve(with_file(bare, path))
    assert (found.family.id, found.source) == ("qwen2.5-coder", "server")
    assert found.problem == ""


def test_a_renamed_file_without_a_name_in_it(tmp_path: Path) -> None:
    path = file(tmp_path, {**CODER, "general.name": "out"})
    found = resolve(with_file(Evidence(("m",)), path))
    assert (found.family.id, found.source) == ("qwen2.5-coder", "server")


def test_a_general_model_with_the_same_sentinels(tmp_path: Path) -> None:
    path = file(tmp_path, {**CODER, "general.name": "Qwen2.5 7B Instruct"})
    assert resolve(with_file(Evidence(("m",)), path)).family.id == "qwen"


def test_a_wrong_name_is_found_out(tmp_path: Path) -> None:
    said = {**CODER, "general.name": "x", "tokenizer.ggml.tokens": ["a", "b"]}
    path = file(tmp_path, said, "qwen2.5-coder-7b.gguf")
    found = resolve(with_file(Evidence(("qwen2.5-coder-7b",)), path))
    assert found.family.fim is None
    assert "is called Qwen2.5-Coder" in found.problem


def test_what_the_server_says_stays(tmp_path: Path) -> None:
    path = file(tmp_path, CODER)
    told = Evidence(("m",), "llama", "{{ x }}", frozenset({"chat"}), {FIM[0]: False})
    found = with_file(told, path)
    assert (found.architecture, found.template) == ("llama", "{{ x }}")
    assert found.capabilities == {"chat"}
    assert found.single_tokens[FIM[0]] is False
    assert found.single_tokens[FIM[1]] is True
    assert found.single_tokens["<PRE>"] is False
    assert found.names == ("m", path, "Qwen2.5 Coder 7B")


def test_the_real_model_under_another_name(real_model_path: Path, tmp_path: Path) -> None:
    other = tmp_path / "ggml-model.gguf"
    other.symlink_to(real_model_path)
    found = resolve(with_file(Evidence((str(other),)), str(other)))
    assert (found.family.id, found.source) == ("qwen2.5-coder", "server")


@pytest.mark.parametrize("path", ["", "model.gguf", "/nowhere/model.gguf", "/", "/\0"])
def test_a_path_that_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    file(tmp_path, CODER)
    # A relative path would be one of the workspace.
    monkeypatch.chdir(tmp_path)
    evidence = Evidence(("m",))
    assert with_file(evidence, path) is evidence


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + b"\xff" * 99)
    evidence = Evidence(("m",))
    assert with_file(evidence, str(path)) is evidence


def test_a_file_without_a_vocabulary_denies_nothing(tmp_path: Path) -> None:
    said = {key: value for key, value in CODER.items() if not key.startswith("tokenizer")}
    assert with_file(Evidence(("m",)), file(tmp_path, said)).single_tokens == {}


@pytest.mark.parametrize(
    ("vocabulary", "is_in"),
    [({"<PRE>"}, True), ({"\u2581<PRE>"}, True), ({"<PRE", "PRE>"}, False), (set[str](), False)],
)
def test_a_sentinel_in_a_vocabulary(vocabulary: set[str], is_in: bool) -> None:
    assert in_vocabulary("<PRE>", vocabulary) is is_in
