"""What is answered from memory, and what no longer is."""

from dataclasses import replace
from typing import Any

import pytest

from sirdab.completion import cache as cache_module
from sirdab.completion.cache import Known, Place, SuggestionCache, closed_by_itself
from sirdab.completion.engine import Engine
from sirdab.completion.request import Trigger
from tests.support.completion import ScriptedEndpoint, request_for

START = "def f(a, b):\n    $0\n\nprint(1)\n"


async def ask(engine: Engine, marked: str, **options: Any) -> str | None:
    request = request_for(marked, trigger=Trigger.AUTOMATIC, **options)
    outcome = engine.recall(request) or await engine.complete(request)
    return outcome.suggestions[0].text if outcome.suggestions else None


@pytest.mark.parametrize(
    ("after", "expect"),
    [
        ("def f(a, b):\n    ret$0\n\nprint(1)\n", "urn a + b"),
        ("def f(a, b):\n    return a + $0\n\nprint(1)\n", "b"),
        ("def f(a, b):\n    return a $0\n\nprint(1)\n", "+ b"),
        # The same text in another file of the same name is the same place.
        ("def f(a, b):\n    $0\n\nprint(1)\n", "return a + b"),
    ],
)
async def test_typing_along_asks_no_model(after: str, expect: str) -> None:
    endpoint = ScriptedEndpoint("return a + b\n\n")
    engine = Engine(endpoint)
    assert await ask(engine, START) == "return a + b"
    assert await ask(engine, after) == expect
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    "after",
    [
        "def f(a, b):\n    x$0\n\nprint(1)\n",
        "def f(a, b):\n    retx$0\n\nprint(1)\n",
        "def f(a, c):\n    ret$0\n\nprint(1)\n",
        "def f(a, b):\n    ret$0\n\nprint(2)\n",
        "def f(a, b):\n    ret$0)\n\nprint(1)\n",
        # Nothing was typed, but what stands behind the cursor is another text.
        "def f(a, b):\n    $0\n\nprint(2)\n",
        "def f(a, b):\n    $0\n    return a + b\n\nprint(1)\n",
        "def f(a, b):\n    $0)\n\nprint(1)\n",
        # All of it is there: what comes next is another question.
        "def f(a, b):\n    return a + b$0\n\nprint(1)\n",
    ],
)
async def test_anything_else_asks_again(after: str) -> None:
    endpoint = ScriptedEndpoint("return a + b\n\n")
    engine = Engine(endpoint)
    await ask(engine, START)
    await ask(engine, after)
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    "option",
    [
        {"language": "ruby"},
        {"uri": "untitled:other"},
        {"multiline": "never"},
        {"max_tokens": 7},
    ],
)
async def test_a_suggestion_holds_for_its_own_conditions(option: dict[str, Any]) -> None:
    endpoint = ScriptedEndpoint("return a + b\n\n")
    engine = Engine(endpoint)
    await ask(engine, START)
    await ask(engine, START, **option)
    assert len(endpoint.requests) == 2


async def test_a_deletion_that_leads_back_is_answered_from_memory() -> None:
    endpoint = ScriptedEndpoint("return a + b\n\n")
    engine = Engine(endpoint)
    await ask(engine, START)
    endpoint.answer = "1\n"
    wrong = START.replace("$0", "x = $0")
    assert await ask(engine, wrong) == "1"
    assert await ask(engine, START) == "return a + b"
    assert len(endpoint.requests) == 2


async def test_a_multi_line_suggestion_is_followed_over_its_lines() -> None:
    endpoint = ScriptedEndpoint("\n    if a:\n        return a\n    return b\n\n")
    engine = Engine(endpoint)
    whole = await ask(engine, "def f(a, b):$0\n\nprint(1)\n")
    assert whole == "\n    if a:\n        return a\n    return b"
    rest = await ask(engine, "def f(a, b):\n    if a:\n        re$0\n\nprint(1)\n")
    assert rest == "turn a\n    return b"
    assert len(endpoint.requests) == 1


async def test_the_documents_own_line_ends_come_back() -> None:
    engine = Engine(ScriptedEndpoint("\n    return b\n\n"))
    await ask(engine, "def f(a, b):$0\r\n\r\nprint(1)\r\n")
    rest = await ask(engine, "def f(a, b):$0\r\n\r\nprint(1)\r\n")
    assert rest == "\r\n    return b"


@pytest.mark.parametrize(
    ("before", "model", "after", "expect"),
    [
        ("x = f$0\n", "oo(1, 2)\n", "x = foo($0)\n", "1, 2"),
        ("x = $0\n", '"abc"\n', 'x = "$0"\n', "abc"),
        # The closing bracket that was there before is none that the editor has just written.
        ("x = [f$0]\n", "oo(1)\n", "x = [foo($0)]\n", "1"),
    ],
)
async def test_brackets_that_the_editor_closes(
    before: str, model: str, after: str, expect: str
) -> None:
    endpoint = ScriptedEndpoint(model)
    engine = Engine(endpoint)
    await ask(engine, before)
    assert await ask(engine, after) == expect
    assert len(endpoint.requests) == 1


