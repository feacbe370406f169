"""Writes a report into a file: all of it, or nothing."""

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path


def dumps(tree: object, encoding: str = "utf-8") -> str:
    """Return a tree as JSON that an encoding can hold; what it lacks is written as an escape."""
    written = json.dumps(tree, ensure_ascii=False, indent=2)
    try:
        written.encode(encoding)
    except (LookupError, ValueError):
        # Names of files may hold bytes that are no text.
        return json.dumps(tree, ensure_ascii=True, indent=2)
    return written


def write(path: Path, content: str) -> None:
    """Put a text into a file, which has either its old content or all of the new one.

    Args:
        path: The file. A link is followed; a device or a pipe is written to as it is.
        content: The text.

    Raises:
        OSError: It cannot be written.
    """
    data = content.encode("utf-8", "backslashreplace")
    target = Path(os.path.realpath(path))
    mode = 0o666 & ~_umask()
    with contextlib.suppress(FileNotFoundError):
        status = target.stat()
        if not stat.S_ISREG(status.st_mode):
            target.write_bytes(data)
            return
        mode = stat.S_IMODE(status.st_mode)
    # In the same folder, because only within a file system is a file moved at once.
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        part.chmod(mode)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Return the bits that new files are made without; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
