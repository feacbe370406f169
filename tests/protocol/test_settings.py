"""Where settings come from over LSP, and how their faults are told."""

from pathlib import Path
from typing import Any

import pytest

from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, NEVER, UTF16, InProcess, spawned

URI = "file:///a.py"
PULL: dict[str, Any] = {
    **UTF16,
    **INLINE,
    "workspace": {
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
    },
}


async def max_tokens(client: InProcess, engine: ScriptedEngine) -> int:
    """The value in force, by what the engine is asked with."""
    await client.inline(URI, 0, 0)
    return engine.requests[-1].settings.completion.max_tokens


def tokens(number: Any) -> dict[str, Any]:
    return {"completion": {"maxTokens": number}}


async def test_initialization_options(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start(options=tokens(11))
    client.open(URI, "x")
    assert await max_tokens(client, engine) == 11


async def test_settings_are_pulled_and_the_server_asks_to_be_told(
    client: InProcess, engine: ScriptedEngine
) -> None:
    client.answers["workspace/configuration"] = [tokens(12)]
    await client.start(PULL, tokens(11))
    client.open(URI, "x")
    await client.until(lambda: len(client.asked) == 2)
    assert await max_tokens(client, engine) == 12
    # First the settings, because the first suggestion waits for them.
    assert client.asked[0] == (
        "workspace/configuration",
        {"items": [{"section": "sirdab"}]},
    )
    method, params = client.asked[1]
    assert method == "client/registerCapability"
    (registration,) = params["registrations"]
    assert registration["method"] == "workspace/didChangeConfiguration"
    assert registration["registerOptions"] == {"section": "sirdab"}


async def test_the_first_suggestion_waits_for_what_the_client_excludes(
    client: InProcess, engine: ScriptedEngine
) -> None:
    client.answers["workspace/configuration"] = [{"privacy": {"exclude": ["*.key"]}}]
    await client.start(PULL)
    client.open(URI, "x")
    # Sent before the answer to `workspace/configuration` can have come.
    await client.inline(URI, 0, 0)
    assert [request.settings.privacy.exclude for request in engine.requests] == [("*.key",)]


async def test_settings_are_pulled_again_when_they_change(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start(PULL)
    client.open(URI, "x")
    await client.until(lambda: len(client.asked) == 2)
    client.answers["workspace/configuration"] = [tokens(13)]
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.until(lambda: len(client.asked) == 3)
    await client.settle()
    assert await max_tokens(client, engine) == 13


@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"sirdab": {"completion": {"maxTokens": 14}}}, 14),
        ({"sirdab": {}}, 11),
        ({"other": {"completion": {"maxTokens": 14}}}, 11),
        ({}, 11),
        ([], 11),
        (None, 11),
    ],
)
async def test_settings_that_are_pushed(
    client: InProcess, engine: ScriptedEngine, settings: Any, expect: int
) -> None:
    await client.start(options=tokens(11))
    client.open(URI, "x")
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    assert await max_tokens(client, engine) == expect


