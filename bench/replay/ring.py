"""The baseline "ring": the algorithm of llama.vim with its published parameters.

Written anew from its description (llama.cpp pull request 9787 and the plugin's documentation):
256 lines before and 64 lines after the cursor go to llama.cpp's `/infill`, and with them up to 16
chunks of other places and files, which are exchanged only while nobody types so that the server can
keep them; answers are remembered (250 of them) and found again up to 128 typed characters later; a
suggestion that is shown is followed by a request for the place behind it; a request that runs is
waited for, looking again every 100 ms, and not given up. The first request writes for 250 ms, the
one ahead for 1,000 ms.
"""

import asyncio
import contextlib
import random
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx

from bench.replay.baselines import stream, without_repeated
from sirdab.benchmark.replay import Answer, OpenFile
from sirdab.benchmark.typist import Change
from sirdab.text.store import Point, Text

PREFIX_LINES = 256
SUFFIX_LINES = 64
RING_CHUNKS = 16
CHUNK_LINES = 64
RING_SCOPE = 1_024
UPDATE_MS = 1_000
IDLE_MS = 3_000
MAX_QUEUED = 16
CACHE_ENTRIES = 250
MOST_TYPED = 128
MAX_TOKENS = 128
PREDICT_MS = 250
PREDICT_AHEAD_MS = 1_000
RETRY_MS = 100
MAX_LINE_SUFFIX = 8
CACHE_REUSE = 256
BATCH_TOKENS = 1_024
"""`--ub 1024 -b 1024 --cache-reuse 256` is how its documentation starts the server."""


class Chunk(NamedTuple):
    """Lines of some place."""

    name: str
    lines: tuple[str, ...]


class Context(NamedTuple):
    """What is asked about one place."""

    prefix: str
    prompt: str
    suffix: str
    indent: int


