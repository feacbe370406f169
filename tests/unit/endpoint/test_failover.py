"""Several endpoints in the settings: the first one that is well is used."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from sirdab.config.schema import EndpointSettings, Settings
from sirdab.endpoint.base import EndpointError, GenerationRequest, ProblemKind
from sirdab.endpoint.breaker import CircuitBreaker
from sirdab.endpoint.select import EndpointManager, EndpointState
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not take the first one for one that hangs."""
    monkeypatch.setattr("sirdab.endpoint.selection.manager._HEAD_START_SECONDS", 30.0)


class Bench:
    """A manager of several endpoints, its clock and what it told."""

    def __init__(self, *urls: str, look_again_s: float = 3600.0) -> None:
        self.settings = Settings(endpoint=EndpointSettings(url=urls))
        self.now = 1000.0
        self.states: list[EndpointState] = []
        self.manager = EndpointManager(
            lambda: self.settings,
            self.states.append,
            breaker=lambda: CircuitBreaker(clock=lambda: self.now, jitter=lambda: 0.0),
            clock=lambda: self.now,
            look_again_s=look_again_s,
        )

    async def ask(self, **more: Any) -> str:
        endpoint = await self.manager.acquire()
        async with endpoint.generate(GenerationRequest("x", 64, **more)) as answer:
            return "".join([chunk.text async for chunk in answer])

    async def refused(self, **more: Any) -> EndpointError:
        with pytest.raises(EndpointError) as caught:
            await self.ask(**more)
        return caught.value

    async def until(self, state: str, endpoint: str, step: float = 0.0) -> None:
        async with asyncio.timeout(30):
            while (self.states[-1].state, self.states[-1].endpoint) != (state, endpoint):
                # A try may fail after the clock was moved, which leaves it alone once more.
                self.now += step
                await asyncio.sleep(0.005)


@asynccontextmanager
async def bench(*urls: str, **options: Any) -> AsyncIterator[Bench]:
    made = Bench(*urls, **options)
    try:
        yield made
    finally:
        await made.manager.aclose()


async def test_the_first_that_is_well():
    async with (
        FakeLlamaCpp(answer=["one"]) as one,
        FakeLlamaCpp(answer=["two"]) as two,
        bench(one.url, two.url) as b,
    ):
        assert await b.ask() == "one"
        assert (b.states[-1].state, b.states[-1].endpoint) == ("ready", one.url)
        assert two.connections == 0


async def test_one_that_was_never_there_is_passed_over():
    async with FakeLlamaCpp() as gone:
        pass
    async with FakeLlamaCpp(answer=["two"]) as two, bench(gone.url, two.url) as b:
        assert await b.ask() == "two"
        assert (b.states[-1].state, b.states[-1].endpoint) == ("ready", two.url)
        assert "stands in for" in b.states[-1].message
        asked = len(two.asked("/health"))
        for _ in range(10):
            assert await b.ask() == "two"
        assert len(two.asked("/health")) == asked
        # What is wrong with one of several is nobody's problem.
        assert all(state.kind is None or state.state == "starting" for state in b.states)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("gone", ProblemKind.DOWN),
        ("hangs", ProblemKind.TIMEOUT),
        ("garbage", ProblemKind.PROTOCOL),
        ("fails", ProblemKind.PROTOCOL),
        ("busy", ProblemKind.BUSY),
        ("memory", ProblemKind.MEMORY),
        ("loading", ProblemKind.LOADING),
    ],
)
async def test_one_that_fails_is_left_within_one_request_and_used_again_when_it_is_well(
    fault: str, kind: ProblemKind
):
    async with (
        FakeLlamaCpp(answer=["one"]) as one,
        FakeLlamaCpp(answer=["two"]) as two,
        bench(one.url, two.url, look_again_s=0.05) as b,
    ):
        assert await b.ask() == "one"
        port = one.port
        await suffer(one, fault)
        assert (await b.refused(first_token_ms=100)).kind is kind
        assert await b.ask() == "two"
        await b.until("ready", two.url)
        # The reason why it is not the first one.
        assert one.url in b.states[-1].message
        for _ in range(5):
            assert await b.ask() == "two"
        await recover(one, port)
        await b.until("ready", one.url, step=3600)
        assert await b.ask() == "one"
        # One that was left says nothing any more.
        told = len(b.states)
        await two.stop()
        assert await b.ask() == "one"
        assert len(b.states) == told


