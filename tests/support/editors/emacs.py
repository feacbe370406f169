"""Emacs 28 with eglot 1.9, and Emacs 30, from Debian's suites "bookworm" and its backports."""

from dataclasses import dataclass
from pathlib import Path

from tests.support.editors import debian
from tests.support.editors.cache import EditorUnavailableError, run


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What to unpack.

    Attributes:
        version: The version's first number.
        suite: Debian's name of the suite.
        packages: The packages.
    """

    version: str
    suite: str
    packages: tuple[str, ...]


_RECIPES = {
    "28": _Recipe("28", "bookworm", ("emacs-nox", "elpa-eglot", "elpa-lsp-mode")),
    "30": _Recipe("30", "bookworm-backports", ("emacs-nox",)),
}


@dataclass(frozen=True, slots=True)
class EmacsInstall:
    """How to run one Emacs.

    Attributes:
        argv: The command without any option of the user's.
        env: Environment variables to add to the current ones.
    """

    argv: tuple[str, ...]
    env: dict[str, str]

    def version(self) -> str:
        """Return the first line of `emacs --version`.

        Raises:
            EditorUnavailableError: The program does not run here.
        """
        return run([*self.argv, "--version"], "run Emacs", env=self.env).splitlines()[0]

    def describe(self) -> str:
        """Return the version and where the program is, for a person."""
        return f"{self.version()} at {self.argv[0]}"


def emacs(version: str) -> EmacsInstall:
    """Return how to run an Emacs, fetching it first where needed.

    Args:
        version: "28" or "30".

    Raises:
        EditorUnavailableError: It cannot be had on this machine.
    """
    recipe = _RECIPES[version]
    root = debian.unpack(
        f"emacs-{version}", recipe.packages, suite=recipe.suite, finish=_compile_packages
    )
    install = _at(root)
    found = install.version()
    if not found.startswith(f"GNU Emacs {version}."):
        raise EditorUnavailableError(f"What was fetched calls itself {found!r}.")
    return install


def _at(root: Path) -> EmacsInstall:
    share = next((root / "usr" / "share" / "emacs").glob("[0-9]*"))
    exec_ = next((root / "usr" / "libexec" / "emacs" / share.name).iterdir())
    packages = sorted(root.glob("usr/share/emacs/site-lisp/elpa-src/*"))
    return EmacsInstall(
        # Emacs looks for its parts where it was built to be installed, and must be told.
        (str(root / "usr" / "bin" / "emacs-nox"), f"--dump-file={next(exec_.glob('*.pdmp'))}"),
        {
            "LD_LIBRARY_PATH": debian.library_path(root),
            "EMACSDATA": str(share / "etc"),
            "EMACSDOC": str(share / "etc"),
            "EMACSPATH": str(exec_),
            # The empty entry stands for Emacs' own path, which comes behind the packages.
            "EMACSLOADPATH": ":".join([*map(str, packages), str(share / "lisp"), ""]),
        },
    )


def _compile_packages(root: Path) -> None:
    """Compile Lisp packages, which Debian would do when it installs them."""
    sources = sorted(root.glob("usr/share/emacs/site-lisp/elpa-src/*/*.el"))
    # Not code, and code for an older Emacs.
    left_out = ("-pkg", "-autoloads", "seq-24")
    files = [str(source) for source in sources if not source.stem.endswith(left_out)]
    if files:
        install = _at(root)
        compile_ = ["-Q", "--batch", "--eval", "(setq byte-compile-warnings nil)"]
        aim = "compile the Lisp packages of Emacs"
        run([*install.argv, *compile_, "-f", "batch-byte-compile", *files], aim, env=install.env)
