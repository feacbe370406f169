"""Settings: the schema's promises, the sources' order, and what is said about bad ones."""

from pathlib import Path
from typing import Any

import pytest

from sirdab.config.directories import cache_directory, state_directory
from sirdab.config.schema import Settings, all_settings
from sirdab.config.settings import Source, config_path, load_user_source, resolve

# The public contract. A name here never changes.
PUBLIC = {
    "endpoint.url",
    "endpoint.kind",
    "endpoint.model",
    "endpoint.apiKeyEnv",
    "endpoint.allowRemote",
    "endpoint.timeoutMs",
    "completion.enabled",
    "completion.debounceMs",
    "completion.maxTokens",
    "completion.multiline",
    "completion.disabledLanguages",
    "completion.disabledScopes",
    "completion.menu",
    "review.enabled",
    "review.run",
    "review.categories",
    "review.minimumSeverity",
    "review.votes",
    "privacy.exclude",
    "privacy.redactSecrets",
    "privacy.audit",
    "trace",
}
USER_ONLY = {
    "endpoint.url",
    "endpoint.kind",
    "endpoint.model",
    "endpoint.apiKeyEnv",
    "endpoint.allowRemote",
}


def user(values: dict[str, Any]) -> Source:
    return Source("initializationOptions", values, user_level=True)


def workspace(values: dict[str, Any]) -> Source:
    return Source("workspace/configuration", values, user_level=False)


def test_the_public_names() -> None:
    assert {info.key for info in all_settings()} == PUBLIC
    assert {info.key for info in all_settings() if info.spec.user_only} == USER_ONLY


def test_every_default_is_valid_by_its_own_schema() -> None:
    for info in all_settings():
        default = list(info.default) if isinstance(info.default, tuple) else info.default
        tree = (
            {info.group: {info.key.split(".")[1]: default}} if info.group else {info.key: default}
        )
        assert resolve([user(tree)]).problems == ()


def test_nothing_given_is_the_defaults() -> None:
    assert resolve([]).settings == Settings()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("completion.debounceMs", -1, "must be"),
        ("completion.debounceMs", "soon", "must be"),
        ("completion.debounceMs", 1.5, "must be"),
        ("completion.debounceMs", True, "must be"),
        ("completion.enabled", "yes", "must be true or false"),
        ("completion.multiline", "sometimes", '"auto", "never" or "always"'),
        ("completion.disabledScopes", ["strings"], "must be a list of"),
        ("completion.disabledLanguages", "python", "must be a list of strings"),
        ("completion.disabledLanguages", [1], "must be a list of strings"),
        ("endpoint.timeoutMs", 10**9, "must be"),
        ("endpoint.url", 8012, "must be a string or a list of strings"),
        ("endpoint.url", [], "must be a string or a list of strings"),
        ("endpoint.url", ["http://127.0.0.1:9", 8012], "must be a string or a list of strings"),
        ("endpoint.allowRemote", "with-tls", 'must be true, false or "without-tls"'),
        ("endpoint.allowRemote", 1, 'must be true, false or "without-tls"'),
        ("completion.debounceMS", 100, "did you mean completion.debounceMs?"),
        ("endpoints.url", "x", "not a setting"),
        ("review.categories", ["style"], "must be a list of"),
    ],
)
def test_a_bad_value_is_said_in_one_sentence_and_replaced(key: str, value: Any, said: str) -> None:
    group, name = key.split(".")
    resolved = resolve([user({group: {name: value}})])
    assert resolved.settings == Settings()
    (problem,) = resolved.problems
    assert said in problem
    assert problem.startswith("initializationOptions: ")


def test_one_bad_value_spoils_no_other() -> None:
    resolved = resolve([user({"completion": {"maxTokens": "x", "enabled": False}, "trace": 1})])
    assert resolved.settings.completion.enabled is False
    assert resolved.settings.completion.max_tokens == 128
    assert len(resolved.problems) == 2


def test_the_first_source_wins_key_by_key() -> None:
    resolved = resolve(
        [
            workspace({"completion": {"maxTokens": 10}}),
            user({"completion": {"maxTokens": 20, "debounceMs": 5}}),
        ]
    )
    assert resolved.settings.completion.max_tokens == 10
    assert resolved.settings.completion.debounce_ms == 5


