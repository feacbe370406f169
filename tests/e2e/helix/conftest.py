"""Fixtures that give the tests a real Helix."""

from collections.abc import Callable

import pytest

from tests.support.editors.documented import configuration
from tests.support.editors.fixtures import OpenTerminal, available, home, model, open_terminal
from tests.support.editors.helix import helix
from tests.support.editors.session import Home
from tests.support.editors.terminal import Terminal

__all__ = ["OpenHelix", "home", "model", "open_helix", "open_terminal"]

OpenHelix = Callable[[str, str], Terminal]


@pytest.fixture
def open_helix(home: Home, open_terminal: OpenTerminal) -> OpenHelix:
    """Open a file in Helix."""

    def open_file(name: str, text: str) -> Terminal:
        install = available(helix)
        folder = home.config / "helix"
        folder.mkdir()
        (folder / "languages.toml").write_text(configuration("helix.md", "languages"))
        return open_terminal([*install.argv, str(home.write(name, text))], install.env)

    return open_file
