"""Runs the second real model server, vLLM on the CPU, for the tests that ask it.

`scripts/prepare_second_server.py` puts it on this machine; where it is not, the tests are skipped.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import filelock
import pytest

from scripts import prepare_second_server

MODEL = "qwen2.5-coder-0.5b-instruct"
KEY = "sesame"
CONTEXT = 2048

_LONGEST_START_SECONDS = 240
_POLL_SECONDS = 0.25


def require() -> None:
    """Skip the test where the server is not on this machine."""
    reason = prepare_second_server.why_not()
    if not reason and not prepare_second_server.is_ready():
        reason = "vLLM is not on this machine; run: python scripts/prepare_second_server.py"
    if reason:
        pytest.skip(reason)


@contextmanager
def second_server() -> Iterator[str]:
    """Run the server and give its address; one at a time on a machine, because it is large."""
    require()
    directory = prepare_second_server.directory()
    with filelock.FileLock(directory / "running"), tempfile.TemporaryFile() as log:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [
                str(prepare_second_server.python()),
                *("-m", "vllm.entrypoints.openai.api_server"),
                *("--model", str(prepare_second_server.model()), "--served-model-name", MODEL),
                *("--host", "127.0.0.1", "--port", str(port), "--api-key", KEY),
                *("--max-model-len", str(CONTEXT), "--max-num-seqs", "2", "--enforce-eager"),
                # A step that reads much of a prompt runs to its end when nobody waits any more.
                *("--max-num-batched-tokens", "256", "--enable-prompt-tokens-details"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={
                **os.environ,
                # It is asked for nothing but what it is told, and tells nobody.
                "HF_HUB_OFFLINE": "1",
                "VLLM_NO_USAGE_STATS": "1",
                "DO_NOT_TRACK": "1",
                "VLLM_CPU_KVCACHE_SPACE": "1",
                "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
            },
            # It starts processes of its own, which are to end with it.
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            if not _wait(url, process):
                log.seek(0)
                tail = log.read()[-2000:].decode("utf-8", "replace")
                pytest.fail(f"vLLM did not start:\n{tail}")
            yield url
        finally:
            _end(process)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + _LONGEST_START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(_POLL_SECONDS)
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and those it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
