"""Finds the files of a workspace that a review of all of it reads."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sirdab.config.schema import Settings
from sirdab.policy import limits
from sirdab.review.gates import MAX_CHARACTERS, Gates
from sirdab.review.units import LANGUAGES
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Text

MAX_FILES = 5_000
"""Most files of one review. What has more is reviewed folder by folder."""

MOST_BYTES = MAX_CHARACTERS * 4
"""Bytes of a document that is reviewed: a character has four at most."""

TOO_LARGE = f"it has more than {MAX_CHARACTERS:,} characters; split it, or exclude it."
"""Why a document is not reviewed, as the second half of a sentence."""

# Folders of code that somebody else wrote, or a program; hidden ones are left out as well.
_FOREIGN = frozenset(
    {"node_modules", "bower_components", "vendor", "third_party", "site-packages", "venv",
     "__pycache__", "dist", "build", "target", "out", "coverage"}
)  # fmt: skip


class FoundFiles(NamedTuple):
    """The files that are reviewed.

    Attributes:
        paths: At most `MAX_FILES`, or as many as were asked for.
        more: Whether there are more than that.
    """

    paths: list[Path]
    more: bool


def find_files(
    folders: tuple[str, ...], settings: Settings, gates: Gates, *, most: int = MAX_FILES
) -> FoundFiles:
    """Find the files of code below some folders, none that is excluded."""
    found: dict[Path, None] = {}
    for folder in folders:
        for path in _walk(folder):
            if path in found or gates.excluded_by(str(path), settings, folders) is not None:
                continue
            if len(found) >= most:
                return FoundFiles(list(found), True)
            found[path] = None
    return FoundFiles(list(found), False)


def files_of(folders: tuple[str, ...], settings: Settings, gates: Gates) -> list[Path]:
    """Return the files of code below some folders, none that is excluded, at most `MAX_FILES`."""
    return find_files(folders, settings, gates).paths


def _walk(folder: str) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _FOREIGN and not name.startswith(".")
        )
        for name in sorted(names):
            path = Path(root, name)
            if language_of(path) in LANGUAGES and _is_plain(path):
                yield path


def _is_plain(path: Path) -> bool:
    try:
        # Opening a pipe waits for its writer, and a link may lead anywhere.
        return path.is_file() and not path.is_symlink()
    except OSError:
        return False


def snapshot_of(path: Path) -> Snapshot | None:
    """Read a file as a document; None when it is not UTF-8 text that can be read."""
    read = read_file(path)
    return None if isinstance(read, str) else read


def read_file(path: Path) -> Snapshot | str:
    """Read a file as a document.

    Returns:
        The document; or why there is none, as the second half of a sentence.
    """
    try:
        # Opening a pipe waits for its writer.
        if not path.is_file():
            return "it is not a regular file."
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name"
        return f"it cannot be read ({reason})."
    return read_content(data, path.absolute())


def read_content(content: bytes, path: Path) -> Snapshot | str:
    """Return the document that a file would be with some content.

    Returns:
        The document; or why it is none, as the second half of a sentence.
    """
    if len(content) > MOST_BYTES:
        return TOO_LARGE
    try:
        text = content.decode("utf-8-sig")
    except ValueError:
        # Text in an older encoding has no such byte.
        return "it is binary." if b"\0" in content else "it is not in UTF-8; convert it first."
    if limits.looks_binary(text):
        return "it is binary."
    if len(text) > MAX_CHARACTERS:
        return TOO_LARGE
    return Snapshot(path.as_uri(), language_of(path), 0, Text(text))
