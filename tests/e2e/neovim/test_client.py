"""The Neovim client against a scripted server: what a user sees, in every way of showing it."""

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
from tests.e2e.neovim.harness import Editor, Script
from tests.e2e.neovim.steps import (
    assert_no_errors,
    is_ours,
    kill_and_wait,
    open_and_type,
    open_example,
    rule,
    show,
)

pytestmark = pytest.mark.real_editor

NEWEST_DISPLAYS = [display for display in DISPLAYS if display.version == "0.12"]

FUNCTION = {"after": "def add", "texts": ["(a, b):\n    return a + b"]}


# Cases of "type, see it, accept it": text of the file, keys, rule, ghost text, lines after Tab.
CASES = {
    "one line": ("", "ix = ", rule("x = ", "1 + 2"), "1 + 2", ["x = 1 + 2"]),
    "several lines": (
        "",
        "idef add",
        FUNCTION,
        "(a, b):\n    return a + b",
        ["def add(a, b):", "    return a + b"],
    ),
    "text right of the cursor": (
        "f() + 1",
        "0f)i",
        rule("f(", "first, second"),
        "first, second",
        ["f(first, second) + 1"],
    ),
    "text right of the cursor that the range covers": (
        "f()",
        "0f)i",
        rule("f(", "first)", replace=")"),
        "first",
        ["f(first)"],
    ),
    "a line with accents": ("", "ié = ", rule("é = ", "'à'"), "'à'", ["é = 'à'"]),
    "a line with wide characters": (
        "",
        "i漢字 = ",
        rule("漢字 = ", "'漢'  # 字"),
        "'漢'  # 字",
        ["漢字 = '漢'  # 字"],
    ),
    "characters outside the basic plane": (
        "t = '😀' + x",
        "0fxi",
        rule("'😀' + ", "'😃' or "),
        "'😃' or ",
        ["t = '😀' + '😃' or x"],
    ),
}


@on_displays(DISPLAYS)
@pytest.mark.parametrize(
    ("case", "encoding"),
    [
        *((case, "utf-8") for case in CASES),
        *((case, other) for case in list(CASES)[-3:] for other in ("utf-16", "utf-32")),
    ],
)
def test_suggestion_is_shown_and_accepted(
    case: str, encoding: str, start: StartEditor, script: Script
) -> None:
    text, keys, the_rule, ghost, lines = CASES[case]
    script.encoding = encoding
    editor = open_and_type(start, script, text, keys, the_rule)
    editor.wait_ghost(ghost)
    editor.type("<Tab>")
    editor.wait_lines(lines)
    editor.wait(lambda: script.seen("workspace/executeCommand"), "the command of the suggestion")
    assert_no_errors(editor)


def test_cursor_is_after_accepted_text(start: StartEditor, script: Script) -> None:
    editor = open_and_type(start, script, "", "idef add", FUNCTION)
    editor.wait_ghost("(a, b):\n    return a + b")
    editor.type("<Tab>  # 漢")
    editor.wait_lines(["def add(a, b):", "    return a + b  # 漢"])


