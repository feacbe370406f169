"""Emacs with eglot: a review's findings, and the fix of one."""

import pytest

from tests.e2e.emacs.conftest import OpenEmacs
from tests.support.editors.reviewed import FIXED, SOURCE, TITLE, review_with
from tests.support.editors.session import Home, ModelServer

pytestmark = pytest.mark.real_editor


def test_finding_is_shown_and_fixed(
    version: str, open_emacs: OpenEmacs, home: Home, model: ModelServer
) -> None:
    review_with(model)
    emacs = open_emacs("a.py", SOURCE, "eglot", "review")
    emacs.wait_for("[eglot:project]")
    emacs.type("<M-x>sirdab-review<CR>")
    emacs.wait_for("Sirdab found 1.")
    emacs.type("<M-x>flymake-show-buffer-diagnostics<CR>")
    emacs.wait_for(TITLE)
    emacs.type("<C-x>1" + "<Down>" * 3 + "<M-x>eglot-code-actions<CR>")
    emacs.wait_for(f"Pick an action (default Fix: {TITLE} (by rule))")
    emacs.type("<CR>")
    if version == "28":
        # Eglot 1.9 asks before it lets a server edit; the user sees what is meant.
        emacs.wait_for("Proceed?")
        emacs.type("y")
    # What the editor says of it goes from the screen with the next message.
    emacs.wait_for("basket=None")
    emacs.wait_for("Flymake[0 0]")
    emacs.type("<C-x><C-s>")
    emacs.wait_file(home.project / "a.py", FIXED)
