"""Reviews in real VS Code, with the real server and a scripted model."""

from typing import Any

import pytest

from tests.e2e.vscode.harness import Chromium, CodeServer, Window
from tests.e2e.vscode.model import ScriptedModel
from tests.support.review import MUTABLE, SQL, SQL_LINE, answer, raw

pytestmark = [pytest.mark.real_editor]

SAFE = 'cursor.execute("SELECT * FROM users WHERE name = ?", (name,))'
FIXED = SQL.replace(SQL_LINE, SAFE)
QUICK_FIX = "Control+."
DECISION = ".notification-toast .notification-list-item-message a"
COMPARISON = ".editor-instance .monaco-diff-editor"
REFACTOR = "Control+Shift+r"

TWO = f"{MUTABLE}\n\n{SQL}"
"""A file with two faults, the one at its end in a function of four lines."""

SHARED = raw(
    "def add(item, items=[]):", 1, "mutable-default", "All calls share one list.", "warning"
)


@pytest.fixture(autouse=True)
def _reviewer(model: ScriptedModel) -> None:
    """A model that finds the query, and mends it when it is asked to rewrite."""

    def say(body: dict[str, Any]) -> list[str]:
        # A fault is believed only where its code stands, so both may always be named.
        return [answer(raw(), SHARED) if body.get("json_schema") else FIXED]

    model.fake.answer = say


def review(window: Window, name: str, text: str = SQL) -> None:
    """Open a file with a fault in it, and have it reviewed."""
    window.open(name, text)
    window.run_command("Sirdab: Review This File")
    window.wait(lambda: window.count(".squiggly-error") > 0, "the finding under its line")
    # A finding that is known already is shown before the command's input is gone.
    window.focus()


def problems(window: Window, title: str) -> int:
    """How often a finding is among the problems, of any file."""
    rows = window.texts(".markers-panel .tree-container .monaco-list-row")
    return sum(title in row for row in rows)


def questions(model: ScriptedModel) -> list[Any]:
    """What a review has asked the model, ghost text left out."""
    return [asked for asked in model.completions() if asked.body.get("json_schema")]


def add_comment(window: Window) -> None:
    """Write a comment above the line of the finding that says to ignore it."""
    for key in ("Control+Home", "ArrowDown", "End", "Enter"):
        window.press(key)
    window.type_text("# sirdab: ignore[sql-injection]")


def wait_result(window: Window, said: str) -> None:
    """Wait until the result of a review is told."""
    window.wait(lambda: any(said in message for message in window.told()), f"word of {said!r}")


def select_lines(window: Window, count: int) -> None:
    """Select the last lines of the file."""
    window.press("Control+End")
    for _ in range(count):
        window.press("Shift+ArrowUp")
    window.wait(lambda: window.count(".selected-text") >= count, "the selection")


def confirm(window: Window) -> None:
    """Apply what the model wrote, which is shown beside what is there first."""
    window.wait_selector(COMPARISON, "the comparison")
    window.wait_selector(DECISION, "the question")
    window.click(DECISION, "Apply")
    window.wait(lambda: window.count(COMPARISON) == 0, "the comparison to go")
    window.wait(lambda: any("?" in line for line in window.editor_lines()), "the new code")


def lines(window: Window) -> list[str]:
    """Return the actions that VS Code offers."""
    return window.texts(".action-widget .monaco-list-row .title")


def offered(window: Window) -> list[str]:
    """Put the cursor on the finding and return what is offered for it."""
    keys = ("Control+Home", "ArrowDown", "ArrowDown", "End", QUICK_FIX)
    open_actions(window, "Fix: ", *keys)
    return lines(window)


def open_actions(window: Window, title: str, *keys: str) -> None:
    """Open the list of actions with keys, and wait until one is in it."""
    window.press_until(
        keys, lambda: any(title in line for line in lines(window)), f"the action {title!r}"
    )


def choose(window: Window, title: str) -> None:
    """Click on an action."""
    window.click(".action-widget .monaco-list-row", title)


def test_a_finding_is_shown_and_said(window: Window, model: ScriptedModel) -> None:
    review(window, "found.py")
    wait_result(window, "found 1 problem in this file")
    window.dismiss_notifications()
    window.run_command("View: Toggle Problems")
    window.wait(lambda: problems(window, "SQL built from text") == 1, "the finding, once")
    # It goes with a comment and comes back without it, and nobody is asked.
    asked = len(questions(model))
    window.focus()
    add_comment(window)
    window.wait(lambda: window.count(".squiggly-error") == 0, "the finding to go")
    window.press("Control+Shift+k")
    window.wait(lambda: window.count(".squiggly-error") > 0, "the finding to come back")
    window.wait(lambda: problems(window, "SQL built from text") == 1, "the finding, once")
    assert len(questions(model)) == asked
    window.run_command("View: Hide Panel")


