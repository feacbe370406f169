"""The index of a workspace: what it reads, what it must not, and how it keeps in step."""

import os
import sqlite3
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sirdab.context import files, pace
from sirdab.context import index as module
from sirdab.context.files import MAX_FILE_BYTES, SUFFIXES
from sirdab.context.index import WorkspaceIndex
from sirdab.context.pace import Pace, Stopped
from sirdab.context.store import database_path
from sirdab.context.symbols import LANGUAGES
from sirdab.syntax import languages

PATIENCE = 60.0
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 0.01)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@contextmanager
def indexed(work: Path, exclude: tuple[str, ...] = ()) -> Iterator[WorkspaceIndex]:
    index = WorkspaceIndex(str(work), work.parent / "index", exclude)
    index.start()
    try:
        assert index.wait(PATIENCE)
        yield index
    finally:
        index.close()


def found(index: WorkspaceIndex, *names: str) -> list[str]:
    return [Path(one.path).name for one in index.find(names, "python", 99)]


def test_definitions_are_found(work: Path) -> None:
    write(work, "a.py", "def f(): ...\n")
    write(work, "deep/er/b.py", "class F:\n    def f(self): ...\n")
    write(work, "c.ts", "function f() {}\n")
    write(work, "notes.md", "def f(): ...\n")
    with indexed(work) as index:
        assert found(index, "f") == ["a.py", "b.py"]
        assert [one.definition.kind for one in index.find(["f"], "typescript", 9)] == ["function"]
        members = index.members(str(work / "deep/er/b.py"), "F", 9)
        assert [one.name for one in members] == ["f"]
        assert index.count()[0] == 3


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("ignored.py", {".gitignore": "ignored.py\n"}),
        ("sub/ignored.py", {"sub/.aiignore": "*.py\n"}),
        ("sub/deep/f.py", {".cursorignore": "sub/\n"}),
        ("sub/f.py", {"sub/.aiexclude": ""}),
        ("secrets/f.py", {}),
        ("private/f.py", {}),
        ("node_modules/f.py", {}),
        (".venv/f.py", {}),
        ("large.py", {}),
        ("binary.py", {}),
        ("latin.py", {}),
    ],
)
def test_what_must_not_be_read_is_not(work: Path, name: str, others: dict[str, str]) -> None:
    contents = {
        "large.py": b"def f(): ...\n" + b"#" * MAX_FILE_BYTES,
        "binary.py": b"def f(): ...\n\0\1\2",
        "latin.py": "def f(): ...  # déjà\n".encode("latin-1"),
    }
    write(work, name, contents.get(name, b"def f(): ...\n"))
    write(work, "seen.py", "def f(): ...\n")
    for other, content in others.items():
        write(work, other, content)
    with indexed(work, ("private/",)) as index:
        assert found(index, "f") == ["seen.py"]


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are made as on POSIX")
def test_links_and_pipes_are_left_alone(work: Path) -> None:
    outside = work.parent / "outside"
    write(outside, "f.py", "def f(): ...\n")
    write(work, "a.py", "def f(): ...\n")
    (work / "loop").symlink_to(work)
    (work / "out").symlink_to(outside)
    (work / "link.py").symlink_to(outside / "f.py")
    (work / "gone.py").symlink_to(work / "nowhere.py")
    os.mkfifo(work / "pipe.py")
    with indexed(work) as index:
        assert found(index, "f") == ["a.py"]


@pytest.mark.skipif(os.name != "posix", reason="links are made as on POSIX")
@pytest.mark.parametrize(("root", "seen"), [("work", []), ("also", ["a.py"])])
def test_a_file_behind_a_linked_folder_is_not_read(work: Path, root: str, seen: list[str]) -> None:
    outside = write(work.parent / "outside", "f.py", "def f(): ...\n").parent
    (work / "link").symlink_to(outside)
    # The folder of the workspace itself may be a link.
    (work.parent / "also").symlink_to(work)
    with indexed(work.parent / root) as index:
        if seen:
            index.changed(str(write(work, "a.py", "def f(): ...\n")).replace("/work/", "/also/"))
        index.changed(f"{index.root}/link/f.py")
        assert index.wait(PATIENCE)
        assert found(index, "f") == seen


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_text_does_no_harm(work: Path) -> None:
    write(work, "a.py", "def f(): ...\n")
    write(work, "z.py", "def f(): ...\n")
    odd = os.fsdecode(b"b\xff")
    write(work, f"{odd}.py", "def f(): ...\n")
    write(work, f"{odd}/c.py", "def f(): ...\n")
    with indexed(work) as index:
        index.changed(str(work / f"{odd}.py"))
        assert index.wait(PATIENCE)
        assert index.is_alive
        assert found(index, "f") == ["a.py", "z.py"]


