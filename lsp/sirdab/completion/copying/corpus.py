"""The indexed documents that may be copied from, bounded in memory.

Indexing 5,000 lines takes about 40 ms, so it is done in slices: a little of it with each request,
the rest in the background when the event loop has time. What is not indexed yet is not
copied from.
"""

import asyncio
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import accumulate

from sirdab.completion.copying.block import NOTHING, Block, Lines, build, step
from sirdab.text.document import Snapshot

MAX_BYTES = 16 * 1024 * 1024
"""Memory of all indexes: 32 documents of 5,000 lines take 7 to 9 MiB."""

MAX_CLOSED = 8
"""Closed documents that are still copied from: what was closed last is often what is continued."""

_SLICE_SECONDS = 0.0004
# Steps that are made however late it is: a short document beside another one is indexed at once.
_LEAST_STEPS = 2
_PAUSE_SECONDS = 0.012
# After a request, so that a slice seldom stands in the way of the next one.
_QUIET_SECONDS = 0.03


class Indexed:
    """A document and the indexes of its chunks.

    Attributes:
        snapshot: The state that is indexed.
        chunks: Its chunks.
        blocks: Their indexes; None where there is none yet.
        tables: The filters of the indexes, which are looked at far more often than the rest.
        firsts: Number of the first line of each chunk.
        bytes: Memory of the indexes.
        complete: Whether nothing is left to index, as far as is known.
    """

    __slots__ = ("blocks", "bytes", "chunks", "complete", "firsts", "snapshot", "tables")

    def __init__(self, snapshot: Snapshot) -> None:
        """Take a document of which nothing is indexed yet."""
        self.snapshot = snapshot
        self.chunks: tuple[Lines, ...] = snapshot.text.chunks
        self.blocks: list[Block | None] = [None] * len(self.chunks)
        self.tables: list[bytearray] = [NOTHING] * len(self.chunks)
        self.firsts = tuple(accumulate(map(len, self.chunks), initial=0))
        self.bytes = 0
        self.complete = False

    def update(self, snapshot: Snapshot) -> None:
        """Go over to another state of the document, keeping the indexes of what is the same."""
        old, new = self.chunks, snapshot.text.chunks
        self.snapshot = snapshot
        if old is new:
            return
        size = min(len(old), len(new))
        head = 0
        while head < size and old[head] is new[head]:
            head += 1
        tail = 0
        while tail < size - head and old[-1 - tail] is new[-1 - tail]:
            tail += 1
        gone = self.blocks[head : len(old) - tail]
        come: list[Block | None] = [None] * (len(new) - tail - head)
        if len(gone) == len(come):
            for number, block in enumerate(gone):
                if block is not None:
                    come[number] = block.patch(old[head + number], new[head + number])
        self.blocks = [*self.blocks[:head], *come, *self.blocks[len(old) - tail :]]
        self.tables = [NOTHING if block is None else block.table for block in self.blocks]
        self.bytes += _bytes(come) - _bytes(gone)
        self.complete = self.complete and all(block and not block.stale for block in come)
        self.chunks = new
        self.firsts = tuple(accumulate(map(len, new), initial=0))

    def put(self, number: int, block: Block) -> None:
        """Take the index of a chunk."""
        self.bytes += block.bytes - _bytes([self.blocks[number]])
        self.blocks[number] = block
        self.tables[number] = block.table

    def drop(self) -> None:
        """Give the memory back."""
        self.blocks = [None] * len(self.chunks)
        self.tables = [NOTHING] * len(self.chunks)
        self.bytes = 0
        self.complete = False

    def chunk_of(self, line: int) -> int:
        """Return the number of the chunk that a line is in."""
        return max(min(bisect_right(self.firsts, line), len(self.chunks)) - 1, 0)

    def place_of(self, chunk: int, offset: int) -> int:
        """Return the line number of an offset in a chunk's index."""
        block = self.blocks[chunk]
        return self.firsts[chunk] + (block.line_at(offset) if block is not None else 0)


def _bytes(blocks: Iterable[Block | None]) -> int:
    return sum(block.bytes for block in blocks if block is not None)


class _Job:
    """A chunk that is being indexed."""

    def __init__(self, document: Indexed, lines: Lines) -> None:
        self.document = document
        self.lines = lines
        self.work: Generator[None, None, Block] = build(lines)


