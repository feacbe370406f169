"""When the engine copies instead of asking the model, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from sirdab.completion import copy_offers
from sirdab.completion import engine as engine_module
from sirdab.completion.copy import CopyPredictor
from sirdab.completion.engine import Engine
from sirdab.completion.gates import Rules
from sirdab.completion.request import CompletionRequest, Outcome, Reason, Source, Trigger
from sirdab.endpoint.base import Chunk, EndpointError, GenerationRequest, ProblemKind
from tests.support.completion import ScriptedEndpoint, request_for
from tests.unit.completion.test_flight import HeldEndpoint

GUARD = "    self.count(1)\n    if not self.is_open:\n        raise StoreClosedError(self.name)\n"
# The same lines stand there eight times, and every time they go on in the same way.
SURE = "\n".join(f"def f{n}(self):\n{GUARD}" for n in range(8)) + (
    "\ndef g(self):\n    self.count(1)\n    if not self.is_open:\n        raise StoreCl$0"
)
REST = "osedError(self.name)"
# It stands there three times, and only a little before it agrees.
LIKELY = "\n".join(f"def f{n}():\n    return self.width + margin\n" for n in range(3)) + (
    "\ndef g():\n    return self.wi$0"
)
LIKELY_REST = "dth + margin"
# A model that was not measured: the bars beside it are the highest.
OTHER = "other.gguf"
DOWN = EndpointError(ProblemKind.DOWN, "No model server answers.")


def text_of(outcome: Outcome | None) -> str | None:
    return outcome.suggestions[0].text if outcome and outcome.suggestions else None


def typed(marked: str, more: str) -> CompletionRequest:
    return request_for(marked.replace("$0", f"{more}$0"), trigger=Trigger.AUTOMATIC)


def test_the_places_are_what_they_are_called() -> None:
    """What the tests below go by, whatever is measured one day."""
    for marked, sure in ((SURE, True), (LIKELY, False)):
        request = request_for(marked)
        found = CopyPredictor(Rules()).predict(request, model="unknown")
        assert found is not None
        assert found.is_sure is sure
        stand_in = CopyPredictor(Rules()).predict(request, standing_in=True)
        assert stand_in is not None
        assert stand_in.is_sure


async def test_where_it_is_sure_the_model_is_not_asked() -> None:
    model = ScriptedEndpoint("ever()\n", model=OTHER)
    outcome = await Engine(model).complete(request_for(SURE))
    assert text_of(outcome) == REST
    assert outcome.trace["source"] == Source.COPY
    assert outcome.trace["copy"].keys() >= {"confidence", "matched_tokens", "from"}
    assert outcome.trace["copy"]["from"] == "test:39"
    assert model.requests == []


async def test_it_can_be_had_before_the_keys_have_paused() -> None:
    engine = Engine(ScriptedEndpoint("x"))
    assert text_of(engine.instant(request_for(SURE))) == REST
    assert engine.instant(request_for(LIKELY)) is None
    off = request_for(SURE, enabled=False)
    assert engine.instant(off) is None
    assert engine.instant(replace(request_for(SURE), alternatives=3)) is None


async def test_where_it_is_not_the_model_is_asked() -> None:
    model = ScriptedEndpoint("dth - 1\n", model=OTHER)
    outcome = await Engine(model).complete(request_for(LIKELY))
    assert text_of(outcome) == "dth - 1"
    assert outcome.trace["source"] == Source.MODEL
    assert outcome.trace["copy"]["confidence"] < 1


async def test_typing_along_it_is_answered_from_memory() -> None:
    model = ScriptedEndpoint("wrong\n", model=OTHER)
    engine = Engine(model)
    first = await engine.complete(request_for(SURE))
    after = engine.recall(typed(SURE, "osed"))
    assert after is not None
    assert text_of(after) == "Error(self.name)"
    assert after.trace["source"] == Source.CACHE
    assert after.suggestions[0].id == first.suggestions[0].id
    assert model.requests == []


async def test_who_asks_for_others_gets_the_likeliest_of_the_model_first() -> None:
    model = ScriptedEndpoint("ever()\n", model=OTHER)
    engine = Engine(model)
    await engine.complete(request_for(SURE))
    outcome = await engine.complete(replace(request_for(SURE), alternatives=3))
    assert [one.text for one in outcome.suggestions] == [REST, "ever()"]
    assert [request.seed for request in model.requests] == [None, 1, 2]
    assert model.requests[0].temperature == 0


async def test_a_model_that_says_what_was_copied_is_asked_for_more_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = ScriptedEndpoint(f"{REST}\n", model=OTHER)
    engine = Engine(model)
    await engine.complete(request_for(SURE))

    generate = model.generate

    def answering(request: GenerationRequest) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        model.answer = f"{REST}\n" if request.seed is None else f"other_{request.seed}()\n"
        return generate(request)

    monkeypatch.setattr(model, "generate", answering)
    outcome = await engine.complete(replace(request_for(SURE), alternatives=3))
    assert [one.text for one in outcome.suggestions] == [REST, "other_1()", "other_2()"]


async def test_explain_asks_the_model_and_tells_what_would_have_been_copied() -> None:
    model = ScriptedEndpoint("ever()\n", model=OTHER)
    engine = Engine(model)
    outcome = await engine.complete(request_for(SURE), fresh=True)
    assert text_of(outcome) == "ever()"
    assert outcome.trace["source"] == Source.MODEL
    copied = outcome.trace["copy"]
    assert (copied["text"], copied["offered"]) == (REST, True)
    outcome = await engine.complete(request_for(LIKELY), fresh=True)
    assert (outcome.trace["copy"]["text"], outcome.trace["copy"]["offered"]) == (LIKELY_REST, False)
    outcome = await engine.complete(request_for("a = 1\nb = $0"), fresh=True)
    assert outcome.trace["copy"] is None


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_model_that_is_down_is_stood_in_for(fresh: bool) -> None:
    engine = Engine(ScriptedEndpoint("x", problem=DOWN))
    outcome = await engine.complete(request_for(LIKELY), fresh=fresh)
    assert text_of(outcome) == LIKELY_REST
    assert outcome.trace["source"] == Source.COPY
    assert outcome.trace["problem"] == "down"


async def test_a_model_that_is_down_is_said_to_be_where_nothing_can_be_copied() -> None:
    engine = Engine(ScriptedEndpoint("x", problem=DOWN))
    outcome = await engine.complete(request_for("a = 1\nb = $0"))
    assert (outcome.reason, outcome.detail) == (Reason.ENDPOINT, DOWN.message)


async def test_a_fault_in_copying_leaves_the_problem_that_there_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **options: bool) -> None:
        if options.get("standing_in"):
            raise RuntimeError

    monkeypatch.setattr(CopyPredictor, "predict", broken)
    outcome = await Engine(ScriptedEndpoint("x", problem=DOWN)).complete(request_for(LIKELY))
    assert outcome.reason is Reason.ENDPOINT


async def test_what_stands_in_goes_when_the_model_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ScriptedEndpoint("dth - 1\n", model=OTHER, problem=DOWN)
    engine = Engine(model)
    await engine.complete(request_for(LIKELY))
    along = engine.recall(typed(LIKELY, "dt"))
    assert text_of(along) == "h + margin"
    model.problem = None
    monkeypatch.setattr(copy_offers, "STANDS_IN_SECONDS", -1.0)
    assert engine.recall(typed(LIKELY, "dt")) is None
    outcome = await engine.complete(request_for(LIKELY))
    assert text_of(outcome) == "dth - 1"
    # What the model said is known now, and nothing stands in for it any more.
    monkeypatch.setattr(copy_offers, "STANDS_IN_SECONDS", 60.0)
    assert text_of(engine.recall(typed(LIKELY, "dt"))) == "h - 1"


async def test_a_model_that_is_late_is_stood_in_for_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "SOFT_LIMIT_MS", 20)
    model = HeldEndpoint("")
    engine = Engine(model)
    async with asyncio.timeout(20):
        outcome = await engine.complete(typed(LIKELY, ""))
    assert text_of(outcome) == LIKELY_REST
    assert outcome.trace["source"] == Source.COPY
    model.write("dth - 1\n")
    model.finish()
    async with asyncio.timeout(20):
        while text_of(engine.recall(typed(LIKELY, "d"))) != "th - 1":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert len(model.requests) == 1


async def test_a_model_server_that_is_slow_to_start_is_stood_in_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "SOFT_LIMIT_MS", 20)
    started = asyncio.Event()

    class Starting(ScriptedEndpoint):
        async def acquire(self) -> ScriptedEndpoint:
            await started.wait()
            return self

    engine = Engine(Starting("dth - 1\n", model=OTHER))
    async with asyncio.timeout(20):
        assert text_of(await engine.complete(typed(LIKELY, ""))) == LIKELY_REST
    # Who asked explicitly waits for the model, and so does everybody where nothing stands there.
    for request in (request_for(LIKELY), request_for("a = 1\nb = $0", trigger=Trigger.AUTOMATIC)):
        engine.clear()
        waiting = asyncio.create_task(engine.complete(request))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        started.set()
        assert text_of(await waiting) == "dth - 1"
        started.clear()


async def test_a_key_while_the_server_starts_gives_the_question_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "SOFT_LIMIT_MS", 20)
    ended: list[str] = []

    class Starting(ScriptedEndpoint):
        async def acquire(self) -> ScriptedEndpoint:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("gone")
            return self

    engine = Engine(Starting(""))
    waiting = asyncio.create_task(engine.complete(request_for(LIKELY)))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert ended == ["gone"]


async def test_a_closed_document_is_copied_from_and_a_cleared_one_is_not() -> None:
    model = ScriptedEndpoint("x\n")
    engine = Engine(model)
    above, here_on = SURE.split("\ndef g")
    other = request_for(f"{above}$0", uri="untitled:other").snapshot
    here = replace(
        request_for("def g" + here_on),
        open_documents=(other,),
    )
    assert text_of(await engine.complete(here)) == REST
    engine.forget(other.uri)
    engine.forget(here.snapshot.uri)
    assert text_of(await engine.complete(replace(here, open_documents=()))) == REST
    engine.clear()
    assert text_of(await engine.complete(replace(here, open_documents=()))) == "x"


async def test_what_stood_in_stays_when_the_model_says_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = ScriptedEndpoint(f"{LIKELY_REST}\n", model=OTHER, problem=DOWN)
    engine = Engine(model)
    stood_in = await engine.complete(request_for(LIKELY))
    assert stood_in.trace["source"] == Source.COPY
    model.problem = None
    monkeypatch.setattr(copy_offers, "STANDS_IN_SECONDS", -1.0)
    outcome = await engine.complete(request_for(LIKELY))
    assert text_of(outcome) == LIKELY_REST
    assert outcome.trace["source"] == Source.MODEL
    assert outcome.suggestions[0].id == stood_in.suggestions[0].id
    assert text_of(engine.recall(typed(LIKELY, "dt"))) == "h + margin"
    assert len(model.requests) == 1


async def test_an_old_copy_does_not_stand_in_again_because_many_came_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copy_offers, "_MOST_STAND_INS", 1)
    monkeypatch.setattr(copy_offers, "STANDS_IN_SECONDS", -1.0)
    engine = Engine(ScriptedEndpoint("x", problem=DOWN))
    for uri in ("untitled:a", "untitled:b"):
        assert text_of(await engine.complete(request_for(LIKELY, uri=uri))) == LIKELY_REST
    assert engine.recall(request_for(LIKELY, uri="untitled:a")) is None


async def test_a_fault_in_copying_does_not_keep_explain_from_asking_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(CopyPredictor, "predict", broken)
    outcome = await Engine(ScriptedEndpoint("x1\n")).complete(request_for(LIKELY), fresh=True)
    assert text_of(outcome) == "x1"
    assert outcome.trace["copy"] is None


async def test_who_asks_for_others_of_a_model_that_has_gone_keeps_what_there_is() -> None:
    model = ScriptedEndpoint("dth - 1\n", model=OTHER)
    engine = Engine(model)
    await engine.complete(request_for(LIKELY))
    model.problem = DOWN
    outcome = await engine.complete(replace(request_for(LIKELY), alternatives=3))
    assert text_of(outcome) == "dth - 1"
    assert outcome.trace["source"] == Source.CACHE
    assert outcome.trace["problem"] == "down"
