"""What becomes of suggestions, through the messages of an editor, the engine and the file."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from sirdab.completion.engine import Engine
from sirdab.completion.request import Trigger
from sirdab.metrics.store import Store, day_of, default_path
from tests.support.completion import ScriptedEndpoint
from tests.support.lsp_client import InProcess, in_process

URI = "file:///a.py"
BEFORE = "def add(a, b):\n    return "
AT = (1, 11)
ANSWER = "a + b"
SETTINGS = {"completion": {"debounceMs": 0}}


class Time:
    """The clock of the suggestions' stories; what is due happens when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        self._due.append((self.now + seconds, work))

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        due = [entry for entry in self._due if entry[0] <= until]
        self._due = [entry for entry in self._due if entry[0] > until]
        for self.now, work in sorted(due, key=lambda entry: entry[0]):
            work()
        self.now = until


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def endpoint() -> ScriptedEndpoint:
    return ScriptedEndpoint(ANSWER)


@pytest.fixture
async def client(endpoint: ScriptedEndpoint) -> AsyncIterator[InProcess]:
    async with in_process(Engine(endpoint)) as found:
        await found.start(options=SETTINGS)
        yield found


@pytest.fixture
def time(client: InProcess) -> Time:
    found = Time()
    lifecycle = client.server.lifecycle
    lifecycle._clock, lifecycle._later = (lambda: found.now), found.later
    backoff = client.server.pacing.debounce.backoff
    backoff._clock = lambda: found.now
    return found


async def rows(client: InProcess) -> list[dict[str, Any]]:
    await client.settle()
    await asyncio.to_thread(client.server.metrics.flush)
    path = default_path()
    if not path.exists():
        return []
    store = Store(path)
    try:
        return store.shown(day_of(0))
    finally:
        store.close()


async def row(client: InProcess) -> dict[str, Any]:
    (found,) = await rows(client)
    return found


async def offer(client: InProcess, trigger: int = 2) -> str:
    """Open a document, ask, and return the id of what is offered."""
    client.open(URI, BEFORE)
    item = (await client.inline(URI, *AT, trigger=trigger))["items"][0]
    assert item["insertText"] == ANSWER
    return item["command"]["arguments"][0]


def show(client: InProcess, id_: str) -> None:
    client.notify("sirdab/didShow", {"id": id_})


def insert(client: InProcess, text: str, version: int = 2, at: tuple[int, int] = AT) -> None:
    client.change(URI, version, ((*at, *at), text))


async def accept(client: InProcess, id_: str, part: str = "full") -> None:
    params = {"command": "sirdab.accept", "arguments": [id_, part]}
    await client.request("workspace/executeCommand", params)


async def test_shown_accepted_and_retained(client: InProcess, time: Time) -> None:
    id_ = await offer(client)
    show(client, id_)
    time.wait(2)
    insert(client, ANSWER)
    await accept(client, id_)
    time.wait(30)
    client.change(URI, 3, ((1, 15, 1, 16), "c"))
    await client.settle()
    time.wait(60)
    time.wait(210)
    found = await row(client)
    assert (found["language"], found["source"], found["told"]) == ("python", "model", 1)
    assert (found["part"], found["part_told"], found["ending"]) == ("full", 1, None)
    assert (found["characters"], found["characters_accepted"]) == (5, 5)
    assert found["seen_ms"] == 2_000
    kept = [found[f"retained_{horizon}"] for horizon in (30, 90, 300)]
    assert kept == [1.0, 0.8, 0.8]


async def test_dismissed(client: InProcess, time: Time) -> None:
    show(client, await offer(client))
    await client.settle()
    time.wait(2)
    insert(client, "x")
    found = await row(client)
    assert (found["ending"], found["part"], found["seen_ms"]) == ("dismissed", None, 2_000)


async def test_the_cursor_goes_elsewhere(client: InProcess, time: Time) -> None:
    show(client, await offer(client))
    await client.settle()
    time.wait(2)
    client.notify(
        "sirdab/didMoveCursor",
        {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 3}},
    )
    assert (await row(client))["ending"] == "dismissed"


async def test_typed_along_and_answered_from_memory(client: InProcess, time: Time) -> None:
    show(client, await offer(client))
    await client.settle()
    time.wait(1)
    line, column = AT
    for count, key in enumerate(ANSWER[:-1], 1):
        insert(client, key, count + 1, (line, column + count - 1))
        answer = await client.inline(URI, line, column + count, trigger=2)
        assert answer["items"][0]["insertText"] == ANSWER[count:]
        show(client, answer["items"][0]["command"]["arguments"][0])
    insert(client, ANSWER[-1], 9, (line, column + len(ANSWER) - 1))
    assert (await row(client))["ending"] == "typed"
    store = Store(default_path())
    sources: Counter[str] = Counter()
    for _, _, source, _, answers, _, _ in store.answers(day_of(0)):
        sources[source] += answers
    store.close()
    assert sources == {"model": 1, "cache": len(ANSWER) - 1}


