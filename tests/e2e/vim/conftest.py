"""Fixtures that give the tests a real Vim with ALE."""

from collections.abc import Callable

import pytest

from tests.support.editors.documented import configuration
from tests.support.editors.fixtures import OpenTerminal, available, home, model, open_terminal
from tests.support.editors.session import Home
from tests.support.editors.terminal import Terminal
from tests.support.editors.vim import vim_with_ale

__all__ = ["OpenVim", "home", "model", "open_terminal", "open_vim"]

OpenVim = Callable[[str, str], Terminal]


@pytest.fixture
def open_vim(home: Home, open_terminal: OpenTerminal) -> OpenVim:
    """Open a file in Vim."""

    def open_file(name: str, text: str) -> Terminal:
        install = available(vim_with_ale)
        rc = home.path / ".vimrc"
        head = [
            "set nocompatible noswapfile viminfo= shortmess+=I encoding=utf-8",
            "set backspace=indent,eol,start",
            "filetype plugin on",
            f"set runtimepath=$VIMRUNTIME,{install.ale}",
        ]
        rc.write_text("\n".join([*head, configuration("vim.md", "ale")]), encoding="utf-8")
        argv = [*install.argv, "-u", str(rc), str(home.write(name, text))]
        return open_terminal(argv, install.env)

    return open_file
