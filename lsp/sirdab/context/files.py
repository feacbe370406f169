"""Walks the folders of a workspace and reads its files of code.

Links are not followed, so that no loop of them is walked for ever and nothing is read that lies
elsewhere. What cannot be read is left out without a word: it is only context.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import NamedTuple

from sirdab.context.store import Stamp
from sirdab.context.symbols import LANGUAGES, MAX_SOURCE_BYTES
from sirdab.policy import limits
from sirdab.syntax.languages import language_of

# Paths are strings here: there are many, in a tight loop.
# ruff: noqa: PTH118, PTH119, PTH120, PTH123, PTH206

MAX_FILE_BYTES = MAX_SOURCE_BYTES
"""Size of a file that is read. What is larger is generated, or a library in one file."""

IGNORE_FILES = frozenset(
    {".gitignore", ".aiignore", ".aiexclude", ".cursorignore", ".codeiumignore",
     ".geminiignore", ".copilotignore"}
)  # fmt: skip
"""Names of files after whose change other files may be read."""

SUFFIXES = (
    ".c", ".cc", ".cpp", ".cxx", ".go", ".h", ".hh", ".hpp", ".java", ".js", ".jsx", ".lua", ".mjs",
    ".py", ".pyi", ".rs", ".ts", ".tsx",
)  # fmt: skip
"""Endings of the names of files that are indexed, as `sirdab.syntax.languages` knows them."""

MAX_FILES = 100_000
"""Most files of one workspace folder."""

WATCHED_GLOBS = (
    f"**/*{{{','.join(SUFFIXES)}}}",
    f"**/{{{','.join(sorted(IGNORE_FILES))}}}",
)
"""Globs of the files whose changes matter (LSP 3.18, "Pattern")."""

# Folders of code that somebody else wrote, or a program; hidden ones are left out as well.
_FOREIGN = frozenset(
    {"node_modules", "bower_components", "vendor", "third_party", "site-packages", "venv",
     "__pycache__", "dist", "build", "target", "out", "coverage"}
)  # fmt: skip


class Folder(NamedTuple):
    """A folder with the states of its files of code, by their names."""

    path: str
    files: dict[str, Stamp]


def walk(
    root: str, is_excluded: Callable[[str], bool], pause: Callable[[], None]
) -> Iterator[Folder]:
    """Yield the folders below one, that one included, in a fixed order.

    Args:
        root: Absolute path.
        is_excluded: Whether a path must not be read. Nothing below an excluded folder is looked
            at: what it holds is excluded too.
        pause: Called between entries.
    """
    waiting = [root]
    count = 0
    while waiting:
        path = waiting.pop()
        files: dict[str, Stamp] = {}
        below: list[str] = []
        for entry in _entries(path):
            pause()
            if not is_text(entry.name):
                continue
            inner = os.path.join(path, entry.name)
            try:
                if entry.is_dir(follow_symlinks=False):
                    if is_foreign_name(entry.name) or is_excluded(inner):
                        continue
                    below.append(inner)
                elif _is_code(entry.name) and entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_size <= MAX_FILE_BYTES and not is_excluded(inner):
                        files[entry.name] = Stamp(status.st_mtime_ns, status.st_size)
            except OSError:
                continue
        count += len(files)
        if count > MAX_FILES:
            return
        yield Folder(path, files)
        waiting.extend(reversed(below))


def is_foreign(path: str, root: str) -> bool:
    """Whether a file lies in a folder that is not walked, or is reached through a link."""
    inside = path.removeprefix(root.rstrip(os.sep) + os.sep)
    if any(is_foreign_name(part) for part in inside.split(os.sep)[:-1]):
        return True
    # The folder of the workspace itself may be a link: that is the user's own doing.
    folder = os.path.dirname(path)
    try:
        there = os.path.join(os.path.realpath(root), os.path.relpath(folder, root))
        return os.path.normcase(os.path.realpath(folder)) != os.path.normcase(
            os.path.normpath(there)
        )
    except (OSError, ValueError):
        return True


def is_text(path: str) -> bool:
    """Whether a path is one that a database can hold; on Linux a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def stamp_of(path: str) -> Stamp | None:
    """Return the state of a file of code; None when it is none, or is not to be read."""
    if not _is_code(os.path.basename(path)):
        return None
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
        return None
    return Stamp(status.st_mtime_ns, status.st_size)


def read(path: str) -> str | None:
    """Return the content of a file; None when it is not UTF-8 text that can be read."""
    try:
        # Without waiting: a pipe may have come to stand in the place of the file. On Windows
        # there is no such thing, nor the flag.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        flags |= getattr(os, "O_NOFOLLOW", 0)
        with open(os.open(path, flags), "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        content = data.decode("utf-8-sig")
    except (OSError, ValueError):
        return None
    if len(data) > MAX_FILE_BYTES or limits.looks_binary(content):
        return None
    return content


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def is_foreign_name(name: str) -> bool:
    """Whether a folder of this name holds code that somebody else wrote, or is hidden."""
    return name in _FOREIGN or name.startswith(".")


def _is_code(name: str) -> bool:
    return language_of(PurePath(name)) in LANGUAGES