def test_what_cannot_be_read_is_left_out(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(work, "closed.py", "def f(): ...\n")
    write(work, "in/b.py", "def f(): ...\n")
    write(work, "seen.py", "def f(): ...\n")
    open_file, scan = os.open, os.scandir

    # As the system answers; whoever runs this as root may read everything.
    def refuse_file(path: str, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith("closed.py"):
            raise PermissionError(13, "Permission denied")
        return open_file(path, flags, mode)

    def refuse_folder(path: str) -> Any:
        if str(path).endswith(f"{os.sep}in"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "open", refuse_file)
    monkeypatch.setattr(os, "scandir", refuse_folder)
    with indexed(work) as index:
        assert found(index, "f") == ["seen.py"]
        assert index.count()[0] == 2


def test_a_folder_that_is_not_there(work: Path) -> None:
    with indexed(work / "nowhere") as index:
        assert index.count() == (0, 0)


def test_no_secret_is_kept(work: Path) -> None:
    write(work, "a.py", f'TOKEN = "{TOKEN}"\n\ndef f(token="{TOKEN}"):\n    """See {TOKEN}."""\n')
    with indexed(work) as index:
        assert sorted(found(index, "f", "TOKEN")) == ["a.py", "a.py"]
    path = database_path(work.parent / "index", str(work))
    assert TOKEN.encode() not in path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        heads = [head for (head,) in connection.execute("SELECT head FROM definitions")]
    assert any("REDACTED" in head for head in heads)


@pytest.mark.parametrize("before", range(60, 300, 12))
def test_no_half_of_a_secret_is_kept(work: Path, before: int) -> None:
    filler, gap = "x" * before, " " * 3 * before
    write(
        work,
        "a.py",
        f'LIST = ["{filler}", "{TOKEN}"]\n\n'
        f'def f({gap}a="{TOKEN}"):\n    """{filler} {TOKEN}."""\n',
    )
    with indexed(work) as index:
        assert sorted(found(index, "f", "LIST")) == ["a.py", "a.py"]
        said = [one.definition for one in index.find(["f", "LIST"], "python", 9)]
    assert not any(TOKEN[:5] in text for one in said for text in (one.head, one.doc))


def changes() -> list[tuple[str, Callable[[Path], Path], list[str]]]:
    """What happens in the folder, and in which files `f` is found then."""

    def rewrite(work: Path) -> Path:
        return write(work, "a.py", "def other(): ...\n")

    def add(work: Path) -> Path:
        return write(work, "new.py", "def f(): ...\n")

    def remove(work: Path) -> Path:
        (work / "a.py").unlink()
        return work / "a.py"

    def remove_folder(work: Path) -> Path:
        (work / "sub/b.py").unlink()
        (work / "sub").rmdir()
        return work / "sub"

    def ignore(work: Path) -> Path:
        return write(work, ".gitignore", "sub/\n")

    def add_foreign(work: Path) -> Path:
        return write(work, "node_modules/c.py", "def f(): ...\n")

    def add_binary(work: Path) -> Path:
        return write(work, "a.py", b"def f(): ...\n\0")

    return [
        ("rewritten", rewrite, ["b.py"]),
        ("added", add, ["a.py", "new.py", "b.py"]),
        ("removed", remove, ["b.py"]),
        ("folder removed", remove_folder, ["a.py"]),
        ("ignored", ignore, ["a.py"]),
        ("foreign", add_foreign, ["a.py", "b.py"]),
        ("binary", add_binary, ["b.py"]),
    ]


@pytest.mark.parametrize(
    ("change", "expect"), [case[1:] for case in changes()], ids=[case[0] for case in changes()]
)
def test_changes_are_followed(
    work: Path, change: Callable[[Path], Path], expect: list[str]
) -> None:
    write(work, "a.py", "def f(): ...\n")
    write(work, "sub/b.py", "def f(): ...\n")
    with indexed(work) as index:
        assert found(index, "f") == ["a.py", "b.py"]
        index.changed(str(change(work)))
        assert index.wait(PATIENCE)
        assert found(index, "f") == expect
    # And by who finds them only at its next start.
    with indexed(work) as again:
        assert found(again, "f") == expect


def test_changes_made_while_nobody_looked(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(work, "a.py", "def f(): ...\n")
    write(work, "same.py", "def f(): ...\n")
    with indexed(work):
        pass
    write(work, "a.py", "def longer(): ...\n")
    write(work, "b.py", "def f(): ...\n")
    read: list[str] = []
    monkeypatch.setattr(files, "read", lambda path: read.append(path) or Path(path).read_text())
    with indexed(work) as index:
        assert found(index, "f") == ["b.py", "same.py"]
    assert sorted(Path(path).name for path in read) == ["a.py", "b.py"]


def test_a_file_outside_is_passed_over(work: Path) -> None:
    write(work, "a.py", "def f(): ...\n")
    with indexed(work) as index:
        index.changed(str(write(work.parent, "b.py", "def f(): ...\n")))
        index.changed("relative.py")
        assert index.wait(PATIENCE)
        assert found(index, "f") == ["a.py"]


def test_what_is_excluded_later_is_not_returned(work: Path) -> None:
    write(work, "a.py", "def f(): ...\n")
    with indexed(work) as index:
        # Nobody has told the index of it yet.
        write(work, ".gitignore", "a.py\n")
        assert found(index, "f") == []


def test_a_damaged_database_is_made_anew(work: Path) -> None:
    write(work, "a.py", "def f(): ...\n")
    with indexed(work):
        pass
    database_path(work.parent / "index", str(work)).write_bytes(b"no database" * 999)
    with indexed(work) as index:
        assert found(index, "f") == ["a.py"]


def test_without_a_place_for_the_database_there_is_no_index(work: Path) -> None:
    write(work, "a.py", "def f(): ...\n")
    (work.parent / "index").write_text("in the way")
    with indexed(work) as index:
        assert found(index, "f") == []
        # Nobody takes what is told now: it must not pile up, nor look like work to be done.
        for number in range(50):
            index.changed(str(work / f"{number}.py"))
        assert index.wait(0)
        assert index._changes.qsize() <= 1


@pytest.mark.parametrize("kind", ["files", "ignore files", "all over"])
def test_a_flood_of_changes_is_one_walk(
    work: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks: list[str] = []
    walk = files.walk

    def counted(root: str, *rest: Any) -> Any:
        walks.append(root)
        return walk(root, *rest)

    with indexed(work) as index:
        monkeypatch.setattr(files, "walk", counted)
        write(work, "a.py", "def f(): ...\n")
        # While somebody types the thread waits.
        monkeypatch.setattr(module, "_SETTLE_SECONDS", 0.5)
        index._store._writing.acquire()
        try:
            for number in range(3 * module.MOST_CHANGES):
                if kind == "files":
                    index.changed(str(work / f"{number}.py"))
                elif kind == "ignore files":
                    index.changed(str(work / f"{number}" / ".gitignore"))
                else:
                    index.changed_all_over()
            assert kind != "files" or index._changes.qsize() <= module.MOST_CHANGES + 1
        finally:
            index._store._writing.release()
        assert index.wait(PATIENCE)
        assert found(index, "f") == ["a.py"]
    # One may have begun with the first of them.
    assert 1 <= len(walks) <= 2


def test_it_ends_while_another_process_keeps_the_database(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_JOIN_SECONDS", 0.05)
    path = database_path(work.parent / "index", str(work))
    with indexed(work) as index, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        index.changed(str(write(work, "a.py", "def f(): ...\n")))
        while index._store._writing.acquire(blocking=False):
            # The thread does not wait for the database yet.
            index._store._writing.release()
            time.sleep(0.01)
        index.close()
        # It did not wait for the database, which is closed when the thread gets at it.
        assert index.is_alive
        other.rollback()
        index._thread.join(PATIENCE)
        assert not index.is_alive
    assert index.find(["f"], "python", 9) == []


def test_a_large_workspace_takes_little_memory_and_short_turns(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in range(200):
        inner = work / f"p{folder % 20}" / f"m{folder}"
        inner.mkdir(parents=True)
        for number in range(100):
            name = f"f_{folder}_{number}"
            (inner / f"{name}.py").write_text(f"def {name}(a, b):\n    return a + b\n")
    # The rests between the turns would be most of the time.
    monkeypatch.setattr(pace, "_REST_SECONDS", 0.0)
    index = WorkspaceIndex(str(work), work.parent / "index")
    tracemalloc.start()
    try:
        index.start()
        assert index.wait(300)
        _, peak = tracemalloc.get_traced_memory()
        assert index.count() == (20_000, 20_000)
        assert found(index, "f_150_7") == ["f_150_7.py"]
        # What Python holds for it; it grows with the largest folder, not with the workspace.
        assert peak < 8_000_000
        assert index.turns > 100
    finally:
        tracemalloc.stop()
        index.close()


def test_it_ends_in_the_middle(work: Path) -> None:
    for number in range(500):
        write(work, f"{number}.py", "def f(): ...\n")
    index = WorkspaceIndex(str(work), work.parent / "index")
    index.start()
    index.close()
    assert not index.is_alive
    assert index.find(["f"], "python", 9) == []


def test_closing_what_never_began(work: Path) -> None:
    WorkspaceIndex(str(work), work.parent / "index").close()


def test_the_pace_looks_away_while_somebody_types() -> None:
    now = 100.0
    waits: list[float] = []

    class Watched(Pace):
        def wait(self, seconds: float) -> None:
            nonlocal now
            waits.append(seconds)
            now += seconds

    watched = Watched(lambda: now)
    watched.pause()
    watched.somebody_types()
    for _ in range(5):
        watched.pause()
    assert len(waits) == 1, "a turn goes on until it is over"
    now += 0.5
    watched.pause()
    assert sum(waits) > 0.15, "it waited for the rest of the 0.7 s"
    watched.stop()
    assert watched.stopped
    with pytest.raises(Stopped):
        Pace.wait(watched, 10)


def test_the_endings_that_are_watched_are_those_that_are_read() -> None:
    by_suffix: dict[str, str] = languages._BY_SUFFIX  # pyright: ignore[reportPrivateUsage]
    assert set(SUFFIXES) == {end for end, language in by_suffix.items() if language in LANGUAGES}