class Corpus:
    """The documents, those that are edited now first."""

    def __init__(
        self, *, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """Start empty.

        Args:
            max_bytes: Most memory for the indexes.
            clock: Seconds; injectable for tests.
        """
        self._max_bytes = max_bytes
        self._clock = clock
        self._documents: dict[str, Indexed] = {}
        self._closed: OrderedDict[str, Snapshot] = OrderedDict()
        self._order: tuple[str, ...] = ()
        self._job: _Job | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def bytes(self) -> int:
        """Memory of all indexes."""
        return sum(document.bytes for document in self._documents.values())

    def __iter__(self) -> Iterator[Indexed]:
        """Iterate over the documents, the one that was named first in `show` first."""
        return (self._documents[uri] for uri in self._order)

    def closed(self) -> tuple[Snapshot, ...]:
        """Return the documents that were closed, the last one first."""
        return tuple(reversed(self._closed.values()))

    def show(self, snapshots: Iterable[Snapshot]) -> None:
        """Say which documents there are, in the order in which they matter.

        Args:
            snapshots: Their present states; what is not among them is dropped.
        """
        shown: dict[str, Indexed] = {}
        for snapshot in snapshots:
            document = self._documents.get(snapshot.uri)
            if document is None:
                document = Indexed(snapshot)
            elif document.snapshot.text is not snapshot.text:
                document.update(snapshot)
            shown.setdefault(snapshot.uri, document)
        self._documents = shown
        self._order = tuple(shown)

    def close(self, uri: str) -> None:
        """Keep a document that the editor closed among those that may still be copied from."""
        document = self._documents.get(uri)
        if document is None:
            return
        self._closed[uri] = document.snapshot
        self._closed.move_to_end(uri)
        while len(self._closed) > MAX_CLOSED:
            self._closed.popitem(last=False)

    def opened(self, uris: Iterable[str]) -> None:
        """Take it that documents are open, whether they were closed before or not."""
        if self._closed:
            for uri in uris:
                self._closed.pop(uri, None)

    def refuse(self, uri: str) -> None:
        """Drop a document that may not be read."""
        self._documents.pop(uri, None)
        self._closed.pop(uri, None)
        self._order = tuple(self._documents)

    def clear(self) -> None:
        """Drop everything."""
        self._documents = {}
        self._order = ()
        self._closed.clear()
        self._job = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- indexing ---------------------------------------------------------------------------

    def work(self, seconds: float | None) -> bool:
        """Index for a while, and a little in any case.

        Args:
            seconds: How long; None until all is done.

        Returns:
            Whether there is more to do.
        """
        deadline = None if seconds is None else self._clock() + seconds
        steps = 0
        while self._job is not None or self._next_job():
            if deadline is not None and steps >= _LEAST_STEPS and self._clock() >= deadline:
                return True
            self._step()
            steps += 1
        return False

    def work_later(self) -> None:
        """Index what is left in slices, when nobody has asked for a moment."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._job is not None or self._next_job():
            self._wait(_QUIET_SECONDS)

    def _wait(self, seconds: float) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(seconds, self._slice)

    def _slice(self) -> None:
        self._timer = None
        if self.work(_SLICE_SECONDS):
            self._wait(_PAUSE_SECONDS)

    def _next_job(self) -> bool:
        """Choose the chunk to index next; documents that do not fit give way or wait."""
        left = self._max_bytes
        found: _Job | None = None
        for uri in self._order:
            document = self._documents[uri]
            if left <= 0:
                if document.bytes:
                    document.drop()
                continue
            left -= document.bytes
            if found is None and left > 0 and not document.complete:
                found = self._missing(document)
                document.complete = found is None
        self._job = found
        return found is not None

    @staticmethod
    def _missing(document: Indexed) -> _Job | None:
        # The end of a document is mostly nearer to where one writes than its beginning.
        for number in range(len(document.chunks) - 1, -1, -1):
            block = document.blocks[number]
            if block is None or block.stale:
                return _Job(document, document.chunks[number])
        return None

    def _step(self) -> None:
        job = self._job
        if job is None:
            return
        block = step(job.work)
        if block is not None:
            self._job = None
            self._settle(job, block)

    def _settle(self, job: _Job, block: Block) -> None:
        """Put a finished index where its chunk is now, which keys may have changed meanwhile."""
        document = job.document
        for number, lines in enumerate(document.chunks):
            known = document.blocks[number]
            if lines is job.lines:
                document.put(number, block)
                return
            if (known is None or known.stale) and lines[:1] == job.lines[:1]:
                patched = block.patch(job.lines, lines)
                if patched is not None:
                    document.put(number, patched)
                    return
