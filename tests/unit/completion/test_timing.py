"""How fast a model is, where its server does not tell."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sirdab.completion.budget import Speed
from sirdab.completion.engine import Engine
from sirdab.completion.speeds import Speeds
from sirdab.completion.timing import Timing
from sirdab.endpoint.base import Chunk, GenerationRequest, Usage
from tests.support.completion import ScriptedEndpoint, request_for


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def answer(unread: int = 3_000, whole: int = 3_000) -> Timing:
    """Two seconds until the first word, then 300 characters in one second."""
    clock = Clock()
    timing = Timing(clock, unread, whole)
    for at, text in ((2.0, ""), (2.0, "ab"), (2.5, "c" * 150), (3.0, "d" * 150)):
        clock.now = at
        timing.take(text)
    clock.now = 3.1
    return timing


def test_the_servers_own_figures_count() -> None:
    reported = Usage(prompt_tokens=10, evaluated_tokens=5, prompt_ms=7.0, generated_ms=9.0)
    assert answer().usage(reported, 3.0) is reported


def test_our_clock_is_next() -> None:
    usage = answer().usage(Usage(), 3.0)
    assert (usage.evaluated_tokens, usage.prompt_ms) == (1_000, 2_000.0)
    assert (usage.generated_tokens, usage.generated_ms) == (100, 1_000.0)


def test_tokens_that_the_server_counted_are_believed() -> None:
    usage = answer(unread=1_500).usage(Usage(prompt_tokens=800), 3.0)
    assert usage.evaluated_tokens == 400
    assert usage.prompt_tokens == 800


def test_an_answer_without_text_says_nothing() -> None:
    clock = Clock()
    timing = Timing(clock, 3_000, 3_000)
    clock.now = 5.0
    assert timing.usage(Usage(), 3.0) == Usage()
    assert timing.first_ms is None
    assert timing.total_ms == pytest.approx(5_000)


@pytest.mark.parametrize(("unread", "known"), [(3_000, True), (100, False)])
def test_a_window_follows_our_clock(unread: int, known: bool) -> None:
    speed = Speed()
    speed.record(answer(unread).usage(Usage(), 0.0), 3_000)
    assert bool(speed.tokens_per_second) is known
    assert speed.written_per_second == pytest.approx(100)


class SilentEndpoint(ScriptedEndpoint):
    """Tells nothing of what its answers cost."""

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        async def stream() -> AsyncIterator[Chunk]:
            for character in self.answer:
                yield Chunk(character)

        yield stream()


async def test_the_engine_learns_from_its_own_clock() -> None:
    ticks = itertools.count()
    speeds = Speeds()
    endpoint = SilentEndpoint(
        "result = first_value + second_value + third_value\n", constrains=False
    )
    engine = Engine(endpoint, clock=lambda: next(ticks) / 10, speeds=speeds)
    marked = "value = 1\n" * 100 + "$0"
    assert (await engine.complete(request_for(marked))).suggestions
    learnt = speeds.of(await endpoint.describe())
    assert learnt.tokens_per_second > 0
    # A tenth of a second for each character, of which there are three to a token.
    assert learnt.written_per_second == pytest.approx(10 / 3, rel=0.2)
    before = learnt.tokens_per_second
    # The same again is known to the server, so nothing can be learnt of its reading.
    await engine.complete(request_for(marked), fresh=True)
    assert learnt.tokens_per_second == before