async def test_an_editor_that_says_nothing(client: InProcess, time: Time) -> None:
    await offer(client)
    time.wait(0.1)
    insert(client, "x")
    assert await rows(client) == []
    client.change(URI, 3, BEFORE)
    await client.inline(URI, *AT, trigger=2)
    time.wait(3)
    insert(client, "x", 4)
    found = await row(client)
    assert (found["ending"], found["told"]) == ("dismissed", 0)


async def test_a_word_that_the_editor_does_not_tell_of(client: InProcess, time: Time) -> None:
    """As VS Code does it: its command runs only when all is taken."""
    show(client, await offer(client))
    insert(client, "a +")
    await client.settle()
    client.change(URI, 3, ((1, 14, 1, 14), "!"))
    found = await row(client)
    assert (found["part"], found["part_told"], found["ending"]) == ("word", 0, None)
    assert found["characters_accepted"] == 3
    # What is told to the user as accepted today is what an editor has said.
    answer = await client.request("sirdab/statistics", None)
    assert (answer["accepted"], answer["acceptedToday"]) == (0, 0)


async def test_closing_the_document_ends_the_story(client: InProcess, time: Time) -> None:
    id_ = await offer(client)
    show(client, id_)
    insert(client, ANSWER)
    await accept(client, id_)
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    await client.settle()
    time.wait(400)
    found = await row(client)
    assert (found["part"], found["retained_30"]) == ("full", None)


async def test_today_is_counted_over_all_sessions(
    client: InProcess, time: Time, endpoint: ScriptedEndpoint
) -> None:
    await accept(client, await offer(client))
    assert (await client.request("sirdab/statistics", None))["acceptedToday"] == 1
    async with in_process(Engine(endpoint)) as other:
        await other.start(options=SETTINGS)
        assert (await other.request("sirdab/statistics", None))["acceptedToday"] == 1
        await accept(other, await offer(other))
        assert (await other.request("sirdab/statistics", None))["acceptedToday"] == 2


async def test_the_end_of_the_session_writes_what_waits(endpoint: ScriptedEndpoint) -> None:
    async with in_process(Engine(endpoint)) as client:
        await client.start(options=SETTINGS)
        show(client, await offer(client))
        await client.settle()
        await client.stop()
    store = Store(default_path())
    assert [entry["ending"] for entry in store.shown(day_of(0))] == ["left"]
    store.close()


@pytest.mark.parametrize("name", ["state", "state/metrics.sqlite3"])
async def test_where_nothing_can_be_written_all_else_works(
    client: InProcess, time: Time, tmp_path: Path, name: str
) -> None:
    if "/" in name:
        (tmp_path / name).mkdir(parents=True)
    else:
        (tmp_path / name).touch()
    id_ = await offer(client)
    show(client, id_)
    insert(client, ANSWER)
    await accept(client, id_)
    answer = await client.request("sirdab/statistics", None)
    assert (answer["accepted"], answer["acceptedToday"]) == (1, 0)


async def test_no_text_of_the_document_reaches_the_disk(
    client: InProcess, time: Time, tmp_path: Path
) -> None:
    id_ = await offer(client)
    show(client, id_)
    insert(client, ANSWER)
    await accept(client, id_)
    time.wait(30)
    assert len(await rows(client)) == 1
    written = b"".join(file.read_bytes() for file in default_path().parent.glob("metrics*"))
    assert b"python" in written
    for text in (b"def add", b"a + b", b"a.py", b"file://"):
        assert text not in written


# --- back-off --------------------------------------------------------------------------------


async def dismiss(client: InProcess, time: Time, times: int) -> None:
    """Have so many suggestions shown, read, and not taken."""
    for number in range(times):
        uri = f"file:///{number}.py"
        client.open(uri, BEFORE)
        item = (await client.inline(uri, *AT, trigger=2))["items"][0]
        show(client, item["command"]["arguments"][0])
        await client.settle()
        time.wait(1)
        client.change(uri, 2, ((*AT, *AT), "x"))
        await client.settle()


AUTO = {"sirdab": {"completion": {"debounceMs": "auto"}}}


async def explain(client: InProcess, line: int, character: int) -> dict[str, Any]:
    position = {"line": line, "character": character}
    params = {"textDocument": {"uri": URI}, "position": position}
    return await client.request("sirdab/explain", params)


