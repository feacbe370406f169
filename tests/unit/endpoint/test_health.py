"""The round trip of `sirdab doctor`."""

import pytest

from sirdab.endpoint.base import (
    LLAMACPP_ABILITIES,
    Ability,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    ProblemKind,
)
from sirdab.endpoint.health import Gap, answers, probe, round_trip_request
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.policy.loopback import check_endpoint_url
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer


def connect(fake: FakeLlamaCpp) -> LlamaCppEndpoint:
    return LlamaCppEndpoint(check_endpoint_url(fake.url, allow_remote=False))


async def test_a_server_that_works():
    async with FakeLlamaCpp(answer=[" a", " + b", "\n", "no"]) as fake:
        endpoint = connect(fake)
        health = await probe(endpoint)
        await endpoint.aclose()
    assert health.ok
    assert health.kind is None
    assert health.text == " a + b"
    assert health.model is not None
    assert health.model.name in health.message
    assert health.tokens > 0
    assert 0 < health.first_text_ms <= health.total_ms
    assert health.usage is not None
    assert health.usage.prompt_tokens == 8


async def test_how_far_it_came():
    async with FakeLlamaCpp() as fake:
        fake.raw["/completion"] = RawAnswer("500 Oops")
        endpoint = connect(fake)
        health = await probe(endpoint)
        await endpoint.aclose()
    assert not health.ok
    assert health.kind is ProblemKind.PROTOCOL
    assert health.model is not None
    assert health.total_ms == 0


async def test_nobody_there():
    async with FakeLlamaCpp() as fake:
        pass
    endpoint = connect(fake)
    health = await probe(endpoint)
    await endpoint.aclose()
    assert not health.ok
    assert health.kind is ProblemKind.DOWN
    assert health.model is None


async def test_a_model_that_says_nothing():
    async with FakeLlamaCpp(answer=["\n"]) as fake:
        endpoint = connect(fake)
        health = await probe(endpoint)
        await endpoint.aclose()
    assert not health.ok
    assert "another model" in health.message


@pytest.mark.parametrize(
    ("pieces", "expected", "fills_in"),
    [
        ((" a + b", "\n"), ("a + b", "b + a"), True),
        (("a+b",), ("a + b",), True),
        (("b + a",), ("a + b", "b + a"), True),
        (("anything",), (), True),
        (("print('hello')",), ("a + b",), False),
        (("\n",), ("a + b",), False),
    ],
)
async def test_a_gap_to_be_filled(
    pieces: tuple[str, ...], expected: tuple[str, ...], fills_in: bool
):
    async with FakeLlamaCpp(answer=pieces) as fake:
        endpoint = connect(fake)
        request = GenerationRequest("<|fim_prefix|>x", 8, stop=("\n",))
        health = await probe(endpoint, Gap(request, expected))
        await endpoint.aclose()
    assert health.fills_in is fills_in
    assert fake.asked("/completion")[-1].body["prompt"] == "<|fim_prefix|>x"
    if health.ok and not fills_in:
        assert "does not fill a gap" in health.message


async def test_no_verdict_without_a_gap_or_without_an_answer():
    async with FakeLlamaCpp() as fake:
        endpoint = connect(fake)
        assert (await probe(endpoint)).fills_in is None
        fake.raw["/completion"] = RawAnswer("500 Oops")
        gap = Gap(GenerationRequest("x", 8))
        assert (await probe(endpoint, gap)).fills_in is None
        await endpoint.aclose()


@pytest.mark.parametrize(
    ("abilities", "form"),
    [
        (LLAMACPP_ABILITIES, "prompt"),
        (frozenset({Ability.RAW}), "prompt"),
        (frozenset({Ability.CHAT}), "messages"),
        (frozenset({Ability.CHAT, Ability.INSERT}), "messages"),
        (frozenset({Ability.INSERT}), "suffix"),
    ],
)
def test_every_server_is_asked_in_a_way_that_it_understands(
    abilities: frozenset[Ability], form: str
):
    request = round_trip_request(ModelInfo("m", "", 0, "http://a", abilities=abilities))
    assert bool(request.messages) == (form == "messages")
    assert (request.suffix is not None) == (form == "suffix")
    assert bool(request.prompt) == (form != "messages")


async def test_the_proof_that_a_server_is_well():
    async with FakeLlamaCpp() as fake:
        endpoint = connect(fake)
        await answers(endpoint)
        fake.stream_body = b"garbage\n\n"
        with pytest.raises(EndpointError):
            await answers(endpoint)
        await endpoint.aclose()
