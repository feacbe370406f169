"""What real servers do that speak OpenAI's protocol: llama.cpp's own, and vLLM.

Everything that `profiles.toml` says of these two, and on which our code or the doubles rely.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

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
from sirdab.endpoint.identify import identify
from sirdab.endpoint.openai import OpenAiEndpoint
from sirdab.endpoint.profiles import profile_named
from sirdab.policy.loopback import check_endpoint_url
from sirdab.review import question as questions
from sirdab.review import refute, rules, units
from sirdab.review.settled import Place
from sirdab.text.store import Text
from tests.e2e.test_llamacpp_contract import KEY as LLAMACPP_KEY
from tests.e2e.test_llamacpp_contract import engine
from tests.support import second_server
from tests.support.review import SQL

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(600)]

HOLE = (
    "<|fim_prefix|>def add(first, second):\n    return <|fim_suffix|>\n\nprint(add(1, 2))\n"
    "<|fim_middle|>"
)
FAMILIAR = "def add(first, second):\n    return"
SCHEMA = {
    "type": "object",
    "properties": {
        "names": {"type": "array", "maxItems": 2, "items": {"enum": ["north", "south"]}}
    },
    "required": ["names"],
    "additionalProperties": False,
}


class Real(NamedTuple):
    """A real server.

    Attributes:
        url: Its address.
        key: Its key.
        profile_id: Id of its profile.
        running: Name of the figure that counts the requests it is working at.
        written: Name of the figure that counts the tokens it has written.
    """

    url: str
    key: str
    profile_id: str
    running: str
    written: str


@pytest.fixture(scope="module", params=["llamacpp", "vllm"])
def real(request: pytest.FixtureRequest) -> Iterator[Real]:
    if request.param == "llamacpp":
        path: Path = request.getfixturevalue("real_model_path")
        with engine(path, 1) as url:
            yield Real(
                url,
                LLAMACPP_KEY,
                "llamacpp",
                "llamacpp:requests_processing",
                "llamacpp:tokens_predicted_total",
            )
    else:
        with second_server.second_server() as url:
            yield Real(
                url,
                second_server.KEY,
                "vllm",
                "vllm:num_requests_running",
                "vllm:generation_tokens_total",
            )


def endpoint_of(real: Real, *, base: str = "/v1", **options: Any) -> OpenAiEndpoint:
    address = check_endpoint_url(real.url + base, allow_remote=False)
    options = {"api_key": real.key, "timeout_ms": 120_000, **options}
    return OpenAiEndpoint(address, profile_named(real.profile_id), **options)


@pytest.fixture
async def endpoint(real: Real) -> AsyncIterator[OpenAiEndpoint]:
    endpoint = endpoint_of(real)
    await endpoint.describe()
    yield endpoint
    await endpoint.aclose()


def asked(prompt: str, max_tokens: int, **more: Any) -> GenerationRequest:
    return GenerationRequest(
        prompt, max_tokens, first_token_ms=120_000, total_ms=120_000, patient=True, **more
    )


def said(*messages: Message, max_tokens: int = 32, **more: Any) -> GenerationRequest:
    return asked("", max_tokens, messages=messages, **more)


async def complete(endpoint: OpenAiEndpoint, request: GenerationRequest) -> tuple[str, Usage, bool]:
    """Return the text, the last cost that was told, and whether the limit ended the answer."""
    text, usage, truncated = "", Usage(), False
    async with endpoint.generate(request) as answer:
        async for chunk in answer:
            text += chunk.text
            usage = chunk.usage or usage
            truncated = truncated or chunk.truncated
    return text, usage, truncated


async def figure(real: Real, name: str) -> float:
    """Return a figure of the server's metrics, summed over its labels."""
    address = check_endpoint_url(real.url, allow_remote=False)
    async with make_client(address, api_key=real.key) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    pattern = re.compile(re.escape(name) + r"(?:\{.*\})? (\S+)$")
    return sum(float(match[1]) for line in lines if (match := pattern.match(line)))


