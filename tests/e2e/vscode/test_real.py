"""Real VS Code, the real server and the real model: the whole way of a suggestion.

What the model says is its own affair. These tests hold that what the editor shows is what it
inserts, and that it goes on working when a part dies.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.vscode.harness import Chromium, CodeServer, Window
from tests.e2e.vscode.steps import ASK, accept

pytestmark = [pytest.mark.real_editor, pytest.mark.real_model]

SOURCE = '''\
def area(width, height):
    """Return the area of a rectangle."""
    return width * height


def perimeter(width, height):
    """Return the perimeter of a rectangle."""
'''


@pytest.fixture(scope="module")
def window(chromium: Chromium, server: CodeServer, real_model_path: Path) -> Iterator[Window]:
    """A window in which the embedded model is ready."""
    server.fixed["sirdab.endpoint.model"] = real_model_path.as_posix()
    server.settings()
    with Window(server, chromium, "shapes") as opened:
        opened.open("first.py", "# A file of its own.\n")
        opened.wait_status("is ready", timeout_s=120)
        # Neither a question nor a warning: there is nothing to configure.
        assert opened.told() == []
        yield opened


def suggestion(window: Window) -> str:
    """Wait until a suggestion is shown, and return it."""
    window.wait(window.ghost, "a suggestion", timeout_s=60)
    return window.ghost()


def type_in(window: Window, name: str) -> tuple[Path, str]:
    """Type into a new file as a person does, and return it with what is suggested."""
    path = window.open(name, SOURCE)
    window.type_text("    return ", delay_ms=40)
    return path, suggestion(window)


def test_a_suggestion_appears_while_typing_and_tab_takes_it(window: Window) -> None:
    path, ghost = type_in(window, "shapes.py")
    window.screenshot("real-ghost-text")
    accept(window, path, SOURCE + "    return " + ghost)


def test_a_suggestion_stays_while_it_is_typed(window: Window) -> None:
    path, ghost = type_in(window, "along.py")
    first, rest = ghost[0], ghost[1:]
    window.type_text(first)
    window.wait(lambda: window.ghost().startswith(rest), "the rest of the same suggestion")
    rest = window.ghost()
    accept(window, path, SOURCE + "    return " + first + rest)


@pytest.mark.parametrize("text", ["größe", "漢字", "x😀", "e\u0301"])
def test_a_suggestion_on_a_line_that_is_not_ascii(text: str, window: Window) -> None:
    before = f"    print('{text}', 2 * (width + "
    path = window.open(f"unicode-{len(text.encode())}-{ord(text[-1])}.py", SOURCE + before)
    window.press(ASK)
    ghost = suggestion(window)
    accept(window, path, SOURCE + before + ghost)


def test_a_model_server_that_is_killed_comes_back(window: Window) -> None:
    (engine,) = engines(window)
    os.kill(engine.pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    window.open("killed.py", SOURCE)
    window.type_text("    return ")
    window.wait(
        lambda: [found.pid for found in engines(window)] not in ([], [engine.pid]),
        "another engine",
        timeout_s=60,
    )
    window.wait_status("is ready", timeout_s=120)
    path = window.open("back.py", f"{SOURCE}    return ")
    # The status may be that of a moment ago, while the new engine still reads the model.
    window.press_until(("Space", "Backspace", ASK), window.ghost, "a suggestion")
    ghost = window.ghost()
    accept(window, path, SOURCE + "    return " + ghost)
    assert len(window.told()) <= 1


def engines(window: Window) -> list[psutil.Process]:
    """Return the embedded model servers that this window's server has started."""
    state = str(window.server.state)
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if any(state in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found
