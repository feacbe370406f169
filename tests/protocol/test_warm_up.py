"""`sirdab/didMoveCursor`: what is read ahead, and what is not."""

import pytest

from sirdab.server import warm_up
from sirdab.server.status import State
from sirdab.text.store import Point
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import InProcess

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
