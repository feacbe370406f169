"""Each fault ends in one state with a remedy, and all is well again without a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from sirdab.config.schema import EndpointSettings, Settings
from sirdab.endpoint.base import EndpointError, GenerationRequest, ProblemKind
from sirdab.endpoint.breaker import CircuitBreaker
from sirdab.endpoint.select import EndpointManager, EndpointState
from tests.support.doubles.ollama import Installed, OllamaDouble
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer

_OTHER_MODEL = "/models/starcoder2-3b-Q4_K_M.gguf"
OVERFLOW = b'{"error":{"type":"exceed_context_size_error","n_prompt_tokens":3001,"n_ctx":2048}}'


class Bench:
    """A manager of one endpoint, its clock and what it told."""

    def __init__(self, url: str) -> None:
        self.settings = Settings(endpoint=EndpointSettings(url=url))
        self.now = 1000.0
        self.states: list[EndpointState] = []
        self.manager = EndpointManager(
            lambda: self.settings,
            self.states.append,
            breaker=lambda: CircuitBreaker(clock=lambda: self.now, jitter=lambda: 0.0),
            clock=lambda: self.now,
            look_again_s=3600.0,
        )

    async def ask(self, **more: Any) -> str:
        endpoint = await self.manager.acquire()
        async with endpoint.generate(GenerationRequest("x", 64, **more)) as answer:
            return "".join([chunk.text async for chunk in answer])

    async def refused(self) -> EndpointError:
        with pytest.raises(EndpointError) as caught:
            await self.ask(first_token_ms=100)
        return caught.value

    @property
    def told(self) -> list[tuple[str, ProblemKind | None]]:
        return [(state.state, state.kind) for state in self.states]


@asynccontextmanager
async def bench(url: str) -> AsyncIterator[Bench]:
    made = Bench(url)
    try:
        yield made
    finally:
        await made.manager.aclose()


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and what is told of it.

    Attributes:
        name: What goes wrong.
        kind: What each request meanwhile is told.
        told: The states until it has gone on for a while.
        remedy: Words of the last one that say what to do.
    """

    name: str
    kind: ProblemKind
    told: tuple[tuple[str, ProblemKind | None], ...]
    remedy: str


FAULTS = [
    Fault("gone", ProblemKind.DOWN, (("offline", ProblemKind.DOWN),), "start the model server"),
    Fault(
        "ends half-way",
        ProblemKind.DOWN,
        # Once it is believed that it is back.
        (("offline", ProblemKind.DOWN), ("ready", None), ("offline", ProblemKind.DOWN)),
        "its own log",
    ),
    Fault("loading", ProblemKind.LOADING, (("starting", ProblemKind.LOADING),), "begin when"),
    Fault("busy", ProblemKind.BUSY, (("busy", ProblemKind.BUSY),), "parallel slots"),
    Fault("memory", ProblemKind.MEMORY, (("degraded", ProblemKind.MEMORY),), "smaller model"),
    Fault(
        "overflow", ProblemKind.OVERFLOW, (("degraded", ProblemKind.OVERFLOW),), "larger context"
    ),
    Fault("hangs", ProblemKind.TIMEOUT, (("degraded", ProblemKind.TIMEOUT),), "smaller model"),
    Fault("refuses", ProblemKind.REFUSED, (("degraded", ProblemKind.REFUSED),), "endpoint.kind"),
    Fault(
        "fails",
        ProblemKind.PROTOCOL,
        (("degraded", ProblemKind.PROTOCOL), ("offline", ProblemKind.PROTOCOL)),
        "its own log",
    ),
]


