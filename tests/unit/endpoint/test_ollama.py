"""Ollama's protocol against a double that misbehaves on demand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from sirdab.endpoint.base import (
    Ability,
    Chunk,
    EndpointError,
    GenerationRequest,
    Message,
    ProblemKind,
    Usage,
)
from sirdab.endpoint.ollama import OllamaEndpoint, context_for
from sirdab.endpoint.ollama_formats import Shown, is_remote, is_same, parameters_of, version_of
from sirdab.models.catalog import family_of
from sirdab.policy.loopback import check_endpoint_url
from tests.support.doubles.http import TOO_LONG, Fault, Reply
from tests.support.doubles.ollama import (
    BASE_TEMPLATE,
    CHAT_TEMPLATE,
    OVERFLOW,
    Installed,
    OllamaDouble,
    go,
    line,
)

MODEL = OllamaDouble.model
TALK = (Message("system", "Be brief."), Message("user", "Why is the sky blue?"))


@asynccontextmanager
async def pair(
    model: str = MODEL, **options: Any
) -> AsyncIterator[tuple[OllamaDouble, OllamaEndpoint]]:
    async with OllamaDouble(**options) as double:
        address = check_endpoint_url(double.url, allow_remote=False)
        endpoint = OllamaEndpoint(address, api_key=options.get("api_key", ""), model=model)
        try:
            yield double, endpoint
        finally:
            await endpoint.aclose()


def request(prompt: str = "x", max_tokens: int = 64, **more: Any) -> GenerationRequest:
    return GenerationRequest(prompt, max_tokens, **more)


async def chunks(endpoint: OllamaEndpoint, asked: GenerationRequest) -> list[Chunk]:
    async with endpoint.generate(asked) as answer:
        return [chunk async for chunk in answer]


async def text(endpoint: OllamaEndpoint, asked: GenerationRequest) -> str:
    return "".join(chunk.text for chunk in await chunks(endpoint, asked))


async def problem(endpoint: OllamaEndpoint, asked: GenerationRequest) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await chunks(endpoint, asked)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


async def refresh_problem(endpoint: OllamaEndpoint) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await endpoint.refresh()
    assert caught.value.message.endswith(".")
    return caught.value


def generated(content: str, **more: Any) -> bytes:
    return line(model=MODEL, response=content, done=False, **more)


LAST = line(model=MODEL, response="", done=True, done_reason="stop")


# What is sent and what comes back.


async def test_an_answer_with_its_cost():
    async with pair(pieces=["a", " + b"]) as (_, endpoint):
        found = await chunks(endpoint, request())
    # Eight tokens, of which five were known.
    assert found == [Chunk("a"), Chunk(" + b"), Chunk("", Usage(8, 3, 12.5, 2, 30.0))]


async def test_our_own_prompt_is_sent_as_it_is():
    async with pair() as (double, endpoint):
        await text(endpoint, request("<|fim_prefix|>é\u2028", 7, stop=("\n", "<|x|>")))
        (sent,) = double.asked("/api/generate")
    assert sent.body == {
        "model": MODEL,
        "stream": True,
        "keep_alive": "30m",
        "truncate": False,
        "shift": False,
        "raw": True,
        "prompt": "<|fim_prefix|>é\u2028",
        "options": {
            "num_ctx": 8192,
            "num_predict": 7,
            "repeat_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "temperature": 0.0,
            "top_k": 1,
            "seed": 0,
            "stop": ["\n", "<|x|>"],
        },
    }


async def test_a_temperature_leaves_sampling_to_the_server():
    async with pair() as (double, endpoint):
        await text(endpoint, request(temperature=0.4, seed=7))
        options = double.asked("/api/generate")[0].body["options"]
    assert (options["temperature"], options["seed"]) == (0.4, 7)
    assert "top_k" not in options


async def test_the_server_writes_the_prompt_of_an_insertion():
    async with pair(pieces=["return a"]) as (double, endpoint):
        assert await text(endpoint, request("def f(", suffix="):\n")) == "return a"
        body = double.asked("/api/generate")[0].body
    assert (body["prompt"], body["suffix"]) == ("def f(", "):\n")
    assert "raw" not in body


@pytest.mark.parametrize(
    ("asked", "prompt", "suffix"),
    [
        # An empty prompt would load the model and write nothing.
        (request("", suffix="b"), "\n", "b"),
        # An empty suffix would make a conversation of it.
        (request("a", suffix=""), "a", "\n"),
        (request(""), "\n", None),
    ],
)
async def test_nothing_is_sent_empty(asked: GenerationRequest, prompt: str, suffix: str | None):
    async with pair(pieces=["x"]) as (double, endpoint):
        assert await text(endpoint, asked) == "x"
        body = double.asked("/api/generate")[0].body
    assert (body["prompt"], body.get("suffix")) == (prompt, suffix)


async def test_a_conversation():
    async with pair(pieces=["Ray", "leigh"]) as (double, endpoint):
        double.installed[MODEL] = Installed(CHAT_TEMPLATE, ["completion"])
        found = await chunks(endpoint, request("", messages=TALK, stop=("!",)))
        body = double.asked("/api/chat")[0].body
    assert [chunk.text for chunk in found] == ["Ray", "leigh", ""]
    assert found[-1].usage == Usage(8, 3, 12.5, 2, 30.0)
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why is the sky blue?"},
    ]
    assert body["options"]["stop"] == ["!"]
    assert "think" not in body
    assert "prompt" not in body


async def test_the_last_line_of_a_conversation_may_have_no_message():
    async with pair() as (double, endpoint):
        double.lines = [
            line(message={"role": "assistant", "content": "The"}, done=False),
            line(done=True, prompt_eval_count=26),
        ]
        found = await chunks(endpoint, request("", messages=TALK))
    assert found == [Chunk("The"), Chunk("", Usage(26))]


@pytest.mark.parametrize(("family", "think"), [("qwen3", False), ("gptoss", "low")])
async def test_a_model_that_thinks_is_told_not_to(family: str, think: object):
    async with pair() as (double, endpoint):
        double.installed[MODEL] = Installed("", ["completion", "thinking"], family)
        double.lines = [
            line(message={"role": "assistant", "content": "", "thinking": "Well,"}, done=False),
            line(message={"role": "assistant", "content": "Yes"}, done=False),
            line(message={"role": "assistant", "content": ""}, done=True),
        ]
        assert await text(endpoint, request("", messages=TALK)) == "Yes"
        assert double.asked("/api/chat")[0].body["think"] == think


async def test_a_schema_is_sent():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    async with pair() as (double, endpoint):
        await text(endpoint, request(json_schema=schema))
        assert double.asked("/api/generate")[0].body["format"] == schema


async def test_reading_ahead_asks_for_one_token_and_yields_none():
    async with pair(pieces=["noise"]) as (double, endpoint):
        found = await chunks(endpoint, request(max_tokens=0))
        # 0 means "without end" to older servers.
        assert double.asked("/api/generate")[0].body["options"]["num_predict"] == 1
    assert [chunk.text for chunk in found] == [""]
    assert found[-1].usage == Usage(8, 3, 12.5, 1, 30.0)


async def test_the_token_limit_is_told():
    async with pair(pieces=["a", "b", "c"]) as (_, endpoint):
        found = await chunks(endpoint, request(max_tokens=2))
    assert "".join(chunk.text for chunk in found) == "ab"
    assert found[-1].truncated


async def test_lone_surrogates_are_replaced():
    async with pair() as (double, endpoint):
        await text(endpoint, request("a\ud800b", suffix="\udc00", stop=("\udc00",)))
        await text(endpoint, request("", messages=(Message("user", "\ud800"),)))
        first = double.asked("/api/generate")[0].body
        assert (first["prompt"], first["suffix"]) == ("a\ufffdb", "\ufffd")
        assert first["options"]["stop"] == ["\ufffd"]
        assert double.asked("/api/chat")[0].body["messages"][0]["content"] == "\ufffd"


@pytest.mark.parametrize("split", [1, 2, 3, 5, 7])
async def test_bytes_may_be_split_anywhere(split: int):
    pieces = ["é", "سرداب", " 😀", "\u2028<|a|>", "\n\tx"]
    async with pair(pieces=pieces) as (double, endpoint):
        double.split = split
        found = await chunks(endpoint, request())
    assert [chunk.text for chunk in found[:-1]] == pieces


async def test_a_surrogate_pair_in_two_lines():
    async with pair() as (double, endpoint):
        double.lines = [
            b'{"response":"a\\ud83d","done":false}\n',
            b'{"response":"\\ude00b","done":false}\n',
            LAST,
        ]
        assert await text(endpoint, request()) == "a😀b"


async def test_a_key_for_a_proxy():
    async with pair(api_key="sesame") as (double, endpoint):
        assert await text(endpoint, request()) == "a + b"
        double.api_key = "other"
        error = await problem(endpoint, request())
    assert error.kind is ProblemKind.REFUSED
    assert "endpoint.apiKeyEnv" in error.message


# One context for everything, so that the model is loaded once.


async def test_everything_is_asked_with_the_context_the_model_was_loaded_with():
    async with pair() as (double, endpoint):
        double.installed[MODEL] = Installed(CHAT_TEMPLATE, ["completion", "insert"])
        info = await endpoint.refresh()
        await text(endpoint, request())
        await text(endpoint, request("a", suffix="b"))
        await text(endpoint, request("", messages=TALK))
        await text(endpoint, request(max_tokens=0))
        await text(endpoint, request(json_schema={"type": "object"}))
        assert await endpoint.refresh() == info
    assert double.loads == [(MODEL, info.context_tokens)]
    assert info.context_tokens == 8192


async def test_a_model_in_memory_is_left_as_it_is():
    async with pair() as (double, endpoint):
        double.loaded[MODEL] = 16_384
        assert (await endpoint.refresh()).context_tokens == 16_384
        await text(endpoint, request())
        assert double.loads == []


async def test_a_model_with_too_small_a_context_is_loaded_anew():
    async with pair() as (double, endpoint):
        double.loaded[MODEL] = 2048
        await endpoint.refresh()
        assert double.loads == [(MODEL, 8192)]


@pytest.mark.parametrize(
    ("shown", "loaded", "expect"),
    [
        (Shown(trained_tokens=32_768), 0, 8192),
        (Shown(trained_tokens=2048), 0, 2048),
        (Shown(trained_tokens=32_768, set_tokens=16_000), 0, 16_000),
        (Shown(trained_tokens=8192, set_tokens=16_000), 0, 8192),
        (Shown(trained_tokens=32_768, set_tokens=1024), 0, 8192),
        (Shown(trained_tokens=32_768, set_tokens=16_000), 4096, 4096),
        (Shown(trained_tokens=32_768), 2048, 8192),
        (Shown(), 0, 8192),
    ],
)
def test_the_context(shown: Shown, loaded: int, expect: int):
    assert context_for(shown, family_of("qwen2.5-coder"), loaded) == expect


# Loading and leaving memory.


async def test_a_model_that_is_not_in_memory_is_loaded_without_a_hurry():
    async with pair() as (double, endpoint):
        double.hold_loading = asyncio.Event()
        error = await refresh_problem(endpoint)
        assert error.kind is ProblemKind.LOADING
        assert MODEL in error.message
        # Asking again waits for the same loading.
        assert (await refresh_problem(endpoint)).kind is ProblemKind.LOADING
        assert len(double.loads) == 1
        assert not double.hang_ups.is_set()
        double.hold_loading.set()
        assert (await endpoint.refresh()).name == MODEL
        (sent,) = double.asked("/api/generate")
    assert sent.body == {
        "model": MODEL,
        "stream": False,
        "keep_alive": "30m",
        "options": {"num_ctx": 8192},
    }


async def test_an_evicted_model_is_loaded_again():
    async with pair() as (double, endpoint):
        await endpoint.refresh()
        double.loaded.clear()
        await endpoint.refresh()
        assert double.loads == [(MODEL, 8192)] * 2


async def test_a_model_that_changed_under_us_is_seen():
    async with pair() as (double, endpoint):
        assert Ability.CHAT not in (await endpoint.refresh()).abilities
        changed = Installed(CHAT_TEMPLATE, ["completion"], trained=4096, parameters="num_ctx  4096")
        double.installed[MODEL] = changed
        double.loaded.clear()
        info = await endpoint.refresh()
    assert Ability.CHAT in info.abilities
    assert Ability.INSERT not in info.abilities
    assert info.context_tokens == 4096


async def test_a_model_that_was_removed_under_us():
    async with pair() as (double, endpoint):
        await endpoint.refresh()
        del double.installed[MODEL]
        for error in (await problem(endpoint, request()), await refresh_problem(endpoint)):
            assert error.kind is ProblemKind.NO_MODEL
            assert f"ollama pull {MODEL}" in error.message


async def test_describing_loads_nothing():
    async with pair() as (double, endpoint):
        info = await endpoint.describe()
        assert await endpoint.describe() is info
        assert len(double.asked("/api/show")) == 1
        assert double.loads == []


async def test_closing_ends_the_loading():
    async with pair() as (double, endpoint):
        double.hold_loading = asyncio.Event()
        await refresh_problem(endpoint)
        await endpoint.aclose()
        await asyncio.wait_for(double.hang_ups.wait(), 30)


async def test_memory_that_does_not_suffice():
    async with pair() as (double, endpoint):
        double.fault = Fault.INSIDE
        for error in (await refresh_problem(endpoint), await problem(endpoint, request())):
            assert error.kind is ProblemKind.MEMORY
            assert "838447104" not in error.message
        double.fault = None
        assert await text(endpoint, request()) == "a + b"


# What the server and its models are.


async def test_a_base_model_that_fills_in():
    async with pair() as (_, endpoint):
        info = await endpoint.describe()
    assert (info.name, info.server, info.path) == (MODEL, "ollama", "")
    assert info.abilities == {
        Ability.RAW,
        Ability.INSERT,
        Ability.SCHEMA,
        Ability.USAGE,
        Ability.FREE_WARM_UP,
    }
    assert info.family.id == "qwen2.5-coder"
    assert info.resolution is not None


@pytest.mark.parametrize(
    ("change", "ability", "expect"),
    [
        ({"template": BASE_TEMPLATE, "capabilities": None}, Ability.INSERT, True),
        ({"template": CHAT_TEMPLATE, "capabilities": None}, Ability.INSERT, False),
        ({"template": CHAT_TEMPLATE}, Ability.CHAT, True),
        ({"template": "{{ .Prompt }}"}, Ability.CHAT, False),
        (
            {"template": "{{ .Prompt }}", "modelfile": "FROM x\nRENDERER qwen3-coder\n"},
            Ability.CHAT,
            True,
        ),
        ({"template": "{{ .Prompt }}", "capabilities": ["completion"]}, Ability.INSERT, False),
    ],
)
async def test_abilities(change: dict[str, Any], ability: Ability, expect: bool):
    async with pair() as (double, endpoint):
        double.installed[MODEL] = replace(double.installed[MODEL], **change)
        assert (ability in (await endpoint.describe()).abilities) is expect


@pytest.mark.parametrize(
    ("version", "schema", "usage"),
    [
        ("0.4.7", False, False),
        ("0.5.0", True, False),
        ("0.32.14", True, False),
        ("0.33.0-rc1", True, True),
        ("1.0", True, True),
        # What a developer built.
        ("0.0.0", True, True),
        ("weird", True, True),
    ],
)
async def test_what_depends_on_the_version(version: str, schema: bool, usage: bool):
    async with pair() as (double, endpoint):
        double.version = version
        abilities = (await endpoint.describe()).abilities
    assert (Ability.SCHEMA in abilities) is schema
    assert (Ability.USAGE in abilities) is usage
    assert (Ability.FREE_WARM_UP in abilities) is usage


async def test_what_an_answer_tells_counts_more_than_the_version():
    async with pair() as (double, endpoint):
        double.last_fields = {"prompt_eval_cached_count": None}
        found = await chunks(endpoint, request())
        assert found[-1].usage == Usage(8, 0, 12.5, 2, 30.0)
        assert Ability.USAGE not in (await endpoint.describe()).abilities
        double.last_fields = {}
        await chunks(endpoint, request())
        assert Ability.USAGE in (await endpoint.describe()).abilities


async def test_a_model_whose_template_says_nothing_is_known_by_its_vocabulary():
    async with pair() as (double, endpoint):
        double.installed[MODEL] = Installed("{{ .Prompt }}", ["completion"])
        await endpoint.describe()
        await endpoint.refresh()
        verbose = [one for one in double.asked("/api/show") if one.body.get("verbose")]
        # The whole vocabulary is some megabytes, so it is asked for once.
        assert len(verbose) == 1


async def test_a_template_with_the_sentinels_is_proof_enough():
    async with pair() as (double, endpoint):
        await endpoint.describe()
        assert not any(one.body.get("verbose") for one in double.asked("/api/show"))


async def test_the_model_in_memory_is_meant_where_none_is_named():
    async with pair("") as (double, endpoint):
        error = await refresh_problem(endpoint)
        assert error.kind is ProblemKind.REFUSED
        assert "endpoint.model" in error.message
        double.loaded[MODEL] = 8192
        assert (await endpoint.describe()).name == MODEL


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "minimax-m2:cloud", "library/x:7b-Cloud"])
async def test_a_model_of_the_cloud_is_never_asked(name: str):
    async with pair(name) as (double, endpoint):
        double.installed[name] = Installed()
        for error in (await refresh_problem(endpoint), await problem(endpoint, request("secret"))):
            assert error.kind is ProblemKind.POLICY
            assert "does not run on this machine" in error.message
        paths = {one.path for one in double.requests}
    assert paths <= {"/api/version", "/api/ps"}


async def test_a_renamed_model_of_the_cloud_is_known_by_its_host():
    async with pair("mine") as (double, endpoint):
        double.installed["mine"] = Installed(remote_host="https://ollama.com:443")
        assert (await refresh_problem(endpoint)).kind is ProblemKind.POLICY
        assert (await problem(endpoint, request("secret"))).kind is ProblemKind.POLICY
        assert double.asked("/api/generate") == []


async def test_an_answer_from_the_cloud_is_dropped():
    async with pair() as (double, endpoint):
        double.lines = [generated("a", remote_host="https://ollama.com:443"), LAST]
        assert (await problem(endpoint, request())).kind is ProblemKind.POLICY


async def test_a_model_that_cannot_write():
    async with pair() as (double, endpoint):
        double.installed[MODEL] = Installed("", ["embedding"], "nomic-bert")
        assert (await refresh_problem(endpoint)).kind is ProblemKind.REFUSED


async def test_all_models():
    async with pair() as (double, endpoint):
        double.installed["llama3:latest"] = Installed(
            family="llama", parameter_size="8.0B", digest="", size=4_661_224_676
        )
        double.installed["nomic-embed-text:latest"] = Installed(family="nomic-bert")
        double.installed["glm-4.6:cloud"] = Installed(remote_host="https://ollama.com:443")
        double.loaded["llama3:latest"] = 4096
        llama, qwen = await endpoint.models()
        assert double.loads == []
    assert (llama.name, llama.is_loaded, llama.context_tokens) == ("llama3:latest", True, 4096)
    assert (llama.parameters, llama.size_bytes, llama.digest) == (8_000_000_000, 4_661_224_676, "")
    assert (qwen.name, qwen.is_loaded, qwen.quantisation) == (MODEL, False, "Q4_K_M")
    assert qwen.digest == Installed().digest
    assert (qwen.family.id, qwen.fills_in) == ("qwen2.5-coder", True)
    assert not llama.fills_in


@pytest.mark.parametrize("path", ["/api/tags", "/api/ps"])
@pytest.mark.parametrize("models", [[1, None, {}, {"name": 3}, {"name": ""}], {}, None, "x"])
async def test_nonsense_instead_of_models_is_no_models(path: str, models: object):
    async with pair() as (double, endpoint):
        double.replies[path] = Reply(body=go({"models": models}))
        if path == "/api/tags" and not isinstance(models, list):
            with pytest.raises(EndpointError, match="not an Ollama server"):
                await endpoint.models()
        elif path == "/api/tags":
            assert await endpoint.models() == ()
        else:
            assert [model.name for model in await endpoint.models()] == [MODEL]


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"details": 1, "model_info": [], "capabilities": ["completion", 3], "template": 5},
        {"model_info": {"qwen2.context_length": 1e300, "general.parameter_count": -1}},
        {"model_info": {"qwen2.context_length": True, "general.architecture": "qwen2"}},
        {"parameters": "num_ctx  99999999999999999999999"},
        {"parameters": 7, "license": {}, "capabilities": {"a": 1}},
    ],
)
async def test_nonsense_about_a_model_is_nothing(shown: dict[str, Any]):
    async with pair() as (double, endpoint):
        double.replies["/api/show"] = Reply(body=go(shown))
        info = await endpoint.refresh()
        assert 0 < info.context_tokens <= 131_072
        assert await text(endpoint, request()) == "a + b"


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("/api/version", Reply(body=b"{}")),
        ("/api/version", Reply(body=b'{"version":1}')),
        ("/api/version", Reply("404 Not Found", "text/plain", b"404 page not found")),
        ("/api/ps", Reply(kind="text/html", body=b"<html></html>")),
    ],
)
async def test_what_is_not_an_ollama_server(path: str, reply: Reply):
    async with pair() as (double, endpoint):
        double.replies[path] = reply
        assert (await refresh_problem(endpoint)).kind is ProblemKind.PROTOCOL


# Counting without a tokenizer.


async def test_tokens_are_reckoned_from_what_earlier_prompts_had():
    async with pair() as (double, endpoint):
        guess = await endpoint.count_tokens("x" * 600)
        assert 100 < guess < 400
        double.last_fields = {"prompt_eval_count": 600, "prompt_eval_cached_count": 0}
        for _ in range(40):
            await text(endpoint, request("x" * 2400))
        assert await endpoint.count_tokens("x" * 600) == pytest.approx(150, abs=3)
        assert await endpoint.count_tokens("") == 0


async def test_what_an_old_server_counts_says_nothing_about_the_prompt():
    async with pair() as (double, endpoint):
        guess = await endpoint.count_tokens("x" * 600)
        # Servers before 0.2 counted only what was not cached, or left it out.
        for said in (3, None, -5, "many", 1e300):
            double.last_fields = {"prompt_eval_count": said}
            await text(endpoint, request("x" * 2400))
        assert await endpoint.count_tokens("x" * 600) == guess


# What goes wrong.


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>\n",
        b"data: {}\n",
        b"[]\n",
        b"{}\n",
        b"{]\n",
        b'{"response":1,"done":false}\n',
        b'{"response":"a"}\n',
        b'{"response":"a","done":1}\n',
        b'{"response":NaN,"done":false}\n',
        b'{"message":{"content":"a"},"done":false}\n',
        b'{"a":' * 100_000 + b"\n",
        b'{"a":"\xff"}\n',
        b"{" + b"a" * (5 * 1024 * 1024) + b"\n",
    ],
    ids=lambda body: ascii(body[:30]),
)
async def test_garbage(body: bytes):
    async with pair() as (double, endpoint):
        await endpoint.describe()
        double.lines = [body]
        assert (await problem(endpoint, request())).kind is ProblemKind.PROTOCOL


@pytest.mark.parametrize("message", [None, 1, [], {}, {"content": None}, {"content": 1}])
async def test_garbage_in_a_conversation(message: object):
    async with pair() as (double, endpoint):
        double.lines = [line(message=message, done=False)]
        error = await problem(endpoint, request("", messages=TALK))
        assert error.kind is ProblemKind.PROTOCOL


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/event-stream"])
async def test_an_answer_that_is_not_a_stream(kind: str):
    async with pair() as (double, endpoint):
        double.loaded[MODEL] = 8192
        double.replies["/api/generate"] = Reply(kind=kind, body=LAST)
        assert (await problem(endpoint, request())).kind is ProblemKind.PROTOCOL


async def test_figures_that_cannot_be_are_zero():
    async with pair() as (double, endpoint):
        double.last_fields = {
            "prompt_eval_count": 5,
            "prompt_eval_cached_count": 9,
            "prompt_eval_duration": -1,
            "eval_count": int("9" * 400),
            "eval_duration": "12",
        }
        assert (await chunks(endpoint, request()))[-1].usage == Usage(5)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("an error was encountered while running the model", ProblemKind.PROTOCOL),
        ("CUDA error: out of memory", ProblemKind.MEMORY),
        (
            "model requires more system memory (7.6 GiB) than is available (5.1 GiB)",
            ProblemKind.MEMORY,
        ),
        (OVERFLOW, ProblemKind.OVERFLOW),
        ("the input length exceeds the context length", ProblemKind.OVERFLOW),
        ("server busy, please try again.  maximum pending requests exceeded", ProblemKind.BUSY),
        ({"code": 3}, ProblemKind.PROTOCOL),
        (None, ProblemKind.PROTOCOL),
    ],
)
async def test_an_error_inside_the_stream(error: object, kind: ProblemKind):
    async with pair() as (double, endpoint):
        double.lines = [generated("Yes"), line(error=error)]
        found = await problem(endpoint, request("my prompt"))
    assert found.kind is kind
    assert "my prompt" not in found.message


@pytest.mark.parametrize(
    ("fault", "kind"), [(Fault.BUSY, ProblemKind.BUSY), (Fault.INSIDE, ProblemKind.MEMORY)]
)
async def test_a_refusal(fault: Fault, kind: ProblemKind):
    async with pair() as (double, endpoint):
        await endpoint.describe()
        double.fault = fault
        assert (await problem(endpoint, request())).kind is kind


async def test_a_prompt_that_is_too_long_is_refused_and_not_cut():
    async with pair() as (_, endpoint):
        error = await problem(endpoint, request("x" * (TOO_LONG + 1)))
    assert (error.kind, error.limit_tokens) == (ProblemKind.OVERFLOW, 512)


async def test_a_prompt_that_an_old_server_cut_is_noticed():
    async with pair() as (double, endpoint):
        double.last_fields = {"prompt_eval_count": 8192}
        error = await problem(endpoint, request())
    assert (error.kind, error.limit_tokens) == (ProblemKind.OVERFLOW, 8192)


async def test_a_model_that_cannot_insert_refuses():
    async with pair() as (double, endpoint):
        double.installed[MODEL] = Installed(CHAT_TEMPLATE, ["completion"])
        assert (await problem(endpoint, request("a", suffix="b"))).kind is ProblemKind.REFUSED


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_a_dropped_connection(after: int):
    async with pair(pieces=["a", "b", "c"]) as (double, endpoint):
        await endpoint.describe()
        double.drop_after = after
        assert (await problem(endpoint, request())).kind is ProblemKind.DOWN
        double.drop_after = None
        assert await text(endpoint, request()) == "abc"


async def test_half_an_answer_that_ends_politely():
    async with pair() as (double, endpoint):
        for lines in ([generated("a")], [generated("a"), LAST[:-2]]):
            double.lines = lines
            assert (await problem(endpoint, request())).kind is ProblemKind.DOWN


async def test_slow_headers():
    async with pair() as (double, endpoint):
        double.hold_headers = asyncio.Event()
        error = await problem(endpoint, request(first_token_ms=50, total_ms=60_000))
        assert error.kind is ProblemKind.TIMEOUT
        assert "first word" in error.message
        await asyncio.wait_for(double.hang_ups.wait(), 30)


async def test_the_whole_answer_has_a_deadline():
    async with pair(pieces=["a", "b"]) as (double, endpoint):
        double.hold_after = (1, asyncio.Event())
        error = await problem(endpoint, request(first_token_ms=60_000, total_ms=200))
        assert error.kind is ProblemKind.TIMEOUT
        await asyncio.wait_for(double.hang_ups.wait(), 30)


async def test_leaving_early_closes_the_socket():
    async with pair(pieces=["a", "b"]) as (double, endpoint):
        double.hold_after = (1, asyncio.Event())
        generation = endpoint.generate(request())
        async with generation as answer:
            assert (await anext(answer)).text == "a"
        await asyncio.wait_for(double.hang_ups.wait(), 30)
        double.hold_after = None
        assert await text(endpoint, request()) == "ab"
        del generation


async def test_a_closed_endpoint_sends_nothing_more():
    async with pair() as (double, endpoint):
        await endpoint.describe()
        await endpoint.aclose()
        await endpoint.aclose()
        asked = len(double.requests)
        assert (await problem(endpoint, request())).kind is ProblemKind.DOWN
        with pytest.raises(EndpointError, match="closed"):
            await endpoint.models()
        assert len(double.requests) == asked


# Small words.


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("qwen", "qwen:latest", True),
        ("Qwen:7B", "qwen:7b", True),
        ("qwen:7b", "qwen", False),
        ("hf.co/a/b", "hf.co/a/b:latest", True),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest", True),
    ],
)
def test_names(one: str, other: str, same: bool):
    assert is_same(one, other) is same


@pytest.mark.parametrize(
    ("name", "remote"),
    [("a:cloud", True), ("a:7b-cloud", True), ("cloud", False), ("cloud:7b", False), ("a", False)],
)
def test_names_of_the_cloud(name: str, remote: bool):
    assert is_remote(name) is remote


@pytest.mark.parametrize(
    ("said", "expect"),
    [("7.6B", 7_600_000_000), ("494.03M", 494_030_000), ("1b", 10**9), ("x", 0), (7, 0), ("", 0)],
)
def test_parameters(said: object, expect: int):
    assert parameters_of(said) == expect


@pytest.mark.parametrize(
    ("said", "expect"),
    [("0.40.2", (0, 40, 2)), ("v0.5", (0, 5)), ("0.0.0", ()), ("", None), (5, None), ("dev", ())],
)
def test_versions(said: object, expect: object):
    assert version_of({"version": said}) == expect
