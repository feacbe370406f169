"""Answers of a model that are kept, so that a bench asks no question twice.

A bench of reviews asks the same question in several variants, and most of them again after a change
to the rules. At temperature 0, or with a seed, the answer is the same; so whole answers are kept by
all that was asked and by the model. What an answer took is not: times are measured without this.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sirdab.endpoint.base import (
    Chunk,
    Endpoint,
    EndpointSource,
    GenerationRequest,
    ModelInfo,
    Usage,
)


class Recorded:
    """A source of endpoints that answers from a file what was asked before.

    Args:
        endpoints: Where the other answers come from.
        path: The file: one JSON object a line. A last line that is cut off is left out.
    """

    def __init__(self, endpoints: EndpointSource, path: Path) -> None:
        self._endpoints = endpoints
        self._path = path
        self._known: dict[str, list[Chunk]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):
                    entry = json.loads(line)
                    self._known[entry["asked"]] = [_chunk(*one) for one in entry["chunks"]]

    async def acquire(self) -> Endpoint:
        """Return the endpoint, with its record.

        Raises:
            EndpointError: There is none.
        """
        return _Recording(await self._endpoints.acquire(), self)

    def known(self, asked: str) -> list[Chunk] | None:
        """Return the answer to a question that was asked before."""
        return self._known.get(asked)

    def keep(self, asked: str, chunks: list[Chunk]) -> None:
        """Keep a whole answer."""
        self._known[asked] = chunks
        said = [(one.text, one.usage and asdict(one.usage), one.truncated) for one in chunks]
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"asked": asked, "chunks": said}) + "\n")


def _chunk(text: str, usage: dict[str, Any] | None, truncated: bool) -> Chunk:
    return Chunk(text, Usage(**usage) if usage else None, truncated)


class _Recording:
    """An endpoint whose whole answers are kept."""

    def __init__(self, endpoint: Endpoint, record: Recorded) -> None:
        self._endpoint = endpoint
        self._record = record

    async def describe(self) -> ModelInfo:
        return await self._endpoint.describe()

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncGenerator[AsyncIterator[Chunk]]:
        info = await self._endpoint.describe()
        # How long somebody waits says nothing of the answer.
        asked = replace(request, first_token_ms=0, total_ms=0)
        name = hashlib.sha256(repr((info.name, asked)).encode()).hexdigest()
        known = self._record.known(name)
        if known is not None:
            yield _again(known)
            return
        async with self._endpoint.generate(request) as chunks:
            yield self._kept(name, chunks)

    async def _kept(self, name: str, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        so_far: list[Chunk] = []
        async for chunk in chunks:
            so_far.append(chunk)
            yield chunk
        self._record.keep(name, so_far)

    async def count_tokens(self, text: str) -> int:
        return await self._endpoint.count_tokens(text)


async def _again(chunks: list[Chunk]) -> AsyncIterator[Chunk]:
    for chunk in chunks:
        yield chunk
