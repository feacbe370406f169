"""Fixtures that give the tests a real Helix."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.editors import EditorUnavailableError
from tests.support.editors.documented import configuration
from tests.support.editors.helix import helix
from tests.support.editors.session import Home, ModelServer, model_server
from tests.support.editors.terminal import Terminal

OpenHelix = Callable[..., Terminal]


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


@pytest.fixture
def open_helix(home: Home) -> Iterator[OpenHelix]:
    """Open files in Helix; it is ended with the test."""
    running: list[Terminal] = []

    def open_file(name: str, text: str) -> Terminal:
        try:
            install = helix()
        except EditorUnavailableError as error:
            pytest.skip(str(error))
        folder = home.config / "helix"
        folder.mkdir()
        (folder / "languages.toml").write_text(configuration("helix.md", "languages"))
        file = home.write(name, text)
        argv = [*install.argv, str(file)]
        terminal = Terminal(argv, cwd=home.project, env=home.environment(**install.env))
        running.append(terminal)
        return terminal

    yield open_file
    for terminal in running:
        terminal.close()
