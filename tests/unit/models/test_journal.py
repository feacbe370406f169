"""The journal: what was done to the models, in order, by any number of processes."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sirdab.models import journal
from sirdab.models.journal import Entry


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def test_what_was_recorded_is_read_back_in_order() -> None:
    assert journal.record("pull", "größe-模型", digest="ab" * 32, size_bytes=7, source="a mirror")
    assert journal.record("use", "other")
    first, second = journal.read()
    assert (first.action, first.model, first.digest) == ("pull", "größe-模型", "ab" * 32)
    assert (first.size_bytes, first.source) == (7, "a mirror")
    assert first.time.endswith("+00:00")
    assert (second.action, second.model, second.digest) == ("use", "other", "")


def test_nothing_was_done_yet() -> None:
    assert journal.read() == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_only_the_user_can_read_it(state: Path) -> None:
    journal.record("use", "a")
    path = journal.default_path()
    path.chmod(0o644)
    journal.record("use", "b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"action": "explode", "model": "a", "time": "t"}',
        '{"action": "use", "model": 7, "time": "t"}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_entry_is_left_out(line: str) -> None:
    journal.record("use", "a")
    with journal.default_path().open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    journal.record("use", "b")
    assert [entry.model for entry in journal.read()] == ["a", "b"]


def test_what_a_full_disk_cut_short_does_not_swallow_the_next_line() -> None:
    journal.record("use", "a")
    path = journal.default_path()
    path.write_bytes(path.read_bytes()[:-10])
    journal.record("use", "b")
    assert [entry.model for entry in journal.read()] == ["b"]


def test_a_line_break_in_a_name_does_not_end_the_entry() -> None:
    journal.record("use", "a\nb\u2028c")
    assert [entry.model for entry in journal.read()] == ["a\nb\u2028c"]
    assert journal.default_path().read_bytes().count(b"\n") == 1


def test_entries_of_a_later_version_are_read_as_far_as_they_are_known() -> None:
    journal.record("use", "a")
    row = json.loads(journal.default_path().read_text(encoding="utf-8"))
    journal.default_path().write_text(json.dumps({**row, "mood": "good"}) + "\n", encoding="utf-8")
    assert journal.read() == [Entry(row["time"], "use", "a")]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_journal_that_cannot_be_written_stops_nothing(state: Path) -> None:
    state.mkdir()
    state.chmod(0o500)
    assert not journal.record("use", "a")


def test_a_directory_in_its_place_stops_nothing() -> None:
    journal.default_path().mkdir(parents=True)
    assert not journal.record("use", "a")
    with pytest.raises(OSError, match="directory"):
        journal.read()


def test_several_processes_write_whole_lines() -> None:
    program = (
        "import sys\n"
        "from sirdab.models import journal\n"
        "for number in range(50):\n"
        "    journal.record('use', f'{sys.argv[1]}-{number}', source='x' * 500)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, name]) for name in ("a", "b", "c")
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    models = [entry.model for entry in journal.read()]
    assert sorted(models) == sorted(f"{name}-{i}" for name in "abc" for i in range(50))
