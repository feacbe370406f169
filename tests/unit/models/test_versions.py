"""Files that newer ones have replaced: kept, bounded, used again when they are pinned."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from sirdab.models import catalog, journal, pins, store, versions
from sirdab.models.downloads import Downloadable, HuggingFaceSource
from sirdab.models.errors import ModelError
from sirdab.models.pins import Pin, PinnedError
from sirdab.models.store import Origin
from tests.support.gguf import METADATA, gguf


def weights(number: int) -> bytes:
    """Another file of the same model for each number, each of another size."""
    return gguf({**METADATA, "general.version": f"{number}"}, data=256 + number)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


FILES = [weights(number) for number in range(6)]
DIGESTS = [digest_of(content) for content in FILES]


def model(number: int) -> Downloadable:
    """The catalog's model as it was published in a version of Sirdab."""
    return Downloadable(
        id=catalog.DEFAULT_MODEL,
        title="Tiny",
        aliases=(),
        file="tiny-q4_k_m.gguf",
        size_bytes=len(FILES[number]),
        sha256=DIGESTS[number],
        licence="Apache-2.0",
        kv_bytes_per_token=8,
        note="",
        sources=(HuggingFaceSource("Owner/Tiny-GGUF", "main"),),
    )


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with nothing on it."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("SIRDAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SIRDAB_CONFIG", str(tmp_path / "config.toml"))
    publish(monkeypatch, 0)
    return monkeypatch


def publish(monkeypatch: pytest.MonkeyPatch, number: int) -> Downloadable:
    """Make one version the one that the catalog knows."""
    published = replace(catalog.load(), models=(model(number),))
    monkeypatch.setattr(catalog, "load", lambda: published)
    return model(number)


def download(number: int) -> Path:
    """Bring a version into the store as a download does."""
    part = store.store_directory() / f"{model(number).file}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(FILES[number])
    return store.adopt(part, model(number))


def in_use() -> bytes:
    return store.find("auto").path.read_bytes()


def test_what_is_replaced_is_kept_and_bounded(machine: pytest.MonkeyPatch) -> None:
    for number in range(5):
        publish(machine, number)
        download(number)
    kept = store.earlier_versions(model(4))
    assert [one.digest for one in kept] == [DIGESTS[3], DIGESTS[2]]
    assert [one.path.read_bytes() for one in kept] == [FILES[3], FILES[2]]
    assert in_use() == FILES[4]


def test_the_same_file_again_keeps_nothing() -> None:
    download(0)
    download(0)
    assert store.earlier_versions(model(0)) == []


def test_a_damaged_file_is_not_kept() -> None:
    (store.store_directory()).mkdir(parents=True)
    (store.store_directory() / model(0).file).write_bytes(FILES[0][:100])
    download(0)
    assert store.earlier_versions(model(0)) == []


def test_a_pinned_version_is_used_where_it_lies_and_never_deleted(
    machine: pytest.MonkeyPatch,
) -> None:
    download(0)
    publish(machine, 1)
    download(1)
    pins.set_pin(Pin(catalog.DEFAULT_MODEL, DIGESTS[0], len(FILES[0])))
    for number in range(2, 6):
        publish(machine, number)
        download(number)
    found = store.find("auto")
    assert (found.path.read_bytes(), found.origin) == (FILES[0], Origin.SIRDAB)
    assert found.size_bytes == len(FILES[0])
    assert DIGESTS[0] in [one.digest for one in store.earlier_versions(model(5))]
    pins.remove_pin(catalog.DEFAULT_MODEL)
    assert in_use() == FILES[5]


def test_another_file_than_the_pinned_one_is_refused(machine: pytest.MonkeyPatch) -> None:
    download(0)
    pins.set_pin(Pin(catalog.DEFAULT_MODEL, DIGESTS[1], len(FILES[1])))
    for name in ("auto", catalog.DEFAULT_MODEL):
        with pytest.raises(PinnedError) as refused:
            store.find(name)
        assert f"is pinned to {DIGESTS[1][:12]}" in refused.value.message
        assert f"what is here is {DIGESTS[0][:12]}" in refused.value.message


def test_a_pinned_file_that_is_gone_is_said(machine: pytest.MonkeyPatch) -> None:
    pins.set_pin(Pin(catalog.DEFAULT_MODEL, DIGESTS[1], len(FILES[1])))
    with pytest.raises(PinnedError, match=r"which is not on this machine; .* --remove$"):
        store.find("auto")


def test_a_file_named_by_its_path_is_held_to_its_pin(tmp_path: Path) -> None:
    path = tmp_path / "größe.gguf"
    path.write_bytes(FILES[0])
    pins.set_pin(Pin(str(path), DIGESTS[0]))
    assert store.find(str(path)).path == path
    path.write_bytes(FILES[1])
    with pytest.raises(PinnedError, match="is pinned to"):
        store.find(str(path))


def test_a_damaged_lock_file_stops_the_engine(tmp_path: Path) -> None:
    download(0)
    (tmp_path / "models.lock").write_text("?")
    with pytest.raises(ModelError, match="not a lock file"):
        store.find("auto")


def test_an_earlier_version_that_is_there_is_called_so(machine: pytest.MonkeyPatch) -> None:
    download(0)
    journal.record("pull", catalog.DEFAULT_MODEL, digest=DIGESTS[0])
    publish(machine, 1)
    with pytest.raises(ModelError) as problem:
        store.find("auto")
    assert f"is an earlier version of {catalog.DEFAULT_MODEL}" in problem.value.message
    assert f"sirdab model pin {catalog.DEFAULT_MODEL}@{DIGESTS[0][:12]}" in problem.value.message


def test_all_versions_can_be_removed(machine: pytest.MonkeyPatch) -> None:
    download(0)
    publish(machine, 1)
    download(1)
    removed = versions.remove(store.previous_directory(), catalog.DEFAULT_MODEL)
    assert [path.name for path in removed] == [f"{DIGESTS[0]}.gguf"]
    assert list(store.previous_directory().iterdir()) == []
    assert versions.remove(store.previous_directory(), catalog.DEFAULT_MODEL) == []


def test_what_else_lies_there_is_no_version() -> None:
    folder = store.previous_directory() / catalog.DEFAULT_MODEL
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    (folder / f"{DIGESTS[0]}.gguf").mkdir()
    assert store.earlier_versions(model(0)) == []
