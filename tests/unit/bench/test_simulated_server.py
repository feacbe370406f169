"""The server that only takes its time keeps prompts as llama.cpp does."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bench.replay.relay import Exchange, Relay
from bench.replay.simulated import SimulatedServer, tokens

HERE = "<|fim_prefix|><|fim_suffix|>\nlast()\n<|fim_middle|>def f(a, b):\n    return a"
THERE = "<|fim_prefix|><|fim_suffix|>\nother()\n<|fim_middle|>class A:\n    x = 1\n    y"
TRUTH = "def f(a, b):\n    return a + b\n\n\nlast()\n"


@pytest.fixture
async def relay(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relay]:
    monkeypatch.setattr("bench.replay.simulated.READ_PER_SECOND", 1e6)
    monkeypatch.setattr("bench.replay.simulated.WRITTEN_PER_SECOND", 1e6)
    monkeypatch.setattr("bench.replay.simulated._RIGHT", 1.0)
    async with SimulatedServer([TRUTH], 256) as server, Relay(server.url, 256) as made:
        yield made


async def ask(relay: Relay, prompt: str, written: int = 0, **more: Any) -> tuple[Exchange, str]:
    async with httpx.AsyncClient(base_url=relay.url) as client:
        body = {"prompt": prompt, "n_predict": written, **more}
        answer = await client.post("/completion", json=body)
    return relay.exchanges[-1], answer.text


async def test_what_a_prompt_begins_with_in_common_is_not_read_again(relay: Relay) -> None:
    first, _ = await ask(relay, HERE)
    typed, _ = await ask(relay, HERE + " +")
    assert (first.cached, first.evaluated) == (0, len(tokens(HERE)))
    assert (typed.cached, typed.evaluated) == (len(tokens(HERE)), 1)


async def test_a_prompt_that_was_left_is_brought_back(relay: Relay) -> None:
    for prompt in (HERE, THERE):
        await ask(relay, prompt)
    back, _ = await ask(relay, HERE + " +")
    assert back.evaluated <= 2
    # But not for a short beginning of it, after which the slot holds no more than that.
    await ask(relay, THERE)
    await ask(relay, HERE[:40])
    again, _ = await ask(relay, HERE)
    assert again.evaluated > len(tokens(HERE)) // 2


async def test_it_says_what_stands_in_the_finished_file(relay: Relay) -> None:
    _, said = await ask(relay, HERE, 20, stop=["\n"])
    assert '" +"' in said
    assert '" b"' in said
    assert "last" not in said
    # What has been backed up over is demanded by a grammar.
    _, said = await ask(relay, HERE[:-2], 20, grammar='root ::= " a" [^\\x00]*', stop=["\n"])
    assert '" a"' in said
