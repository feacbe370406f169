"""Keeps on disk what the model has said of units of code, so that nothing is asked twice.

One SQLite database of the user's in the cache directory, closed to others. It is a cache: one that
is damaged, or is another's, is made anew, and a disk that cannot be written only means that more is
asked. Several editors and a terminal may use it at once (write-ahead log, a short busy
timeout). It holds code that a model quoted, never whole documents, and no names of files.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sirdab.config.directories import REVIEWS_ENV, reviews_directory
from sirdab.policy.private import make_private_directory
from sirdab.policy.sanitize import visible
from sirdab.review import settled
from sirdab.review.settled import Settled

if TYPE_CHECKING:
    import sqlite3

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

MAX_UNITS = 20_000
"""Units that are kept, those of some 200,000 lines of code; the ones used longest ago go."""

MAX_UNIT_CHARACTERS = 16_000
"""What is longer is not kept."""

# The number of the tables' form; a database with another one is made anew.
_SCHEMA_VERSION = 1
_MOST_BYTES = 64 * 1024 * 1024
_PAGE_BYTES = 4096
_BUSY_SECONDS = 1.0
_TURN_SECONDS = 0.02
# SQLite takes 32,766 parameters in a statement; units are asked for in smaller portions.
_PORTION = 200
# A unit that is still of use is marked as such so often, not with each reading.
_MARKED_SECONDS = 24 * 3600
# Units are counted after so many were written.
_COUNTED_EVERY = 200

_SCHEMA = """
CREATE TABLE units (
    unit TEXT NOT NULL,
    model TEXT NOT NULL,
    settled TEXT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (unit, model)
) WITHOUT ROWID;
CREATE INDEX units_by_use ON units (used);
CREATE TABLE answered (one INTEGER PRIMARY KEY CHECK (one = 1), model TEXT NOT NULL);
"""


_SELECT = "SELECT unit, settled, used FROM units WHERE model = ? AND unit IN ({})"


def default_path() -> Path:
    """Return the database of this user."""
    return reviews_directory() / "reviews.sqlite3"


class ReviewStore:
    """The database. Every method may be called by any thread, and none raises."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Remember where the database is; it is opened when it is first needed.

        Args:
            path: The file.
            clock: Seconds since 1970; injectable for tests.
        """
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._written = 0
        self._has_failed = False

    def get(self, model: str, units: Iterable[str]) -> dict[str, Settled]:
        """Return what a model has said of some units, as far as it is known.

        Args:
            model: Names the model.
            units: Names of units.
        """
        wanted = list(dict.fromkeys(units))
        now = int(self._clock())
        stale: list[tuple[int, str, str]] = []

        def read(connection: "sqlite3.Connection") -> dict[str, Settled]:
            found: dict[str, Settled] = {}
            for start in range(0, len(wanted), _PORTION):
                some = wanted[start : start + _PORTION]
                rows = connection.execute(_SELECT.format(",".join("?" * len(some))), (model, *some))
                for unit, text, used in rows:
                    known = settled.load(text) if isinstance(text, str) else None
                    if known is None:
                        continue
                    found[unit] = known
                    if not isinstance(used, int) or abs(now - used) > _MARKED_SECONDS:
                        stale.append((now, unit, model))
            return found

        def mark(connection: "sqlite3.Connection") -> None:
            connection.executemany("UPDATE units SET used = ? WHERE unit = ? AND model = ?", stale)

        found = self._do(read, {}, is_read=True) if wanted else {}
        if stale:
            self._do(mark, None)
        return found

    def put(self, model: str, unit: str, known: Settled) -> None:
        """Keep what a model has said of a unit, in place of what was kept."""
        text = settled.dump(known)
        if len(text) > MAX_UNIT_CHARACTERS:
            return

        def work(connection: "sqlite3.Connection") -> None:
            now = int(self._clock())
            connection.execute(
                "INSERT OR REPLACE INTO units VALUES (?, ?, ?, ?)", (unit, model, text, now)
            )
            connection.execute("INSERT OR REPLACE INTO answered VALUES (1, ?)", (model,))
            if self._written % _COUNTED_EVERY == 0:
                connection.execute(
                    "DELETE FROM units WHERE (unit, model) IN (SELECT unit, model FROM units"
                    " ORDER BY used DESC LIMIT -1 OFFSET ?)",
                    (MAX_UNITS,),
                )
            self._written += 1

        self._do(work, None)

    def last_model(self) -> str:
        """Return the model that answered last, in whatever process; "" when none has."""

        def work(connection: "sqlite3.Connection") -> str:
            row = connection.execute("SELECT model FROM answered").fetchone()
            return row[0] if row is not None and isinstance(row[0], str) else ""

        return self._do(work, "", is_read=True)

    def clear(self) -> None:
        """Forget everything, also in the file."""

        def work(connection: "sqlite3.Connection") -> None:
            connection.execute("DELETE FROM units")
            connection.execute("DELETE FROM answered")

        self._do(work, None)

    def close(self) -> None:
        """Close the database; it is opened again when it is needed again."""
        with self._lock:
            self._close()

    # --- the connection ---------------------------------------------------------------------

    def _do(
        self,
        work: "Callable[[sqlite3.Connection], _T]",
        otherwise: _T,
        *,
        is_read: bool = False,
    ) -> _T:
        """Do something in one transaction; what fails is logged once."""
        import sqlite3

        with self._lock:
            try:
                try:
                    return self._transact(work, is_read=is_read)
                except sqlite3.DatabaseError as error:
                    if _is_full(error):
                        self._transact(_halve)
                    elif _is_damage(error):
                        self._remove()
                    else:
                        raise
                    return self._transact(work, is_read=is_read)
            except (sqlite3.Error, OSError) as error:
                self._close()
                if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                    # Another process has it for a moment; nobody can or need do anything.
                    _log.info("the database of reviews is in use")
                    return otherwise
                if not self._has_failed:
                    _log.warning(
                        "What the model says of code cannot be kept in %s (%s), so it is asked "
                        "again in the next session; see that the directory belongs to you, can be "
                        "written and has space left, or name another one in %s.",
                        visible(str(self._path.parent)), _reason(error), REVIEWS_ENV,
                    )  # fmt: skip
                self._has_failed = True
                return otherwise

    def _transact(self, work: "Callable[[sqlite3.Connection], _T]", *, is_read: bool = False) -> _T:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._open_in_turn()
        # Who only reads waits for nobody in the write-ahead log.
        connection.execute("BEGIN" if is_read else "BEGIN IMMEDIATE")
        try:
            result = work(connection)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
        return result

    def _open_in_turn(self) -> "sqlite3.Connection":
        """Open the file, several times when other processes are making it just now.

        SQLite does not wait for them where the log is switched on: it cannot know that they end.
        """
        import sqlite3

        given_up = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return self._open()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > given_up:
                    raise
                time.sleep(_TURN_SECONDS)

    def _open(self) -> "sqlite3.Connection":
        import sqlite3

        make_private_directory(self._path.parent)
        # SQLite gives its other files the permissions of this one.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in (
                "journal_mode = WAL",
                # What is lost when the machine loses its power is asked again.
                "synchronous = OFF",
                # What is forgotten is also overwritten: it is code.
                "secure_delete = ON",
                f"max_page_count = {_MOST_BYTES // _PAGE_BYTES}",
            ):
                connection.execute(f"PRAGMA {pragma}")
            _make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        import sqlite3

        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _remove(self) -> None:
        """Take a file away that is damaged or is not ours."""
        self._close()
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def _make_tables(connection: "sqlite3.Connection") -> None:
    import sqlite3

    connection.execute("BEGIN IMMEDIATE")
    # Asked within the transaction: another process may have made them while this one waited.
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    elif version != _SCHEMA_VERSION:
        connection.rollback()
        raise sqlite3.DatabaseError("of another version")
    connection.commit()


def _halve(connection: "sqlite3.Connection") -> None:
    """Forget the half of the units that was used longest ago."""
    connection.execute(
        "DELETE FROM units WHERE (unit, model) IN (SELECT unit, model FROM units"
        " ORDER BY used LIMIT (SELECT count(*) / 2 + 1 FROM units))"
    )


def _is_full(error: "sqlite3.DatabaseError") -> bool:
    import sqlite3

    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def _reason(error: "sqlite3.Error | OSError") -> str:
    """Return what is the matter, without anything that the file holds."""
    if isinstance(error, OSError) and error.strerror is not None:
        return error.strerror
    if isinstance(error, PermissionError):
        return "it belongs to another user"
    return getattr(error, "sqlite_errorname", type(error).__name__)


def _is_damage(error: "sqlite3.DatabaseError") -> bool:
    """Whether the file is damaged or not one of ours, rather than locked or full."""
    import sqlite3

    if isinstance(error, sqlite3.OperationalError):
        # A table that is not there, or is there already in a database that is not ours.
        return error.sqlite_errorcode == sqlite3.SQLITE_ERROR
    return True
