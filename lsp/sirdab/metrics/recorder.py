"""Takes figures on the path of a keystroke and writes them in a thread, some seconds later.

Taking one is an append to a list. What cannot be written is tried again with the next batch and
dropped when too much of it waits: a figure is never worth an error or a pause.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sirdab.metrics.record import Answer, Shown

if TYPE_CHECKING:
    # It imports sqlite3, which the server does not need before the first suggestion.
    from sirdab.metrics.store import Store

_log = logging.getLogger(__name__)

BATCH_SECONDS = 2.0
"""One transaction for everything of two seconds: dozens of keys."""

_MOST_WAITING = 4_096
# The session ends after this long, in seconds, whether or not the last batch is written.
_LAST_SECONDS = 1.0
# After this many batches in a row that could not be written nothing more is tried.
_MOST_FAILURES = 5


class _Kept(NamedTuple):
    """A text that was accepted, and what stands at its place now; compared and then dropped."""

    number: int
    horizon: int
    accepted: str
    now: str


class Recorder:
    """The metrics of one session. Every method may be called at any time and never raises."""

    def __init__(
        self,
        path: Callable[[], Path] | None = None,
        *,
        wall: Callable[[], float] = time.time,
        batch_seconds: float = BATCH_SECONDS,
    ) -> None:
        """Write nothing yet, and start no thread.

        Args:
            path: Names the file when the first batch is written; the user's own by default.
            wall: Seconds since 1970; injectable for tests.
            batch_seconds: For how long figures are collected before they are written.
        """
        self._path = path
        self._wall = wall
        self._batch_seconds = batch_seconds
        # 48 bits: a number that every tool can read.
        self._session = int.from_bytes(os.urandom(6), "big")
        self._answers: list[tuple[float, Answer]] = []
        # By number: of several records of one suggestion only the last is written.
        self._shown: dict[int, tuple[float, Shown]] = {}
        self._kept: list[_Kept] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        # The file has one user at a time; whoever wants a figure now takes it over.
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._idle = False
        self._store: Store | None = None
        self._failures = 0
        self._closed = False

    def answered(self, answer: Answer) -> None:
        """Count an answer with a suggestion."""
        with self._lock:
            if len(self._answers) < self._room:
                self._answers.append((self._wall(), answer))
            self._wake()

    def shown(self, record: Shown) -> None:
        """Take what is known of a suggestion that was shown; it replaces what was known before."""
        with self._lock:
            if record.number in self._shown or len(self._shown) < self._room:
                at, _ = self._shown.get(record.number, (self._wall(), record))
                self._shown[record.number] = (at, record)
            self._wake()

    def retained(self, number: int, horizon: int, accepted: str, now: str) -> None:
        """Have an accepted text compared with what is there now; neither is kept.

        Args:
            number: The suggestion.
            horizon: Seconds since it was accepted; one of `HORIZONS`.
            accepted: Its text.
            now: What stands at its place.
        """
        with self._lock:
            if len(self._kept) < self._room:
                self._kept.append(_Kept(number, horizon, accepted, now))
            self._wake()

    def accepted_today(self) -> int:
        """Return how many suggestions were taken today, over all editors; 0 when unknown.

        This reads the disk: not to be called where somebody waits.
        """
        self.flush()
        with self._writing:
            try:
                from sirdab.metrics.store import day_of

                return self._opened().accepted_on(day_of(self._wall()))
            except Exception as error:  # noqa: BLE001 - a figure is not worth an error
                self._failed(error)
                return 0

    def flush(self) -> None:
        """Write what waits, in the calling thread."""
        with self._writing:
            try:
                self._write()
            except Exception as error:  # noqa: BLE001 - a figure is not worth an error
                self._failed(error)

    def close(self) -> None:
        """Write what waits, unless that takes too long, and close the file."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._changed.notify()
        if thread is None:
            self._close_store()
        else:
            thread.join(_LAST_SECONDS)

    @property
    def _room(self) -> int:
        """How much may wait; nothing when it will not be written in this session."""
        return _MOST_WAITING if self._failures < _MOST_FAILURES else 0

    # --- the thread -----------------------------------------------------------------------

    def _wake(self) -> None:
        """Start the thread, or let it go on."""
        if self._thread is None and not self._closed:
            # A daemon: Python must not wait for a disk that hangs.
            self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
            self._thread.start()
        if self._idle:
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._lock:
                self._idle = True
                while not (self._closed or self._answers or self._shown or self._kept):
                    self._changed.wait()
                # A key in the middle of a batch does not wake this thread up.
                self._idle = False
                deadline = time.monotonic() + self._batch_seconds
                while not self._closed and (left := deadline - time.monotonic()) > 0:
                    self._changed.wait(left)
            self.flush()
            if self._closed:
                # What came while that was being written.
                self.flush()
                break
            if self._failures >= _MOST_FAILURES:
                _log.warning("no more metrics are kept in this session")
                # Among what waits are texts.
                self.flush()
                break
        self._close_store()

    def _close_store(self) -> None:
        with self._writing:
            if self._store is not None:
                self._store.close()
                self._store = None

    def _write(self) -> None:
        from sirdab.metrics.similarity import retained

        with self._lock:
            if self._failures >= _MOST_FAILURES:
                self._answers.clear()
                self._shown.clear()
                self._kept.clear()
            answers, shown, kept = list(self._answers), dict(self._shown), list(self._kept)
        if not (answers or shown or kept):
            return
        shares = [
            (one.number, one.horizon, round(retained(one.accepted, one.now), 3)) for one in kept
        ]
        self._opened().write(self._session, answers, shown.values(), shares)
        self._failures = 0
        with self._lock:
            del self._answers[: len(answers)]
            del self._kept[: len(kept)]
            for number, entry in shown.items():
                if self._shown.get(number) is entry:
                    del self._shown[number]

    def _opened(self) -> "Store":
        if self._store is None:
            from sirdab.metrics.store import Store, default_path

            self._store = Store(self._path() if self._path is not None else default_path())
        return self._store

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            _log.info("metrics cannot be written now (%s)", type(error).__name__)