async def test_dismissals_raise_the_bar_and_explain_says_so(
    client: InProcess, time: Time, endpoint: ScriptedEndpoint
) -> None:
    await dismiss(client, time, 7)
    client.notify("workspace/didChangeConfiguration", {"settings": AUTO})
    client.open(URI, "def add(a, b):\n    retu")
    endpoint.answer = "rn a + b"
    asked = len(endpoint.requests)
    assert await client.inline(URI, 1, 8, trigger=2) is None
    assert len(endpoint.requests) == asked
    found = await explain(client, 1, 8)
    assert found["reason"] == "backed-off"
    assert "7 suggestions were dismissed" in found["detail"]
    assert found["suggestion"] == "rn a + b"
    debounce = found["trace"]["debounce"]
    assert set(debounce) == {"ms", "rhythm_ms", "score", "dismissed_in_a_row"}
    assert (debounce["score"], debounce["dismissed_in_a_row"]) == (0.0, 7)


async def test_the_bar_does_not_keep_a_gate_from_being_named(client: InProcess, time: Time) -> None:
    await dismiss(client, time, 7)
    client.notify("workspace/didChangeConfiguration", {"settings": AUTO})
    client.open(URI, "x")
    assert (await explain(client, 0, 1))["reason"] == "no-context"


async def test_asking_brings_suggestions_back(
    client: InProcess, time: Time, endpoint: ScriptedEndpoint
) -> None:
    await dismiss(client, time, 7)
    client.notify("workspace/didChangeConfiguration", {"settings": AUTO})
    client.open(URI, "def add(a, b):\n    retu")
    endpoint.answer = "rn a + b"
    assert await client.inline(URI, 1, 8, trigger=2) is None
    assert (await client.inline(URI, 1, 8, trigger=1))["items"]
    client.change(URI, 2, "def sub(a, b):\n    retu")
    assert (await client.inline(URI, 1, 8, trigger=2))["items"]
    assert (await explain(client, 1, 8))["trace"]["debounce"]["dismissed_in_a_row"] == 0


async def test_time_brings_suggestions_back(
    client: InProcess, time: Time, endpoint: ScriptedEndpoint
) -> None:
    await dismiss(client, time, 7)
    client.notify("workspace/didChangeConfiguration", {"settings": AUTO})
    client.open(URI, "def add(a, b):\n    retu")
    assert await client.inline(URI, 1, 8, trigger=2) is None
    time.wait(120)
    endpoint.answer = "rn a + b"
    assert (await client.inline(URI, 1, 8, trigger=2))["items"]


async def test_a_number_overrules_the_bar(
    client: InProcess, time: Time, endpoint: ScriptedEndpoint
) -> None:
    await dismiss(client, time, 12)
    client.open(URI, "def add(a, b):\n    retu")
    endpoint.answer = "rn a + b"
    assert (await client.inline(URI, 1, 8, trigger=2))["items"]


async def test_what_is_passed_in_typing_is_not_held_against_anybody(
    client: InProcess, time: Time
) -> None:
    for number in range(12):
        uri = f"file:///{number}.py"
        client.open(uri, BEFORE)
        item = (await client.inline(uri, *AT, trigger=2))["items"][0]
        show(client, item["command"]["arguments"][0])
        await client.settle()
        time.wait(0.1)
        client.change(uri, 2, ((*AT, *AT), "x"))
    endings = [entry["ending"] for entry in await rows(client)]
    assert endings == ["passed"] * 12
    assert client.server.pacing.debounce.backoff.in_a_row == 0


# --- the debounce -----------------------------------------------------------------------------


async def test_the_model_is_asked_when_the_keys_have_paused(
    client: InProcess, endpoint: ScriptedEndpoint
) -> None:
    settings = {"sirdab": {"completion": {"debounceMs": 10_000}}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    client.open(URI, BEFORE)
    waiting = client.begin_inline(URI, *AT, trigger=2)
    await client.settle()
    await asyncio.sleep(0.05)
    assert endpoint.requests == []
    # Asking does not wait, and answers the one that did.
    assert (await client.inline(URI, *AT, trigger=1))["items"]
    assert await waiting is None


async def test_the_trace_tells_of_the_debounce(client: InProcess) -> None:
    client.notify("workspace/didChangeConfiguration", {"settings": AUTO})
    client.open(URI, BEFORE)
    request = client.server.session.completion_request(URI, types.Position(*AT), Trigger.AUTOMATIC)
    assert request is not None
    trace = (await client.server.suggest(request)).trace
    assert set(trace["debounce"]) == {"ms", "rhythm_ms", "score", "dismissed_in_a_row"}
    assert trace["waited_ms"] >= trace["debounce"]["ms"]
