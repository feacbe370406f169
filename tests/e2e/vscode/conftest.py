"""Fixtures that give the tests a real VS Code with the packaged extension.

A module shares one VS Code, one browser and one window; each test edits a file of its own.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import filelock
import pytest

from tests.e2e.vscode.harness import ROOT, Chromium, CodeServer, Window
from tests.e2e.vscode.model import ScriptedModel
from tests.support.editors import VsCode, vscode
from tests.support.editors.fixtures import available

_EXTENSION = ROOT / "clients" / "vscode"
_BUILT = {"node_modules", "dist", "server", "build", "__pycache__"}
_COPIED = {"CHANGELOG.md", "LICENSE", "THIRD_PARTY_NOTICES.txt", "vsce.log"}


@pytest.fixture(scope="session")
def editor_install() -> VsCode:
    """VS Code and a browser, or a skip that says why there are none."""
    return available(vscode)


@pytest.fixture(scope="session")
def vsix() -> Path:
    """The extension as `make vsix` packages it, made anew when a source is newer than it."""
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    with filelock.FileLock(dist / "vsix.lock", timeout=300):
        newest = max(path.stat().st_mtime for path in _sources())
        found = _packaged(dist)
        if found is None or found.stat().st_mtime < newest:
            if shutil.which("npm") is None:
                pytest.skip("The VS Code extension is built with npm, and npm is not there.")
            environment = os.environ | {"VENV": str(Path(sys.prefix))}
            done = subprocess.run(
                ["make", "--silent", "vsix"],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=280,
                check=False,
            )
            assert done.returncode == 0, f"make vsix failed: {done.stdout}{done.stderr}"
            found = _packaged(dist)
    assert found is not None, "make vsix wrote no package"
    return found


def _packaged(dist: Path) -> Path | None:
    return max(dist.glob("sirdab-*.vsix"), key=lambda path: path.stat().st_mtime, default=None)


def _sources() -> Iterator[Path]:
    yield from (ROOT / name for name in ("pyproject.toml", "CHANGELOG.md", "scripts/build-vsix.sh"))
    for top in (_EXTENSION, ROOT / "lsp" / "sirdab"):
        for folder, below, files in os.walk(top):
            below[:] = [name for name in below if name not in _BUILT]
            # Written by the packaging itself, from files that are looked at here.
            yield from (Path(folder, name) for name in files if name not in _COPIED)


@pytest.fixture(scope="module")
def chromium(editor_install: VsCode) -> Iterator[Chromium]:
    """A browser without a screen."""
    with Chromium(editor_install) as browser:
        yield browser


@pytest.fixture(scope="module")
def server(editor_install: VsCode, vsix: Path) -> Iterator[CodeServer]:
    """VS Code's server side with the extension, which starts this checkout's Sirdab."""
    with CodeServer(editor_install) as running:
        running.install(vsix)
        running.fixed = {"sirdab.path": sirdab_program()}
        running.settings()
        yield running


@pytest.fixture(scope="module")
def model(chromium: Chromium, server: CodeServer) -> Iterator[ScriptedModel]:
    """A scripted model server, which the user has set as the endpoint."""
    scripted = ScriptedModel(chromium.background)
    server.fixed["sirdab.endpoint.url"] = scripted.url
    server.settings()
    yield scripted
    scripted.stop()


@pytest.fixture(scope="module")
def window(chromium: Chromium, server: CodeServer, model: ScriptedModel) -> Iterator[Window]:
    """A window in which the server is ready."""
    with Window(server, chromium, "project") as opened:
        opened.open("first.py", "# A file of its own.\n")
        opened.wait_status("is ready")
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of each window when a test fails, before anything is put in order."""
    report = yield
    if report.when == "call" and report.failed:
        for name, value in (getattr(item, "funcargs", None) or {}).items():
            if isinstance(value, Window):
                value.screenshot(f"failed-{re.sub(r'.*::', '', item.nodeid)}-{name}")
    return report


def sirdab_program() -> str:
    """Return the path of this checkout's `sirdab`, as a user would write it into a setting."""
    return str(Path(sys.executable).with_name("sirdab"))
