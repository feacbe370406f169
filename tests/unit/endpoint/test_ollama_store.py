"""Listing, pulling and removing the models of an Ollama server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sirdab.endpoint import ollama_store
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.ollama_store import (
    PullProgress,
    delete,
    list_models,
    pull,
    running_models,
)
from sirdab.policy.loopback import EndpointAddress, check_endpoint_url
from tests.support.doubles.http import Reply
from tests.support.doubles.ollama import CHAT_TEMPLATE, JSON, Installed, OllamaDouble, go, line

MODEL = OllamaDouble.model


@asynccontextmanager
async def server(**options: Any) -> AsyncIterator[tuple[OllamaDouble, EndpointAddress]]:
    async with OllamaDouble(**options) as double:
        yield double, check_endpoint_url(double.url, allow_remote=False)


async def pull_problem(address: EndpointAddress, name: str = MODEL) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await pull(address, name, lambda _: None)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


async def test_the_list_tells_everything_that_is_known():
    async with server() as (double, address):
        double.installed["mine:latest"] = Installed(
            CHAT_TEMPLATE, ["completion"], "llama", "8.0B", "Q4_0", 7, "f" * 64, 8192, licence=""
        )
        double.installed["glm-4.6:cloud"] = Installed(
            "", None, size=0, digest="", remote_host="https://ollama.com:443"
        )
        coder, mine, cloud = await list_models(address)
    assert (coder.name, coder.size_bytes, coder.quantisation) == (MODEL, 986_061_892, "Q4_K_M")
    assert coder.digest == Installed().digest
    assert coder.licence == "Apache License, Version 2.0"
    assert coder.parameters == 1_543_714_304
    assert (coder.family.id, coder.inserts, coder.trained_tokens) == ("qwen2.5-coder", True, 32_768)
    assert (mine.licence, mine.inserts, mine.trained_tokens) == ("", False, 8192)
    assert (mine.is_remote, cloud.is_remote, cloud.writes_text) == (False, True, False)


async def test_a_model_that_is_removed_meanwhile_stays_in_the_list():
    async with server() as (double, address):
        double.replies["/api/show"] = Reply("404 Not Found", JSON, go({"error": "not found"}))
        (coder,) = await list_models(address)
    assert (coder.name, coder.licence, coder.family.id) == (MODEL, "", "qwen2.5-coder")


@pytest.mark.parametrize("vram", [0, 500_000_000, 986_061_892])
async def test_what_is_in_memory_and_where(vram: int):
    async with server() as (double, address):
        assert await running_models(address) == ()
        double.loaded[MODEL], double.vram = 4096, vram
        (one,) = await running_models(address)
    assert (one.name, one.size_bytes, one.vram_bytes) == (MODEL, 986_061_892, vram)
    assert one.context_tokens == 4096


@pytest.mark.parametrize("split", [0, 1, 7])
async def test_a_pull_tells_how_far_it_is(split: int):
    seen: list[PullProgress] = []
    async with server() as (double, address):
        double.split = split
        await pull(address, "qwen2.5-coder:3b-base", seen.append)
        (sent,) = double.asked("/api/pull")
    assert sent.body == {"model": "qwen2.5-coder:3b-base", "stream": True}
    digest = "sha256:60e05f210007"
    assert seen == [
        PullProgress("pulling manifest"),
        PullProgress("pulling 60e05f210007", digest, 1000),
        PullProgress("pulling 60e05f210007", digest, 1000, 241),
        PullProgress("pulling 60e05f210007", digest, 1000, 1000),
        PullProgress("verifying sha256 digest"),
        PullProgress("writing manifest"),
        PullProgress("success"),
    ]


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("pull model manifest: file does not exist", ProblemKind.NO_MODEL, "ollama.com/library"),
        ("write /x/blobs/sha256-1: no space left on device", ProblemKind.REFUSED, "full"),
        (
            (
                "pull model manifest: 412: the model you are attempting to pull requires a newer "
                "version of Ollama that may be in pre-release."
            ),
            ProblemKind.REFUSED,
            "update Ollama",
        ),
        (
            (
                'max retries exceeded: Get "https://registry.example/v2/": dial tcp: lookup: no '
                "such host"
            ),
            ProblemKind.DOWN,
            "goes on where it stopped",
        ),
        (
            "digest mismatch, file must be downloaded again: want sha256:1, got sha256:2",
            ProblemKind.PROTOCOL,
            "again",
        ),
        ("something else", ProblemKind.PROTOCOL, "log"),
        (7, ProblemKind.PROTOCOL, "log"),
    ],
)
async def test_a_pull_that_fails_in_the_middle(said: object, kind: ProblemKind, words: str):
    async with server() as (double, address):
        double.pulling = ['{"status":"pulling manifest"}', line(error=said).decode().strip()]
        error = await pull_problem(address)
    assert error.kind is kind
    assert words in error.message
    for secret in ("/x/blobs", "registry.example", "sha256"):
        assert secret not in error.message


@pytest.mark.parametrize(
    "lines",
    [[], ['{"status":"pulling manifest"}'], ['{"status":"pulling manifest"}', '{"status":"suc']],
)
async def test_a_pull_that_ends_without_success(lines: list[str]):
    async with server() as (double, address):
        double.pulling = lines
        error = await pull_problem(address)
    # The last line of the third is complete as a line, and no JSON.
    assert error.kind in {ProblemKind.DOWN, ProblemKind.PROTOCOL}


async def test_a_pull_whose_connection_breaks():
    async with server() as (double, address):
        double.drop_after = 2
        assert (await pull_problem(address)).kind is ProblemKind.DOWN


@pytest.mark.parametrize("said", ["<html>", "[]", '{"status":1}', "{}", '{"total":5}'])
async def test_lines_that_are_not_ollamas(said: str):
    async with server() as (double, address):
        double.pulling = [said]
        assert (await pull_problem(address)).kind is ProblemKind.PROTOCOL


async def test_absurd_figures_are_nothing():
    seen: list[PullProgress] = []
    async with server() as (double, address):
        double.pulling = ['{"status":"x","total":-1,"completed":"5"}', '{"status":"success"}']
        await pull(address, MODEL, seen.append)
    assert seen[0] == PullProgress("x")


async def test_a_pull_that_stands_still(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ollama_store, "_STALLED_SECONDS", 0.05)
    async with server() as (double, address):
        double.hold_after = (2, asyncio.Event())
        assert (await pull_problem(address)).kind is ProblemKind.TIMEOUT
        await asyncio.wait_for(double.hang_ups.wait(), 30)


async def test_cancelling_breaks_a_pull_off():
    async with server() as (double, address):
        double.hold_after = (2, asyncio.Event())
        seen: list[PullProgress] = []
        task = asyncio.create_task(pull(address, MODEL, seen.append))
        async with asyncio.timeout(30):
            while len(seen) < 2:  # noqa: ASYNC110 - the count is the event
                await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(double.hang_ups.wait(), 30)


@pytest.mark.parametrize("name", ["", " ", "a b", "-x", "a\nb", "ä", "a" * 400, "--help"])
async def test_what_is_no_name_is_not_sent(name: str):
    async with server() as (double, address):
        assert (await pull_problem(address, name)).kind is ProblemKind.REFUSED
        assert double.requests == []


async def test_a_model_of_the_cloud_is_not_pulled():
    async with server() as (double, address):
        assert (await pull_problem(address, "glm-4.6:cloud")).kind is ProblemKind.POLICY
        assert double.requests == []


async def test_removing():
    async with server() as (double, address):
        await delete(address, MODEL)
        assert MODEL not in double.installed
        (sent,) = double.asked("/api/delete")
        assert (sent.method, sent.body) == ("DELETE", {"model": MODEL})
        with pytest.raises(EndpointError) as caught:
            await delete(address, MODEL)
    assert caught.value.kind is ProblemKind.NO_MODEL


async def test_a_key_for_a_proxy():
    async with server(api_key="sesame") as (_, address):
        assert len(await list_models(address, api_key="sesame")) == 1
        await delete(address, MODEL, api_key="sesame")
        for key in ("", "wrong"):
            with pytest.raises(EndpointError) as caught:
                await running_models(address, api_key=key)
            assert caught.value.kind is ProblemKind.REFUSED


async def test_no_server():
    async with server() as (_, address):
        pass
    for question in (list_models(address), running_models(address), delete(address, MODEL)):
        with pytest.raises(EndpointError) as caught:
            await question
        assert caught.value.kind is ProblemKind.DOWN
    assert (await pull_problem(address)).kind is ProblemKind.DOWN