async def test_the_users_file(
    client: InProcess,
    engine: ScriptedEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[completion]\nmaxTokens = 15\n", encoding="utf-8")
    monkeypatch.setenv("SIRDAB_CONFIG", str(path))
    await client.start()
    client.open(URI, "x")
    assert await max_tokens(client, engine) == 15
    path.write_text("[completion]\nmaxTokens = 16\n", encoding="utf-8")
    client.notify("workspace/didChangeConfiguration", {"settings": {}})
    assert await max_tokens(client, engine) == 16


async def test_a_workspace_cannot_say_where_code_is_sent(
    client: InProcess, engine: ScriptedEngine
) -> None:
    evil = {"endpoint": {"url": "http://example.org", "allowRemote": True}}
    client.answers["workspace/configuration"] = [evil]
    await client.start(PULL)
    client.open(URI, "x")
    message = await client.expect_notification("window/showMessage")
    assert "endpoint.url" in message["message"]
    await client.expect_notification("window/logMessage")
    await client.expect_notification("window/logMessage")
    await client.inline(URI, 0, 0)
    endpoint = engine.requests[-1].settings.endpoint
    assert (endpoint.url, endpoint.allow_remote) == ("auto", False)


async def test_each_problem_is_told_once_and_all_in_one_message(client: InProcess) -> None:
    wrong = {"completion": {"maxTokens": "many", "colour": "red"}}
    client.answers["workspace/configuration"] = [None]
    await client.start(PULL, wrong)
    message = await client.expect_notification("window/showMessage")
    assert message["type"] == 2
    assert "maxTokens" in message["message"]
    assert "colour" in message["message"]
    logged = [await client.expect_notification("window/logMessage") for _ in range(2)]
    assert "maxTokens" in logged[0]["message"] + logged[1]["message"]
    # Again the same, and one that is new.
    client.answers["workspace/configuration"] = [{"endpoint": {"timeoutMs": -1}}]
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    message = await client.expect_notification("window/showMessage")
    assert "timeoutMs" in message["message"]
    assert "colour" not in message["message"]
    await client.expect_notification("window/logMessage")


@pytest.mark.parametrize("options", ["x", 5, ["x"], True])
async def test_options_that_are_no_object(
    client: InProcess, engine: ScriptedEngine, options: Any
) -> None:
    await client.start(options=options)
    message = await client.expect_notification("window/showMessage")
    assert "initializationOptions" in message["message"]
    await client.expect_notification("window/logMessage")
    client.open(URI, "x")
    assert await max_tokens(client, engine) == 128


async def test_trust_that_cannot_be_read_is_no_trust(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start(options={"trusted": "yes"})
    assert "trusted" in (await client.expect_notification("window/showMessage"))["message"]
    await client.expect_notification("window/logMessage")
    client.open(URI, "x")
    await client.inline(URI, 0, 0)
    assert not engine.requests[0].trusted


@pytest.mark.parametrize("answer", [None, [], [5], {"x": 1}, "x"])
async def test_an_answer_of_the_client_that_makes_no_sense(
    client: InProcess, engine: ScriptedEngine, answer: Any
) -> None:
    client.ignored = {"window/showMessage", "window/logMessage"}
    client.answers["workspace/configuration"] = answer
    await client.start(PULL, tokens(11))
    client.open(URI, "x")
    await client.until(lambda: len(client.asked) == 2)
    await client.settle()
    assert await max_tokens(client, engine) == 11


async def test_a_client_that_never_answers_is_not_waited_for(
    client: InProcess, engine: ScriptedEngine
) -> None:
    client.answers["client/registerCapability"] = NEVER
    await client.start(PULL, tokens(11))
    client.open(URI, "x")
    assert await max_tokens(client, engine) == 11


async def test_a_configuration_file_that_breaks_while_it_is_edited(
    client: InProcess, engine: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[completion]\nmaxTokens = 21\n")
    monkeypatch.setenv("SIRDAB_CONFIG", str(path))
    client.ignored |= {"window/logMessage", "window/showMessage"}
    await client.start()
    client.open(URI, "x")
    for content, expect in (
        ("[completion]\nmaxTokens = 21\n", 21),
        ("[completion\nmaxTokens = 2", 21),
        ("[completion]\nmaxTokens = 22\n", 22),
    ):
        path.write_text(content)
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        assert await max_tokens(client, engine) == expect


async def test_the_model_server_is_looked_for_when_a_document_is_open(client: InProcess) -> None:
    await client.start()
    assert client.refreshes == 0
    client.open(URI, "x")
    await client.until(lambda: client.refreshes == 1)


async def test_no_model_server_is_looked_for_before_the_client_has_told_its_settings(
    client: InProcess,
) -> None:
    client.answers["workspace/configuration"] = [{"completion": {"enabled": False}}]
    await client.start(PULL)
    client.open(URI, "x")
    await client.until(lambda: client.statuses[-1]["state"] == "disabled")
    await client.inline(URI, 0, 0)
    assert client.refreshes == 0
    client.answers["workspace/configuration"] = [{}]
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.until(lambda: client.refreshes == 1)


async def test_a_mistake_in_the_users_own_families_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRDAB_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").touch()
    (tmp_path / "models.toml").write_text("[[families]]\nid = 1\n", encoding="utf-8")
    async with spawned() as client:
        client.ignored = {"window/logMessage"}
        await client.start(options={"endpoint": {"url": "http://127.0.0.1:9"}})
        shown = await client.expect_notification("window/showMessage")
        assert "models.toml" in shown["message"]
        await client.stop()
