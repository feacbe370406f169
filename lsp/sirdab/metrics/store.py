"""The file of figures: SQLite in the user's state directory, for this user alone.

Two tables. `answer` counts every answer with a suggestion, by day, language, source and a bucket of
latency. `shown` has a row for each suggestion that was on the screen, and what became of it. No
column can hold text of a document, a name of a file or a digest of either.

Several editors write at once: SQLite's write-ahead log lets one write while others read, and a
writer waits for another for a while. A file that is damaged is set aside and begun anew.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sirdab.config.directories import state_directory
from sirdab.metrics.record import HORIZONS, Answer, Shown, bucket_of, language_name
from sirdab.policy.private import make_private_directory

_log = logging.getLogger(__name__)

KEPT_DAYS = 90
"""Long enough to see whether another model or another setting did any good."""

KEPT_ROWS = 200_000
"""About 30 MB; who sees that many suggestions in 90 days loses the oldest."""

_VERSION = 1
# Another editor is done sooner than this, in seconds; nobody waits for us in the meantime.
_BUSY_SECONDS = 3.0
# The file is looked through for what is too old each time that so many rows have been written.
_PRUNE_EVERY = 2_000

_TABLES = """
CREATE TABLE IF NOT EXISTS answer (
    day TEXT NOT NULL,
    language TEXT NOT NULL,
    source TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    answers INTEGER NOT NULL,
    tokens_read INTEGER NOT NULL,
    tokens_written INTEGER NOT NULL,
    PRIMARY KEY (day, language, source, bucket)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shown (
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    day TEXT NOT NULL,
    language TEXT NOT NULL,
    source TEXT NOT NULL,
    latency_ms REAL NOT NULL,
    characters INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    told INTEGER NOT NULL,
    seen_ms REAL,
    ending TEXT,
    part TEXT,
    part_told INTEGER NOT NULL,
    characters_accepted INTEGER NOT NULL,
    retained_30 REAL,
    retained_90 REAL,
    retained_300 REAL,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shown_at ON shown (at);
"""

_COUNT = """
INSERT INTO answer VALUES (?, ?, ?, ?, 1, ?, ?)
ON CONFLICT (day, language, source, bucket) DO UPDATE SET
    answers = answers + 1,
    tokens_read = tokens_read + excluded.tokens_read,
    tokens_written = tokens_written + excluded.tokens_written
"""

# What is known of a suggestion grows, so a later record of it takes the place of the earlier.
_PUT = """
INSERT INTO shown (session, number, at, day, language, source, latency_ms, characters, lines,
    told, seen_ms, ending, part, part_told, characters_accepted)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (session, number) DO UPDATE SET
    characters = excluded.characters, lines = excluded.lines,
    told = excluded.told, seen_ms = excluded.seen_ms, ending = excluded.ending,
    part = excluded.part, part_told = excluded.part_told,
    characters_accepted = excluded.characters_accepted
"""


class StoreError(Exception):
    """The file cannot be used now; the message is one sentence for a person."""


class Store:
    """An open file of figures. Used by one thread at a time."""

    def __init__(self, path: Path, *, days: int = KEPT_DAYS, rows: int = KEPT_ROWS) -> None:
        """Open a file, or make it.

        Args:
            path: The file; its directory is made private.
            days: Days that figures are kept.
            rows: Most suggestions that are kept.

        Raises:
            StoreError: It cannot be opened, or a later version of Sirdab has made it.
        """
        self._path = path
        self._days = days
        self._rows = rows
        self._written = 0
        self._connection = self._open()
        self.prune()

    def close(self) -> None:
        """Close the file."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def write(
        self,
        session: int,
        answers: Iterable[tuple[float, Answer]],
        shown: Iterable[tuple[float, Shown]],
        retained: Iterable[tuple[int, int, float]],
    ) -> None:
        """Write a batch, all of it or nothing.

        Args:
            session: Tells this process from the others.
            answers: Answers, each with its time in seconds since 1970.
            shown: Suggestions that were shown, or more of their story, each with the time at
                which it was offered.
            retained: A suggestion's number, one of `HORIZONS`, and the share that is left of it.

        Raises:
            StoreError: It was not written; the next batch may be.
        """
        counts = [
            (
                day_of(at),
                language_name(answer.language),
                answer.source,
                bucket_of(answer.latency_ms),
                answer.tokens_read,
                answer.tokens_written,
            )
            for at, answer in answers
        ]
        rows = [
            (
                session,
                one.number,
                int(at),
                day_of(at),
                language_name(one.language),
                one.source,
                round(one.latency_ms, 1),
                one.characters,
                one.lines,
                one.told,
                None if one.seen_ms is None else round(one.seen_ms),
                one.ending,
                one.part,
                one.part_told,
                one.characters_accepted,
            )
            for at, one in shown
        ]
        shares = [(share, session, number, horizon) for number, horizon, share in retained]

        def put() -> None:
            with self._connection as connection:
                connection.executemany(_COUNT, counts)
                connection.executemany(_PUT, rows)
                for share, owner, number, horizon in shares:
                    if horizon not in HORIZONS:
                        raise ValueError(f"{horizon} is not one of {HORIZONS}")
                    connection.execute(
                        f"UPDATE shown SET retained_{horizon} = ? "  # noqa: S608 - a number of ours
                        "WHERE session = ? AND number = ?",
                        (share, owner, number),
                    )

        self._guarded(put)
        self._written += len(rows)
        if self._written >= _PRUNE_EVERY:
            self.prune()

    def prune(self) -> None:
        """Drop what is too old or too much.

        Raises:
            StoreError: It could not be done.
        """
        self._written = 0
        oldest = time.time() - self._days * 86_400

        def drop() -> None:
            with self._connection as connection:
                connection.execute("DELETE FROM answer WHERE day < ?", (day_of(oldest),))
                connection.execute("DELETE FROM shown WHERE at < ?", (int(oldest),))
                (count,) = connection.execute("SELECT count(*) FROM shown").fetchone()
                if count > self._rows:
                    connection.execute(
                        "DELETE FROM shown WHERE (session, number) IN "
                        "(SELECT session, number FROM shown ORDER BY at LIMIT ?)",
                        (count - self._rows,),
                    )

        self._guarded(drop)

    def accepted_on(self, day: str) -> int:
        """Return how many suggestions the editors say were taken on a day, as `day_of` has it.

        Raises:
            StoreError: It cannot be read.
        """
        # The day alone would not use the index; no day begins more than 14 hours before UTC's.
        first = datetime.fromisoformat(day).astimezone() - timedelta(days=1)
        return self._guarded(
            lambda: self._connection.execute(
                "SELECT count(*) FROM shown WHERE at >= ? AND day = ? AND part_told",
                (int(first.timestamp()), day),
            ).fetchone()[0]
        )

    def answers(self, since: str) -> list[tuple[str, str, str, int, int, int, int]]:
        """Return the rows of `answer` from a day on, in the order of its columns.

        Raises:
            StoreError: They cannot be read.
        """
        return self._guarded(
            lambda: self._connection.execute(
                "SELECT * FROM answer WHERE day >= ? ORDER BY day", (since,)
            ).fetchall()
        )

    def shown(self, since: str) -> list[dict[str, Any]]:
        """Return the rows of `shown` from a day on, by the names of their columns.

        Raises:
            StoreError: They cannot be read.
        """

        def read() -> list[dict[str, Any]]:
            cursor = self._connection.cursor()
            cursor.row_factory = sqlite3.Row
            found = cursor.execute("SELECT * FROM shown WHERE day >= ? ORDER BY at", (since,))
            return [dict(row) for row in found]

        return self._guarded(read)

    def reset(self) -> None:
        """Forget everything, and give the room on the disk back.

        The file stays: other editors have it open.

        Raises:
            StoreError: It could not be done.
        """

        def forget() -> None:
            with self._connection as connection:
                connection.execute("DELETE FROM answer")
                connection.execute("DELETE FROM shown")
            self._connection.execute("VACUUM")

        self._guarded(forget)
        try:
            self._aside.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._aside} cannot be removed ({error.strerror}).") from error

    def _guarded(self, work: Any) -> Any:
        """Do something with the file, anew when it turns out to be damaged.

        Raises:
            StoreError: It cannot be done now.
        """
        try:
            return work()
        except sqlite3.OperationalError as error:
            raise StoreError(f"{self._path} cannot be used now ({error}); try again.") from error
        except sqlite3.DatabaseError as error:
            self.close()
            self._connection = self._open(damaged=error)
            try:
                return work()
            except sqlite3.Error as again:
                raise StoreError(
                    f"{self._path} cannot be used ({again}); remove it to begin anew."
                ) from again

    def _open(self, damaged: sqlite3.DatabaseError | None = None) -> sqlite3.Connection:
        try:
            make_private_directory(self._path.parent)
            if damaged is None:
                try:
                    return self._connect()
                except sqlite3.OperationalError:
                    raise
                except sqlite3.DatabaseError as error:
                    damaged = error
            self._set_aside(damaged)
            return self._connect()
        except (OSError, sqlite3.Error) as error:
            # Nobody must be told to throw the figures away because they cannot be had now.
            passing = isinstance(error, OSError) or (
                isinstance(error, sqlite3.OperationalError)
                and error.sqlite_errorcode != sqlite3.SQLITE_ERROR
            )
            advice = (
                "see that you may write to it and that the disk has room, then try again"
                if passing
                else "remove it to begin anew"
            )
            raise StoreError(f"{self._path} cannot be opened ({error}); {advice}.") from error

    @property
    def _aside(self) -> Path:
        """Where a damaged file is put; only the last one is kept."""
        return self._path.with_suffix(".damaged")

    def _connect(self) -> sqlite3.Connection:
        # SQLite would make it readable for everybody; its log gets the mode of the file.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        os.close(os.open(self._path, flags, 0o600))
        if os.name == "posix" and self._path.stat().st_mode & 0o077:
            self._path.chmod(0o600)
        # The writer's thread opens it and the end of the server may close it.
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level="IMMEDIATE"
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # With a write-ahead log the file survives a crash; a power cut costs the last batch.
            connection.execute("PRAGMA synchronous = NORMAL")
            self._make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StoreError(
                f"{self._path} was made by a later version of Sirdab; update this one, or "
                "remove the file."
            )
        if version < _VERSION:
            connection.executescript(_TABLES)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        # Of a damaged file this may be the first page that is read.
        connection.execute("SELECT 1 FROM shown LIMIT 1").fetchone()

    def _set_aside(self, damaged: sqlite3.DatabaseError) -> None:
        """Rename a damaged file, unless another editor has done so in the meantime."""
        import filelock

        with filelock.FileLock(f"{self._path}.lock", timeout=_BUSY_SECONDS, mode=0o600):
            try:
                self._connect().close()
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                pass
            else:
                if _is_sound(self._path):
                    return
            _log.warning("the file of metrics is damaged (%s) and begun anew", damaged)
            self._path.replace(self._aside)
            for end in ("-wal", "-shm"):
                with suppress(OSError):
                    Path(f"{self._path}{end}").unlink()


def _is_sound(path: Path) -> bool:
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
    except sqlite3.Error:
        return False
    try:
        return connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except sqlite3.Error:
        return False
    finally:
        connection.close()


def default_path() -> Path:
    """Return where the user's figures are, whether or not there are any yet."""
    return state_directory() / "metrics.sqlite3"


def day_of(at: float) -> str:
    """Return the day of a time in seconds since 1970, in local time, as `2026-01-31`."""
    return datetime.fromtimestamp(at).astimezone().date().isoformat()
