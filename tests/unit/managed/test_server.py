"""Why the embedded server cannot be started, in sentences; no engine is started here."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from sirdab.config import installation
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.managed import engine, server
from sirdab.endpoint.managed.engine import Options
from sirdab.endpoint.managed.state import EngineState, Instance
from tests.support.gguf import gguf


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that looks like a model and holds no weights; nothing of the user's is seen."""
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SIRDAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf())
    return path


async def refused(model: str | Path, *, port: int = 0) -> EndpointError:
    with pytest.raises(EndpointError) as error:
        await server.ensure_running(str(model), port=port)
    assert "\n" not in error.value.message
    assert server.running() == []
    return error.value


async def test_a_model_that_is_not_here() -> None:
    problem = await refused("qwen2.5-coder-0.5b")
    assert problem.kind is ProblemKind.NOT_INSTALLED
    assert problem.message == (
        "Model qwen2.5-coder-0.5b is not on this machine (491 MB); "
        "run: sirdab model pull qwen2.5-coder-0.5b"
    )


async def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "text.gguf"
    path.write_text("hello")
    problem = await refused(path)
    assert problem.kind is ProblemKind.NOT_INSTALLED
    assert "is not a usable GGUF model file" in problem.message


async def test_without_the_extra(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.importlib.util, "find_spec", lambda _name: None)
    problem = await refused(model)
    assert problem.kind is ProblemKind.NOT_INSTALLED
    advice = installation.find().embedded_advice
    assert problem.message == f"The embedded engine is not installed; {advice}"


async def test_without_memory(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        server.psutil, "virtual_memory", lambda: SimpleNamespace(available=50_000_000)
    )
    problem = await refused(model)
    assert "not enough free memory for Tiny" in problem.message
    assert "50 MB is free" in problem.message


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (10, "is not installed"),
        (11, "llama.cpp could not load"),
        (12, "Port 8012 is taken"),
        (1, "ended while starting (exit code 1); its log is"),
        (-9, "ended while starting (signal 9); its log is"),
    ],
)
async def test_every_way_an_engine_can_end_has_its_sentence(
    model: Path, monkeypatch: pytest.MonkeyPatch, code: int, sentence: str
) -> None:
    end = f"os.kill(os.getpid(), {-code})" if code < 0 else f"sys.exit({code})"

    def spawn(options: Options) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", f"import os, sys; {end}"])

    monkeypatch.setattr(server, "_spawn", spawn)
    problem = await refused(model, port=8012)
    assert sentence in problem.message
    instance = Instance.of(model)
    assert instance.living_leases() == {}
    assert not instance.state_path.exists()


async def test_a_directory_that_cannot_be_made(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "file" / "state"))
    problem = await refused(model)
    assert "set SIRDAB_STATE_DIR to another directory" in problem.message


async def test_the_state_of_a_dead_engine_is_forgotten(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = Instance.of(model)
    for pid in (os.getpid(), 2**22 + 1):
        # A number that another process has now, and one that nobody has.
        instance.write(EngineState(pid, 1.0, "http://127.0.0.1:1", "key", str(model), "tiny"))
        assert server.running() == []
        monkeypatch.setattr(server.importlib.util, "find_spec", lambda _name: None)
        await refused(model)
        assert not instance.state_path.exists()
    assert psutil.pid_exists(os.getpid())


def test_the_command_line_says_what_it_was_given(tmp_path: Path) -> None:
    instance = Instance(tmp_path, "k")
    options = Options(instance, tmp_path / "-m odd.gguf", "--name", 512, 8012, 1.5, 2.5)
    assert engine.parse(options.arguments()) == options


def test_threads_are_never_more_than_the_cores_this_process_may_use() -> None:
    threads = engine.compute_threads()
    assert 1 <= threads <= (psutil.cpu_count() or 1)
