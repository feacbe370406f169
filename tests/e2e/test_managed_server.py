"""The embedded server with the real llama.cpp and the real model.

Every test has state of its own and ends the engines it started.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sirdab.endpoint.base import EndpointError
from sirdab.endpoint.managed import server
from sirdab.endpoint.managed.server import RunningServer, ensure_running
from sirdab.endpoint.managed.state import ENGINE_MODULE, Instance

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(180)]

# One process that uses the engine: says where it is, and ends when its input does.
CLIENT = """
import asyncio, json, sys
from sirdab.endpoint.managed.server import ensure_running
running = asyncio.run(ensure_running(sys.argv[1], orphan_s=float(sys.argv[2])))
print(json.dumps([running.pid, running.url]), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """State of the test's own, and no engine left behind."""
    pytest.importorskip("xllamacpp", reason="the embedded extra is not installed")
    directory = tmp_path / "state"
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(directory))
    yield directory
    for process in engines(directory):
        process.kill()
        process.wait(10)


def engines(directory: Path) -> list[psutil.Process]:
    """The engine processes whose files are in a directory."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if ENGINE_MODULE in command and f"--directory={directory / 'engines'}" in command:
                found.append(process)
        except psutil.Error:
            continue
    return found


def ask(running: RunningServer, path: str, *, key: str | None, body: Any = None) -> tuple[int, Any]:
    """Send a request without any proxy; returns the status and the answer."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(running.url + path, data=data, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the test's own time limit is the only one."""
    while not condition():
        time.sleep(0.05)


