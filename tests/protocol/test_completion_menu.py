"""The suggestion as an item of the completion menu."""

from typing import Any

import pytest

from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, InProcess, range_of

URI = "file:///a.py"
PLAIN: dict[str, Any] = {"textDocument": {"completion": {}}}


def menu(mode: str) -> dict[str, Any]:
    return {"completion": {"menu": mode, "debounceMs": 0}}


def begin(client: InProcess, line: int, character: int, trigger: str | None = None) -> Any:
    context = {"triggerKind": 2, "triggerCharacter": trigger} if trigger else {"triggerKind": 1}
    return client.begin(
        "textDocument/completion",
        {
            "textDocument": {"uri": URI},
            "position": {"line": line, "character": character},
            "context": context,
        },
    )


def item_capabilities(**capabilities: Any) -> dict[str, Any]:
    return {"textDocument": {"completion": {"completionItem": capabilities}}}


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
    assert found.get("completionProvider") == ({"triggerCharacters": ["."]} if offered else None)
    client.open(URI, "x = ")
    assert bool((await begin(client, 0, 4))["items"]) is offered


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
    assert (await begin(client, 0, 4))["items"] == []


@pytest.mark.parametrize(
    ("language", "line", "word"),
    [
        ("python", "x = ret", "ret"),
        ("python", "x = _ret1", "_ret1"),
        ("python", "x.ret", "ret"),
        ("python", "x = e\u0301ta", "e\u0301ta"),
        ("python", "x = größ", "größ"),
        ("python", "x = 漢字", "漢字"),
        ("python", "x = 'hi ", ""),
        ("python", "$x", "x"),
        ("javascript", "let $x", "$x"),
        ("css", "border-col", "border-col"),
        ("python", "border-col", "col"),
    ],
)
async def test_label_and_edit_begin_with_the_word_before_the_cursor(
    client: InProcess, engine: ScriptedEngine, language: str, line: str, word: str
) -> None:
    await client.start(PLAIN, menu("auto"))
    client.open(URI, line, language=language)
    engine.answer = "_more()"
    (item,) = (await begin(client, 0, len(line)))["items"]
    assert item["label"] == item["filterText"] == item["textEdit"]["newText"] == f"{word}_more()"
    assert item["textEdit"]["range"] == range_of(0, len(line) - len(word), 0, len(line))


async def test_a_long_line_is_cut_in_the_label_and_whole_in_the_edit(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start(PLAIN, menu("auto"))
    client.open(URI, "x = ")
    engine.answer = "y" * 100
    (item,) = (await begin(client, 0, 4))["items"]
    assert item["label"] == "y" * 80 + " …"
    assert item["documentation"] == item["textEdit"]["newText"] == "y" * 100


async def test_clients_that_can_get_markdown_and_label_details(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start(
        item_capabilities(documentationFormat=["markdown", "plaintext"], labelDetailsSupport=True),
        menu("auto"),
    )
    client.open(URI, "x = ")
    engine.answer = "1\n```\n2"
    (item,) = (await begin(client, 0, 4))["items"]
    assert item["labelDetails"] == {"description": "Sirdab"}
    assert item["documentation"] == {
        "kind": "markdown",
        "value": "````python\n1\n```\n2\n````",
    }


@pytest.mark.parametrize(
    ("language", "line", "asked"),
    [
        ("python", "x = foo.", True),
        ("python", "x = 1  # foo.", False),
        ("python", "x = 'foo.", False),
        ("markdown", "That was all.", False),
        ("plaintext", "That was all.", False),
        # Not known to be anything else than code.
        ("brainfuck", "+++.", True),
    ],
)
async def test_a_full_stop_opens_no_menu_in_prose(
    client: InProcess, engine: ScriptedEngine, language: str, line: str, asked: bool
) -> None:
    await client.start(PLAIN, menu("auto"))
    client.open(URI, line, language=language)
    engine.answer = "bar"
    answer = await begin(client, 0, len(line), trigger=".")
    assert bool(answer["items"]) is asked
    assert bool(engine.requests) is asked
    # Asked for without a trigger character it is offered everywhere.
    assert (await begin(client, 0, len(line)))["items"]


def push(client: InProcess, mode: str) -> None:
    settings = {"sirdab": {"completion": {"menu": mode}}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})


def registrations(client: InProcess) -> list[Any]:
    return [
        entry
        for method, params in client.asked
        if method in ("client/registerCapability", "client/unregisterCapability")
        for entry in params.get("registrations") or params.get("unregisterations")
        if entry["method"] == "textDocument/completion"
    ]


DYNAMIC: dict[str, Any] = {
    "textDocument": {"inlineCompletion": {}, "completion": {"dynamicRegistration": True}}
}


async def test_a_menu_that_is_turned_on_later_is_registered(
    client: InProcess, engine: ScriptedEngine
) -> None:
    client.answers["client/unregisterCapability"] = None
    await client.start(DYNAMIC, menu("auto"))
    client.open(URI, "x = ")
    engine.answer = "1"
    assert (await begin(client, 0, 4))["items"] == []
    push(client, "on")
    (registered,) = await client.until(lambda: registrations(client))
    assert registered["registerOptions"] == {
        "documentSelector": [
            {"scheme": "file"},
            {"scheme": "untitled"},
            {"scheme": "vscode-notebook-cell"},
        ],
        "triggerCharacters": ["."],
    }
    assert (await begin(client, 0, 4))["items"]
    push(client, "off")
    await client.until(lambda: len(registrations(client)) == 2)
    assert registrations(client)[1] == {"id": registered["id"], "method": registered["method"]}
    assert (await begin(client, 0, 4))["items"] == []


async def test_a_menu_that_the_client_is_asked_for_is_registered(client: InProcess) -> None:
    client.answers["workspace/configuration"] = [{"completion": {"menu": "on"}}]
    await client.start({**DYNAMIC, "workspace": {"configuration": True}})
    await client.until(lambda: registrations(client))


async def test_quick_changes_end_as_the_last_one_says(client: InProcess) -> None:
    client.answers["client/unregisterCapability"] = None
    await client.start(DYNAMIC, menu("auto"))
    for mode in ("on", "off", "on", "off", "on"):
        push(client, mode)
    await client.until(lambda: len(registrations(client)) % 2 == 1)
    await client.settle()
    assert "registerOptions" in registrations(client)[-1]


async def test_a_menu_that_was_offered_at_start_is_not_registered_again(client: InProcess) -> None:
    plain = {"textDocument": {"completion": {"dynamicRegistration": True}}}
    await client.start(plain, menu("auto"))
    push(client, "on")
    await client.settle()
    assert registrations(client) == []


async def test_a_client_that_cannot_register_is_told_once_what_to_do(client: InProcess) -> None:
    await client.start(INLINE, menu("auto"))
    push(client, "on")
    said = await client.expect_notification("window/logMessage")
    assert "restart it" in said["message"]
    push(client, "auto")
    push(client, "on")
    await client.settle()
