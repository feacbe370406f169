"""Modes, windows and buffers in which the right thing for ghost text is special, or nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.neovim.conftest import (
    DISPLAYS,
    NEWEST,
    OLDEST_AND_NEWEST,
    OWN_AND_BUILT_IN,
    Display,
    StartEditor,
    on_displays,
)
from tests.e2e.neovim.harness import Editor, Script
from tests.e2e.neovim.steps import (
    assert_no_errors,
    is_ours,
    open_and_type,
    open_example,
    rule,
    show,
)

pytestmark = pytest.mark.real_editor

# Longer than either display, and Neovim itself, waits before it asks.
PAUSE_MS = 300


@pytest.fixture(params=OWN_AND_BUILT_IN, ids=lambda d: f"nvim{d.version}-{d.name}")
def display(request: pytest.FixtureRequest) -> Display:
    return request.param


def assert_quiet(editor: Editor, script: Script, asked: int = 0) -> None:
    """Hold that nothing is asked for nor shown, however long one waits."""
    editor.lua(f"vim.wait({PAUSE_MS})")
    editor.settle()
    assert editor.ghosts() == []
    assert len(script.requests()) == asked
    assert_no_errors(editor)


# --- modes ----------------------------------------------------------------------------------------


@on_displays(DISPLAYS)
@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ("Rx = ", ["x = 56", "123456"]),
        ("gRx = ", ["x = 56", "123456"]),
        ("0<C-v>jIx = ", ["x = 123456", "123456"]),
        ("0<C-v>jcx = ", ["x = 23456", "23456"]),
        ("0<C-v>j$Ax = ", ["123456x = ", "123456"]),
    ],
    ids=["replace", "virtual replace", "block insert", "block change", "block append"],
)
def test_nothing_is_suggested_where_it_would_do_harm(
    keys: str, lines: list[str], start: StartEditor, script: Script
) -> None:
    editor = open_example(start, script, rule("x = ", "first\nsecond"), text="123456\n123456\n")
    editor.type(keys)
    editor.wait_lines(lines)
    assert_quiet(editor, script)
    editor.type("<Tab><Esc>")
    if "C-v" in keys:
        editor.wait(lambda: editor.lines()[1].count("x = \t") == 1, "the block")
    # An ordinary insertion afterwards is served again.
    editor.type("Gox = ")
    editor.wait_ghost("first\nsecond")


def test_block_insert_after_a_visible_suggestion(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "12\n12\n", "ox = ", rule("x = ", "first"))
    editor.type("<Esc>u0<C-v>jIx = ")
    editor.wait(lambda: editor.lines()[0] == "x = 12", "the insertion")
    assert_quiet(editor, script, asked=len(script.requests()))
    editor.type("<Esc>")
    editor.wait_lines(["x = 12", "x = 12"])


def test_option_paste_shows_nothing(start: StartEditor, script: Script) -> None:
    editor = open_and_type(start, script, "", ":set paste<CR>ix = ", rule("x = ", "first"))
    editor.wait_lines(["x = "])
    assert_quiet(editor, script)
    editor.type("<Esc>:set nopaste<CR>A<BS> ")
    editor.wait_ghost("first")


@on_displays(DISPLAYS)
def test_virtual_edit_beyond_the_end_of_a_line(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script, rule("x = ", "first"), text="x = \n")
    editor.nvim.command("set virtualedit=all")
    editor.type("$3li")
    editor.wait(lambda: editor.nvim.api.get_mode()["mode"] == "i", "Insert mode")
    assert_quiet(editor, script)
    editor.type("y<Esc>")
    editor.wait(lambda: editor.lines() == ["x =   y"], "the character")
    editor.type("ox = ")
    editor.wait_ghost("first")
    editor.type("<Tab>")
    editor.wait_lines(["x =   y", "x = first"])


def test_fold_that_typing_opens(start: StartEditor, script: Script) -> None:
    editor = open_example(
        start, script, rule("x = ", "first\nsecond"), text="one\nx = \nthree\nfour\n"
    )
    editor.nvim.command("set foldmethod=manual | 2,3fold")
    assert editor.screen()[1].startswith("+--")
    editor.nvim.api.win_set_cursor(0, [2, 0])
    editor.type("A")
    editor.wait_ghost("first\nsecond")
    assert editor.screen()[1:4] == ["x = first", "second", "three"]
    editor.type("<Tab>")
    editor.wait_lines(["one", "x = first", "second", "three", "four"])


def test_fold_that_is_closed_over_the_cursor(start: StartEditor, script: Script) -> None:
    editor = open_example(
        start, script, rule("x = ", "first\nsecond"), text="one\nx = \nthree\nfour\n"
    )
    editor.nvim.command("set foldmethod=manual foldopen= | 2,3fold")
    editor.nvim.api.win_set_cursor(0, [2, 0])
    editor.type("A")
    editor.wait_ghost("first\nsecond")
    editor.type("<C-o>zc")
    editor.wait_ghost(None)
    editor.wait(lambda: editor.nvim.api.get_mode()["mode"] == "i", "Insert mode")
    assert editor.lua("return vim.fn.foldclosed('.')") == 2
    assert_quiet(editor, script, asked=len(script.requests()))
    assert [row[:3] for row in editor.screen()[:3]] == ["one", "+--", "fou"]
    editor.type("<Tab>")
    editor.wait(lambda: editor.lines()[1] == "x = \t", "a tab")


def test_accepted_lines_do_not_vanish_in_a_fold(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script, rule("x:", "\n    first\n    second"), text="x\nend\n")
    editor.nvim.command("set foldmethod=indent foldlevel=0 shiftwidth=4")
    editor.type("A:")
    editor.wait_ghost("\n    first\n    second")
    editor.type("<Tab>")
    editor.wait_lines(["x:", "    first", "    second", "end"])
    assert editor.screen()[:4] == ["x:", "    first", "    second", "end"]


# --- undo and repetition --------------------------------------------------------------------------


def test_parts_that_were_accepted_are_undone_one_by_one(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "one two\nthree"))
    script.rules()
    editor.type("<M-w>")
    editor.wait_ghost(" two\nthree")
    editor.type("<M-l>")
    editor.wait_ghost("\nthree")
    editor.type("<Tab><Esc>")
    editor.wait_lines(["x = one two", "three"])
    for lines in [["x = one two"], ["x = one"], ["x = "], [""]]:
        editor.type("u")
        editor.wait_lines(lines)


@on_displays(DISPLAYS)
def test_counted_insertion_repeats_what_was_typed(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "3ix = ", rule("x = ", "first;"))
    editor.type("<Tab><Esc>")
    editor.wait_lines(["x = first;x = x = "])


# --- buffers and windows --------------------------------------------------------------------------


@on_displays(OLDEST_AND_NEWEST)
@pytest.mark.parametrize(
    "opener",
    [
        "setlocal buftype=prompt",
        "setlocal buftype=nofile",
        "setlocal buftype=acwrite",
        "setlocal nomodifiable",
    ],
)
def test_buffer_that_becomes_special_is_left_alone(
    opener: str, start: StartEditor, script: Script
) -> None:
    editor = open_example(start, script, rule("x = ", "first"), text="x = \n")
    editor.nvim.command(opener)
    editor.nvim.command("startinsert!")
    editor.lua(f"vim.wait({PAUSE_MS})")
    assert editor.ghost() is None
    assert script.requests() == []


@pytest.mark.parametrize(
    "opener",
    [
        "new | setlocal buftype=nofile | setfiletype python",
        "new | setlocal buftype=prompt | setfiletype python",
        "new | terminal echo x",
        "help",
        "new",
        "enew | setfiletype python",
    ],
)
def test_special_buffers_get_no_server(opener: str, start: StartEditor, script: Script) -> None:
    editor = open_example(start, script)
    editor.nvim.command(opener)
    editor.lua("vim.wait(50)")
    assert editor.lua("return #vim.lsp.get_clients({bufnr = 0})") == 0
    assert not is_ours(editor, "<Tab>")
    assert len(script.seen("textDocument/didOpen")) == 1


def test_command_line_window_gets_nothing(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script, rule("x = ", "first"))
    editor.type("q:ix = ")
    editor.wait_lines(["x = "])
    editor.lua(f"vim.wait({PAUSE_MS})")
    assert editor.ghost() is None
    assert script.requests() == []
    editor.type("<Esc>:q<CR>")
    editor.wait(lambda: editor.nvim.funcs.getcmdwintype() == "", "the window to close")
    editor.type("ix = ")
    editor.wait_ghost("first")
    assert_no_errors(editor)


def test_readonly_file_is_served_and_told_of_by_neovim_alone(
    start: StartEditor, script: Script
) -> None:
    editor = open_example(start, script, rule("x = ", "first"))
    editor.nvim.command("setlocal readonly")
    editor.type("ix = ")
    editor.wait_ghost("first")
    editor.type("<Tab>")
    editor.wait_lines(["x = first"])


@on_displays(DISPLAYS)
def test_tab_pages_and_windows_on_one_buffer(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script, rule("x = ", "first"), text="one\n")
    editor.nvim.command("tab split | vsplit")
    editor.type("Gox = ")
    editor.wait_ghost("first")
    editor.nvim.command("tabprevious")
    editor.wait_ghost(None)
    editor.nvim.command("tabnext")
    editor.nvim.command("stopinsert")
    editor.type("A<BS> ")
    editor.wait_ghost("first")
    editor.type("<Tab>")
    editor.wait_lines(["one", "x = first"])
    assert_no_errors(editor)


@on_displays([NEWEST])
def test_file_above_the_limit_is_left_alone_and_told_once(
    start: StartEditor, script: Script, tmp_path: Path
) -> None:
    script.rules(rule("x = ", "first"))
    editor = start(script.command)
    line = b"0123456789" * 99 + b"\n"
    for name, lines in {"large.py": 106_000, "smaller.py": 5_000}.items():  # 105 and 5 MB
        (tmp_path / name).write_bytes(line * lines)
        editor.nvim.command(f"edit {tmp_path / name}")
        editor.wait(editor.told, "a word about it")
        editor.type("Gox = <Esc>")
        editor.wait(lambda: editor.lua("return vim.fn.getline('$')") == "x = ", "the text")
        editor.nvim.command("bwipeout!")
        (tmp_path / name).unlink()
    (message,) = editor.told()
    assert "large.py is larger than 4194304 bytes" in message
    assert "`max_file_bytes`" in message
    assert script.seen() == []
    editor.open("small.py")
    editor.wait_attached()
    assert_no_errors(editor)


# --- what others are told -------------------------------------------------------------------------


def test_events_and_messages_of_a_suggestion(start: StartEditor, script: Script) -> None:
    editor = open_and_type(start, script, "", "i", rule("x = ", "one two"))
    editor.lua(
        "_G.events = {}; for _, name in ipairs({'SirdabShown', 'SirdabAccepted'}) do "
        "vim.api.nvim_create_autocmd('User', {pattern = name, callback = function(e) "
        "table.insert(_G.events, name .. (e.data.part or '')) end}) end"
    )
    editor.type("x = ")
    editor.wait_ghost("one two")
    editor.type("<M-w>")
    editor.wait_ghost(" two")
    editor.type("<Tab>")
    editor.wait_lines(["x = one two"])
    events = ["SirdabShown", "SirdabAcceptedword", "SirdabAcceptedfull"]
    editor.wait(lambda: [*dict.fromkeys(editor.lua("return _G.events"))] == events, "the events")
    editor.wait(lambda: len(script.seen("workspace/executeCommand")) == 2, "the commands")
    shown = [m["params"]["id"] for m in script.seen("sirdab/didShow")]
    assert shown
    accepted = [m["params"]["arguments"] for m in script.seen("workspace/executeCommand")]
    assert [part for _, part in accepted] == ["word", "full"]
    assert {name for name, _ in accepted} <= set(shown)


@on_displays(DISPLAYS)
def test_cursor_that_moves_away_from_a_request_is_told(start: StartEditor, script: Script) -> None:
    slow = rule("x = ", "first", delay_ms=5000)
    editor = open_and_type(start, script, "", "ix = ", slow)
    editor.wait(script.requests, "a request")
    editor.settle()
    assert script.seen("sirdab/didMoveCursor") == []
    editor.type("<Left>")
    editor.wait(lambda: script.seen("sirdab/didMoveCursor"), "word of the move")
    (message,) = script.seen("sirdab/didMoveCursor")
    assert message["params"]["position"] == {"line": 0, "character": 3}
    assert message["params"]["textDocument"]["uri"].endswith("example.py")
    first = script.seen("textDocument/inlineCompletion")[0]["id"]
    editor.wait(
        lambda: first in [m["params"]["id"] for m in script.seen("$/cancelRequest")],
        "its cancellation",
    )


@on_displays(DISPLAYS)
def test_hide_and_show_again(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    editor.lua("require('sirdab').hide()")
    assert editor.ghost() is None
    editor.type("f")
    editor.wait_lines(["x = f"])
    assert_quiet(editor, script, asked=len(script.requests()))
    editor.lua("require('sirdab').hide(false)")
    editor.wait_ghost("irst")


def test_keymap_false_maps_nothing_and_plug_maps_exist(start: StartEditor, script: Script) -> None:
    script.rules(rule("x = ", "first second\nthird"))
    editor = start(script.command, "keymap = false")
    editor.open("example.py")
    editor.wait_attached()
    assert editor.lua("return #vim.api.nvim_buf_get_keymap(0, 'i')") == 0
    plugs = ["accept", "accept-word", "accept-line", "next", "dismiss"]
    ours: Callable[[], list[str]] = lambda: sorted(  # noqa: E731
        m["lhs"] for m in editor.nvim.api.get_keymap("i") if "Sirdab" in m.get("desc", "")
    )
    assert ours() == sorted(f"<Plug>(sirdab-{name})" for name in plugs)
    for number, name in enumerate(plugs, 1):
        editor.lua(f"vim.keymap.set('i', '<F{number}>', '<Plug>(sirdab-{name})')")
    editor.type("ix = ")
    editor.wait_ghost("first second\nthird")
    editor.type("<F5>")
    editor.wait_ghost(None)
    editor.type("<F4>")
    editor.wait_ghost("first second\nthird")
    for key, lines in {
        "<F2>": ["x = first"],
        "<F3>": ["x = first second"],
        "<F1>": ["x = first second", "third"],
    }.items():
        editor.type(key)
        editor.wait_lines(lines)
