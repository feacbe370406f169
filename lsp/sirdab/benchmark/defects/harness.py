"""Runs the test of a fixture against some texts of it; a program of its own, never imported.

It is started as `python -I harness.py` with an empty environment in an empty folder, reads one JSON
object from its standard input and writes one list to its standard output. Each text is run in a
process of its own, which has bounds of time, memory and file size. It is for POSIX systems.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import traceback
import types
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TypedDict, cast

MEMORY = 1024 * 1024 * 1024
FILE_SIZE = 16 * 1024 * 1024


class Order(TypedDict):
    """What the harness is asked to do."""

    module: str
    support: str
    check: str
    texts: list[str]
    seconds: float


def bound(seconds: float) -> None:
    """Bound what this process may use; where the system cannot, its parent ends it."""
    limits = ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, FILE_SIZE))
    for kind, most in (*limits, (resource.RLIMIT_CORE, 0)):
        # macOS knows no bound of memory.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))
    # The default action of the signals ends the process, whatever the code does. What it computes
    # counts, so that a busy machine makes no test fail; waiting for nothing may take longer.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 4 * seconds)


def module_of(name: str, source: str) -> types.ModuleType:
    """Make a module of a source, so that it can be imported."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)  # noqa: S102
    return module


def run(module: str, source: str, support: str, check: str) -> str:
    """Run the test and return why it failed, "" when it passed."""
    warnings.simplefilter("ignore")
    try:
        module_of("support", support)
        # The test may have to prepare what the module imports, so it imports the module itself.
        finder = _Finder(module, source)
        sys.meta_path.insert(0, finder)
        exec(compile(check, "check.py", "exec"), {"__name__": "check"})  # noqa: S102
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test has failed
        last = traceback.extract_tb(error.__traceback__)[-1:]
        place = f"{last[0].filename}:{last[0].lineno}" if last else ""
        return f"{type(error).__name__} {place} {error}"[:300]
    return ""


class _Finder(MetaPathFinder, Loader):
    """Finds the one module that is tested."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname == self._name else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        del spec
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        code = compile(self._source, f"{self._name}.py", "exec")
        exec(code, module.__dict__)  # noqa: S102


def forked(order: Order, number: int) -> str:
    """Run the test against one text in a process of its own."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        folder = f"run-{number}"
        Path(folder).mkdir()
        os.chdir(folder)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        bound(order["seconds"])
        said = run(order["module"], order["texts"][number], order["support"], order["check"])
        os.write(into, ("F" + said if said else "P").encode("utf-8", "replace"))
        # Threads of the test must not keep it alive, nor what it registered for its end.
        os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as stream:
        said = stream.read().decode("utf-8", "replace")
    os.waitpid(child, 0)
    return said or "Fended by its bounds of time or memory"


def main() -> None:
    """Read the order, run it, and write what came of each text."""
    order = cast("Order", json.load(sys.stdin))
    results = [forked(order, number) for number in range(len(order["texts"]))]
    sys.stdout.write(json.dumps(results))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
