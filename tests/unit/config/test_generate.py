"""Generated files agree with the schema."""

import json
from pathlib import Path
from typing import Any

from sirdab import __version__
from sirdab.config.generate import (
    settings_table,
    targets,
    vscode_configuration,
    vscode_restricted,
)
from sirdab.config.schema import all_settings
from sirdab.server import greeting

ROOT = Path(__file__).resolve().parents[3]
MANIFEST: dict[str, Any] = json.loads(
    (ROOT / "clients" / "vscode" / "package.json").read_text("utf-8")
)


def properties() -> dict[str, dict[str, Any]]:
    return {
        key: schema
        for group in vscode_configuration()
        for key, schema in group["properties"].items()
    }


def test_no_generated_file_has_drifted() -> None:
    stale = [path for path, text in targets(ROOT).items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make docs`"


def test_the_table_has_a_row_for_every_setting() -> None:
    table = settings_table()
    assert all(f"| `{info.key}`" in table for info in all_settings())


def test_vscode_declares_every_setting_with_its_default_and_meaning() -> None:
    declared = properties()
    assert list(declared) == [f"sirdab.{info.key}" for info in all_settings()]
    for info in all_settings():
        schema = declared[f"sirdab.{info.key}"]
        default = list(info.default) if isinstance(info.default, tuple) else info.default
        assert schema["default"] == default
        assert schema["description"] == info.spec.description


def test_vscode_takes_user_only_settings_from_the_user_alone() -> None:
    for info in all_settings():
        scope = properties()[f"sirdab.{info.key}"]["scope"]
        assert scope == ("machine" if info.spec.user_only else "window"), info.key
    assert MANIFEST["contributes"]["configuration"][0]["properties"]["sirdab.path"]["scope"] == (
        "machine"
    )


def test_vscode_knows_the_types_ranges_and_choices() -> None:
    declared = properties()
    assert declared["sirdab.completion.enabled"]["type"] == "boolean"
    assert declared["sirdab.endpoint.kind"]["enum"] == ["auto", "llamacpp", "ollama", "openai"]
    tokens = declared["sirdab.completion.maxTokens"]
    assert (tokens["type"], tokens["minimum"], tokens["maximum"]) == ("integer", 1, 2048)
    scopes = declared["sirdab.completion.disabledScopes"]
    assert (scopes["type"], scopes["items"]["enum"]) == ("array", ["comment", "string"])
    assert "enum" not in declared["sirdab.privacy.exclude"]["items"]
    debounce = declared["sirdab.completion.debounceMs"]
    assert debounce["type"] == ["string", "integer"]
    assert (debounce["pattern"], debounce["minimum"]) == ("^(auto)$", 0)
    url = declared["sirdab.endpoint.url"]
    assert (url["type"], url["items"]) == (["string", "array"], {"type": "string"})
    remote = declared["sirdab.endpoint.allowRemote"]
    assert remote["type"] == ["boolean", "string"]
    assert remote["enum"] == [False, True, "without-tls"]


def test_vscode_says_what_each_value_means() -> None:
    described = 0
    for name, schema in properties().items():
        for holder in (schema, schema.get("items", {})):
            if "enum" in holder:
                meanings = holder["enumDescriptions"]
                assert len(meanings) == len(holder["enum"]), name
                assert len(set(meanings)) == len(meanings), name
                assert all(meaning.endswith(".") for meaning in meanings), name
                described += 1
    assert described >= 8
    for info in all_settings():
        known = info.spec.item_values or (() if info.accepts_int else info.choices)
        if info.accepts_bool and known:
            known = ("false", "true", *known)
        assert set(info.spec.meanings) == set(known), info.key


def test_what_decides_on_privacy_needs_a_trusted_workspace() -> None:
    restricted = vscode_restricted()
    assert set(restricted) <= {"sirdab.path", *properties()}
    for info in all_settings():
        if info.spec.user_only or info.key.startswith("privacy."):
            assert f"sirdab.{info.key}" in restricted


def test_the_extension_has_the_version_of_the_server() -> None:
    assert MANIFEST["version"] == __version__


def test_no_command_of_the_extension_has_the_name_of_one_of_the_server() -> None:
    # The client library registers the server's commands, and a name can be taken once.
    own = {command["command"] for command in MANIFEST["contributes"]["commands"]}
    assert own.isdisjoint(greeting.COMMANDS)