def test_a_fix_is_confirmed_and_applied(window: Window) -> None:
    review(window, "fix.py")
    offered(window)
    choose(window, "Fix: SQL built from text")
    path = window.folder / "fix.py"
    window.wait_selector(COMPARISON, "the comparison")
    assert path.read_text(encoding="utf-8") == SQL
    confirm(window)
    window.assert_saved(path, FIXED)


def test_a_finding_is_dismissed(window: Window, model: ScriptedModel) -> None:
    # What is dismissed is known by its code, in every file; so this test has code of its own.
    code = SQL.replace("users", "guests")
    model.fake.answer = [answer(raw(SQL_LINE.replace("users", "guests")))]
    review(window, "dismiss.py", code)
    offered(window)
    choose(window, "Dismiss: not a problem")
    window.wait(lambda: window.count(".squiggly-error") == 0, "the finding to go")
    window.assert_saved(window.folder / "dismiss.py", code)
    window.run_command("Sirdab: Show Dismissed Findings of This File Again")
    wait_result(window, "1 dismissal taken back; what is still found is shown again.")
    window.wait(lambda: window.count(".squiggly-error") > 0, "the finding to come back")
    window.dismiss_notifications()
    window.focus()
    window.run_command("Sirdab: Show Dismissed Findings of This File Again")
    wait_result(window, "Nothing was dismissed in this file.")
    window.dismiss_notifications()


def test_the_selection_alone_is_reviewed(window: Window) -> None:
    window.open("selection.py", TWO)
    window.dismiss_notifications()
    select_lines(window, 4)
    window.run_command("Sirdab: Review the Selection")
    wait_result(window, "found 1 problem in this file")
    window.wait(lambda: window.count(".squiggly-error") > 0, "the finding under its line")
    assert window.count(".squiggly-warning") == 0
    # The whole file has both.
    window.dismiss_notifications()
    window.run_command("Sirdab: Review This File")
    wait_result(window, "found 2 problems in this file")
    window.wait(lambda: window.count(".squiggly-warning") > 0, "the other finding")
    window.dismiss_notifications()


def test_the_workspace_is_reviewed(
    chromium: Chromium, server: CodeServer, model: ScriptedModel
) -> None:
    files = {
        "shop/query.py": SQL,
        "shop/basket.py": MUTABLE,
        "shop/fine.py": "print(1)\n",
        "vendor/query.py": SQL,
    }
    with Window(server, chromium, "reviewed", files) as window:
        window.open("shop/fine.py")
        window.wait_status("is ready")
        window.run_command("Sirdab: Review the Workspace")
        wait_result(window, "found 2 problems in 3 files")
        window.run_command("View: Toggle Problems")
        # Also of files that are not open.
        for wanted in ("SQL built from text", "Mutable default argument"):
            window.wait(lambda wanted=wanted: problems(window, wanted) == 1, wanted)
        # And none twice, or no more, when one is opened after the other, and closed again.
        for name in ("shop/query.py", "shop/basket.py"):
            window.open(name)
            window.wait(lambda: window.count(".squiggly-error, .squiggly-warning") > 0, name)
            window.run_command("View: Close Editor")
        for wanted in ("SQL built from text", "Mutable default argument"):
            window.wait(lambda wanted=wanted: problems(window, wanted) == 1, wanted)


def open_instruction(window: Window, way: str) -> None:
    """Ask to have the selection rewritten, in one of the ways that VS Code has for it."""
    title = "Rewrite the Selection as Instructed…"
    if way == "palette":
        window.run_command(f"Sirdab: {title}")
    elif way == "context menu":
        window.press("Shift+F10")
        window.choose_in_menu(title)
    else:
        open_actions(window, "Rewrite as instructed", REFACTOR)
        choose(window, "Rewrite as instructed")


@pytest.mark.parametrize("way", ["palette", "context menu", "code action"])
def test_the_selection_is_rewritten_as_instructed(
    way: str, window: Window, model: ScriptedModel
) -> None:
    instruction = f"use a parameter, {way}"
    path = window.open(f"instructed-{way.replace(' ', '-')}.py", SQL)
    select_lines(window, 4)
    open_instruction(window, way)
    window.answer(instruction)
    confirm(window)
    window.assert_saved(path, FIXED)
    prompts = [str(asked.body["prompt"]) for asked in model.completions()]
    assert any(instruction in prompt for prompt in prompts)


def test_no_instruction_changes_nothing(window: Window, model: ScriptedModel) -> None:
    path = window.open("uninstructed.py", SQL)
    select_lines(window, 4)
    asked = len(model.completions())
    open_instruction(window, "palette")
    window.answer("  ")
    window.assert_saved(path, SQL)
    assert len(model.completions()) == asked
