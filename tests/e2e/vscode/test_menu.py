"""The status item, its menu and the settings, in real VS Code with a scripted model."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.vscode.harness import Chromium, CodeServer, Window
from tests.e2e.vscode.model import ScriptedModel
from tests.e2e.vscode.steps import ASK, accept, ask, ask_until_shown

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
    # What was set a moment ago takes its time to the server.
    window.wait(lambda: f"Reason: `{reason}`" in explain(window), f"the reason {reason!r}")
    before = len(model.completions())
    window.focus()
    window.type_text(" ")
    window.press(ASK)
    # Requests are answered in order: the explanation comes after the refusal.
    assert f"Reason: `{reason}`" in explain(window)
    assert window.ghost() == ""
    assert len(model.completions()) == before


def explain(window: Window) -> str:
    """Ask why there is no suggestion, and return the page that opens."""
    window.run_command("Sirdab: Why No Suggestion Here?")

    def page() -> str:
        # A long line is shown as several, each with the blank at its end.
        return "".join(window.editor_lines("sirdab-explain"))

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
    ask_until_shown(window, "width * height")


def test_a_language_is_turned_off_by_the_setting(window: Window, model: ScriptedModel) -> None:
    window.server.settings(sirdab__completion__disabledLanguages=["python"])
    window.open("language.py", SOURCE)
    assert_refused(window, model, "language-disabled")
    window.open("language.lua", "local function area(width, height)\n    return ")
    ask(window, "width * height")


def test_a_setting_of_the_wrong_type_is_told_once_and_does_no_harm(
    window: Window, model: ScriptedModel
) -> None:
    window.dismiss_notifications()
    window.open("wrong.py", SOURCE)
    window.server.settings(sirdab__completion__maxTokens="many")
    window.wait(window.told, "a word about it")
    (said,) = window.told()
    assert "maxTokens" in said
    ask_until_shown(window, "width * height")
    assert window.told() == [said]


@pytest.fixture
def off_by_file(window: Window, chromium: Chromium, server: CodeServer) -> Iterator[Window]:
    """A window of a user whose config.toml has ghost text turned off."""
    # What other tests have changed in the menu is in the user's settings.
    server.user_settings()
    server.config.write_text("[completion]\nenabled = false\n", encoding="utf-8")
    with Window(server, chromium, "off-by-file") as opened:
        yield opened
    server.config.write_text("", encoding="utf-8")
    server.user_settings()
    # The settings are those of every window: the other one may have begun again meanwhile.
    window.run_command("Sirdab: Restart")
    window.wait_status("is ready")


def test_what_the_users_own_file_turns_off_is_said_and_turned_on_here(off_by_file: Window) -> None:
    window = off_by_file
    window.open("file.py", SOURCE)
    window.wait_status("off in your config.toml (completion.enabled)")
    rows = open_menu(window)
    assert any("Turn ghost text on everywhere" in row for row in rows), rows
    window.pick("Turn ghost text on everywhere")
    window.wait_status("is ready")
    assert user_settings(window).get("sirdab.completion.enabled") is True
    window.focus()
    ask_until_shown(window, "width * height")


def test_that_the_editor_shows_no_ghost_text_is_explained(window: Window) -> None:
    hidden = "VS Code shows no ghost text here while you type"
    window.open("hidden.py", SOURCE)
    assert hidden not in explain(window)
    window.server.settings(editor__inlineSuggest__enabled=False)
    window.wait(lambda: hidden in explain(window), "word of the setting")
    assert "`editor.inlineSuggest.enabled`" in explain(window)
    # So it is.
    window.focus()
    window.type_text(" ")
    assert "Suggestion" in explain(window)
    assert window.ghost() == ""
    window.server.settings()
    window.wait(lambda: hidden not in explain(window), "the setting to be as it was")
    window.open("shown.py", SOURCE)
    ask_until_shown(window, "width * height")


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
    ask(window, "width * height")


def test_a_language_is_turned_off_and_on_in_the_menu(window: Window, model: ScriptedModel) -> None:
    window.open("language_menu.py", SOURCE)
    open_menu(window)
    window.pick("Turn ghost text off for python")
    assert_refused(window, model, "language-disabled")
    assert user_settings(window)["sirdab.completion.disabledLanguages"] == ["python"]
    open_menu(window)
    window.pick("Turn ghost text on for python")
    window.focus()
    ask_until_shown(window, "width * height")


def test_what_was_accepted_is_counted_in_the_tooltip(window: Window) -> None:
    def accepted_today() -> int:
        window.hover_status()
        window.wait(lambda: "Accepted today" in window.text(".monaco-hover"), "the tooltip")
        shown = window.text(".monaco-hover").partition("Accepted today")[2]
        window.press("Escape")
        return int(re.match(r"\d+", shown.strip())[0])  # type: ignore[index]

    path = window.open("counted.py", SOURCE)
    ask(window, "width * height")
    before = accepted_today()
    window.focus()
    ask(window, "width * height")
    accept(window, path, SOURCE + "width * height")
    # It is asked for a moment later.
    window.wait(lambda: accepted_today() == before + 1, "one more")


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
    ask(window, "width * height")


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
    # Its last line: what stands above may have scrolled away.
    window.wait(lambda: "Ghost text works here" in window.terminal(), "the verdict", timeout_s=60)
    window.run_command("View: Hide Panel")


def test_a_model_is_downloaded_in_a_terminal_after_asking(window: Window) -> None:
    window.run_command("Sirdab: Download the Model")
    window.wait(lambda: "Download it? [Y/n]" in window.terminal(), "the question", timeout_s=40)
    assert "491 MB" in window.terminal()
    window.type_text("n")
    window.press("Enter")
    window.wait(lambda: "Nothing was downloaded." in window.terminal(), "the answer")
    # Nothing has changed, so nothing is started again.
    assert "is ready" in window.status()
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


def test_the_trace_shows_the_messages(window: Window) -> None:
    if not window.server.vscode.writes_logs:
        pytest.skip("VS Code's logger could not be built here, so there is no log to read.")
    window.run_command("Sirdab: Show Trace")
    window.open("traced.py", SOURCE)
    ask(window, "width * height")
    # The newest messages are at the end, which the panel follows.
    window.wait(lambda: "textDocument/" in window.output(), "the messages")
    window.run_command("View: Hide Panel")


def test_a_model_that_is_not_here_is_asked_about_before_it_is_chosen(window: Window) -> None:
    open_menu(window)
    window.pick("Choose model…")
    window.wait(lambda: len(window.rows()) > 1, "the catalog")
    label = next(row for row in window.rows() if "1.5B" in row)
    window.pick(label)
    window.wait(lambda: "Download it? [Y/n]" in window.terminal(), "the question", timeout_s=40)
    window.type_text("n")
    window.press("Enter")
    window.wait(lambda: "Nothing was downloaded." in window.terminal(), "the answer")
    assert "sirdab.endpoint.model" not in user_settings(window)
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
