"""Sirdab beside what else completes: Neovim's own menus and plugins."""

import pytest

from tests.e2e.neovim.conftest import (
    OWN_AND_BUILT_IN,
    Display,
    StartEditor,
    on_displays,
)
from tests.e2e.neovim.harness import Editor, Script, lua_string_list
from tests.e2e.neovim.steps import assert_no_errors, open_example, rule
from tests.support.editors.fixtures import available
from tests.support.editors.plugins import mini_nvim

pytestmark = pytest.mark.real_editor


@pytest.fixture(params=OWN_AND_BUILT_IN, ids=lambda d: f"nvim{d.version}-{d.name}")
def display(request: pytest.FixtureRequest) -> Display:
    return request.param


def wait_menu(editor: Editor, visible: bool) -> None:
    what = "the menu" if visible else "no menu"
    editor.wait(lambda: editor.nvim.funcs.pumvisible() == int(visible), what)


def test_enter_is_never_taken(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script, rule("x = ", "first"))
    editor.type("ix = ")
    editor.wait_ghost("first")
    editor.type("<CR>")
    editor.wait_lines(["x = ", ""])
    assert "Sirdab" not in editor.nvim.funcs.maparg("<CR>", "i")


@pytest.mark.parametrize("key", ["<Tab>", "<CR>", "<C-y>", "<C-n>"])
def test_keys_are_the_menus_while_it_is_open(key: str, start: StartEditor, script: Script) -> None:
    editor = open_example(start, script, rule("fir", "st of all"), text="firsts\nfirsty\n")
    editor.lua(
        "vim.keymap.set('i', '<Tab>', function() "
        "return vim.fn.pumvisible() == 1 and '<C-n>' or '<Tab>' end, {expr = true})"
    )
    editor.type("Gofir")
    editor.wait_ghost("st of all")
    editor.type("<C-n>")
    wait_menu(editor, True)
    editor.wait_ghost(None)
    selected = editor.lines()[-1]
    assert selected == "firsts"
    editor.type(key)
    expect = {"<CR>": "firsts", "<C-y>": "firsts"}.get(key, "firsty")
    editor.wait(lambda: expect in editor.lines(), f"the line {expect!r}")
    assert "first of all" not in editor.lines()
    assert_no_errors(editor)


def test_menu_of_a_language_server_that_opens_by_itself(start: StartEditor, script: Script) -> None:
    """`vim.lsp.completion.enable()` with `autotrigger`, with a server beside ours."""
    editor = open_example(start, script, rule("obj.", "first()"), rule("y = ", "2"))
    editor.lua(
        """
        vim.o.completeopt = "menuone,noselect"
        local function server(dispatchers)
          local closing = false
          local provider = { triggerCharacters = { "." } }
          local answers = {
            initialize = { capabilities = { completionProvider = provider } },
            ["textDocument/completion"] = { { label = "alpha" }, { label = "beta" } },
          }
          return {
            request = function(method, _, callback)
              callback(nil, answers[method])
              return true, 1
            end,
            notify = function() return true end,
            is_closing = function() return closing end,
            terminate = function() closing = true; dispatchers.on_exit(0, 0) end,
          }
        end
        vim.lsp.start({ name = "other", cmd = server, on_attach = function(client, bufnr)
          vim.lsp.completion.enable(true, client.id, bufnr, { autotrigger = true })
        end })
        """
    )
    editor.wait(lambda: editor.lua("return #vim.lsp.get_clients({bufnr = 0})") == 2, "both")
    editor.type("iobj.")
    wait_menu(editor, True)
    editor.wait_ghost(None)
    # Nothing is selected, so Tab and Enter are what they are.
    editor.type("<C-e>")
    wait_menu(editor, False)
    editor.wait_ghost("first()")
    editor.type("<Tab><CR>y = ")
    editor.wait_ghost("2")
    editor.type("<Tab>")
    editor.wait_lines(["obj.first()", "y = 2"])
    assert_no_errors(editor)


@pytest.fixture
def with_mini(start: StartEditor, script: Script) -> Editor:
    """An editor with mini.completion, set up before Sirdab as most configurations would."""
    folder = available(mini_nvim)
    setup = (
        f"vim.opt.runtimepath:append('{folder}'); require('mini.completion').setup({{}}); "
        f"require('sirdab').setup({{cmd = {lua_string_list(script.command)}}})"
    )
    editor = start(script.command, setup=setup)
    editor.open("example.py", "firsts\nfirsty\n")
    editor.wait_attached()
    return editor


def test_mini_completion(with_mini: Editor, script: Script) -> None:
    editor = with_mini
    script.rules(rule("fir", "st of all"), rule("x = ", "1 + 2"))
    editor.type("Gox = ")
    editor.wait_ghost("1 + 2")
    editor.type("<Tab><CR>fir")
    # Its menu opens by itself a moment after the last key, and the ghost text gives way.
    wait_menu(editor, True)
    editor.wait_ghost(None)
    editor.type("<C-n><C-y>")
    editor.wait(lambda: editor.lines()[-1] == "firsts", "its completion")
    editor.type("<CR>x = ")
    editor.wait_ghost("1 + 2")
    editor.type("<M-w>")
    editor.wait_ghost(" + 2")
    editor.type("<Tab>")
    editor.wait_lines(["firsts", "firsty", "x = 1 + 2", "firsts", "x = 1 + 2"])
    assert_no_errors(editor)


def test_mini_completion_is_named_by_the_health_check(with_mini: Editor) -> None:
    with_mini.nvim.command("checkhealth sirdab")
    report = "\n".join(with_mini.lines())
    assert "mini.completion: its menu hides the ghost text" in report
    assert "ERROR" not in report


@on_displays(OWN_AND_BUILT_IN[:1])
def test_key_that_another_plugin_took_is_named_by_the_health_check(
    start: StartEditor, script: Script
) -> None:
    editor = open_example(start, script)
    editor.lua("vim.keymap.set('i', '<Tab>', 'x', {buffer = true, desc = 'a menu of mine'})")
    editor.nvim.command("checkhealth sirdab")
    report = "\n".join(editor.lines())
    assert "Accept the suggestion: <Tab>, but another mapping took it: a menu of mine" in report


def test_functions_for_the_mappings_of_others(start: StartEditor, script: Script) -> None:
    """The mapping that the help gives for nvim-cmp and blink.cmp: ours first, then theirs."""
    script.rules(rule("x = ", "1"))
    editor = start(script.command, "keymap = {accept = false}")
    editor.open("example.py")
    editor.wait_attached()
    editor.lua(
        "vim.keymap.set('i', '<Tab>', function() "
        "if not require('sirdab').accept() then vim.api.nvim_feedkeys('!', 'n', false) end end)"
    )
    editor.type("i<Tab>")
    editor.wait_lines(["!"])
    editor.type("x = ")
    editor.wait_ghost("1")
    assert editor.lua("return require('sirdab').visible()")
    editor.type("<Tab>")
    editor.wait_lines(["!x = 1"])
