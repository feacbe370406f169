"""`:Sirdab`: what its subcommands say and ask of the server."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.neovim.conftest import NEWEST, OLDEST_AND_NEWEST, Display, StartEditor, on_displays
from tests.e2e.neovim.harness import Editor, Script
from tests.e2e.neovim.steps import assert_no_errors, is_ours, open_example, rule

pytestmark = pytest.mark.real_editor

REVIEW = [
    *("sirdab.reviewDocument", "sirdab.reviewWorkspace", "sirdab.dismiss", "sirdab.rewrite"),
    *("sirdab.refactor", "sirdab.explainCode", "sirdab.restoreDismissed"),
]
MODELS = {
    "current": "small",
    "models": [
        {"name": "small", "title": "Small", "sizeBytes": 1, "installed": True, "current": True},
        {"name": "other", "title": "Other", "sizeBytes": 2, "installed": True, "current": False},
        {"name": "far", "title": "Far", "sizeBytes": 4e8, "installed": False, "current": False},
    ],
}


@pytest.fixture(params=OLDEST_AND_NEWEST, ids=lambda d: f"nvim{d.version}-{d.name}")
def display(request: pytest.FixtureRequest) -> Display:
    return request.param


@pytest.fixture
def editor(start: StartEditor, script: Script) -> Editor:
    """An editor with a file open and a server that offers everything."""
    script.commands = [*REVIEW, "sirdab.snooze"]
    script.rules()
    editor = open_example(start, script, text="def add(a, b):\n    return a - b\n")
    editor.wait(lambda: "ready" in editor.lua("return require('sirdab').status()"), "ready")
    return editor


def executed(script: Script, command: str) -> list[list[Any]]:
    """Return the arguments with which a command was executed, in order."""
    messages = script.seen("workspace/executeCommand")
    return [
        m["params"].get("arguments") or [] for m in messages if m["params"]["command"] == command
    ]


def assert_tells(editor: Editor, command: str, said: str) -> None:
    """Run a command and wait for its message; that of an earlier one may come in between."""
    before = len(editor.told())
    editor.nvim.command(command)
    editor.wait(lambda: any(said in message for message in editor.told()[before:]), said)


def wait_told(editor: Editor, text: str) -> None:
    editor.wait(lambda: any(text in message for message in editor.told()), f"word of {text!r}")


def choose(editor: Editor, index: int) -> None:
    """Have the next choices be made by number, and what was offered be kept."""
    editor.lua(
        "_G.offered = {}; vim.ui.select = function(items, opts, done) "
        "for _, item in ipairs(items) do table.insert(_G.offered, opts.format_item(item)) end; "
        "done(items[...] ) end".replace("...", str(index))
    )


def test_names_and_arguments_are_completed(editor: Editor) -> None:
    complete = editor.nvim.funcs.getcompletion
    assert complete("Sirdab ", "cmdline") == [
        *("dismiss", "doctor", "explain", "log", "model", "refactor", "restart", "restore"),
        *("review", "rewrite", "snooze", "status", "toggle"),
    ]
    assert complete("Sirdab sn", "cmdline") == ["snooze"]
    assert complete("Sirdab toggle ", "cmdline") == ["file", "language"]
    assert complete("Sirdab toggle l", "cmdline") == ["language"]
    assert complete("1,2Sirdab review ", "cmdline") == ["stop", "workspace"]
    assert complete("silent Sirdab dis", "cmdline") == ["dismiss"]
    assert complete("Sirdab refactor t", "cmdline") == ["types", "tests"]
    assert complete("Sirdab explain ", "cmdline") == ["code"]
    assert complete("Sirdab restore ", "cmdline") == ["all"]
    assert complete("Sirdab status ", "cmdline") == []
    for wrong in ("nonsense", "status now", "toggle file please"):
        assert_tells(editor, f"Sirdab {wrong}", wrong)
        assert "toggle" in editor.told()[-1]


def test_status_and_log(editor: Editor, script: Script) -> None:
    editor.nvim.command("Sirdab status")
    wait_told(editor, "Model: scripted.")
    script.answers["sirdab/statistics"] = {"acceptedToday": 12, "last": {"latencyMs": 34.5}}
    script.rules()
    editor.nvim.command("Sirdab")
    wait_told(editor, "Last answer: 34 ms. Accepted today: 12.")
    editor.nvim.command("Sirdab log")
    assert_no_errors(editor)


def test_explain(editor: Editor) -> None:
    editor.nvim.command("Sirdab explain")
    editor.wait(lambda: editor.lines()[0] == "reason: because", "the explanation")
    editor.type("q")
    editor.wait(lambda: editor.lines()[0] == "def add(a, b):", "the file")


def test_toggle(editor: Editor, script: Script) -> None:
    editor.nvim.command("Sirdab toggle")
    editor.wait(lambda: "disabled" in editor.lua("return require('sirdab').status()"), "disabled")
    script.answers["sirdab.toggle"] = {"enabled": False}
    script.rules()
    editor.nvim.command("Sirdab toggle language")
    wait_told(editor, "suggestions are off for python")
    editor.nvim.command("Sirdab toggle file")
    wait_told(editor, "suggestions are off for this file")
    uri = editor.lua("return vim.uri_from_bufnr(0)")
    assert executed(script, "sirdab.toggle") == [
        [],
        [{"scope": "language", "languageId": "python"}],
        [{"scope": "file", "uri": uri}],
    ]
    assert_tells(editor, "Sirdab toggle world", "file, language")


def test_snooze(editor: Editor, script: Script) -> None:
    script.answers["sirdab.snooze"] = {"until": "2026-01-01T14:35:00+01:00"}
    script.rules()
    editor.nvim.command("Sirdab snooze 5")
    wait_told(editor, "until 14:35")
    script.answers["sirdab.snooze"] = {"until": None}
    script.rules()
    editor.nvim.command("Sirdab snooze 0")
    wait_told(editor, "no longer snoozed")
    assert_tells(editor, "Sirdab snooze soon", "whole minutes")
    assert executed(script, "sirdab.snooze") == [[5], [0]]


def test_doctor_shows_what_the_program_says(start: StartEditor, tmp_path: Path) -> None:
    program = tmp_path / "my-sirdab"
    program.write_text('#!/bin/sh\necho "all is well: $*"\necho "but one thing" >&2\nexit 1\n')
    program.chmod(0o755)
    editor = start([str(program), "--stdio"])
    editor.nvim.command("Sirdab doctor")
    editor.wait(lambda: editor.lines() == ["all is well: doctor", "but one thing"], "what it says")
    editor.type("q")
    editor.wait(lambda: len(editor.nvim.api.list_wins()) == 1, "one window")


def test_model_is_chosen_from_the_list(editor: Editor, script: Script) -> None:
    script.answers["sirdab/models"] = MODELS
    script.rules()
    choose(editor, 2)
    before = editor.client()
    editor.nvim.command("Sirdab model")
    wait_told(editor, "`sirdab model use other` keeps it")
    assert editor.lua("return _G.offered") == [
        "small: Small (in use)",
        "other: Other",
        "far: Far (not here yet, 400 MB)",
    ]
    editor.wait(lambda: len(script.seen("initialize")) == 2, "a server with the other model")
    options = [m["params"]["initializationOptions"] for m in script.seen("initialize")]
    assert options == [{}, {"endpoint": {"model": "other"}}]
    editor.wait_attached(after=before)
    editor.nvim.command("Sirdab model far")
    wait_told(editor, "`sirdab model pull far` fetches it (400 MB)")
    editor.nvim.command("Sirdab model nonsense")
    wait_told(editor, "there are: small, other, far")
    assert len(script.seen("initialize")) == 2


def test_model_of_a_server_that_lists_none(editor: Editor, script: Script) -> None:
    script.answers["sirdab/models"] = {"error": "unknown"}
    script.rules()
    editor.nvim.command("Sirdab model")
    wait_told(editor, "`sirdab model list`")


@on_displays([NEWEST])
def test_review(editor: Editor, script: Script) -> None:
    script.answers["sirdab.reviewDocument"] = {"findings": 1}
    script.answers["sirdab.reviewWorkspace"] = {"files": 3, "findings": 0}
    script.rules()
    editor.nvim.command("Sirdab review")
    wait_told(editor, "the review has 1 finding.")
    editor.nvim.command("2Sirdab review")
    editor.wait(lambda: len(executed(script, "sirdab.reviewDocument")) == 2, "the second review")
    editor.nvim.command("Sirdab review workspace")
    wait_told(editor, "the review has no findings in 3 files.")
    uri = editor.lua("return vim.uri_from_bufnr(0)")
    assert executed(script, "sirdab.reviewDocument") == [
        [{"uri": uri}],
        [
            {
                "uri": uri,
                "range": {
                    "start": {"line": 1, "character": 0},
                    "end": {"line": 1, "character": 16},
                },
            }
        ],
    ]
    assert executed(script, "sirdab.reviewWorkspace") == [[]]
    assert_tells(editor, "Sirdab review stop", "no review")


def test_server_without_review_is_said(start: StartEditor, script: Script) -> None:
    editor = open_example(start, script)
    for command, word in {
        "review": "cannot review code",
        "dismiss": "cannot dismiss findings",
        "restore": "cannot restore findings",
        "rewrite shorter": "cannot rewrite code",
        "snooze": "cannot snooze",
    }.items():
        assert_tells(editor, f"Sirdab {command}", word)
    assert executed(script, "sirdab.reviewDocument") == []


@on_displays(OLDEST_AND_NEWEST)
def test_finding_is_dismissed(editor: Editor, script: Script) -> None:
    assert_tells(editor, "Sirdab dismiss", "no finding")
    uri = editor.lua("return vim.uri_from_bufnr(0)")

    def finding(row: int, first: int, last: int, name: str) -> dict[str, Any]:
        return {
            "range": {
                "start": {"line": row, "character": first},
                "end": {"line": row, "character": last},
            },
            "message": name,
            "source": "sirdab",
            "data": {"fingerprint": name},
        }

    diagnostics = [finding(1, 4, 10, "one"), finding(1, 11, 16, "two"), finding(0, 0, 3, "three")]
    params = {"uri": uri, "diagnostics": diagnostics}
    editor.request("test/send", {"method": "textDocument/publishDiagnostics", "params": params})
    editor.wait(lambda: editor.lua("return #vim.diagnostic.get(0)") == 3, "the findings")
    editor.nvim.api.win_set_cursor(0, [2, 12])
    choose(editor, 2)
    editor.nvim.command("Sirdab dismiss")
    editor.wait(
        lambda: executed(script, "sirdab.dismiss") == [["two", "rule-here", uri]], "one gone"
    )
    editor.nvim.api.win_set_cursor(0, [2, 0])
    choose(editor, 1)
    editor.nvim.command("Sirdab dismiss rule")
    editor.wait(lambda: executed(script, "sirdab.dismiss")[1:] == [["one", "rule", uri]], "another")
    assert editor.lua("return _G.offered") == ["one", "two"]
    assert_tells(editor, "Sirdab dismiss all", "finding, rule-here, rule")


def test_what_was_dismissed_is_shown_again(editor: Editor, script: Script) -> None:
    uri = editor.lua("return vim.uri_from_bufnr(0)")
    script.answers["sirdab.restoreDismissed"] = {"restored": 2}
    script.rules()
    editor.nvim.command("Sirdab restore")
    wait_told(editor, "took back 2 dismissals; what is still found is shown again.")
    script.answers["sirdab.restoreDismissed"] = {"restored": 0}
    script.rules()
    editor.nvim.command("Sirdab restore all")
    wait_told(editor, "nothing was dismissed anywhere.")
    assert executed(script, "sirdab.restoreDismissed") == [[uri], []]
    assert_tells(editor, "Sirdab restore everything", "takes all or nothing")
    assert_no_errors(editor)


def test_rewrite_and_the_code_action_that_asks(editor: Editor, script: Script) -> None:
    announced = script.seen("initialize")[0]["params"]["capabilities"]["experimental"]
    assert announced["sirdab"] == {"clientCommands": ["sirdab.instruct", "sirdab.showExplanation"]}
    script.answers["sirdab.rewrite"] = {"applied": True, "message": "Rewritten."}
    uri = editor.lua("return vim.uri_from_bufnr(0)")
    span = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 16}}
    action = {
        "title": "Rewrite as instructed…",
        "command": {
            "title": "Rewrite",
            "command": "sirdab.instruct",
            "arguments": [{"uri": uri, "range": span}],
        },
    }
    script.answers["textDocument/codeAction"] = [action]
    script.rules()
    editor.lua("vim.ui.input = function(opts, done) _G.prompt = opts.prompt; done(' add ') end")
    editor.lua(
        "local client = require('sirdab.lsp').clients()[1]; "
        "client.server_capabilities.codeActionProvider = true"
    )
    editor.lua("vim.lsp.buf.code_action({apply = true})")
    wait_told(editor, "Rewritten.")
    editor.nvim.command("2Sirdab rewrite use a sum")
    editor.wait(lambda: len(executed(script, "sirdab.rewrite")) == 2, "the second")
    assert executed(script, "sirdab.rewrite") == [
        [{"uri": uri, "range": span, "instruction": instruction}]
        for instruction in ("add", "use a sum")
    ]
    editor.lua("vim.ui.input = function(_, done) done(nil) end")
    editor.nvim.command("Sirdab rewrite")
    editor.settle()
    assert len(executed(script, "sirdab.rewrite")) == 2
    assert_no_errors(editor)


def floating(editor: Editor) -> list[str]:
    """The text of the floating window, none when there is none."""
    return editor.lua(
        "for _, window in ipairs(vim.api.nvim_list_wins()) do "
        "if vim.api.nvim_win_get_config(window).relative ~= '' then "
        "return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false) "
        "end end return {}"
    )


def test_refactoring_lines_or_what_is_around_the_cursor(editor: Editor, script: Script) -> None:
    script.answers["sirdab.refactor"] = {"applied": True, "message": "Applied."}
    script.rules()
    uri = editor.lua("return vim.uri_from_bufnr(0)")
    editor.nvim.command("1,2Sirdab refactor simplify")
    wait_told(editor, "Applied.")
    editor.nvim.api.win_set_cursor(0, [2, 4])
    editor.nvim.command("Sirdab refactor tests")
    editor.wait(lambda: len(executed(script, "sirdab.refactor")) == 2, "the second")
    place = {"line": 1, "character": 4}
    end = {"line": 1, "character": 16}
    assert executed(script, "sirdab.refactor") == [
        [
            {
                "uri": uri,
                "range": {"start": {"line": 0, "character": 0}, "end": end},
                "do": "simplify",
            }
        ],
        [{"uri": uri, "range": {"start": place, "end": place}, "do": "tests"}],
    ]
    assert_tells(editor, "Sirdab refactor", "document, types")
    assert_tells(editor, "Sirdab refactor everything", "document, types")
    assert_no_errors(editor)


def test_what_code_does_is_shown_at_the_cursor(editor: Editor, script: Script) -> None:
    script.answers["sirdab.explainCode"] = {"explanation": "It **adds**.\n\nTwo numbers."}
    script.rules()
    uri = editor.lua("return vim.uri_from_bufnr(0)")
    editor.nvim.api.win_set_cursor(0, [2, 4])
    editor.nvim.command("Sirdab explain code")
    editor.wait(lambda: any("adds" in line for line in floating(editor)), "the explanation")
    assert any("Two numbers." in line for line in floating(editor))
    # The window is like that of a hover: it goes when the cursor moves, and changes nothing.
    editor.nvim.input("k")
    editor.wait(lambda: floating(editor) == [], "the window to go")
    assert editor.nvim.current.buffer[:] == ["def add(a, b):", "    return a - b"]
    span = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 16}}
    command = {
        "title": "Explain",
        "command": "sirdab.showExplanation",
        "arguments": [{"uri": uri, "range": span}],
    }
    script.answers["textDocument/codeAction"] = [{"title": "Explain", "command": command}]
    script.rules()
    editor.lua(
        "local client = require('sirdab.lsp').clients()[1]; "
        "client.server_capabilities.codeActionProvider = true"
    )
    editor.lua("vim.lsp.buf.code_action({apply = true})")
    editor.wait(lambda: any("adds" in line for line in floating(editor)), "it again")
    assert executed(script, "sirdab.explainCode")[-1] == [{"uri": uri, "range": span}]
    assert_tells(editor, "Sirdab explain nothing", "code or nothing")
    assert_no_errors(editor)


def test_restart(editor: Editor, script: Script) -> None:
    script.rules(rule("x = ", "1"))
    editor.nvim.command("Sirdab restart")
    editor.wait(lambda: len(script.seen("initialize")) == 2, "a second server")
    wait_told(editor, "sirdab: the server is running again.")
    editor.wait(lambda: is_ours(editor, "<Tab>"), "our keys to be back")


@on_displays([NEWEST])
def test_without_a_server_every_subcommand_says_so(start: StartEditor) -> None:
    editor = start([sys.executable, "-c", "raise SystemExit"])
    commands = ("explain", "toggle", "snooze", "review", "dismiss", "restore", "rewrite", "model")
    for command in (*commands, "refactor types", "explain code"):
        assert_tells(editor, f"Sirdab {command}", "the server does not run here")
    assert_tells(editor, "Sirdab status", "stopped")
    assert_no_errors(editor)
