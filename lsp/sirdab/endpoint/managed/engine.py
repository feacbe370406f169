"""The engine process: llama.cpp's own HTTP server, on loopback, for this user alone.

Run as `python -m sirdab.endpoint.managed.engine` by `sirdab.endpoint.managed.server`, with its
output going to a log file. It makes its own API key and tells it only through the state file, so
that the key is in no command line and no environment.

It ends when told (SIGTERM), when no process that uses it is left, when nobody asked it anything
for a while, and when another engine has taken its place.
"""

import argparse
import contextlib
import os
import secrets
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import psutil
from filelock import Timeout

from sirdab.endpoint.managed.state import EngineState, Instance, own_creation_time

BATCH_TOKENS = 256
"""A batch runs to its end even when the client has gone, so its size is how long a keystroke may
wait: 0.9 s after an abort instead of 10 s with the default, at the same reading speed."""

CACHE_RAM_MIB = 512
"""Prompts of other documents that are kept readable at once, instead of the default 8 GiB: with
2,000 tokens a document about twenty of them for the 0.5B model and nine for the 1.5B model."""

DRAFT_AFTER_TOKENS = 5
"""So many tokens must have stood in the prompt before for what followed them to be tried."""

DRAFT_TOKENS = 12
"""So many tokens are tried at once. Written 1.15 times as fast with the 0.5B model and 1.06 times
with the 1.5B one, with the same answers; shorter beginnings are quicker, and change answers."""

_READ_TIMEOUT_S = 600
_TICK_S = 1.0
_COUNTER_EVERY_S = 10.0
_CLOSING_S = 5.0
_MAX_LOG_BYTES = 2 << 20

# Levels of llama.cpp's log: 1 errors, 2 warnings, 3 information. Nothing above warnings is
# kept, because more would one day show text of prompts.
_VERBOSITY = 2


class ExitCode(IntEnum):
    """Why the engine ended; its starter makes a sentence of it."""

    OK = 0
    FAILED = 1
    NOT_INSTALLED = 10
    MODEL_REFUSED = 11
    PORT_TAKEN = 12


