"""What a linter says of a document: hints for the model, and a second witness of its findings.

The linter is ruff, and only where it is there already. Its findings are never shown as ours: who
wants them has ruff itself in the editor. No program and no configuration of a workspace is used
(`--isolated`), and comments of the document (`noqa`) do not silence a witness. Whatever
goes wrong means that there is no witness.

The options and the fields of the output are those of ruff's documentation ("The Ruff Linter",
"ruff check --help", output format json-lines).
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import sysconfig
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

from sirdab.models.programs import find_program, is_program
from sirdab.policy.limits import MAX_PARSE_BYTES
from sirdab.policy.sanitize import clean_output
from sirdab.text.document import Snapshot

_log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
"""Seconds the linter may take. Ruff reads 10,000 lines in some 50 ms."""

MAX_OUTPUT_BYTES = 1024 * 1024
"""Bytes of the linter's output that are read: about 2,000 findings."""

MAX_FINDINGS = 500
"""Most findings of a document."""

MAX_MESSAGE_CHARACTERS = 160
"""Longest message of a finding."""

_REMEMBERED = 64
_LANGUAGES = frozenset({"python"})
_GROUP = re.compile(r"[A-Z]+\d")


class LinterFinding(NamedTuple):
    """One finding of the linter.

    Attributes:
        line: 0-based line of the document.
        code: The linter's name for it, such as "B006".
        message: Its sentence, as one line of plain text.
    """

    line: int
    code: str
    message: str


class Linter:
    """Asks the linter, and remembers its answers by the documents' texts.

    Args:
        workspace_folders: Absolute paths of which no program is run.
        program: The linter, for tests; None to look for it.
    """

    def __init__(self, workspace_folders: Sequence[str] = (), program: Path | None = None) -> None:
        self._folders = tuple(workspace_folders)
        self._program = program
        self._known: OrderedDict[str, tuple[LinterFinding, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def findings(
        self, snapshot: Snapshot, workspace_folders: Sequence[str] = ()
    ) -> tuple[LinterFinding, ...]:
        """Return what the linter says of a document, in the order of its lines.

        It takes some 30 ms; call it in a thread. It never raises.

        Args:
            snapshot: The document.
            workspace_folders: More folders of which no program is run.
        """
        if snapshot.language_id not in _LANGUAGES:
            return ()
        if snapshot.text.char_count > MAX_PARSE_BYTES:
            return ()
        lines = (snapshot.text.line_body(row) for row in range(snapshot.text.line_count))
        source = "\n".join(lines).encode("utf-8", "replace")
        key = hashlib.sha256(source).hexdigest()
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        program = self._program or find_linter((*self._folders, *workspace_folders))
        found = () if program is None else tuple(islice(_run(program, source), MAX_FINDINGS))
        with self._lock:
            self._known[key] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def clear(self) -> None:
        """Forget every answer."""
        with self._lock:
            self._known.clear()


@cache
def wanted() -> frozenset[str]:
    """Return the codes that are of use: those that mean the same as a rule of ours."""
    from sirdab.review.rules import all_rules

    return frozenset(code for rule in all_rules() for code in rule.linter)


@cache
def _selectors() -> str:
    """Return the groups of the codes that are wanted.

    Ruff refuses to run at all for the sake of one code that its version does not know; groups such
    as "B0" are in every version.
    """
    groups = {match[0] for code in wanted() if (match := _GROUP.match(code))}
    return ",".join(sorted(groups))


def find_linter(forbidden: Sequence[str]) -> Path | None:
    """Return the linter of Sirdab's own environment, or else the first one on PATH.

    Args:
        forbidden: Folders of which no program is run, though they are on PATH.
    """
    name = "ruff.exe" if os.name == "nt" else "ruff"
    own = Path(sysconfig.get_path("scripts")) / name
    with contextlib.suppress(OSError):
        if is_program(own):
            return own
    return find_program(name, outside_of=forbidden)


def _run(program: Path, source: bytes) -> Iterator[LinterFinding]:
    command = [
        str(program), "check", "--isolated", "--no-cache", "--no-fix", "--ignore-noqa",
        "--quiet", "--exit-zero", "--output-format", "json-lines",
        "--select", _selectors(), "--preview", "--stdin-filename", "document.py", "-",
    ]  # fmt: skip
    with contextlib.suppress(OSError, ValueError, RecursionError):
        for line in _output(command, source):
            found = _read(line)
            if found is not None and found.code in wanted():
                yield found
        return
    _log.info("The linter %s could not be asked.", program)


def _output(command: list[str], source: bytes) -> Iterable[bytes]:
    """Run the linter and return the lines of its output, none where it had no good end."""
    with subprocess.Popen(  # noqa: S603 - an absolute path, no shell, no input but the document
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=sys.prefix,
        env=_environment(),
        start_new_session=True,
    ) as process:
        timer = threading.Timer(TIMEOUT_S, _kill, (process,))
        timer.daemon = True
        timer.start()
        try:
            assert process.stdin is not None  # noqa: S101
            assert process.stdout is not None  # noqa: S101
            # Ruff reads all of its input before it writes, so neither waits for the other.
            process.stdin.write(source)
            process.stdin.close()
            output = process.stdout.read(MAX_OUTPUT_BYTES + 1)
            if len(output) <= MAX_OUTPUT_BYTES:
                if process.wait(TIMEOUT_S) != 0:
                    return []
                return output.splitlines()
            # The last of the lines is cut.
            return output.splitlines()[:-1]
        except (OSError, subprocess.TimeoutExpired):
            return []
        finally:
            timer.cancel()
            _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix" and process.poll() is None:
            # What is on PATH may be a script that has started the real one.
            os.killpg(process.pid, signal.SIGKILL)
        elif process.poll() is None:
            process.kill()


def _environment() -> dict[str, str]:
    """Return the few variables that a program needs; neither RUFF_* nor PATH."""
    names = ("SYSTEMROOT", "HOME", "TMPDIR", "TEMP", "TMP", "LANG")
    return {name: os.environ[name] for name in names if name in os.environ}


def _read(line: bytes) -> LinterFinding | None:
    value: Any = json.loads(line)
    if not isinstance(value, dict):
        return None
    match cast("dict[str, Any]", value):
        case {"code": str(code), "message": str(message), "location": {"row": int(row)}} if row > 0:
            return LinterFinding(row - 1, code[:16], _plain(message))
        case _:
            # A syntax error has no code, and is no witness of anything.
            return None


def _plain(message: str) -> str:
    line = " ".join(clean_output(message).split())
    return line[:MAX_MESSAGE_CHARACTERS]
