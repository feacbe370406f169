"""An answer under way is the answer to the keys that agree with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sirdab.completion import flight as flight_module
from sirdab.completion.engine import Engine
from sirdab.completion.request import Outcome, Reason, Trigger
from sirdab.endpoint.base import Chunk, EndpointError, GenerationRequest, ProblemKind, Usage
from tests.support.completion import ScriptedEndpoint, request_for

START = "def f(a, b):\n    $0\n\nprint(1)\n"


class HeldEndpoint(ScriptedEndpoint):
    """A model that writes when it is told to.

    Attributes:
        closed: How many answers were given up before their end.
    """

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self.closed = 0
        self.error: EndpointError | None = None

    def write(self, *pieces: str) -> None:
        for piece in pieces:
            self.pieces.put_nowait(piece)

    def finish(self) -> None:
        self.pieces.put_nowait(None)

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        self.requests.append(request)

        async def stream() -> AsyncIterator[Chunk]:
            yield Chunk(request.begins_with)
            while (piece := await self.pieces.get()) is not None:
                yield Chunk(piece)
            if self.error is not None:
                raise self.error

        try:
            yield stream()
        except asyncio.CancelledError:
            self.closed += 1
            raise


def ask(engine: Engine, marked: str, **options: Any) -> "asyncio.Task[Outcome]":
    request = request_for(marked, trigger=Trigger.AUTOMATIC, **options)
    return asyncio.create_task(engine.complete(request))


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def give_up(task: "asyncio.Task[Outcome]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("said", [[], ["ret"], ["return a"]])
async def test_a_key_that_agrees_joins(said: list[str]) -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    first = ask(engine, START)
    await until(lambda: model.requests)
    model.write(*said)
    await until(model.pieces.empty)
    typed = START.replace("$0", "retu$0")
    # As an editor does it: the older request is given up and the newer one comes.
    first.cancel()
    second = ask(engine, typed)
    await asyncio.sleep(0)
    assert engine.is_answering(request_for(typed))
    model.write(*"return a + b"[len("".join(said)) :])
    model.finish()
    outcome = await second
    assert outcome.suggestions[0].text == "rn a + b"
    assert outcome.trace["in_flight"] == "joined"
    assert (len(model.requests), model.closed) == (1, 0)


async def test_several_keys_follow_one_answer() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    task = ask(engine, START)
    for typed in ("r", "re", "ret", "retu", "retur", "return"):
        await asyncio.sleep(0.002)
        task.cancel()
        task = ask(engine, START.replace("$0", f"{typed}$0"))
    model.write("return 1")
    model.finish()
    assert (await task).suggestions[0].text == " 1"
    assert len(model.requests) == 1


@pytest.mark.parametrize("typed", ["x$0", "rex$0"])
async def test_a_key_that_disagrees_stops_the_model(typed: str) -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    first = ask(engine, START)
    await until(lambda: model.requests)
    model.write("return a")
    await until(model.pieces.empty)
    first.cancel()
    second = ask(engine, START.replace("$0", typed))
    await until(lambda: len(model.requests) == 2)
    await until(lambda: model.closed == 1)
    model.write("y = 1")
    model.finish()
    assert (await second).suggestions


async def test_one_that_turns_out_to_disagree_is_asked_anew() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    first = ask(engine, START)
    await until(lambda: model.requests)
    second = ask(engine, START.replace("$0", "x$0"))
    await asyncio.sleep(0.002)
    assert len(model.requests) == 1
    model.write("return")
    await until(lambda: len(model.requests) == 2)
    assert (await first).reason is Reason.SUPERSEDED
    model.write(" = 1")
    model.finish()
    outcome = await second
    assert outcome.suggestions[0].text == " = 1"
    assert outcome.trace["in_flight"] == "diverged"


async def test_what_nobody_waits_for_stops_the_model() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    first = ask(engine, START)
    await until(lambda: model.requests)
    await give_up(first)
    assert model.closed == 0
    await until(lambda: model.closed == 1)
    assert not engine.is_answering(request_for(START))


@pytest.mark.parametrize("end", ["forget", "clear"])
async def test_a_closed_document_stops_the_model_at_once(
    monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(flight_module, "GRACE_SECONDS", 3600.0)
    model = HeldEndpoint("")
    engine = Engine(model)
    first = ask(engine, START)
    await until(lambda: model.requests)
    await give_up(first)
    if end == "forget":
        engine.forget("untitled:test")
    else:
        engine.clear()
    await until(lambda: model.closed == 1)


async def test_an_error_reaches_all_who_wait() -> None:
    model = HeldEndpoint("")
    model.error = EndpointError(ProblemKind.TIMEOUT, "Too slow.")
    engine = Engine(model)
    tasks = [ask(engine, START), ask(engine, START.replace("$0", "re$0"))]
    await until(lambda: model.requests)
    await asyncio.sleep(0.002)
    model.finish()
    for task in tasks:
        outcome = await task
        assert (outcome.reason, outcome.detail) == (Reason.ENDPOINT, "Too slow.")
    assert len(model.requests) == 1


async def test_documents_do_not_share_answers() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    tasks = [ask(engine, START), ask(engine, START, uri="untitled:other")]
    await until(lambda: len(model.requests) == 2)
    for task in tasks:
        await give_up(task)


class SlowSource:
    """Finds the model only when it is told to."""

    def __init__(self, model: HeldEndpoint) -> None:
        self.model = model
        self.found = asyncio.Event()
        self.asked = 0

    async def acquire(self) -> HeldEndpoint:
        self.asked += 1
        await self.found.wait()
        return self.model


async def test_two_requests_at_once_share_one_answer() -> None:
    # As from an editor that asks for ghost text and for the menu at each key.
    source = SlowSource(HeldEndpoint(""))
    engine = Engine(source)
    tasks = [ask(engine, START), ask(engine, START)]
    await until(lambda: source.asked == 2)
    source.found.set()
    await until(lambda: source.model.requests)
    source.model.write("return 1")
    source.model.finish()
    for task in tasks:
        assert (await task).suggestions[0].text == "return 1"
    assert len(source.model.requests) == 1


async def test_a_request_that_was_held_up_does_not_end_a_later_ones_answer() -> None:
    model = HeldEndpoint("")
    held = asyncio.Event()

    class HoldsTheFirst(SlowSource):
        async def acquire(self) -> HeldEndpoint:
            self.asked += 1
            if self.asked == 1:
                await held.wait()
            return self.model

    engine = Engine(HoldsTheFirst(model))
    earlier = ask(engine, START)
    await asyncio.sleep(0)
    later = ask(engine, START.replace("$0", "x = 1\n    $0"))
    await until(lambda: model.requests)
    model.write("return")
    held.set()
    assert (await earlier).reason is Reason.SUPERSEDED
    model.write(" 1\n")
    model.finish()
    assert (await later).suggestions[0].text == "return 1"
    assert len(model.requests) == 1


async def test_a_bracket_that_the_editor_closes_is_no_other_place() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    first = ask(engine, START)
    await until(lambda: model.requests)
    key = ask(engine, START.replace("$0", "f($0)"))
    await until(lambda: engine.is_answering(request_for(START.replace("$0", "f($0)"))))
    await give_up(first)
    model.write("f(a, b)\n")
    model.finish()
    outcome = await key
    assert outcome.suggestions[0].text == "a, b"
    assert len(model.requests) == 1


class FastEndpoint(ScriptedEndpoint):
    """A model on a GPU: with its first answer the budget of the window grows."""

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        async with super().generate(request) as chunks:

            async def timed() -> AsyncIterator[Chunk]:
                async for chunk in chunks:
                    yield Chunk(chunk.text, usage=Usage(500, 500, prompt_ms=100.0))

            yield timed()


async def test_an_answer_holds_though_the_window_has_changed_with_the_speed() -> None:
    lines = "".join(f"value_{number} = {number}\n" for number in range(400))
    outcome = await ask(Engine(FastEndpoint("total(1)\n")), f"{lines}x = $0\n{lines}")
    assert outcome.reason is Reason.SUGGESTED, outcome.detail
    assert outcome.suggestions[0].text == "total(1)"
