"""Reads the files that lie nearest to an open document, so that code can be copied from them.

What one is about to type stands most often in the files beside it, and many people have only one of
them open. So the nearest files of the same language are read as if they were open: those of the
folder itself, then those of the folders directly below and above it. On a slow machine there is no
index of the workspace that could say more; where there is one, these are still the likeliest.
"""

# Paths are strings here, as in `files`, with which this belongs together.
# ruff: noqa: PTH118, PTH120

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sirdab.completion.request import CompletionRequest
from sirdab.context.files import MAX_FILE_BYTES, is_foreign, is_foreign_name, is_text, read
from sirdab.context.store import Stamp
from sirdab.context.symbols import kin_of
from sirdab.policy.ignore import ExclusionRules
from sirdab.policy.uris import path_of
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Text

MOST_FILES = 6
"""Files that are read for one document; the confidence of copies was measured with as many."""

_MOST_CHARACTERS = 400_000
# Entries of folders that are looked at, and folders beside the document's own.
_MOST_ENTRIES = 2_000
_MOST_FOLDERS = 12
_MOST_KEPT = 32


class Neighbours:
    """Reads and remembers files. Its methods are for one thread at a time."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[Stamp, Snapshot]] = {}
        self._rules: tuple[object, ExclusionRules] | None = None

    def of(self, request: CompletionRequest) -> tuple[Snapshot, ...]:
        """Return the nearest files of a request's document as they are on the disk, nearest first.

        A file that has not changed since it was read is the same `Snapshot` again, so that what is
        known of it holds. Excluded files, and files outside of the workspace, are not read.
        """
        path = path_of(request.snapshot.uri)
        root = _root_of(path, request.workspace_folders) if request.trusted and path else None
        if path is None or root is None or is_foreign(path, root):
            return ()
        found: list[Snapshot] = []
        characters = 0
        for near in _nearest(path, root, request.snapshot.language_id):
            snapshot = self._snapshot(near, request)
            if snapshot is None:
                continue
            characters += snapshot.text.char_count
            if characters > _MOST_CHARACTERS:
                break
            found.append(snapshot)
            if len(found) == MOST_FILES:
                break
        return tuple(found)

    def _snapshot(self, path: str, request: CompletionRequest) -> Snapshot | None:
        stamp = _stamp_of(path)
        if stamp is None or self._is_excluded(path, request):
            self._read.pop(path, None)
            return None
        known = self._read.pop(path, None)
        if known is None or known[0] != stamp:
            content = read(path)
            if content is None:
                return None
            uri = Path(path).as_uri()
            known = stamp, Snapshot(uri, language_of(Path(path)), 0, Text(content))
        # Put at the end: what was used last is kept.
        self._read[path] = known
        while len(self._read) > _MOST_KEPT:
            del self._read[next(iter(self._read))]
        return known[1]

    def _is_excluded(self, path: str, request: CompletionRequest) -> bool:
        key = (request.settings.privacy.exclude, request.workspace_folders)
        if self._rules is None or self._rules[0] != key:
            self._rules = key, ExclusionRules(*key)
        return self._rules[1].is_excluded(path) is not None


def _root_of(path: str, folders: tuple[str, ...]) -> str | None:
    """Return the workspace folder that a file lies in, the innermost one."""
    inside = [folder for folder in folders if path.startswith(os.path.join(folder, ""))]
    return max(inside, key=len, default=None)


def _nearest(path: str, root: str, language_id: str) -> Iterator[str]:
    """Yield files of the same kind of language, the nearest first, in a fixed order."""
    kin = kin_of(language_id)
    if kin == "plaintext":
        return
    folder = os.path.dirname(path)
    left = _MOST_ENTRIES
    own, below = _entries(folder)
    above = os.path.dirname(folder)
    beside = [folder]
    beside += [os.path.join(folder, name) for name in below]
    if folder != root.rstrip(os.sep):
        beside.append(above)
    for number, each in enumerate(beside[:_MOST_FOLDERS]):
        names = own if number == 0 else _entries(each)[0]
        for name in names[: max(left, 0)]:
            file = os.path.join(each, name)
            if file != path and kin_of(language_of(Path(name))) == kin:
                yield file
        left -= len(names)


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """Return the names of the files and of the folders in a folder; links are neither."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count >= _MOST_ENTRIES:
                    break
                if not is_text(entry.name) or entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
    except OSError:
        pass
    return sorted(files), sorted(name for name in folders if not is_foreign_name(name))


def _stamp_of(path: str) -> Stamp | None:
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
        return None
    return Stamp(status.st_mtime_ns, status.st_size)
