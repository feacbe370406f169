"""Keeps the definitions of a workspace in a SQLite database, so that memory holds none of them.

The database is a cache: it lies in the cache directory, closed to other users, and one that is
damaged or of another version is made anew. Several editors may have the same folder open, so
readers and writers of several processes are expected (write-ahead log, busy timeout).

Nothing of it is trusted more than a file would be: what is found is judged by the ignore rules
again before it is used.
"""

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sirdab.context.symbols import Definition
from sirdab.policy.private import make_private_directory

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

SCHEMA_VERSION = 1
"""Written into the database; one with another number is made anew."""

MAX_DATABASE_BYTES = 256 * 1024 * 1024
"""Size at which nothing more is added: some 200,000 files."""

# Databases of workspaces that are kept; the one opened longest ago is removed.
_MOST_DATABASES = 16
_BUSY_SECONDS = 5.0
_TURN_SECONDS = 0.02
_PAGE_BYTES = 4096
# Kibibytes of pages that each of the two connections keeps in memory.
_CACHE_KIB = 512
# SQLite takes 32,766 parameters in a statement; names are asked for in smaller portions.
_MOST_NAMES = 200

_SCHEMA = """
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    seen INTEGER NOT NULL
);
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kin TEXT NOT NULL,
    mtime_ns INTEGER NOT NULL,
    size INTEGER NOT NULL,
    UNIQUE (folder, name)
);
CREATE TABLE definitions (
    file INTEGER NOT NULL REFERENCES files(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    container TEXT NOT NULL,
    head TEXT NOT NULL,
    doc TEXT NOT NULL,
    line INTEGER NOT NULL
);
CREATE INDEX definitions_by_name ON definitions (name);
CREATE INDEX definitions_by_file ON definitions (file);
"""


class Stamp(NamedTuple):
    """What tells one state of a file from another."""

    mtime_ns: int
    size: int


class Found(NamedTuple):
    """A definition and the file it stands in.

    Attributes:
        path: Absolute.
        definition: As it was when the file was read.
    """

    path: str
    definition: Definition


class StoreError(Exception):
    """The database cannot be used at present; the message says why."""


def database_path(directory: Path, root: str) -> Path:
    """Return where the definitions of a workspace folder are kept.

    Args:
        directory: That holds the databases.
        root: Absolute path of the folder.
    """
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:24]
    return directory / f"{digest}.sqlite3"