@pytest.mark.parametrize("key", sorted(USER_ONLY))
def test_a_workspace_cannot_say_where_code_is_sent(key: str) -> None:
    name = key.split(".")[1]
    value = True if name == "allowRemote" else "openai"
    resolved = resolve([workspace({"endpoint": {name: value}})])
    assert resolved.settings == Settings()
    assert "ignored here" in resolved.problems[0]


def test_a_client_may_repeat_what_it_was_allowed_to_say() -> None:
    values = {"endpoint": {"url": "http://127.0.0.1:9", "model": "m"}}
    resolved = resolve([workspace(values), user(values)])
    assert resolved.problems == ()
    assert resolved.settings.endpoint.url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("written", "held", "urls"),
    [
        ("auto", "auto", ("auto",)),
        ("http://127.0.0.1:9", "http://127.0.0.1:9", ("http://127.0.0.1:9",)),
        (
            ["http://127.0.0.1:9", "auto"],
            ("http://127.0.0.1:9", "auto"),
            ("http://127.0.0.1:9", "auto"),
        ),
        (["auto"], ("auto",), ("auto",)),
    ],
)
def test_one_address_or_several(written: Any, held: Any, urls: tuple[str, ...]) -> None:
    values = {"endpoint": {"url": written}}
    resolved = resolve([workspace(values), user(values)])
    assert resolved.problems == ()
    assert resolved.settings.endpoint.url == held
    assert resolved.settings.endpoint.urls == urls
    assert resolved.settings.endpoint.is_auto == (urls == ("auto",))
    # What was answered is remembered by the settings it was answered with.
    assert {resolved.settings.endpoint: True}


@pytest.mark.parametrize("value", [True, False, "without-tls"])
def test_who_may_be_asked_elsewhere(value: Any) -> None:
    resolved = resolve([user({"endpoint": {"allowRemote": value}})])
    assert resolved.problems == ()
    assert resolved.settings.endpoint.allow_remote is value
    elsewhere = {"endpoint": {"allowRemote": "without-tls", "url": ["http://example.org"]}}
    resolved = resolve([workspace(elsewhere)])
    assert resolved.settings == Settings()
    assert len(resolved.problems) == 2


def test_null_means_not_set() -> None:
    resolved = resolve([user({"endpoint": None, "completion": {"maxTokens": None}})])
    assert resolved.settings == Settings()
    assert resolved.problems == ()


def test_the_users_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[endpoint]\nurl = "http://127.0.0.1:9"\n', encoding="utf-8")
    monkeypatch.setenv("SIRDAB_CONFIG", str(path))
    source, problems = load_user_source()
    assert config_path() == path
    assert problems == ()
    assert source is not None
    assert resolve([source]).settings.endpoint.url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "content",
    [
        b"[endpoint\n",
        b"\xff\xfe",
        None,
        b"trace = " + b"1" * 5_000,
        b"trace = " + b"[" * 50_000,
    ],
    ids=["cut", "utf-16", "missing", "digits", "brackets"],
)
def test_a_broken_users_file_is_said_and_does_no_harm(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SIRDAB_CONFIG", str(path))
    source, problems = load_user_source()
    assert source is None
    assert len(problems) == 1
    assert str(path) in problems[0]


def test_a_broken_users_file_says_what_is_lost_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[privacy]\nexclude = [")
    monkeypatch.setenv("SIRDAB_CONFIG", str(path))
    _, (problem,) = load_user_source()
    assert "privacy.exclude" in problem


def test_the_home_of_nobody_is_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIRDAB_CONFIG", "SIRDAB_STATE_DIR", "SIRDAB_CACHE_DIR"):
        monkeypatch.setenv(name, "~no-such-user-of-this-machine/x")
    source, (problem,) = load_user_source()
    assert source is None
    assert "does not exist" in problem
    assert state_directory().name == cache_directory().name == "x"


def test_no_source_can_allow_what_another_excludes() -> None:
    workspace = Source("workspace", {"privacy": {"exclude": ["b", "c"]}}, user_level=False)
    empty = Source("options", {"privacy": {"exclude": []}}, user_level=True)
    user = Source("config.toml", {"privacy": {"exclude": ["a", "b"]}}, user_level=True)
    assert resolve([workspace, empty, user]).settings.privacy.exclude == ("b", "c", "a")
    assert resolve([empty, user]).settings.privacy.exclude == ("a", "b")
    assert resolve([empty]).settings.privacy.exclude == ()
