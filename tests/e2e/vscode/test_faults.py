"""What a user sees when something fails, in real VS Code."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.vscode import overheard
from tests.e2e.vscode.conftest import sirdab_program
from tests.e2e.vscode.harness import Chromium, CodeServer, Window
from tests.e2e.vscode.model import ScriptedModel
from tests.e2e.vscode.steps import ASK, ask_until_shown

pytestmark = [pytest.mark.real_editor]

SOURCE = "def area(width, height):\n    return "
SECRET = "AKIAIOSFODNN7EXAMPLQ"
WITH_SECRET = f'KEY = "{SECRET}"\n\n\n{SOURCE}'


@pytest.fixture(autouse=True)
def _as_it_was(model: ScriptedModel) -> None:
    model.says("width", " * height")


def assert_ghost_text(window: Window, name: str) -> None:
    """Hold that ghost text works in a new file."""
    window.open(name, SOURCE)
    ask_until_shown(window, "width * height")


def language_servers(window: Window) -> list[int]:
    """Return the process ids of the language servers."""
    return [process.pid for process in window.server.processes("--stdio")]


def test_a_model_server_that_is_killed_is_told_and_comes_back(
    window: Window, model: ScriptedModel
) -> None:
    window.dismiss_notifications()
    assert_ghost_text(window, "alive.py")
    (before,) = language_servers(window)
    model.stop()
    window.open("dead.py", SOURCE)
    window.press(ASK)
    window.wait(lambda: "is ready" not in window.status(), "the status to say so")
    assert window.ghost() == ""
    said = window.told()
    assert len(said) <= 1
    # Typing on is not punished with more messages.
    window.type_text("wid")
    window.press(ASK)
    model.start()
    window.wait_status("is ready", timeout_s=60)
    assert window.told() == said
    assert_ghost_text(window, "again.py")
    assert language_servers(window) == [before]


def test_a_server_that_crashes_is_started_again(window: Window) -> None:
    window.dismiss_notifications()
    assert_ghost_text(window, "before_crash.py")
    (before,) = language_servers(window)
    os.kill(before, signal.SIGKILL)
    window.wait(
        lambda: any(pid != before for pid in language_servers(window)), "a new server", timeout_s=30
    )
    window.wait_status("is ready")
    assert_ghost_text(window, "after_crash.py")
    assert window.told() == []


def test_a_server_that_crashes_at_every_start_is_told_once(window: Window) -> None:
    starts = window.server.folder / "starts"
    window.dismiss_notifications()
    program = script(window.server.folder / "crashing", f"echo x >> {starts}; exit 3")
    window.server.settings(sirdab__path=str(program))
    window.wait(window.told, "a word about it", timeout_s=60)
    (said,) = window.told()
    assert "5 times" in said
    assert "Sirdab: Restart" in said
    assert said.strip() in window.status()
    assert starts.read_text(encoding="utf-8").count("x") == 5
    window.dismiss_notifications()
    window.server.settings()
    window.wait_status("is ready")
    assert_ghost_text(window, "mended.py")


def test_a_server_that_never_answers_is_told_once_and_started_anew(window: Window) -> None:
    sleeping = "654321"  # Seconds, and what its process is known by.
    program = script(window.server.folder / "silent", f"exec sleep {sleeping}")

    def pids() -> list[int]:
        return [process.pid for process in window.server.processes(sleeping)]

    window.dismiss_notifications()
    window.server.settings(sirdab__path=str(program))
    window.wait(window.told, "a word about it", timeout_s=60)
    (said,) = window.told()
    assert "has not answered for 15 seconds" in said
    assert "Sirdab: Restart" in said
    assert said in window.status()
    (before,) = pids()
    window.run_command("Sirdab: Restart")
    window.wait(lambda: pids() not in ([], [before]), "another process")
    assert len(pids()) == 1
    window.wait(lambda: said not in window.status(), "the status to say that it starts")
    assert window.told() == [said]
    window.dismiss_notifications()
    # It is no longer waited for when something else is set.
    window.server.settings()
    window.wait_status("is ready")
    assert pids() == []
    assert_ghost_text(window, "answered.py")


def test_a_very_large_file_is_told_once_and_not_sent(window: Window) -> None:
    heard = window.server.folder / "heard"
    listener = f'exec {sys.executable} {overheard.__file__} {heard} {sirdab_program()} "$@"'
    program = script(window.server.folder / "listener", listener)
    for name in ("large.py", "larger.py"):
        with (window.folder / name).open("wb") as file:
            for _ in range(100):
                file.write(b"value = '0123456789'\n" * 50_000)  # 105 MB in all
    window.dismiss_notifications()
    window.server.settings(sirdab__path=str(program))
    window.wait(lambda: heard.exists() and b'"initialized"' in heard.read_bytes(), "the server")
    window.wait_status("is ready")
    window.open_tab(window.folder / "large.py")
    window.wait(window.told, "a word about it")
    # VS Code asks whether it should show it at all.
    window.click(".editor-instance .monaco-button", "Open Anyway")
    window.wait(lambda: any("value" in line for line in window.editor_lines()), "the text", 60)
    window.focus()
    window.type_text("x = ")
    window.press(ASK)
    window.wait(lambda: window.editor_lines()[0].startswith("x = "), "the keys to be taken")
    window.open_tab(window.folder / "larger.py")
    assert_ghost_text(window, "small.py")
    ours = [message for message in window.told() if "Sirdab" in message]
    assert len(ours) == 1
    assert ours[0].startswith("large.py is larger than 50 MB")
    said = heard.read_bytes()
    assert b"small.py" in said
    assert b"large" not in said
    window.dismiss_notifications()
    window.server.settings()
    window.wait_status("is ready")


def test_a_path_that_leads_nowhere_is_told_once(window: Window) -> None:
    window.dismiss_notifications()
    window.server.settings(sirdab__path="/nowhere/sirdab")
    window.wait(window.told, "a word about it")
    (said,) = window.told()
    assert "/nowhere/sirdab" in said
    assert "no such program" in said
    window.server.settings()
    window.wait_status("is ready")
    assert window.told() == [said]


def test_a_workspace_cannot_say_where_code_is_sent(
    chromium: Chromium, server: CodeServer, model: ScriptedModel
) -> None:
    elsewhere = {
        "sirdab.endpoint.url": "http://127.0.0.1:9",
        "sirdab.path": "/nowhere/sirdab",
        "sirdab.privacy.redactSecrets": False,
    }
    files = {".vscode/settings.json": json.dumps(elsewhere), "a.py": WITH_SECRET}
    with Window(server, chromium, "foreign", files) as window:
        window.open("a.py")
        window.wait_status(f"{model.url} is ready")
        ask_until_shown(window, "width * height")
    # What a trusted workspace may say is heeded.
    assert SECRET in str(model.completions()[-1].body["prompt"])


def test_ghost_text_works_in_a_workspace_that_is_not_trusted(
    chromium: Chromium, server: CodeServer, model: ScriptedModel
) -> None:
    careless = {"sirdab.privacy.redactSecrets": False}
    files = {".vscode/settings.json": json.dumps(careless), "a.py": WITH_SECRET}
    server.user_settings(security__workspace__trust__enabled=True)
    try:
        with Window(server, chromium, "untrusted", files) as window:
            window.open("a.py")
            window.wait(lambda: "Restricted Mode" in window.status_bar(), "the word of VS Code")
            window.wait_status("is ready")
            ask_until_shown(window, "width * height")
    finally:
        server.user_settings()
    prompt = str(model.completions()[-1].body["prompt"])
    assert "def area" in prompt
    assert SECRET not in prompt


class TestWithoutAServer:
    """A machine on which there is no Sirdab yet."""

    @pytest.fixture
    def empty(self, tmp_path: Path) -> Path:
        """A folder that is all of PATH."""
        usual = Path("/usr/local/bin")
        if any((usual / name).exists() for name in ("sirdab", "python", "python3")):
            pytest.skip(f"{usual} has a Python or Sirdab, which the extension rightly finds.")
        folder = tmp_path / "bin"
        folder.mkdir()
        return folder

    @pytest.fixture
    def bare(self, server: CodeServer, empty: Path, vsix: Path) -> Iterator[CodeServer]:
        """VS Code on such a machine."""
        with CodeServer(server.vscode, {"PATH": str(empty)}) as running:
            running.install(vsix)
            yield running

    def test_no_python(self, bare: CodeServer, chromium: Chromium) -> None:
        with Window(bare, chromium, "bare", {"a.py": SOURCE}) as window:
            window.wait(window.told, "a word about it")
            (said,) = window.told()
            assert said == window.status().removeprefix("Sirdab: ")
            assert "needs Python 3.11 or newer and found none" in said
            assert "install Python" in said

    def test_too_old_a_python(self, bare: CodeServer, chromium: Chromium, empty: Path) -> None:
        script(empty / "python3", """echo '{"version": [3, 8], "sirdab": null}'""")
        with Window(bare, chromium, "old", {"a.py": SOURCE}) as window:
            window.wait(window.told, "a word about it")
            (said,) = window.told()
            assert "only Python 3.8" in said
            assert "install a newer one" in said


def script(path: Path, text: str) -> Path:
    """Write a program."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


if sys.platform == "win32":
    pytest.skip("These programs are shell scripts.", allow_module_level=True)
