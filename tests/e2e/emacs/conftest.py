"""Fixtures that give the tests a real Emacs."""

from collections.abc import Callable

import pytest

from tests.support.editors.documented import configuration
from tests.support.editors.emacs import emacs
from tests.support.editors.fixtures import OpenTerminal, available, home, model, open_terminal
from tests.support.editors.session import Home
from tests.support.editors.terminal import Terminal

__all__ = ["OpenEmacs", "home", "model", "open_emacs", "open_terminal", "version"]

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


@pytest.fixture(params=["28", "30"])
def version(request: pytest.FixtureRequest) -> str:
    """Each Emacs in turn."""
    return request.param


@pytest.fixture
def open_emacs(home: Home, version: str, open_terminal: OpenTerminal) -> OpenEmacs:
    """Open a file in Emacs, with some of the configurations of its page."""

    def open_file(name: str, text: str, *configurations: str, lisp: str = "") -> Terminal:
        install = available(lambda: emacs(version))
        file = home.write(name, text)
        init = home.project.parent / "init.el"
        parts = [_QUIET, *(configuration("emacs.md", found) for found in configurations), lisp]
        init.write_text("\n".join(parts), encoding="utf-8")
        return open_terminal([*install.argv, "-Q", "-nw", "-l", str(init), str(file)], install.env)

    return open_file
