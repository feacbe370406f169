"""A keystroke's request goes before a review, on the server's own engine and lane.

One model server answers both, as on a small machine; what it was asked and what was closed is noted
in order. No time is asserted: `bench/preemption.py` measures.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sirdab.completion.engine import Engine
from sirdab.endpoint.base import Chunk, GenerationRequest, Usage
from sirdab.endpoint.lane import Lane
from tests.protocol.review_client import URI, capabilities, execute, lines, published
from tests.support.lsp_client import InProcess, in_process
from tests.support.review import (
    MUTABLE,
    SQL,
    ScriptedModel,
    answer,
    kind_of,
    only_named,
    raw,
)

TYPED = "\n\ndef sizes(values):\n    result = [len(value) for value in val"
CONTENT = f"{SQL}\n{MUTABLE}{TYPED}"
LAST = CONTENT.count("\n")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    only_named(monkeypatch)


class OneServer(ScriptedModel):
    """Answers reviews as it is told to, and keystrokes at once; `events` says what came when."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.events: list[str] = []

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        if kind_of(request) != "question":
            self.events.append("key")

            async def typed() -> AsyncIterator[Chunk]:
                yield Chunk(
                    f"{request.begins_with}es]\n    return result", usage=Usage(prompt_tokens=10)
                )

            yield typed()
            return
        self.events.append("review")
        try:
            async with super().generate(request) as chunks:
                yield chunks
        finally:
            self.events.append("closed")


def say(request: Any) -> str:
    asked = request.prompt.rpartition("Rules:")[2]
    if "items=[]" in asked:
        return answer(raw("def add(item, items=[]):", 1, "mutable-default"))
    return answer(raw()) if "SELECT" in asked else answer()


@asynccontextmanager
async def typing(model: OneServer) -> AsyncIterator[InProcess]:
    async with in_process(Engine(model), endpoints=model) as client:
        client.server.lane = Lane(quiet_s=0.01)
        options = {"completion": {"debounceMs": 0}, "privacy": {"audit": False}}
        await client.start(capabilities(), options)
        client.ignored |= {"window/logMessage"}
        client.open(URI, CONTENT)
        yield client


def begin_review(client: InProcess) -> Any:
    params = {"command": "sirdab.reviewDocument", "arguments": [{"uri": URI}]}
    return client.begin("workspace/executeCommand", params)


async def press(client: InProcess, version: int, column: int, key: str) -> Any:
    """Type one character at the end, as an editor does: the change and the request."""
    client.change(URI, version, ((LAST, column, LAST, column), key))
    return await client.inline(URI, LAST, column + 1)


async def test_the_reviews_stream_is_closed_before_the_keystroke_is_sent() -> None:
    model = OneServer(say)
    model.held.clear()
    async with typing(model) as client:
        begun = begin_review(client)
        await client.until(lambda: model.requests)
        assert model.events == ["review"]
        column = len(CONTENT.rpartition("\n")[2])
        shown = await press(client, 2, column, "u")
        assert shown["items"][0]["insertText"].endswith("es]")
        # Closed first, then the keystroke; the review came back when it was quiet again.
        assert model.events[:3] == ["review", "closed", "key"]
        model.held.set()
        assert (await begun)["findings"] == 2
        assert lines(published(client)) == [2, 5]
        assert model.broken_off == 1
    assert model.events.count("review") == model.events.count("closed")


async def test_a_review_ends_with_all_findings_whatever_is_typed_meanwhile() -> None:
    model = OneServer(say)
    model.held.clear()
    async with typing(model) as client:
        begun = begin_review(client)
        column = len(CONTENT.rpartition("\n")[2])
        for number, key in enumerate("ues]"):
            # Each key meets an open stream.
            await client.until(lambda: model.events and model.events[-1] == "review")
            await press(client, number + 2, column + number, key)
        model.held.set()
        assert (await begun)["findings"] == 2
        assert lines(published(client)) == [2, 5]
    # No review was under way when a key was sent.
    under_way = 0
    for event in model.events:
        under_way += {"review": 1, "closed": -1}.get(event, 0)
        assert event != "key" or under_way == 0, model.events
    assert under_way == 0


async def test_what_was_complete_when_a_key_came_is_not_asked_again() -> None:
    two = SQL.replace("return cursor.fetchone()", 'cursor.execute("DELETE FROM a WHERE b=" + name)')
    found = answer(raw(), raw('cursor.execute("DELETE FROM a WHERE b=" + name)', 4))
    model = OneServer(lambda request: found if "twice" not in request.prompt else answer())
    # The first finding is there, the second is being written.
    model.pause = '}, {"rule"'
    model.held.clear()
    async with typing(model) as client:
        client.change(URI, 2, f"{two}{TYPED}")
        begun = begin_review(client)
        await client.until(lambda: model.events == ["review"])
        params = await client.expect_notification("textDocument/publishDiagnostics")
        while not params["diagnostics"]:
            params = await client.expect_notification("textDocument/publishDiagnostics")
        row = f"{two}{TYPED}".count("\n")
        column = len(TYPED.rpartition("\n")[2])
        client.change(URI, 3, ((row, column, row, column), "u"))
        await client.inline(URI, row, column + 1)
        await client.until(lambda: model.events.count("review") == 2)
        model.held.set()
        await begun
        again = [request for request in model.requests if kind_of(request) == "question"][1]
        # What is known is told to the model, and only the rest is asked for.
        assert "none of them twice" in again.prompt
        assert again.json_schema is not None
        assert lines(published(client)) == [2]


async def test_a_review_of_the_workspace_gives_way_too(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SQL, encoding="utf-8")
    (tmp_path / "b.py").write_text(MUTABLE, encoding="utf-8")
    model = OneServer(say)
    model.held.clear()
    async with in_process(Engine(model), endpoints=model) as client:
        client.server.lane = Lane(quiet_s=0.01)
        folders = [{"uri": tmp_path.as_uri(), "name": "project"}]
        options = {"completion": {"debounceMs": 0}, "privacy": {"audit": False}}
        await client.start(capabilities(), options, workspaceFolders=folders)
        client.ignored |= {"window/logMessage", "textDocument/publishDiagnostics"}
        client.open(URI, CONTENT)
        begun = asyncio.ensure_future(execute(client, "sirdab.reviewWorkspace"))
        await client.until(lambda: model.events == ["review"])
        column = len(CONTENT.rpartition("\n")[2])
        await press(client, 2, column, "u")
        assert model.events[:3] == ["review", "closed", "key"]
        model.held.set()
        assert await begun == {"files": 2, "findings": 2}
