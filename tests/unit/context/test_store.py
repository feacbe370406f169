"""The database of definitions."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sirdab.context import store as module
from sirdab.context.store import SCHEMA_VERSION, Stamp, Store, StoreError, database_path
from sirdab.context.symbols import Definition

STAMP = Stamp(1, 2)


def definition(name: str, container: str = "", line: int = 0) -> Definition:
    return Definition(name, "function", container, f"def {name}():", "", line)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return database_path(tmp_path / "index", "/work")


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    found = Store(path)
    found.open()
    yield found
    found.close()


def names(store: Store, *wanted: str, kin: str = "python") -> list[tuple[str, str]]:
    return [(one.path, one.definition.name) for one in store.find(wanted, kin, 9)]


def test_what_is_put_is_found(store: Store) -> None:
    store.put("/work/b.py", "python", STAMP, [definition("f"), definition("g")], 1)
    store.put("/work/a.py", "python", STAMP, [definition("f")], 1)
    store.put("/work/a.rs", "rust", STAMP, [definition("f")], 1)
    assert names(store, "g", "f") == [("/work/a.py", "f"), ("/work/b.py", "f"), ("/work/b.py", "g")]
    assert names(store, "f", kin="rust") == [("/work/a.rs", "f")]
    assert names(store, "h") == names(store) == []


def test_a_file_replaces_what_was_known_of_it(store: Store) -> None:
    store.put("/work/a.py", "python", STAMP, [definition("old")], 1)
    store.put("/work/a.py", "python", Stamp(3, 4), [definition("new")], 2)
    assert names(store, "old", "new") == [("/work/a.py", "new")]
    assert store.stamps("/work") == {"a.py": Stamp(3, 4)}
    assert store.count() == (1, 1)


def test_files_that_are_gone_are_forgotten(store: Store) -> None:
    for name in ("/work/a.py", "/work/b.py", "/work/in/c.py", "/work/inner/d.py"):
        store.put(name, "python", STAMP, [definition("f")], 1)
    store.keep_only("/work", ["b.py"], 1)
    assert [path for path, _ in names(store, "f")] == [
        "/work/b.py",
        "/work/in/c.py",
        "/work/inner/d.py",
    ]
    store.drop("/work/in")
    assert [path for path, _ in names(store, "f")] == ["/work/b.py", "/work/inner/d.py"]
    store.drop("/work/b.py")
    assert store.count() == (1, 1)


def test_folders_that_no_walk_came_by_are_forgotten(store: Store) -> None:
    store.put("/work/a/x.py", "python", STAMP, [definition("f")], 1)
    store.put("/work/b/x.py", "python", STAMP, [definition("f")], 1)
    store.keep_only("/work/b", ["x.py"], 5)
    # Another process that began to walk earlier must not make it older again.
    store.keep_only("/work/b", ["x.py"], 3)
    store.drop_unseen(4)
    assert [path for path, _ in names(store, "f")] == ["/work/b/x.py"]


def test_members_of_a_class(store: Store) -> None:
    members = [definition("b", "A", 2), definition("a", "A", 1), definition("c", "B", 3)]
    store.put("/work/a.py", "python", STAMP, members, 1)
    assert [one.name for one in store.members("/work/a.py", "A", 9)] == ["a", "b"]
    assert [one.name for one in store.members("/work/a.py", "A", 1)] == ["a"]
    assert store.members("/work/b.py", "A", 9) == []


def test_a_name_may_be_anything(store: Store) -> None:
    odd = "'; DROP TABLE files; --%_"
    store.put(f"/work/{odd}.py", "python", STAMP, [definition(odd)], 1)
    store.put("/work/x/y.py", "python", STAMP, [definition("f")], 1)
    store.drop("/work/%")
    assert names(store, odd) == [(f"/work/{odd}.py", odd)]


def test_at_most_so_many_of_one_name(store: Store) -> None:
    for number in range(9):
        store.put(f"/work/{number}.py", "python", STAMP, [definition("f")], 1)
    assert len(store.find(["f"], "python", 4)) == 4
    many = [f"n{number}" for number in range(1_000)]
    assert len(store.find([*many, "f"], "python", 9)) == 9


def test_it_is_there_in_the_next_session(path: Path) -> None:
    first, second = Store(path), Store(path)
    first.open()
    first.put("/work/a.py", "python", STAMP, [definition("f")], 1)
    first.close()
    second.open()
    assert names(second, "f") == [("/work/a.py", "f")]
    second.close()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_nobody_else_can_read_it(store: Store, path: Path) -> None:
    store.put("/work/a.py", "python", STAMP, [definition("f")], 1)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@pytest.mark.parametrize("damage", ["text", "empty", "header", "other-version", "other-tables"])
def test_a_damaged_database_is_made_anew(path: Path, damage: str) -> None:
    first = Store(path)
    first.open()
    first.put("/work/a.py", "python", STAMP, [definition("f")], 1)
    first.close()
    if damage == "text":
        path.write_bytes(b"this is no database" * 500)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "header":
        path.write_bytes(path.read_bytes()[:100])
    else:
        with closing(sqlite3.connect(path)) as connection:
            if damage == "other-version":
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
            else:
                connection.execute("DROP TABLE definitions")
            connection.commit()
    again = Store(path)
    again.open()
    assert names(again, "f") == []
    again.put("/work/a.py", "python", STAMP, [definition("f")], 1)
    assert names(again, "f") == [("/work/a.py", "f")]
    again.close()


def test_a_database_that_another_process_keeps_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.01)
    first = Store(path)
    first.open()
    first.put("/work/a.py", "python", STAMP, [definition("f")], 1)
    first.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        # As while it is made.
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        second = Store(path)
        with pytest.raises(StoreError, match="locked"):
            second.open()
    second.open()
    assert names(second, "f") == [("/work/a.py", "f")]
    second.close()


def test_who_comes_while_it_is_made_waits_for_a_turn(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [sqlite3.OperationalError("database is locked") for _ in range(3)]
    connect = module._connect

    def busy(path: Path) -> sqlite3.Connection:
        if refused:
            error = refused.pop()
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return connect(path)

    # As SQLite answers at once where two processes switch the log on.
    monkeypatch.setattr(module, "_connect", busy)
    store = Store(path)
    store.open()
    store.put("/work/a.py", "python", STAMP, [definition("f")], 1)
    assert names(store, "f") == [("/work/a.py", "f")]
    store.close()


def test_damage_that_is_found_out_later(path: Path) -> None:
    first = Store(path)
    first.open()
    for number in range(400):
        first.put(f"/work/{number}.py", "python", STAMP, [definition(f"f{number}")], 1)
    first.close()
    data = bytearray(path.read_bytes())
    # The header and the list of tables stay whole.
    data[2 * 4096 :] = b"\xff" * (len(data) - 2 * 4096)
    path.write_bytes(data)
    again = Store(path)
    again.open()
    again.put("/work/a.py", "python", STAMP, [definition("f")], 1)
    assert names(again, "f") == [("/work/a.py", "f")]
    again.close()


def test_a_database_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file where the folder should be")
    store = Store(database_path(tmp_path / "index", "/work"))
    with pytest.raises(StoreError):
        store.open()
    with pytest.raises(StoreError):
        store.find(["f"], "python", 1)
    with pytest.raises(StoreError):
        store.put("/work/a.py", "python", STAMP, [], 1)


def test_a_full_database_takes_no_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DATABASE_BYTES", 20 * 4096)
    store = Store(path)
    store.open()

    def fill() -> None:
        for number in range(5_000):
            store.put(f"/work/{number}.py", "python", STAMP, [definition("f" * 200)], 1)

    with pytest.raises(StoreError):
        fill()
    assert names(store, "f" * 200)
    store.close()


def test_old_databases_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_DATABASES", 3)
    paths = [database_path(tmp_path, f"/work{number}") for number in range(5)]
    for number, path in enumerate(paths):
        store = Store(path)
        store.open()
        store.close()
        os.utime(path, (number, number))
    last = Store(database_path(tmp_path, "/another"))
    last.open()
    assert [path.exists() for path in paths] == [False, False, False, True, True]
    last.close()


def test_several_threads_at_once(store: Store) -> None:
    failures: list[Exception] = []

    def work(kin: str) -> None:
        try:
            for number in range(60):
                store.put(f"/work/{kin}{number}.py", kin, STAMP, [definition("f")], 1)
                store.find(["f"], kin, 99)
        except Exception as error:  # noqa: BLE001 - whatever it is
            failures.append(error)

    threads = [threading.Thread(target=work, args=(kin,)) for kin in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.count() == (180, 180)


_WRITER = """
import sys
from pathlib import Path
from sirdab.context.store import Stamp, Store
from sirdab.context.symbols import Definition
store = Store(Path(sys.argv[1]))
store.open()
for number in range(150):
    name = f"{sys.argv[2]}{number}"
    store.put(f"/work/{name}.py", "python", Stamp(1, 1),
              [Definition(name, "function", "", f"def {name}():", "", 0)], 1)
    # Both know the same file, too.
    store.put("/work/shared.py", "python", Stamp(1, 1),
              [Definition("shared", "function", "", "def shared():", "", 0)], 1)
store.close()
"""


def test_two_processes_at_once(path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name], stderr=subprocess.PIPE)
        for name in "ab"
    ]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    store = Store(path)
    store.open()
    assert store.count() == (301, 301)
    store.close()