class Ring:
    """Implements `sirdab.benchmark.replay.Contestant`."""

    def __init__(self, url: str) -> None:
        """Make one.

        Args:
            url: Address of the model server.
        """
        self._client = httpx.AsyncClient(base_url=url, timeout=None, trust_env=False)
        self._chance = random.Random(1)
        self._ring: list[Chunk] = []
        self._queue: list[Chunk] = []
        self._cache: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._job: asyncio.Task[None] | None = None
        self._updating: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._touched = time.perf_counter()
        self._picked_line = -1
        self._name = ""

    async def open(self, file: OpenFile, others: Sequence[OpenFile], point: Point) -> None:
        """Pick a chunk of each file, as entering and leaving its window does."""
        for other in others:
            self._pick(other.path.name, list(other.text.lines()))
        self._name = file.path.name
        low = max(0, point.line - CHUNK_LINES // 2)
        self._pick(self._name, list(file.text.lines(low, low + CHUNK_LINES)))
        if self._updating is None:
            self._updating = asyncio.ensure_future(self._update())

    def changed(self, change: Change) -> None:
        """Take it that somebody types."""
        del change
        self._touched = time.perf_counter()

    def moved(self, point: Point) -> None:
        """Take it that the cursor moved."""
        del point
        self._touched = time.perf_counter()

    def accepted(self, answer: Answer, how: str) -> None:
        """Nothing follows from it."""

    async def ask(self, text: Text, point: Point) -> Answer | None:
        """Look into the memory, else wait until no request runs, and ask."""
        line = text.line_body(point.line)
        rest = line[point.column :]
        if len(rest) > MAX_LINE_SUFFIX:
            return None
        context = _context(text, point)
        while True:
            found = self._look_up(context)
            if found is not None:
                shown = _tidy(found, text, point)
                if shown:
                    self._ask_ahead(context, found)
                    return Answer("", shown, "cache")
                return None
            if self._job is None or self._job.done():
                break
            await asyncio.wait({self._job}, timeout=RETRY_MS / 1000)
        self._pick_near(text, point)
        self._evict(text, point)
        self._begin(context, PREDICT_MS)
        assert self._job is not None
        await asyncio.shield(self._job)
        found = self._look_up(context)
        shown = "" if found is None else _tidy(found, text, point)
        if found is None or not shown:
            return None
        self._ask_ahead(context, found)
        return Answer("", shown, "model")

    async def close(self) -> None:
        """Keep what is known, as a plugin does between files."""

    async def aclose(self) -> None:
        """Stop everything."""
        for task in (self._job, self._updating, self._warming):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, httpx.HTTPError):
                    await task
        await self._client.aclose()

    # --- requests -----------------------------------------------------------------------------

    def _begin(self, context: Context, predict_ms: int) -> None:
        async def work() -> None:
            body = {
                "input_prefix": context.prefix,
                "input_suffix": context.suffix,
                "prompt": context.prompt,
                "input_extra": self._extra(),
                "n_predict": MAX_TOKENS,
                "n_indent": context.indent,
                "top_k": 40,
                "top_p": 0.90,
                "samplers": ["top_k", "top_p", "infill"],
                "seed": 1,
                "cache_prompt": True,
                "n_cache_reuse": CACHE_REUSE,
                "id_slot": 0,
                "t_max_prompt_ms": 500,
                "t_max_predict_ms": predict_ms,
            }
            said = "".join([piece async for piece in stream(self._client, "/infill", body)])
            self._remember(context, said)

        self._job = asyncio.ensure_future(work())

    def _ask_ahead(self, context: Context, said: str) -> None:
        """Ask for the place behind a suggestion, unless something runs or it is known."""
        if self._job is not None and not self._job.done():
            return
        text = context.prompt + said
        above, found, line = text.rpartition("\n")
        prefix = context.prefix + above + found
        ahead = Context(_last_lines(prefix), line, context.suffix, len(line) - len(line.lstrip()))
        if self._look_up(ahead) is None:
            self._begin(ahead, PREDICT_AHEAD_MS)

    def _remember(self, context: Context, said: str) -> None:
        before = context.prefix + context.prompt
        for _ in range(4):
            self._cache[before, context.suffix] = said
            self._cache.move_to_end((before, context.suffix))
            _, found, before = before.partition("\n")
            if not found:
                break
        while len(self._cache) > CACHE_ENTRIES:
            self._cache.popitem(last=False)

    def _look_up(self, context: Context) -> str | None:
        before = context.prefix + context.prompt
        best: str | None = None
        for typed in range(min(MOST_TYPED, len(before)) + 1):
            stop = len(before) - typed
            said = self._cache.get((before[:stop], context.suffix))
            if said is None or not said.startswith(before[stop:]):
                continue
            rest = said[typed:]
            if typed == 0:
                return rest
            if rest.strip() and (best is None or len(rest) > len(best)):
                best = rest
        return best

    # --- the ring -----------------------------------------------------------------------------

    def _extra(self) -> list[dict[str, Any]]:
        return [{"filename": name, "text": "".join(lines)} for name, lines in self._ring]

    def _pick(self, name: str, lines: Sequence[str]) -> None:
        if len(lines) < 3:
            return
        if len(lines) >= CHUNK_LINES:
            half = CHUNK_LINES // 2
            first = self._chance.randint(0, len(lines) - half)
            lines = lines[first : first + half]
        chunk = Chunk(name, tuple(lines))
        if any(chunk.lines == other.lines for other in (*self._ring, *self._queue)):
            return
        self._queue = [other for other in self._queue if _alike(chunk, other) <= 0.9]
        self._ring = [other for other in self._ring if _alike(chunk, other) <= 0.9]
        self._queue = [*self._queue[-(MAX_QUEUED - 1) :], chunk]

    def _pick_near(self, text: Text, point: Point) -> None:
        if abs(point.line - self._picked_line) <= 32:
            return
        self._picked_line = point.line
        low = max(0, point.line - RING_SCOPE)
        self._pick(self._name, list(text.lines(low, max(0, point.line - PREFIX_LINES))))
        first = min(text.line_count, point.line + SUFFIX_LINES)
        stop = min(text.line_count, first + CHUNK_LINES)
        self._pick(self._name, list(text.lines(first, stop)))

    def _evict(self, text: Text, point: Point) -> None:
        low = max(0, point.line - CHUNK_LINES // 2)
        here = Chunk("", tuple(text.lines(low, min(text.line_count, low + CHUNK_LINES))))
        self._ring = [chunk for chunk in self._ring if _alike(chunk, here) <= 0.5]

    async def _update(self) -> None:
        """Exchange a chunk now and then while nobody types, and have the server read it."""
        while True:
            await asyncio.sleep(UPDATE_MS / 1000)
            idle_ms = (time.perf_counter() - self._touched) * 1000
            if not self._queue or idle_ms < IDLE_MS:
                continue
            self._ring = [*self._ring[-(RING_CHUNKS - 1) :], self._queue.pop(0)]
            body = {
                "input_prefix": "",
                "input_suffix": "",
                "prompt": "",
                "input_extra": self._extra(),
                "n_predict": 0,
                "temperature": 0,
                "cache_prompt": True,
                "n_cache_reuse": CACHE_REUSE,
                "id_slot": 0,
                "t_max_prompt_ms": 1,
                "t_max_predict_ms": 1,
            }

            async def warm(body: dict[str, Any]) -> None:
                async for _ in stream(self._client, "/infill", body):
                    pass

            self._warming = asyncio.ensure_future(warm(body))
            await self._warming


def _context(text: Text, point: Point) -> Context:
    line = text.line_body(point.line)
    before, rest = line[: point.column], line[point.column :]
    indent = len(before) - len(before.lstrip())
    if not before.strip():
        # The indentation is left to the model, and what stands there is taken off its answer.
        before, indent = "", 0
    prefix = "".join(text.lines(max(0, point.line - PREFIX_LINES), point.line))
    stop = min(text.line_count, point.line + 1 + SUFFIX_LINES)
    below = "".join(text.lines(point.line + 1, stop))
    return Context(prefix, before, f"{rest}\n{below}", indent)


def _last_lines(prefix: str) -> str:
    return "".join(prefix.splitlines(keepends=True)[-PREFIX_LINES:])


def _tidy(said: str, text: Text, point: Point) -> str:
    """Return what is shown of an answer; "" for nothing."""
    line = text.line_body(point.line)
    before, rest = line[: point.column], line[point.column :]
    shown = said.rstrip()
    if not before.strip() and before:
        if not shown.startswith(before):
            return ""
        shown = shown[len(before) :]
    if not shown.strip():
        return ""
    shown = without_repeated(shown, rest)
    lines = [before + shown.split("\n")[0], *shown.split("\n")[1:]]
    stop = min(text.line_count, point.line + 1 + len(lines))
    below = [one.rstrip("\r\n") for one in text.lines(point.line + 1, stop)]
    if lines == below or (not lines[0].strip() and lines[1:] == below[: len(lines) - 1]):
        return ""
    return shown


def _alike(one: Chunk, other: Chunk) -> float:
    """Return the share of lines that two chunks have in common."""
    both = len(one.lines) + len(other.lines)
    return 2 * len(set(one.lines) & set(other.lines)) / both if both else 0.0
