"""A client of an in-process server with a scripted engine."""

from collections.abc import AsyncIterator

import pytest

from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import InProcess, in_process


@pytest.fixture
async def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
async def client(engine: ScriptedEngine) -> AsyncIterator[InProcess]:
    async with in_process(engine) as found:
        yield found