async def until_idle(real: Real) -> None:
    async with asyncio.timeout(120):
        while await figure(real, real.running):  # noqa: ASYNC110 - it is far away
            await asyncio.sleep(0.05)


async def test_it_is_recognised(real: Real):
    address = check_endpoint_url(real.url, allow_remote=False)
    found = await identify(address, api_key=real.key, timeout_ms=30_000, kind="openai")
    assert found.profile is profile_named(real.profile_id)


async def test_describe(real: Real, endpoint: OpenAiEndpoint):
    info = await endpoint.describe()
    assert info.server == real.profile_id
    assert info.name == "qwen2.5-coder-0.5b-instruct-q4_k_m".removesuffix(
        "" if real.profile_id == "llamacpp" else "-q4_k_m"
    )
    assert info.context_tokens == 2048
    assert info.abilities == profile_named(real.profile_id).abilities
    assert info.resolution is not None
    # Its tokenizer was asked about every sentinel.
    assert info.resolution.source == "server"
    assert info.resolution.problem == ""


async def test_models(endpoint: OpenAiEndpoint):
    (served,) = await endpoint.models()
    assert "0.5b" in served.name
    assert served.fills_in
    assert served.family.id == "qwen2.5-coder"


@pytest.mark.parametrize("base", ["", "/v1", "/v1/completions"])
async def test_the_address_may_end_in_v1(real: Real, base: str):
    endpoint = endpoint_of(real, base=base)
    assert (await endpoint.refresh()).context_tokens == 2048
    await endpoint.aclose()


async def test_a_completion_and_its_cost(endpoint: OpenAiEndpoint):
    text, usage, truncated = await complete(endpoint, asked(FAMILIAR, 16, stop=("\n",)))
    assert text == " first + second"
    assert not truncated
    assert usage.prompt_tokens == await endpoint.count_tokens(FAMILIAR)
    assert usage.generated_tokens >= 3


async def test_sentinels_in_a_prompt_are_sentinels(endpoint: OpenAiEndpoint):
    assert (await complete(endpoint, asked(HOLE, 24, stop=("\n",))))[0] == "first + second"
    assert await endpoint.count_tokens("<|fim_prefix|>") == 1


async def test_no_control_token_is_handed_on_as_text(endpoint: OpenAiEndpoint):
    text, _, _ = await complete(endpoint, asked(HOLE, 64))
    assert text.startswith("first + second")
    assert "<|" not in text


async def test_what_was_read_is_kept(endpoint: OpenAiEndpoint):
    prompt = "".join(f"value_{number} = compute({number})\n" for number in range(60))
    await complete(endpoint, asked(prompt, 1))
    _, usage, _ = await complete(endpoint, asked(prompt + "value_60", 1))
    assert usage.prompt_tokens > 400
    # vLLM keeps blocks of 128 tokens.
    assert 0 < usage.evaluated_tokens <= 256


async def test_warming_up_reads_the_prompt_and_writes_nothing(endpoint: OpenAiEndpoint):
    prompt = "".join(f"depth_{number} = measure({number})\n" for number in range(60))
    text, usage, _ = await complete(endpoint, asked(prompt, 0))
    assert text == ""
    assert usage.evaluated_tokens > 300
    _, usage, _ = await complete(endpoint, asked(prompt + "depth_60", 1))
    assert 0 < usage.evaluated_tokens <= 256


async def test_the_token_limit_is_told(endpoint: OpenAiEndpoint):
    _, usage, truncated = await complete(endpoint, asked("1, 2, 3, 4, 5,", 5))
    assert truncated
    assert usage.generated_tokens == 5


async def test_many_stop_strings_all_count(endpoint: OpenAiEndpoint):
    stops = ("one", "two", "three", "four", "five", " +", "seven")
    assert (await complete(endpoint, asked(FAMILIAR, 16, stop=stops)))[0] == " first"


