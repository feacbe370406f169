"""Vim with ALE, from the packages of the system's own Debian release."""

from dataclasses import dataclass
from pathlib import Path

from tests.support.editors import debian
from tests.support.editors.cache import run


@dataclass(frozen=True, slots=True)
class VimInstall:
    """How to run Vim with ALE.

    Attributes:
        argv: The command without any option.
        env: Environment variables to add to the current ones.
        ale: The folder of ALE, for the runtime path.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    ale: Path

    def describe(self) -> str:
        """Return the version and where the program is, for a person.

        Raises:
            EditorUnavailableError: The program does not run here.
        """
        version = run([*self.argv, "--version"], "run Vim", env=self.env).splitlines()[0]
        return f"{version} at {self.argv[0]}"


def vim_with_ale() -> VimInstall:
    """Return how to run Vim with ALE, fetching both first where needed.

    Raises:
        EditorUnavailableError: They cannot be had on this machine.
    """
    packages = ["vim", "vim-runtime", "vim-ale"]
    root = debian.unpack("vim-ale", packages)
    runtime = next(path for path in (root / "usr/share/vim").glob("vim[0-9]*") if path.is_dir())
    return VimInstall(
        (str(root / "usr" / "bin" / "vim.basic"),),
        {"LD_LIBRARY_PATH": debian.library_path(root), "VIMRUNTIME": str(runtime)},
        root / "usr" / "share" / "vim-ale",
    )
