"""The server as an editor starts it: a process, its pipes and its exit code."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sirdab.config.directories import CACHE_ENV, STATE_ENV
from tests.protocol.engines import ScriptedEngine
from tests.support.fake_llamacpp import FakeLlamaCpp
from tests.support.lsp_client import Spawned, in_process, spawned

URI = "file:///a.py"
# Port 9 is "discard": nothing answers there, and nothing is started in its place.
NOWHERE: dict[str, Any] = {"endpoint": {"url": "http://127.0.0.1:9"}}

MARKER = "marker_of_the_source_text"


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment whose log and data files are the test's own."""
    for name in (STATE_ENV, CACHE_ENV, "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return dict(os.environ)


def written(folder: Path) -> str:
    """All that was written to files below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


async def test_exit_after_shutdown(env: dict[str, str]) -> None:
    async with spawned(env=env) as client:
        await client.start(options=NOWHERE)
        await client.stop()
        assert await client.exit_code() == 0
        assert client.errors == b""


async def test_exit_without_shutdown(env: dict[str, str]) -> None:
    async with spawned(env=env) as client:
        await client.start(options=NOWHERE)
        client.notify("exit")
        assert await client.exit_code() == 1


async def test_exit_before_initialize(env: dict[str, str]) -> None:
    async with spawned(env=env) as client:
        client.notify("exit")
        assert await client.exit_code() == 1


@pytest.mark.parametrize(
    ("capabilities", "options"),
    [
        ({}, None),
        ({"general": {"positionEncodings": ["utf-99", "utf-32"]}}, {"trusted": 3}),
        ({"textDocument": {"inlineCompletion": {}}}, {"completion": {"menu": "on"}}),
        ({"textDocument": 5, "general": [], "future": 1}, [7]),
    ],
)
async def test_the_answer_that_is_sent_before_the_libraries_are_loaded(
    env: dict[str, str], capabilities: dict[str, Any], options: Any
) -> None:
    async with spawned(env=env) as client:
        client.ignored = {"window/logMessage", "window/showMessage"}
        early = await client.initialize(capabilities, options)
        client.notify("initialized", {})
        client.open(URI, "")
        # Accepted as well by the protocol, which is then running and refuses another one.
        again = client.begin("initialize", {"capabilities": {}})
        assert await client.error_of(again) == -32600
        await client.stop()
        assert await client.exit_code() == 0
    async with in_process(ScriptedEngine()) as client:
        assert await client.initialize(capabilities, options) == early


@pytest.mark.parametrize("first", ["shutdown", "initialize"])
async def test_a_first_message_that_is_no_good_initialize(env: dict[str, str], first: str) -> None:
    async with spawned(env=env) as client:
        code = await client.error_of(client.begin(first, {"capabilities": None}))
        assert code == {"shutdown": -32002, "initialize": -32602}[first]
        await client.start(options=NOWHERE)
        await client.stop()
        assert await client.exit_code() == 0


@pytest.mark.parametrize("started", [True, False])
async def test_the_end_of_standard_input(env: dict[str, str], started: bool) -> None:
    async with spawned(env=env) as client:
        if started:
            await client.start(options=NOWHERE)
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert await client.exit_code() == 0
        assert b"Traceback" not in client.errors


async def test_arguments_that_clients_add(env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "sirdab", "--stdio"]
    extra = [f"--clientProcessId={os.getpid()}", "--node-ipc", "--log=x"]
    async with spawned([*command, *extra], env) as client:
        await client.start(options=NOWHERE)
        await client.stop()
        assert await client.exit_code() == 0


@pytest.mark.parametrize("named_by", ["processId", "--clientProcessId"])
async def test_the_server_ends_when_its_editor_is_gone(env: dict[str, str], named_by: str) -> None:
    program = (sys.executable, "-c", "input()")
    editor = await asyncio.create_subprocess_exec(*program, stdin=subprocess.PIPE)
    command = [sys.executable, "-m", "sirdab", "--stdio"]
    try:
        argument = [f"--clientProcessId={editor.pid}"] if named_by.startswith("--") else []
        async with spawned([*command, *argument], env) as client:
            process_id = None if argument else editor.pid
            await client.start(options=NOWHERE, processId=process_id)
            # The watch begins in the loop's next turns; each answer takes at least one.
            for _ in range(3):
                await client.settle()
            # The pipes stay open: only the process tells.
            editor.kill()
            await editor.wait()
            assert await client.exit_code() == 0
    finally:
        if editor.returncode is None:
            editor.kill()
            await editor.wait()


async def test_an_editor_that_cannot_be_seen_from_here_is_not_watched(
    env: dict[str, str],
) -> None:
    async with spawned(env=env) as client:
        await client.start(options=NOWHERE, processId=2**22 + 12345)
        await asyncio.sleep(0.2)
        await client.stop()
        assert await client.exit_code() == 0


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
async def test_being_asked_to_terminate(env: dict[str, str]) -> None:
    async with spawned(env=env) as client:
        await client.start(options=NOWHERE)
        client.process.send_signal(signal.SIGTERM)
        assert await client.exit_code() == 0


async def test_nothing_but_the_protocol_gets_to_standard_output(env: dict[str, str]) -> None:
    # Trap 14. The client fails on any byte that is no message.
    noisy = """
import os, subprocess, sys
from sirdab.server import app
async def services(server):
    print("print")
    sys.__stdout__.write("dunder"); sys.__stdout__.flush()
    os.write(1, b"descriptor")
    os.system("echo shell")
    subprocess.run([sys.executable, "-c", "print('child'); input()"], check=False)
    return await app.real_services(server)
sys.exit(app.run_stdio(["--stdio"], services))
"""
    async with spawned([sys.executable, "-c", noisy], env) as client:
        client.ignored = {"window/logMessage"}
        await client.start(options=NOWHERE)
        client.open(URI, "x = ")
        await client.inline(URI, 0, 4)
        await client.stop()
        assert await client.exit_code() == 0
    for said in (b"print", b"dunder", b"descriptor", b"shell", b"child"):
        assert said in client.errors


async def test_garbage_between_messages(env: dict[str, str]) -> None:
    # Traps 5 and 6.
    async with spawned(env=env) as client:
        await client.start(options=NOWHERE)
        client.write_raw(b"Content-Length: 99999999999\r\n\r\n")
        client.write_raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.write_raw(b"Content-Length: nine\r\n\r\n")
        client.write_body(b"\xff\xfe")
        client.write_body(b"[" * 100_000)
        body = json.dumps({"jsonrpc": "2.0", "id": "low", "method": "no/such"}).encode()
        answer = client.expect("low")
        client.write_raw(b"content-length: %d\r\n\r\n" % len(body) + body)
        assert await client.error_of(answer) == -32601
        assert len(client.null_errors) >= 3
        assert {error["code"] for error in client.null_errors} <= {-32700, -32600}
        client.null_errors.clear()
        await client.stop()
        assert await client.exit_code() == 0


async def test_a_request_that_is_too_large_is_answered(env: dict[str, str]) -> None:
    async with spawned(env=env) as client:
        await client.start(options=NOWHERE)
        answer = client.expect("big")
        head = b'{"jsonrpc":"2.0","id":"big","method":"x","params":"'
        client.write_raw(b"Content-Length: %d\r\n\r\n" % (65 * 1024 * 1024) + head)
        for _ in range(65):
            client.write_raw(b"x" * 1024 * 1024)
        client.write_raw(b'"}')
        assert await client.error_of(answer) == -32600
        await client.settle()
        await client.stop()
        assert await client.exit_code() == 0


async def test_source_text_gets_into_no_log(env: dict[str, str], tmp_path: Path) -> None:
    # Trap 11, and faults of every kind on the way.
    async with spawned(env=env) as client:
        client.ignored = {"window/logMessage"}
        await client.start(options={**NOWHERE, "trace": "messages"})
        client.open(URI, f"{MARKER} = ")
        client.change(URI, 2, ((0, 0, 0, 0), MARKER))
        await client.inline(URI, 0, 4)
        bad = {"textDocument": {"uri": URI}, "contentChanges": [{"text": [MARKER]}]}
        client.notify("textDocument/didChange", bad)
        answer = client.begin("textDocument/inlineCompletion", {"textDocument": MARKER})
        assert await client.error_of(answer) == -32602
        client.write_body(b"{" + MARKER.encode())
        await client.settle()
        client.null_errors.clear()
        await client.stop()
        assert await client.exit_code() == 0
    logged = written(tmp_path)
    assert "textDocument/inlineCompletion answered" in logged
    assert MARKER not in logged
    assert MARKER.encode() not in client.errors


async def start_with(client: Spawned, fake: FakeLlamaCpp) -> None:
    options = {"endpoint": {"url": fake.url}, "completion": {"debounceMs": 0}}
    await client.start(options=options)
    client.open(URI, "def add(a, b):\n    return ")


async def test_a_completion_from_the_model_server(env: dict[str, str], tmp_path: Path) -> None:
    async with FakeLlamaCpp(answer=["a", " + b"]) as fake, spawned(env=env) as client:
        await start_with(client, fake)
        answer = await client.inline(URI, 1, 11)
        assert answer["items"][0]["insertText"] == "a + b"
        await client.until(lambda: client.statuses[-1]["state"] == "ready")
        await client.stop()
        assert await client.exit_code() == 0
    assert "return" not in written(tmp_path)


@pytest.mark.parametrize("how", ["cancelled", "superseded", "closed", "shut down"])
async def test_giving_up_reaches_the_model_servers_socket(env: dict[str, str], how: str) -> None:
    async with FakeLlamaCpp() as fake, spawned(env=env) as client:
        held = fake.hold_headers = asyncio.Event()
        await start_with(client, fake)
        answer = client.begin_inline(URI, 1, 11)
        await client.until(lambda: any(one.path == "/completion" for one in fake.requests))
        newer = None
        if how == "cancelled":
            client.cancel(answer)
            assert await client.error_of(answer) == -32800
        elif how == "superseded":
            newer = client.begin_inline(URI, 0, 14)
            assert await answer is None
        elif how == "closed":
            client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
            assert await answer is None
        else:
            await client.request("shutdown")
            assert await client.error_of(answer) == -32800
        await asyncio.wait_for(fake.hang_ups.wait(), 10)
        held.set()
        if newer is not None:
            assert (await newer)["items"]
        client.notify("exit")
        assert await client.exit_code() == (0 if how == "shut down" else 1)


async def test_a_model_server_that_is_down_is_told_once_and_is_no_error(
    env: dict[str, str],
) -> None:
    async with spawned(env=env) as client:
        client.ignored = {"window/logMessage"}
        await client.start(options=NOWHERE)
        client.open(URI, "def add(a, b):\n    return ")
        for _ in range(5):
            assert await client.inline(URI, 1, 11) is None
        states = [status["state"] for status in client.statuses]
        assert states.count("offline") == 1
        assert client.statuses[-1]["detail"] == "down"
        await client.stop()
        assert await client.exit_code() == 0


async def test_a_burst_of_typing_says_nothing_on_standard_error(env: dict[str, str]) -> None:
    # Work that is superseded before it begins is a coroutine that nobody awaits.
    async with FakeLlamaCpp() as fake, spawned(env=env) as client:
        await start_with(client, fake)
        answers: list[Any] = [client.begin_inline(URI, 1, 11) for _ in range(50)]
        results = [await answer for answer in answers]
        assert results[-1]["items"]
        assert results[:-1] == [None] * 49
        client.notify("\ud83d\nno/such", {})
        assert await client.error_of(client.begin("\ud83d\nno/such")) == -32601
        await client.stop()
        assert await client.exit_code() == 0
        assert client.errors == b""


async def test_a_thread_that_never_ends_does_not_keep_the_process(env: dict[str, str]) -> None:
    stuck = """
import asyncio, sys, time
from sirdab.server import app
async def services(server):
    server.spawn(asyncio.to_thread(time.sleep, 3600))
    return await app.real_services(server)
sys.exit(app.run_stdio(["--stdio"], services))
"""
    async with spawned([sys.executable, "-c", stuck], env) as client:
        await client.start(options=NOWHERE)
        await client.stop()
        assert await client.exit_code() == 0


async def test_many_requests_at_once_do_not_make_the_server_deaf(env: dict[str, str]) -> None:
    # Trap 10.
    async with FakeLlamaCpp() as fake, spawned(env=env) as client:
        held = fake.hold_headers = asyncio.Event()
        await start_with(client, fake)
        answers: list[Any] = []
        for number in range(40):
            uri = f"file:///{number}.py"
            client.open(uri, "def add(a, b):\n    return ")
            answers.append(client.begin_inline(uri, 1, 11))
        await client.settle()
        held.set()
        for answer in answers:
            await answer
        await client.stop()
        assert await client.exit_code() == 0
