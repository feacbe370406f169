"""Commands, `sirdab/explain`, `sirdab/didShow` and `sirdab/status`."""

from typing import Any

import pytest

from sirdab.endpoint.base import ProblemKind
from sirdab.server.status import State
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import InProcess

URI = "file:///a.py"


async def execute(client: InProcess, command: str, *arguments: Any) -> Any:
    params = {"command": command, "arguments": list(arguments)}
    return await client.request("workspace/executeCommand", params)


async def explain(client: InProcess, uri: str = URI) -> dict[str, Any]:
    params = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 4}}
    return await client.request("sirdab/explain", params)


async def test_toggle(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start()
    client.open(URI, "x = ")
    client.server.status.report(State.READY, "Ready.")
    assert await execute(client, "sirdab.toggle") == {"enabled": False}
    await client.inline(URI, 0, 4)
    assert not engine.requests[-1].settings.completion.enabled
    assert await execute(client, "sirdab.toggle") == {"enabled": True}
    await client.inline(URI, 0, 4)
    assert engine.requests[-1].settings.completion.enabled
    states = [status["state"] for status in client.statuses]
    assert states == ["starting", "ready", "ready", "disabled", "ready"]


async def test_what_is_in_flight_is_not_shown_after_turning_it_off(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.held.clear()
    answer = client.begin_inline(URI, 0, 4)
    await client.until(lambda: engine.requests)
    await execute(client, "sirdab.toggle")
    assert await answer is None
    await client.until(lambda: engine.cancelled)


@pytest.mark.parametrize("trace", ["off", "messages", "prompts"])
async def test_text_is_logged_only_when_asked_for(
    client: InProcess, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture, trace: str
) -> None:
    await client.start(options={"trace": trace})
    client.open(URI, "x = ")
    engine.answer = "the suggestion"
    await client.inline(URI, 0, 4)
    assert ("the prompt" in caplog.text) is (trace == "prompts")
    assert ("the suggestion" in caplog.text) is (trace == "prompts")


async def test_a_changed_setting_overrules_the_switch(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start(options={"completion": {"enabled": False}})
    assert client.statuses[-1]["state"] == "disabled"
    client.open(URI, "x = ")
    await execute(client, "sirdab.toggle")
    for enabled in (True, False):
        settings = {"sirdab": {"completion": {"enabled": enabled}}}
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        await client.inline(URI, 0, 4)
        assert engine.requests[-1].settings.completion.enabled is enabled


async def test_clear_cache(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start()
    assert await execute(client, "sirdab.clearCache") is None
    assert engine.cleared == 1


@pytest.mark.parametrize("arguments", [[], [1], ["s1", "half"], ["s1", "full", "more"], [None]])
async def test_accept_with_wrong_arguments(client: InProcess, arguments: list[Any]) -> None:
    await client.start()
    params = {"command": "sirdab.accept", "arguments": arguments}
    assert await client.error_of(client.begin("workspace/executeCommand", params)) == -32602


async def test_what_became_of_suggestions_is_counted(client: InProcess) -> None:
    await client.start()
    client.open(URI, "x = ")
    for _ in range(3):
        await client.inline(URI, 0, 4)
    client.notify("sirdab/didShow", {"id": "s1"})
    client.notify("sirdab/didShow", {"id": "s1"})
    client.notify("sirdab/didShow", {"id": "s2"})
    for params in (None, [], {}, {"id": 5}, {"id": "unknown"}):
        client.notify("sirdab/didShow", params)
    await execute(client, "sirdab.accept", "s1", "word")
    await execute(client, "sirdab.accept", "s1", "full")
    await execute(client, "sirdab.accept", "unknown", "full")
    counts = (await explain(client))["trace"]["session"]
    assert counts == {"offered": 3, "shown": 2, "accepted": 1}


async def test_explain(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.trace = {"gate": "all open", "ms": 1.5, "odd": {1: float("nan")}, "set": {2}}
    found = await explain(client)
    assert found["reason"] == "suggested"
    assert found["suggestion"] == "answer"
    assert found["trace"]["prompt"] == "the prompt"
    assert found["trace"]["odd"] == {"1": "nan"}
    engine.answer = None
    found = await explain(client)
    assert (found["reason"], found["suggestion"]) == ("empty", None)
    assert found["detail"]


async def test_explain_where_nothing_is_open(client: InProcess) -> None:
    await client.start()
    found = await explain(client, "http://example.org/x")
    assert found["reason"] == "unsupported-document"
    assert found["suggestion"] is None


async def test_explaining_does_not_stop_what_the_user_waits_for(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.held.clear()
    answer = client.begin_inline(URI, 0, 4)
    params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 4}}
    explained = client.begin("sirdab/explain", params)
    await client.until(lambda: len(engine.requests) == 2)
    engine.held.set()
    assert (await answer)["items"]
    assert (await explained)["suggestion"] == "answer"


async def test_a_status_is_sent_only_when_it_changes(client: InProcess) -> None:
    await client.initialize()
    status = client.server.status
    status.report(State.STARTING, "Looking.", endpoint="http://127.0.0.1:1")
    assert client.statuses == []
    client.notify("initialized", {})
    for _ in range(3):
        status.report(State.READY, "Ready.", endpoint="http://127.0.0.1:1", model="m")
    assert client.statuses == [
        {"state": "starting", "message": "Looking.", "endpoint": "http://127.0.0.1:1"},
        {
            "state": "ready",
            "message": "Ready.",
            "endpoint": "http://127.0.0.1:1",
            "model": "m",
        },
    ]


async def test_only_what_the_user_must_do_pops_up_and_only_once(client: InProcess) -> None:
    await client.start()
    status = client.server.status
    for _ in range(2):
        for kind in ProblemKind:
            status.report(State.OFFLINE, f"Problem {kind.value}.", problem=kind)
        status.report(State.READY, "Ready.")
    needs = ("not-installed", "memory", "no-model", "refused", "policy")
    shown = [await client.expect_notification("window/showMessage") for _ in needs]
    assert [message["message"] for message in shown] == [
        f"Sirdab: Problem {kind}." for kind in needs
    ]
    logged = [await client.expect_notification("window/logMessage") for _ in ProblemKind]
    assert len(logged) == len(ProblemKind)
    assert client.statuses[2]["detail"] == "not-installed"
