"""The suggestion as an item of the completion menu."""

from typing import Any

import pytest

from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, InProcess, range_of

URI = "file:///a.py"
PLAIN: dict[str, Any] = {"textDocument": {"completion": {}}}


def menu(mode: str) -> dict[str, Any]:
    return {"completion": {"menu": mode, "debounceMs": 0}}


def begin(client: InProcess, line: int, character: int) -> Any:
    return client.begin(
        "textDocument/completion",
        {
            "textDocument": {"uri": URI},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 1},
        },
    )


@pytest.mark.parametrize(
    ("mode", "capabilities", "offered"),
    [
        ("auto", PLAIN, True),
        ("auto", INLINE, False),
        ("on", INLINE, True),
        ("off", PLAIN, False),
    ],
)
async def test_when_the_menu_is_offered(
    client: InProcess, mode: str, capabilities: dict[str, Any], offered: bool
) -> None:
    found = await client.start(capabilities, menu(mode))
    assert ("completionProvider" in found) is offered
    if not offered:
        assert await client.error_of(begin(client, 0, 0)) == -32601


async def test_the_item(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start(PLAIN, menu("auto"))
    client.open(URI, "x = 𝒳.ret")
    engine.answer = "urn_value(a,\n        b)"
    found = await begin(client, 0, 10)
    assert found["isIncomplete"] is True
    (item,) = found["items"]
    assert item == {
        "label": "return_value(a, …",
        "kind": 1,
        "detail": "Sirdab · test-model",
        "documentation": "return_value(a,\n        b)",
        "preselect": False,
        "sortText": "\uffff",
        "filterText": "return_value(a,",
        "insertTextFormat": 1,
        "insertTextMode": 1,
        "textEdit": {
            "range": range_of(0, 7, 0, 10),
            "newText": "return_value(a,\n        b)",
        },
        "command": {
            "title": "Accept",
            "command": "sirdab.accept",
            "arguments": ["s1", "full"],
        },
    }


async def test_no_suggestion_is_an_empty_list(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start(PLAIN, menu("auto"))
    client.open(URI, "x = ")
    engine.answer = None
    assert await begin(client, 0, 4) == {"isIncomplete": True, "items": []}


async def test_what_is_not_ready_in_time_is_left_out_and_goes_on(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sirdab.server.handlers import completion

    monkeypatch.setattr(completion, "_BUDGET_SECONDS", 0.01)
    await client.start(PLAIN, menu("auto"))
    client.open(URI, "x = ")
    engine.held.clear()
    assert await begin(client, 0, 4) == {"isIncomplete": True, "items": []}
    assert len(engine.requests) == 1
    assert engine.cancelled == []
    # A newer request stops it.
    monkeypatch.setattr(completion, "_BUDGET_SECONDS", 10)
    newer = begin(client, 0, 4)
    await client.until(lambda: engine.cancelled)
    engine.held.set()
    assert (await newer)["items"]


async def test_a_cancelled_menu_stops_its_work(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start(PLAIN, menu("auto"))
    client.open(URI, "x = ")
    engine.held.clear()
    answer = begin(client, 0, 4)
    await client.until(lambda: engine.requests)
    client.cancel(answer)
    assert await client.error_of(answer) == -32800
    await client.until(lambda: engine.cancelled)


async def test_a_menu_that_is_turned_off_later_is_empty(client: InProcess) -> None:
    await client.start(PLAIN, menu("auto"))
    client.open(URI, "x = ")
    settings = {"sirdab": {"completion": {"menu": "off"}}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    assert await begin(client, 0, 4) is None
