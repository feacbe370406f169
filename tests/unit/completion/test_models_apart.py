"""What one model has said or read is not taken for another one's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from sirdab.completion.engine import Engine
from sirdab.completion.request import Trigger
from sirdab.endpoint.base import Chunk, GenerationRequest, ModelInfo, Usage
from tests.support.completion import ScriptedEndpoint, request_for

START = "def f(a, b):\n    $0\n\nprint(1)\n"
TYPED = "def f(a, b):\n    re$0\n\nprint(1)\n"
HERE, THERE = "http://127.0.0.1:1", "http://127.0.0.1:2"
OTHER = "starcoder2-3b"


@dataclass
class Placed(ScriptedEndpoint):
    """A model at an address, which may be gone over from."""

    url: str = HERE
    held: asyncio.Event | None = None

    async def describe(self) -> ModelInfo:
        return replace(await super().describe(), url=self.url)

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        async with super().generate(request) as chunks:
            if self.held is not None:
                await self.held.wait()
            yield chunks


class Switched:
    """Gives out the model that is in use now."""

    def __init__(self, *models: Placed) -> None:
        self.models = models
        self.now = 0

    async def acquire(self) -> Placed:
        return self.models[self.now]

    def go_over(self, engine: Engine, number: int) -> None:
        self.now = number
        model = self.models[number]
        engine.served_by(model.model, model.url)


@pytest.mark.parametrize(("model", "url"), [(OTHER, HERE), (ScriptedEndpoint.model, THERE)])
async def test_what_a_model_said_is_not_shown_for_another(model: str, url: str) -> None:
    first = Placed("return a + b\n\n")
    second = Placed("return a - b\n\n", model=model, url=url)
    source = Switched(first, second)
    engine = Engine(source)
    request = request_for(START, trigger=Trigger.AUTOMATIC)
    assert (await engine.complete(request)).suggestions[0].text == "return a + b"
    assert engine.recall(request) is not None

    source.go_over(engine, 1)
    typed = request_for(TYPED, trigger=Trigger.AUTOMATIC)
    assert engine.recall(request) is None
    assert engine.recall(typed) is None
    assert (await engine.complete(request)).suggestions[0].text == "return a - b"
    assert len(second.requests) == 1

    # When the first one is back, so is what it said.
    source.go_over(engine, 0)
    again = engine.recall(typed)
    assert again is not None
    assert again.suggestions[0].text == "turn a + b"


async def test_the_model_that_answers_is_the_one_that_is_remembered() -> None:
    """Nobody told of the change: it is seen when the next question is made."""
    source = Switched(Placed("return a + b\n\n"), Placed("return a - b\n\n", model=OTHER))
    engine = Engine(source)
    await engine.complete(request_for(START))
    source.now = 1
    elsewhere = request_for(START, uri="untitled:other")
    assert (await engine.complete(elsewhere)).suggestions[0].text == "return a - b"
    assert engine.recall(request_for(START)) is None


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_an_answer_under_way_is_still_the_answer_of_its_own_request() -> None:
    held = asyncio.Event()
    first = Placed("return a + b\n\n", held=held)
    source = Switched(first, Placed("return a - b\n\n", model=OTHER))
    engine = Engine(source)
    request = request_for(START)
    asking = asyncio.create_task(engine.complete(request))
    await until(lambda: bool(first.requests))
    assert engine.is_answering(request)
    source.go_over(engine, 1)
    # Whoever comes now is for the other one.
    assert not engine.is_answering(request)
    held.set()
    outcome = await asking
    assert outcome.suggestions[0].text == "return a + b"
    assert engine.recall(request) is None


async def test_alternatives_of_another_model_do_not_mix() -> None:
    source = Switched(Placed("return a + b\n\n"), Placed("return a - b\n\n", model=OTHER))
    engine = Engine(source)
    request = replace(request_for(START), alternatives=3)
    await engine.complete(request)
    # It has been gone over to, and nobody has told yet.
    source.now = 1
    outcome = await engine.complete(request)
    assert [one.text for one in outcome.suggestions] == ["return a + b"]
    outcome = await engine.complete(request)
    assert [one.text for one in outcome.suggestions] == ["return a - b"]


async def test_what_another_model_has_read_is_read_again() -> None:
    """Reading ahead is not left out because the model before had read it."""
    first, second = Placed("x\n"), Placed("y\n", model=OTHER)
    source = Switched(first, second)
    engine = Engine(source)
    request = request_for("value = 1\n" * 400 + "x = $0\n")

    async def at_once(work: Callable[[], Awaitable[Usage]]) -> Usage:
        return await work()

    assert await engine.warm(request, at_once)
    read = len(first.requests)
    assert read
    await engine.warm(request, at_once)
    assert len(first.requests) == read
    source.go_over(engine, 1)
    await engine.warm(request, at_once)
    assert second.requests
