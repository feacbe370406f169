"""An index of what the files of a workspace define, made and kept in step by a thread.

The thread works in turns of a millisecond (`sirdab.context.pace`) and holds one folder's list of
files and one file at a time; everything it finds goes into the database (`sirdab.context.store`),
where the next session finds it again. A file whose time and size are those of the database is not
read.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from sirdab.context import files
from sirdab.context.pace import Pace, Stopped
from sirdab.context.store import Found, Stamp, Store, StoreError, database_path
from sirdab.context.symbols import Definition, definitions_of, kin_of
from sirdab.policy.ignore import ExclusionRules
from sirdab.policy.secrets import redact
from sirdab.syntax.languages import language_of

_log = logging.getLogger(__name__)

MOST_CHANGES = 1_000
"""Changes that may wait; with more, everything is walked again, which finds them all."""

# How long a change waits for others of the same file, in seconds: editors write in steps.
_SETTLE_SECONDS = 0.3
_JOIN_SECONDS = 2.0

_EVERYTHING = ""


class WorkspaceIndex:
    """The definitions in the files of one workspace folder."""

    def __init__(
        self, root: str, directory: Path, exclude: Sequence[str] = (), *, pace: Pace | None = None
    ) -> None:
        """Make an index; nothing is read or opened before `start`.

        Args:
            root: Absolute path of the folder.
            directory: Where databases are kept.
            exclude: The setting `privacy.exclude`.
            pace: When the thread works.
        """
        # URIs have other separators than paths on some systems.
        self.root = os.path.normpath(root)
        self._rules = ExclusionRules(exclude, (self.root,))
        self._store = Store(database_path(directory, self.root))
        self._pace = pace or Pace()
        self._changes: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="sirdab-index", daemon=True)
        self._idle = threading.Event()
        self._ending = threading.Lock()
        self._ended = False

    # --- from other threads -------------------------------------------------------------------

    def start(self) -> None:
        """Begin to walk the folder, in a thread."""
        self._changes.put(_EVERYTHING)
        self._thread.start()

    def close(self) -> None:
        """End the thread, which closes the database.

        Takes milliseconds, and `_JOIN_SECONDS` while another process keeps the thread waiting for
        the database; it then ends without anybody waiting for it.
        """
        self._pace.stop()
        self._changes.put(_EVERYTHING)
        if self._thread.ident is not None:
            self._thread.join(_JOIN_SECONDS)

    def somebody_types(self) -> None:
        """Let the thread rest for a moment."""
        self._pace.somebody_types()

    def changed(self, path: str) -> None:
        """Take it that a file or folder was written, made or removed.

        Args:
            path: Absolute; one outside of the folder is passed over.
        """
        path = os.path.normpath(path)
        if not path.startswith(self.root.rstrip(os.sep) + os.sep) or not files.is_text(path):
            return
        waiting = self._changes.qsize()
        if os.path.basename(path) in files.IGNORE_FILES or waiting == MOST_CHANGES:  # noqa: PTH119
            path = _EVERYTHING
        elif waiting > MOST_CHANGES:
            # All that waits is found by the walk that was asked for when it became too much.
            return
        self._put(path)

    def changed_all_over(self) -> None:
        """Take it that so much was changed that everything is to be looked at."""
        self._put(_EVERYTHING)

    def _put(self, path: str) -> None:
        with self._ending:
            # Nobody would ever take it.
            if not self._ended:
                self._idle.clear()
                self._changes.put(path)

    def find(self, names: Sequence[str], language_id: str, most: int) -> list[Found]:
        """Return definitions by their names; none while the database cannot be asked.

        What has been excluded meanwhile is left out. Blocks for a millisecond or so.
        """
        try:
            found = self._store.find(names, kin_of(language_id), most)
        except StoreError:
            return []
        return [one for one in found if self._rules.is_excluded(one.path) is None]

    def members(self, path: str, container: str, most: int) -> list[Definition]:
        """Return the first members of a class or type in a file."""
        try:
            return self._store.members(path, container, most)
        except StoreError:
            return []

    def count(self) -> tuple[int, int]:
        """Return how many files and definitions are known; zeros while that cannot be said."""
        try:
            return self._store.count()
        except StoreError:
            return 0, 0

    @property
    def turns(self) -> int:
        """Turns that the thread has taken so far."""
        return self._pace.turns

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait until all that is known of is done; return whether it is."""
        return self._idle.wait(seconds)

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._store.open()
            while True:
                self._take(self._changes.get())
                if self._changes.empty():
                    self._idle.set()
        except Stopped:
            return
        except StoreError as error:
            _log.warning("there is no index of the workspace: %s", error)
        except Exception as error:  # noqa: BLE001 - without an index there is less context, no more
            _log.error("the index of the workspace ended: %s", type(error).__name__)
        finally:
            with self._ending:
                self._ended = True
                self._idle.set()
            self._store.close()

    def _take(self, path: str) -> None:
        if self._pace.stopped:
            raise Stopped
        if path != _EVERYTHING:
            self._pace.wait(_SETTLE_SECONDS)
        # What was changed meanwhile is mostly the same file, or is found by the same walk.
        waiting = {path: None}
        while not self._changes.empty():
            waiting[self._changes.get()] = None
        if _EVERYTHING in waiting:
            self._walk()
            return
        for each in waiting:
            self._update(each)

    def _walk(self) -> None:
        seen = time.time_ns()
        for folder in files.walk(self.root, self._is_excluded, self._pace.pause):
            known = self._store.stamps(folder.path)
            for name, stamp in folder.files.items():
                if known.get(name) != stamp:
                    self._read(str(Path(folder.path, name)), stamp, seen)
            self._store.keep_only(folder.path, folder.files, seen)
        self._store.drop_unseen(seen)

    def _update(self, path: str) -> None:
        stamp = files.stamp_of(path)
        if stamp is None or files.is_foreign(path, self.root) or self._is_excluded(path):
            # A folder that came is told of file by file, or else found by the next walk.
            self._store.drop(path)
            return
        self._read(path, stamp, time.time_ns())

    def _read(self, path: str, stamp: Stamp, seen: int) -> None:
        language = language_of(Path(path))
        content = files.read(path)
        found: list[Definition] = []
        if content is not None:
            found = _without_secrets(definitions_of(content, language, self._pace.pause))
        # One that cannot be read is known too, so that it is not tried again each time.
        self._store.put(path, kin_of(language), stamp, found, seen)
        self._pace.pause()

    def _is_excluded(self, path: str) -> bool:
        return self._rules.is_excluded(path) is not None


def _without_secrets(found: list[Definition]) -> list[Definition]:
    """Return definitions whose heads and documentation hold no secret."""
    text = "\n".join(f"{one.head}\n{one.doc}" for one in found)
    if redact(text) == text:
        return found
    return [one._replace(head=redact(one.head), doc=redact(one.doc)) for one in found]


__all__ = ["MOST_CHANGES", "WorkspaceIndex"]