NASTY = [
    " ite",
    ' "quoted" and \\ back',
    "\\x00 \\u0041 \\n",
    "\n\n\t\t]",
    "[^a]* ::= root | {1,2} (.+?)$",
    "é 中 سرداب 😀\u2028\u200f",
    "\x01\x1b[0m\x7f\x85\xa0",
]


@pytest.mark.parametrize("start", NASTY, ids=ascii)
async def test_an_answer_begins_as_told(endpoint: OpenAiEndpoint, start: str):
    prompt = "def total(items):\n    result = 0\n    for item in items:\n        result +="
    text, _, _ = await complete(endpoint, asked(prompt, 32, begins_with=start))
    assert text.startswith(start)


async def test_half_a_word_is_completed_across_the_token_boundary(endpoint: OpenAiEndpoint):
    prompt = "def total(items):\n    result = 0\n    for item in items:\n        result +="
    request = asked(prompt, 8, begins_with=" ite", stop=("\n",))
    assert (await complete(endpoint, request))[0] == " item"


async def test_a_completion_conforms_to_a_schema(endpoint: OpenAiEndpoint):
    request = asked("Write a poem about the sea:", 64, json_schema=SCHEMA)
    answer = json.loads((await complete(endpoint, request))[0])
    assert set(answer["names"]) <= {"north", "south"}


async def test_a_turn_conforms_to_a_schema(endpoint: OpenAiEndpoint):
    request = said(Message("user", "A poem about the sea."), max_tokens=64, json_schema=SCHEMA)
    answer = json.loads((await complete(endpoint, request))[0])
    assert set(answer["names"]) <= {"north", "south"}


@pytest.mark.parametrize("is_chat", [False, True])
async def test_the_schemas_of_a_review_are_understood(endpoint: OpenAiEndpoint, is_chat: bool):
    (unit,) = units.split(Text(SQL), "python")
    offered = rules.candidates(unit, "python", ("security",))
    info = await endpoint.describe()
    abilities = info.abilities - {Ability.RAW} if is_chat else info.abilities
    question = questions.build(unit, "python", offered, info.family, abilities)
    shown = questions.described(unit, "python", offered, ())
    place = Place("sql-injection", 2, "verdict")
    vote = refute.verdict(shown, place, next(iter(offered)), 0, info.family, abilities)
    for conversation, schema, most in (
        (question.conversation, question.schema, questions.ANSWER_TOKENS),
        (vote.conversation, vote.schema, vote.max_tokens),
    ):
        assert bool(conversation.messages) == is_chat
        request = asked(
            conversation.prompt,
            most,
            messages=conversation.messages,
            stop=conversation.stop,
            json_schema=schema,
        )
        text, _, truncated = await complete(endpoint, request)
        assert not truncated
        if schema is question.schema:
            found = questions.read(text)
            assert found is not None
            assert {(one.rule, one.line) for one in found} <= {("sql-injection", 3)}
            assert all(one.code in SQL for one in found)
        else:
            assert refute.read_verdict(text) != "unreadable"


async def test_a_turn_of_a_conversation(endpoint: OpenAiEndpoint):
    question = "What is the capital of France? Answer with one word."
    text, usage, _ = await complete(endpoint, said(Message("user", question)))
    assert "Paris" in text
    assert "<|im_end|>" not in text
    assert usage.prompt_tokens > 10


async def test_a_turn_goes_on_with_its_beginning(endpoint: OpenAiEndpoint):
    request = said(
        Message("user", "Count from one to nine."), Message("assistant", "1, 2, 3,"), max_tokens=8
    )
    assert (await complete(endpoint, request))[0].lstrip().startswith("4,")


async def test_a_prompt_that_does_not_fit(endpoint: OpenAiEndpoint):
    for request in (asked("word " * 3000, 1), said(Message("user", "word " * 3000), max_tokens=1)):
        with pytest.raises(EndpointError) as caught:
            await complete(endpoint, request)
        assert caught.value.kind is ProblemKind.OVERFLOW
        assert caught.value.limit_tokens == 2048


