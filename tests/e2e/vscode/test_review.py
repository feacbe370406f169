"""Reviews in real VS Code, with the real server and a scripted model."""

import json
from typing import Any

import pytest

from tests.e2e.vscode.harness import Window
from tests.e2e.vscode.model import ScriptedModel
from tests.support.review import SQL, SQL_LINE, answer, raw

pytestmark = [pytest.mark.real_editor]

SAFE = 'cursor.execute("SELECT * FROM users WHERE name = ?", (name,))'
FIXED = SQL.replace(SQL_LINE, SAFE)
QUICK_FIX = "Control+."


@pytest.fixture(autouse=True)
def _reviewer(model: ScriptedModel) -> None:
    """A model that finds the query, and mends it when it is asked to rewrite."""

    def say(body: dict[str, Any]) -> list[str]:
        return [answer(raw()) if body.get("json_schema") else FIXED]

    model.fake.answer = say


def review(window: Window, name: str) -> None:
    """Open a file with a fault in it, and have it reviewed."""
    window.open(name, SQL)
    window.run_command("Sirdab: Review This File")
    window.wait(lambda: window.count(".squiggly-error") > 0, "the finding under its line")


def lines(window: Window) -> list[str]:
    """Return the actions that VS Code offers."""
    return window.texts(".action-widget .monaco-list-row .title")


def offered(window: Window) -> list[str]:
    """Put the cursor on the finding and return what is offered for it."""
    for key in ("Control+Home", "ArrowDown", "ArrowDown", "End", QUICK_FIX):
        window.press(key)
    window.wait(lambda: any("Fix: " in line for line in lines(window)), "the actions")
    return lines(window)


def choose(window: Window, title: str) -> None:
    """Click on an action."""
    window.click(f".action-widget .monaco-list-row:has-text({json.dumps(title)})")


def test_a_finding_is_shown_and_said(window: Window) -> None:
    review(window, "found.py")
    window.wait(
        lambda: any("found 1 problem" in said for said in window.notifications()), "the result"
    )
    window.dismiss_notifications()
    window.run_command("View: Toggle Problems")
    window.wait(
        lambda: any(
            "put into the query" in row
            for row in window.texts(".markers-panel .tree-container .monaco-list-row")
        ),
        "the finding among the problems",
    )
    window.run_command("View: Hide Panel")


def test_a_fix_is_confirmed_and_applied(window: Window) -> None:
    review(window, "fix.py")
    offered(window)
    choose(window, "Fix: SQL built from text")
    path = window.folder / "fix.py"
    # What a model wrote is shown before it is applied, and nothing of it is ticked.
    window.wait_selector(".bulk-edit-panel .edit-checkbox", "VS Code's preview")
    assert window.saved(path) == SQL
    window.click(".bulk-edit-panel .edit-checkbox")
    window.click(".bulk-edit-panel .monaco-button:has-text('Apply')")
    window.wait(lambda: any("?" in line for line in window.editor_lines()), "the fix")
    assert window.saved(path) == FIXED


def test_a_finding_is_dismissed(window: Window) -> None:
    review(window, "dismiss.py")
    offered(window)
    choose(window, "Dismiss: not a problem")
    window.wait(lambda: window.count(".squiggly-error") == 0, "the finding to go")
    assert window.saved(window.folder / "dismiss.py") == SQL
