"""What may happen around a suggestion must not lose text, show nonsense or raise an error."""

import json
from pathlib import Path

import pytest

from tests.e2e.neovim.conftest import (
    DISPLAYS,
    EACH_VERSION,
    NEWEST,
    OLDEST_AND_NEWEST,
    Display,
    StartEditor,
    on_displays,
)
from tests.e2e.neovim.harness import Editor, Script, lua_string_list
from tests.e2e.neovim.steps import (
    assert_no_errors,
    is_ours,
    open_and_type,
    open_example,
    rule,
    show,
)

pytestmark = pytest.mark.real_editor

NEWEST_DISPLAYS = [display for display in DISPLAYS if display.version == "0.12"]


@pytest.fixture(params=OLDEST_AND_NEWEST, ids=lambda d: f"nvim{d.version}-{d.name}")
def display(request: pytest.FixtureRequest) -> Display:
    """Both displays, each on the Neovim that is furthest from the other's."""
    return request.param


def start_slow_request(start: StartEditor, script: Script) -> Editor:
    """Type until a request is on its way to a server that answers it late, cancelled or not."""
    script.stubborn = True
    slow = rule("x = ", "late", delay_ms=300)
    editor = open_and_type(start, script, "y\n", "Gox = ", slow, rule("z", "zz"))
    editor.wait(script.requests, "a request")
    return editor


def wait_late_answer(editor: Editor, script: Script) -> None:
    editor.wait(script.answered, "the late answer")
    editor.settle()


# --- answers that come late ---------------------------------------------------------------------


def test_late_answer_after_acceptance_is_dropped(start: StartEditor, script: Script) -> None:
    script.stubborn = True
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    editor.wait(script.all_answered, "the server to have noted its answers")
    before = script.answered()
    script.rules(rule("x = f", "irst and more", "or less", delay_ms=300))
    editor.type("f")
    editor.wait(lambda: script.requests()[-1]["character"] == 5, "a request")
    editor.settle()
    script.rules()  # The answer is on its way; nothing is to be said of what comes after.
    editor.type("<Tab>")
    editor.wait_lines(["x = first"])
    editor.wait(lambda: script.answered() > before, "the late answer")
    editor.settle()
    assert editor.ghost() is None
    assert editor.lines() == ["x = first"]


@pytest.mark.parametrize(
    "command",
    [
        "bwipeout!",
        "bdelete!",
        "new | bunload! example.py",
        "edit!",
        "hide edit other.py",
        "only | split",
    ],
)
def test_late_answer_after_the_buffer_went_is_dropped(
    command: str, start: StartEditor, script: Script
) -> None:
    editor = start_slow_request(start, script)
    editor.nvim.command(command)
    if command != "only | split":
        editor.type("<Esc>")
    editor.wait(script.answered, "the late answer")
    editor.open("another.py")
    editor.wait_attached()
    editor.settle()
    assert editor.ghost() is None
    editor.type("<Esc>ddiz")
    editor.wait_ghost("zz")
    assert_no_errors(editor)


def test_late_answer_after_undo_is_dropped(start: StartEditor, script: Script) -> None:
    editor = start_slow_request(start, script)
    editor.type("<Esc>u")
    wait_late_answer(editor, script)
    assert editor.ghost() is None
    assert editor.lines() == ["y"]
    editor.type("ccz")
    editor.wait_ghost("zz")
    assert_no_errors(editor)


def test_late_answer_after_the_server_was_detached_is_dropped(
    start: StartEditor, script: Script
) -> None:
    editor = start_slow_request(start, script)
    detach = "vim.lsp.buf_{}_client(0, require('sirdab.lsp').clients()[1].id)"
    editor.lua(detach.format("detach"))
    wait_late_answer(editor, script)
    assert editor.ghost() is None
    assert not is_ours(editor, "<Tab>")
    editor.lua(detach.format("attach"))
    editor.wait_attached()
    assert is_ours(editor, "<Tab>")
    editor.type("<Esc>ccz")
    editor.wait_ghost("zz")
    assert_no_errors(editor)


