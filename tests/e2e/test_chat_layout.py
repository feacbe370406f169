"""The real model, completed with through a real server that can do less than llama.cpp does."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from sirdab.completion.engine import Engine
from sirdab.config.schema import EndpointSettings, Settings
from sirdab.endpoint.base import Ability, Chunk, GenerationRequest, ModelInfo
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.models.catalog import Layout
from sirdab.policy.loopback import check_endpoint_url
from tests.support.completion import request_for
from tests.support.real_llamacpp import KEY, engine

pytestmark = pytest.mark.real_model

PLACE = "def multiply(first, second):\n    return $0\n\n\nprint(multiply(2, 3))\n"
RAW, CHAT, GOES_ON = Ability.RAW, Ability.CHAT, Ability.GOES_ON


@pytest.fixture(scope="module")
def engine_url(real_model_path: Path) -> Iterator[str]:
    with engine(real_model_path, 1) as url:
        yield url


class Less:
    """A server that says that it can do no more than this."""

    def __init__(self, inner: LlamaCppEndpoint, abilities: frozenset[Ability]) -> None:
        self._inner = inner
        self._abilities = abilities

    async def acquire(self) -> "Less":
        return self

    async def describe(self) -> ModelInfo:
        return replace(await self._inner.describe(), abilities=self._abilities)

    def generate(
        self, request: GenerationRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        return self._inner.generate(request)

    async def count_tokens(self, text: str) -> int:
        return await self._inner.count_tokens(text)


@pytest.mark.parametrize(
    ("abilities", "wanted", "layout"),
    [
        ({RAW}, None, "prefix-as-middle"),
        ({RAW}, "prefix-only", "prefix-only"),
        ({RAW, Ability.BEGINS_WITH}, "chat", "chat"),
        ({RAW}, "chat", "chat"),
        ({CHAT, GOES_ON}, None, "chat"),
        ({CHAT}, None, "chat"),
        ({CHAT, Ability.BEGINS_WITH}, None, "chat"),
        ({Ability.INSERT}, None, "insert"),
    ],
)
async def test_the_rest_of_a_line(
    engine_url: str, abilities: set[Ability], wanted: Layout | None, layout: Layout
) -> None:
    settings = Settings(endpoint=EndpointSettings(timeout_ms=60_000))
    request = replace(request_for(PLACE, settings=settings), layout=wanted)
    address = check_endpoint_url(engine_url, allow_remote=False)
    inner = LlamaCppEndpoint(address, api_key=KEY, timeout_ms=60_000)
    try:
        outcome = await Engine(Less(inner, frozenset(abilities)), copies=False).complete(request)
    finally:
        await inner.aclose()
    assert outcome.trace["layout"] == layout
    assert [one.text for one in outcome.suggestions] == ["first * second"], outcome.detail
