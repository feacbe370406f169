"""Helix, from Debian's suite "forky", with the C library it was built for."""

from dataclasses import dataclass
from pathlib import Path

from tests.support.editors import debian
from tests.support.editors.cache import final_place, run

_SUITE = "forky"


@dataclass(frozen=True, slots=True)
class HelixInstall:
    """How to run Helix.

    Attributes:
        argv: The command without any option.
        env: Environment variables to add to the current ones.
    """

    argv: tuple[str, ...]
    env: dict[str, str]

    def describe(self) -> str:
        """Return the version and where the program is, for a person.

        Raises:
            EditorUnavailableError: The program does not run here.
        """
        version = run([*self.argv, "--version"], "run Helix", env=self.env).splitlines()[0]
        return f"{version} at {self.argv[0]}"


def helix() -> HelixInstall:
    """Return how to run Helix, fetching it first where needed.

    Raises:
        EditorUnavailableError: It cannot be had on this machine.
    """
    root = debian.unpack(
        "helix", ["hx"], suite=_SUITE, with_dependencies="all", finish=_use_own_libraries
    )
    return HelixInstall((str(_program(root)),), {"HELIX_RUNTIME": str(_runtime(root))})


def _use_own_libraries(root: Path) -> None:
    debian.use_own_libraries(_program(root), final_place(root))


def _program(root: Path) -> Path:
    return root / "usr" / "lib" / "hx" / "hx"


def _runtime(root: Path) -> Path:
    return root / "usr" / "lib" / "hx" / "runtime"
