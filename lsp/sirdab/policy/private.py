"""Directories that only the user can look into: they hold keys, logs and what tells of work."""

import os
import stat
from pathlib import Path


def make_private_directory(directory: Path) -> None:
    """Make a directory for the user alone, and those above it that are missing.

    One that is there already is closed to others. On Windows nothing is checked: the profile
    directory of a user is closed to others there.

    Args:
        directory: A directory of our own, never one that a user may keep other files in. It may
            be reached by links of the user's or the system's.

    Raises:
        OSError: It cannot be made, or it belongs to another user or is reached by a link of
            theirs. Such a user could put other files in the place of ours, or have another
            directory of this user's closed.
    """
    is_posix = os.name == "posix"
    if is_posix:
        _refuse_foreign_links(directory)
    # `mkdir(parents=True)` gives its mode to the last directory alone.
    for missing in [path for path in reversed(directory.parents) if not path.exists()]:
        missing.mkdir(mode=0o700, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    if not is_posix:
        return
    # What is looked at and what is changed are the same directory, whatever its name means by then.
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # The name may have become a link since it was looked at.
        _refuse_foreign_links(directory)
        status = os.fstat(handle)
        if status.st_uid != os.getuid():
            raise _not_ours(directory)
        if stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def _refuse_foreign_links(directory: Path) -> None:
    """Raise when one of the names on the way is a link that somebody else has made.

    Raises:
        PermissionError: There is one.
    """
    for path in (directory, *directory.parents):
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(status.st_mode) and status.st_uid not in (os.getuid(), 0):
            raise _not_ours(path)


def _not_ours(path: Path) -> PermissionError:
    return PermissionError(
        f"{path} belongs to another user; remove it, or name another directory in SIRDAB_STATE_DIR"
    )
