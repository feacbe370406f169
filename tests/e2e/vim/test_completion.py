"""Vim with ALE: the suggestion in the completion menu, with positions in UTF-16."""

import pytest

from tests.e2e.vim.conftest import OpenVim
from tests.support.editors.session import Home, ModelServer
from tests.support.editors.terminal import Terminal

pytestmark = pytest.mark.real_editor

SOURCE = "Sirdab · "


def saved(vim: Terminal, home: Home, text: str, name: str = "a.py") -> None:
    """Leave insert mode, save, and hold that the file is exactly this text."""
    vim.type("<Esc>")
    vim.wait_gone("-- ")
    vim.type(":w<CR>")
    vim.wait_file(home.project / name, text)


def test_item_is_shown_with_its_source_and_applied(
    open_vim: OpenVim, home: Home, model: ModelServer
) -> None:
    model.answers("urn_value + 1")
    vim = open_vim("a.py", "def f(a):\n    \nprint(f(1))\n")
    vim.wait_for("def f(a)")
    vim.type("jA")
    vim.wait_for("-- INSERT --")
    # ALE asks while one types; the server may not be there yet at the first key.
    vim.type("ret")
    vim.press_until("<BS>t", SOURCE)
    assert vim.shows("return_value + 1 ")
    # Nothing is selected, so Enter is Enter.
    vim.type("<CR>")
    vim.wait_gone(SOURCE)
    vim.type("<Esc>")
    vim.wait_gone("-- ")
    saved(vim, home, "def f(a):\n    ret\n\nprint(f(1))\n")
    # At the same place ALE would not ask again.
    model.answers("rn_value + 1")
    vim.type("kAu")
    vim.wait_for("-- INSERT --")
    vim.press_until("<BS>u", SOURCE)
    vim.type("<C-n>")
    vim.wait_for("    return_value + 1")
    saved(vim, home, "def f(a):\n    return_value + 1\n\nprint(f(1))\n")


NOT_ASCII = [
    "print('😀👩‍👩‍👧', gr",  # Two UTF-16 units to a code point.
    "print('漢字かな', gr",
    "print('e\u0301t\u0302', gr",  # Combining marks.
]


def test_text_that_is_not_ascii(open_vim: OpenVim, home: Home, model: ModelServer) -> None:
    vim = open_vim("a.py", "".join(f"{line}\n# 😀\n" for line in NOT_ASCII))
    vim.wait_for("# ")
    vim.type("A")
    vim.wait_for("-- INSERT --")
    for number in range(len(NOT_ASCII)):
        model.answers(f"een_{number}")
        vim.press_until("<BS>r", SOURCE)
        vim.type("<C-n>")
        vim.wait_for(f"green_{number}")
        vim.type("<Esc>")
        vim.wait_gone("-- ")
        vim.type("jjA")
        vim.wait_for("-- INSERT --")
    text = "".join(f"{line}een_{number}\n# 😀\n" for number, line in enumerate(NOT_ASCII))
    saved(vim, home, text)
