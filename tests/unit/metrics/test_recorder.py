"""Figures are taken at once, written later, and never cost more than themselves."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sirdab.metrics.record import Answer, Shown
from sirdab.metrics.recorder import Recorder
from sirdab.metrics.store import Store, day_of

ONE = Shown(1, "python", "model", 120.0, 20, 1, told=True)
TOLD = replace(ONE, part="full", part_told=True, characters_accepted=20)
# No batch is due during a test, so what is written was asked for.
NEVER = 3_600.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.sqlite3"


def stored(path: Path) -> list[dict[str, object]]:
    store = Store(path)
    try:
        return store.shown(day_of(0))
    finally:
        store.close()


def test_nothing_is_touched_before_there_is_something_to_write(path: Path) -> None:
    before = threading.active_count()
    recorder = Recorder(lambda: path)
    recorder.close()
    assert not path.exists()
    assert threading.active_count() == before


def test_a_batch_is_written_in_a_thread(path: Path) -> None:
    recorder = Recorder(lambda: path, batch_seconds=0.01)
    recorder.shown(ONE)
    deadline = time.monotonic() + 20
    while (not path.exists() or not stored(path)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [row["number"] for row in stored(path)] == [1]
    recorder.close()


def test_the_end_of_the_session_writes_what_waits(path: Path) -> None:
    recorder = Recorder(lambda: path, batch_seconds=NEVER)
    recorder.shown(ONE)
    recorder.shown(TOLD)
    recorder.retained(1, 30, "return a + b", "return a + c")
    recorder.answered(Answer("python", "cache", 0.4))
    recorder.close()
    (row,) = stored(path)
    assert row["part"] == "full"
    assert row["retained_30"] == pytest.approx(1 - 1 / 12, abs=0.001)


def test_the_time_of_a_suggestion_is_that_of_its_first_record(path: Path) -> None:
    now = [time.time() - 1_000]
    recorder = Recorder(lambda: path, wall=lambda: now[0], batch_seconds=NEVER)
    recorder.shown(ONE)
    first, now[0] = int(now[0]), now[0] + 500
    recorder.shown(TOLD)
    recorder.flush()
    now[0] += 400
    recorder.shown(replace(TOLD, part="line"))
    recorder.close()
    (row,) = stored(path)
    assert (row["at"], row["part"]) == (first, "line")


def test_today_counts_what_is_not_written_yet(path: Path) -> None:
    recorder = Recorder(lambda: path, batch_seconds=NEVER)
    assert recorder.accepted_today() == 0
    recorder.shown(TOLD)
    recorder.shown(replace(TOLD, number=2))
    assert recorder.accepted_today() == 2
    recorder.close()


def test_a_disk_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorder = Recorder(lambda: tmp_path / "file" / "metrics.sqlite3", batch_seconds=NEVER)
    for number in range(20_000):
        recorder.shown(replace(ONE, number=number))
        recorder.answered(Answer("python", "model", 1.0))
    assert recorder.accepted_today() == 0
    waiting = recorder._shown, recorder._answers
    assert all(len(queue) < 5_000 for queue in waiting)
    recorder.close()


def test_without_a_home_there_are_no_figures_and_no_error() -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    recorder = Recorder(homeless, batch_seconds=NEVER)
    recorder.shown(ONE)
    assert recorder.accepted_today() == 0
    recorder.close()


def test_who_has_given_up_keeps_no_texts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorder = Recorder(lambda: tmp_path / "file" / "metrics.sqlite3", batch_seconds=0.0)
    for _ in range(2_000):
        recorder.shown(ONE)
        recorder.retained(1, 30, "accepted", "now")
        if recorder._thread is not None and not recorder._thread.is_alive():
            break
        time.sleep(0.01)
    recorder.retained(1, 90, "accepted", "now")
    assert (recorder._kept, recorder._shown, recorder._answers) == ([], {}, [])
    recorder.close()


def test_what_could_not_be_written_is_written_with_the_next_batch(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "metrics.sqlite3"
    recorder = Recorder(lambda: path, batch_seconds=NEVER)
    recorder.shown(ONE)
    recorder.flush()
    (tmp_path / "file").unlink()
    recorder.shown(replace(ONE, number=2))
    recorder.close()
    assert sorted(str(row["number"]) for row in stored(path)) == ["1", "2"]


def test_what_is_learnt_while_a_batch_is_written_is_not_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(lambda: path, batch_seconds=NEVER)
    write = Store.write

    def write_slowly(store: Store, *batch: Any) -> None:
        recorder.shown(TOLD)
        write(store, *batch)

    recorder.shown(ONE)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", write_slowly)
        recorder.flush()
    assert stored(path)[0]["part"] is None
    recorder.close()
    assert stored(path)[0]["part"] == "full"


def test_many_threads_may_record(path: Path) -> None:
    recorder = Recorder(lambda: path, batch_seconds=0.001)

    def record(first: int) -> None:
        for number in range(first, first + 200):
            recorder.shown(replace(ONE, number=number))

    threads = [threading.Thread(target=record, args=(first,)) for first in range(0, 1_000, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    assert len(stored(path)) == 1_000
