"""What the processes that share one engine know of each other, as files.

For each model there is one *instance*: a lock file, a state file that says where the engine
listens, and a directory with one lease for each process that uses it. Everything is readable
by the user alone, because the state file holds the engine's API key.

Whoever starts, joins or ends an engine holds the lock, so an engine cannot leave while somebody
joins it.
"""

import contextlib
import hashlib
import json
import os
import platform
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import psutil
from filelock import FileLock

from sirdab.config.directories import log_directory, state_directory
from sirdab.policy.private import make_private_directory

ENGINE_MODULE = "sirdab.endpoint.managed.engine"

# psutil derives the time a process began from the time the machine booted, which moves a
# little when the clock is set.
_CLOCK_SLACK_S = 2.0


@dataclass(frozen=True, slots=True)
class EngineState:
    """A listening engine, as its state file tells.

    Attributes:
        pid: Process.
        created: When the process began, in seconds since the epoch; tells a process from a
            later one with the same number.
        url: Address, without a slash at the end.
        api_key: Key that every request must carry; never shown in a representation.
        model_path: File of the weights.
        name: Name of the model.
    """

    pid: int
    created: float
    url: str
    api_key: str = field(repr=False)
    model_path: str
    name: str

    def is_alive(self) -> bool:
        """Whether the process is still there and is one of our engines."""
        return process_is(self.pid, self.created, command_part=ENGINE_MODULE)


@dataclass(frozen=True, slots=True)
class Instance:
    """The files of one engine.

    Attributes:
        directory: Where they are.
        key: What their names begin with; one for each machine and model file.
    """

    directory: Path
    key: str

    @classmethod
    def of(cls, model_path: Path) -> "Instance":
        """Return the instance of a model file, making its directory.

        The name of the machine is part of the key, because home directories may be shared
        over a network and a process number means nothing elsewhere.

        Raises:
            OSError: The directory cannot be made, or belongs to another user.
        """
        text = f"{platform.node()}\0{model_path.resolve()}"
        directory = engines_directory()
        make_private_directory(directory)
        return cls(directory, hashlib.sha256(text.encode()).hexdigest()[:16])

    @property
    def state_path(self) -> Path:
        """The state file."""
        return self.directory / f"{self.key}.json"

    @property
    def leases(self) -> Path:
        """The directory of leases."""
        return self.directory / f"{self.key}.clients"

    @property
    def log_path(self) -> Path:
        """Where the engine's output goes."""
        return log_directory() / f"engine-{self.key}.log"

    def lock(self, timeout_s: float) -> FileLock:
        """Return the lock, not yet taken.

        Args:
            timeout_s: How long taking it may wait, in seconds.
        """
        return FileLock(self.directory / f"{self.key}.lock", timeout=timeout_s, mode=0o600)

    def read(self) -> EngineState | None:
        """Return what the state file says, or None when there is none that can be trusted."""
        try:
            with self.state_path.open(encoding="utf-8") as file:
                # The open file is asked, because a path may name another one a moment later.
                if not _is_private(file.fileno()):
                    return None
                tree: Any = json.load(file)
            return _state_from(tree)
        except (OSError, ValueError):
            return None

    def write(self, state: EngineState) -> None:
        """Replace the state file at once; nobody ever reads half of it.

        Raises:
            OSError: It cannot be written.
        """
        path = self.state_path.with_name(f"{self.key}.{os.getpid()}.new")
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
        path.replace(self.state_path)

    def forget(self, pid: int | None = None) -> None:
        """Remove the state file.

        Args:
            pid: Remove it only if it is this process's.
        """
        if pid is not None:
            state = self.read()
            if state is None or state.pid != pid:
                return
        with contextlib.suppress(OSError):
            self.state_path.unlink()

    def take_lease(self) -> None:
        """Say that this process uses the engine, now and until it ends.

        Raises:
            OSError: The lease cannot be written.
        """
        self.leases.mkdir(mode=0o700, exist_ok=True)
        lease = self.leases / _lease_name()
        lease.touch(mode=0o600)
        os.utime(lease)

    def drop_lease(self) -> None:
        """Say that this process no longer uses the engine."""
        with contextlib.suppress(OSError):
            (self.leases / _lease_name()).unlink()

    def living_leases(self) -> dict[int, float]:
        """Return the processes that use the engine with the time of their last sign of life.

        Leases of processes that have ended are removed.
        """
        living: dict[int, float] = {}
        try:
            found = list(self.leases.iterdir())
        except OSError:
            return living
        for lease in found:
            pid, _, created = lease.name.partition("-")
            with contextlib.suppress(OSError):
                named = pid.isdecimal() and created.isdecimal()
                if named and process_is(int(pid), int(created) / 1000):
                    living[int(pid)] = lease.stat().st_mtime
                else:
                    lease.unlink()
        return living


def instances() -> list[Instance]:
    """Return every instance that has a state file."""
    directory = engines_directory()
    try:
        return [Instance(directory, path.stem) for path in sorted(directory.glob("*.json"))]
    except OSError:
        return []


def engines_directory() -> Path:
    """Return the directory of state files, whether or not it exists.

    Not the runtime directory: without a login session that would be a guessable name in a
    directory that every user of the machine can write to.
    """
    return state_directory() / "engines"


def process_is(pid: int, created: float, command_part: str = "") -> bool:
    """Whether a process is running and is the one that began at a time.

    Args:
        pid: Its number.
        created: When it began, in seconds since the epoch.
        command_part: An argument that its command line must have.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if abs(process.create_time() - created) > _CLOCK_SLACK_S:
            return False
        return not command_part or command_part in process.cmdline()
    except (psutil.Error, OverflowError, ValueError):
        return False


def own_creation_time() -> float:
    """Return when this process began, in seconds since the epoch."""
    return psutil.Process().create_time()


def wait_for_end(state: EngineState, timeout_s: float) -> bool:
    """Wait until an engine has ended; False when it has not within the time, in seconds."""
    deadline = time.monotonic() + timeout_s
    while state.is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _lease_name() -> str:
    return f"{os.getpid()}-{int(own_creation_time() * 1000)}"


def _is_private(descriptor: int) -> bool:
    """Whether nobody but this user can have written a file; always True on Windows.

    There the user's profile directory is closed to others.
    """
    if os.name != "posix":
        return True
    status = os.fstat(descriptor)
    return status.st_uid == os.getuid() and not status.st_mode & 0o077


def _state_from(tree: Any) -> EngineState | None:
    if not isinstance(tree, dict):
        return None
    values = cast("dict[str, Any]", tree)
    texts = [values.get(name) for name in ("url", "api_key", "model_path", "name")]
    pid, created = values.get("pid"), values.get("created")
    if not isinstance(pid, int) or not isinstance(created, int | float):
        return None
    if not all(isinstance(text, str) for text in texts):
        return None
    url, api_key, model_path, name = cast("list[str]", texts)
    return EngineState(pid, float(created), url, api_key, model_path, name)
