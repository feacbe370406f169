"""A prompt that is too long for the model's context."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from sirdab.completion.budget import Speed
from sirdab.completion.engine import Engine
from sirdab.completion.request import Reason, Trigger
from sirdab.endpoint.base import Chunk, EndpointError, GenerationRequest, ProblemKind
from tests.support.completion import ScriptedEndpoint, request_for

LINES = "".join(f"value_{number} = {number}\n" for number in range(400))
PLACE = f"{LINES}x = $0\n{LINES}"


@dataclass
class NarrowEndpoint(ScriptedEndpoint):
    """Refuses prompts that are longer than its context."""

    holds: int = 1_000
    says: int = 0
    context_tokens: int = 0

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        sizes = [len(request.prompt), *(len(one.content) for one in request.messages)]
        if sum(sizes) > self.holds:
            self.requests.append(request)
            raise EndpointError(
                ProblemKind.OVERFLOW, "It is too long; use less.", limit_tokens=self.says
            )
        async with super().generate(request) as chunks:
            yield chunks


def sizes(endpoint: NarrowEndpoint) -> list[int]:
    return [len(request.prompt) for request in endpoint.requests]


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("trigger", list(Trigger))
async def test_it_is_asked_once_more_with_half_of_it(trigger: Trigger, fresh: bool) -> None:
    endpoint = NarrowEndpoint("1\n", holds=1_600)
    request = request_for(PLACE, trigger=trigger)
    outcome = await Engine(endpoint).complete(request, fresh=fresh)
    assert outcome.reason is Reason.SUGGESTED
    assert outcome.suggestions[0].text == "1"
    first, second = sizes(endpoint)
    assert 0.3 * first < second <= 0.55 * first
    assert outcome.trace["narrowed"] == {"from": first, "to": second}


async def test_the_next_key_does_not_overflow_again() -> None:
    endpoint = NarrowEndpoint("1\n", holds=1_600)
    engine = Engine(endpoint)
    await engine.complete(request_for(PLACE))
    await engine.complete(request_for(PLACE.replace("x = ", "another = ")))
    await engine.complete(request_for(PLACE, uri="untitled:other"))
    first, *rest = sizes(endpoint)
    assert first > 1_600
    assert len(rest) == 3
    assert max(rest) <= 1_600


async def test_what_the_server_says_it_holds_is_believed() -> None:
    endpoint = NarrowEndpoint("1\n", holds=1_600, says=900)
    outcome = await Engine(endpoint).complete(request_for(PLACE))
    assert outcome.reason is Reason.SUGGESTED
    # (900 - 256 for the answer - 32) tokens of 2.5 characters.
    assert 300 < sizes(endpoint)[1] <= 1_530


async def test_a_limit_that_explains_nothing_is_not() -> None:
    endpoint = NarrowEndpoint("1\n", holds=1_600, says=100_000)
    outcome = await Engine(endpoint).complete(request_for(PLACE))
    assert outcome.reason is Reason.SUGGESTED
    assert len(sizes(endpoint)) == 2


async def test_it_is_not_asked_a_third_time() -> None:
    endpoint = NarrowEndpoint("1\n", holds=100)
    outcome = await Engine(endpoint).complete(request_for(PLACE))
    assert outcome.reason is Reason.ENDPOINT
    assert outcome.detail == "It is too long; use less."
    assert outcome.trace["problem"] == "overflow"
    assert len(endpoint.requests) == 2


async def test_other_problems_are_not_retried() -> None:
    class Busy(ScriptedEndpoint):
        @asynccontextmanager
        async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
            self.requests.append(request)
            raise EndpointError(ProblemKind.BUSY, "It is busy; wait.")
            yield

    endpoint = Busy("1\n")
    outcome = await Engine(endpoint).complete(request_for(PLACE))
    assert outcome.trace["problem"] == "busy"
    assert len(endpoint.requests) == 1


def test_a_server_that_holds_something_else_now_is_believed_anew() -> None:
    speed = Speed()
    wide = speed.budget(8_192, 256)
    speed.narrow(2_600, 8_192, 256)
    narrow = speed.budget(8_192, 256)
    assert narrow.before + narrow.after <= 1_300 < wide.before + wide.after
    assert speed.context_room(8_192, 256) <= 1
    assert speed.budget(32_768, 256) == wide


def test_there_is_always_something_left() -> None:
    speed = Speed()
    for _ in range(20):
        speed.narrow(10, 0, 256)
    budget = speed.budget(0, 256)
    assert budget.before > 100
    assert budget.after > 20
