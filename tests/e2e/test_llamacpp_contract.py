"""What the real llama.cpp does, wherever our code or the fake server relies on it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from sirdab.endpoint.base import (
    Ability,
    EndpointError,
    GenerationRequest,
    Message,
    ProblemKind,
    Usage,
)
from sirdab.endpoint.client import make_client
from sirdab.endpoint.health import probe
from sirdab.endpoint.llamacpp import LlamaCppEndpoint, Slots
from sirdab.policy.loopback import check_endpoint_url
from tests.support.fake_llamacpp import FakeLlamaCpp
from tests.support.real_llamacpp import KEY, engine

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def engine_url(real_model_path: Path) -> Iterator[str]:
    with engine(real_model_path, 1) as url:
        yield url


@pytest.fixture
async def endpoint(engine_url: str) -> AsyncIterator[LlamaCppEndpoint]:
    address = check_endpoint_url(engine_url, allow_remote=False)
    made = LlamaCppEndpoint(address, api_key=KEY, timeout_ms=60_000)
    yield made
    await made.aclose()


def request(prompt: str, max_tokens: int, **more: Any) -> GenerationRequest:
    deadlines = {"first_token_ms": 60_000, "total_ms": 60_000}
    return GenerationRequest(prompt, max_tokens, **{**deadlines, **more})


async def complete(endpoint: LlamaCppEndpoint, asked: GenerationRequest) -> tuple[str, Usage, bool]:
    text, usage, truncated = "", Usage(), False
    async with endpoint.generate(asked) as answer:
        async for chunk in answer:
            text += chunk.text
            usage = chunk.usage or usage
            truncated = truncated or chunk.truncated
    return text, usage, truncated


async def is_processing(endpoint: LlamaCppEndpoint) -> bool:
    slots = await endpoint.slots()
    assert slots is not None
    return slots.busy > 0


async def tokens_written(endpoint: LlamaCppEndpoint) -> int:
    async with make_client(endpoint.address, api_key=KEY) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    name = "llamacpp:tokens_predicted_total "
    return next(int(float(line.removeprefix(name))) for line in lines if line.startswith(name))


async def until_processing(endpoint: LlamaCppEndpoint, expect: bool) -> None:
    async with asyncio.timeout(120):
        while await is_processing(endpoint) is not expect:  # noqa: ASYNC110 - it is far away
            await asyncio.sleep(0.02)


async def test_describe(endpoint: LlamaCppEndpoint, real_model_path: Path):
    await endpoint.check_health()
    info = await endpoint.describe()
    assert info.path == str(real_model_path)
    assert info.name == real_model_path.stem
    assert info.context_tokens == 2048


async def test_a_completion(endpoint: LlamaCppEndpoint):
    prompt = "def add(first, second):\n    return"
    text, usage, truncated = await complete(endpoint, request(prompt, 16, stop=("\n",)))
    assert text == " first + second"
    assert not truncated
    assert usage.prompt_tokens == await endpoint.count_tokens(prompt)
    assert usage.generated_tokens >= 3
    assert usage.generated_ms > 0
    # The same again is read from the cache, which is what the whole design rests on.
    again = (await complete(endpoint, request(prompt, 3)))[1]
    assert 0 < again.evaluated_tokens < usage.prompt_tokens
    assert again.prompt_tokens == usage.prompt_tokens


async def test_the_token_limit_is_told(endpoint: LlamaCppEndpoint):
    _, usage, truncated = await complete(endpoint, request("1, 2, 3, 4, 5,", 5))
    assert truncated
    assert usage.generated_tokens == 5


async def test_warming_up_reads_the_prompt_and_writes_nothing(endpoint: LlamaCppEndpoint):
    prompt = "class Cellar:\n    def __init__(self, depth):\n        self.depth ="
    text, warm, _ = await complete(endpoint, request(prompt, 0))
    assert text == ""
    assert warm.evaluated_tokens > 1
    text, usage, _ = await complete(endpoint, request(prompt, 8, stop=("\n",)))
    assert text == " depth"
    assert usage.evaluated_tokens == 1


async def test_control_tokens_count_as_one(endpoint: LlamaCppEndpoint):
    assert await endpoint.count_tokens("<|fim_prefix|>") == 1
    assert await endpoint.count_tokens("") == 0


async def test_each_sentinel_is_one_token(endpoint: LlamaCppEndpoint):
    info = await endpoint.describe()
    assert info.family.id == "qwen2.5-coder"
    assert info.resolution is not None
    assert info.resolution.problem == ""
    # Those of another family are letters to this model, which is how a wrong format is noticed.
    for token in ("<fim_prefix>", "[SUFFIX]", "<PRE>"):
        assert await endpoint.count_tokens(token) > 1
    assert Ability.CHAT in info.abilities
    # Its sentinels are known, so nobody asked whether the server knows them as well.
    assert Ability.INSERT not in info.abilities


async def test_all_that_is_served(endpoint: LlamaCppEndpoint, real_model_path: Path):
    (model,) = await endpoint.models()
    assert (model.name, model.is_loaded) == (real_model_path.stem, True)
    assert model.fills_in
    assert model.size_bytes > 100_000_000
    assert model.parameters > 100_000_000
    assert model.quantisation.startswith("Q4_K")


async def test_the_server_inserts(endpoint: LlamaCppEndpoint):
    before, after = "def add(first, second):\n    return", "\n\n\nprint(add(1, 2))\n"
    asked = request(before, 12, suffix=after, stop=("\n",))
    text, usage, _ = await complete(endpoint, asked)
    assert text == " first + second"
    assert usage.prompt_tokens > await endpoint.count_tokens(before + after)
    begun, _, _ = await complete(endpoint, request(before, 12, suffix=after, begins_with=" se"))
    assert begun.startswith(" se")


async def test_whether_the_server_inserts_is_found_out_without_reading(endpoint: LlamaCppEndpoint):
    prompt = "def keep_this(value):\n    return value * 2\n"
    await complete(endpoint, request(prompt, 1))
    assert await endpoint._inserts()
    _, usage, _ = await complete(endpoint, request(prompt, 1))
    assert usage.evaluated_tokens == 1


TALK = (
    Message("system", "You answer with one word, in lower case, without a full stop."),
    Message("user", "What is the capital of France?"),
)


async def test_a_conversation_is_written_down_and_cached(endpoint: LlamaCppEndpoint):
    asked = request("", 8, messages=TALK)
    text, usage, truncated = await complete(endpoint, asked)
    assert text.strip().lower() == "paris"
    assert not truncated
    again = (await complete(endpoint, asked))[1]
    assert again.evaluated_tokens < usage.prompt_tokens / 2


async def test_an_answer_in_a_conversation_goes_on_from_its_beginning(endpoint: LlamaCppEndpoint):
    begun = (*TALK, Message("assistant", "the capital is Par"))
    assert (await complete(endpoint, request("", 2, messages=begun)))[0].startswith("is")
    constrained = request("", 8, messages=TALK, begins_with="lyon")
    assert (await complete(endpoint, constrained))[0].startswith("lyon")
    schema = {"type": "object", "properties": {"city": {"enum": ["Paris", "Lyon"]}}}
    conforming = request("", 32, messages=TALK, json_schema=schema)
    assert isinstance(json.loads((await complete(endpoint, conforming))[0]), dict)


async def test_a_conversation_in_openais_words(endpoint: LlamaCppEndpoint):
    """What servers that cannot write a conversation down are asked."""
    endpoint._writes_conversations = False
    text, usage, truncated = await complete(endpoint, request("", 8, messages=TALK))
    assert text.strip().lower() == "paris"
    assert usage.generated_tokens > 0
    assert not truncated
    _, _, truncated = await complete(endpoint, request("", 1, messages=TALK[1:]))
    assert truncated


async def test_the_slots_are_told(endpoint: LlamaCppEndpoint):
    assert await endpoint.slots() == Slots(0, 1)


NASTY = [
    " ite",
    ' "quoted" and \\ back',
    "\\x00 \\u0041 \\n",
    '\'"\\"',
    "\n\n\t\t]",
    "\r\n",
    "[^a]* ::= root | {1,2}",
    "é 中 سرداب 😀\u2028\u200f",
    "\x01\x1b[0m\x7f\x85\xa0",
    "\ufeff\ufffd\U0010ffff",
]


@pytest.mark.parametrize("start", NASTY, ids=ascii)
async def test_an_answer_begins_as_told(endpoint: LlamaCppEndpoint, start: str):
    prompt = "def total(items):\n    result = 0\n    for item in items:\n        result +="
    text, _, _ = await complete(endpoint, request(prompt, 48, begins_with=start))
    if start.endswith("\U0010ffff"):
        # The answer may end inside the last character, which takes four tokens.
        assert (start.startswith(text) and len(text) > 1) or text.startswith(start)
    else:
        assert text.startswith(start)


async def test_an_answer_conforms_to_a_schema(endpoint: LlamaCppEndpoint):
    names = {"type": "array", "maxItems": 2, "items": {"enum": ["north", "south"]}}
    schema = {
        "type": "object",
        "properties": {"names": names},
        "required": ["names"],
        "additionalProperties": False,
    }
    asked = request("Write a poem about the sea:", 64, json_schema=schema)
    answer = json.loads((await complete(endpoint, asked))[0])
    assert set(answer) == {"names"}
    assert set(answer["names"]) <= {"north", "south"}
    assert len(answer["names"]) <= 2


async def test_half_a_word_is_completed_across_the_token_boundary(endpoint: LlamaCppEndpoint):
    prompt = "def total(items):\n    result = 0\n    for item in items:\n        result +="
    asked = request(prompt, 8, begins_with=" ite", stop=("\n",))
    assert (await complete(endpoint, asked))[0] == " item"


async def test_a_prompt_that_does_not_fit(endpoint: LlamaCppEndpoint):
    with pytest.raises(EndpointError) as caught:
        await complete(endpoint, request("word " * 3000, 1))
    assert caught.value.kind is ProblemKind.OVERFLOW
    assert caught.value.limit_tokens == 2048
    assert "of 2048 tokens" in caught.value.message


async def test_a_wrong_key(engine_url: str):
    address = check_endpoint_url(engine_url, allow_remote=False)
    for key in ("", "wrong"):
        endpoint = LlamaCppEndpoint(address, api_key=key)
        with pytest.raises(EndpointError) as caught:
            await complete(endpoint, request("a", 1))
        assert caught.value.kind is ProblemKind.REFUSED
        await endpoint.check_health()
        await endpoint.aclose()


async def test_the_round_trip_of_the_doctor(endpoint: LlamaCppEndpoint):
    health = await probe(endpoint)
    assert health.ok, health.message
    assert health.text.strip()


async def test_cancelling_stops_the_writing(endpoint: LlamaCppEndpoint):
    # The grammar makes the answer long, so that it cannot have ended by itself.
    asked = request("Repeat:", 1900, begins_with="pa ka " * 2000)
    seen = 0
    before = await tokens_written(endpoint)

    async def read() -> None:
        nonlocal seen
        async with endpoint.generate(asked) as answer:
            async for _ in answer:
                seen += 1

    task = asyncio.create_task(read())
    async with asyncio.timeout(60):
        while seen < 5:  # noqa: ASYNC110 - the count is the event
            await asyncio.sleep(0.01)
    assert await is_processing(endpoint)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await until_processing(endpoint, False)
    assert await tokens_written(endpoint) - before < 950
    assert (await complete(endpoint, request("def add(a, b):\n    return", 3)))[0] == " a + b"


async def test_cancelling_stops_the_reading(endpoint: LlamaCppEndpoint):
    lines = [f"value_{number} = {number * 7919}\n" for number in range(110)]
    prompt = "".join(lines)
    size = await endpoint.count_tokens(prompt)
    assert 1300 < size < 2000
    task = asyncio.create_task(complete(endpoint, request(prompt, 4)))
    await until_processing(endpoint, True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled(), "the answer was complete before it could be cancelled"
    # /slots is not polled here: a waiting handler looks for a hang-up when nothing has happened
    # for a second, and every answer to somebody else makes it start that second again.
    text, _, _ = await complete(endpoint, request("def add(a, b):\n    return", 3))
    assert text == " a + b"
    await until_processing(endpoint, False)
    # Had the prompt been read to its end, nearly nothing of its first half would be left to read.
    _, usage, _ = await complete(endpoint, request("".join(lines[:60]), 1))
    assert usage.evaluated_tokens > 20


STREAM = {"stream": True}
SAID = [{"role": "user", "content": "Hello"}]


async def test_the_fake_sends_what_the_real_one_sends(engine_url: str):
    """Compare the shapes of the answers: the tests of all other rooms rest on the fake."""
    questions: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "/health", None),
        ("GET", "/slots", None),
        ("GET", "/v1/models", None),
        ("GET", "/props", None),
        ("GET", "/nothing", None),
        ("POST", "/tokenize", {"content": "def f("}),
        ("POST", "/completion", {"prompt": "1, 2,", "n_predict": 2, "stream": True}),
        ("POST", "/infill", {}),
        ("POST", "/infill", {"input_prefix": "1,", "input_suffix": "3", "n_predict": 2, **STREAM}),
        ("POST", "/apply-template", {"messages": SAID}),
        ("POST", "/v1/chat/completions", {"messages": SAID, "max_tokens": 2, **STREAM}),
    ]
    async with FakeLlamaCpp(api_key=KEY) as fake:
        for method, path, body in questions:
            for key in (KEY, "wrong"):
                real, ours = [
                    await _shape(url, method, path, body, key) for url in (engine_url, fake.url)
                ]
                status, kind, fields = ours
                assert (status, kind) == real[:2], path
                assert fields <= real[2], f"{path}: the fake invents {fields - real[2]}"


async def _shape(
    url: str, method: str, path: str, body: dict[str, Any] | None, key: str
) -> tuple[int, str, set[str]]:
    """Return the status, the content type and the dotted names of all fields of an answer."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        headers = {"Authorization": f"Bearer {key}"}
        response = await client.request(method, path, json=body, headers=headers)
    fields: set[str] = set()

    def walk(value: object, name: str) -> None:
        if isinstance(value, dict):
            for inner, held in cast("dict[str, object]", value).items():
                fields.add(f"{name}.{inner}")
                walk(held, f"{name}.{inner}")
        elif isinstance(value, list):
            for held in cast("list[object]", value):
                walk(held, f"{name}[]")

    kind = response.headers["Content-Type"].partition(";")[0]
    if kind == "text/event-stream":
        for event in response.content.decode().split("\n\n"):
            data = event.strip().removeprefix("data: ")
            if data and data != "[DONE]":
                value = cast("dict[str, Any]", json.loads(data))
                walk(value, "last" if value.get("stop") else "event")
    else:
        walk(json.loads(response.content), "")
    return response.status_code, kind, fields


async def test_a_server_with_several_slots_finds_the_one_that_knows_the_prompt(
    real_model_path: Path,
) -> None:
    """Which is why no slot is named to it: the one that is named may be somebody else's."""
    ghost = "\n".join(f"    value_{number} = compute({number})" for number in range(40))
    review = "\n".join(f"// another text of line {number}" for number in range(60))
    with engine(real_model_path, 2) as url:
        address = check_endpoint_url(url, allow_remote=False)
        endpoint = LlamaCppEndpoint(address, api_key=KEY, timeout_ms=60_000)
        try:
            await endpoint.describe()
            await complete(endpoint, request(ghost, 2))
            for number in range(3):
                await complete(endpoint, request(f"{review}{number}", 2))
            _, usage, _ = await complete(endpoint, request(f"{ghost}\n    value_", 2))
        finally:
            await endpoint.aclose()
    assert usage.prompt_tokens > 100
    assert usage.evaluated_tokens < 20
