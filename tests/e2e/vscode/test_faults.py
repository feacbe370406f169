"""What a user sees when something fails, in real VS Code."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.vscode.harness import Chromium, CodeServer, Window
from tests.e2e.vscode.model import ScriptedModel

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
    window.press("Control+Alt+i")
    window.wait_ghost("width * height")


def language_servers(window: Window) -> list[int]:
    """Return the process ids of the language servers."""
    return [process.pid for process in window.server.processes("--stdio")]


def test_a_model_server_that_is_killed_is_told_and_comes_back(
    window: Window, model: ScriptedModel
) -> None:
    assert_ghost_text(window, "alive.py")
    (before,) = language_servers(window)
    model.stop()
    window.open("dead.py", SOURCE)
    window.press("Control+Alt+i")
    window.wait(lambda: "is ready" not in window.status(), "the status to say so")
    assert window.ghost() == ""
    said = window.notifications()
    assert len(said) <= 1
    # Typing on is not punished with more messages.
    window.type_text("wid")
    window.press("Control+Alt+i")
    model.start()
    window.wait_status("is ready", timeout_s=60)
    assert window.notifications() == said
    assert_ghost_text(window, "again.py")
    assert language_servers(window) == [before]


def test_a_server_that_crashes_is_started_again(window: Window) -> None:
    assert_ghost_text(window, "before_crash.py")
    (before,) = language_servers(window)
    os.kill(before, signal.SIGKILL)
    window.wait(
        lambda: any(pid != before for pid in language_servers(window)), "a new server", timeout_s=30
    )
    window.wait_status("is ready")
    assert_ghost_text(window, "after_crash.py")
    assert window.notifications() == []


def test_a_server_that_crashes_at_every_start_is_told_once(window: Window) -> None:
    starts = window.server.folder / "starts"
    program = script(window.server.folder / "crashing", f"echo x >> {starts}; exit 3")
    window.server.settings(sirdab__path=str(program))
    window.wait(window.notifications, "a word about it", timeout_s=60)
    (said,) = window.notifications()
    assert "5 times" in said
    assert "Sirdab: Restart" in said
    assert said.strip() in window.status()
    assert starts.read_text(encoding="utf-8").count("x") == 5
    window.dismiss_notifications()
    window.server.settings()
    window.wait_status("is ready")
    assert_ghost_text(window, "mended.py")


def test_a_path_that_leads_nowhere_is_told_once(window: Window) -> None:
    window.server.settings(sirdab__path="/nowhere/sirdab")
    window.wait(window.notifications, "a word about it")
    (said,) = window.notifications()
    assert "/nowhere/sirdab" in said
    assert "no such program" in said
    window.dismiss_notifications()
    window.server.settings()
    window.wait_status("is ready")
    assert window.notifications() == []


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
        window.press("Control+Alt+i")
        window.wait_ghost("width * height")
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
            window.press("Control+Alt+i")
            window.wait_ghost("width * height")
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
            window.wait(window.notifications, "a word about it")
            (said,) = window.notifications()
            assert said == window.status().removeprefix("Sirdab: ")
            assert "needs Python 3.11 or newer and found none" in said
            assert "install Python" in said

    def test_too_old_a_python(self, bare: CodeServer, chromium: Chromium, empty: Path) -> None:
        script(empty / "python3", """echo '{"version": [3, 8], "sirdab": null}'""")
        with Window(bare, chromium, "old", {"a.py": SOURCE}) as window:
            window.wait(window.notifications, "a word about it")
            (said,) = window.notifications()
            assert "only Python 3.8" in said
            assert "install a newer one" in said


def script(path: Path, text: str) -> Path:
    """Write a program."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


if sys.platform == "win32":
    pytest.skip("These programs are shell scripts.", allow_module_level=True)
