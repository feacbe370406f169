"""The whole server when the model behind it changes, or is still being looked for."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from sirdab.config.directories import CACHE_ENV, STATE_ENV
from sirdab.endpoint.discovery import PORTS_ENV
from tests.support.fake_llamacpp import FakeLlamaCpp
from tests.support.lsp_client import Spawned, spawned

HERE, ELSEWHERE = "file:///a.py", "file:///b.py"
TEXT = "def add(a, b):\n    return "


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment whose log and data files are the test's own."""
    for name in (STATE_ENV, CACHE_ENV, "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return dict(os.environ)


async def suggested(client: Spawned, uri: str) -> str | None:
    answer: Any = await client.inline(uri, 1, 11)
    return answer["items"][0]["insertText"] if answer and answer["items"] else None


async def used(client: Spawned, url: str) -> None:
    def is_used() -> bool:
        last = client.statuses[-1]
        return (last["state"], last.get("endpoint")) == ("ready", url)

    await client.until(is_used)


async def test_what_stood_in_said_is_not_shown_when_the_first_one_is_back(
    env: dict[str, str],
) -> None:
    async with (
        FakeLlamaCpp(answer=["a + b"]) as one,
        FakeLlamaCpp(answer=["b + a"]) as two,
        spawned(env=env) as client,
    ):
        port = one.port
        await one.stop()
        urls = [f"http://127.0.0.1:{port}", two.url]
        await client.start(options={"endpoint": {"url": urls}, "completion": {"debounceMs": 0}})
        client.open(HERE, TEXT)
        client.open(ELSEWHERE, TEXT.replace("add", "sum"))
        assert await suggested(client, HERE) == "b + a"
        await used(client, two.url)
        await one.start(port)
        # Nobody has asked it anything, and so no question says that it is in use.
        await used(client, urls[0])
        assert await suggested(client, HERE) == "a + b"
        await client.stop()
        assert await client.exit_code() == 0
        assert client.errors == b""


@pytest.mark.parametrize("after", [0.0, 0.1, 0.6])
async def test_the_end_does_not_wait_for_a_program_that_never_answers(
    env: dict[str, str], after: float
) -> None:
    connected = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    env[PORTS_ENV] = str(server.sockets[0].getsockname()[1])
    async with spawned(env=env) as client:
        # What it says of a model that is not there is said elsewhere.
        client.ignored = {"window/logMessage", "window/showMessage"}
        await client.start(options={"endpoint": {"url": "auto"}})
        client.open(HERE, TEXT)
        await asyncio.wait_for(connected.wait(), 30)
        await asyncio.sleep(after)
        await client.stop()
        assert await client.exit_code() == 0
        assert client.errors == b""
    server.close()