class Store:
    """One database. Every method may be called by any thread; none raises but `StoreError`."""

    def __init__(self, path: Path) -> None:
        """Remember where the database is; nothing is opened yet."""
        self._path = path
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        # A connection serves one thread at a time. Readers do not wait for the writer.
        self._writing = threading.RLock()
        self._reading = threading.RLock()

    def open(self) -> None:
        """Open the database, which is made anew when it is not there, damaged or another's.

        Raises:
            StoreError: That is not possible either.
        """
        with self._writing, self._reading:
            self.close()
            try:
                self._open_in_turn()
            except _errors() as error:
                if not _is_damage(error):
                    # Another process may have it, and goes on using it.
                    self.close()
                    raise StoreError(str(error)) from error
                self._remake()

    def close(self) -> None:
        """Close the database."""
        with self._writing, self._reading:
            for connection in (self._reader, self._writer):
                if connection is not None:
                    with contextlib.suppress(*_errors()):
                        connection.close()
            self._reader = self._writer = None

    # --- writing --------------------------------------------------------------------------

    def stamps(self, folder: str) -> dict[str, Stamp]:
        """Return the states of the files of one folder that are known, by their names."""

        def ask(connection: "sqlite3.Connection") -> dict[str, Stamp]:
            rows = connection.execute(
                "SELECT files.name, mtime_ns, size FROM files JOIN folders"
                " ON folders.id = files.folder WHERE folders.path = ?",
                (folder,),
            )
            return {name: Stamp(mtime_ns, size) for name, mtime_ns, size in rows}

        return self._write(ask)

    def put(
        self, path: str, kin: str, stamp: Stamp, definitions: Sequence[Definition], seen: int
    ) -> None:
        """Take the definitions of one file in place of what was known of it.

        Args:
            path: Absolute.
            kin: As `sirdab.context.symbols.kin_of` returns it.
            stamp: Of the state that was read.
            definitions: All of the file.
            seen: When the walk began that found the file; larger is later.
        """
        folder, name = os.path.split(path)

        def work(connection: "sqlite3.Connection") -> None:
            folder_id = _folder(connection, folder, seen)
            _drop(connection, folder_id, [name])
            cursor = connection.execute(
                "INSERT INTO files (folder, name, kin, mtime_ns, size) VALUES (?, ?, ?, ?, ?)",
                (folder_id, name, kin, *stamp),
            )
            file = cursor.lastrowid
            connection.executemany(
                "INSERT INTO definitions VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(file, *definition) for definition in definitions],
            )

        self._write(work)

    def keep_only(self, folder: str, names: Iterable[str], seen: int) -> None:
        """Forget the files of a folder that are not named, and note that it was seen."""
        kept = set(names)

        def work(connection: "sqlite3.Connection") -> None:
            folder_id = _folder(connection, folder, seen)
            rows = connection.execute("SELECT name FROM files WHERE folder = ?", (folder_id,))
            _drop(connection, folder_id, [name for (name,) in rows if name not in kept])

        self._write(work)

    def drop(self, path: str) -> None:
        """Forget a file, or a folder with all it holds."""
        folder, name = os.path.split(path)

        def work(connection: "sqlite3.Connection") -> None:
            row = connection.execute("SELECT id FROM folders WHERE path = ?", (folder,)).fetchone()
            if row is not None:
                _drop(connection, row[0], [name])
            # A name may hold what LIKE takes for a pattern; a comparison of strings does not.
            inside = path + os.sep
            connection.execute(
                "DELETE FROM folders WHERE path = ? OR substr(path, 1, ?) = ?",
                (path, len(inside), inside),
            )

        self._write(work)

    def drop_unseen(self, seen: int) -> None:
        """Forget the folders that no walk has come by since one began."""
        self._write(
            lambda connection: connection.execute("DELETE FROM folders WHERE seen < ?", (seen,))
        )

    # --- reading --------------------------------------------------------------------------

    def find(self, names: Sequence[str], kin: str, most: int) -> list[Found]:
        """Return definitions with some names in files of one kin, in a fixed order.

        Args:
            names: What is looked for.
            kin: See `sirdab.context.symbols.kin_of`.
            most: Definitions with one name that are returned at most.
        """

        def ask(connection: "sqlite3.Connection") -> list[Found]:
            found: list[Found] = []
            for start in range(0, len(names), _MOST_NAMES):
                some = list(names[start : start + _MOST_NAMES])
                marks = ",".join("?" * len(some))
                rows = connection.execute(
                    _SELECT + f" WHERE definitions.name IN ({marks}) AND files.kin = ?"
                    " ORDER BY definitions.name, folders.path, files.name, line",
                    (*some, kin),
                )
                count: dict[str, int] = {}
                for row in rows:
                    number = count[row[2]] = count.get(row[2], 0) + 1
                    if number <= most:
                        found.append(_found(row))
            return found

        return self._read(ask)

    def members(self, path: str, container: str, most: int) -> list[Definition]:
        """Return the first members of a class or type in a file."""
        folder, name = os.path.split(path)

        def ask(connection: "sqlite3.Connection") -> list[Definition]:
            rows = connection.execute(
                _SELECT + " WHERE folders.path = ? AND files.name = ? AND container = ?"
                " ORDER BY line LIMIT ?",
                (folder, name, container, most),
            )
            return [_found(row).definition for row in rows]

        return self._read(ask)

    def count(self) -> tuple[int, int]:
        """Return how many files and definitions are known."""

        def ask(connection: "sqlite3.Connection") -> tuple[int, int]:
            files = connection.execute("SELECT count(*) FROM files").fetchone()[0]
            definitions = connection.execute("SELECT count(*) FROM definitions").fetchone()[0]
            return files, definitions

        return self._read(ask)

    # --- connections ------------------------------------------------------------------------

    def _write(self, work: "Callable[[sqlite3.Connection], T]") -> T:
        with self._writing:
            try:
                return self._transact(work)
            except _damage():
                # A damaged database is found out where it is damaged, which may be here.
                with self._reading:
                    self._remake()
                return self._transact(work)

    def _transact(self, work: "Callable[[sqlite3.Connection], T]") -> T:
        connection = self._writer
        if connection is None:
            raise StoreError("the database is closed")
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        except _passing() as error:
            # Full, or somebody else has it for longer than anybody should.
            raise StoreError(str(error)) from error
        return result

    def _read(self, ask: "Callable[[sqlite3.Connection], T]") -> T:
        with self._reading:
            connection = self._reader
            if connection is None:
                raise StoreError("the database is closed")
            try:
                return ask(connection)
            except _errors() as error:
                raise StoreError(str(error)) from error

    def _open_in_turn(self) -> None:
        """Open the database, several times when other processes are making it just now.

        SQLite does not wait for them where the log is switched on: it cannot know that they end.
        """
        import sqlite3

        given_up = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._open()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > given_up:
                    raise
                self.close()
                time.sleep(_TURN_SECONDS)
            else:
                return

    def _open(self) -> None:
        import sqlite3

        make_private_directory(self._path.parent)
        # SQLite gives its other files the permissions of this one.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        os.utime(self._path)
        _prune(self._path)
        self._writer = _connect(self._path)
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            if version:
                raise sqlite3.DatabaseError("another version")
            self._make_tables(self._writer)
        self._writer.execute(f"PRAGMA max_page_count = {MAX_DATABASE_BYTES // _PAGE_BYTES}")
        self._reader = _connect(self._path)
        self._reader.execute("PRAGMA query_only = ON")
        # A database of another making is found out by its tables.
        self._reader.execute(_SELECT + " LIMIT 1").fetchall()

    @staticmethod
    def _make_tables(connection: "sqlite3.Connection") -> None:
        connection.execute("BEGIN EXCLUSIVE")
        # Another process may have done so while this one waited.
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.commit()

    def _remake(self) -> None:
        """Make an empty database in the place of this one."""
        self.close()
        try:
            for suffix in ("", "-wal", "-shm", "-journal"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            self._open()
        except _errors() as error:
            self.close()
            raise StoreError(str(error)) from error


_SELECT = (
    "SELECT folders.path, files.name, definitions.name, kind, container, head, doc, line"
    " FROM definitions JOIN files ON files.id = definitions.file"
    " JOIN folders ON folders.id = files.folder"
)


def _found(row: tuple[str, str, str, str, str, str, str, int]) -> Found:
    # A string in, a string out: there are many.
    path = os.path.join(row[0], row[1])  # noqa: PTH118
    return Found(path, Definition(*row[2:]))


def _connect(path: Path) -> "sqlite3.Connection":
    import sqlite3

    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    for pragma in (
        "journal_mode = WAL",
        # What is lost when the machine loses its power is found again by the next walk.
        "synchronous = OFF",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"cache_size = -{_CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _folder(connection: "sqlite3.Connection", path: str, seen: int) -> int:
    connection.execute(
        "INSERT INTO folders (path, seen) VALUES (?, ?)"
        " ON CONFLICT (path) DO UPDATE SET seen = max(seen, excluded.seen)",
        (path, seen),
    )
    return connection.execute("SELECT id FROM folders WHERE path = ?", (path,)).fetchone()[0]


def _drop(connection: "sqlite3.Connection", folder: int, names: Sequence[str]) -> None:
    connection.executemany(
        "DELETE FROM files WHERE folder = ? AND name = ?", [(folder, name) for name in names]
    )


def _prune(path: Path) -> None:
    """Remove the databases that were opened longest ago, but for this one."""

    def opened(other: Path) -> float:
        try:
            return other.stat().st_mtime
        except OSError:
            return 0.0

    others = sorted((other for other in path.parent.glob("*.sqlite3") if other != path), key=opened)
    for old in others[: max(0, len(others) + 1 - _MOST_DATABASES)]:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                Path(f"{old}{suffix}").unlink(missing_ok=True)


# The module that names these is imported when a database is first opened, not before.


def _errors() -> tuple[type[Exception], ...]:
    """What goes wrong with databases and their files."""
    import sqlite3

    return (sqlite3.Error, OSError)


def _passing() -> tuple[type[Exception], ...]:
    """What says nothing against the database itself."""
    import sqlite3

    return (sqlite3.OperationalError, OSError)


def _is_damage(error: Exception) -> bool:
    """Whether a database that cannot be opened is damaged, or is not one of ours."""
    import sqlite3

    if isinstance(error, sqlite3.OperationalError):
        # That a table is not there; else it is locked, full or not to be written.
        return error.sqlite_errorcode == sqlite3.SQLITE_ERROR
    return isinstance(error, sqlite3.DatabaseError)


def _damage() -> tuple[type[Exception], ...]:
    """What only another database helps against: damage, and tables that are not ours.

    SQLite reports damage as `DatabaseError` itself; what passes is one of its subclasses and has
    become a `StoreError` before it gets here.
    """
    import sqlite3

    return (sqlite3.DatabaseError,)


__all__ = ["MAX_DATABASE_BYTES", "Found", "Stamp", "Store", "StoreError", "database_path"]
