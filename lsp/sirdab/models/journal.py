"""What was done to the models of this machine, and when: one line of JSON for each change.

Only commands that a person runs write here, so the file stays small. It holds names and digests of
models, and no text of anybody's.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

from sirdab.config.directories import state_directory

Action = Literal["pull", "use", "pin", "unpin", "rollback", "remove"]
ACTIONS: tuple[Action, ...] = get_args(Action)

_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One change.

    Attributes:
        time: When, as ISO 8601 in UTC.
        action: What was done.
        model: The model's name.
        digest: SHA-256 of its file in lower-case hexadecimal; "" when not known.
        size_bytes: Size of the file; 0 when not known.
        source: Where it came from, or whose it is, in words; "" when that says nothing.
    """

    time: str
    action: Action
    model: str
    digest: str = ""
    size_bytes: int = 0
    source: str = ""


def default_path() -> Path:
    """Return the file of this user."""
    return state_directory() / "models.jsonl"


def record(
    action: Action,
    model: str,
    *,
    digest: str = "",
    size_bytes: int = 0,
    source: str = "",
    path: Path | None = None,
) -> bool:
    """Write down a change. Never raises: what was done stays done.

    Args:
        action: What was done.
        model: The model's name.
        digest: SHA-256 of its file.
        size_bytes: Size of the file.
        source: Where it came from, or whose it is, in words.
        path: The journal; the user's own by default.

    Returns:
        Whether it could be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Entry(now, action, model, digest, size_bytes, source)
    line = json.dumps(asdict(entry), ensure_ascii=False).encode("utf-8", "backslashreplace")
    try:
        _append(path or default_path(), line + b"\n")
    except OSError:
        return False
    return True


def read(path: Path | None = None) -> list[Entry]:
    """Return the changes, the oldest first; lines that are no entry are left out.

    Raises:
        OSError: The journal is there and cannot be read.
    """
    try:
        with (path or default_path()).open("rb") as file:
            # Of a file that something has blown up the end is enough.
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_BYTES))
            data = file.read()
    except FileNotFoundError:
        return []
    entries = (_entry(line) for line in data.decode("utf-8", "replace").split("\n"))
    return [entry for entry in entries if entry is not None]


def _append(path: Path, line: bytes) -> None:
    """Append a line with one write, so that lines of several processes do not mix."""
    from sirdab.policy.private import make_private_directory

    make_private_directory(path.parent)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        if os.name == "posix" and os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        # What a full disk cut short must not swallow the next line as well.
        if _ends_within_a_line(descriptor):
            line = b"\n" + line
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _ends_within_a_line(descriptor: int) -> bool:
    with contextlib.suppress(OSError):
        if os.lseek(descriptor, 0, os.SEEK_END) > 0:
            os.lseek(descriptor, -1, os.SEEK_END)
            return os.read(descriptor, 1) != b"\n"
    return False


def _entry(line: str) -> Entry | None:
    try:
        tree: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(tree, dict):
        return None
    row = cast("Mapping[str, Any]", tree)
    action, size = row.get("action"), row.get("size_bytes")
    texts = {name: row.get(name, "") for name in ("time", "model", "digest", "source")}
    if action not in ACTIONS or not all(isinstance(text, str) for text in texts.values()):
        return None
    return Entry(action=action, size_bytes=size if type(size) is int else 0, **texts)
