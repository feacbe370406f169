"""`sirdab/didMoveCursor`: what is read ahead, and what is not."""

import asyncio

import pytest

from sirdab.server import warm_up
from sirdab.server.status import State
from sirdab.text.store import Point
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, NEVER, UTF16, InProcess

URI = "file:///a.py"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(warm_up, "_REST_SECONDS", 0.02)


def move(client: InProcess, line: int, character: int, uri: str = URI) -> None:
    position = {"line": line, "character": character}
    params = {"textDocument": {"uri": uri}, "position": position}
    client.notify("sirdab/didMoveCursor", params)


async def ready(client: InProcess) -> None:
    await client.start()
    client.open(URI, "a = 1\nb = 2\nc = 3\n")
    await client.inline(URI, 0, 0)
    client.server.status.report(State.READY, "Ready.")


async def test_where_the_cursor_rests_is_read_ahead(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await ready(client)
    for line in range(3):
        move(client, line, 4)
    await client.until(lambda: engine.warmed)
    assert [request.point for request in engine.warmed] == [Point(2, 4)]


async def test_nothing_is_read_while_the_model_server_is_not_well(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await ready(client)
    client.server.status.report(State.OFFLINE, "Gone.")
    move(client, 1, 4)
    await client.settle()
    await client.inline(URI, 0, 0)
    client.server.status.report(State.READY, "Back.")
    move(client, 2, 4)
    await client.until(lambda: engine.warmed)
    assert [request.point for request in engine.warmed] == [Point(2, 4)]


async def test_a_document_that_is_not_open(client: InProcess, engine: ScriptedEngine) -> None:
    await ready(client)
    move(client, 0, 0, "file:///other.py")
    move(client, 0, 0, "http://example.org/a.py")
    move(client, 1, 1)
    await client.until(lambda: engine.warmed)
    assert len(engine.warmed) == 1


@pytest.mark.parametrize("end", ["closed", "edited"])
async def test_what_nobody_wants_any_more_is_not_read(
    client: InProcess, engine: ScriptedEngine, end: str
) -> None:
    await ready(client)
    move(client, 1, 4)
    if end == "closed":
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    else:
        client.change(URI, 2, ((0, 0, 0, 0), "x"))
    await asyncio.sleep(0.05)
    assert engine.warmed == []


async def test_settings_that_come_late_count(client: InProcess, engine: ScriptedEngine) -> None:
    client.answers["workspace/configuration"] = NEVER
    await client.start({**UTF16, **INLINE, "workspace": {"configuration": True}})
    client.open(URI, "a = 1\n")
    client.server.status.report(State.READY, "Ready.")
    move(client, 0, 4)
    await asyncio.sleep(0.05)
    assert engine.warmed == []
    told = {"completion": {"disabledLanguages": ["python"]}}
    client.server.session.configuration.pull(told)
    client.server.configured()
    await client.until(lambda: engine.warmed)
    assert engine.warmed[0].settings.completion.disabled_languages == ("python",)


@pytest.mark.parametrize("end", ["toggled", "snoozed", "file toggled", "closed", "settings"])
async def test_reading_ends_when_ghost_text_is_turned_off(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    reading: list[str] = []

    async def read(*_: object) -> bool:
        reading.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            reading.append("ended")
        return True

    monkeypatch.setattr(engine, "warm", read)
    await ready(client)
    move(client, 1, 4)
    await client.until(lambda: reading)
    if end == "closed":
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    elif end == "settings":
        excluded = {"sirdab": {"privacy": {"exclude": ["*.py"]}}}
        client.notify("workspace/didChangeConfiguration", {"settings": excluded})
    else:
        command, arguments = {
            "toggled": ("sirdab.toggle", []),
            "snoozed": ("sirdab.snooze", [5]),
            "file toggled": ("sirdab.toggle", [{"scope": "file", "uri": URI}]),
        }[end]
        params = {"command": command, "arguments": arguments}
        await client.request("workspace/executeCommand", params)
    await client.until(lambda: reading == ["begun", "ended"])


async def ask_for_actions(client: InProcess, line: int, character: int) -> None:
    place = {"line": line, "character": character}
    params = {
        "textDocument": {"uri": URI},
        "range": {"start": place, "end": place},
        "context": {"diagnostics": []},
    }
    await client.request("textDocument/codeAction", params)


async def test_a_client_that_says_nothing_of_its_cursor_asks_for_actions_there(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await ready(client)
    await ask_for_actions(client, 1, 3)
    await client.until(lambda: engine.warmed)
    assert [request.point for request in engine.warmed] == [Point(1, 3)]


async def test_what_a_client_says_of_its_cursor_counts(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await ready(client)
    move(client, 2, 4)
    await ask_for_actions(client, 1, 3)
    await client.until(lambda: engine.warmed)
    await client.settle()
    assert [request.point for request in engine.warmed] == [Point(2, 4)]


async def test_nothing_is_read_of_a_document_that_has_been_edited_since(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_up, "_REST_SECONDS", 0.2)
    await ready(client)
    move(client, 0, 4)
    client.change(URI, 2, "d = 4\n")
    move(client, 0, 5)
    await client.until(lambda: engine.warmed)
    assert [request.point for request in engine.warmed] == [Point(0, 5)]
