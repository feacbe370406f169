"""Which model server answers at an address."""

import asyncio

import pytest

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.connect import connect
from sirdab.endpoint.identify import identify
from sirdab.policy.loopback import EndpointAddress, check_endpoint_url
from tests.support.doubles.http import Double, Reply
from tests.support.doubles.lmstudio import LmStudioDouble
from tests.support.doubles.localai import LocalAiDouble
from tests.support.doubles.ollama import OllamaDouble
from tests.support.doubles.openwebui import OpenWebUiDouble
from tests.support.doubles.plain import PlainDouble
from tests.support.doubles.sglang import SglangDouble
from tests.support.doubles.tgi import TgiDouble
from tests.support.doubles.triton import TritonDouble
from tests.support.doubles.vllm import VllmDouble
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer


def at(url: str) -> EndpointAddress:
    return check_endpoint_url(url, allow_remote=False)


@pytest.mark.parametrize(
    "kind",
    [
        LmStudioDouble,
        LocalAiDouble,
        OpenWebUiDouble,
        SglangDouble,
        TgiDouble,
        TritonDouble,
        VllmDouble,
    ],
)
async def test_servers_like_openais(kind: type[Double]):
    async with kind() as double:
        for base in ("", "/v1"):
            found = await identify(at(double.url + base))
            assert (found.kind, found.profile and found.profile.id) == ("openai", double.profile_id)
            assert found.address.url == double.url
            assert found.title
        assert all(request.method == "GET" for request in double.requests)
        assert not any(request.body for request in double.requests)


@pytest.mark.parametrize("kind", [LmStudioDouble, TgiDouble, VllmDouble, OllamaDouble])
async def test_a_server_that_wants_a_key(kind: type[Double]):
    async with kind(api_key="sesame") as double:
        with pytest.raises(EndpointError) as caught:
            await identify(at(double.url), api_key="wrong")
        assert caught.value.kind is ProblemKind.REFUSED
        assert "apiKeyEnv" in caught.value.message
        found = await identify(at(double.url), api_key="sesame")
        assert found.kind == ("ollama" if kind is OllamaDouble else "openai")


async def test_ollama():
    async with OllamaDouble() as double:
        for base in ("", "/v1"):
            found = await identify(at(double.url + base))
            assert (found.kind, found.profile, found.address.url) == ("ollama", None, double.url)
        assert (await identify(at(double.url), kind="openai")).kind == "openai"


async def test_llamacpp():
    async with FakeLlamaCpp() as fake:
        found = await identify(at(fake.url))
        assert (found.kind, found.is_loading, found.has_several) == ("llamacpp", False, False)
        assert len(fake.requests) == 3
        fake.loading = True
        assert (await identify(at(fake.url))).kind == "llamacpp"
        fake.loading = False
        fake.raw["/props"] = RawAnswer(body=b'{"role":"router"}')
        assert (await identify(at(fake.url))).has_several


PROPS = Reply(body=b'{"default_generation_settings":{"n_ctx":8192},"total_slots":1}')


@pytest.mark.parametrize(
    ("replies", "kind", "profile"),
    [
        # llama.cpp before it named itself anywhere.
        ({"/props": PROPS}, "llamacpp", None),
        # KoboldCpp imitates llama.cpp, and Ollama.
        (
            {
                "/props": PROPS,
                "/api/version": Reply(body=b'{"version":"0.7.0"}'),
                "/v1/models": Reply(
                    body=b'{"object":"list","data":[{"id":"koboldcpp/x","owned_by":"koboldcpp"}]}'
                ),
            },
            "openai",
            "openai",
        ),
        # Ollama behind a proxy with a page of its own, and at a path of somebody else.
        (
            {
                "/api/version": Reply(body=b'{"version":"0.7.0"}'),
                "/": Reply(kind="text/html", body=b"<html>"),
                "/api/tags": Reply(body=b'{"models":[]}'),
            },
            "ollama",
            None,
        ),
        # Anything else that lists models as OpenAI does.
        ({"/v1/models": Reply(body=b'{"object":"list","data":[]}')}, "openai", "openai"),
    ],
)
async def test_what_is_only_alike(replies: dict[str, Reply], kind: str, profile: str | None):
    async with PlainDouble(replies) as double:
        found = await identify(at(double.url))
        assert (found.kind, found.profile and found.profile.id) == (kind, profile)


@pytest.mark.parametrize("kind", ["llamacpp", "ollama", "openai"])
async def test_the_user_knows_better(kind: str):
    async with PlainDouble() as double:
        found = await identify(at(double.url + "/v1"), kind=kind)
        assert found.kind == kind
        assert found.address.url == double.url
        assert connect(found).url == double.url
        assert bool(double.requests) == (kind == "openai")


@pytest.mark.parametrize(
    ("otherwise", "kind", "words"),
    [
        (Reply("404 Not Found", "text/html", b"<html>"), ProblemKind.PROTOCOL, "endpoint.kind"),
        (Reply(kind="text/html", body=b"It works!"), ProblemKind.PROTOCOL, "endpoint.kind"),
        (Reply(body=b"[" * 100_000), ProblemKind.PROTOCOL, "endpoint.kind"),
        (Reply(body=b" " * (2 << 20)), ProblemKind.PROTOCOL, "larger"),
        (Reply("302 Found", headers={"Location": "http://a"}), ProblemKind.POLICY, "redirect"),
        (Reply("401 Unauthorized"), ProblemKind.REFUSED, "apiKeyEnv"),
        (Reply("503 Service Unavailable"), ProblemKind.LOADING, "loading"),
        (Reply("429 Too Many Requests"), ProblemKind.BUSY, "busy"),
    ],
)
async def test_what_is_no_model_server(otherwise: Reply, kind: ProblemKind, words: str):
    async with PlainDouble() as double:
        double.otherwise = otherwise
        with pytest.raises(EndpointError) as caught:
            await identify(at(double.url))
        assert caught.value.kind is kind
        assert words in caught.value.message
        # Somebody's own work in progress is not asked for everything there is.
        if otherwise.status.startswith("404"):
            assert len(double.requests) == 4


async def test_nobody_there():
    async with FakeLlamaCpp() as fake:
        pass
    with pytest.raises(EndpointError) as caught:
        await identify(at(fake.url))
    assert caught.value.kind is ProblemKind.DOWN


async def test_a_server_that_says_nothing():
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(EndpointError) as caught:
        await identify(at(url), timeout_ms=50)
    assert caught.value.kind is ProblemKind.TIMEOUT
    # Who says what it is, is asked nothing that could be in the way.
    assert (await identify(at(url), timeout_ms=50, kind="openai")).kind == "openai"
    server.close()
