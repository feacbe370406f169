"""Runs small programs of this machine that tell about it, each within a time limit.

Only programs in directories of the search path that are written from the root are run. Windows, and
a search path with an empty entry, would otherwise take one from the current directory, which may
belong to anybody.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TIMEOUT_S = 2.5
"""Seconds a program may take: several times what the slowest of them usually needs."""

_MOST_CHARACTERS = 1 << 20

Run = Callable[[Sequence[str]], str | None]
"""Runs a program and returns what it printed, or None; `run_program`, or what a test records."""


def find_program(
    name: str,
    environment: Mapping[str, str] = os.environ,
    *,
    outside_of: Sequence[str | Path] = (),
) -> Path | None:
    """Return the file of a program, or None where there is none.

    Args:
        name: Its name, without a folder. On Windows every extension of a program is tried, unless
            the name has one.
        environment: Holds `PATH`, and on Windows `PATHEXT`.
        outside_of: Folders of which no program is taken, be they on the search path, and be it by
            a link: workspaces, which may be hostile. Relative ones mean nothing.
    """
    closed = [os.path.realpath(folder) for folder in outside_of if Path(folder).is_absolute()]
    endings = [""]
    if sys.platform == "win32" and not Path(name).suffix:
        endings = environment.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";")
    for folder in environment.get("PATH", "").split(os.pathsep):
        directory = Path(folder)
        if not folder or not directory.is_absolute():
            continue
        for ending in endings:
            path = directory / f"{name}{ending}"
            # A folder that cannot be looked into holds nothing for us.
            with contextlib.suppress(OSError):
                if is_program(path) and not any(
                    Path(os.path.realpath(place)).is_relative_to(folder)
                    for place in (directory, path)
                    for folder in closed
                ):
                    return path
    return None


def is_program(path: Path) -> bool:
    """Whether a path is a file that this user may run.

    Raises:
        OSError: Nobody can say.
    """
    return path.is_file() and os.access(path, os.X_OK)


def run_program(command: Sequence[str], timeout_s: float = TIMEOUT_S) -> str | None:
    """Run a program without input and return what it printed on its standard output.

    Args:
        command: Its name, looked for on the search path, or its whole path; and its arguments.
        timeout_s: Seconds after which it is ended.

    Returns:
        The output, or None when there is no such program, or it fails or takes too long.
    """
    first = Path(command[0])
    program = first if first.is_absolute() else find_program(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a program of this machine with arguments of ours
            [str(program), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
            # Not the current directory: it may be a workspace.
            cwd=program.parent,
            creationflags=subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    return done.stdout.decode("utf-8", "replace")[:_MOST_CHARACTERS]
