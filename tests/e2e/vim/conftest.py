"""Fixtures that give the tests a real Vim with ALE."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.editors import EditorUnavailableError
from tests.support.editors.documented import configuration
from tests.support.editors.session import Home, ModelServer, model_server
from tests.support.editors.terminal import Terminal
from tests.support.editors.vim import vim_with_ale

OpenVim = Callable[..., Terminal]


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
def open_vim(home: Home) -> Iterator[OpenVim]:
    """Open files in Vim; it is ended with the test."""
    running: list[Terminal] = []

    def open_file(name: str, text: str) -> Terminal:
        try:
            install = vim_with_ale()
        except EditorUnavailableError as error:
            pytest.skip(str(error))
        rc = home.path / ".vimrc"
        head = [
            "set nocompatible noswapfile viminfo= shortmess+=I encoding=utf-8",
            "set backspace=indent,eol,start",
            "filetype plugin on",
            f"set runtimepath=$VIMRUNTIME,{install.ale}",
        ]
        rc.write_text("\n".join([*head, configuration("vim.md", "ale")]), encoding="utf-8")
        file = home.write(name, text)
        argv = [*install.argv, "-u", str(rc), str(file)]
        terminal = Terminal(argv, cwd=home.project, env=home.environment(**install.env))
        running.append(terminal)
        return terminal

    yield open_file
    for terminal in running:
        terminal.close()