async def test_a_wrong_key(real: Real):
    for key in ("", "wrong"):
        endpoint = endpoint_of(real, api_key=key)
        with pytest.raises(EndpointError) as caught:
            await complete(endpoint, asked("a", 1))
        assert caught.value.kind is ProblemKind.REFUSED
        assert "endpoint.apiKeyEnv" in caught.value.message
        await endpoint.aclose()


async def test_a_wrong_model(real: Real):
    endpoint = endpoint_of(real, model="nonesuch")
    with pytest.raises(EndpointError) as caught:
        await endpoint.describe()
    assert caught.value.kind is ProblemKind.NO_MODEL
    if real.profile_id == "vllm":
        # llama.cpp answers whatever its model is called.
        with pytest.raises(EndpointError) as caught:
            await complete(endpoint, asked("a", 1))
        assert caught.value.kind is ProblemKind.NO_MODEL
    await endpoint.aclose()


async def test_cancelling_stops_the_writing(real: Real, endpoint: OpenAiEndpoint):
    before = await figure(real, real.written)
    # The constraint makes the answer long, so that it cannot have ended by itself.
    request = asked("Repeat:", 1900, begins_with="pa ka " * 1500)
    seen = 0

    async def read() -> None:
        nonlocal seen
        async with endpoint.generate(request) as answer:
            async for _ in answer:
                seen += 1

    task = asyncio.create_task(read())
    async with asyncio.timeout(120):
        while seen < 5:  # noqa: ASYNC110 - the count is the event
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await until_idle(real)
    assert await figure(real, real.written) - before < 950
    assert (await complete(endpoint, asked(FAMILIAR, 3)))[0] == " first + second"


async def test_cancelling_stops_the_reading(real: Real, endpoint: OpenAiEndpoint):
    lines = [f"value_{number} = {number * 7919}\n" for number in range(110)]
    prompt = "".join(lines)
    assert 1300 < await endpoint.count_tokens(prompt) < 2000
    task = asyncio.create_task(complete(endpoint, asked(prompt, 4)))
    async with asyncio.timeout(120):
        while not await figure(real, real.running):  # noqa: ASYNC110 - it is far away
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled(), "the answer was complete before it could be cancelled"
    # llama.cpp looks for a hang-up when nothing has happened for a second, so it is not polled.
    assert (await complete(endpoint, asked(FAMILIAR, 3)))[0] == " first + second"
    await until_idle(real)


async def post(real: Real, path: str, body: dict[str, Any]) -> httpx.Response:
    address = check_endpoint_url(real.url, allow_remote=False)
    async with make_client(address, api_key=real.key) as client:
        return await client.post(path, json={"model": second_server.MODEL, **body}, timeout=120)


async def test_a_suffix_is_of_no_use(real: Real, endpoint: OpenAiEndpoint):
    """Which is why no profile of these has the ability to insert."""
    assert Ability.INSERT not in (await endpoint.describe()).abilities
    body = {"prompt": FAMILIAR, "max_tokens": 4, "temperature": 0, "repetition_penalty": 1.0}
    plain = await post(real, "/v1/completions", body)
    inserted = await post(real, "/v1/completions", {**body, "suffix": "* 2\n"})
    if real.profile_id == "vllm":
        assert inserted.status_code == 400
    else:
        texts = [one.json()["choices"][0]["text"] for one in (plain, inserted)]
        assert texts[0] == texts[1]


async def test_how_many_stop_strings_it_takes(real: Real):
    most = profile_named(real.profile_id).most_stops
    body = {"prompt": FAMILIAR, "max_tokens": 1}
    for count in (4, 5, 20):
        response = await post(real, "/v1/completions", {**body, "stop": ["x#y"] * count})
        assert response.status_code == (200 if not most or count <= most else 400)
