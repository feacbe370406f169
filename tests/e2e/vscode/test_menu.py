"""The status item, its menu and the settings, in real VS Code with a scripted model."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.vscode.harness import Window
from tests.e2e.vscode.model import ScriptedModel

pytestmark = [pytest.mark.real_editor]

SOURCE = "def area(width, height):\n    return "


@pytest.fixture(autouse=True)
def _as_it_was(window: Window, model: ScriptedModel) -> Iterator[None]:
    """Undo what a test has set."""
    model.says("width", " * height")
    yield
    window.server.settings()
    window.open("first.py")
    window.wait_status("is ready")


def user_settings(window: Window) -> dict[str, Any]:
    """Return what is in the user's settings file now; nothing while VS Code writes it."""
    path = window.server.user_data / "User" / "settings.json"
    # VS Code empties the file before it writes it.
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if text.rstrip().endswith("}") else {}


def open_menu(window: Window) -> list[str]:
    """Click on the status item and return the menu's labels."""
    window.click_status()
    window.wait(lambda: len(window.rows()) > 3, "the menu")
    return window.rows()


def assert_refused(window: Window, model: ScriptedModel, reason: str) -> None:
    """Ask for a suggestion; hold that there is none, and that the reason is given on request."""
    before = len(model.completions())
    window.focus()
    window.type_text(" ")
    window.press("Control+Alt+i")
    # Requests are answered in order: the explanation comes after the refusal.
    page = explain(window)
    assert f"Reason: `{reason}`" in page
    assert window.ghost() == ""
    assert len(model.completions()) == before


def explain(window: Window) -> str:
    """Ask why there is no suggestion, and return the page that opens."""
    window.run_command("Sirdab: Why No Suggestion Here?")

    def page() -> str:
        return "\n".join(window.editor_lines())

    window.wait(lambda: "Reason: " in page(), "an explanation")
    found = page()
    # It opens at the side and leaves the focus where it was.
    window.run_command("View: Close Editors in Other Groups")
    window.wait(lambda: "Reason: " not in page(), "the explanation to close")
    return found


def test_ghost_text_is_turned_off_and_on_by_the_setting(
    window: Window, model: ScriptedModel
) -> None:
    window.open("off.py", SOURCE)
    window.server.settings(sirdab__completion__enabled=False)
    window.wait(lambda: "is ready" not in window.status(), "the status to say that it is off")
    assert_refused(window, model, "disabled")
    window.server.settings()
    window.wait_status("is ready")
    window.open("on.py", SOURCE)
    window.press("Control+Alt+i")
    window.wait_ghost("width * height")


def test_a_language_is_turned_off_by_the_setting(window: Window, model: ScriptedModel) -> None:
    window.server.settings(sirdab__completion__disabledLanguages=["python"])
    window.open("language.lua", "local function area(width, height)\n    return ")
    window.press("Control+Alt+i")
    window.wait_ghost("width * height")
    window.open("language.py", SOURCE)
    assert_refused(window, model, "language-disabled")


def test_a_setting_of_the_wrong_type_is_told_once_and_does_no_harm(
    window: Window, model: ScriptedModel
) -> None:
    window.open("wrong.py", SOURCE)
    window.server.settings(sirdab__completion__maxTokens="many")
    window.wait(window.notifications, "a word about it")
    (said,) = window.notifications()
    assert "maxTokens" in said
    window.press("Control+Alt+i")
    window.wait_ghost("width * height")
    assert window.notifications() == [said]
    window.dismiss_notifications()


def test_the_menu_has_what_a_user_looks_for(window: Window) -> None:
    rows = open_menu(window)
    window.press("Escape")
    for wanted in (
        "off everywhere",
        "off for python",
        "off for this file",
        "Snooze",
        "Choose model",
        "Why no suggestion",
        "doctor",
        "settings",
        "log",
        "Restart",
    ):
        assert any(wanted in row for row in rows), (wanted, rows)


def test_a_file_is_turned_off_in_the_menu(window: Window, model: ScriptedModel) -> None:
    window.open("quiet.py", SOURCE)
    open_menu(window)
    window.pick("Turn ghost text off for this file")
    window.wait(lambda: "off for this file" in window.status_bar(), "a word about it")
    assert_refused(window, model, "disabled")
    window.open("loud.py", SOURCE)
    window.press("Control+Alt+i")
    window.wait_ghost("width * height")


def test_everything_is_turned_off_in_the_menu(window: Window) -> None:
    open_menu(window)
    window.pick("Turn ghost text off everywhere")
    window.wait(
        lambda: user_settings(window).get("sirdab.completion.enabled") is False, "the setting"
    )
    window.wait(lambda: "is ready" not in window.status(), "the status to say that it is off")
    open_menu(window)
    window.pick("Turn ghost text on everywhere")
    window.wait(
        lambda: user_settings(window).get("sirdab.completion.enabled") is True, "the setting"
    )
    window.wait_status("is ready")


def test_ghost_text_is_snoozed_and_woken(window: Window, model: ScriptedModel) -> None:
    window.open("snooze.py", SOURCE)
    open_menu(window)
    window.pick("Snooze ghost text…")
    window.pick("5 minutes")
    window.wait_status("snoozed until")
    assert_refused(window, model, "disabled")
    window.run_command("Sirdab: Snooze Ghost Text…")
    window.pick("Wake up now")
    window.wait_status("is ready")
    window.open("snooze.py")
    window.press("Control+Alt+i")
    window.wait_ghost("width * height")


def test_models_are_listed(window: Window) -> None:
    open_menu(window)
    window.pick("Choose model…")
    window.wait(lambda: any("Qwen2.5-Coder" in row for row in window.rows()), "the catalog")
    window.press("Escape")


def test_explain_shows_the_prompt_and_the_suggestion(window: Window) -> None:
    window.open("why.py", SOURCE)
    page = explain(window)
    assert "width * height" in page
    assert "def area(width, height):" in page


def test_the_doctor_runs_in_a_terminal(window: Window) -> None:
    window.run_command("Sirdab: Run the Doctor")
    window.wait(lambda: "Locality" in window.terminal(), "the doctor's findings", timeout_s=40)
    window.run_command("View: Hide Panel")


def test_the_settings_are_described(window: Window) -> None:
    window.run_command("Sirdab: Open Settings")
    window.wait_selector(".settings-editor .setting-item-label", "the settings editor")
    window.wait(
        lambda: any("Debounce" in text for text in window.texts(".setting-item-label")),
        "Sirdab's settings",
    )
    window.press("Escape")


def test_the_log_says_which_server_runs(window: Window) -> None:
    if not window.server.vscode.writes_logs:
        pytest.skip("VS Code's logger could not be built here, so there is no log to read.")
    window.run_command("Sirdab: Show Log")
    window.wait(lambda: "Server: " in window.output(), "the log")
    window.run_command("View: Hide Panel")


def test_the_walkthrough_opens(window: Window) -> None:
    window.run_command("Welcome: Open Walkthrough...")
    window.pick("Get Started with Sirdab")
    window.wait(
        lambda: "Accept your first suggestion" in window.text(".gettingStartedContainer"),
        "the walkthrough",
    )
    window.run_command("View: Close Editor")
    window.wait(lambda: window.active_tab() == "first.py", "the walkthrough to close")
