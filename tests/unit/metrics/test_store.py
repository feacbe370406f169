"""The file of figures: what it holds, what it never holds, and what it survives."""

import multiprocessing
import os
import sqlite3
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest

from sirdab.metrics import store as module
from sirdab.metrics.record import Answer, Shown
from sirdab.metrics.store import Store, StoreError, day_of

NOW = time.time()
ONE = Shown(1, "python", "model", 120.0, 20, 1, told=True)
ANSWER = Answer("python", "model", 120.0, 30, 9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "metrics.sqlite3"


def rows(store: Store) -> list[dict[str, object]]:
    return store.shown(day_of(0))


def test_a_suggestion_is_one_row_however_often_it_is_written(path: Path) -> None:
    store = Store(path)
    store.write(1, [], [(NOW, ONE)], [])
    taken = replace(ONE, part="line", part_told=True, characters_accepted=12, seen_ms=900.4)
    store.write(1, [], [(NOW + 60, taken)], [(1, 30, 0.75)])
    store.write(2, [], [(NOW, ONE)], [])
    found = rows(store)
    assert [row["part_told"] for row in found] == [1, 0]
    first = next(row for row in found if row["session"] == 1)
    assert (first["part"], first["characters_accepted"], first["seen_ms"]) == ("line", 12, 900)
    assert (first["at"], first["retained_30"], first["retained_90"]) == (int(NOW), 0.75, None)
    store.close()
    assert len(rows(Store(path))) == 2


def test_answers_are_added_up_by_latency(path: Path) -> None:
    store = Store(path)
    store.write(1, [(NOW, ANSWER), (NOW, ANSWER)], [], [])
    store.write(2, [(NOW, ANSWER), (NOW, replace(ANSWER, latency_ms=900))], [], [])
    found = [(row[4], row[5], row[6]) for row in store.answers(day_of(NOW))]
    assert sorted(found) == [(1, 30, 9), (3, 90, 27)]


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_only_the_user_can_read_it(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    store = Store(path)
    store.write(1, [(NOW, ANSWER)], [(NOW, ONE)], [])
    files = list(path.parent.iterdir())
    assert len(files) == 3  # With the write-ahead log and its index.
    assert {file.stat().st_mode & 0o077 for file in files} == {0}
    assert path.parent.stat().st_mode & 0o077 == 0


def test_no_column_can_hold_anybodys_text(path: Path) -> None:
    """All texts in the file are names of ours, days, or a language identifier."""
    store = Store(path)
    secret = replace(ONE, language="def f(x): return 'hunter2'")
    store.write(1, [(NOW, replace(ANSWER, language="../etc/passwd\n"))], [(NOW, secret)], [])
    store.close()
    with sqlite3.connect(path) as connection:
        texts = {
            (table, name)
            for table in ("answer", "shown")
            for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
            if kind not in ("INTEGER", "REAL")
        }
        languages = {
            row[0]
            for row in connection.execute(
                "SELECT language FROM shown UNION SELECT language FROM answer"
            )
        }
    connection.close()
    assert {name for _, name in texts} == {"day", "language", "source", "ending", "part"}
    assert languages == {"other"}
    assert b"hunter2" not in path.read_bytes()
    assert {field.type for field in fields(Shown)} <= {
        int,
        float,
        bool,
        float | None,
        str,
        *(field.type for field in fields(Shown) if field.name in ("source", "ending", "part")),
    }


@pytest.mark.parametrize("language", ["c++", "objective-cpp", "c#", "F77", "vue-html", "4gl"])
def test_languages_keep_their_names(path: Path, language: str) -> None:
    store = Store(path)
    store.write(1, [], [(NOW, replace(ONE, language=language))], [])
    assert rows(store)[0]["language"] == language


def test_what_is_old_or_too_much_is_dropped(path: Path) -> None:
    store = Store(path, days=10, rows=3)
    store.write(
        1,
        [(NOW - 11 * 86_400, ANSWER), (NOW - 9 * 86_400, ANSWER)],
        [
            (NOW - age * 86_400, replace(ONE, number=number))
            for number, age in enumerate((30, 11, 9, 3, 2, 1))
        ],
        [],
    )
    store.prune()
    assert [row["number"] for row in rows(store)] == [3, 4, 5]
    assert [row[0] for row in store.answers(day_of(0))] == [day_of(NOW - 9 * 86_400)]


@pytest.mark.parametrize("content", [b"not a database at all " * 300, b"SQLite format 3\0" * 512])
def test_a_damaged_file_is_set_aside_and_begun_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = Store(path)
    store.write(1, [], [(NOW, ONE)], [])
    assert len(rows(store)) == 1
    assert path.with_suffix(".damaged").read_bytes() == content


def test_a_file_that_is_damaged_while_it_is_open(path: Path) -> None:
    store = Store(path)
    many = [(NOW, replace(ONE, number=number)) for number in range(3_000)]
    store.write(1, [], many, [])
    store.close()
    whole = path.read_bytes()
    # The first page, with the schema, stays; the rest is gone.
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    store = Store(path)
    store.write(2, [], [(NOW, ONE)], [])
    assert [row["session"] for row in rows(store)] == [2]
    assert path.with_suffix(".damaged").exists()


def test_a_file_of_a_later_version_is_left_alone(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="later version"):
        Store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_a_file_that_cannot_be_had_now_is_not_to_be_removed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.01)
    Store(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    # As while it is made.
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="try again") as error:
        Store(path)
    assert "remove" not in str(error.value)
    other.close()


def test_tables_that_are_not_ours(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(StoreError, match="remove it to begin anew"):
        Store(path)


def test_reset_removes_what_was_set_aside_too(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all " * 300)
    store = Store(path)
    store.reset()
    store.close()
    assert not path.with_suffix(".damaged").exists()


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        Store(tmp_path / "file" / "metrics.sqlite3")


def write_many(path: Path, session: int) -> None:
    store = Store(path)
    for number in range(40):
        store.write(session, [(NOW, ANSWER)], [(NOW, replace(ONE, number=number))], [])
    store.close()


def test_a_long_session_stays_within_the_bound(path: Path) -> None:
    store = Store(path, rows=100)
    for first in range(0, 10_000, 500):
        batch = [(NOW, replace(ONE, number=number)) for number in range(first, first + 500)]
        store.write(1, [], batch, [])
    assert len(rows(store)) <= 100 + 2_000


def test_several_editors_write_at_once(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    editors = [context.Process(target=write_many, args=(path, number)) for number in range(3)]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    assert [editor.exitcode for editor in editors] == [0, 0, 0]
    store = Store(path)
    assert len(rows(store)) == 120
    assert [row[4] for row in store.answers(day_of(0))] == [120]


def test_reset_forgets_everything_under_the_feet_of_another_editor(path: Path) -> None:
    editor, command = Store(path), Store(path)
    editor.write(1, [(NOW, ANSWER)], [(NOW, ONE)], [])
    command.reset()
    assert rows(editor) == []
    assert editor.answers(day_of(0)) == []
    editor.write(1, [(NOW, ANSWER)], [(NOW, ONE)], [])
    assert len(rows(command)) == 1


def test_what_was_accepted_today(path: Path) -> None:
    store = Store(path)
    told = replace(ONE, part="full", part_told=True)
    store.write(
        1,
        [],
        [
            (NOW, told),
            (NOW, replace(told, number=2)),
            (NOW, replace(ONE, number=3, part="word")),
            (NOW, replace(ONE, number=4)),
            (NOW - 86_400 * 2, replace(told, number=5)),
        ],
        [],
    )
    assert store.accepted_on(day_of(NOW)) == 2
