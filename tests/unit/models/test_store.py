"""The store: where a model is found, and what is refused."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sirdab.models import catalog, speeds, store
from sirdab.models.catalog import Catalog, Downloadable, HuggingFaceSource
from sirdab.models.errors import ModelError, ModelMissingError
from sirdab.models.store import Origin
from tests.support.gguf import METADATA, gguf

CONTENT = b"weights of a very small model" * 100
OTHER = CONTENT[:-1] + b"X"


def _model(name: str, content: bytes) -> Downloadable:
    return Downloadable(
        id=name,
        title=name.title(),
        aliases=(f"{name}:small",),
        file=f"{name}-q4.gguf",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        licence="Apache-2.0",
        kv_bytes_per_token=8,
        note="",
        sources=(HuggingFaceSource("Owner/Tiny-GGUF", "main"),),
    )


TINY = _model(catalog.DEFAULT_MODEL, CONTENT)
BIG = _model("big", OTHER * 2)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with nothing in it, and a catalog of two tiny models."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SIRDAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    families = catalog.load().families
    monkeypatch.setattr(catalog, "load", lambda: Catalog(families, (TINY, BIG)))
    return home


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def in_store(content: bytes = CONTENT) -> Path:
    return put(store.store_directory() / TINY.file, content)


def test_a_model_that_is_nowhere_is_missing_and_the_sentence_says_what_to_do() -> None:
    with pytest.raises(ModelMissingError) as missing:
        store.find("auto")
    assert missing.value.message == (
        f"Model {TINY.id} is not on this machine (0 MB); run: sirdab model pull {TINY.id}"
    )


PLACES: list[tuple[str, Origin]] = [
    (f".ollama/models/blobs/sha256-{TINY.sha256}", Origin.OLLAMA),
    (
        f".cache/huggingface/hub/models--Owner--Tiny-GGUF/blobs/{TINY.sha256}",
        Origin.HUGGING_FACE,
    ),
    (
        # Another repository with the same bytes.
        f".cache/huggingface/hub/models--Else--Copy/blobs/{TINY.sha256}",
        Origin.HUGGING_FACE,
    ),
    (
        # Without links, as on Windows, the snapshot is the file.
        f".cache/huggingface/hub/models--Owner--Tiny-GGUF/snapshots/abc/{TINY.file}",
        Origin.HUGGING_FACE,
    ),
    (f".lmstudio/models/Owner/Tiny-GGUF/{TINY.file}", Origin.LM_STUDIO),
    (f".lmstudio/models/Owner/Tiny-GGUF/{TINY.file.upper()}", Origin.LM_STUDIO),
    (f".cache/lm-studio/models/Owner/Tiny-GGUF/{TINY.file}", Origin.LM_STUDIO),
]


@pytest.mark.parametrize(("place", "origin"), PLACES)
def test_finds_the_file_in_the_stores_of_others(home: Path, place: str, origin: Origin) -> None:
    path = put(home / place)
    found = store.find(TINY.id)
    assert (found.path, found.origin, found.name) == (path, origin, TINY.id)
    assert not (store.store_directory() / TINY.file).exists(), "it is not copied"


@pytest.mark.parametrize(("place", "origin"), PLACES)
def test_a_file_of_another_content_is_not_taken(home: Path, place: str, origin: Origin) -> None:
    put(home / place, OTHER)
    with pytest.raises(ModelError, match=r"SHA-256|not on this machine"):
        store.find(TINY.id)


@pytest.mark.parametrize(
    ("variable", "value", "place"),
    [
        ("OLLAMA_MODELS", "elsewhere", f"elsewhere/blobs/sha256-{TINY.sha256}"),
        ("HF_HOME", "elsewhere", f"elsewhere/hub/models--Owner--Tiny-GGUF/blobs/{TINY.sha256}"),
        ("HF_HUB_CACHE", "hub", f"hub/models--Owner--Tiny-GGUF/blobs/{TINY.sha256}"),
        ("XDG_CACHE_HOME", "c", f"c/huggingface/hub/models--O--T/blobs/{TINY.sha256}"),
    ],
)
def test_the_stores_of_others_can_be_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, place: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / value))
    path = put(tmp_path / place)
    assert store.find(TINY.id).path == path


def test_our_own_store_comes_first(home: Path) -> None:
    for place, _ in PLACES:
        put(home / place)
    own = in_store()
    assert store.find(TINY.id).path == own


def test_a_damaged_file_of_ours_does_not_hide_a_good_one(home: Path) -> None:
    in_store(OTHER)
    good = put(home / PLACES[0][0])
    assert store.find(TINY.id).path == good


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CONTENT[:-5], "is incomplete (2,895 of 2,900 bytes); run: sirdab model pull"),
        (b"", "is incomplete (0 of 2,900 bytes)"),
        (OTHER, "its SHA-256 is not the published one; run: sirdab model pull"),
        (CONTENT + b"more", "its SHA-256 is not the published one"),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(content: bytes, reason: str) -> None:
    path = in_store(content)
    with pytest.raises(ModelError) as refused:
        store.find("auto")
    assert str(path) in refused.value.message
    assert reason in refused.value.message
    assert "\n" not in refused.value.message


def test_auto_takes_another_model_that_is_here() -> None:
    put(store.store_directory() / BIG.file, OTHER * 2)
    assert store.find("auto").name == "big"
    in_store()
    assert store.find("auto").name == TINY.id


def test_auto_takes_the_larger_model_where_it_is_quick_enough() -> None:
    in_store()
    put(store.store_directory() / BIG.file, OTHER * 2)
    fast = {speeds.key_of(TINY.id, "127.0.0.1"): speeds.Figures(3_000, 200)}
    speeds.write(speeds.default_path(), fast)
    found = store.find("auto")
    assert found.name == "big"
    assert "quick enough" in found.reason
    slow = {speeds.key_of("big", "127.0.0.1"): speeds.Figures(20, 5)}
    speeds.write(speeds.default_path(), slow)
    assert store.find("auto").name == TINY.id


def test_a_damaged_larger_model_is_not_taken() -> None:
    in_store()
    put(store.store_directory() / BIG.file, OTHER)
    fast = {speeds.key_of(TINY.id, "127.0.0.1"): speeds.Figures(3_000, 200)}
    speeds.write(speeds.default_path(), fast)
    assert store.find("auto").name == TINY.id


@pytest.mark.parametrize("name", [TINY.id, f"{TINY.id}:small", TINY.id.upper(), TINY.file])
def test_a_model_has_several_names(name: str) -> None:
    in_store()
    assert store.find(name).name == TINY.id


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"known models: .*big"):
        store.find("gpt-17")
    with pytest.raises(ModelError, match="did you mean big"):
        store.find("bigg")


def _count_hashing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    made: list[object] = []
    real = hashlib.sha256

    def counted(*args: bytes) -> object:
        made.append(1)
        return real(*args)

    monkeypatch.setattr(hashlib, "sha256", counted)
    return lambda: len(made)


def test_a_file_is_hashed_once_until_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    path = in_store()
    hashed = _count_hashing(monkeypatch)
    store.find("auto")
    store.find("auto")
    assert hashed() == 1
    os.utime(path, ns=(1, 1))
    store.find("auto")
    assert hashed() == 2
    path.write_bytes(OTHER)
    with pytest.raises(ModelError):
        store.find("auto")


@pytest.mark.parametrize("memory", [b"", b"[]", b"{", b'{"x": 3}', b"\xff\xfe", b'{"x": {}}'])
def test_a_broken_memory_of_digests_is_no_problem(memory: bytes) -> None:
    in_store()
    put(store.store_directory() / "verified.json", memory)
    assert store.find("auto").name == TINY.id


def test_a_path_of_any_gguf_file_is_taken(tmp_path: Path) -> None:
    path = put(tmp_path / "My-StarCoder2-3B.gguf", gguf())
    found = store.find(str(path))
    assert (found.path, found.name, found.origin) == (path, "My-StarCoder2-3B", Origin.PATH)
    assert (found.context_tokens, found.kv_bytes_per_token) == (512, 256)


def test_a_nameless_file_is_named_by_its_header(tmp_path: Path) -> None:
    metadata = {**METADATA, "general.name": "Qwen2.5 Coder 7B"}
    path = put(tmp_path / "sha256-0000", gguf(metadata))
    assert store.find(str(path)).name == "Qwen2.5 Coder 7B"


def test_a_path_may_begin_at_home(home: Path) -> None:
    put(home / "tiny.gguf", gguf())
    assert store.find("~/tiny.gguf").path == home / "tiny.gguf"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("none.gguf", None, "There is no model file"),
        ("text.gguf", b"hello, world", "is not a usable GGUF model file"),
        ("cut.gguf", gguf()[:-120], "cut short"),
        ("lora.gguf", gguf({**METADATA, "general.type": "adapter"}), "of another kind (adapter)"),
    ],
)
def test_a_wrong_path_is_refused(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    path = tmp_path / name
    if content is not None:
        put(path, content)
    with pytest.raises(ModelError) as refused:
        store.find(str(path))
    assert reason in refused.value.message


def test_a_relative_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "workspace" / "evil.gguf", gguf())
    monkeypatch.chdir(tmp_path / "workspace")
    for name in ("evil.gguf", "./evil.gguf", "../workspace/evil.gguf"):
        with pytest.raises(ModelError, match="relative path"):
            store.find(name)


@pytest.mark.parametrize(
    ("count", "words"), [(491_400_064, "491 MB"), (1_117_320_768, "1.1 GB"), (0, "0 MB")]
)
def test_sizes_in_words(count: int, words: str) -> None:
    assert store.megabytes(count) == words
