"""The one-click installation: a machine with Python and without Sirdab, in real VS Code.

Everything is real here: the wheel in the package, pip, the package index, the embedded server and
the model.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.vscode.harness import ROOT, Chromium, CodeServer, Window
from tests.e2e.vscode.steps import accept

pytestmark = [
    pytest.mark.real_editor,
    pytest.mark.real_model,
    # Tens of megabytes are fetched and unpacked.
    pytest.mark.timeout(600),
]

SOURCE = "def area(width, height):\n    return width * height\n\n\ndef perimeter(width, height):\n"


def python_alone() -> str:
    """Return this machine's Python outside of the virtual environment, which has no Sirdab."""
    # What a virtual environment was made from; CPython has set it since 3.3.
    python = str(getattr(sys, "_base_executable", sys.executable))
    question = "import importlib.util as u; print(u.find_spec('sirdab') is None)"
    # As it is without the paths that the tests themselves may have been given.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    answer = subprocess.run(
        [python, "-P", "-c", question], capture_output=True, text=True, check=False, env=env
    )
    if answer.stdout.strip() != "True":
        pytest.skip(f"{python} has a Sirdab of its own, which the extension rightly finds.")
    return python


def index_problem(python: str, env: Mapping[str, str], folder: Path) -> str:
    """Return why pip cannot fetch a package that the installation needs, or ""."""
    lines = (ROOT / "requirements" / "embedded.txt").read_text(encoding="utf-8").splitlines()
    requirement = next(line for line in lines if "==" in line).split()[0]
    options = ["--no-deps", "--only-binary", ":all:", "--retries", "1", "--timeout", "20"]
    try:
        done = subprocess.run(
            [python, "-m", "pip", "download", *options, "--dest", str(folder), requirement],
            capture_output=True,
            text=True,
            check=False,
            env=dict(env),
            cwd=folder,
            timeout=120,
        )
    except subprocess.TimeoutExpired:
        return "The Python package index does not answer."
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines() or ["no reason given"]
    return f"The Python package index cannot be reached: {said[-1]}"


@pytest.fixture
def bare(
    chromium: Chromium, vsix: Path, tmp_path: Path, real_model_path: Path
) -> Iterator[CodeServer]:
    """VS Code on a machine that has a Python, a model, and nothing else of Sirdab's."""
    if any(Path("/usr/local/bin", name).exists() for name in ("sirdab", "python3", "python")):
        pytest.skip("/usr/local/bin has a Python or Sirdab, which the extension rightly finds.")
    python = python_alone()
    folder = tmp_path / "bin"
    folder.mkdir()
    # Called by its own path, because it looks for its library from there.
    program = folder / "python3"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(python)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    # The test's own path to Sirdab must not help.
    clean = {"PATH": str(folder), "PYTHONPATH": "", "VIRTUAL_ENV": ""}
    with CodeServer(chromium.vscode, clean) as running:
        problem = index_problem(python, {**running.env, "PATH": os.defpath}, tmp_path)
        if problem:
            pytest.skip(problem)
        running.install(vsix)
        # What a user has chosen for all editors; nothing is set in this one.
        model = json.dumps(real_model_path.as_posix())
        running.config.write_text(f"[endpoint]\nmodel = {model}\n", encoding="utf-8")
        yield running


def test_one_click_installs_the_server_and_ghost_text_follows(
    bare: CodeServer, chromium: Chromium
) -> None:
    with Window(bare, chromium, "fresh", {"shapes.py": SOURCE}) as window:
        window.wait(window.told, "the offer")
        (offer,) = window.told()
        assert "install it into this extension's own folder?" in offer
        assert "not on this machine" in window.status()
        window.screenshot("install-offer")
        window.click(".notification-toast .monaco-button", "Install")
        window.wait_status("Installing Sirdab's server")
        window.wait(lambda: bare.processes("--stdio"), "the server", timeout_s=400)
        assert not [told for told in window.told() if "could not" in told or "see the log" in told]
        # It runs from the extension's own folder, out of an environment of its own.
        storage = bare.user_data / "User" / "globalStorage" / "sirdab.sirdab" / "server"
        (home,) = [path for path in storage.iterdir() if path.is_dir()]
        assert json.loads((home / "installed.json").read_text(encoding="utf-8"))
        (server,) = bare.processes("--stdio")
        assert server.cmdline()[0] == str(home / "bin" / "python")
        # The model is read when the first file is there.
        path = window.open("shapes.py")
        window.wait_status("is ready", timeout_s=120)
        window.type_text("    return ", delay_ms=40)
        window.wait(window.ghost, "a suggestion", timeout_s=60)
        window.screenshot("install-ghost-text")
        accept(window, path, f"{SOURCE}    return {window.ghost()}")
