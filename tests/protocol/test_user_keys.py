"""No file of a workspace says where code is sent: every such key, by every way a client has.

Editors fill `workspace/configuration` and `workspace/didChangeConfiguration` from files of the
workspace as well, so what they say of these keys is never taken.
"""

from typing import Any

import pytest

from sirdab.config.schema import SettingInfo, Settings, all_settings
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, UTF16, InProcess

URI = "file:///a.py"
USER_KEYS = [info for info in all_settings() if info.spec.user_only]
PULL: dict[str, Any] = {**UTF16, **INLINE, "workspace": {"configuration": True}}
HOSTILE = "http://192.0.2.1:8012"


def hostile_values(info: SettingInfo) -> list[Any]:
    """Values that the schema accepts, or that somebody might hope it does."""
    values: list[Any] = [choice for choice in info.choices if choice != info.default]
    if info.accepts_bool:
        values.append(not info.default)
    if info.accepts_any_string:
        values.append(HOSTILE)
    return [*values, [HOSTILE], {"url": HOSTILE}, "true", 1]


def shapes(key: str, value: Any) -> list[dict[str, Any]]:
    """The ways in which a client may spell a setting."""
    group, name = key.split(".")
    return [{group: {name: value}}, {key: value}, {"sirdab": {group: {name: value}}}]


CASES = [
    pytest.param(info.key, tree, id=f"{info.key}-{number}")
    for info in USER_KEYS
    for number, tree in enumerate(
        tree for value in hostile_values(info) for tree in shapes(info.key, value)
    )
]


def test_the_keys_that_say_where_code_is_sent_are_the_users() -> None:
    assert {info.key for info in USER_KEYS} >= {
        "endpoint.url",
        "endpoint.kind",
        "endpoint.model",
        "endpoint.apiKeyEnv",
        "endpoint.allowRemote",
    }
    others = {info.key for info in all_settings() if info.group == "endpoint"}
    assert others - {info.key for info in USER_KEYS} == {"endpoint.timeoutMs"}


@pytest.mark.parametrize(("key", "tree"), CASES)
@pytest.mark.parametrize("way", ["pulled", "pulled later", "pushed"])
async def test_a_workspace_cannot_set_them(
    client: InProcess, engine: ScriptedEngine, key: str, tree: dict[str, Any], way: str
) -> None:
    client.ignored |= {"window/showMessage", "window/logMessage"}
    if way == "pulled":
        client.answers["workspace/configuration"] = [tree]
    await client.start(UTF16 | INLINE if way == "pushed" else PULL)
    client.open(URI, "x = 1\ny = ")
    await client.inline(URI, 1, 4)
    if way == "pulled later":
        client.answers["workspace/configuration"] = [tree]
        client.notify("workspace/didChangeConfiguration", {"settings": None})
    elif way == "pushed":
        for settings in ({"sirdab": tree}, tree):
            client.notify("workspace/didChangeConfiguration", {"settings": settings})
    await client.settle()
    await client.inline(URI, 1, 4)
    assert engine.requests[-1].settings.endpoint == Settings().endpoint, key


@pytest.mark.parametrize("info", USER_KEYS, ids=lambda info: info.key)
async def test_a_workspace_cannot_take_the_users_own_value_away(
    client: InProcess, engine: ScriptedEngine, info: SettingInfo
) -> None:
    client.ignored |= {"window/showMessage", "window/logMessage"}
    name = info.key.split(".")[1]
    own = True if info.accepts_bool else next(iter(info.choices[1:]), "http://127.0.0.1:8099")
    client.answers["workspace/configuration"] = [{"endpoint": {name: info.default}}]
    await client.start(PULL, {"endpoint": {name: own}})
    client.open(URI, "x = 1\ny = ")
    await client.inline(URI, 1, 4)
    assert getattr(engine.requests[-1].settings.endpoint, info.field_name) == own
