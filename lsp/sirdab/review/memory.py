"""What is remembered of the model's answers: the latest in memory, the others on disk."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from sirdab.endpoint.base import ModelInfo
from sirdab.review.settled import Settled
from sirdab.review.store import ReviewStore

_REMEMBERED = 4_096
_CLEARING_SECONDS = 3.0


def name_of(info: ModelInfo) -> str:
    """Return what a model's answers are filed under.

    Where its file is known, another file under the same name is another model: it is told by its
    size and time, because a digest of a gigabyte takes seconds.

    Args:
        info: What its server says of it.
    """
    stamp = ""
    if info.path:
        try:
            status = Path(info.path).stat()
            stamp = f"{status.st_size} {status.st_mtime_ns}"
        except (OSError, ValueError):
            # On another machine, or not a path at all.
            stamp = info.path
    text = "\0".join((info.server, info.name, stamp))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Memory:
    """Remembers what models have said of units. Any thread may read; `keep` never waits.

    Args:
        store: Keeps it on disk as well; None for memory alone.
    """

    def __init__(self, store: ReviewStore | None) -> None:
        self._store = store
        self._known: OrderedDict[tuple[str, str], Settled] = OrderedDict()
        self._lock = Lock()
        self._last_model = ""
        # One thread, so that what is written later is written over what was written before.
        self._writer = ThreadPoolExecutor(1, "sirdab-reviews") if store is not None else None
        self.generation = 0
        """Counts how often all was forgotten: what was begun before is not kept any more."""

    def last_model(self) -> str:
        """Return the model that answered last, as `name_of` names it; "" when none has."""
        if not self._last_model and self._store is not None:
            self._last_model = self._store.last_model()
        return self._last_model

    def get(self, model: str, units: Iterable[str]) -> dict[str, Settled]:
        """Return what a model has said of some units, as far as it is known; may read the disk."""
        found: dict[str, Settled] = {}
        missing: list[str] = []
        with self._lock:
            for unit in units:
                known = self._known.get((model, unit))
                if known is None:
                    missing.append(unit)
                else:
                    found[unit] = known
                    self._known.move_to_end((model, unit))
        if missing and self._store is not None:
            read = self._store.get(model, missing)
            with self._lock:
                for unit, known in read.items():
                    # What has been learnt meanwhile is newer.
                    found[unit] = self._known.setdefault((model, unit), known)
                self._shrink()
        return found

    def recent(self, model: str, unit: str) -> Settled | None:
        """Return what is known of a unit without reading the disk."""
        with self._lock:
            return self._known.get((model, unit))

    def keep(self, model: str, unit: str, known: Settled, generation: int) -> None:
        """Remember what a model has said of a unit, in place of what was known.

        Args:
            model: As `name_of` names it.
            unit: The unit.
            known: All that is known of it.
            generation: The one in which the work on it began.
        """
        with self._lock:
            if generation != self.generation:
                return
            self._known[model, unit] = known
            self._known.move_to_end((model, unit))
            self._last_model = model
            self._shrink()
        if self._writer is not None and self._store is not None:
            self._writer.submit(self._store.put, model, unit, known)

    def clear(self) -> None:
        """Forget everything, on disk as well."""
        with self._lock:
            self.generation += 1
            self._known.clear()
            self._last_model = ""
        if self._writer is not None and self._store is not None:
            done: Future[None] = self._writer.submit(self._store.clear)
            try:
                done.result(_CLEARING_SECONDS)
            except TimeoutError:
                # The disk is slow; it is cleared all the same, and nothing new is filed before.
                return

    def close(self) -> None:
        """Wait until all is written that was kept, and close the file; call it in a thread."""
        if self._writer is not None and self._store is not None:
            self._writer.submit(self._store.close).result()

    def _shrink(self) -> None:
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
