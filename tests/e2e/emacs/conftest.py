"""Fixtures that give the tests a real Emacs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.editors import EditorUnavailableError
from tests.support.editors.documented import configuration
from tests.support.editors.emacs import EmacsInstall, emacs
from tests.support.editors.session import Home, ModelServer, model_server
from tests.support.editors.terminal import Terminal

OpenEmacs = Callable[..., Terminal]

# What a test needs that is nobody's configuration: no questions, no files beside the project's.
_QUIET = """
(setq inhibit-startup-screen t make-backup-files nil create-lockfiles nil auto-save-default nil
      use-short-answers t ring-bell-function #'ignore
      native-comp-deferred-compilation nil native-comp-jit-compilation nil
      warning-minimum-level :emergency eldoc-idle-delay 1000
      python-indent-guess-indent-offset nil python-shell-interpreter "true")
;; What Emacs does with installed packages at its start.
(dolist (folder load-path)
  (dolist (file (file-expand-wildcards (concat folder "/*-autoloads.el")))
    (load file nil t)))
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Empty user folders."""
    return Home(tmp_path)


@pytest.fixture
def model(home: Home) -> Iterator[ModelServer]:
    """A scripted model server that Sirdab is set to use."""
    with model_server() as server:
        home.settings(endpoint={"url": server.fake.url})
        yield server


def install_of(version: str) -> EmacsInstall:
    """Return an Emacs, or skip the test with the reason why there is none."""
    try:
        return emacs(version)
    except EditorUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["28", "30"])
def version(request: pytest.FixtureRequest) -> str:
    """Each Emacs in turn."""
    return request.param


@pytest.fixture
def open_emacs(home: Home, version: str) -> Iterator[OpenEmacs]:
    """Open files in Emacs; it is ended with the test."""
    running: list[Terminal] = []

    def open_file(name: str, text: str, *configurations: str, lisp: str = "") -> Terminal:
        install = install_of(version)
        file = home.write(name, text)
        init = home.project.parent / "init.el"
        parts = [_QUIET, *(configuration("emacs.md", found) for found in configurations), lisp]
        init.write_text("\n".join(parts), encoding="utf-8")
        argv = [*install.argv, "-Q", "-nw", "-l", str(init), str(file)]
        terminal = Terminal(argv, cwd=home.project, env=home.environment(**install.env))
        running.append(terminal)
        return terminal

    yield open_file
    for terminal in running:
        terminal.close()
