"""Runs Git in a repository without letting the repository run anything.

A repository is part of the workspace and may be hostile, and much of its configuration names
programs (git-config(1), gitattributes(5)): `core.fsmonitor`, `core.hooksPath`, `diff.external`,
`diff.*.textconv`, the filters `filter.*.clean` and `filter.*.process`, `core.sshCommand`, remote
helpers such as `ext::`, pagers. So:

- Only commands are used that read objects and the index. None looks at the content of the work
  tree, which is where filters, conversions and the file system monitor would run.
- What could be fetched is not: an object that a partial clone lacks is missing
  (`GIT_NO_LAZY_FETCH`, and no transport is allowed, for versions of Git that do not know it yet).
- Git decides by its own rule whether it trusts the owner of the repository, and only the folder
  that was asked about is taken for one.

`tests/unit/review/test_git.py` sets every one of these keys and looks whether anything was run.
"""

import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from sirdab.models.programs import find_program

TIMEOUT_S = 30.0
"""Seconds that one command may take."""

MAX_OUTPUT_BYTES = 128 * 1024 * 1024
"""Bytes of one command's output: the names of about a million files."""

_OPTIONS = (
    "--no-pager", "--no-optional-locks", "--literal-pathspecs",
    "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "diff.external=",
    "-c", "core.pager=cat", "-c", "protocol.allow=never", "-c", "credential.helper=",
    "-c", "safe.bareRepository=explicit", "-c", "core.quotePath=false",
)  # fmt: skip


def run_git(
    program: str,
    root: Path,
    arguments: Sequence[str],
    *,
    given: bytes = b"",
    index: str | None = None,
) -> bytes | None:
    """Run one command of Git that reads objects or the index.

    Args:
        program: Git.
        root: The root of the repository.
        arguments: The command.
        given: Its standard input.
        index: The index that is read in place of the repository's own.

    Returns:
        What it prints; None where it fails, takes too long or says too much.
    """
    command = [program, "-C", str(root), *_OPTIONS, *arguments]
    environment = _environment(root)
    if index is not None:
        environment["GIT_INDEX_FILE"] = index
    with contextlib.suppress(OSError), tempfile.TemporaryFile() as said:
        # From a file, so that neither side waits for the other.
        said.write(given)
        said.seek(0)
        return _output(command, environment, said.fileno())
    return None


def _output(command: Sequence[str], environment: dict[str, str], stdin: int) -> bytes | None:
    with subprocess.Popen(  # noqa: S603 - an absolute path, no shell, commands of ours
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        timer = threading.Timer(TIMEOUT_S, process.kill)
        timer.daemon = True
        timer.start()
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            found = process.stdout.read(MAX_OUTPUT_BYTES + 1)
            if len(found) > MAX_OUTPUT_BYTES:
                return None
            return found if process.wait(TIMEOUT_S) == 0 else None
        except subprocess.TimeoutExpired:
            return None
        finally:
            timer.cancel()
            process.kill()


def _environment(root: Path) -> dict[str, str]:
    """Return the variables Git is run with: the user's, but none that leads it elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        # No transport has this name, so none is allowed, whatever the repository says.
        "GIT_ALLOW_PROTOCOL": "none",
        "LC_ALL": "C",
    }


def find_git(root: Path) -> str | None:
    """Return the first Git on PATH that lies outside of the repository."""
    found = find_program("git.exe" if os.name == "nt" else "git", outside_of=(root,))
    return None if found is None else str(found)
