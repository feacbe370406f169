"""The audit trail: what it holds, who may read it, how large it gets."""

import hashlib
import json
import logging
import os
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sirdab.policy.audit import AuditTrail, default_path


def record(trail: AuditTrail, **changed: Any) -> None:
    values: dict[str, Any] = {
        "kind": "completion",
        "url": "http://127.0.0.1:8012",
        "model": "qwen",
        "uri": "file:///a.py",
        "prompt": "def f(",
        "outcome": "suggested",
        "prompt_tokens": 3,
        "generated_tokens": 2,
        "ms": 12.3456,
    }
    trail.record(**(values | changed))


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_says_what_was_sent_without_the_text(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "audit.jsonl"
    record(AuditTrail(path), prompt="naïve \ud800")
    (entry,) = read(path)
    when = datetime.fromisoformat(entry.pop("time"))
    assert when.utcoffset() == timedelta(0)
    assert entry == {
        "kind": "completion",
        "url": "http://127.0.0.1:8012",
        "model": "qwen",
        "uri": "file:///a.py",
        "characters": 7,
        "sha256": hashlib.sha256("naïve \ud800".encode("utf-8", "surrogatepass")).hexdigest(),
        "promptTokens": 3,
        "generatedTokens": 2,
        "ms": 12.3,
        "outcome": "suggested",
    }


@pytest.mark.parametrize(
    ("changed", "key", "expect"),
    [
        ({"outcome": "the server said: def secret_code(): ..."}, "outcome", "other"),
        ({"outcome": ""}, "outcome", "other"),
        ({"kind": "x\ny"}, "kind", "other"),
        ({"outcome": "not-reproduced"}, "outcome", "not-reproduced"),
        ({"url": "http://me:pw@localhost:1/v1?key=abc#x"}, "url", "http://localhost:1/v1"),
        ({"url": "http://[::1"}, "url", "other"),
        ({"url": "http://[::1]:1"}, "url", "http://[::1]:1"),
        ({"uri": "file:///a\nb"}, "uri", "file:///a\nb"),
    ],
)
def test_text_does_not_slip_in_by_another_field(
    tmp_path: Path, changed: dict[str, str], key: str, expect: str
) -> None:
    path = tmp_path / "audit.jsonl"
    record(AuditTrail(path), **changed)
    (entry,) = read(path)
    assert entry[key] == expect


def test_records_are_appended_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for number in range(3):
        record(AuditTrail(path), prompt="x" * number)
    assert [entry["characters"] for entry in read(path)] == [0, 1, 2]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    record(AuditTrail(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    record(AuditTrail(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("files", [1, 3])
def test_old_files_are_given_up_before_there_are_too_many(tmp_path: Path, files: int) -> None:
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path, max_bytes=1_000, files=files)
    for number in range(40):
        record(trail, prompt="x" * number)
    kept = [path, *(tmp_path / f"audit.jsonl.{n}" for n in range(1, files))]
    assert sorted(one for one in tmp_path.iterdir() if one.suffix != ".lock") == kept
    assert all(0 < one.stat().st_size <= 1_000 for one in kept)
    # What is kept is the newest, in order and without a gap.
    numbers = [entry["characters"] for one in reversed(kept) for entry in read(one)]
    assert numbers == list(range(40 - len(numbers), 40))


def test_two_trails_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    one, two = (AuditTrail(path, max_bytes=2_000, files=2) for _ in range(2))
    for number in range(30):
        record(one if number % 2 else two, prompt="x" * number)
    numbers = [entry["characters"] for entry in read(path)]
    assert numbers == list(range(30 - len(numbers), 30))
    assert path.stat().st_size <= 2_000


def test_failing_to_write_is_said_once_and_hurts_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    trail = AuditTrail(blocked / "audit.jsonl")
    with caplog.at_level(logging.WARNING):
        record(trail)
        record(trail)
    assert len(caplog.records) == 1
    assert "audit trail" in caplog.text


def test_it_recovers_when_writing_works_again(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.write_text("in the way", encoding="utf-8")
    trail = AuditTrail(folder / "audit.jsonl")
    record(trail)
    folder.unlink()
    record(trail)
    assert len(read(folder / "audit.jsonl")) == 1


def test_the_default_is_in_a_folder_of_the_user() -> None:
    assert default_path().is_absolute()
    assert default_path().name == "audit.jsonl"
