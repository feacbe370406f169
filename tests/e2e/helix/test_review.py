"""Helix: a review's findings, and the fix of one."""

import pytest

from tests.e2e.helix.conftest import OpenHelix
from tests.support.editors.reviewed import FIXED, SOURCE, TITLE, review_with
from tests.support.editors.session import Home, ModelServer

pytestmark = pytest.mark.real_editor


def test_finding_is_shown_and_fixed(open_helix: OpenHelix, home: Home, model: ModelServer) -> None:
    review_with(model)
    helix = open_helix("a.py", SOURCE)
    helix.wait_for(" NOR ")
    # Helix shows nothing when a server is ready; a command that comes too early is an error.
    helix.press_until(":lsp-workspace-command sirdab.reviewWorkspace<CR>", TITLE)
    helix.type("jjj a")
    helix.wait_for(f"Fix: {TITLE}")
    helix.type("<CR>")
    helix.wait_for("basket=None")
    helix.wait_gone(TITLE)
    helix.type(":w<CR>")
    helix.wait_file(home.project / "a.py", FIXED)
