"""What is seen is what is inserted: the screen with ghost text is the screen after Tab."""

import pytest

from tests.e2e.neovim.conftest import DISPLAYS, StartEditor, on_displays
from tests.e2e.neovim.harness import Script
from tests.e2e.neovim.steps import assert_no_errors, rule

pytestmark = pytest.mark.real_editor

# Text of the file, keys, rule of the server, options, and the first lines of the screen.
CASES = {
    "several lines": (
        "def add\nend\n",
        "A",
        rule("add", "(a, b):\n    return a\n"),
        "",
        ["def add(a, b):", "    return a", "", "end", "~"],
    ),
    "a tab first": (
        "if x {\n}\n",
        "o",
        rule("{\n", "\tfoo()\n\tbar(a,\tb)"),
        "tabstop=4 noautoindent",
        ["if x {", "    foo()", "    bar(a,  b)", "}", "~"],
    ),
    "tabs around the cursor": (
        "\tx = 1\tend\n",
        "0f1a",
        rule("= 1", " +\t2"),
        "tabstop=4",
        ["    x = 1 + 2   end", "~"],
    ),
    "one line before text": (
        "f(x)\nnext\n",
        "0fxi",
        rule("f(", "first, "),
        "",
        ["f(first, x)", "next", "~"],
    ),
    "several lines before text": (
        "f(x)\nnext\n",
        "0fxi",
        rule("f(", "first,\n  second, "),
        "",
        ["f(first,", "  second, x)", "next", "~"],
    ),
    "several lines before wide text": (
        "漢(字)x\n",
        "0f字i",
        rule("漢(", "é漢,\n  😀, "),
        "",
        ["漢(é漢,", "  😀, 字)x", "~"],
    ),
    "a text that the range covers": (
        "f(old)\n",
        "0foi",
        rule("f(", "brand new", replace="old"),
        "",
        None,
    ),
    "combining characters": (
        "e\u0301 = 1\n",
        "0f=a",
        rule("=", " e\u0301 + n\u0303 + "),
        "",
        ["e\u0301 = e\u0301 + n\u0303 +  1", "~"],
    ),
    "the character that follows, first": (
        "f()\n",
        "0f)i",
        rule("f(", ") + g("),
        "",
        ["f() + g()", "~"],
    ),
    "more than the screen is wide": (
        "x = \nnext\n",
        "A",
        rule("x = ", "'" + 8 * "12345 " + "'"),
        "",
        ["x = '12345 12345 12345 12345 12345 12345", " 12345 12345 '", "next", "~"],
    ),
}


@on_displays(DISPLAYS)
@pytest.mark.parametrize("case", CASES)
def test_screen_shows_what_is_inserted(case: str, start: StartEditor, script: Script) -> None:
    text, keys, the_rule, options, expect = CASES[case]
    script.rules(the_rule)
    editor = start(script.command)
    editor.nvim.command("set columns=40 lines=10")
    editor.open("example.txt", text)
    editor.nvim.command(f"setlocal {options}")
    editor.wait_attached()
    editor.type(keys)
    editor.wait(editor.ghost, "a suggestion")
    shown = editor.screen()[:6]
    if expect is not None:
        assert shown[: len(expect)] == expect
    before = editor.lines()
    editor.type("<Tab>")
    editor.wait(lambda: editor.lines() != before and editor.ghost() is None, "the text")
    inserted = editor.screen()[:6]
    if the_rule.get("replace"):
        # It is shown over what it replaces, which may be longer or shorter.
        assert inserted[0] == "f(brand new)"
        assert shown[0].startswith("f(brand new")
    else:
        assert shown == inserted
    assert_no_errors(editor)
