"""Starts, joins and stops the embedded model server.

There is at most one engine for each user and model, shared by all editors. It runs in a process
of its own, because llama.cpp is native code that may crash or be killed for its memory, and an
editor's language server must outlive that.
"""

import asyncio
import contextlib
import http.client
import importlib.util
import os
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from filelock import Timeout

from sirdab.config.directories import STATE_ENV, log_directory
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.managed.engine import CACHE_RAM_MIB, ExitCode, Options
from sirdab.endpoint.managed.state import (
    ENGINE_MODULE,
    EngineState,
    Instance,
    engines_directory,
    instances,
    wait_for_end,
)
from sirdab.models.errors import ModelError
from sirdab.models.store import ModelFile, find, megabytes
from sirdab.policy.private import make_private_directory

CONTEXT_TOKENS = 8_192
"""Context of the engine: room for a review of a file of some 600 lines, several times what a
completion prompt needs. Its cache costs 96 MiB with the 0.5B model and 224 MiB with the 1.5B one,
whether or not it is used, which is why it is not the 32,768 tokens the models could hold."""

IDLE_S = 15 * 60.0
"""Seconds without a request after which the engine gives its memory back. Starting again takes
about as long as reading the first prompt anew."""

ORPHAN_S = 60.0
"""Seconds the engine waits for a next client after the last one ended: long enough for one
command line after the other to find it warm."""

_START_S = 120.0
_LOCK_S = _START_S + 30.0
_STOP_S = 8.0
_HEALTH_S = 3.0
_HEALTH_TRIES = 3
_POLL_S = 0.02
_KEPT_LOG_BYTES = 512 << 10

# Besides weights and caches llama.cpp needs buffers for computing, and Python is there too.
_OVERHEAD_BYTES = 200 << 20
_UNKNOWN_KV_BYTES = 65_536

Note = Callable[[str], None]

# Engines this process started. A `Popen` must be asked for the exit code, or a finished engine
# stays in the process table as long as we live.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class RunningServer:
    """An engine that answers.

    Attributes:
        url: Address without a slash at the end, always on 127.0.0.1.
        api_key: Key every request must carry (`Authorization: Bearer ...`); not shown.
        model_path: File of the weights.
        pid: Process.
        name: Name of the model, for a person and for the catalog.
    """

    url: str
    api_key: str = field(repr=False)
    model_path: Path
    pid: int
    name: str


async def ensure_running(
    model: str,
    *,
    on_progress: Note | None = None,
    port: int = 0,
    idle_s: float = IDLE_S,
    orphan_s: float = ORPHAN_S,
) -> RunningServer:
    """Return the engine that serves a model, starting it when there is none.

    Safe to call from several processes at once, and again after the engine died.

    Args:
        model: "auto", a name of the catalog, or the absolute path of a GGUF file.
        on_progress: Is told in one sentence what takes time, in the caller's event loop.
        port: Port on loopback for an engine that is started; 0 for a random free one.
        idle_s: Seconds without a request after which an engine that is started ends.
        orphan_s: Seconds without a client after which it ends.

    Raises:
        EndpointError: The engine or the model is not installed, or it cannot be started; the
            message says why and what to do.
    """
    loop = asyncio.get_running_loop()
    abandoned = threading.Event()

    def note(text: str) -> None:
        if on_progress is not None and not abandoned.is_set():
            loop.call_soon_threadsafe(on_progress, text)

    def work() -> RunningServer:
        found = _model_file(model, note)
        return _Starter(found, port, idle_s, orphan_s, note, abandoned).ensure()

    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        # The thread goes on; it looks at this and ends what it has begun.
        abandoned.set()
        raise


def running() -> list[RunningServer]:
    """Return the engines of this user that are alive on this machine."""
    found = [(instance, instance.read()) for instance in instances()]
    return [_running(state) for _, state in found if state is not None and state.is_alive()]


def stop(server: RunningServer) -> None:
    """End an engine, politely first, and wait until it is gone.

    Raises:
        EndpointError: Another process is starting or ending it just now.
    """
    instance = Instance.of(server.model_path)
    try:
        with instance.lock(_STOP_S):
            state = instance.read()
            if state is not None and state.pid == server.pid:
                _end(instance, state)
    except Timeout as error:
        raise EndpointError(
            ProblemKind.DOWN, "The embedded server is busy starting or ending; try again."
        ) from error
    instance.drop_lease()


