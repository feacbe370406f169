"""Ghost text: what is asked of the engine, what the editor gets, and what is stopped."""

import asyncio
from typing import Any

import pytest

from sirdab.completion.request import CompletionRequest, Outcome, Reason, Trigger
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, UTF16, InProcess, in_process, range_of

URI = "file:///a.py"
NO_DEBOUNCE = {"completion": {"debounceMs": 0}}


async def test_an_item_has_a_range_and_a_command(client: InProcess) -> None:
    await client.start()
    client.open(URI, "x = ")
    assert await client.inline(URI, 0, 4) == {
        "items": [
            {
                "insertText": "answer",
                "range": range_of(0, 4, 0, 4),
                "command": {
                    "title": "Accept",
                    "command": "sirdab.accept",
                    "arguments": ["s1", "full"],
                },
            }
        ]
    }


async def test_no_suggestion_is_null(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.answer = None
    assert await client.inline(URI, 0, 4) is None


async def test_the_engine_learns_why_it_is_asked(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start(options=NO_DEBOUNCE)
    client.open(URI, "x = ", language="python", version=7)
    await client.inline(URI, 0, 4, trigger=1)
    await client.inline(URI, 0, 4, trigger=2)
    assert [request.trigger for request in engine.requests] == [
        Trigger.INVOKED,
        Trigger.AUTOMATIC,
    ]
    request = engine.requests[0]
    assert (request.snapshot.uri, request.snapshot.version) == (URI, 7)
    assert request.snapshot.language_id == "python"
    assert request.trusted


async def test_the_selected_item_of_the_list_is_extended(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "𝒳.app")
    selected = {"range": range_of(0, 3, 0, 6), "text": "append"}
    answer = await client.inline(URI, 0, 6, selected=selected)
    item = answer["items"][0]
    assert item["insertText"] == "appendanswer"
    assert item["range"] == range_of(0, 3, 0, 6)
    found = engine.requests[0].selected
    assert found is not None
    assert (found.start, found.stop, found.text) == ((0, 2), (0, 5), "append")


@pytest.mark.parametrize("selection", [(0, 0, 1, 3), (1, 3, 1, 0)])
async def test_a_selection_that_no_item_may_replace_is_ignored(
    client: InProcess, selection: tuple[int, int, int, int]
) -> None:
    await client.start()
    client.open(URI, "a = 1\nb = ")
    selected = {"range": range_of(*selection), "text": "z"}
    answer = await client.inline(URI, 1, 4, selected=selected)
    assert answer["items"][0]["insertText"] == "answer"
    assert answer["items"][0]["range"] == range_of(1, 4, 1, 4)


async def test_a_newer_request_supersedes_the_older(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    client.open("file:///b.py", "y = ")
    engine.held.clear()
    older = client.begin_inline(URI, 0, 3)
    other = client.begin_inline("file:///b.py", 0, 4)
    await client.until(lambda: len(engine.requests) == 2)
    newer = client.begin_inline(URI, 0, 4)
    assert await older is None
    await client.until(lambda: len(engine.requests) == 3)
    assert engine.cancelled == [engine.requests[0]]
    engine.held.set()
    assert (await newer)["items"]
    assert (await other)["items"]


async def test_the_superseded_one_is_answered_although_its_work_does_not_stop(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.start()
    client.open(URI, "x = ")
    release = asyncio.Event()
    complete = engine.complete

    async def stubborn(request: Any, **options: Any) -> Any:
        outcome = complete(request, **options)
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return await outcome

    monkeypatch.setattr(engine, "complete", stubborn)
    older = client.begin_inline(URI, 0, 4)
    await asyncio.sleep(0)
    newer = client.begin_inline(URI, 0, 4)
    assert await older is None
    client.cancel(newer)
    assert await client.error_of(newer) == -32800
    release.set()


async def test_a_cancelled_request_stops_its_work(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.held.clear()
    answer = client.begin_inline(URI, 0, 4)
    await client.until(lambda: engine.requests)
    client.cancel(answer)
    assert await client.error_of(answer) == -32800
    await client.until(lambda: engine.cancelled)
    # Too late, unknown and malformed cancellations change nothing.
    client.cancel(answer)
    client.notify("$/cancelRequest", {"id": "unknown"})
    client.notify("$/cancelRequest", {})
    client.notify("$/cancelRequest")


async def test_a_request_is_cancelled_before_its_work_has_begun(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    answer = client.begin_inline(URI, 0, 4)
    client.cancel(answer)
    assert await client.error_of(answer) == -32800
    # The id is free, and what was cancelled under it does not disturb the new owner.
    again = client.begin("textDocument/inlineCompletion", _params(), id_=answer.id)
    assert (await again)["items"]


def _params() -> dict[str, Any]:
    return {
        "textDocument": {"uri": URI},
        "position": {"line": 0, "character": 4},
        "context": {"triggerKind": 1},
    }


async def test_only_the_last_of_a_burst_reaches_the_engine(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start(options={"completion": {"debounceMs": 30}})
    client.open(URI, "")
    answers: list[Any] = []
    for version, letter in enumerate("hello", start=2):
        client.change(URI, version, ((0, 99, 0, 99), letter))
        answers.append(client.begin_inline(URI, 0, version - 1, trigger=2))
    results = [await answer for answer in answers]
    assert results[:-1] == [None] * 4
    assert results[-1]["items"]
    assert [str(request.snapshot.text) for request in engine.requests] == ["hello"]


async def test_asking_explicitly_does_not_wait(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start(options={"completion": {"debounceMs": 10_000}})
    client.open(URI, "x = ")
    waiting = client.begin_inline(URI, 0, 4, trigger=2)
    assert (await client.inline(URI, 0, 4, trigger=1))["items"]
    assert await waiting is None
    assert len(engine.requests) == 1


async def test_moving_the_cursor_away_gives_up(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start()
    client.open(URI, "x = \ny = ")
    engine.held.clear()
    answer = client.begin_inline(URI, 0, 4)
    await client.until(lambda: engine.requests)
    here = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 4}}
    client.notify("sirdab/didMoveCursor", here)
    elsewhere = {"textDocument": {"uri": "file:///b.py"}, "position": here["position"]}
    client.notify("sirdab/didMoveCursor", elsewhere)
    await client.settle()
    assert not answer.done()
    client.notify("sirdab/didMoveCursor", {**here, "position": {"line": 1, "character": 0}})
    assert await answer is None
    await client.until(lambda: engine.cancelled)


async def test_an_untrusted_workspace(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start(options={"trusted": False, **NO_DEBOUNCE})
    client.open(URI, "x = ")
    await client.inline(URI, 0, 4)
    assert not engine.requests[0].trusted


async def test_giving_up_while_the_engine_starts_does_not_stop_it(engine: ScriptedEngine) -> None:
    started = asyncio.Event()
    async with in_process(engine, started) as client:
        await client.start()
        client.open(URI, "x = ")
        answer = client.begin_inline(URI, 0, 4)
        await client.settle()
        client.cancel(answer)
        assert await client.error_of(answer) == -32800
        again = client.begin_inline(URI, 0, 4)
        await client.settle()
        started.set()
        assert (await again)["items"]


class Excluding(ScriptedEngine):
    """Finds each document excluded."""

    detail = "The file is excluded by the built-in rule settings.json; it is never read."

    async def complete(self, request: CompletionRequest, **options: Any) -> Outcome:
        del request, options
        return Outcome(Reason.EXCLUDED, self.detail)


async def test_why_a_document_never_has_a_suggestion_is_logged_once() -> None:
    detail = Excluding.detail
    async with in_process(Excluding()) as client:
        await client.start(options=NO_DEBOUNCE)
        for uri in (URI, "file:///project/b.py"):
            client.open(uri, "x = ")
            assert await client.inline(uri, 0, 4) is None
            assert await client.inline(uri, 0, 4) is None
        for uri in (URI, "file:///project/b.py"):
            logged = await client.expect_notification("window/logMessage")
            assert (logged["type"], logged["message"]) == (3, f"No suggestions in {uri}: {detail}")


async def test_what_is_excluded_while_the_engine_starts_is_excluded(
    engine: ScriptedEngine,
) -> None:
    started = asyncio.Event()
    announced = {**UTF16, **INLINE, "workspace": {"configuration": True}}
    async with in_process(engine, started) as client:
        client.answers["workspace/configuration"] = [{"privacy": {"exclude": ["*.py"]}}]
        await client.initialize(announced, NO_DEBOUNCE)
        client.notify("initialized", {})
        client.open(URI, "x = ")
        # The request comes first, then the settings, and the engine last of all.
        answer = client.begin_inline(URI, 0, 4)
        await client.until(lambda: client.server.session.settings.privacy.exclude)
        started.set()
        await answer
        assert engine.requests[0].settings.privacy.exclude == ("*.py",)
