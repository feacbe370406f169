"""How a document is called where something is filed under its name, also when it is renamed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sirdab.policy.uris import path_of

FILE = "file://"
"""What the name of a file begins with."""

# Files and folders of a renamed folder that are looked at; looking at so many takes a second.
_MOST_INSIDE = 20_000
# Nobody dismisses anything in what lies there, and it is most of what there is.
_LEFT_OUT = frozenset({".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__"})


class Renamed(NamedTuple):
    """What has another name.

    Attributes:
        old: What it was called: the path of a folder, the name of a document.
        new: What it is called.
        is_folder: Whether it is a folder.
    """

    old: str
    new: str
    is_folder: bool = False


def name_of(uri: str) -> str:
    """Return the name of a document, the same one however its URI is spelt.

    It is "file://" and the decoded path, which on Windows begins with "/" as well.
    """
    path = path_of(uri)
    if path is None or uri.partition(":")[0].lower() != "file":
        return uri
    return FILE + (path if path.startswith("/") else f"/{path}")


def local_path(name: str) -> str:
    """Return the path that the name of a file stands for."""
    path = name.removeprefix(FILE)
    return path[1:] if os.name == "nt" and path[2:3] == ":" else path


def names_now(old: str, new: str) -> Iterator[Renamed]:
    """Yield what has another name when a file or folder has: itself, and all inside of it.

    Folders come before the files in them. No link is followed.

    Args:
        old: Its URI before.
        new: Its URI now.
    """
    before, now = name_of(old), name_of(new)
    if before == now:
        return
    if not (before.startswith(FILE) and now.startswith(FILE)):
        yield Renamed(before, now)
        return
    before, now = before.rstrip("/"), now.rstrip("/")
    if not Path(local_path(now)).is_dir():
        yield Renamed(before, now)
        return
    count = 0
    for folder, folders, files in os.walk(local_path(now)):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        below = os.path.relpath(folder, local_path(now))
        tail = "" if below == "." else os.sep + below
        yield Renamed(local_path(before) + tail, local_path(now) + tail, is_folder=True)
        for file in files:
            inside = f"{tail}/{file}".replace(os.sep, "/")
            yield Renamed(before + inside, now + inside)
        count += 1 + len(files)
        if count >= _MOST_INSIDE:
            return
