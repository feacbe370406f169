"""A source of endpoints that counts what is asked of them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from sirdab.endpoint.base import (
    Chunk,
    Endpoint,
    EndpointSource,
    GenerationRequest,
    ModelInfo,
    Usage,
)


class Meter:
    """Stands between a reviewer and its endpoint.

    Attributes:
        requests: How many answers were asked for.
        read: Tokens of their prompts.
        written: Tokens of the answers.

    Args:
        endpoints: Where the answers come from.
    """

    def __init__(self, endpoints: EndpointSource) -> None:
        self._endpoints = endpoints
        self.requests = 0
        self.read = 0
        self.written = 0

    async def acquire(self) -> Endpoint:
        """Return the endpoint, counted.

        Raises:
            EndpointError: There is none.
        """
        return _Metered(await self._endpoints.acquire(), self)


class _Metered:
    """An endpoint whose answers are counted."""

    def __init__(self, endpoint: Endpoint, meter: Meter) -> None:
        self._endpoint = endpoint
        self._meter = meter

    async def describe(self) -> ModelInfo:
        return await self._endpoint.describe()

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncGenerator[AsyncIterator[Chunk]]:
        meter = self._meter
        meter.requests += 1
        usage = Usage()

        async def counted(chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
            nonlocal usage
            async for chunk in chunks:
                usage = chunk.usage or usage
                yield chunk

        try:
            async with self._endpoint.generate(request) as chunks:
                yield counted(chunks)
        finally:
            meter.read += usage.prompt_tokens
            meter.written += usage.generated_tokens

    async def count_tokens(self, text: str) -> int:
        return await self._endpoint.count_tokens(text)
