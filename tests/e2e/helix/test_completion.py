"""Helix: the suggestion in the completion menu, with positions in UTF-8."""

import pytest

from tests.e2e.helix.conftest import OpenHelix
from tests.support.editors.fixtures import NOT_ASCII
from tests.support.editors.session import Home, ModelServer
from tests.support.editors.terminal import Terminal

pytestmark = pytest.mark.real_editor

DETAIL = "Sirdab · "


def insert(helix: Terminal, keys: str) -> None:
    """Begin to insert."""
    helix.wait_for(" NOR ")
    helix.type(keys)
    helix.wait_for(" INS ")


def saved(helix: Terminal, home: Home, text: str, name: str = "a.py") -> None:
    """Leave insert mode, save, and hold that the file is exactly this text."""
    helix.type("<Esc>")
    helix.wait_for(" NOR ")
    helix.type(":w<CR>")
    helix.wait_file(home.project / name, text)


def test_item_is_shown_with_its_source_and_applied(
    open_helix: OpenHelix, home: Home, model: ModelServer
) -> None:
    model.answers("urn_value(a)")
    helix = open_helix("a.py", "def f(a):\n    \nprint(f(1))\n")
    insert(helix, "jA")
    helix.type("ret")
    # The server may not be there yet at the first key.
    helix.press_until("<BS>t", "return_value(a) ")
    # Nothing is selected, so Enter is Enter.
    helix.type("<CR>")
    helix.wait_gone("return_value")
    helix.type("<BS><BS>")
    saved(helix, home, "def f(a):\n    ret\nprint(f(1))\n")
    insert(helix, "A")
    helix.press_until("<C-x>", "return_value(a) ")
    helix.type("<Tab>")
    helix.wait_for(DETAIL)
    helix.type("<CR>")
    helix.wait_gone(DETAIL)
    saved(helix, home, "def f(a):\n    return_value(a)\nprint(f(1))\n")


def test_when_the_menu_opens(open_helix: OpenHelix, home: Home, model: ModelServer) -> None:
    model.answers("end_1")
    helix = open_helix("a.py", "# That was all\nprint(1)\n")
    # A full stop does not open it in a comment.
    insert(helix, "A.")
    helix.wait_for("was all.")
    helix.type("<Esc>")
    helix.wait_for(" NOR ")
    # Neither a space nor "=" or "(" opens it; Ctrl-x does so anywhere.
    insert(helix, "jo")
    helix.type("x = f(")
    helix.wait_for("x = f(")
    helix.press_until("<C-x>", "end_1")
    helix.type("<Tab>")
    helix.wait_for(DETAIL)
    helix.type("<CR>")
    helix.wait_gone(DETAIL)
    # A full stop opens it in code.
    model.answers("other_2")
    helix.type("<End><CR>y.")
    helix.press_until("<BS>.", "other_2")
    # Ending a prompt at a token takes a little off its end.
    asked = [prompt.splitlines()[-1] for prompt in model.prompts()]
    assert {prompt.removesuffix("(") for prompt in asked} <= {"x = f", "y", "y."}, asked


def test_text_that_is_not_ascii(open_helix: OpenHelix, home: Home, model: ModelServer) -> None:
    helix = open_helix("a.py", "".join(f"{line}\n# 😀\n" for line in NOT_ASCII))
    insert(helix, "A")
    for number in range(len(NOT_ASCII)):
        model.answers(f"sse_{number}")
        helix.press_until("<C-x>", f"sse_{number} ")
        helix.type("<Tab>")
        helix.wait_for(DETAIL)
        helix.type("<CR>")
        helix.wait_gone(DETAIL)
        helix.type("<Down><Down><End>")
    text = "".join(f"{line}sse_{number}\n# 😀\n" for number, line in enumerate(NOT_ASCII))
    saved(helix, home, text)


def test_several_lines_are_inserted_as_they_are(
    open_helix: OpenHelix, home: Home, model: ModelServer
) -> None:
    model.answers("if a > b:\n", "            return a\n", "        return b\n")
    home.settings(endpoint={"url": model.fake.url}, completion={"multiline": "always"})
    text = "class A:\n    def f(self, a, b):\n        \n"
    helix = open_helix("a.py", text)
    insert(helix, "jjA")
    helix.press_until("<C-x>", "if a > b: …")
    helix.type("<Tab>")
    helix.wait_for(DETAIL)
    helix.type("<CR>")
    helix.wait_gone(DETAIL)
    whole = text[:-1] + "if a > b:\n            return a\n        return b\n"
    saved(helix, home, whole)
