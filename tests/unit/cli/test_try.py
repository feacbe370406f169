"""`sirdab try`: what it measures, and what it says one should do next."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from sirdab import __version__
from sirdab.cli.main import main
from sirdab.cli.try_ import next_steps
from tests.support.editors.session import model_server

ROOT = Path(__file__).resolve().parents[3]


def test_typing_is_measured_with_the_model_and_from_memory(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with model_server("self.price", " * self.quantity") as model:
        code = main(["try", "--url", model.fake.url])
    out = capsys.readouterr().out
    assert code == 0, out
    along = re.search(r"Typing along a suggestion: [\d.]+ ms a key; .* of (\d+) keys", out)
    other = re.search(r"Typing something else: \d+ ms a key, .* reads (\d+) more tokens", out)
    assert along is not None, out
    assert int(along[1]) > 1
    assert other is not None, out
    # What the scripted server says that it has read.
    assert int(other[1]) == 3


def test_every_page_of_an_editor_is_named() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "editors").glob("*.md")} - {"README"}
    said = next_steps().lower().replace(" ", "-")
    assert pages
    assert {page for page in pages if page not in said} == set()


def test_the_steps_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    said = next_steps()
    assert f"cd {ROOT} && make vsix && code --install-extension dist/sirdab-" in said
    assert f'vim.opt.runtimepath:append("{ROOT / "clients" / "neovim"}")' in said
    program = Path(sys.executable).with_name("sirdab")
    assert f'require("sirdab").setup({{ cmd = {{ "{program}", "--stdio" }} }})' in said
    assert f"the command is: {program} --stdio" in said
    # What `make vsix` writes.
    script = (ROOT / "scripts" / "build-vsix.sh").read_text(encoding="utf-8")
    assert 'vsix="dist/sirdab-$version.vsix"' in script
    assert f"dist/sirdab-{__version__}.vsix" in said


def test_a_program_on_the_path_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    program = str(Path(sys.executable).with_name("sirdab"))
    monkeypatch.setattr(shutil, "which", lambda _name: program)
    said = next_steps()
    assert 'require("sirdab").setup({})' in said
    assert "the command is: sirdab --stdio" in said
