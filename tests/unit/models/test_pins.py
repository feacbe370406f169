"""The lock file: which digest a model must have."""

import json
import os
from pathlib import Path

import pytest

from sirdab.models import pins
from sirdab.models.errors import ModelError
from sirdab.models.pins import Pin, PinnedError

ONE = "1" * 64
TWO = "2" * 64


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIRDAB_CONFIG", str(tmp_path / "Ünïcode" / "config.toml"))
    return tmp_path / "Ünïcode" / "models.lock"


def test_it_lies_beside_the_configuration_file(lock: Path) -> None:
    assert pins.default_path() == lock
    assert pins.read() == {}
    assert pins.pin_of("a") is None


def test_a_pin_is_kept_and_removed(lock: Path) -> None:
    pins.set_pin(Pin("模型", ONE, 7, "sirdab"))
    pins.set_pin(Pin("ollama:b:7b", TWO))
    found = pins.pin_of("模型")
    assert found is not None
    assert (found.digest, found.size_bytes, found.source) == (ONE, 7, "sirdab")
    assert found.time
    pins.set_pin(Pin("模型", TWO))
    assert {name: pin.digest for name, pin in pins.read().items()} == {
        "模型": TWO,
        "ollama:b:7b": TWO,
    }
    assert pins.remove_pin("模型")
    assert not pins.remove_pin("模型")
    assert list(pins.read()) == ["ollama:b:7b"]
    assert [path.name for path in lock.parent.iterdir()] == ["models.lock"]


@pytest.mark.parametrize(
    ("digest", "is_good"),
    [(ONE, True), (f"sha256:{ONE}", True), (ONE.upper(), True), ("", True), (TWO, False)],
)
def test_another_digest_is_refused(lock: Path, digest: str, is_good: bool) -> None:
    pins.set_pin(Pin("a", ONE))
    pins.check("b", digest)
    if is_good:
        pins.check("a", digest)
        return
    with pytest.raises(PinnedError) as refused:
        pins.check("a", digest)
    assert refused.value.message == (
        "Model a is pinned to 111111111111, and what is here is 222222222222, so it is not used; "
        "bring the pinned file back, or run: sirdab model pin a"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "{",
        '{"models": []}',
        '{"models": {"a": 1}}',
        '{"models": {"a": {}}}',
        '{"models": {"a": {"sha256": "short"}}}',
        json.dumps({"models": {"a": {"sha256": ONE, "size_bytes": "7"}}}),
        "\0",
    ],
)
def test_a_damaged_lock_file_is_not_passed_over(lock: Path, text: str) -> None:
    lock.parent.mkdir()
    lock.write_text(text)
    for work in (pins.read, lambda: pins.check("a", ONE), lambda: pins.set_pin(Pin("a", ONE))):
        with pytest.raises(ModelError, match="is not a lock file that this version understands"):
            work()
    assert lock.read_text() == text


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        (ONE, ONE),
        ("1111ABCD", "1111abcd"),
        ("sha256:1111abcd", "1111abcd"),
        ("1111abc", None),
        ("1111abcg", None),
        (ONE + "1", None),
        ("", None),
    ],
)
def test_a_digest_may_be_shortened(text: str, beginning: str | None) -> None:
    assert pins.beginning(text) == beginning


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="there are no links here")
def test_a_link_stays_a_link(lock: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles.lock"
    elsewhere.write_text('{"version": 1, "models": {}}')
    lock.parent.mkdir()
    lock.symlink_to(elsewhere)
    pins.set_pin(Pin("a", ONE))
    assert lock.is_symlink()
    assert "a" in json.loads(elsewhere.read_text())["models"]


def test_a_place_that_cannot_be_used_is_one_sentence(lock: Path) -> None:
    lock.parent.write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"models\.lock cannot be (read|written): "):
        pins.set_pin(Pin("a", ONE))
