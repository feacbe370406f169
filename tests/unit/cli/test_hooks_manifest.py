"""`.pre-commit-hooks.yaml` says what the command line knows and the package needs.

Whether pre-commit accepts the file is asked where pre-commit is there: it is no dependency.
"""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from sirdab.cli.review import command

ROOT = Path(__file__).parents[3]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = MANIFEST.read_text(encoding="utf-8").split("\n- id: ")[1:]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.partition("\n")[0])
def test_a_hook_is_a_command_that_exists(hook: str) -> None:
    entry = re.search(r"^  entry: sirdab review(.*)$", hook, re.MULTILINE)
    args = re.search(r"^  args: \[(.*)\]$", hook, re.MULTILINE)
    assert entry is not None
    assert args is not None
    words = [*shlex.split(entry[1]), *re.split(r",\s*", args[1]), str(MANIFEST)]
    with click.Context(command) as context:
        command.parse_args(context, words)
    assert context.params["fail_on"] == "error"


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.partition("\n")[0])
def test_a_hook_brings_the_embedded_server(hook: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = ", ".join(f'"{name}"' for name in project["optional-dependencies"]["embedded"])
    assert f"additional_dependencies: [{needed}]\n" in hook


def test_every_hook_is_documented() -> None:
    page = (ROOT / "docs" / "pre-commit.md").read_text(encoding="utf-8")
    for hook in HOOKS:
        assert f"`{hook.partition(chr(10))[0]}`" in page


@pytest.mark.skipif(shutil.which("pre-commit") is None, reason="pre-commit is not installed")
def test_pre_commit_accepts_it() -> None:
    done = subprocess.run(
        ["pre-commit", "validate-manifest", str(MANIFEST)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
