"""Ghost text in real VS Code, with the real server and a scripted model."""

import pytest

from tests.e2e.vscode.harness import Window
from tests.e2e.vscode.model import ScriptedModel
from tests.e2e.vscode.steps import ASK, accept, ask

pytestmark = [pytest.mark.real_editor]

HEAD = "def total(price, tax):\n    pass\n\n\ndef area(width, height):\n"


def test_tab_accepts_what_is_shown(window: Window, model: ScriptedModel) -> None:
    model.says("width", " * height")
    path = window.open("accept.py", HEAD)
    window.type_text("    return ")
    window.wait_ghost("width * height")
    accept(window, path, HEAD + "    return width * height")


def test_escape_refuses_it(window: Window, model: ScriptedModel) -> None:
    model.says("width", " * height")
    path = window.open("refuse.py", HEAD)
    window.type_text("    return ")
    window.wait_ghost("width * height")
    window.press("Escape")
    window.wait_ghost("")
    window.assert_saved(path, HEAD + "    return ")


def test_typing_along_keeps_it(window: Window, model: ScriptedModel) -> None:
    model.says("width", " * height")
    path = window.open("along.py", HEAD)
    window.type_text("    return ")
    window.wait_ghost("width * height")
    # The model would say something else now; what is on the screen has to stay all the same.
    model.says("nothing")
    for typed in ("w", "i", "d", "t", "h"):
        window.type_text(typed)
        window.wait_ghost("width * height".removeprefix("width"[: "width".index(typed) + 1]))
    accept(window, path, HEAD + "    return width * height")


def test_word_and_line_are_accepted_alone(window: Window, model: ScriptedModel) -> None:
    model.writes("if width < 0:\n        raise ValueError(width)\n    return width * height\n")
    path = window.open("parts.py", HEAD)
    window.type_text("    ")
    window.press(ASK)
    whole = "if width < 0:\n        raise ValueError(width)\n    return width * height"
    window.wait_ghost(whole)
    window.press("Control+Alt+w")
    window.wait_ghost(whole.removeprefix("if"))
    window.press("Control+Alt+w")
    window.wait(lambda: len(window.ghost()) < len(whole) - 2, "a second word")
    assert whole.endswith(window.ghost())
    window.press("Control+Alt+l")
    window.wait(lambda: "<" not in window.ghost(), "the rest of the line to be taken")
    # Tab would indent here, which is VS Code's own way with a suggestion that begins with blanks.
    window.wait_ghost("        raise ValueError(width)\n    return width * height")
    window.press("Control+Alt+l")
    window.wait_ghost("    return width * height")
    window.press("Control+Alt+l")
    window.wait_ghost("")
    window.assert_saved(path, HEAD + "    " + whole)


def test_alternatives_are_shown_one_after_the_other(window: Window, model: ScriptedModel) -> None:
    model.varies("width * height", "height * width", "abs(width * height)")
    path = window.open("next.py", HEAD)
    window.type_text("    return ")
    window.wait_ghost("width * height")
    shown = {window.ghost()}
    for _ in range(3):
        before = window.ghost()
        window.press("Control+Alt+n")
        window.wait(lambda: window.ghost() not in {"", before}, "another suggestion")  # noqa: B023
        shown.add(window.ghost())
    assert shown == {"width * height", "height * width", "abs(width * height)"}
    last = window.ghost()
    accept(window, path, HEAD + "    return " + last)


def test_undo_takes_it_back_as_one_step(window: Window, model: ScriptedModel) -> None:
    model.says("width", " * height")
    path = window.open("undo.py", HEAD)
    window.type_text("    return ")
    window.wait_ghost("width * height")
    window.press("Tab")
    window.wait_ghost("")
    window.press("Control+z")
    window.assert_saved(path, HEAD + "    return ")


def test_a_word_in_code_does_not_open_the_menu(window: Window, model: ScriptedModel) -> None:
    # VS Code's default: while inline completions may come, its menu does not open by itself.
    model.says("dth", " * height")
    path = window.open("word.py", HEAD)
    window.type_text("    return wi")
    window.wait_ghost("dth * height")
    assert not window.menu_is_open()
    accept(window, path, HEAD + "    return width * height")


def test_the_menu_and_the_suggestion_live_together(window: Window, model: ScriptedModel) -> None:
    model.says("dth", " * height")
    path = window.open("menu.py", HEAD)
    window.type_text("    return wi")
    window.wait_ghost("dth * height")
    window.press("Control+Space")
    window.wait(window.menu_is_open, "the menu")
    window.press("Escape")
    window.wait(lambda: not window.menu_is_open(), "the menu to close")
    # Enter and Tab belong to whoever is on the screen; the menu takes Enter while it is open.
    window.press("Control+Space")
    window.wait(window.menu_is_open, "the menu")
    window.press("Enter")
    window.wait(lambda: not window.menu_is_open(), "the menu to close")
    window.assert_saved(path, HEAD + "    return width")


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("umlaut", "größe = "),
        ("emoji", "x = '😀👩‍👩‍👧' + "),
        ("cjk", "x = '漢字かな' + "),
        ("combining", "x = 'e\u0301a\u0308' + "),
        ("arabic", "x = 'سرداب' + "),
    ],
)
def test_text_that_is_not_ascii_stays_as_it_was(
    name: str, before: str, window: Window, model: ScriptedModel
) -> None:
    model.says("str(width", " * 'é😀')")
    path = window.open(f"{name}.py", HEAD + "    " + before)
    window.type_text(" ")
    window.press("Backspace")
    ask(window, "str(width * 'é😀')")
    accept(window, path, HEAD + "    " + before + "str(width * 'é😀')")


def test_text_right_of_the_cursor_is_kept(window: Window, model: ScriptedModel) -> None:
    model.says("width", " * height")
    path = window.open("middle.py", HEAD + "    print('😀', )  # end")
    for _ in range(len(")  # end")):
        window.press("ArrowLeft")
    ask(window, "width * height")
    accept(window, path, HEAD + "    print('😀', width * height)  # end")


def test_line_ends_of_windows_stay(window: Window, model: ScriptedModel) -> None:
    model.says("if width:\n        return height\n")
    head = HEAD.replace("\n", "\r\n")
    path = window.open("dos.py", head + "    ")
    ask(window, "if width:\n        return height")
    accept(window, path, head + "    if width:\r\n        return height")
