"""The user's own model families: `models.toml` beside the user's `config.toml`.

It has the same `[[families]]` as our catalog and is tried before it. Only this one place is read,
so a file of a workspace can never say how a prompt is written. A file with a mistake is not used at
all; what is wrong is one sentence, and our own families are used meanwhile.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sirdab.config.settings import config_path
from sirdab.models.catalog_file import CatalogMistakeError, read_families, read_toml
from sirdab.models.family import Family

FILE_NAME = "models.toml"
"""Name of the file, beside `config.toml`."""

# Far above what anybody writes, and little enough to be read at once.
_MAX_BYTES = 1 << 20
_MEANWHILE = "Sirdab uses its own list of models until that is mended."


@dataclass(frozen=True, slots=True)
class UserFamilies:
    """What the user's file says.

    Attributes:
        path: The file, whether or not it exists.
        families: Its families, in their order; empty when there is no usable file.
        problem: One sentence when the file cannot be used; "" otherwise.
    """

    path: Path
    families: tuple[Family, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was when it was read."""

    stamp: tuple[str, int, int]
    families: UserFamilies


_lock = threading.Lock()
_last: _Read | None = None


def models_path() -> Path:
    """Return the path of the user's file, whether or not it exists."""
    return config_path().parent / FILE_NAME


def user_families() -> UserFamilies:
    """Return the user's own families, reading the file again only when it has changed."""
    global _last  # noqa: PLW0603 - one file, one memory of it
    path = models_path()
    stamp = _stamp(path)
    with _lock:
        if _last is not None and _last.stamp == stamp:
            return _last.families
    read = _load(path)
    with _lock:
        _last = _Read(stamp, read)
    return read


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return str(path), 0, -1
    return str(path), stat.st_mtime_ns, stat.st_size


def _load(path: Path) -> UserFamilies:
    from sirdab.models.catalog import families

    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return UserFamilies(path)
    except OSError as error:
        reason = error.strerror or str(error)
        return UserFamilies(path, problem=f"{path} cannot be read: {reason}; {_MEANWHILE}")
    if len(data) > _MAX_BYTES:
        return UserFamilies(path, problem=f"{path} is too long for a list of models; {_MEANWHILE}")
    known = {family.id: family for family in families()}
    try:
        found = _families(read_toml(data.decode("utf-8")), known)
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        return UserFamilies(path, problem=f"{path} is not UTF-8 at {where}; {_MEANWHILE}")
    except CatalogMistakeError as error:
        return UserFamilies(path, problem=f"{path}: {error.message}; {_MEANWHILE}")
    return UserFamilies(path, found)


def _families(tree: Mapping[str, Any], known: Mapping[str, Family]) -> tuple[Family, ...]:
    for key in tree:
        if key != "families":
            raise CatalogMistakeError(f"{key} has no meaning here; write [[families]]")
    return read_families(tree, known=known, ours=False) if tree else ()