class NativeServer(Protocol):
    """The part of `xllamacpp.Server` that is used here."""

    @property
    def listening_address(self) -> str:
        """URL of the listening socket."""
        ...

    def handle_metrics(self) -> str:
        """Return counters in Prometheus' text format."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """How the engine was started.

    Attributes:
        instance: Files it shares with its clients.
        model: File of the weights.
        name: Name the server gives the model.
        context_tokens: Size of the context.
        port: Port on loopback; 0 for a random free one.
        idle_s: Seconds without a request after which it ends.
        orphan_s: Seconds without a client after which it ends.
    """

    instance: Instance
    model: Path
    name: str
    context_tokens: int
    port: int
    idle_s: float
    orphan_s: float

    def arguments(self) -> list[str]:
        """Return the command line that `parse` reads."""
        values = {
            "--directory": self.instance.directory,
            "--key": self.instance.key,
            "--model": self.model,
            "--name": self.name,
            "--context": self.context_tokens,
            "--port": self.port,
            "--idle": self.idle_s,
            "--orphan": self.orphan_s,
        }
        return [f"{option}={value}" for option, value in values.items()]


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="sirdab-engine")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--idle", type=float, required=True)
    parser.add_argument("--orphan", type=float, required=True)
    known = parser.parse_args(arguments)
    return Options(
        Instance(known.directory, known.key),
        known.model,
        known.name,
        known.context,
        known.port,
        known.idle,
        known.orphan,
    )


def compute_threads() -> int:
    """Return how many threads compute best: the physical cores this process may use.

    Hyper-threads share the units that multiply, and more threads than cores wait for each other.
    """
    logical = psutil.cpu_count() or 1
    allowed = [psutil.cpu_count(logical=False) or logical]
    with contextlib.suppress(AttributeError, psutil.Error):
        # Not on macOS, where a process cannot be bound to cores.
        allowed.append(len(psutil.Process().cpu_affinity()))
    with contextlib.suppress(OSError, ValueError):
        # A container's share (cgroup v2, cpu.max: "QUOTA PERIOD" in microseconds).
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        allowed.append(int(quota) // int(period))
    return max(1, min(allowed))


def start(options: Options, api_key: str) -> NativeServer:
    """Load the model and listen.

    Raises:
        ImportError: The `embedded` extra is not installed.
        RuntimeError: llama.cpp refused the model or the port.
    """
    params = parameters(options, api_key)
    import xllamacpp  # pyright: ignore[reportMissingTypeStubs]

    library: Any = xllamacpp
    return library.Server(params)


def parameters(options: Options, api_key: str) -> Any:
    """Return llama.cpp's parameters; `bench/engine_options.py` measures what they are worth.

    Raises:
        ImportError: The `embedded` extra is not installed.
    """
    # OpenMP's threads spin while they wait, unless told before the library is loaded; two
    # engines on the same cores then take 6 s to start instead of 0.8 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp  # pyright: ignore[reportMissingTypeStubs]

    library: Any = xllamacpp
    params = library.CommonParams()
    params.model.path = str(options.model)
    params.model_alias = {options.name}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.api_keys = [api_key]
    # The default tells every web page's origin that it is welcome.
    params.cors_origins = "http://127.0.0.1"
    params.offline = True
    params.ui = False
    params.endpoint_slots = True
    params.endpoint_metrics = True
    params.timeout_read = _READ_TIMEOUT_S
    params.timeout_write = _READ_TIMEOUT_S
    params.verbosity = _VERBOSITY
    params.warmup = True
    params.n_parallel = 1
    params.n_ctx = options.context_tokens
    params.n_batch = BATCH_TOKENS
    params.n_ubatch = BATCH_TOKENS
    params.cache_ram_mib = CACHE_RAM_MIB
    params.cpuparams.n_threads = compute_threads()
    params.cpuparams_batch.n_threads = compute_threads()
    _draft_from_prompt(params, library)
    return params


def _draft_from_prompt(params: Any, library: Any) -> None:
    """Have what followed the same tokens earlier in the prompt checked in one go.

    Code repeats itself, so several tokens are often written at the price of one; the answers are
    the same ones (`bench/results/engine_options.md`).
    """
    speculative = params.speculative
    speculative.types = [library.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
    speculative.ngram_simple.size_n = DRAFT_AFTER_TOKENS
    speculative.ngram_simple.size_m = DRAFT_TOKENS


def watch(options: Options, server: NativeServer, told: threading.Event) -> None:
    """Return when the engine should end, having made sure that nobody is joining it."""
    instance = options.instance
    last_use = last_client = time.time()
    counter, next_counter = "", 0.0
    while not told.wait(_TICK_S):
        now = time.time()
        clients = instance.living_leases()
        if clients:
            last_client = now
            last_use = max(last_use, *clients.values())
        if time.monotonic() >= next_counter:
            next_counter = time.monotonic() + min(_COUNTER_EVERY_S, options.idle_s / 4)
            seen = _activity(server)
            last_use, counter = (now, seen) if seen != counter else (last_use, counter)
            _bound_log()
        state = instance.read()
        if state is None or state.pid != os.getpid():
            return
        idle = now - last_use > options.idle_s
        orphaned = now - last_client > options.orphan_s
        if (idle or orphaned) and _leave(instance, last_use if idle else 0.0):
            return


def _leave(instance: Instance, since: float) -> bool:
    """Give the state file up unless a client gave a sign of life after `since`."""
    with contextlib.suppress(Timeout), instance.lock(0):
        if any(seen > since for seen in instance.living_leases().values()):
            return False
        instance.forget(os.getpid())
        return True
    return False


def _activity(server: NativeServer) -> str:
    """Return text that changes whenever the server has computed or is computing something."""
    wanted = ("llamacpp:n_decode_total ", "llamacpp:requests_processing ")
    lines = [line for line in server.handle_metrics().splitlines() if line.startswith(wanted)]
    busy = not lines[-1].endswith(" 0") if lines else False
    return f"{lines} {time.monotonic() if busy else ''}"


def _bound_log() -> None:
    """Empty the log when it has grown too large; it is open for appending, so this is safe."""
    with contextlib.suppress(OSError, ValueError):
        status = os.fstat(1)
        if stat.S_ISREG(status.st_mode) and status.st_size > _MAX_LOG_BYTES:
            os.ftruncate(1, 0)


def _port_is_taken(port: int) -> bool:
    if port == 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            # Without this a port that was closed a moment ago looks taken; on Windows it
            # would mean that a taken one can be shared.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _say(text: str) -> None:
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    sys.stderr.write(f"{stamp} engine {os.getpid()}: {text}\n")
    sys.stderr.flush()


def run(options: Options) -> ExitCode:
    """Serve until the end; every way to end has its code."""
    told = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, tell)
    signal.signal(signal.SIGINT, tell)
    if _port_is_taken(options.port):
        return ExitCode.PORT_TAKEN
    api_key = secrets.token_urlsafe(32)
    _say(f"loading {options.model}")
    try:
        server = start(options, api_key)
    except ImportError as error:
        _say(f"xllamacpp cannot be loaded: {error}")
        return ExitCode.NOT_INSTALLED
    except RuntimeError as error:
        _say(f"llama.cpp did not start: {error}")
        return ExitCode.PORT_TAKEN if _port_is_taken(options.port) else ExitCode.MODEL_REFUSED
    options.instance.write(
        EngineState(
            pid=os.getpid(),
            created=own_creation_time(),
            url=server.listening_address.rstrip("/"),
            api_key=api_key,
            model_path=str(options.model),
            name=options.name,
        )
    )
    _say(f"listening on {server.listening_address}")
    try:
        watch(options, server, told)
    finally:
        options.instance.forget(os.getpid())
        _say("ending")
        _close_within(_CLOSING_S)
        del server
    return ExitCode.OK


def _close_within(seconds: float) -> None:
    """End the process by force if closing llama.cpp takes too long; a batch may be running."""

    def force() -> None:
        os._exit(ExitCode.OK)

    timer = threading.Timer(seconds, force)
    timer.daemon = True
    timer.start()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the engine and return its exit code."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        return run(options)
    except Exception as error:  # noqa: BLE001 - the log gets one line whatever happens
        _say(f"failed: {type(error).__name__}: {error}")
        options.instance.forget(os.getpid())
        return ExitCode.FAILED


if __name__ == "__main__":
    sys.exit(main())