def leave(server: RunningServer) -> None:
    """Say that this process no longer uses an engine; it ends when nobody does."""
    Instance.of(server.model_path).drop_lease()


def stay(server: RunningServer) -> None:
    """Say that this process still uses an engine, so that it does not end for being idle."""
    with contextlib.suppress(OSError):
        Instance.of(server.model_path).take_lease()


def other_clients(server: RunningServer) -> int:
    """Return how many other processes use an engine."""
    return len(set(Instance.of(server.model_path).living_leases()) - {os.getpid()})


def state_file(server: RunningServer) -> Path:
    """Return the file that holds the engine's address and key, readable by the user alone."""
    return Instance.of(server.model_path).state_path


@dataclass(frozen=True, slots=True)
class _Starter:
    """One attempt to join or start the engine of one model; runs in a thread."""

    model: ModelFile
    port: int
    idle_s: float
    orphan_s: float
    note: Note
    abandoned: threading.Event

    def ensure(self) -> RunningServer:
        try:
            instance = Instance.of(self.model.path)
            self._leave_others(instance)
            with instance.lock(_LOCK_S):
                state = self._joinable(instance) or self._start(instance)
                # Inside the lock, so that the engine cannot leave before it knows of us.
                instance.take_lease()
                return _running(state)
        except Timeout as error:
            raise EndpointError(
                ProblemKind.TIMEOUT,
                "Another process has been starting the embedded server for too long; "
                "close other editors and try again.",
            ) from error
        except OSError as error:
            place = error.filename or engines_directory()
            raise EndpointError(
                ProblemKind.DOWN,
                f"The embedded server cannot keep its state in {place} "
                f"({error.strerror or error}); make it writable or set {STATE_ENV} to another "
                "directory.",
            ) from error

    def _leave_others(self, instance: Instance) -> None:
        """Release the model used before, so that two do not stay in memory."""
        for other in instances():
            if other.key != instance.key:
                other.drop_lease()

    def _joinable(self, instance: Instance) -> EngineState | None:
        state = instance.read()
        if state is None or not _is_alive(state):
            instance.forget()
            return None
        if not any(_answers(state) for _ in range(_HEALTH_TRIES)):
            self.note("The embedded server does not answer; starting it again.")
            _end(instance, state)
            return None
        if self.port and urllib.parse.urlsplit(state.url).port != self.port:
            raise EndpointError(
                ProblemKind.REFUSED,
                f"The embedded server already runs at {state.url}; "
                "leave out --port to join it, or stop what uses it.",
            )
        return state

    def _start(self, instance: Instance) -> EngineState:
        _require_engine()
        self._require_memory()
        if self.abandoned.is_set():
            raise EndpointError(ProblemKind.DOWN, "The start was given up.")
        self.note(f"Starting the embedded server with {self.model.name}.")
        context = min(CONTEXT_TOKENS, self.model.context_tokens or CONTEXT_TOKENS)
        options = Options(
            instance,
            self.model.path,
            self.model.name,
            context,
            self.port,
            self.idle_s,
            self.orphan_s,
        )
        # Its own lease, or an engine that starts slowly would think nobody wants it.
        instance.take_lease()
        child = _spawn(options)
        ready = False
        try:
            state = self._await(instance, child)
            ready = True
            return state
        finally:
            if not ready:
                _kill(child)
                instance.forget()
                instance.drop_lease()

    def _await(self, instance: Instance, child: subprocess.Popen[bytes]) -> EngineState:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and not self.abandoned.is_set():
            code = child.poll()
            if code is not None:
                raise self._failure(code, instance)
            # Nobody else writes it while we hold the lock. Its process need not be `child`: on
            # Windows the Python of a virtual environment starts another one.
            state = instance.read()
            if state is not None and _answers(state):
                return state
            time.sleep(_POLL_S)
        raise EndpointError(
            ProblemKind.TIMEOUT,
            f"The embedded server was not ready after {_START_S:.0f} s; "
            f"its log is {instance.log_path}.",
        )

    def _failure(self, code: int, instance: Instance) -> EndpointError:
        log = f"its log is {instance.log_path}"
        if code == ExitCode.NOT_INSTALLED:
            return _not_installed()
        if code == ExitCode.MODEL_REFUSED:
            return EndpointError(
                ProblemKind.REFUSED,
                f"llama.cpp could not load {self.model.path}; choose another model, or see why: "
                f"{log}.",
            )
        if code == ExitCode.PORT_TAKEN:
            return EndpointError(
                ProblemKind.REFUSED,
                f"Port {self.port} is taken by another program; choose another one with --port.",
            )
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return EndpointError(
            ProblemKind.DOWN, f"The embedded server ended while starting ({how}); {log}."
        )

    def _require_memory(self) -> None:
        context = min(CONTEXT_TOKENS, self.model.context_tokens or CONTEXT_TOKENS)
        cache = context * (self.model.kv_bytes_per_token or _UNKNOWN_KV_BYTES)
        # The cache of other prompts grows only with use, so it is not counted here.
        needed = self.model.size_bytes + cache + _OVERHEAD_BYTES
        free = psutil.virtual_memory().available
        if free < needed:
            raise EndpointError(
                ProblemKind.REFUSED,
                f"There is not enough free memory for {self.model.name}: it needs about "
                f"{megabytes(needed)} (up to {megabytes(needed + (CACHE_RAM_MIB << 20))} with "
                f"use) and {megabytes(free)} is free; close something or choose a smaller model.",
            )