def test_typing_along_keeps_the_suggestion(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first + second"))
    script.rules()  # From here on the server knows nothing: what stays, stays by itself.
    editor.type("fir")
    editor.wait_ghost("st + second")
    editor.type("st<Tab>")
    editor.wait_lines(["x = first + second"])


def test_typing_along_over_a_line_end_keeps_the_suggestion(
    start: StartEditor, script: Script
) -> None:
    editor = show(start, script, "", "ia", rule("a", "b\ncd\nef"))
    script.rules()
    editor.type("b\nc")
    editor.wait_ghost("d\nef")
    editor.type("<Tab>")
    editor.wait_lines(["ab", "cd", "ef"])


def test_typing_something_else_hides_it(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    editor.type("2")
    editor.wait_ghost(None)
    # Tab is a tab again: the suggestion is gone for good, not only from the screen.
    editor.type("<Tab>")
    editor.wait_lines(["x = 2\t"])


def test_answer_that_comes_late_is_moved_along(start: StartEditor, script: Script) -> None:
    slow = rule("x = ", "first + second", delay_ms=400)
    editor = open_and_type(start, script, "", "ix = ", slow)
    editor.wait(lambda: script.seen("textDocument/inlineCompletion"), "a request")
    editor.type("fi")
    editor.wait_ghost("rst + second")
    editor.type("<Tab>")
    editor.wait_lines(["x = first + second"])


def test_superseded_request_is_cancelled(start: StartEditor, script: Script) -> None:
    slow = rule("x = ", "first + second", delay_ms=5000)
    editor = open_and_type(start, script, "", "ix = ", slow)
    editor.wait(lambda: script.seen("textDocument/inlineCompletion"), "a request")
    first = script.seen("textDocument/inlineCompletion")[0]["id"]
    script.rules(rule("f", "g"))
    editor.type("f")
    editor.wait_ghost("g")
    assert first in [m["params"]["id"] for m in script.seen("$/cancelRequest")]


def test_accept_word(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "foo.bar(1)\n  café"))
    script.rules()
    for key, lines, ghost in [
        ("<M-w>", ["x = foo"], ".bar(1)\n  café"),
        ("<M-w>", ["x = foo."], "bar(1)\n  café"),
        ("<M-w>", ["x = foo.bar"], "(1)\n  café"),
        ("<M-w>", ["x = foo.bar("], "1)\n  café"),
        ("<M-l>", ["x = foo.bar(1)"], "\n  café"),
        ("<M-w>", ["x = foo.bar(1)", "  café"], None),
    ]:
        editor.type(key)
        editor.wait_lines(lines)
        editor.wait_ghost(ghost)
    editor.wait(lambda: len(script.seen("workspace/executeCommand")) == 6, "six commands")
    kinds = [m["params"]["arguments"][1] for m in script.seen("workspace/executeCommand")]
    assert kinds == ["word", "word", "word", "word", "line", "word"]
    assert_no_errors(editor)


@on_displays(DISPLAYS)
def test_going_back_over_what_was_accepted(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first second\nthird"))
    script.rules()
    editor.type("<M-w>")
    editor.wait_ghost(" second\nthird")
    editor.type("<BS><BS>")
    editor.wait_ghost("st second\nthird")
    editor.type("s<BS>")
    editor.wait_ghost("st second\nthird")
    editor.type("<Tab>")
    editor.wait_lines(["x = first second", "third"])


def test_accept_line(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix", rule("x", "1\n2\n3"))
    script.rules()
    for lines, ghost in [(["x1"], "\n2\n3"), (["x1", "2"], "\n3"), (["x1", "2", "3"], None)]:
        editor.type("<M-l>")
        editor.wait_lines(lines)
        editor.wait_ghost(ghost)


def test_next_asks_and_cycles(start: StartEditor, script: Script) -> None:
    texts = ["one", "oh two", "o three"]
    answer = {"after": "x = ", "texts": texts}
    editor = open_example(start, script, answer)
    editor.type("ix = ")
    editor.wait(lambda: editor.ghost() is not None, "a suggestion")
    seen: list[str] = []
    for _ in range(3):
        before = editor.ghost()
        editor.type("<M-]>")
        editor.wait(lambda before=before: editor.ghost() not in (None, before), "another one")
        seen.append((editor.ghost() or "").split(" (")[0])
    assert sorted(seen) == sorted(texts)
    kinds = [
        m["params"]["context"]["triggerKind"] for m in script.seen("textDocument/inlineCompletion")
    ]
    assert kinds.count(1) == 1
    editor.type("<Tab>")
    editor.wait_lines(["x = " + seen[-1]])


def test_dismiss_lasts_until_the_text_changes(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    asked = len(script.seen("textDocument/inlineCompletion"))
    editor.type("<C-]>")
    editor.wait_ghost(None)
    editor.type("<Left><Right>f")
    editor.wait_ghost("irst")
    requests = script.seen("textDocument/inlineCompletion")[asked:]
    assert [m["params"]["position"]["character"] for m in requests] == [5]
    assert_no_errors(editor)


def test_undo_takes_back_the_suggestion_alone(start: StartEditor, script: Script) -> None:
    editor = open_and_type(start, script, "", "iy<Esc>ox = ", FUNCTION, rule("x = ", "1\n2"))
    editor.wait_ghost("1\n2")
    editor.type("<Tab>")
    editor.wait_lines(["y", "x = 1", "2"])
    editor.type("3<Esc>")
    editor.wait_lines(["y", "x = 1", "23"])
    for lines in [["y", "x = 1", "2"], ["y", "x = "], ["y"], [""]]:
        editor.type("u")
        editor.wait_lines(lines)
    editor.type("<C-r><C-r><C-r><C-r>")
    editor.wait_lines(["y", "x = 1", "23"])


def test_leaving_insert_mode_hides_it(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    editor.type("<Esc>")
    editor.wait_ghost(None)
    editor.type("a")
    editor.wait_ghost("first")


def test_moving_the_cursor_hides_it(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    editor.type("<Left>")
    editor.wait_ghost(None)


def test_popup_menu_hides_it(start: StartEditor, script: Script) -> None:
    editor = open_and_type(
        start, script, "firsts\nfirsty\n", "Gofir", rule("fir", "st"), rule("o", "p")
    )
    editor.wait_ghost("st")
    editor.type("<C-n>")
    editor.wait(lambda: editor.nvim.funcs.pumvisible() == 1, "the popup menu")
    editor.wait_ghost(None)
    editor.type("<C-e>")
    editor.wait(lambda: editor.nvim.funcs.pumvisible() == 0, "no popup menu")
    editor.wait_ghost("st")
    assert_no_errors(editor)


@on_displays(OLDEST_AND_NEWEST)
@pytest.mark.parametrize(
    ("mapping", "expect"),
    [
        ("", ["\t"]),
        ("vim.keymap.set('i', '<Tab>', 'plain')", ["plain"]),
        ("vim.keymap.set('i', '<Tab>', function() return 'expr' end, {expr = true})", ["expr"]),
        (
            "vim.keymap.set('i', '<Tab>', function() vim.api.nvim_paste('put', true, -1) end)",
            ["put"],
        ),
        ("vim.keymap.set('i', '<Tab>', '<C-v>u00e9')", ["é"]),
        ("vim.keymap.set('i', '<Tab>', '<Tab>x')", ["\tx"]),
    ],
    ids=["no mapping", "text", "expression", "function", "keys", "itself"],
)
def test_tab_does_what_it_did_when_nothing_is_shown(
    mapping: str, expect: list[str], start: StartEditor, script: Script
) -> None:
    editor = open_example(start, script)
    editor.lua(mapping)  # After ours: a plugin that loads late.
    editor.type("i<Tab><Esc>")
    editor.wait_lines(expect)
    assert_no_errors(editor)


def test_keys_can_be_chosen(start: StartEditor, script: Script) -> None:
    script.rules(rule("x = ", "1"))
    editor = start(script.command, "keymap = {accept = '<C-y>', dismiss = false}")
    editor.open("example.py")
    editor.wait_attached()
    editor.type("ix = ")
    editor.wait_ghost("1")
    assert not is_ours(editor, "<Tab>")
    assert not is_ours(editor, "<C-]>")
    editor.type("<C-y>")
    editor.wait_lines(["x = 1"])


@on_displays([d for d in EACH_VERSION if d.version != "0.10"])
def test_plain_lsp_enable_shows_suggestions_and_maps_no_key(
    start: StartEditor, script: Script
) -> None:
    script.rules(rule("x = ", "1"))
    settings = "{sirdab = {completion = {maxTokens = 7}}}"
    command = json.dumps(script.command).replace("[", "{").replace("]", "}")
    editor = start(
        script.command,
        setup=f"vim.lsp.config('sirdab', {{cmd = {command}, settings = {settings}}}); "
        "vim.lsp.enable('sirdab')",
    )
    editor.open("example.py")
    editor.wait_attached()
    assert not is_ours(editor, "<Tab>")
    editor.lua("vim.keymap.set('i', '<C-y>', '<Plug>(sirdab-accept)')")
    editor.type("ix = ")
    editor.wait_ghost("1")
    editor.type("<C-y>")
    editor.wait_lines(["x = 1"])
    options = script.seen("initialize")[0]["params"]["initializationOptions"]
    assert options == {"completion": {"maxTokens": 7}}


def test_settings_reach_the_server_both_ways(start: StartEditor, script: Script) -> None:
    editor = start(script.command, "settings = {completion = {maxTokens = 7}}")
    editor.open("example.py")
    editor.wait_attached()
    wanted = {"completion": {"maxTokens": 7}}
    params = script.seen("initialize")[0]["params"]
    assert params["initializationOptions"] == wanted
    assert params["capabilities"]["textDocument"]["inlineCompletion"] is not None
    editor.wait(lambda: [m for m in script.seen() if m.get("id") == "configuration"], "an answer")
    (answer,) = [m for m in script.seen() if m.get("id") == "configuration"]
    assert answer["result"] == [wanted]


@on_displays([NEWEST])
@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("keymaps = {}", "keymaps"),
        ("keymap = {accpet = '<Tab>'}", "keymap.accpet"),
        ("keymap = 3", "keymap must be"),
        ("root_markers = 'x'", "root_markers must be"),
    ],
)
def test_wrong_option_is_said_once_and_the_rest_works(
    options: str, word: str, start: StartEditor, script: Script
) -> None:
    script.rules(rule("x = ", "1"))
    editor = start(script.command, options)
    editor.open("example.py")
    editor.wait_attached()
    (message,) = editor.told()
    assert word in message
    editor.type("ix = ")
    editor.wait_ghost("1")


@on_displays(OLDEST_AND_NEWEST)
def test_missing_program_is_said_once(start: StartEditor) -> None:
    editor = start(["no-such-program-here", "--stdio"])
    editor.open("one.py")
    editor.open("two.py")
    editor.wait(editor.told, "a word about it")
    (message,) = editor.told()
    assert "no-such-program-here" in message
    assert 'pip install "sirdab[embedded]"' in message
    assert_no_errors(editor)


def test_keys_typed_before_the_server_is_attached_count(start: StartEditor, script: Script) -> None:
    script.rules(rule("x = ", "1"))
    editor = start(script.command)
    editor.open("example.py")
    editor.type("ix = ")
    editor.wait_ghost("1")
    editor.type("<Esc>")
    editor.nvim.command("edit!")  # Detaches the server and attaches it again.
    editor.type("ix = ")
    editor.wait_ghost("1")
    assert_no_errors(editor)


def test_server_that_is_killed_is_started_again(start: StartEditor, script: Script) -> None:
    editor = open_and_type(start, script, "", "ix = ", rule("x = ", "first"), rule("f", "oo"))
    editor.wait_ghost("first")
    pid = editor.server_pid()
    kill_and_wait(editor)
    assert editor.server_pid() != pid
    editor.type("f")
    editor.wait_ghost("irst")
    editor.type("<Tab>")
    editor.wait_lines(["x = first"])


@on_displays(OLDEST_AND_NEWEST)
def test_server_that_dies_too_often_is_left_alone(start: StartEditor, script: Script) -> None:
    editor = start(script.command)
    # The pauses between restarts double from a quarter of a second; the clock is turned ahead.
    editor.lua("local defer = vim.defer_fn; vim.defer_fn = function(f, _) return defer(f, 1) end")
    editor.open("example.py")
    killed = None
    for count in range(1, 6):
        editor.wait(lambda count=count: len(script.seen("initialized")) == count, f"server {count}")
        editor.wait_attached(after=killed)
        killed = editor.client()
        editor.kill_server()
    editor.wait(lambda: "left alone" in editor.told()[-1], "the last word")
    assert [message.split(";")[0] for message in editor.told()] == [
        "sirdab: the server stopped unexpectedly (signal 9)",
        "sirdab: the server is running again.",
        "sirdab: the server died 5 times in 3 minutes and is left alone",
    ]
    assert editor.lua("return #require('sirdab.lsp').clients()") == 0
    editor.open("another.py")
    editor.lua("vim.wait(100)")
    assert len(script.seen("initialize")) == 5
    editor.nvim.command("Sirdab restart")
    editor.wait_attached()


def test_server_that_is_stopped_stays_stopped(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script)
    assert is_ours(editor, "<Tab>")
    editor.lua("for _, c in ipairs(vim.lsp.get_clients()) do c:stop() end")
    stopped = "sirdab: stopped"
    editor.wait(lambda: editor.lua("return require('sirdab').status()") == stopped, stopped)
    assert editor.told() == []
    assert not is_ours(editor, "<Tab>")


@on_displays(OLDEST_AND_NEWEST)
def test_offline_model_is_said_once_and_its_return_too(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script)

    def becomes(state: str) -> None:
        editor.lua(
            "local client = require('sirdab.lsp').clients()[1]; require('sirdab.ghost.rpc').call("
            "client, 'notify', 'test/status', {state = ..., message = 'It is so.'})",
            state,
        )
        status = f"sirdab: {state} (scripted)"
        editor.wait(lambda: editor.lua("return require('sirdab').status()") == status, status)

    for state in ["offline", "starting", "offline", "ready", "busy", "ready"]:
        becomes(state)
    assert len([m for m in editor.told() if "It is so." in m]) == 2
    assert any("back" in m for m in editor.told())


def test_health_check(start: StartEditor, script: Script, display: Display) -> None:
    editor = open_example(start, script)
    editor.wait(lambda: "ready" in editor.lua("return require('sirdab').status()"), "ready")
    editor.nvim.command("checkhealth sirdab")
    report = "\n".join(editor.lines())
    assert "ERROR" not in report, report
    for word in [display.version, "attached to 1 buffer", "State: ready", "scripted", "<Tab>"]:
        assert word in report, report


@on_displays(NEWEST_DISPLAYS)
def test_nothing_deprecated_is_used(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first second"))
    editor.type("<M-w><M-]><C-]><Esc>")
    for command in ("status", "explain", "toggle", "log", "restart"):
        editor.nvim.command(f"Sirdab {command}")
    editor.wait(lambda: len(script.seen("initialize")) == 2, "a second server")
    editor.nvim.command("checkhealth sirdab vim.deprecated")
    report = "\n".join(editor.lines())
    assert "No deprecated functions detected" in report, report


@on_displays([NEWEST])
def test_help_has_every_option(start: StartEditor, script: Script) -> None:
    editor = start(script.command)
    doc = editor.lua("return vim.api.nvim_get_runtime_file('doc/sirdab.txt', false)[1]")
    copy = editor.folder / "doc"
    copy.mkdir()
    text = Path(doc).read_text(encoding="utf-8")
    (copy / "sirdab.txt").write_text(text, encoding="utf-8")
    editor.nvim.command(f"helptags {copy}")
    assert_no_errors(editor)
    tags = (copy / "tags").read_text(encoding="utf-8")
    options = editor.lua(
        "local names = {}; for name, value in pairs(require('sirdab.config').defaults) do "
        "table.insert(names, name) end; return names"
    )
    for option in options:
        assert f"sirdab-{option}\t" in tags
    assert max(len(line) for line in text.splitlines()) <= 78


@on_displays(OLDEST_AND_NEWEST)
@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("setlocal nomodifiable", "nomodifiable"),
        ("setlocal buftype=prompt", "prompt"),
        ("setlocal buftype=nofile", "scratch"),
    ],
)
def test_buffer_that_is_no_file_makes_no_errors(
    before: str, name: str, start: StartEditor, script: Script
) -> None:
    script.rules(rule("x = ", "1"))
    editor = start(script.command)
    editor.open(f"{name}.py", "y = 2\n")
    editor.wait_attached()
    editor.nvim.command(before)
    # The last key only says that all keys before it have been worked on.
    editor.lua("vim.keymap.set({'i', 'n'}, '<F12>', '<Cmd>let g:done = 1<CR>')")
    editor.type("Aabc<Esc>ggIx = <Esc><F12>")
    editor.wait(lambda: editor.nvim.funcs.exists("g:done"), "the keys to be taken")
    assert "E5108" not in editor.messages()
    assert "Error executing" not in editor.messages()


def test_keys_typed_ahead_come_after_the_accepted_text(start: StartEditor, script: Script) -> None:
    editor = show(start, script, "", "ix = ", rule("x = ", "first"))
    editor.type("<Tab> + 1<Esc>")
    editor.wait_lines(["x = first + 1"])


def loaded(editor: Editor, prefix: str) -> list[str]:
    """Return the names of the modules that Neovim has loaded."""
    return editor.lua(
        "local names, prefix = {}, ...; for name in pairs(package.loaded) do "
        "if vim.startswith(name, prefix) then table.insert(names, name) end end; return names",
        prefix,
    )


def test_start_up_loads_nothing(start: StartEditor, script: Script) -> None:
    editor = start(script.command, setup="")
    assert not loaded(editor, "sirdab")


def test_setup_leaves_what_costs_time_for_the_first_file(
    start: StartEditor, script: Script
) -> None:
    editor = start(script.command)
    assert sorted(loaded(editor, "sirdab")) == ["sirdab", "sirdab.buffers", "sirdab.config"]
    assert not loaded(editor, "vim.lsp")
    editor.nvim.command("new | setlocal buftype=nofile | setfiletype python")
    editor.lua("vim.wait(20)")
    assert not loaded(editor, "vim.lsp")
    editor.open("example.py")
    editor.wait_attached()
