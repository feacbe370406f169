"""The round trip of `sirdab doctor`."""

from sirdab.endpoint.base import ProblemKind
from sirdab.endpoint.health import probe
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
