"""Emacs with eglot and with lsp-mode: completion, and ghost text in Emacs 30."""

from pathlib import Path

import pytest

from tests.e2e.emacs.conftest import OpenEmacs
from tests.support.editors.fixtures import NOT_ASCII
from tests.support.editors.session import Home, ModelServer
from tests.support.editors.terminal import Terminal

pytestmark = pytest.mark.real_editor

ONLY_30 = pytest.mark.parametrize("version", ["30"])
ONLY_28 = pytest.mark.parametrize("version", ["28"])

READY = "[eglot:project]"
COMPLETE = "<Esc><Tab>"  # M-TAB, which terminals send for C-M-i as well.
SAVE = "<C-x><C-s>"


def saved(emacs: Terminal, home: Home, text: str, name: str = "a.py") -> None:
    """Save and hold that the file is exactly this text."""
    emacs.type(SAVE)
    emacs.wait_file(home.project / name, text)


def test_item_is_applied(open_emacs: OpenEmacs, home: Home, model: ModelServer) -> None:
    model.answers("urn_value(", "a)")
    emacs = open_emacs("a.py", "def f(a):\n    \nprint(f(1))\n", "eglot")
    emacs.wait_for(READY)
    emacs.type("<Down><C-e>ret")
    emacs.wait_for("    ret")
    emacs.press_until(COMPLETE, "    return_value(a)")
    saved(emacs, home, "def f(a):\n    return_value(a)\nprint(f(1))\n")
    # It is one step to undo, and behind a space it is asked for as well.
    emacs.type("<C-x>u")
    emacs.wait_gone("return_value")


def test_text_that_is_not_ascii(open_emacs: OpenEmacs, home: Home, model: ModelServer) -> None:
    emacs = open_emacs("a.py", "".join(f"{line}\n# 😀\n" for line in NOT_ASCII), "eglot")
    emacs.wait_for(READY)
    for number in range(len(NOT_ASCII)):
        model.answers(f"sse_{number}")
        emacs.type("<C-e>")
        emacs.press_until(COMPLETE, f"sse_{number}")
        emacs.type("<Down><Down>")
    text = "".join(f"{line}sse_{number}\n# 😀\n" for number, line in enumerate(NOT_ASCII))
    saved(emacs, home, text)


def test_several_lines_are_inserted_as_they_are(
    open_emacs: OpenEmacs, home: Home, model: ModelServer
) -> None:
    model.answers("if a > b:\n", "            return a\n", "        return b\n")
    home.settings(endpoint={"url": model.fake.url}, completion={"multiline": "always"})
    text = "class A:\n    def f(self, a, b):\n        \n"
    emacs = open_emacs("a.py", text, "eglot")
    emacs.wait_for(READY)
    emacs.type("<Down><Down><C-e>")
    emacs.press_until(COMPLETE, "            return a")
    emacs.type(SAVE)
    found = emacs.wait_saved(home.project / "a.py", text)
    # How many lines are offered is the engine's affair; those that are come out as they were.
    whole = text[:-1] + "if a > b:\n            return a\n        return b\n"
    assert whole.startswith(found[:-1])
    assert "            return a" in found


@ONLY_30
def test_ghost_text(open_emacs: OpenEmacs, home: Home, model: ModelServer) -> None:
    model.answers("urn_value(a)")
    emacs = open_emacs("a.py", "def f(a):\n    \n", "eglot", "preview")
    emacs.wait_for(READY)
    emacs.type("<Down><C-e>ret")
    # Emacs asks once for each key; an answer that comes too late for one is there for the next.
    emacs.press_until("<BS>t", "    return_value(a)")
    # Typing along keeps it; what differs asks anew, because the list is incomplete.
    row, column = emacs.cursor()
    emacs.type("u")
    emacs.wait(lambda: emacs.cursor() == (row, column + 1), "the key to be taken")
    emacs.wait_for("    return_value(a)")
    # It is not text.
    saved(emacs, home, "def f(a):\n    retu\n")
    model.answers("known_1")
    emacs.type("<BS>_un")
    emacs.press_until("<BS>n", "    ret_unknown_1")
    emacs.type("<Tab>")
    saved(emacs, home, "def f(a):\n    ret_unknown_1\n")
    # Also where no word begins.
    model.answers("2 + 3")
    emacs.type("<C-e><CR>x = ")
    emacs.press_until("<BS> ", "x = 2 + 3")
    # Enter is Enter.
    emacs.type("<CR>")
    emacs.wait_gone("2 + 3")
    saved(emacs, home, "def f(a):\n    ret_unknown_1\n    x =\n    \n")


@ONLY_28
def test_lsp_mode_add_on(open_emacs: OpenEmacs, home: Home, model: ModelServer) -> None:
    model.answers("urn_value(a)")
    lisp = "(setq lsp-auto-guess-root t lsp-enable-suggest-server-download nil)"
    emacs = open_emacs("a.py", "def f(a):\n    \n", "lsp-mode", lisp=lisp)
    emacs.wait_for("LSP[sirdab")
    emacs.type("<Down><C-e>ret")
    emacs.wait_for("    ret")
    emacs.press_until(COMPLETE, "    return_value(a)")
    saved(emacs, home, "def f(a):\n    return_value(a)\n")


@ONLY_30
@pytest.mark.real_model
def test_ghost_text_of_the_real_model(
    open_emacs: OpenEmacs, home: Home, real_model_path: Path
) -> None:
    home.settings(endpoint={"model": real_model_path.as_posix()})
    source = "def area(width, height):\n    return width * height\n\n\n"
    text = source + "def perimeter(width, height):\n    \n"
    emacs = open_emacs("a.py", text, "eglot", "preview")
    emacs.wait_for(READY)
    emacs.type("<Down>" * 5 + "<C-e>return")

    def ghost() -> bool:
        return any(row.strip().startswith("return ") for row in emacs.rows()[6:])

    emacs.press_until("<BS>n", ghost)
    shown = next(row.strip() for row in emacs.rows()[6:] if row.strip().startswith("return "))
    emacs.type("<Tab>")
    emacs.type(SAVE)
    found = emacs.wait_saved(home.project / "a.py", text)
    assert found.startswith(source)
    assert shown.removesuffix(" …") in found