def client(model: Path, orphan_s: float = 60.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(model), str(orphan_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def finish(process: subprocess.Popen[str]) -> None:
    with process:
        pass


async def test_starts_answers_and_stops(real_model_path: Path, state: Path) -> None:
    told: list[str] = []
    running = await ensure_running(str(real_model_path), on_progress=told.append)
    assert any(line.startswith("Starting the embedded server with ") for line in told)
    assert running.url.startswith("http://127.0.0.1:")
    assert running.model_path == real_model_path
    assert server.running() == [running]

    asked = {"prompt": "def add(a, b):\n    return a +", "n_predict": 4, "temperature": 0}
    status, answer = ask(running, "/completion", key=running.api_key, body=asked)
    assert status == 200
    assert answer["content"].startswith(" b")

    status, props = ask(running, "/props", key=running.api_key)
    assert status == 200
    assert props["default_generation_settings"]["n_ctx"] == server.CONTEXT_TOKENS
    assert props["total_slots"] == 1
    assert props["model_alias"] == running.name

    server.stop(running)
    assert server.running() == []
    assert engines(state) == []
    assert not Instance.of(real_model_path).state_path.exists()


async def test_only_who_has_the_key_is_answered(real_model_path: Path, state: Path) -> None:
    running = await ensure_running(str(real_model_path))
    for path in ("/props", "/slots", "/metrics"):
        assert ask(running, path, key=None)[0] == 401, path
        assert ask(running, path, key="wrong")[0] == 401, path
    body = {"prompt": "x", "n_predict": 1}
    assert ask(running, "/completion", key=None, body=body)[0] == 401
    assert ask(running, "/completion", key=running.api_key, body=body)[0] == 200

    # Nobody else learns the key: not from the process list, not from a log.
    (process,) = engines(state)
    shown = [*process.cmdline(), *process.environ().values()]
    shown += [path.read_text(errors="replace") for path in (state / "log").iterdir()]
    assert not any(running.api_key in text for text in shown)
    if os.name == "posix":
        assert server.state_file(running).stat().st_mode & 0o777 == 0o600
    # And the log tells no text of a prompt.
    secret = {"prompt": "password = 'hunter2-in-the-prompt'", "n_predict": 1}
    assert ask(running, "/completion", key=running.api_key, body=secret)[0] == 200
    logs = [path.read_text(errors="replace") for path in (state / "log").iterdir()]
    assert not any("hunter2" in text for text in logs)


async def test_several_callers_at_once_get_one_engine(real_model_path: Path, state: Path) -> None:
    others = [client(real_model_path) for _ in range(3)]
    mine = await asyncio.gather(*(ensure_running(str(real_model_path)) for _ in range(3)))
    found = {(running.pid, running.url) for running in mine}
    found |= {tuple(first_line(other)) for other in others}
    assert len(found) == 1
    assert len(engines(state)) == 1
    assert server.other_clients(mine[0]) == 3
    for other in others:
        finish(other)
    assert server.other_clients(mine[0]) == 0


async def test_a_killed_engine_is_started_again(real_model_path: Path, state: Path) -> None:
    first = await ensure_running(str(real_model_path))
    psutil.Process(first.pid).kill()
    second = await ensure_running(str(real_model_path))
    assert second.pid != first.pid
    assert second.api_key != first.api_key
    assert ask(second, "/props", key=second.api_key)[0] == 200
    assert [process.pid for process in engines(state)] == [second.pid]


@pytest.mark.skipif(os.name != "posix", reason="stopping a process is POSIX's")
async def test_an_engine_that_no_longer_answers_is_replaced(
    real_model_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_HEALTH_S", 0.3)
    monkeypatch.setattr(server, "_STOP_S", 0.5)
    first = await ensure_running(str(real_model_path))
    os.kill(first.pid, signal.SIGSTOP)
    # Its threads stop one after the other, and one that still runs would answer.
    until(lambda: psutil.Process(first.pid).status() == psutil.STATUS_STOPPED)
    told: list[str] = []
    second = await ensure_running(str(real_model_path), on_progress=told.append)
    assert second.pid != first.pid
    assert any("does not answer" in line for line in told)
    assert [process.pid for process in engines(state)] == [second.pid]


async def test_an_engine_ends_when_it_is_idle(real_model_path: Path, state: Path) -> None:
    await ensure_running(str(real_model_path), idle_s=2.0)
    until(lambda: not engines(state))
    assert server.running() == []
    again = await ensure_running(str(real_model_path))
    assert server.running() == [again]


async def test_an_engine_that_is_used_is_not_idle(real_model_path: Path, state: Path) -> None:
    running = await ensure_running(str(real_model_path), idle_s=3.0)
    body = {"prompt": "x = ", "n_predict": 2}
    end = time.monotonic() + 9.0
    while time.monotonic() < end:
        assert ask(running, "/completion", key=running.api_key, body=body)[0] == 200
        await asyncio.sleep(0.3)
    assert [process.pid for process in engines(state)] == [running.pid]


def test_an_engine_ends_when_its_clients_have(real_model_path: Path, state: Path) -> None:
    one, two = client(real_model_path, 0.5), client(real_model_path, 0.5)
    (pid, _), (other, _) = first_line(one), first_line(two)
    assert pid == other
    # However a client ends.
    one.kill()
    finish(one)
    time.sleep(3)
    assert [process.pid for process in engines(state)] == [pid], "the other one still uses it"
    finish(two)
    until(lambda: not engines(state))
    assert not list((state / "engines").glob("*.json"))


async def test_an_engine_whose_place_was_taken_ends(real_model_path: Path, state: Path) -> None:
    first = await ensure_running(str(real_model_path))
    server.state_file(first).unlink()
    second = await ensure_running(str(real_model_path))
    assert second.pid != first.pid
    until(lambda: [process.pid for process in engines(state)] == [second.pid])
    assert server.running() == [second]


async def test_a_cancelled_start_leaves_no_engine(real_model_path: Path, state: Path) -> None:
    task = asyncio.create_task(ensure_running(str(real_model_path)))
    await asyncio.to_thread(until, lambda: bool(engines(state)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    until(lambda: not engines(state))
    assert server.running() == []
    assert (await ensure_running(str(real_model_path))).url


async def test_a_taken_port_and_a_chosen_one(real_model_path: Path, state: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EndpointError, match=f"Port {port} is taken"):
            await ensure_running(str(real_model_path), port=port)
    running = await ensure_running(str(real_model_path), port=port)
    assert running.url == f"http://127.0.0.1:{port}"
    with pytest.raises(EndpointError, match="already runs at"):
        await ensure_running(str(real_model_path), port=port - 1)


def test_a_file_that_only_llama_cpp_can_refuse(real_model_path: Path, tmp_path: Path) -> None:
    # The header is whole and the last tensor begins inside the file, but does not end there.
    broken = tmp_path / "broken.gguf"
    shutil.copyfile(real_model_path, broken)
    os.truncate(broken, broken.stat().st_size - 1000)
    with pytest.raises(EndpointError, match=r"llama\.cpp could not load .*broken\.gguf"):
        asyncio.run(ensure_running(str(broken)))


def test_a_module_in_the_workspace_is_not_run(
    real_model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    for name in ("xllamacpp", "psutil", "sirdab", "argparse"):
        (workspace / f"{name}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'w').close(); raise SystemExit"
        )
    monkeypatch.chdir(workspace)
    running = asyncio.run(ensure_running(str(real_model_path)))
    assert ask(running, "/props", key=running.api_key)[0] == 200
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_serve_runs_in_the_foreground_and_ends_cleanly(real_model_path: Path, state: Path) -> None:
    command = [sys.executable, "-m", "sirdab", "serve", "--model", str(real_model_path)]
    # A shell makes what it starts in the background ignore Ctrl-C, and that is inherited.
    listening = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, listening)
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        assert lines[0].startswith("Started the embedded server with ")
        assert lines[1].startswith("Address:  http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0
    assert "The embedded server has ended." in out
    assert "Traceback" not in err
    assert engines(state) == []
