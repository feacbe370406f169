"""Turning ghost text off for a language, a file or a while, and what a status item shows."""

import re
from pathlib import Path
from typing import Any

import pytest

from sirdab.server.status import State
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import InProcess

A, B = "file:///a.py", "file:///b.py"


async def execute(client: InProcess, command: str, *arguments: Any) -> Any:
    params = {"command": command, "arguments": list(arguments)}
    return await client.request("workspace/executeCommand", params)


async def switched_off(client: InProcess, engine: ScriptedEngine, uri: str) -> str:
    await client.inline(uri, 0, 4)
    return engine.requests[-1].switched_off


async def test_a_file_is_switched_alone(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start()
    client.open(A, "x = ")
    client.open(B, "x = ")
    this = {"scope": "file", "uri": A}
    assert await execute(client, "sirdab.toggle", this) == {"enabled": False}
    assert "this file" in await switched_off(client, engine, A)
    assert await switched_off(client, engine, B) == ""
    assert await execute(client, "sirdab.toggle", {**this, "enabled": False}) == {"enabled": False}
    assert await execute(client, "sirdab.toggle", this) == {"enabled": True}
    assert await switched_off(client, engine, A) == ""
    assert "disabled" not in [status["state"] for status in client.statuses]


async def test_a_language_is_switched_over_its_setting(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start(options={"completion": {"disabledLanguages": ["python", "lua"]}})
    client.open(A, "x = ")
    python = {"scope": "language", "languageId": "python"}
    for enabled in (True, False, True):
        assert await execute(client, "sirdab.toggle", python) == {"enabled": enabled}
        await client.inline(A, 0, 4)
        listed = engine.requests[-1].settings.completion.disabled_languages
        assert ("python" in listed) is not enabled
        assert "lua" in listed
    # A changed setting is a later word than the switch.
    settings = {"sirdab": {"completion": {"disabledLanguages": ["python"]}}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    await client.inline(A, 0, 4)
    assert engine.requests[-1].settings.completion.disabled_languages == ("python",)


async def test_everything_can_be_set_instead_of_toggled(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(A, "x = ")
    for enabled in (False, False, True, True):
        wanted = {"scope": "all", "enabled": enabled}
        assert await execute(client, "sirdab.toggle", wanted) == {"enabled": enabled}
        assert bool(await switched_off(client, engine, A)) is not enabled


async def test_what_is_in_flight_is_not_shown_after_turning_a_file_off(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(A, "x = ")
    engine.held.clear()
    answer = client.begin_inline(A, 0, 4)
    await client.until(lambda: engine.requests)
    await execute(client, "sirdab.toggle", {"scope": "file", "uri": A})
    assert await answer is None


async def test_a_snooze_says_until_when_and_ends_on_demand(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(A, "x = ")
    client.server.status.report(State.READY, "Ready.")
    until = (await execute(client, "sirdab.snooze", 30))["until"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", until)
    assert client.statuses[-1]["state"] == "disabled"
    said = f"Ghost text is snoozed until {until[11:16]}."
    assert client.statuses[-1]["message"] == said
    assert await switched_off(client, engine, A) == said
    assert not engine.requests[-1].settings.completion.enabled
    assert await execute(client, "sirdab.snooze", 0) == {"until": None}
    assert client.statuses[-1]["state"] == "ready"
    assert await switched_off(client, engine, A) == ""


async def test_a_snooze_ends_by_itself(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from sirdab.server import switches

    await client.start()
    client.open(A, "x = ")
    client.server.status.report(State.READY, "Ready.")
    # A minute passes in a fiftieth of a second.
    monkeypatch.setattr(switches, "timedelta", lambda minutes: timedelta(seconds=minutes / 50))
    await execute(client, "sirdab.snooze", 1)
    assert client.statuses[-1]["state"] == "disabled"
    await client.until(lambda: client.statuses[-1]["state"] == "ready")
    assert await switched_off(client, engine, A) == ""


async def test_toggling_ends_a_snooze(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start()
    client.open(A, "x = ")
    await execute(client, "sirdab.snooze", 5)
    assert await execute(client, "sirdab.toggle") == {"enabled": True}
    assert await switched_off(client, engine, A) == ""


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("sirdab.toggle", [1]),
        ("sirdab.toggle", [{"scope": "galaxy"}]),
        ("sirdab.toggle", [{"scope": "file"}]),
        ("sirdab.toggle", [{"scope": "file", "uri": "http://example.org/x"}]),
        ("sirdab.toggle", [{"scope": "language", "languageId": 5}]),
        ("sirdab.snooze", []),
        ("sirdab.snooze", [-1]),
        ("sirdab.snooze", [1441]),
        ("sirdab.snooze", [True]),
        ("sirdab.snooze", ["5"]),
    ],
)
async def test_wrong_arguments(client: InProcess, command: str, arguments: list[Any]) -> None:
    await client.start()
    params = {"command": command, "arguments": arguments}
    assert await client.error_of(client.begin("workspace/executeCommand", params)) == -32602


async def test_statistics(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path))
    await client.start()
    client.open(A, "x = ")
    nothing = {"offered": 0, "shown": 0, "accepted": 0, "acceptedToday": 0, "last": None}
    assert await client.request("sirdab/statistics", None) == nothing
    engine.trace = {"model_ms": 40, "total_ms": 41.5, "evaluated_tokens": 3, "generated_tokens": 9}
    await client.inline(A, 0, 4)
    await execute(client, "sirdab.accept", "s1", "word")
    await execute(client, "sirdab.accept", "s1", "word")
    assert await client.request("sirdab/statistics", {}) == {
        "offered": 1,
        "shown": 0,
        "accepted": 1,
        "acceptedToday": 1,
        "last": {"latencyMs": 41.5, "tokensRead": 3, "tokensWritten": 9},
    }


async def test_models(client: InProcess) -> None:
    await client.start()
    found = await client.request("sirdab/models", {})
    assert found["current"] is None
    names = [model["name"] for model in found["models"]]
    assert "qwen2.5-coder-0.5b" in names
    assert not any(model["current"] for model in found["models"])
    client.server.status.report(State.READY, "Ready.", model="qwen2.5-coder-0.5b")
    found = await client.request("sirdab/models", None)
    assert found["current"] == "qwen2.5-coder-0.5b"
    assert [model["name"] for model in found["models"] if model["current"]] == [found["current"]]
    client.server.status.report(State.READY, "Ready.", model="house-blend-7b")
    found = await client.request("sirdab/models", None)
    assert found["models"][-1]["name"] == found["current"] == "house-blend-7b"
