"""Reading ahead, in slices that give way."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sirdab.completion import warm
from sirdab.completion.engine import Engine
from sirdab.completion.sent import MOST_CHARACTERS, MOST_PROMPTS, SentPrompts
from sirdab.endpoint.base import Chunk, EndpointError, GenerationRequest, ProblemKind, Usage
from sirdab.policy.audit import AuditTrail
from tests.support.completion import ScriptedEndpoint, request_for

# No line stands in it twice, or the next one would be copied without a word of the model.
LONG = "def f(a, b):\n" + "".join(f"    v{n} = a + b\n" for n in range(60)) + "    $0\n"


class ReadingEndpoint(ScriptedEndpoint):
    """A model that reads a token of three characters in a fixed time and remembers them."""

    def __init__(self, token_ms: float = 5.0) -> None:
        super().__init__("x")
        self.token_ms = token_ms
        self.known = ""
        self.fails = False

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        self.requests.append(request)
        if self.fails:
            raise EndpointError(ProblemKind.DOWN, "It is gone.")
        same = 0
        while request.prompt[: same + 1] == self.known[: same + 1] and same < len(self.known):
            same += 1
        tokens = max(1, (len(request.prompt) - same) // 3)
        self.known = request.prompt

        async def stream() -> AsyncIterator[Chunk]:
            usage = Usage(
                prompt_tokens=len(request.prompt) // 3,
                evaluated_tokens=tokens,
                prompt_ms=tokens * self.token_ms,
            )
            yield Chunk("", usage=usage)

        yield stream()


async def at_once(work: Callable[[], Awaitable[Usage]]) -> Usage:
    return await work()


async def read(endpoint: ReadingEndpoint, prompt: str, *known: str) -> Usage:
    sent = SentPrompts()
    for one in known:
        sent.add(one)
    return await warm.read_ahead(
        endpoint,
        prompt,
        sent=sent,
        keeps_moved=False,
        turn=at_once,
        timeout_ms=1000,
        on_send=lambda _: None,
    )


async def test_a_prompt_is_read_in_slices_that_append() -> None:
    endpoint = ReadingEndpoint()
    prompt = "a line of code\n" * 200
    usage = await read(endpoint, prompt)
    sent = [request.prompt for request in endpoint.requests]
    assert sent[-1] == prompt
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(sent))
    assert all(request.max_tokens == 0 for request in endpoint.requests)
    assert usage.evaluated_tokens == pytest.approx(len(prompt) // 3, rel=0.05)


@pytest.mark.parametrize("token_ms", [0.05, 1.0, 5.0, 20.0])
async def test_a_slice_is_about_as_long_as_it_may_be(token_ms: float) -> None:
    endpoint = ReadingEndpoint(token_ms)
    await read(endpoint, "x" * 12_000)
    sizes = [len(request.prompt) for request in endpoint.requests]
    slices = [after - before for before, after in itertools.pairwise(sizes)]
    longest_ms = max(slices) / 3 * token_ms
    assert longest_ms <= max(warm.SLICE_MS * 1.1, 120 / 3 * token_ms)


async def test_what_the_server_knows_is_not_sent_again() -> None:
    endpoint = ReadingEndpoint()
    prompt = "".join(f"line {number} of code\n" for number in range(200))
    await read(endpoint, prompt, prompt + "more")
    assert endpoint.requests == []
    await read(endpoint, prompt, prompt[:1500] + "other")
    # A shorter prompt than what both begin with would make the server forget.
    assert min(len(request.prompt) for request in endpoint.requests) > 1500


async def test_a_place_that_was_left_is_known_still() -> None:
    endpoint = ReadingEndpoint()
    prompt = "".join(f"line {number} of code\n" for number in range(200))
    await read(endpoint, prompt + "typed", prompt, "another place", "a third one")
    assert [request.prompt for request in endpoint.requests] == [prompt + "typed"]


async def test_reading_ends_when_something_else_was_asked_for() -> None:
    endpoint = ReadingEndpoint()
    engine = Engine(endpoint)
    other = LONG.replace("$0", "").replace("\n", "\n$0", 1)

    async def interrupted(work: Callable[[], Awaitable[Usage]]) -> Usage:
        if len(endpoint.requests) == 2:
            await engine.complete(request_for(other))
        return await work()

    await engine.warm(request_for(LONG), interrupted)
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize("count", [1, 5, 40])
def test_so_many_prompts_are_remembered(count: int) -> None:
    sent = SentPrompts()
    prompts = [f"prompt {number} of many" for number in range(count)]
    for prompt in prompts:
        sent.add(prompt)
    known = [prompt for prompt in prompts if sent.known(prompt) == len(prompt)]
    assert known == prompts[-MOST_PROMPTS:]


def test_long_prompts_are_forgotten_sooner() -> None:
    sent = SentPrompts()
    for letter in "abcdef":
        sent.add(letter * (MOST_CHARACTERS // 4))
    assert [sent.known(letter) for letter in "abcdef"] == [0, 0, 1, 1, 1, 1]


def test_a_prompt_that_goes_on_takes_the_place_of_its_beginning() -> None:
    sent = SentPrompts()
    sent.add("other")
    for length in range(1, 100):
        sent.add("x" * length)
    assert sent.known("other") == 5
    assert sent.known("x" * 200) == 99


async def test_a_place_that_was_asked_about_is_warm() -> None:
    endpoint = ReadingEndpoint()
    engine = Engine(endpoint)
    await engine.complete(request_for(LONG))
    assert len(endpoint.requests) == 1
    await engine.warm(request_for(LONG), at_once)
    assert len(endpoint.requests) == 1


async def test_the_prompt_is_the_one_that_will_be_asked() -> None:
    endpoint = ReadingEndpoint()
    engine = Engine(endpoint)
    assert await engine.warm(request_for(LONG), at_once)
    ahead = endpoint.requests[-1].prompt
    assert len(endpoint.requests) > 3
    await engine.complete(request_for(LONG), fresh=True)
    assert endpoint.requests[-1].prompt == ahead
    assert endpoint.requests[-1].max_tokens > 0


@pytest.mark.parametrize(
    "options",
    [{"enabled": False}, {"disabled_languages": ("python",)}],
)
async def test_nothing_is_read_where_nothing_would_be_suggested(options: dict[str, Any]) -> None:
    endpoint = ReadingEndpoint()
    assert not await Engine(endpoint).warm(request_for(LONG, **options), at_once)
    assert endpoint.requests == []


async def test_a_server_that_fails_is_left_alone() -> None:
    endpoint = ReadingEndpoint()
    endpoint.fails = True
    await Engine(endpoint).warm(request_for(LONG), at_once)
    assert len(endpoint.requests) == 1
    endpoint.problem = EndpointError(ProblemKind.DOWN, "It is gone.")
    assert not await Engine(endpoint).warm(request_for(LONG), at_once)


async def test_it_can_be_given_up() -> None:
    async def never(work: Callable[[], Awaitable[Usage]]) -> Usage:
        await asyncio.Event().wait()
        return await work()

    task = asyncio.create_task(Engine(ReadingEndpoint()).warm(request_for(LONG), never))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_was_not_read_is_read_the_next_time() -> None:
    endpoint = ReadingEndpoint()
    engine = Engine(endpoint)

    async def twice(work: Callable[[], Awaitable[Usage]]) -> Usage:
        if len(endpoint.requests) == 2:
            raise asyncio.CancelledError
        return await work()

    with pytest.raises(asyncio.CancelledError):
        await engine.warm(request_for(LONG), twice)
    await engine.warm(request_for(LONG), at_once)
    sent = [request.prompt for request in endpoint.requests]
    assert len(sent) > 3
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(sent))
    assert len(set(sent)) == len(sent)


async def test_what_was_sent_leaves_a_record(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path / "audit.jsonl")
    endpoint = ReadingEndpoint()
    engine = Engine(endpoint, audit=trail)

    async def twice(work: Callable[[], Awaitable[Usage]]) -> Usage:
        if len(endpoint.requests) == 2:
            raise asyncio.CancelledError
        return await work()

    with pytest.raises(asyncio.CancelledError):
        await engine.warm(request_for(LONG), twice)
    sent = [endpoint.requests[-1].prompt]
    await engine.warm(request_for(LONG), at_once)
    sent.append(endpoint.requests[-1].prompt)
    # All of it is known now, so nothing is sent.
    await engine.warm(request_for(LONG), at_once)
    records = [json.loads(line) for line in trail.path.read_text("utf-8").splitlines()]
    assert [record["characters"] for record in records] == [len(prompt) for prompt in sent]


async def test_what_has_moved_in_the_same_document_is_kept() -> None:
    endpoint = ReadingEndpoint()
    engine = Engine(endpoint)
    await engine.complete(request_for(LONG, uri="file:///a.py"), fresh=True)
    await engine.complete(request_for("x = 1\n" + LONG, uri="file:///a.py"), fresh=True)
    await engine.complete(request_for(LONG, uri="file:///b.py"), fresh=True)
    assert [request.keeps_moved for request in endpoint.requests] == [False, True, False]
