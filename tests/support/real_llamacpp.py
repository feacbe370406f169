"""Runs the real llama.cpp server on a model file, in a process of its own.

A test that asks for it is skipped where the extra `embedded` is not installed.
"""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

KEY = "sesame"

# A native crash or a stuck thread of the engine must not be ours, hence a process of its own. It
# ends when its standard input does, that is, with us.
ENGINE = """
import os, sys
from xllamacpp import CommonParams, Server

parameters = CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.api_keys = [sys.argv[2]]
parameters.n_parallel = int(sys.argv[3])
parameters.n_ctx = 2048 * parameters.n_parallel
parameters.n_batch = parameters.n_ubatch = int(sys.argv[4])
parameters.ui = parameters.warmup = False
parameters.endpoint_slots = parameters.endpoint_props = parameters.endpoint_metrics = True
server = Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
"""


@contextmanager
def engine(model: Path, slots: int, *, batch_tokens: int = 256) -> Generator[str]:
    """Run an engine that wants the key `KEY`, and give its address."""
    pytest.importorskip("xllamacpp", reason="the extra `embedded` is not installed")
    process = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(model), KEY, str(slots), str(batch_tokens)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Idle threads of OpenMP otherwise spin and slow down everything beside them.
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "the engine ended before it listened"
        yield url
    finally:
        process.kill()
        process.communicate()