async def suffer(fake: FakeLlamaCpp, fault: str) -> None:
    match fault:
        case "gone":
            await fake.stop()
        case "hangs":
            fake.hold_headers = asyncio.Event()
        case "garbage":
            fake.stream_body = b"garbage\n\n"
        case "loading":
            fake.loading = True
        case _:
            status, body = {
                "fails": ("500 Oops", b""),
                "busy": ("429 Too Many Requests", b""),
                "memory": ("500 Oops", b'{"error":{"message":"CUDA out of memory"}}'),
            }[fault]
            fake.raw["/completion"] = RawAnswer(status, body=body)


async def recover(fake: FakeLlamaCpp, port: int) -> None:
    fake.hold_headers = fake.stream_body = None
    fake.raw.clear()
    fake.loading = False
    await fake.stop()
    await fake.start(port)


async def test_none_is_there():
    async with FakeLlamaCpp() as one, FakeLlamaCpp() as two:
        pass
    async with bench(one.url, two.url) as b:
        error = await b.refused()
        assert error.kind is ProblemKind.DOWN
        assert one.url in error.message
        assert b.states[-1].state == "offline"
        assert [state.state for state in b.states].count("offline") == 1


async def test_a_forbidden_one_does_not_stop_the_others():
    async with FakeLlamaCpp(answer=["two"]) as two, bench("http://192.0.2.1", two.url) as b:
        assert await b.ask() == "two"
        assert b.states[-1].state == "ready"


async def test_one_that_hangs_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sirdab.endpoint.selection.manager._HEAD_START_SECONDS", 0.05)

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with FakeLlamaCpp(answer=["two"]) as two, bench(url, two.url) as b:
        assert await b.ask() == "two"
    server.close()


async def test_one_that_hangs_does_not_keep_one_that_is_slow_to_open_from_being_used(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("sirdab.endpoint.selection.manager._HEAD_START_SECONDS", 0.05)
    monkeypatch.setattr("sirdab.endpoint.identify._LONGEST_SECONDS", 0.5)
    asked = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        asked.set()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with FakeLlamaCpp(answer=["two"]) as two, bench(url, two.url, look_again_s=0.05) as b:
        two.loading = True
        answer = asyncio.ensure_future(b.ask())
        # The first one is given up before the second one is there.
        await asyncio.wait_for(asked.wait(), 30)
        two.loading = False
        assert await answer == "two"
    server.close()


async def test_looking_again_at_the_first_is_no_reason_to_leave_it():
    async with (
        FakeLlamaCpp(answer=["one"]) as one,
        FakeLlamaCpp(answer=["two"]) as two,
        bench(one.url, two.url, look_again_s=0.02) as b,
    ):
        # The second one has been used, and is well for all that is known.
        assert await b.ask() == "one"
        port = one.port
        await one.stop()
        await b.refused()
        assert await b.ask() == "two"
        await one.start(port)
        await b.until("ready", one.url, step=3600)
        assert await b.ask() == "one"
        told = len(b.states)
        for _ in range(3):
            # Long enough for all to be looked at again before they are believed.
            b.now += 3600
            asking: list[asyncio.Task[str]] = []
            for _ in range(4):
                asking.append(asyncio.create_task(b.ask()))
                # The later ones come while it is being looked at.
                await asyncio.sleep(0)
            assert await asyncio.gather(*asking) == ["one"] * 4
        assert {state.endpoint for state in b.states[told:]} <= {one.url}


async def test_changed_settings():
    async with (
        FakeLlamaCpp(answer=["one"]) as one,
        FakeLlamaCpp(answer=["two"]) as two,
        bench(one.url, two.url) as b,
    ):
        assert await b.ask() == "one"
        b.settings = replace(b.settings, endpoint=EndpointSettings(url=(two.url, one.url)))
        assert await b.ask() == "two"
        assert b.states[-1].endpoint == two.url
        assert [model.name for model in await b.manager.models()] == [
            "qwen2.5-coder-0.5b-instruct-q4_k_m"
        ]
