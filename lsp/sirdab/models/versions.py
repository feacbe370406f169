"""Model files that newer ones have replaced: a few of each model, so that one can go back.

They lie in `previous/MODEL/DIGEST.gguf` within the store, on the same disk, so keeping one moves no
bytes.
"""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

KEPT = 2
"""Files of each model that are kept; each may be larger than a gigabyte."""

_NAME = re.compile(r"([0-9a-f]{64})\.gguf")


@dataclass(frozen=True, slots=True)
class Version:
    """A file that was replaced.

    Attributes:
        path: Where it lies now.
        digest: SHA-256 in lower-case hexadecimal.
        size_bytes: Size of the file.
    """

    path: Path
    digest: str
    size_bytes: int


def place(directory: Path, model: str, digest: str) -> Path:
    """Return where a replaced file of a model lies."""
    return directory / model / f"{digest}.gguf"


def kept(directory: Path, model: str) -> list[Version]:
    """Return the replaced files of a model, the one that was replaced last first."""
    found: list[tuple[int, Version]] = []
    with contextlib.suppress(OSError):
        for path in (directory / model).iterdir():
            match = _NAME.fullmatch(path.name)
            if match and path.is_file():
                status = path.stat()
                version = Version(path, match[1], status.st_size)
                # The time of the last change is that of the download; moving it is later.
                found.append((status.st_ctime_ns, version))
    return [version for _, version in sorted(found, key=lambda one: one[0], reverse=True)]


def keep(
    path: Path, directory: Path, model: str, digest: str, *, spare: str = "", most: int = KEPT
) -> Path:
    """Move a file that is about to be replaced here, and delete the oldest that are too many.

    Args:
        path: The file.
        directory: Directory of all replaced files.
        model: The model's id.
        digest: SHA-256 of the file.
        spare: Digest of a file that is never deleted, because it is pinned.
        most: How many to keep of this model.

    Returns:
        Where it lies now.

    Raises:
        OSError: It cannot be moved.
    """
    target = place(directory, model, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    old = [one for one in kept(directory, model) if one.digest not in (digest, spare)]
    for version in old[max(0, most - 1) :]:
        # One that a running engine holds (Windows) goes the next time.
        with contextlib.suppress(OSError):
            version.path.unlink()
    return target


def remove(directory: Path, model: str) -> list[Path]:
    """Delete all replaced files of a model; returns what was deleted.

    Raises:
        OSError: One cannot be deleted.
    """
    removed: list[Path] = []
    for version in kept(directory, model):
        version.path.unlink()
        removed.append(version.path)
    with contextlib.suppress(OSError):
        (directory / model).rmdir()
    return removed
