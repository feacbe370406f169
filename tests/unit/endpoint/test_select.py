"""The manager: one endpoint, one state, no pile-up, recovery without a restart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sirdab.config.schema import EndpointSettings, Settings
from sirdab.endpoint.base import Chunk, Endpoint, EndpointError, GenerationRequest, ProblemKind
from sirdab.endpoint.breaker import CircuitBreaker
from sirdab.endpoint.select import EndpointManager, EndpointState
from sirdab.endpoint.selection import supervision
from sirdab.policy.loopback import EndpointAddress, check_endpoint_url
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer


@dataclass
class Running:
    url: str
    api_key: str


class Bench:
    """A manager with its settings, its clock and what it told."""

    def __init__(self, look_again_s: float = 3600.0, **endpoint: Any) -> None:
        self.settings = Settings(endpoint=EndpointSettings(**endpoint))
        self.now = 1000.0
        self.states: list[EndpointState] = []
        self.starts = 0
        self.embedded: FakeLlamaCpp | None = None
        self.start_problem: EndpointError | None = None
        self.start_gate: asyncio.Event | None = None
        self.manager = EndpointManager(
            lambda: self.settings,
            self.states.append,
            start_embedded=self.start,
            breaker=lambda: CircuitBreaker(clock=lambda: self.now, jitter=lambda: 0.0),
            clock=lambda: self.now,
            look_again_s=look_again_s,
        )

    async def start(
        self, model: str, *, on_progress: Callable[[str], None] | None = None
    ) -> Running:
        self.starts += 1
        if self.start_gate is not None:
            if on_progress is not None:
                on_progress(f"Reading {model}.")
            await self.start_gate.wait()
        if self.start_problem is not None:
            raise self.start_problem
        if self.embedded is None:
            self.embedded = FakeLlamaCpp(api_key="only-we-know")
            await self.embedded.start()
        return Running(self.embedded.url, "only-we-know")

    def configure(self, **endpoint: Any) -> None:
        self.settings = replace(self.settings, endpoint=replace(self.settings.endpoint, **endpoint))

    @property
    def words(self) -> list[str]:
        return [state.state for state in self.states]

    async def refusal(self) -> EndpointError:
        with pytest.raises(EndpointError) as caught:
            await self.manager.acquire()
        assert caught.value.message.endswith(".")
        assert "\n" not in caught.value.message
        return caught.value


@asynccontextmanager
async def bench(**endpoint: Any) -> AsyncIterator[Bench]:
    made = Bench(**endpoint)
    try:
        yield made
    finally:
        await made.manager.aclose()
        if made.embedded is not None:
            await made.embedded.stop()


async def complete(endpoint: Endpoint, **more: Any) -> str:
    async with endpoint.generate(GenerationRequest("x", 64, **more)) as answer:
        return "".join([chunk.text async for chunk in answer])


async def failure(endpoint: Endpoint, **more: Any) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await complete(endpoint, **more)
    return caught.value


# A configured server.


async def test_a_configured_server():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        endpoint = await b.manager.acquire()
        assert await complete(endpoint) == "a + b"
        assert await endpoint.count_tokens("a b") == 3
        assert (await endpoint.describe()).context_tokens == 2048
        assert b.words == ["starting", "ready"]
        assert b.states[-1].endpoint == fake.url
        assert b.states[-1].model == "qwen2.5-coder-0.5b-instruct-q4_k_m"
        assert b.starts == 0


async def test_a_working_endpoint_is_given_out_without_asking_the_server():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        first = await b.manager.acquire()
        asked = len(fake.requests)
        for _ in range(20):
            assert await b.manager.acquire() is first
        assert len(fake.requests) == asked


async def test_a_server_not_heard_of_for_long_is_looked_at_again():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        await b.manager.acquire()
        fake.model_path = "/models/other.gguf"
        b.now += 60
        endpoint = await b.manager.acquire()
        assert (await endpoint.describe()).name == "other"
        assert b.states[-1].model == "other"
        assert b.words == ["starting", "ready", "ready"]


async def test_a_server_that_hangs_is_found_out_while_somebody_types():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        fake.hold_headers = asyncio.Event()
        looks = len(fake.asked("/health"))
        for key in range(1, 5):
            endpoint = await b.manager.acquire()
            # The engine asks this for each key; it is remembered and proves nothing.
            await endpoint.describe()
            request = asyncio.create_task(complete(endpoint))
            async with asyncio.timeout(30):
                while len(fake.asked("/completion")) < key:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            request.cancel()
            await asyncio.wait({request})
            b.now += 1
        assert len(fake.asked("/health")) > looks
        fake.raw["/health"] = RawAnswer("500 Internal Server Error")
        b.now += 3
        assert (await b.refusal()).kind is ProblemKind.PROTOCOL
        assert b.states[-1].state == "offline"


@pytest.mark.parametrize(
    ("endpoint", "kind", "words"),
    [
        ({"url": "http://192.0.2.1"}, ProblemKind.POLICY, "allowRemote"),
        ({"url": "http://192.0.2.1", "allow_remote": True}, ProblemKind.POLICY, "https"),
        ({"url": "nonsense"}, ProblemKind.POLICY, "endpoint.url"),
        ({"url": "http://192.0.2.1", "allow_remote": 1}, ProblemKind.POLICY, "allowRemote"),
        ({"url": "http://127.0.0.1:1", "api_key_env": "NO_SUCH"}, ProblemKind.REFUSED, "NO_SUCH"),
        (
            {"url": "http://127.0.0.1:1", "api_key_env": "sk-0123"},
            ProblemKind.REFUSED,
            "not hold the name",
        ),
    ],
)
async def test_settings_that_cannot_work(
    endpoint: dict[str, Any], kind: ProblemKind, words: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("NO_SUCH", raising=False)
    async with bench(**endpoint) as b:
        error = await b.refusal()
        assert error.kind is kind
        assert words in error.message
        assert "sk-0123" not in error.message
        assert b.states[-1] == EndpointState("offline", error.message, kind=kind)
        assert b.starts == 0


async def test_a_server_elsewhere_is_a_standing_warning(monkeypatch: pytest.MonkeyPatch):
    def pretend(url: str, *, allow_remote: bool) -> EndpointAddress:
        return replace(check_endpoint_url(url, allow_remote=allow_remote), is_loopback=False)

    monkeypatch.setattr("sirdab.endpoint.selection.sources.check_endpoint_url", pretend)
    async with FakeLlamaCpp() as fake, bench(url=fake.url, allow_remote=True) as b:
        await b.manager.acquire()
        assert b.states[-1].state == "ready"
        assert "another machine" in b.states[-1].message


async def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MY_KEY", "sesame")
    async with (
        FakeLlamaCpp(api_key="sesame") as fake,
        bench(url=fake.url, api_key_env="MY_KEY") as b,
    ):
        assert await complete(await b.manager.acquire()) == "a + b"


async def test_a_wrong_key():
    async with FakeLlamaCpp(api_key="sesame") as fake, bench(url=fake.url) as b:
        error = await b.refusal()
        assert error.kind is ProblemKind.REFUSED
        assert "endpoint.apiKeyEnv" in error.message
        assert b.states[-1].state == "offline"


async def test_a_server_that_is_not_llamacpp():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        fake.raw["/props"] = RawAnswer("404 Not Found")
        assert (await b.refusal()).kind is ProblemKind.PROTOCOL


async def test_a_loading_server_is_waited_for():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        fake.loading = True
        waiting = asyncio.create_task(b.manager.acquire())
        async with asyncio.timeout(30):
            while len(fake.asked("/health")) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert b.states[-1].kind is ProblemKind.LOADING
        assert b.states[-1].state == "starting"
        fake.loading = False
        assert await complete(await waiting) == "a + b"
        assert b.words == ["starting", "starting", "ready"]


# A server that goes away and comes back.


async def test_a_dead_server_is_left_alone_and_comes_back():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        endpoint = await b.manager.acquire()
        port = fake.port
        await fake.stop()
        assert (await failure(endpoint)).kind is ProblemKind.DOWN
        assert b.states[-1].state == "offline"
        assert (await b.refusal()).kind is ProblemKind.DOWN
        # Back already, but nobody looks before the delay has passed.
        await fake.start(port)
        asked = len(fake.requests)
        for _ in range(5):
            assert (await b.refusal()).kind is ProblemKind.DOWN
        assert len(fake.requests) == asked
        b.now += 60
        assert await complete(await b.manager.acquire()) == "a + b"
        assert b.words == ["starting", "ready", "offline", "ready"]


async def test_a_server_that_was_never_there_appears():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        port = fake.port
        await fake.stop()
        for _ in range(4):
            await b.refusal()
            b.now += 60
        assert b.words == ["starting", "offline"]
        await fake.start(port)
        await b.manager.acquire()
        assert b.words == ["starting", "offline", "ready"]


async def test_a_server_that_is_well_by_its_own_account_and_fails_every_request():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        fake.stream_body = b"garbage\n\n"
        for _ in range(3):
            error = await failure(await b.manager.acquire())
            assert error.kind is ProblemKind.PROTOCOL
        asked = len(fake.requests)
        assert (await b.refusal()).kind is ProblemKind.PROTOCOL
        assert len(fake.requests) == asked
        # Its claims of being well did not make the status flicker.
        assert b.words == ["starting", "ready", "degraded", "offline"]
        fake.stream_body = None
        b.now += 60
        assert await complete(await b.manager.acquire()) == "a + b"
        assert b.words[-1] == "ready"


async def test_an_embedded_server_that_replaces_one_that_hung_is_ready():
    async with bench() as b:
        endpoint = await b.manager.acquire()
        assert b.embedded is not None
        b.embedded.hold_headers = asyncio.Event()
        assert (await failure(endpoint, first_token_ms=20)).kind is ProblemKind.TIMEOUT
        await b.embedded.stop()
        b.embedded = None
        b.now += 60
        await b.manager.acquire()
        assert b.starts == 2
        assert b.states[-1].state == "ready"


async def test_a_slow_server_is_degraded_until_it_answers():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        fake.hold_headers = asyncio.Event()
        error = await failure(await b.manager.acquire(), first_token_ms=20)
        assert error.kind is ProblemKind.TIMEOUT
        assert b.states[-1].state == "degraded"
        await b.manager.acquire()
        assert b.states[-1].state == "degraded"
        fake.hold_headers = None
        await complete(await b.manager.acquire())
        assert b.states[-1].state == "ready"


async def test_a_refused_request_does_not_take_the_server_away():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        fake.raw["/completion"] = RawAnswer("400 Bad Request")
        for _ in range(10):
            error = await failure(await b.manager.acquire())
            assert error.kind is ProblemKind.REFUSED
        assert b.states[-1].state == "degraded"
        fake.raw.clear()
        await complete(await b.manager.acquire())
        assert b.words == ["starting", "ready", "degraded", "ready"]


async def test_a_model_that_is_unloaded_under_us():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        endpoint = await b.manager.acquire()
        fake.loading = True
        assert (await failure(endpoint)).kind is ProblemKind.LOADING
        fake.loading = False
        assert await complete(await b.manager.acquire()) == "a + b"
        assert b.words == ["starting", "ready", "starting", "ready"]


async def test_cancelled_requests_are_nobodys_fault():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        fake.hold_headers = asyncio.Event()
        for number in range(5):
            task = asyncio.create_task(complete(await b.manager.acquire()))
            async with asyncio.timeout(30):
                while len(fake.asked("/completion")) <= number:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert b.words == ["starting", "ready"]
        fake.hold_headers = None
        assert await complete(await b.manager.acquire()) == "a + b"


async def test_busy_is_told_only_when_it_lasts():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        await complete(await b.manager.acquire())
        assert b.words == ["starting", "ready"]
        told = asyncio.Event()
        fake.hold_after = (1, told)
        endpoint = await b.manager.acquire()
        task = asyncio.create_task(complete(endpoint))
        async with asyncio.timeout(30):
            while b.words[-1] != "busy":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        told.set()
        await task
        assert b.words == ["starting", "ready", "busy", "ready"]


async def test_a_reader_that_leaves_early_was_served(monkeypatch: pytest.MonkeyPatch):
    # On a busy machine the answer may well take longer than a person would wait for it.
    monkeypatch.setattr(supervision, "BUSY_AFTER_SECONDS", 60.0)
    async with FakeLlamaCpp(answer=["a"] * 100) as fake, bench(url=fake.url) as b:
        endpoint = await b.manager.acquire()
        fake.piece_delay = 0.005
        async with endpoint.generate(GenerationRequest("x", 100)) as answer:
            assert isinstance(await anext(aiter(answer)), Chunk)
        assert b.words == ["starting", "ready"]


# No pile-up.


async def test_ten_callers_start_one_server():
    async with bench() as b:
        b.start_gate = asyncio.Event()
        callers = [asyncio.create_task(b.manager.acquire()) for _ in range(10)]
        await asyncio.sleep(0.05)
        b.start_gate.set()
        found = await asyncio.gather(*callers)
        assert b.starts == 1
        assert len({id(endpoint) for endpoint in found}) == 1


async def test_a_caller_that_goes_does_not_stop_the_start():
    async with bench() as b:
        b.start_gate = asyncio.Event()
        callers = [asyncio.create_task(b.manager.acquire()) for _ in range(3)]
        await asyncio.sleep(0.05)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        assert all(caller.cancelled() for caller in callers)
        b.start_gate.set()
        assert await complete(await b.manager.acquire()) == "a + b"
        assert b.starts == 1


async def test_ten_callers_share_one_failure():
    async with bench() as b:
        b.start_gate = asyncio.Event()
        b.start_problem = EndpointError(ProblemKind.NOT_INSTALLED, "Run sirdab model pull.")
        callers = [asyncio.create_task(b.manager.acquire()) for _ in range(10)]
        await asyncio.sleep(0.05)
        b.start_gate.set()
        found = await asyncio.gather(*callers, return_exceptions=True)
        assert {str(error) for error in found} == {b.states[-1].message}
        assert b.starts == 1
        assert b.words.count("offline") == 1


# The embedded server.


async def test_the_embedded_server():
    async with bench(model="some-model") as b:
        b.start_gate = asyncio.Event()
        waiting = asyncio.create_task(b.manager.acquire())
        await asyncio.sleep(0.05)
        assert [state.message for state in b.states] == [
            "Looking for model servers on this machine.",
            "Reading some-model.",
        ]
        b.start_gate.set()
        assert await complete(await waiting) == "a + b"
        assert b.words[-1] == "ready"


async def test_the_embedded_server_is_started_again_when_it_dies():
    async with bench() as b:
        endpoint = await b.manager.acquire()
        assert b.embedded is not None
        await b.embedded.stop()
        b.embedded = None
        assert (await failure(endpoint)).kind is ProblemKind.DOWN
        assert await complete(await b.manager.acquire()) == "a + b"
        assert b.starts == 2
        assert b.words == ["starting", "ready", "offline", "ready"]


async def test_an_embedded_server_that_left_while_idle_is_not_even_noticed():
    async with bench() as b:
        await b.manager.acquire()
        assert b.embedded is not None
        await b.embedded.stop()
        b.embedded = None
        b.now += 3600
        assert await complete(await b.manager.acquire()) == "a + b"
        assert b.starts == 2
        assert "offline" not in b.words


async def test_a_model_that_gets_installed_later():
    async with bench() as b:
        b.start_problem = EndpointError(ProblemKind.NOT_INSTALLED, "Run sirdab model pull.")
        assert (await b.refusal()).kind is ProblemKind.NOT_INSTALLED
        assert (await b.refusal()).kind is ProblemKind.NOT_INSTALLED
        assert b.starts == 1
        b.start_problem = None
        b.now += 60
        assert await complete(await b.manager.acquire()) == "a + b"


async def test_a_bug_in_the_start_is_a_sentence_too():
    async with bench() as b:

        async def broken(model: str, *, on_progress: object = None) -> Running:
            raise OSError("no space left")

        b.manager._start_embedded = broken
        error = await b.refusal()
        assert "sirdab doctor" in error.message
        assert b.states[-1].state == "offline"


# Settings that change, and the end.


async def test_changed_settings_move_to_the_new_server():
    async with (
        FakeLlamaCpp(answer=["one"]) as one,
        FakeLlamaCpp(answer=["two"]) as two,
        bench(url=one.url) as b,
    ):
        assert await complete(await b.manager.acquire()) == "one"
        b.configure(url=two.url)
        assert await complete(await b.manager.acquire()) == "two"
        assert b.states[-1].endpoint == two.url
        b.configure(url="auto")
        assert await complete(await b.manager.acquire()) == "a + b"
        assert b.starts == 1


async def test_other_settings_change_nothing():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        first = await b.manager.acquire()
        b.settings = replace(b.settings, trace="messages")
        assert await b.manager.acquire() is first


async def test_settings_that_change_during_the_start_overtake_it():
    async with FakeLlamaCpp(answer=["new"]) as fake, bench() as b:
        b.start_gate = asyncio.Event()
        early = [asyncio.create_task(b.manager.acquire()) for _ in range(3)]
        await asyncio.sleep(0.05)
        b.configure(url=fake.url)
        assert await complete(await b.manager.acquire()) == "new"
        assert [await complete(endpoint) for endpoint in await asyncio.gather(*early)] == [
            "new"
        ] * 3
        assert b.states[-1].endpoint == fake.url


async def test_a_problem_of_the_old_server_is_not_told_of_the_new_one():
    async with FakeLlamaCpp() as old, FakeLlamaCpp() as new, bench(url=old.url) as b:
        old.hold_headers = asyncio.Event()
        endpoint = await b.manager.acquire()
        late = asyncio.create_task(complete(endpoint))
        async with asyncio.timeout(30):
            while not old.asked("/completion"):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        b.configure(url=new.url)
        await b.manager.acquire()
        await asyncio.gather(late, return_exceptions=True)
        assert isinstance(late.exception(), EndpointError)
        assert (await failure(endpoint)).kind is ProblemKind.DOWN
        assert len(old.asked("/completion")) == 1
        assert b.words == ["starting", "ready", "starting", "ready"]


async def test_an_embedded_server_that_ended_is_started_again_though_nobody_asks():
    async with bench(look_again_s=0.01) as b:
        endpoint = await b.manager.acquire()
        assert b.embedded is not None
        await b.embedded.stop()
        b.embedded = None
        assert (await failure(endpoint)).kind is ProblemKind.DOWN
        assert "being started again" in b.states[-1].message
        b.now += 3600
        async with asyncio.timeout(30):
            while b.states[-1].state != "ready":  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert b.starts == 2


async def test_a_configured_server_that_comes_late_is_found_though_nobody_asks():
    fake = FakeLlamaCpp()
    await fake.start()
    url = fake.url
    await fake.stop()
    async with bench(look_again_s=0.01, url=url) as b:
        await b.refusal()
        assert b.words[-1] == "offline"
        port = int(url.rsplit(":", 1)[1])
        late = FakeLlamaCpp()
        await late.start(port)
        try:
            b.now += 3600
            async with asyncio.timeout(30):
                while b.states[-1].state != "ready":  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        finally:
            await late.stop()


async def test_nobody_looks_again_for_what_only_the_settings_can_mend():
    async with bench(look_again_s=0.001, url="http://192.0.2.1") as b:
        assert (await b.refusal()).kind is ProblemKind.POLICY
        b.now += 3600
        await asyncio.sleep(0.05)
        assert b.words == ["starting", "offline"]


async def test_refresh_tells_without_raising():
    async with bench(url="http://192.0.2.1") as b:
        state = await b.manager.refresh()
        assert state is not None
        assert (state.state, state.kind) == ("offline", ProblemKind.POLICY)
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        state = await b.manager.refresh()
        assert state is not None
        assert state.state == "ready"


async def test_closing():
    async with FakeLlamaCpp() as fake, bench(url=fake.url) as b:
        await b.manager.acquire()
        await b.manager.aclose()
        assert (await b.refusal()).kind is ProblemKind.DOWN
        await b.manager.aclose()


async def test_closing_during_a_start_answers_those_who_wait():
    async with bench() as b:
        b.start_gate = asyncio.Event()
        waiting = asyncio.create_task(b.manager.acquire())
        await asyncio.sleep(0.05)
        await b.manager.aclose()
        with pytest.raises(EndpointError, match=r"shutting down|closed"):
            await waiting
