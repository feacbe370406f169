"""Fetches the second real model server that the contract tests ask: vLLM, on the CPU.

    python scripts/prepare_second_server.py

It has an environment of its own in the user's cache directory, `sirdab/servers/vllm`, made of the
wheels in `requirements/second-server.txt` and nothing else, and a folder with the default model
in the format that it reads. What is there already is not fetched again. Where it cannot be had,
the reason is one sentence, and the tests that need it are skipped with it.

The lock holds one wheel of each package, for Linux on x86-64 and Python 3.11. Left out of what
vLLM asks for is what serving text does not need: torchvision, torchaudio, torchcodec, triton,
OpenCV and the tools for its authors' cloud.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import psutil

from sirdab.config.directories import cache_directory
from sirdab.models.catalog import default_model
from sirdab.models.errors import ModelError
from sirdab.models.store import find, find_model

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "second-server.txt"
CONVERTER = ROOT / "scripts" / "gguf_to_safetensors.py"

# Installed and converted it takes 3.6 GB, and the wheels lie beside that while they are unpacked.
_DISK_BYTES = 7 * 1024**3
# Served with a cache of 1 GiB it takes 4 GB; the rest of the machine needs some too.
_MEMORY_BYTES = 6 * 1024**3
_LONGEST_SECONDS = 1200
# Holds what a folder was made of, and is written last.
_NOTE = "made-of"


class LeftOutError(Exception):
    """The server cannot be had here; the message is one sentence that says why."""


def directory() -> Path:
    """Return where the server is, or would be."""
    return cache_directory() / "servers" / "vllm"


def python() -> Path:
    """Return the interpreter of its environment."""
    return directory() / "venv" / "bin" / "python"


def model() -> Path:
    """Return the folder with the model that it serves."""
    return directory() / "model"


def why_not() -> str:
    """Return why the server cannot be had here; "" when nothing speaks against it."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return "vLLM for the CPU is locked for Linux on x86-64 only."
    if sys.version_info[:2] != (3, 11):
        return "vLLM for the CPU is locked for Python 3.11 only."
    if "avx2" not in _cpu_flags():
        return "This processor has no AVX2, which vLLM needs."
    if psutil.virtual_memory().available < _MEMORY_BYTES:
        return f"vLLM needs {_MEMORY_BYTES // 1024**3} GiB of free memory."
    return ""


def is_ready() -> bool:
    """Whether the server and its model are there, made of what the lock says now."""
    try:
        return _has(python().parents[1], _wheels()) and _has(model(), _source())
    except LeftOutError:
        return False


def prepare(say: Callable[[str], None]) -> None:
    """Make sure that the server is there.

    Args:
        say: Tells a person what goes on.

    Raises:
        LeftOutError: It cannot be had.
    """
    reason = why_not()
    if reason:
        raise LeftOutError(reason)
    directory().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(directory() / "lock"):
        if is_ready():
            say(f"the second server is vLLM in {directory()}")
            return
        if shutil.disk_usage(directory()).free < _DISK_BYTES:
            raise LeftOutError(f"vLLM needs {_DISK_BYTES // 1024**3} GiB of free disk space.")
        source = _weights()
        started = time.monotonic()
        environment = python().parents[1]
        if not _has(environment, _wheels()):
            say(f"installing vLLM for the CPU into {directory()}, which takes some minutes")
            _run(
                "make its environment", [sys.executable, "-m", "venv", "--clear", str(environment)]
            )
            install = [str(python()), "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
            # Compiling 30,000 files ahead would take longer than reading the ones that are used.
            install += ["--no-compile", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)]
            _run("be installed from this machine's package index", install)
            _note(environment, _wheels())
        if not _has(model(), _source()):
            say(f"writing {source.name} as safetensors")
            shutil.rmtree(model(), ignore_errors=True)
            _run("read the model", [str(python()), str(CONVERTER), str(source), str(model())])
            _note(model(), _source())
        say(f"the second server is ready after {time.monotonic() - started:.0f} s")


def _has(folder: Path, made_of: str) -> bool:
    try:
        return (folder / _NOTE).read_text(encoding="utf-8") == made_of
    except OSError:
        return False


def _note(folder: Path, made_of: str) -> None:
    (folder / _NOTE).write_text(made_of, encoding="utf-8")


def _wheels() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _source() -> str:
    return f"{hashlib.sha256(CONVERTER.read_bytes()).hexdigest()} {_weights().name}"


def _weights() -> Path:
    named = os.environ.get("SIRDAB_TEST_MODEL")
    try:
        return find(named).path if named else find_model(default_model()).path
    except ModelError as error:
        raise LeftOutError(f"vLLM needs the model's file: {error.message}") from error


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return {word for line in lines if line.startswith("flags") for word in line.split()}


def _run(what: str, command: list[str]) -> None:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LeftOutError(f"vLLM could not {what} within {_LONGEST_SECONDS} s.") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise LeftOutError(f"vLLM could not {what}: {last[:200]}")


def main() -> int:
    """Prepare it; what keeps it from being there is said, and is no failure of ours."""

    def say(text: str) -> None:
        print(f"prepare: {text}", flush=True)

    try:
        prepare(say)
    except LeftOutError as error:
        say(f"WARNING: no second server: {error} Tests that need it are skipped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
