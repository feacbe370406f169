"""What the server has thought further, and what it gives up when the cursor moves."""

import asyncio

import pytest

from sirdab.completion.request import CompletionRequest
from sirdab.server.status import State
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import InProcess

URI = "file:///a.py"


async def ready(client: InProcess) -> None:
    await client.start()
    client.open(URI, "a = 1\nb = 2\n")
    client.server.status.report(State.READY, "Ready.")


async def test_what_is_offered_is_thought_further(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await ready(client)
    await client.inline(URI, 0, 5)
    await client.until(lambda: engine.speculated)
    assert [request.point for request in engine.speculated] == [engine.requests[0].point]


async def test_nothing_is_without_an_offer(client: InProcess, engine: ScriptedEngine) -> None:
    await ready(client)
    engine.answer = None
    await client.inline(URI, 0, 5)
    await client.settle()
    assert engine.speculated == []


async def test_nothing_is_while_the_model_server_is_not_well(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await ready(client)
    client.server.status.report(State.OFFLINE, "Gone.")
    await client.inline(URI, 0, 5)
    await client.settle()
    assert engine.speculated == []


class Thinking:
    """Holds what is thought further until it is given up."""

    def __init__(self, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.given_up = 0
        monkeypatch.setattr(engine, "speculate", self._speculate)

    async def _speculate(self, request: CompletionRequest, turn: object) -> bool:
        del request, turn
        self.begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up += 1
        return True


async def test_what_is_not_offered_any_more_is_thought_no_further(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    thinking = Thinking(engine, monkeypatch)
    await ready(client)
    await client.inline(URI, 0, 5)
    await client.until(lambda: thinking.begun)
    engine.answer = None
    await client.inline(URI, 1, 5)
    await client.until(lambda: thinking.given_up)


@pytest.mark.parametrize(("line", "character", "goes_on"), [(0, 5, True), (1, 5, False)])
async def test_only_a_cursor_that_leaves_the_suggestion_ends_it(
    client: InProcess,
    engine: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    line: int,
    character: int,
    goes_on: bool,
) -> None:
    thinking = Thinking(engine, monkeypatch)
    await ready(client)
    await client.inline(URI, 0, 5)
    await client.until(lambda: thinking.begun)
    position = {"line": line, "character": character}
    client.notify("sirdab/didMoveCursor", {"textDocument": {"uri": URI}, "position": position})
    await client.until(lambda: engine.moves)
    await client.settle()
    assert thinking.given_up == (0 if goes_on else 1)


async def test_the_engine_is_told_where_the_cursor_goes(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await ready(client)
    await client.inline(URI, 0, 5)
    params = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 2}}
    client.notify("sirdab/didMoveCursor", params)
    await client.until(lambda: engine.moves)
    assert engine.moves[0].point.line == 1
