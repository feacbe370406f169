"""A model that is too slow for the editor is shown as far as it has come, and goes on."""

import asyncio
from typing import Any

import pytest

from sirdab.completion import engine as engine_module
from sirdab.completion import flight as flight_module
from sirdab.completion.engine import Engine
from sirdab.completion.request import Outcome, Reason, Source, Trigger
from tests.support.completion import request_for
from tests.unit.completion.test_flight import HeldEndpoint, ask, give_up, until

START = "def f(width, height):\n    return $0\n\nprint(1)\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SOFT_LIMIT_MS", 20)
    monkeypatch.setattr(flight_module, "GRACE_SECONDS", 0.02)


def shown(outcome: Outcome) -> str:
    assert outcome.reason is Reason.SUGGESTED, outcome
    return outcome.suggestions[0].text


async def test_what_stands_on_its_own_is_shown_and_grows() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    model.write("area(width) * hei")
    outcome = await ask(engine, START)
    assert shown(outcome) == "area(width)"
    assert outcome.trace["partial"]
    id_ = outcome.suggestions[0].id
    model.write("ght\n")
    model.finish()
    key = START.replace("$0", "a$0")
    await until(lambda: not engine.is_answering(request_for(key)))
    outcome = await ask(engine, key)
    assert shown(outcome) == "rea(width) * height"
    assert outcome.suggestions[0].id == id_
    assert outcome.trace["source"] == Source.CACHE
    assert len(model.requests) == 1


async def test_half_a_thought_is_waited_for() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    model.write("wid")
    task = ask(engine, START)
    await asyncio.sleep(0.06)
    assert not task.done()
    model.write("th * height\n")
    model.finish()
    outcome = await task
    assert shown(outcome) == "width * height"
    assert "partial" not in outcome.trace


async def test_who_asks_explicitly_gets_all_of_it() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    model.write("area(width) * hei")
    request = request_for(START, trigger=Trigger.INVOKED)
    task = asyncio.create_task(engine.complete(request))
    await asyncio.sleep(0.06)
    assert not task.done()
    model.write("ght\n")
    model.finish()
    assert shown(await task) == "area(width) * height"


async def test_an_editor_that_gives_up_a_late_request_does_not_stop_it() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    task = ask(engine, START)
    await asyncio.sleep(0.06)
    await give_up(task)
    await asyncio.sleep(0.06)
    assert model.closed == 0
    key = ask(engine, START.replace("$0", "wi$0"))
    model.write("width * height\n")
    model.finish()
    outcome = await key
    assert shown(outcome) == "dth * height"
    assert outcome.trace["source"] == Source.IN_FLIGHT
    assert len(model.requests) == 1


async def test_a_cursor_that_goes_elsewhere_stops_it() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    task = ask(engine, START)
    await asyncio.sleep(0.06)
    await give_up(task)
    engine.left(request_for("def f(width, height):\n    return \n\nprint(1)$0\n"))
    await until(lambda: model.closed == 1)


async def test_a_cursor_that_stays_does_not() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    task = ask(engine, START)
    await asyncio.sleep(0.06)
    engine.left(request_for(START.replace("$0", "w$0")))
    model.write("width\n")
    model.finish()
    assert shown(await task) == "width"
    assert model.closed == 0


async def test_an_answer_that_turns_out_differently_leaves_what_was_shown() -> None:
    model = HeldEndpoint("")
    engine = Engine(model)
    model.write("area(width)")
    assert shown(await ask(engine, START)) == "area(width)"
    # The sentinel cuts the answer, and the rest of it never comes.
    model.finish()
    key: Any = START.replace("$0", "area$0")
    await until(lambda: not engine.is_answering(request_for(key)))
    assert shown(await ask(engine, key)) == "(width)"
