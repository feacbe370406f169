"""The profiles of servers that speak OpenAI's protocol: whole, with a source for every fact."""

from typing import Any

import pytest

from sirdab.endpoint.base import Ability
from sirdab.endpoint.profiles import (
    GENERIC,
    Profile,
    Sign,
    parse,
    profile_named,
    profiles,
)

WHOLE = """
[[profiles]]
id = "other"
title = "Other"
ports = [1234]
signs = [{ path = "/v1/models", field = "data[].owned_by", value = "other" }]
bases = ["/v1/completions", "/v1"]
completions = "/v1/completions"
chat = "/v1/chat/completions"
models = { path = "/v1/models", context = ["max_model_len"], kind = "type", kinds = ["llm"] }
info = { path = "/info", context = "n_ctx" }
tokenizer = { path = "/tokenize", text = "content", count = "tokens" }
abilities = ["raw", "tokenize"]
most_stops = 4
usage = "asked"
tells_length = true
sends_model = ""
schema = { chat = "response_format" }
begins = "grammar"
prefill = "implicit"
fields = { completions = { top_k = 1 } }
ollama = ""
[profiles.sources]
ports = "a"
signs = "a"
bases = "a"
completions = "a"
chat = "a"
models = "a"
info = "a"
tokenizer = "a"
abilities = "a"
most_stops = "a"
usage = "a"
tells_length = "a"
sends_model = "a"
schema = "a"
begins = "a"
prefill = "a"
fields = "a"
ollama = "a"
[[profiles]]
id = "openai"
title = "Any"
abilities = ["raw"]
sources = { abilities = "a" }
"""

NAMED = (
    *("vllm", "sglang", "triton", "tgi", "lmstudio", "openwebui", "litellm", "llamacpp", "localai"),
    *("ollama", GENERIC),
)


def test_the_file_names_every_server_of_the_issue():
    assert {profile.id for profile in profiles()} == set(NAMED)
    assert profiles()[-1].id == GENERIC


@pytest.mark.parametrize("profile", profiles(), ids=lambda profile: profile.id)
def test_a_profile_agrees_with_itself(profile: Profile):
    assert profile_named(profile.id) is profile
    assert bool(profile.completions) >= (Ability.RAW in profile.abilities)
    assert bool(profile.completions) >= (Ability.INSERT in profile.abilities)
    assert bool(profile.chat) >= (Ability.CHAT in profile.abilities)
    assert bool(profile.tokenizer) == (Ability.TOKENIZE in profile.abilities)
    assert any((profile.schema.chat, profile.schema.completions)) == (
        Ability.SCHEMA in profile.abilities
    )
    assert bool(profile.begins) == (Ability.BEGINS_WITH in profile.abilities)
    assert bool(profile.signs) or profile.id == GENERIC
    assert all(len(source) > 10 for source in profile.sources.values())


def test_a_whole_file_is_read():
    other, generic = parse(WHOLE)
    assert other.signs == (Sign("/v1/models", field="data[].owned_by", value="other"),)
    assert other.models.kinds == ("llm",)
    assert other.info is not None
    assert other.info.context == "n_ctx"
    assert other.tokenizer is not None
    assert other.fields.completions == {"top_k": 1}
    assert generic.models.path == "/v1/models"
    assert generic.bases[-1] == "/v1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "other"', ""),
        ('id = "other"', 'id = "openai"'),
        ('id = "other"', "id = 1"),
        ('title = "Other"', ""),
        ('title = "Other"', "title = 1"),
        ("ports = [1234]", "ports = [0]"),
        ("ports = [1234]", 'ports = ["1234"]'),
        ('path = "/v1/models", field', 'path = "v1/models", field'),
        ('field = "data[].owned_by", ', ""),
        ('field = "data[].owned_by"', 'field = "a", header = "b"'),
        ('field = "data[].owned_by"', 'header = "Server"'),
        ('["/v1/completions", "/v1"]', '["/v1", "/v1/completions"]'),
        ('["/v1/completions", "/v1"]', '["/v1/"]'),
        ('completions = "/v1/completions"', 'completions = "v1/completions"'),
        ('completions = "/v1/completions"', "completions = 1"),
        ('chat = "/v1/chat/completions"', 'chat = "/"'),
        ('models = { path = "/v1/models"', "models = { paths = 1"),
        ('kinds = ["llm"]', "kinds = []"),
        ('kind = "type", ', 'state = "state", kind = "type", '),
        ('info = { path = "/info"', "info = { size = 1"),
        ('text = "content"', "texts = 1"),
        ('abilities = ["raw", "tokenize"]', 'abilities = ["fly"]'),
        ('abilities = ["raw", "tokenize"]', "abilities = []"),
        ("most_stops = 4", "most_stops = -1"),
        ("most_stops = 4", "most_stops = true"),
        ('usage = "asked"', 'usage = "sometimes"'),
        ("tells_length = true", 'tells_length = "yes"'),
        ('sends_model = ""', "sends_model = 1"),
        ('schema = { chat = "response_format" }', 'schema = { chat = "xml" }'),
        ('begins = "grammar"', 'begins = "a prayer"'),
        ('prefill = "implicit"', 'prefill = "perhaps"'),
        ("fields = { completions", "fields = { others"),
        ('ollama = ""', 'ollama = "ollama"'),
        ('ollama = ""', 'ollama = ""\nsurprise = 1'),
        ('ports = "a"\n', ""),
        ('ports = "a"', 'ports = ""'),
        ('ollama = "a"', 'ollama = "a"\nsurprise = "a"'),
        ('id = "openai"', 'id = "last"'),
    ],
)
def test_a_file_that_is_not_whole_is_refused(old: str, new: str):
    assert old in WHOLE
    with pytest.raises(ValueError, match="profiles are not valid"):
        parse(WHOLE.replace(old, new, 1))


def test_no_such_profile():
    with pytest.raises(KeyError):
        profile_named("nothing")


@pytest.mark.parametrize(
    ("sign", "headers", "body", "expect"),
    [
        (Sign("/a", header="server", value="llama.cpp"), {"Server": "llama.cpp"}, None, True),
        (Sign("/a", header="server", value="llama.cpp"), {"Server": "nginx"}, None, False),
        (Sign("/a", header="x-version"), {"X-Version": "1"}, None, True),
        (Sign("/a", header="x-version"), {}, {"x-version": 1}, False),
        (Sign("/a", field="version"), {}, {"version": "1"}, True),
        (Sign("/a", field="version"), {}, {"version": None}, False),
        (Sign("/a", field="a.b", value="c"), {}, {"a": {"b": "c"}}, True),
        (Sign("/a", field="data[].owned_by", value="vllm"), {}, {"data": [{}]}, False),
        (
            Sign("/a", field="data[].owned_by", value="vllm"),
            {},
            {"data": [{"owned_by": "me"}, {"owned_by": "vllm"}]},
            True,
        ),
        (Sign("/a", field="data[].owned_by", value="vllm"), {}, {"data": "vllm"}, False),
        (Sign("/a", field="data[].owned_by"), {}, [1, 2], False),
        (Sign("/a", field="data[].owned_by"), {}, None, False),
    ],
)
def test_signs(sign: Sign, headers: dict[str, str], body: Any, expect: bool):
    assert sign.matches(headers, body) is expect
