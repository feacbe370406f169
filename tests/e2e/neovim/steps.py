"""Steps that the tests of the Neovim client have in common."""

from typing import Any

from tests.e2e.neovim.conftest import StartEditor
from tests.e2e.neovim.harness import Editor, Script


def rule(after: str, *texts: str, **more: Any) -> dict[str, Any]:
    """Return a rule of the scripted server: what it suggests after a text."""
    return {"after": after, "texts": list(texts), **more}


def open_and_type(
    start: StartEditor, script: Script, text: str, keys: str, *rules: dict[str, Any]
) -> Editor:
    """Open a Python file in a new editor, wait for its server, and type."""
    editor = open_example(start, script, *rules, text=text)
    editor.type(keys)
    return editor


def show(
    start: StartEditor, script: Script, text: str, keys: str, the_rule: dict[str, Any]
) -> Editor:
    """The same, until the ghost text of a rule is shown."""
    editor = open_and_type(start, script, text, keys, the_rule)
    editor.wait_ghost(the_rule["texts"][0])
    return editor


def open_example(
    start: StartEditor, script: Script, *rules: dict[str, Any], text: str = ""
) -> Editor:
    """Open a Python file in a new editor, and wait for its server."""
    script.rules(*rules)
    editor = start(script.command)
    editor.open("example.py", text)
    editor.wait_attached()
    return editor


def kill_and_wait(editor: Editor) -> None:
    """Kill the language server, and wait until another one has taken its place."""
    before = editor.client()
    editor.kill_server()
    for said in ("stopped unexpectedly", "running again"):
        editor.wait(lambda said=said: any(said in told for told in editor.told()), f"word: {said}")
    editor.wait_attached(after=before)


def assert_no_errors(editor: Editor) -> None:
    """Hold that Neovim showed no error."""
    messages = editor.messages()
    assert "Error" not in messages, messages
    assert "E5108" not in messages, messages


def is_ours(editor: Editor, key: str) -> bool:
    """Whether the current buffer gives a key to Sirdab; Neovim itself maps some globally."""
    return "Sirdab" in editor.nvim.funcs.maparg(key, "i", False, True).get("desc", "")
