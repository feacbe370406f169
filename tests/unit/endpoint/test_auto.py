"""What "auto" finds, compares, uses, and goes over to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sirdab.config.schema import EndpointSettings, Settings
from sirdab.endpoint.base import EndpointError, GenerationRequest, ProblemKind
from sirdab.endpoint.breaker import CircuitBreaker
from sirdab.endpoint.discovery import PORTS_ENV, Discovery, Found
from sirdab.endpoint.select import EndpointManager, EndpointState
from sirdab.models import pins
from sirdab.models.catalog import family_of
from sirdab.models.choose import Offer
from tests.support.doubles.ollama import CHAT_TEMPLATE, Installed, OllamaDouble
from tests.support.doubles.vllm import VllmDouble
from tests.support.fake_llamacpp import FakeLlamaCpp

CHAT = Installed(
    template=CHAT_TEMPLATE, capabilities=["completion"], family="llama", parameter_size="3.2B"
)
SMALL = Offer(
    "the embedded server",
    "qwen2.5-coder-0.5b",
    family_of("qwen2.5-coder-0.5b"),
    fills_in=True,
    size_bytes=100_000_000,
    is_embedded=True,
)


@dataclass
class Running:
    url: str
    api_key: str


class Bench:
    """A manager for "auto", the embedded server, and what it told."""

    def __init__(self, look_around_s: float = 3600.0, look_again_s: float = 3600.0) -> None:
        self.settings = Settings(endpoint=EndpointSettings())
        self.now = 1000.0
        self.states: list[EndpointState] = []
        self.starts: list[str] = []
        self.embedded = FakeLlamaCpp(answer=["ou", "rs"], api_key="k")
        self.start_problem: EndpointError | None = None
        self.offer: Offer | None = None
        self.manager = EndpointManager(
            lambda: self.settings,
            self.states.append,
            start_embedded=self.start,
            offer_embedded=lambda wanted: self.offer,
            discovery=Discovery(timeout_s=30),
            breaker=lambda: CircuitBreaker(clock=lambda: self.now, jitter=lambda: 0.0),
            clock=lambda: self.now,
            look_again_s=look_again_s,
            look_around_s=look_around_s,
        )

    async def start(
        self, model: str, *, on_progress: Callable[[str], None] | None = None
    ) -> Running:
        self.starts.append(model)
        if self.start_problem is not None:
            raise self.start_problem
        if not self.embedded.port:
            await self.embedded.start()
        return Running(self.embedded.url, "k")

    def configure(self, **endpoint: Any) -> None:
        self.settings = replace(self.settings, endpoint=replace(self.settings.endpoint, **endpoint))

    async def model(self) -> str:
        return (await (await self.manager.acquire()).describe()).name

    async def ask(self) -> str:
        endpoint = await self.manager.acquire()
        async with endpoint.generate(GenerationRequest("x", 64)) as answer:
            return "".join([chunk.text async for chunk in answer])

    async def refused(self) -> EndpointError:
        with pytest.raises(EndpointError) as caught:
            await self.manager.acquire()
        return caught.value

    async def until(self, endpoint: str) -> None:
        async with asyncio.timeout(30):
            while (self.states[-1].state, self.states[-1].endpoint) != ("ready", endpoint):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@asynccontextmanager
async def bench(**options: Any) -> AsyncIterator[Bench]:
    made = Bench(**options)
    try:
        yield made
    finally:
        await made.manager.aclose()
        await made.embedded.stop()


def look_at(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    monkeypatch.setenv(PORTS_ENV, ",".join(map(str, ports)))


async def test_nothing_was_found_and_the_embedded_server_is_here():
    async with bench() as b:
        assert await b.ask() == "ours"
        assert b.starts == ["auto"]
        assert [state.state for state in b.states] == ["starting", "ready"]


async def test_nothing_was_found_and_nothing_is_here():
    async with bench() as b:
        b.start_problem = EndpointError(ProblemKind.NOT_INSTALLED, "Run: sirdab model pull x")
        error = await b.refused()
        assert error.kind is ProblemKind.NOT_INSTALLED
        assert b.states[-1] == EndpointState("offline", error.message, kind=error.kind)
        for remedy in ("sirdab model pull x", "Ollama"):
            assert remedy in error.message


async def test_a_server_that_was_found(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp(answer=["found"]) as fake, bench() as b:
        look_at(monkeypatch, fake.port)
        assert await b.ask() == "found"
        assert b.starts == []
        assert b.states[-1].endpoint == fake.url
        assert "only model" in b.states[-1].message


async def test_a_server_with_only_a_chat_model_stands_behind_the_embedded_one(
    monkeypatch: pytest.MonkeyPatch,
):
    async with OllamaDouble() as ollama, bench() as b:
        ollama.installed = {"llama3.2:3b": CHAT}
        look_at(monkeypatch, ollama.port)
        b.offer = SMALL
        assert await b.ask() == "ours"
        assert "llama3.2:3b of Ollama" in b.states[-1].message
        assert "cannot" in b.states[-1].message


async def test_a_chat_model_is_better_than_nothing(monkeypatch: pytest.MonkeyPatch):
    async with OllamaDouble() as ollama, bench() as b:
        ollama.installed = {"llama3.2:3b": CHAT}
        look_at(monkeypatch, ollama.port)
        assert await b.model() == "llama3.2:3b"
        assert b.starts == []
        assert "sirdab model pull" in b.states[-1].message


async def test_the_best_of_all_servers(monkeypatch: pytest.MonkeyPatch):
    async with VllmDouble() as vllm, OllamaDouble() as ollama, bench() as b:
        ollama.installed = {"llama3.2:3b": CHAT, "qwen2.5-coder:1.5b": Installed()}
        look_at(monkeypatch, ollama.port, vllm.port)
        b.offer = SMALL
        await b.manager.acquire()
        # It is loaded, for vLLM has one model and always has it in memory.
        assert b.states[-1].endpoint == vllm.url
        assert "of 4 models found: it fills in the middle and is loaded" in b.states[-1].message
        assert [model.name for model in await b.manager.models()] == [vllm.model]


async def test_what_somebody_serves_under_a_name_of_his_own(monkeypatch: pytest.MonkeyPatch):
    class Renamed(VllmDouble):
        model = "house-model"

    async with Renamed() as vllm, bench() as b:
        look_at(monkeypatch, vllm.port)
        # Its weights are those of a larger model than the running one of ours.
        b.offer = replace(SMALL, is_loaded=True)
        assert await b.model() == "house-model"
        assert b.starts == []


async def test_the_code_model_and_not_the_one_that_is_loaded(monkeypatch: pytest.MonkeyPatch):
    async with OllamaDouble() as ollama, bench() as b:
        coder = "qwen2.5-coder:1.5b-base"
        ollama.installed = {"llama3.2:latest": CHAT, coder: Installed()}
        ollama.loaded = {"llama3.2:latest": 4096}
        look_at(monkeypatch, ollama.port)
        endpoint = await b.manager.acquire()
        info = await endpoint.describe()
        assert (info.name, info.family.id) == (coder, "qwen2.5-coder")
        b.configure(model="llama3.2")
        assert await b.model() == "llama3.2:latest"
        assert b.starts == []


async def test_a_server_without_a_model_is_no_reason_to_start_another(
    monkeypatch: pytest.MonkeyPatch,
):
    async with OllamaDouble() as ollama, bench() as b:
        ollama.installed = {}
        look_at(monkeypatch, ollama.port)
        b.start_problem = EndpointError(ProblemKind.NOT_INSTALLED, "Run: sirdab model pull x")
        error = await b.refused()
        assert "sirdab model pull x" in error.message
        assert f"Ollama at {ollama.url}" in error.message
        assert "start a model server" not in error.message


async def test_a_refusal_does_not_end_the_looking(monkeypatch: pytest.MonkeyPatch):
    """It says something of one server, and another one may come."""
    async with FakeLlamaCpp(answer=["found"]) as fake, bench(look_again_s=0.02) as b:
        port = fake.port
        await fake.stop()
        look_at(monkeypatch, port)
        b.start_problem = EndpointError(ProblemKind.REFUSED, "The model is another one.")
        await b.refused()
        assert b.states[-1].state == "offline"
        await fake.start(port)
        b.now += 3600
        await b.until(fake.url)


async def test_a_fault_of_ours_does_not_end_the_looking(monkeypatch: pytest.MonkeyPatch):
    looks = 0
    look = Discovery.look

    async def broken(self: Discovery) -> tuple[Found, ...]:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise RuntimeError(looks)
        return await look(self)

    monkeypatch.setattr(Discovery, "look", broken)
    async with FakeLlamaCpp(answer=["found"]) as fake, bench(look_around_s=0.02) as b:
        b.offer = SMALL
        port = fake.port
        await fake.stop()
        look_at(monkeypatch, port)
        assert await b.ask() == "ours"
        await fake.start(port)
        await b.until(fake.url)
        assert looks > 2


async def test_the_end_of_one_that_was_left_says_nothing_of_the_one_in_use(
    monkeypatch: pytest.MonkeyPatch,
):
    async with FakeLlamaCpp(answer=["found"]) as fake, bench(look_around_s=0.02) as b:
        b.offer = SMALL
        port = fake.port
        await fake.stop()
        look_at(monkeypatch, port)
        left = await b.manager.acquire()
        await fake.start(port)
        await b.until(fake.url)
        told, asked = len(b.states), len(fake.requests)
        await b.embedded.stop()
        with pytest.raises(EndpointError):
            async with left.generate(GenerationRequest("x", 64)):
                pass
        assert len(b.states) == told
        assert await b.ask() == "found"
        # It is believed as before, so nothing but the answer was asked for.
        assert [one.path for one in fake.requests[asked:]] == ["/completion"]


async def test_a_model_that_the_user_names(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp() as fake, OllamaDouble() as ollama, bench() as b:
        ollama.installed = {"llama3.2:3b": CHAT, "qwen2.5-coder:1.5b": Installed()}
        look_at(monkeypatch, fake.port, ollama.port)
        b.configure(model="llama3.2:3b")
        assert await b.model() == "llama3.2:3b"
        b.configure(model="qwen2.5-coder:1.5b")
        assert await b.model() == "qwen2.5-coder:1.5b"
        # What nobody has is asked of the embedded server, which says why not.
        b.start_problem = EndpointError(ProblemKind.NOT_INSTALLED, "Run: sirdab model pull y")
        b.configure(model="y")
        error = await b.refused()
        assert b.starts == ["y"]
        assert "sirdab model pull y" in error.message
        assert "endpoint.model" in error.message
        # A file can only be ours.
        b.start_problem = None
        b.configure(model="/models/mine.gguf")
        assert await b.ask() == "ours"


async def test_a_model_that_is_another_than_the_pinned_one_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
):
    async with OllamaDouble() as ollama, bench() as b:
        name = next(iter(ollama.installed))
        look_at(monkeypatch, ollama.port)
        pins.set_pin(pins.Pin(f"ollama:{name}", "0" * 64))
        assert await b.ask() == "ours"
        b.configure(url=ollama.url, model=name)
        error = await b.refused()
        assert error.kind is ProblemKind.REFUSED
        assert f"ollama:{name} is pinned to 000000000000" in error.message
        pins.set_pin(pins.Pin(f"ollama:{name}", ollama.installed[name].digest))
        b.configure(url="auto", model="auto")
        assert await b.model() == name


async def test_a_kind_that_the_user_names(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp() as fake, OllamaDouble() as ollama, bench() as b:
        look_at(monkeypatch, fake.port, ollama.port)
        for kind, url in (("llamacpp", fake.url), ("ollama", ollama.url)):
            b.configure(kind=kind)
            await b.manager.acquire()
            assert b.states[-1].endpoint == url


async def test_a_server_that_goes_away_is_replaced(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp(answer=["found"]) as fake, bench() as b:
        look_at(monkeypatch, fake.port)
        assert await b.ask() == "found"
        await fake.stop()
        with pytest.raises(EndpointError):
            await b.ask()
        assert await b.ask() == "ours"
        assert b.states[-1].state == "ready"


async def test_another_program_at_the_same_port_is_not_sent_anything(
    monkeypatch: pytest.MonkeyPatch,
):
    async with FakeLlamaCpp(answer=["found"]) as fake, bench() as b:
        look_at(monkeypatch, fake.port)
        assert await b.ask() == "found"
        port = fake.port
        await fake.stop()
        # Not a server that is believed: it is looked for anew, and not found there.
        look_at(monkeypatch)
        async with FakeLlamaCpp(answer=["evil"]) as evil:
            await evil.stop()
            await evil.start(port)
            b.now += 60
            assert await b.ask() == "ours"
            assert evil.requests == []


async def test_what_comes_later_and_is_better_is_gone_over_to(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp(answer=["found"]) as fake, bench(look_around_s=0.02) as b:
        b.offer = SMALL
        port = fake.port
        await fake.stop()
        look_at(monkeypatch, port)
        assert await b.ask() == "ours"
        await fake.start(port)
        await b.until(fake.url)
        assert await b.ask() == "found"
        # It goes, and comes again.
        await fake.stop()
        with pytest.raises(EndpointError):
            await b.ask()
        assert await b.ask() == "ours"
        await fake.start(port)
        await b.until(fake.url)
        assert await b.ask() == "found"


async def test_nobody_is_asked_while_nothing_happens(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp() as fake, bench(look_around_s=0.005) as b:
        look_at(monkeypatch, fake.port)
        await b.manager.acquire()
        await asyncio.sleep(0.05)
        asked = len(fake.requests)
        await asyncio.sleep(0.1)
        assert len(fake.requests) == asked


async def test_nothing_is_gone_over_to_while_the_model_is_writing(
    monkeypatch: pytest.MonkeyPatch,
):
    async with FakeLlamaCpp(answer=["found"]) as fake, bench(look_around_s=0.01) as b:
        b.offer = SMALL
        port = fake.port
        await fake.stop()
        look_at(monkeypatch, port)
        held = asyncio.Event()
        await b.ask()
        b.embedded.hold_after = (1, held)
        writing = asyncio.create_task(b.ask())
        async with asyncio.timeout(30):
            while b.states[-1].state != "busy":  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await fake.start(port)
        await asyncio.sleep(0.1)
        assert fake.asked("/completion") == []
        held.set()
        b.embedded.hold_after = None
        assert await writing == "ours"
        await b.until(fake.url)


async def test_auto_as_the_last_resort(monkeypatch: pytest.MonkeyPatch):
    async with FakeLlamaCpp(answer=["mine"]) as mine, bench() as b:
        b.configure(url=(mine.url, "auto"))
        assert await b.ask() == "mine"
        await mine.stop()
        with pytest.raises(EndpointError):
            await b.ask()
        assert await b.ask() == "ours"


async def test_settings_that_change_while_servers_are_looked_for(monkeypatch: pytest.MonkeyPatch):
    connected = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(never, "127.0.0.1", 0)
    look_at(monkeypatch, silent.sockets[0].getsockname()[1])
    async with FakeLlamaCpp(answer=["found"]) as fake, bench() as b:
        early = asyncio.create_task(b.ask())
        await asyncio.wait_for(connected.wait(), 30)
        b.configure(url=fake.url)
        assert await b.ask() == "found"
        # Who came before the change is answered by what is used now.
        assert await early == "found"
        assert b.starts == []
    silent.close()