def _model_file(model: str, note: Note) -> ModelFile:
    note("Looking for the model.")
    try:
        found = find(model)
    except ModelError as error:
        raise EndpointError(ProblemKind.NOT_INSTALLED, error.message) from error
    if found.reason:
        note(found.reason)
    return found


def _require_engine() -> None:
    # The engine runs in the same Python, so what is found here is found there.
    if importlib.util.find_spec("xllamacpp") is None:
        raise _not_installed()


def _not_installed() -> EndpointError:
    from sirdab.config import installation

    return EndpointError(
        ProblemKind.NOT_INSTALLED,
        f"The embedded engine is not installed; {installation.find().embedded_advice}",
    )


def _spawn(options: Options) -> subprocess.Popen[bytes]:
    # -P keeps the current directory off the module path, and the current directory is set to
    # our own: a workspace must not be able to slip a module into the engine.
    command = [sys.executable, "-P", "-m", ENGINE_MODULE, *options.arguments()]
    log = _open_log(options.instance.log_path)
    try:
        child = subprocess.Popen(  # noqa: S603 - our own module with our own arguments
            command,
            cwd=options.instance.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=True,
            # A Ctrl-C in the terminal, or an editor that ends its children, must not take an
            # engine along that others use.
            start_new_session=os.name == "posix",
            creationflags=_windows_flags(),
        )
    finally:
        os.close(log)
    _children.append(child)
    return child


def _windows_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def _open_log(path: Path) -> int:
    """Open a log for appending, moving it aside first when it has grown."""
    make_private_directory(log_directory())
    if path.exists() and path.stat().st_size > _KEPT_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _is_alive(state: EngineState) -> bool:
    _reap()
    return state.is_alive()


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def _answers(state: EngineState) -> bool:
    """Whether the engine says that it is ready.

    `http.client` knows no proxies and follows no redirects, which is all that is wanted here.
    """
    address = urllib.parse.urlsplit(state.url)
    if address.hostname != "127.0.0.1" or not address.port:
        return False
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=_HEALTH_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(instance: Instance, state: EngineState) -> None:
    """End an engine whose lock is held."""
    instance.forget(state.pid)
    if not state.is_alive():
        return
    try:
        process = psutil.Process(state.pid)
        process.terminate()
        if not wait_for_end(state, _STOP_S):
            process.kill()
            wait_for_end(state, _STOP_S)
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied as error:
        raise EndpointError(
            ProblemKind.REFUSED, f"The embedded server (process {state.pid}) cannot be ended."
        ) from error
    finally:
        _reap()


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.kill()
    child.wait()
    _reap()


def _running(state: EngineState) -> RunningServer:
    return RunningServer(
        url=state.url,
        api_key=state.api_key,
        model_path=Path(state.model_path),
        pid=state.pid,
        name=state.name,
    )
