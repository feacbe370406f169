"""Two clients of one engine: each gets the continuation of its own prompt and no other."""

import asyncio
import random
from pathlib import Path

import pytest

from sirdab.endpoint.base import GenerationRequest
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.endpoint.managed.server import ensure_running
from sirdab.policy.loopback import check_endpoint_url

pytestmark = pytest.mark.real_model

NUMBERS = "SIZES = [100, 200, 300, 400, 500, 600, 700, 800,"
FUNCTION = "def add(a, b):\n    return"
TOKENS = 12
ROUNDS = 40


async def ask(endpoint: LlamaCppEndpoint, prompt: str, seconds: float | None) -> str | None:
    """Return the answer, or None when it was given up after some seconds."""
    request = GenerationRequest(prompt, TOKENS, first_token_ms=60_000, total_ms=60_000)
    try:
        async with asyncio.timeout(seconds), endpoint.generate(request) as answer:
            return "".join([chunk.text async for chunk in answer])
    except TimeoutError:
        return None


async def test_clients_that_give_up_all_the_time_do_not_mix(real_model_path: Path) -> None:
    running = await ensure_running(str(real_model_path))
    address = check_endpoint_url(running.url, allow_remote=False)
    choose = random.Random(1)

    async def client(prompt: str) -> list[tuple[str, str]]:
        endpoint = LlamaCppEndpoint(address, api_key=running.api_key, timeout_ms=60_000)
        try:
            right = await ask(endpoint, prompt, None)
            assert right is not None
            got = [
                await ask(endpoint, prompt, choose.choice([None, 0.02, 0.1, 0.3]))
                for _ in range(ROUNDS)
            ]
            return [(right, answer) for answer in got if answer is not None]
        finally:
            await endpoint.aclose()

    numbers, function = await asyncio.gather(client(NUMBERS), client(FUNCTION))
    assert numbers
    assert function
    assert all(answer == right for right, answer in [*numbers, *function])
    assert numbers[0][0].lstrip().startswith("900")
    assert function[0][0].lstrip().startswith("a")
