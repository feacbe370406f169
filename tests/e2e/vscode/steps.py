"""Steps that the tests of VS Code have in common."""

from pathlib import Path

from tests.e2e.vscode.harness import Window

ASK = "Control+Alt+i"
"""Asks for ghost text; see `harness.KEYS`."""


def ask(window: Window, ghost: str) -> None:
    """Ask for ghost text and wait until it is exactly this."""
    window.press(ASK)
    window.wait_ghost(ghost)


def ask_until_shown(window: Window, ghost: str) -> None:
    """The same where the server may not know yet what was set a moment ago."""
    # VS Code does not ask again where nothing was typed since it got no answer.
    keys = ("Space", "Backspace", ASK)
    window.press_until(keys, lambda: window.ghost() == ghost, f"the ghost text {ghost!r}")


def accept(window: Window, path: Path, text: str) -> None:
    """Press Tab, and hold that the file is exactly this text then."""
    window.press("Tab")
    window.wait_ghost("")
    window.assert_saved(path, text)
