"""Runs the tests of the fixtures in processes of their own, bounded in what they may use.

What is run may have been written by a model. It gets an empty environment and an empty folder that
is removed afterwards, no network where the system lets a user take it away, and is ended with all
it has started when its time is over. That is no prison: code that means harm could read and write
the user's files. It is run only for our own fixtures, and only on demand.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from sirdab.benchmark.defects.fixtures import Fixture
from sirdab.benchmark.defects.typescript import without_types

SECONDS = 5.0
"""Seconds that one test may take; the longest one takes half a second."""

_MOST_OUTPUT = 1024 * 1024
_PROBE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test says of a text.

    Attributes:
        passed: Whether it passed; None where it cannot be run here.
        why: Why it failed, for a person; may be "".
    """

    passed: bool | None
    why: str = ""


def judge(fixture: Fixture, texts: Sequence[str], seconds: float = SECONDS) -> list[Verdict]:
    """Run the test of a fixture against texts of it.

    Args:
        fixture: The fixture.
        texts: The fixture's own text, or others in its place.
        seconds: How long each may take.
    """
    if os.name != "posix":
        return [Verdict(None, "the tests are for POSIX systems")] * len(texts)
    if fixture.language_id != "python":
        return [_node(fixture, text, seconds) for text in texts]
    return _python(fixture, list(texts), seconds)


def _python(fixture: Fixture, texts: list[str], seconds: float) -> list[Verdict]:
    order = {
        "module": fixture.module,
        "support": _file("checks", "python", "support.py"),
        "check": fixture.check,
        "texts": texts,
        "seconds": seconds,
    }
    with tempfile.TemporaryDirectory(prefix="sirdab-bench-", ignore_cleanup_errors=True) as folder:
        program = Path(folder) / "harness.py"
        program.write_text(_file("harness.py"), encoding="utf-8")
        work = Path(folder) / "work"
        work.mkdir()
        # Isolated, without the user's packages: what is tested uses the standard library.
        command = (sys.executable, "-I", "-S", "-B", str(program))
        answer = _run(command, work, json.dumps(order), seconds * len(texts) + 10)
    try:
        results: list[str] = json.loads(answer)
    except ValueError:
        return [Verdict(False, "it was ended before it was done")] * len(texts)
    return [Verdict(result.startswith("P"), result[1:]) for result in results]


def _node(fixture: Fixture, text: str, seconds: float) -> Verdict:
    node = node_program()
    if node is None:
        return Verdict(None, "Node is not installed")
    if fixture.language_id == "typescript":
        text = without_types(text)
    with tempfile.TemporaryDirectory(prefix="sirdab-bench-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        files = {
            f"{fixture.module}.js": text,
            "support.js": _file("checks", "javascript", "support.js"),
            "check.js": fixture.check,
            # All files are modules of the kind that `import` is for.
            "package.json": '{"type": "module"}',
        }
        for name, content in files.items():
            (root / name).write_text(content, encoding="utf-8")
        command = (node, "--no-warnings", "--max-old-space-size=512", "check.js")
        answer = _run(command, root, "", seconds)
    last = answer.strip().split("\n")[-1]
    return Verdict(last == "passed", "" if last == "passed" else answer[-300:])


@cache
def node_program() -> str | None:
    """Return the absolute path of Node, None where it is not installed."""
    found = shutil.which("node")
    return None if found is None or not Path(found).is_absolute() else found


@cache
def without_network() -> tuple[str, ...]:
    """Return what is put before a command to cut it off from the network; empty where nothing can.

    That is so on Linux, where users may make namespaces; see `alone.py`.
    """
    if sys.platform != "linux":
        return ()
    before = (sys.executable, "-I", "-S", "-B", "-c", _file("alone.py"))
    try:
        done = subprocess.run(  # noqa: S603
            (*before, sys.executable, "-I", "-S", "-c", ""),
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return before if done.returncode == 0 else ()


def _run(command: Sequence[str], folder: Path, given: str, seconds: float) -> str:
    """Run a program in a folder and return what it wrote, "" when it had to be ended."""
    process = subprocess.Popen(  # noqa: S603
        (*without_network(), *command),
        cwd=folder,
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        answer, _ = process.communicate(given.encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        answer = b""
    finally:
        _end(process)
    return answer[-_MOST_OUTPUT:].decode("utf-8", "replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@cache
def _file(*parts: str) -> str:
    root = resources.files("sirdab.benchmark.defects")
    return root.joinpath(*parts).read_text(encoding="utf-8")