def suffer(fake: FakeLlamaCpp, name: str) -> None:
    answers = {
        "busy": RawAnswer("429 Too Many Requests"),
        "memory": RawAnswer("500 Oops", body=b'{"error":{"message":"CUDA out of memory"}}'),
        "overflow": RawAnswer("400 Bad Request", body=OVERFLOW),
        "refuses": RawAnswer("400 Bad Request"),
        "fails": RawAnswer("500 Oops"),
    }
    if name in answers:
        fake.raw["/completion"] = answers[name]
    fake.drop_after = 1 if name == "ends half-way" else None
    fake.loading = name == "loading"
    fake.hold_headers = asyncio.Event() if name == "hangs" else None


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_and_the_way_out_of_it(fault: Fault, monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp() as fake, bench(fake.url) as b:
        assert await b.ask() == "a + b"
        if fault.name == "loading":
            # Who asks while it is being loaded is not kept waiting here.
            monkeypatch.setattr("sirdab.endpoint.selection.supervision.LONGEST_WAIT_SECONDS", 0.2)
        before, port = len(b.states), fake.port
        if fault.name == "gone":
            await fake.stop()
        suffer(fake, fault.name)
        for _ in range(6):
            assert (await b.refused()).kind is fault.kind
        assert b.told[before:] == list(fault.told)
        message = b.states[-1].message
        assert fault.remedy in message
        assert message.endswith(".")
        assert "\n" not in message
        # It passes, and the next who asks after a while is served.
        suffer(fake, "")
        fake.raw.clear()
        if fault.name == "gone":
            await fake.start(port)
        b.now += 60
        async with asyncio.timeout(30):
            while b.states[-1].state != "ready":
                with_luck = await asyncio.gather(b.ask(), return_exceptions=True)
                if with_luck == ["a + b"]:
                    break
                await asyncio.sleep(0.01)
        assert await b.ask() == "a + b"
        assert b.told[-1] == ("ready", None)
        assert len(b.states) == before + len(fault.told) + 1


async def test_one_overflow_is_the_engines_to_mend():
    async with FakeLlamaCpp() as fake, bench(fake.url) as b:
        await b.ask()
        told = len(b.states)
        for _ in range(3):
            fake.raw["/completion"] = RawAnswer("400 Bad Request", body=OVERFLOW)
            error = await b.refused()
            assert (error.kind, error.limit_tokens) == (ProblemKind.OVERFLOW, 2048)
            fake.raw.clear()
            await b.ask()
        assert len(b.states) == told


async def test_a_model_that_is_too_slow():
    async with FakeLlamaCpp() as fake, bench(fake.url) as b:
        await b.ask()

        async def wait_for_an_answer(seconds: float) -> None:
            asked = len(fake.asked("/completion"))
            fake.hold_headers = asyncio.Event()
            task = asyncio.create_task(b.ask())
            async with asyncio.timeout(30):
                while len(fake.asked("/completion")) == asked:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            b.now += seconds
            fake.hold_headers.set()
            await task

        for _ in range(10):
            await wait_for_an_answer(6.0)
        assert b.told[-1] == ("degraded", ProblemKind.TIMEOUT)
        assert "smaller model" in b.states[-1].message
        assert [state for state, _ in b.told].count("degraded") == 1
        for _ in range(4):
            await wait_for_an_answer(0.1)
        assert b.told[-1] == ("ready", None)


async def test_a_model_that_is_taken_away_under_us():
    async with OllamaDouble() as ollama, bench(ollama.url) as b:
        ollama.installed = {"qwen2.5-coder:1.5b": Installed(), "qwen2.5-coder:0.5b": Installed()}
        first = await (await b.manager.acquire()).describe()
        await b.ask()
        del ollama.installed[first.name]
        ollama.loaded.pop(first.name, None)
        error = await b.refused()
        assert error.kind is ProblemKind.NO_MODEL
        assert b.told[-1] == ("degraded", ProblemKind.NO_MODEL)
        b.now += 60
        second = await (await b.manager.acquire()).describe()
        assert second.name != first.name
        assert (b.states[-1].state, b.states[-1].model) == ("ready", second.name)
        assert await b.ask()


async def test_a_model_that_the_server_does_not_have():
    async with OllamaDouble() as ollama, bench(ollama.url) as b:
        b.settings = Settings(endpoint=EndpointSettings(url=ollama.url, model="codestral"))
        with pytest.raises(EndpointError) as caught:
            await b.manager.acquire()
        assert caught.value.kind is ProblemKind.NO_MODEL
        assert "codestral" in caught.value.message
        assert "it has" in caught.value.message
        ollama.installed["codestral:latest"] = Installed()
        b.now += 60
        assert (await (await b.manager.acquire()).describe()).name == "codestral:latest"


async def test_a_server_that_was_restarted_with_another_model_between_two_keys():
    """It is never seen to be away, and answers all the time."""
    async with FakeLlamaCpp() as fake, bench(fake.url) as b:
        for _ in range(3):
            await b.ask()
        before = (await (await b.manager.acquire()).describe()).family
        fake.model_path = _OTHER_MODEL
        for _ in range(10):
            b.now += 10
            await b.ask()
        after = (await (await b.manager.acquire()).describe()).family
        assert (before.id, after.id) == ("qwen2.5-coder", "starcoder2")
        assert b.states[-1].model == "starcoder2-3b-Q4_K_M"