def test_detaching_the_server_hides_what_is_shown(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    editor.lua("vim.lsp.buf_detach_client(0, require('sirdab.lsp').clients()[1].id)")
    editor.wait_ghost(None)
    editor.type("<Tab>")
    editor.wait_lines(["x = \t"])
    assert_no_errors(editor)


# --- ways of typing -----------------------------------------------------------------------------


def test_macros_neither_ask_nor_accept(start: StartEditor, script: Script) -> None:
    editor = open_and_type(start, script, "", "qaix = ", rule("x = ", "first"))
    editor.wait(lambda: editor.lines() == ["x = "], "the text")
    editor.lua("vim.wait(300)")  # Longer than either display waits before it asks.
    editor.type("<Tab><Esc>qo<Esc>@a")
    editor.wait_lines(["x = \t", "x = \t"])
    assert script.requests() == []
    editor.type("ox = ")
    editor.wait_ghost("first")
    assert {position["line"] for position in script.requests()} == {2}


def test_repeating_an_insertion_repeats_what_was_typed(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ox = ", rule("x = ", "first"))
    editor.type("<Tab>;<Esc>.")
    editor.wait_lines(["", "x = first;", "x = ;"])
    # The register holds what was typed and none of Neovim's own marks.
    editor.type("o<C-r>.<Esc>")
    editor.wait_lines(["", "x = first;", "x = ;", "x = ;"])
    assert_no_errors(editor)


def test_accepted_text_on_an_indented_line_is_kept(start: StartEditor, script: Script) -> None:
    script.rules(rule("a\n    ", "bc"), rule("bc\n    ", "de\nf"))
    editor = start(script.command)
    editor.open("example.txt", "    a\n")
    editor.nvim.command("setlocal autoindent expandtab shiftwidth=4")
    editor.wait_attached()
    editor.type("o")
    editor.wait_ghost("bc")
    editor.type("<Tab><CR>")
    editor.wait_ghost("de\nf")
    editor.type("<Tab><Esc>")
    editor.wait_lines(["    a", "    bc", "    de", "f"])


def test_snippet_keeps_its_keys_and_its_selection(start: StartEditor, script: Script) -> None:
    editor = open_and_type(start, script, "", "i", rule("for j", "k"))
    editor.wait(script.requests, "the request for the empty line")

    def wait_mode(mode: str) -> None:
        editor.wait(lambda: editor.nvim.api.get_mode()["mode"] == mode, f"the mode {mode}")

    # The mapping of :help vim.snippet.jump(), which newer versions have by themselves.
    editor.lua(
        "vim.keymap.set({'i', 's'}, '<Tab>', function() "
        "return vim.snippet.active({direction = 1}) "
        "and '<Cmd>lua vim.snippet.jump(1)<CR>' or '<Tab>' end, {expr = true})"
    )
    editor.lua("vim.snippet.expand('for ${1:i} in ${2:xs}:$0')")
    wait_mode("s")
    asked = len(script.requests())
    editor.lua("vim.wait(300)")  # Longer than either display waits before it asks.
    assert len(script.requests()) == asked
    editor.type("j")
    editor.wait_ghost("k")
    editor.type("<Tab>")
    editor.wait_lines(["for jk in xs:"])
    editor.type("<Tab>")
    wait_mode("s")
    editor.type("ys")
    editor.wait_lines(["for jk in ys:"])
    editor.type("<Tab>pass<Esc>")
    editor.wait_lines(["for jk in ys:pass"])
    assert is_ours(editor, "<Tab>")
    assert_no_errors(editor)


def test_buffer_in_two_windows(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script, rule("x = ", "first"), text="one\ntwo\nthree\n")
    editor.nvim.command("split | wincmd j")
    editor.type("Gox = ")
    editor.wait_ghost("first")
    editor.type("<Tab>")
    editor.wait_lines(["one", "two", "three", "x = first"])
    assert_no_errors(editor)


def test_going_to_another_window_hides_it(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "one\n", "Gox = ", rule("x = ", "first"))
    editor.nvim.command("new")
    editor.nvim.command("wincmd p")
    editor.type("<Esc>")
    editor.wait_ghost(None)
    assert editor.lines() == ["one", "x = "]
    assert_no_errors(editor)


def test_very_long_line(start: StartEditor, script: Script) -> None:
    line = "漢" * 100_000
    editor = open_and_type(start, script, line + "\n", "A = ", rule("= ", "\tfirst\n2"))
    editor.wait(editor.ghost, "a suggestion")
    editor.type("<Tab>")
    editor.wait_lines([f"{line} = \tfirst", "2"])
    assert_no_errors(editor)


def test_file_in_another_encoding_is_written_in_it(start: StartEditor, script: Script) -> None:
    script.rules(rule("é = ", "'à'"))
    editor = start(script.command)
    path = editor.folder / "example.py"
    path.write_bytes("# ü\n".encode("latin-1"))
    editor.nvim.command(f"edit ++enc=latin1 {path}")
    editor.wait_attached()
    editor.type("oé = ")
    editor.wait_ghost("'à'")
    editor.type("<Tab><Esc>:write<CR>")
    # Neovim empties the file before it writes it.
    written = "# ü\né = 'à'\n".encode("latin-1")
    editor.wait(lambda: path.read_bytes() == written, "the file to be written in its encoding")


# --- keys -----------------------------------------------------------------------------------------


def test_accept_from_a_mapping_that_is_an_expression(start: StartEditor, script: Script) -> None:
    editor = open_and_type(start, script, "", "i", rule("x = ", "first\n2"))
    editor.lua(
        "vim.keymap.set('i', '<C-y>', function() "
        "return require('sirdab').accept() and '' or '!' end, {expr = true})"
    )
    editor.type("<C-y><BS>x = ")
    editor.wait_ghost("first\n2")
    editor.type("<C-y>")
    editor.wait_lines(["x = first", "2"])
    assert_no_errors(editor)


def test_key_that_another_plugin_took_later_is_left_to_it(
    start: StartEditor, script: Script
) -> None:
    editor = start(script.command)
    editor.open("example.py")
    editor.lua("vim.keymap.set('i', '<M-w>', 'before', {buffer = true})")
    editor.wait_attached()
    editor.lua("vim.keymap.set('i', '<Tab>', 'after', {buffer = true})")
    editor.lua("vim.lsp.stop_client(vim.lsp.get_clients())")
    editor.wait(lambda: not is_ours(editor, "<M-l>"), "our keys to be gone")
    editor.type("i<Tab><M-w>")
    editor.wait_lines(["afterbefore"])


# --- servers ------------------------------------------------------------------------------------


@on_displays(EACH_VERSION)
def test_setup_twice_takes_the_newer_options(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script, rule("x = ", "first"))
    for count in (8, 9):
        editor.lua(
            f"require('sirdab').setup({{cmd = {lua_string_list(script.command)}, "
            f"keymap = {{accept = '<C-y>'}}, settings = {{completion = {{maxTokens = {count}}}}}}})"
        )
    editor.wait(
        lambda: (
            [
                message["params"]["settings"]
                for message in script.seen("workspace/didChangeConfiguration")
            ][-1:]
            == [{"sirdab": {"completion": {"maxTokens": 9}}}]
        ),
        "the new settings",
    )
    assert not is_ours(editor, "<Tab>")
    editor.type("ix = ")
    editor.wait_ghost("first")
    editor.type("<C-y>")
    editor.wait_lines(["x = first"])
    assert len(script.seen("initialize")) == 1
    assert_no_errors(editor)


def test_setup_after_start_up_needs_no_plugin_file(start: StartEditor, script: Script) -> None:
    """A plugin manager may put the plugin on the runtime path when Neovim runs already."""
    script.rules(rule("x = ", "first"))
    editor = start(script.command, setup="vim.api.nvim_del_augroup_by_name('sirdab')")
    editor.lua(
        "vim.g.loaded_sirdab = nil; "
        f"require('sirdab').setup({{cmd = {lua_string_list(script.command)}}})"
    )
    editor.open("example.py")
    editor.wait_attached()
    editor.type("ix = ")
    editor.wait_ghost("first")


@on_displays(EACH_VERSION)
def test_files_outside_a_project_share_a_server(start: StartEditor, script: Script) -> None:
    editor = start(script.command)
    for name in ("one.py", "two.py"):
        editor.open(name)
        editor.wait_attached()
    assert len(script.seen("initialize")) == 1


@on_displays(EACH_VERSION)
def test_server_of_one_project_is_started_again_while_another_runs(
    start: StartEditor, script: Script
) -> None:
    script.rules(rule("x = ", "first"))
    editor = start(script.command)
    for project in ("one", "two"):
        (editor.folder / project / ".git").mkdir(parents=True)
        editor.open(f"{project}/example.py")
        editor.wait_attached()
    assert len(script.seen("initialize")) == 2
    editor.kill_server()
    editor.wait(lambda: len(script.seen("initialize")) == 3, "the server to be started again")
    for project in ("one", "two"):
        editor.nvim.command(f"edit {editor.folder / project / 'example.py'}")
        editor.wait_attached()
        editor.type("ccx = ")
        editor.wait_ghost("first")
        editor.type("<Esc>")
        editor.nvim.command("write")


def check_restart(start: StartEditor, script: Script, stop: str, start_again: str) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    before = editor.client()
    if stop:
        editor.lua(stop)
        editor.wait_ghost(None)
        editor.wait(lambda: not is_ours(editor, "<Tab>"), "our keys to be gone")
    editor.nvim.command(start_again)
    editor.wait(lambda: len(script.seen("initialize")) == 2, "a second server")
    # The first one goes when it likes; what it has shown must be gone as well.
    editor.wait_attached(after=before)
    editor.wait(lambda: is_ours(editor, "<Tab>"), "our keys to be back")
    editor.type("<Esc>ccx = ")
    editor.wait_ghost("first")
    editor.type("<Tab>")
    editor.wait_lines(["x = first"])
    assert not any("unexpectedly" in message for message in editor.told())


@on_displays(EACH_VERSION)
@pytest.mark.parametrize(
    "stop",
    [
        "",
        "vim.lsp.stop_client(vim.lsp.get_clients())",
        "vim.lsp.stop_client(vim.lsp.get_clients(), true)",
    ],
    ids=["running", "stopped", "killed by Neovim"],
)
def test_restart(stop: str, start: StartEditor, script: Script) -> None:
    check_restart(start, script, stop, "Sirdab restart")


@on_displays([NEWEST])
def test_restart_by_the_command_of_neovim(start: StartEditor, script: Script) -> None:
    check_restart(start, script, "", "lsp restart sirdab")


def test_restart_of_a_server_that_does_not_end(start: StartEditor, script: Script) -> None:
    script.deaf = True
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    pid, before = editor.server_pid(), editor.client()
    editor.nvim.command("Sirdab restart")
    editor.wait(lambda: len(script.seen("initialize")) == 2, "a second server")
    editor.wait_attached(after=before)
    editor.wait(lambda: editor.server_pid() != pid, "the first one to be gone")
    script.deaf = False
    script.rules()


def test_server_of_another_name_in_the_same_buffer(
    start: StartEditor, script: Script, tmp_path: Path, display: Display
) -> None:
    (tmp_path / "other").mkdir()
    other = Script(tmp_path / "other")
    other.rules(rule("y = ", "from the other"))
    editor = open_example(start, script, rule("x = ", "first"))
    editor.lua(f"vim.lsp.start({{name = 'other', cmd = {lua_string_list(other.command)}}})")
    editor.wait(lambda: editor.lua("return #vim.lsp.get_clients({bufnr = 0})") == 2, "both")
    editor.type("ix = ")
    editor.wait_ghost("first")
    editor.type("<Tab><CR>y = ")
    if display.name == "builtin":
        editor.wait_ghost("from the other")
        editor.type("<Tab>")
        editor.wait_lines(["x = first", "y = from the other"])
        # What was accepted from the other is not there again once ours is typed against.
        editor.type("<CR>x = ")
        editor.wait_ghost("first")
        editor.type("z")
        editor.wait_ghost(None)
        editor.type("<Tab>")
        editor.wait_lines(["x = first", "y = from the other", "x = z\t"])
    editor.type("<CR>x = ")
    editor.wait_ghost("first")
    editor.lua("vim.lsp.stop_client(vim.lsp.get_clients({name = 'sirdab'}))")
    editor.wait_ghost(None)
    editor.wait(lambda: not is_ours(editor, "<Tab>"), "our keys to be gone")
    editor.type("<CR>x = ")
    editor.lua("vim.wait(300)")  # Longer than either display waits before it asks.
    assert editor.ghost() is None
    assert_no_errors(editor)


@on_displays(NEWEST_DISPLAYS)
def test_inline_completion_that_the_user_switched_on_is_shown_once(
    start: StartEditor, script: Script
) -> None:
    script.rules(rule("x = ", "first"))
    editor = start(script.command)
    editor.lua("vim.lsp.inline_completion.enable()")
    editor.open("example.py")
    editor.wait_attached()
    editor.type("ix = ")
    editor.wait_ghost("first")
    editor.lua("vim.wait(300)")  # Longer than the slower display waits before it asks.
    assert editor.ghosts() == ["first"]


@on_displays([NEWEST])
def test_inline_completion_that_the_user_switches_off(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    editor.lua("vim.lsp.inline_completion.enable(false)")
    editor.wait_ghost(None)
    editor.type("y<Tab>")
    editor.wait_lines(["x = y\t"])
    assert_no_errors(editor)


# --- a server that cannot be started --------------------------------------------------------------


@on_displays(EACH_VERSION)
def test_server_that_does_not_start_is_tried_five_times_and_said_once(
    start: StartEditor, tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    program = tmp_path / "old-sirdab"
    program.write_text(
        f"#!/bin/sh\necho x >> '{starts}'\n"
        "echo 'Sirdab needs Python 3.11 or newer; this is Python 3.9.' >&2\nexit 1\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    editor = start([str(program), "--stdio"])
    # The pauses between the starts double from a quarter of a second; the clock is turned ahead.
    editor.lua(
        "_G.pauses = {}; local defer = vim.defer_fn; vim.defer_fn = function(f, ms) "
        "table.insert(_G.pauses, ms); return defer(f, 1) end"
    )
    editor.open("one.py")
    editor.wait(editor.told, "a word about it")
    editor.open("two.py")
    editor.lua("vim.wait(100)")
    (message,) = editor.told()
    for word in (
        "the server did not start (exit code 1: Sirdab needs Python 3.11 or newer; this is",
        'pip install "sirdab[embedded]"',
        "`cmd`",
        ":Sirdab restart",
    ):
        assert word in message
    # Five as a server, and one to hear why.
    assert len(starts.read_text().split()) == 6
    assert [pause for pause in editor.lua("return _G.pauses") if pause >= 250] == [
        *(250, 500, 1000, 2000)
    ]
    editor.nvim.command("Sirdab restart")
    editor.wait(lambda: len(editor.told()) == 2, "a word about the new try")
    assert len(starts.read_text().split()) == 12
    editor.nvim.command("checkhealth sirdab")
    report = "\n".join(editor.lines())
    assert "does not run: Sirdab needs Python 3.11 or newer; this is Python 3.9." in report


def test_command_in_the_home_folder(start: StartEditor, script: Script, tmp_path: Path) -> None:
    command = " ".join(json.dumps(part) for part in script.command)
    program = tmp_path / "my-sirdab"
    program.write_text(f"#!/bin/sh\nexec {command}\n", encoding="utf-8")
    program.chmod(0o755)
    editor = start(["~/my-sirdab", "--stdio"], env={"HOME": str(tmp_path)})
    editor.open("example.py")
    editor.wait_attached()
    assert editor.told() == []


def test_health_check_without_the_program(start: StartEditor) -> None:
    editor = start(["no-such-program-here", "--stdio"])
    editor.nvim.command("checkhealth sirdab")
    report = "\n".join(editor.lines())
    assert 'The program "no-such-program-here" was not found' in report
    assert 'pip install "sirdab[embedded]"' in report
    assert_no_errors(editor)


# --- options --------------------------------------------------------------------------------------


@on_displays([NEWEST])
def test_wrong_option_is_named_and_its_default_is_used(start: StartEditor, script: Script) -> None:
    editor = start(script.command, setup="")
    for option, wrong in {
        "cmd": "'sirdab'",
        "filetypes": "true",
        "exclude_filetypes": "{1}",
        "root_markers": "{a = 'b'}",
        "settings": "3",
        "max_file_bytes": "'4 MB'",
        "keymap": "true",
        "keymap.next": "''",
        "ghost_text": "false",
        "ghost_text.enabled": "1",
        "ghost_text.display": "'none'",
        "ghost_text.debounce_ms": "-1",
        "notify": "'yes'",
        "nonsense": "1",
    }.items():
        *groups, name = option.split(".")
        options = f"{{{name} = {wrong}}}"
        for group in groups:
            options = f"{{{group} = {options}}}"
        problems, same = editor.lua(
            "local config = require('sirdab.config'); "
            f"local got, problems = config.resolve({options}); "
            "return {problems, vim.deep_equal(got, config.defaults)}"
        )
        assert same, option
        (problem,) = problems
        assert problem.startswith(f"{option} "), problem
