"""The baseline "naive": each key asks anew, in the order most tools use.

Prefix, suffix, middle; a window of as many characters as Sirdab's own that slides line by line with
the cursor; no memory; 75 ms of debounce; the next key closes the stream.
"""

import asyncio
from collections.abc import Sequence

import httpx

from bench.replay.baselines import stream, without_repeated
from sirdab.benchmark.replay import Answer, OpenFile
from sirdab.benchmark.typist import Change
from sirdab.models.catalog import Fim
from sirdab.text.store import Point, Text

DEBOUNCE_MS = 75
BEFORE_CHARS = 2_000
AFTER_CHARS = 600
MAX_TOKENS = 64


class Naive:
    """Implements `sirdab.benchmark.replay.Contestant`."""

    def __init__(self, url: str, fim: Fim) -> None:
        """Make one.

        Args:
            url: Address of the model server.
            fim: The model's sentinels.
        """
        self._client = httpx.AsyncClient(base_url=url, timeout=None, trust_env=False)
        self._fim = fim

    async def open(self, file: OpenFile, others: Sequence[OpenFile], point: Point) -> None:
        """Nothing is done before somebody types."""

    def changed(self, change: Change) -> None:
        """Nothing is remembered."""

    def moved(self, point: Point) -> None:
        """Nothing is read ahead."""

    def accepted(self, answer: Answer, how: str) -> None:
        """Nothing follows from it."""

    async def ask(self, text: Text, point: Point) -> Answer | None:
        """Wait for the debounce, then ask the model."""
        await asyncio.sleep(DEBOUNCE_MS / 1000)
        before, after = window(text, point)
        rest = text.line_body(point.line)[point.column :]
        body = {
            "prompt": f"{self._fim.prefix}{before}{self._fim.suffix}{after}{self._fim.middle}",
            "n_predict": MAX_TOKENS,
            "temperature": 0,
            "cache_prompt": True,
            "stop": ["\n"] if rest.strip() else ["\n\n"],
        }
        said = "".join([piece async for piece in stream(self._client, "/completion", body)])
        said = without_repeated(said.rstrip(), rest)
        return Answer("", said, "model") if said.strip() else None

    async def close(self) -> None:
        """Close nothing: the next session uses the same connection."""

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def window(text: Text, point: Point) -> tuple[str, str]:
    """Return whole lines around the cursor, as many as fit."""
    first, size = point.line, point.column
    while first > 0 and size + len(text.line(first - 1)) <= BEFORE_CHARS:
        first -= 1
        size += len(text.line(first))
    before = text.slice(Point(first, 0), point)[-BEFORE_CHARS:]
    after = text.line(point.line)[point.column :]
    for line in text.lines(point.line + 1):
        if len(after) + len(line) > AFTER_CHARS:
            break
        after += line
    return before, after
