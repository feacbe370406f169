"""What follows a suggestion is written before the suggestion is taken."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from sirdab.completion.engine import Engine
from sirdab.completion.request import (
    CompletionRequest,
    Outcome,
    Reason,
    Selected,
    Source,
    Suggestion,
    Trigger,
)
from sirdab.completion.speculation import accepted
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.text.store import Point
from tests.support.completion import ScriptedEndpoint, request_for

_T = TypeVar("_T")

START = "def f(items):\n    first = $0\n\nprint(1)\n"


async def at_once(work: Callable[[], Awaitable[_T]]) -> _T:
    return await work()


def typed(marked: str) -> CompletionRequest:
    return request_for(marked, trigger=Trigger.AUTOMATIC)


def shown(outcome: Outcome | None) -> str:
    assert outcome is not None
    assert outcome.reason is Reason.SUGGESTED, outcome
    return outcome.suggestions[0].text


@pytest.mark.parametrize(
    ("before", "suggestion", "after"),
    [
        ("x = $0\n", "1", "x = 1$0\n"),
        ("x = $0)\n", "f(1", "x = f(1$0)\n"),
        ("if a:\n    $0\nb\n", "c\n    d", "if a:\n    c\n    d$0\nb\n"),
        ("if a:\r\n    $0\r\nb\r\n", "c\r\n    d", "if a:\r\n    c\r\n    d$0\r\nb\r\n"),
        ("é = $0", "'漢'", "é = '漢'$0"),
    ],
)
def test_accepted(before: str, suggestion: str, after: str) -> None:
    request, expected = typed(before), typed(after)
    taken = accepted(request, Suggestion("s1", suggestion, request.point, request.point))
    assert str(taken.snapshot.text) == str(expected.snapshot.text)
    assert taken.point == expected.point
    assert str(request.snapshot.text) == before.replace("$0", "")


def test_accepted_with_a_selected_item() -> None:
    selected = Selected(Point(0, 2), Point(0, 4), "append")
    request = replace(request_for("x.ap$0\n", selected=selected), alternatives=3)
    taken = accepted(request, Suggestion("s1", "append(1)", Point(0, 2), Point(0, 4)))
    assert str(taken.snapshot.text) == "x.append(1)\n"
    assert taken.point == Point(0, 11)
    assert taken.selected is None
    assert taken.alternatives == 1


async def test_what_follows_is_there_when_the_suggestion_is_taken() -> None:
    model = ScriptedEndpoint("items[0]\n")
    engine = Engine(model)
    request = typed(START)
    suggestion = shown(await engine.complete(request))
    model.answer = ".name\n"
    assert await engine.speculate(request, at_once)
    asked = len(model.requests)
    after = typed(START.replace("$0", f"{suggestion}$0"))
    outcome = engine.recall(after)
    assert shown(outcome) == ".name"
    assert outcome is not None
    assert outcome.trace["source"] == Source.SPECULATION
    # Typed along, it is memory like any other.
    outcome = engine.recall(typed(START.replace("$0", f"{suggestion}.$0")))
    assert outcome is not None
    assert outcome.trace["source"] == Source.CACHE
    assert len(model.requests) == asked


async def test_the_suggestion_itself_stays_what_is_offered_before_it_is_taken() -> None:
    model = ScriptedEndpoint("items[0]\n")
    engine = Engine(model)
    request = typed(START)
    await engine.complete(request)
    model.answer = ".name\n"
    await engine.speculate(request, at_once)
    assert shown(engine.recall(request)) == "items[0]"
    assert shown(engine.recall(typed(START.replace("$0", "item$0")))) == "s[0]"


async def test_nothing_is_thought_further_twice_or_without_a_suggestion() -> None:
    model = ScriptedEndpoint("items[0]\n")
    engine = Engine(model)
    request = typed(START)
    assert not await engine.speculate(request, at_once)
    await engine.complete(request)
    model.answer = ".name\n"
    assert await engine.speculate(request, at_once)
    asked = len(model.requests)
    assert not await engine.speculate(request, at_once)
    assert len(model.requests) == asked


async def test_a_failure_is_nobodys_business() -> None:
    model = ScriptedEndpoint("items[0]\n")
    engine = Engine(model)
    request = typed(START)
    await engine.complete(request)
    model.problem = EndpointError(ProblemKind.DOWN, "It is gone.")
    assert not await engine.speculate(request, at_once)
    assert shown(engine.recall(request)) == "items[0]"


async def test_it_waits_for_the_lane() -> None:
    model = ScriptedEndpoint("items[0]\n")
    engine = Engine(model)
    request = typed(START)
    await engine.complete(request)
    asked = len(model.requests)
    free = asyncio.Event()

    async def later(work: Callable[[], Awaitable[_T]]) -> _T:
        await free.wait()
        return await work()

    task = asyncio.create_task(engine.speculate(request, later))
    await asyncio.sleep(0.02)
    assert len(model.requests) == asked
    free.set()
    await task
    assert len(model.requests) == asked + 1


@pytest.mark.parametrize(
    ("after", "taken"),
    [
        ("items[0]$0", True),
        ("items[$0", False),
        ("items[0] $0", False),
        ("items[1]$0", False),
    ],
)
async def test_a_suggestion_that_was_taken_whole_may_be_followed_by_a_block(
    after: str, taken: bool
) -> None:
    model = ScriptedEndpoint("items[0]\n")
    engine = Engine(model)
    await engine.complete(typed(START))
    model.answer = "\n    second = items[1]\n    third = 3\n"
    outcome = await engine.complete(typed(START.replace("$0", after)), fresh=True)
    assert outcome.trace["shape"] == ("block" if taken else "line")