async def test_one_suggestion_keeps_its_id() -> None:
    engine = Engine(ScriptedEndpoint("return a + b\n\n"))
    first = await engine.complete(request_for(START))
    later = engine.recall(request_for(START.replace("$0", "ret$0")))
    assert later is not None
    assert later.suggestions[0].id == first.suggestions[0].id
    assert later.trace["cache"] == "hit"
    assert later.trace["model"] == first.trace["model"]


async def test_what_is_explained_is_asked_anew() -> None:
    endpoint = ScriptedEndpoint("return a + b\n\n")
    engine = Engine(endpoint)
    await engine.complete(request_for(START))
    outcome = await engine.complete(request_for(START), show_prompt=True, fresh=True)
    assert outcome.trace["cache"] == "bypassed"
    assert len(endpoint.requests) == 2


async def test_a_gate_stands_before_the_memory() -> None:
    engine = Engine(ScriptedEndpoint("return a + b\n\n"))
    await engine.complete(request_for(START))
    assert engine.recall(request_for(START, enabled=False)) is None


async def test_forgetting() -> None:
    engine = Engine(ScriptedEndpoint("return a + b\n\n"))
    for forget in (lambda: engine.forget("untitled:test"), engine.clear):
        await engine.complete(request_for(START))
        assert engine.recall(request_for(START)) is not None
        forget()
        assert engine.recall(request_for(START)) is None


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_ENTRIES", 3)
    cache = SuggestionCache()
    for number in range(10):
        cache.store("u", None, Place(f"{number}", ""), Known("s", "abc"))
    assert len(cache) == 3
    assert cache.find("u", None, Place("9", ""))
    assert not cache.find("u", None, Place("0", ""))
    monkeypatch.setattr(cache_module, "MAX_BYTES", 1000)
    cache.store("u", None, Place("x" * 997, ""), Known("s", "abc"))
    assert len(cache) == 1


def test_an_old_suggestion_is_gone() -> None:
    now = [0.0]
    cache = SuggestionCache(lambda: now[0])
    cache.store("u", None, Place("a", ""), Known("s", "abc"))
    now[0] = cache_module.TTL_SECONDS - 1
    assert cache.find("u", None, Place("a", ""))
    now[0] += 2
    assert not cache.find("u", None, Place("a", ""))
    assert len(cache) == 0


async def test_one_text_is_one_suggestion() -> None:
    engine = Engine(ScriptedEndpoint("return a + b\n\n"))
    first = await engine.complete(request_for(START), fresh=True)
    again = await engine.complete(request_for(START), fresh=True)
    assert again.suggestions[0].id == first.suggestions[0].id
    wanted = replace(request_for(START), alternatives=3)
    texts = [suggestion.text for suggestion in (await engine.complete(wanted)).suggestions]
    assert texts == ["return a + b"]


async def test_the_first_suggestion_stays_the_first_among_alternatives() -> None:
    endpoint = ScriptedEndpoint("return a + b\n\n")
    engine = Engine(endpoint)
    first = (await engine.complete(request_for(START))).suggestions[0]
    typed = START.replace("$0", "ret$0")
    endpoint.answer = "urn a - b\n\n"
    offered = await engine.complete(replace(request_for(typed), alternatives=2))
    assert [one.text for one in offered.suggestions] == ["urn a + b", "urn a - b"]
    for marked in (typed, START.replace("$0", "retur$0")):
        later = engine.recall(request_for(marked))
        assert later is not None
        assert later.suggestions[0].id == first.id


@pytest.mark.parametrize(
    ("old", "new", "added"),
    [
        ("\nx", "\nx", ""),
        ("\nx", ")\nx", ")"),
        ("\nx", "])\nx", "])"),
        (")\nx", "))\nx", ")"),
        ("\nx", "')\nx", "')"),
        ("\nx", ";\nx", None),
        ("\nx", "\ny", None),
        (")\nx", "\nx", None),
        ("\nx", ")))))\nx", None),
    ],
)
def test_what_an_editor_closes_by_itself(old: str, new: str, added: str | None) -> None:
    assert closed_by_itself(old, new) == added


def test_what_grew_is_later_than_what_was_offered_meanwhile() -> None:
    cache = SuggestionCache()
    first = cache.store("a", 0, Place("x = ", "\n"), Known("s1", "foo(1)"))
    cache.store("a", 0, Place("x = foo(1)", "\n"), Known("i1", " - 2"))
    cache.replace("a", 0, Place("x = ", "\n"), first._replace(text="foo(1) + 2"))
    assert [known.id for known in cache.find("a", 0, Place("x = foo(1)", "\n"))] == ["s1"]
