"""Directories that only the user can look into: they hold keys, logs and what tells of work."""

import os
import stat
from pathlib import Path


def make_private_directory(directory: Path) -> None:
    """Make a directory for the user alone, and those above it that are missing.

    One that is there already is closed to others. On Windows nothing is checked: the profile
    directory of a user is closed to others there.

    Args:
        directory: A directory of our own, never one that a user may keep other files in.

    Raises:
        OSError: It cannot be made, or belongs to another user, who could put a file of his
            own in the place of ours.
    """
    # `mkdir(parents=True)` gives its mode to the last directory alone.
    for missing in [path for path in reversed(directory.parents) if not path.exists()]:
        missing.mkdir(mode=0o700, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    if os.name != "posix":
        return
    status = directory.stat()
    if status.st_uid != os.getuid():
        raise PermissionError(
            f"{directory} belongs to another user; remove it, or name another directory in "
            "SIRDAB_STATE_DIR"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        directory.chmod(0o700)
