"""One table of behaviour against the doubles of all servers that speak OpenAI's protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

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
from sirdab.endpoint.identify import identify
from sirdab.endpoint.openai import OpenAiEndpoint
from sirdab.endpoint.profiles import profile_named
from sirdab.policy.loopback import check_endpoint_url
from tests.support.doubles.http import CACHED_TOKENS, PROMPT_TOKENS, TOO_LONG, Double, Fault
from tests.support.doubles.lmstudio import LmStudioDouble
from tests.support.doubles.localai import LocalAiDouble
from tests.support.doubles.openwebui import OpenWebUiDouble
from tests.support.doubles.sglang import SglangDouble
from tests.support.doubles.tgi import TgiDouble
from tests.support.doubles.triton import TritonDouble
from tests.support.doubles.vllm import VllmDouble


class Case(NamedTuple):
    """What a server is expected to be and to do.

    Attributes:
        make: Makes its double.
        name: Name of the model that is served.
        context: Tokens of its context.
        models: Names of all its models.
        cached: Whether it tells what it had read before.
        written: Tokens of "a + b" as it counts them in a completion.
        tells_length: Whether the end by the token limit is told.
        bases: Ends that a user may have written.
        problems: Faults and what becomes of them, where they are not those of everybody.
    """

    make: type[Double]
    name: str = "qwen2.5-coder-1.5b"
    context: int = 0
    models: tuple[str, ...] = ("qwen2.5-coder-1.5b",)
    cached: bool = False
    written: int = 2
    bases: tuple[str, ...] = ("", "/v1", "/v1/completions")
    problems: dict[Fault, ProblemKind | None] = {}  # noqa: RUF012 - never changed


CASES = (
    Case(VllmDouble, context=4096, cached=True),
    Case(SglangDouble, context=4096, cached=True, problems={Fault.MODEL: None}),
    Case(TritonDouble, problems={Fault.INSIDE: ProblemKind.DOWN, Fault.MODEL: ProblemKind.REFUSED}),
    Case(
        TgiDouble,
        name="Qwen2.5-Coder-1.5B",
        context=4096,
        models=("Qwen/Qwen2.5-Coder-1.5B",),
        written=3,
        problems={Fault.MODEL: None},
    ),
    Case(
        LmStudioDouble,
        name="qwen2.5-coder-1.5b-instruct",
        context=4096,
        models=("meta-llama-3.1-8b-instruct", "qwen2.5-coder-1.5b-instruct"),
        bases=("", "/v1", "/v1/completions", "/api/v0"),
    ),
    Case(LocalAiDouble),
    Case(
        OpenWebUiDouble,
        name="qwen2.5-coder:1.5b",
        models=("qwen2.5-coder:1.5b",),
        bases=("", "/api", "/api/chat/completions", "/ollama", "/openai"),
    ),
)
RAW = tuple(case for case in CASES if profile_named(case.make.profile_id).completions)
USUAL = {
    Fault.KEY: ProblemKind.REFUSED,
    Fault.MODEL: ProblemKind.NO_MODEL,
    Fault.BUSY: ProblemKind.BUSY,
    Fault.LOADING: ProblemKind.LOADING,
    Fault.OVERFLOW: ProblemKind.OVERFLOW,
    Fault.INSIDE: ProblemKind.PROTOCOL,
}

every_server = pytest.mark.parametrize("case", CASES, ids=lambda case: case.make.profile_id)
every_completing_server = pytest.mark.parametrize(
    "case", RAW, ids=lambda case: case.make.profile_id
)


@asynccontextmanager
async def pair(
    case: Case, *, base: str = "", model: str = "", key: str = "", **options: Any
) -> AsyncIterator[tuple[Double, OpenAiEndpoint]]:
    async with case.make(**options) as double:
        address = check_endpoint_url(double.url + base, allow_remote=False)
        profile = profile_named(double.profile_id)
        endpoint = OpenAiEndpoint(address, profile, api_key=key, model=model)
        try:
            yield double, endpoint
        finally:
            await endpoint.aclose()


def completion(prompt: str = "x", max_tokens: int = 64, **more: Any) -> GenerationRequest:
    return GenerationRequest(prompt, max_tokens, **more)


def conversation(*said: str, max_tokens: int = 64, **more: Any) -> GenerationRequest:
    messages = (Message("system", "Be brief."), *(Message("user", one) for one in said))
    return GenerationRequest("", max_tokens, messages=messages, **more)


def requests_for(case: Case, text: str = "x") -> list[GenerationRequest]:
    """Return one request of each kind that the server takes."""
    kinds = [conversation(text)]
    return [completion(text), *kinds] if case in RAW else kinds


async def chunks(endpoint: OpenAiEndpoint, asked: GenerationRequest) -> list[Chunk]:
    async with endpoint.generate(asked) as answer:
        return [chunk async for chunk in answer]


async def text(endpoint: OpenAiEndpoint, asked: GenerationRequest) -> str:
    return "".join(chunk.text for chunk in await chunks(endpoint, asked))


async def problem(endpoint: OpenAiEndpoint, asked: GenerationRequest) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await chunks(endpoint, asked)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


@every_server
async def test_what_it_is(case: Case):
    async with pair(case) as (double, endpoint):
        info = await endpoint.describe()
        assert await endpoint.describe() is info
    assert info.name == case.name
    assert info.context_tokens == case.context
    assert info.server == double.profile_id
    assert info.abilities == profile_named(double.profile_id).abilities
    assert info.family.id.startswith("qwen2.5-coder")
    assert info.resolution is not None
    assert info.resolution.problem == ""


@every_server
async def test_it_is_recognised(case: Case):
    async with case.make() as double:
        address = check_endpoint_url(double.url, allow_remote=False)
        found = await identify(address, api_key="", timeout_ms=10_000, kind="auto")
    assert found.kind == "openai"
    assert found.profile is profile_named(double.profile_id)


@every_server
async def test_its_models(case: Case):
    async with pair(case) as (_, endpoint):
        served = await endpoint.models()
    assert tuple(one.name for one in served) == case.models
    ours = next(one for one in served if one.name.lower().endswith(case.name.lower()))
    assert ours.family.id.startswith("qwen2.5-coder")
    assert ours.fills_in is (Ability.RAW in profile_named(case.make.profile_id).abilities)
    # What lists what it could load as well must say of each whether it has.
    serves_one = case.make.profile_id in {"vllm", "sglang", "tgi", "lmstudio"}
    assert ours.is_loaded is (True if serves_one else None)


@pytest.mark.parametrize(
    ("case", "base"),
    [(case, base) for case in CASES for base in case.bases],
    ids=lambda value: value.make.profile_id if isinstance(value, Case) else value or "/",
)
async def test_the_address_may_end_as_in_its_documentation(case: Case, base: str):
    async with pair(case, base=base) as (double, endpoint):
        assert (await endpoint.describe()).name == case.name
        assert await text(endpoint, requests_for(case)[0]) == "a + b"
        assert endpoint.url == double.url + base


@every_completing_server
async def test_a_completion_and_its_cost(case: Case):
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        found = await chunks(endpoint, completion("<|fim_prefix|>é"))
        sent = double.asked("/v1/completions")[0].body
    # An end-of-text token that the server leaves in the text is none.
    assert "".join(chunk.text for chunk in found) == "a + b"
    anew = PROMPT_TOKENS - CACHED_TOKENS if case.cached else 0
    assert found[-1].usage == Usage(PROMPT_TOKENS, anew, generated_tokens=case.written)
    assert not any(chunk.truncated for chunk in found)
    assert sent["prompt"] == "<|fim_prefix|>é"
    assert sent["temperature"] == 0
    assert sent["stream"] is True


@every_server
async def test_a_turn_of_a_conversation(case: Case):
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        found = await chunks(endpoint, conversation("What now?"))
        sent = double.requests[-1]
    # Reasoning is not text.
    assert "".join(chunk.text for chunk in found) == "a + b"
    assert found[-1].usage is not None
    assert found[-1].usage.prompt_tokens == PROMPT_TOKENS
    assert sent.path == profile_named(double.profile_id).chat
    assert sent.body["messages"][-1] == {"role": "user", "content": "What now?"}


@every_server
async def test_the_token_limit_is_told(case: Case):
    async with pair(case, pieces=["a", " +", " b"]) as (_, endpoint):
        await endpoint.describe()
        for asked in requests_for(case):
            limited = GenerationRequest(asked.prompt, 2, messages=asked.messages)
            found = await chunks(endpoint, limited)
            assert "".join(chunk.text for chunk in found) == "a +"
            assert found[-1].truncated


@every_completing_server
async def test_many_stop_strings_all_count(case: Case):
    stops = ("one", "two", "three", "four", "five", " + ", "seven")
    pieces = ["first", " ", "+", " second five"]
    async with pair(case, pieces=pieces) as (double, endpoint):
        await endpoint.describe()
        assert await text(endpoint, completion(stop=stops)) == "first"
        sent = double.asked("/v1/completions")[0].body["stop"]
    most = profile_named(double.profile_id).most_stops
    assert sent[: len(stops)] == list(stops[:most] if most else stops)
    assert len(sent) <= (most or 99)


@every_server
async def test_a_stop_string_is_not_part_of_the_answer(case: Case):
    async with pair(case, pieces=["a", " + b", "\n", "c"]) as (_, endpoint):
        await endpoint.describe()
        for asked in requests_for(case):
            stopped = GenerationRequest(asked.prompt, 64, stop=("\n",), messages=asked.messages)
            assert await text(endpoint, stopped) == "a + b"


@every_server
async def test_warming_up_yields_no_text(case: Case):
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        for asked in requests_for(case):
            silent = GenerationRequest(asked.prompt, 0, messages=asked.messages)
            assert await text(endpoint, silent) == ""
            assert double.requests[-1].body["max_tokens"] == 1


@every_server
async def test_cancelling_closes_the_connection(case: Case):
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        double.hold_after = (2, asyncio.Event())
        for asked in requests_for(case):
            double.hang_ups.clear()
            started = asyncio.Event()

            async def read(request: GenerationRequest, began: asyncio.Event) -> None:
                async with endpoint.generate(request) as answer:
                    began.set()
                    async for _ in answer:
                        pass

            task = asyncio.create_task(read(asked, started))
            await started.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            async with asyncio.timeout(30):
                await double.hang_ups.wait()


@pytest.mark.parametrize(
    ("case", "fault"),
    [(case, fault) for case in CASES for fault in Fault if case.problems.get(fault, 1) is not None],
    ids=lambda value: value.make.profile_id if isinstance(value, Case) else value.name,
)
async def test_what_goes_wrong(case: Case, fault: Fault):
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        for asked in requests_for(case, "word " * TOO_LONG if fault is Fault.OVERFLOW else "x"):
            if fault is Fault.KEY:
                double.api_key = "sesame"
            elif fault is Fault.MODEL:
                endpoint._served = "x"
            else:
                double.fault = fault
            error = await problem(endpoint, asked)
            assert error.kind is case.problems.get(fault, USUAL[fault])
            assert "5001" not in error.message


@every_server
async def test_a_key_is_sent(case: Case):
    async with pair(case, api_key="sesame", key="sesame") as (_, endpoint):
        await endpoint.describe()
        assert await text(endpoint, requests_for(case)[0]) == "a + b"


@every_server
async def test_a_wrong_key_is_found_out_at_once(case: Case):
    async with pair(case, api_key="sesame", key="open") as (_, endpoint):
        with pytest.raises(EndpointError) as caught:
            await endpoint.refresh()
    assert caught.value.kind is ProblemKind.REFUSED
    assert "endpoint.apiKeyEnv" in caught.value.message


@every_server
async def test_a_model_that_is_not_there(case: Case):
    async with pair(case, model="nonesuch") as (_, endpoint):
        if profile_named(case.make.profile_id).sends_model:
            # The name means nothing to it.
            assert (await endpoint.describe()).name == case.name
            return
        with pytest.raises(EndpointError) as caught:
            await endpoint.describe()
    assert caught.value.kind is ProblemKind.NO_MODEL
    assert "nonesuch" in caught.value.message
    assert case.name in caught.value.message


@every_server
@pytest.mark.parametrize("after", [0, 1, 2])
async def test_half_a_stream(case: Case, after: int):
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        double.drop_after = after
        for asked in requests_for(case):
            assert (await problem(endpoint, asked)).kind is ProblemKind.DOWN
        double.drop_after = None
        assert await text(endpoint, requests_for(case)[0])


@every_server
@pytest.mark.parametrize("split", [1, 3, 7])
async def test_bytes_may_be_split_anywhere(case: Case, split: int):
    pieces = ["é", "سرداب", " 😀", "\u2028", "\n\tx"]
    async with pair(case, pieces=pieces) as (double, endpoint):
        await endpoint.describe()
        double.split = split
        for asked in requests_for(case):
            assert await text(endpoint, asked) == "".join(pieces)


@every_server
async def test_tokens(case: Case):
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        counted = await endpoint.count_tokens("<|fim_prefix|>")
        paths = [request.path for request in double.requests]
    if Ability.TOKENIZE in profile_named(double.profile_id).abilities:
        assert counted == 1
        assert profile_named(double.profile_id).tokenizer.path in paths  # type: ignore[union-attr]
    else:
        assert 2 <= counted <= 14


@every_server
async def test_a_schema_is_sent_where_it_is_understood(case: Case):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        for asked in requests_for(case):
            await text(
                endpoint,
                GenerationRequest(asked.prompt, 64, messages=asked.messages, json_schema=schema),
            )
            forms = profile_named(double.profile_id).schema
            form = forms.chat if asked.messages else forms.completions
            body = double.requests[-1].body
            match form:
                case "response_format":
                    assert body["response_format"]["json_schema"]["schema"] == schema
                case "response_format.value":
                    assert body["response_format"]["value"] == schema
                case _:
                    assert "response_format" not in body


@every_server
async def test_the_beginning_of_an_answer(case: Case):
    """A last message of the assistant is sent where the server goes on with it."""
    messages = (Message("user", "Count."), Message("assistant", "1, 2,"))
    async with pair(case) as (double, endpoint):
        await endpoint.describe()
        assert await text(endpoint, GenerationRequest("", 64, messages=messages)) == "a + b"
        sent = double.requests[-1].body
    if profile_named(double.profile_id).prefill:
        assert sent["messages"][-1] == {"role": "assistant", "content": "1, 2,"}
        assert sent["continue_final_message"] is True
        assert sent["add_generation_prompt"] is False
    else:
        assert [one["role"] for one in sent["messages"]] == ["user"]
