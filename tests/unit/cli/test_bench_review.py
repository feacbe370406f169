"""`sirdab bench review` on a scripted model."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sirdab.benchmark.defects import sandbox
from sirdab.cli import bench, runtime
from tests.support.review import ScriptedModel


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    """The model that the command asks; it finds nothing and fixes nothing."""
    scripted = ScriptedModel()

    @asynccontextmanager
    async def engine(*_: Any, **__: Any) -> AsyncIterator[tuple[None, ScriptedModel]]:
        yield None, scripted

    monkeypatch.setattr(runtime, "engine", engine)
    return scripted


def run(*arguments: str) -> Result:
    return CliRunner().invoke(bench.command, ["review", *arguments])


CODE = """\
def average(values):
    if not values:
        return 0.0
    return sum(values) / len(values)
"""


def test_ones_own_code(tmp_path: Path, model: ScriptedModel) -> None:
    (tmp_path / "a.py").write_text(CODE, encoding="utf-8")
    result = run(str(tmp_path), "--seeds", "5")
    assert result.exit_code == 0, result.output
    assert "defects" in result.output
    assert "may be right" in result.output
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == CODE
    assert len(list(tmp_path.iterdir())) == 1
    assert model.problem is None


def test_json(tmp_path: Path, model: ScriptedModel) -> None:
    (tmp_path / "a.py").write_text(CODE, encoding="utf-8")
    result = run(str(tmp_path), "--only", "division-guard", "--compare", "--json")
    assert result.exit_code == 0, result.output
    variants = json.loads(result.stdout)["variants"]
    assert len(variants) == 4
    for figures in variants.values():
        assert figures["seeds"] == 1
        assert list(figures["by_operator"]) == ["division-guard"]
    assert model.problem is None


def test_a_run_goes_on_where_it_was(tmp_path: Path, model: ScriptedModel) -> None:
    (tmp_path / "a.py").write_text(CODE, encoding="utf-8")
    output = tmp_path / "results.jsonl"
    arguments = (str(tmp_path), "--seeds", "5", "--output", str(output), "--json")
    first = run(*arguments)
    lines = output.read_text(encoding="utf-8").splitlines()
    asked = len(model.requests)
    assert run(*arguments).stdout == first.stdout
    assert output.read_text(encoding="utf-8").splitlines() == lines
    assert len(model.requests) == asked
    other = run(str(tmp_path), "--seeds", "4", "--output", str(output))
    assert other.exit_code == 1
    assert "other options" in other.output


def test_fixes_run_only_our_own_code(tmp_path: Path, model: ScriptedModel) -> None:
    for options in ([str(tmp_path)], ["--output", str(tmp_path / "results.jsonl")]):
        result = run("--fixes", *options)
        assert result.exit_code == 2
        assert "leave FOLDER out" in result.output
    assert model.requests == []


def test_fixes(model: ScriptedModel) -> None:
    model.answer = "nothing\n```"
    result = run("--fixes", "--only", "shell", "--seeds", "1", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["all"]["fixes"] == 1
    assert report["all"]["test_passes"]["count"] == 0
    assert model.requests


def test_a_fix_by_rule_asks_nobody(model: ScriptedModel) -> None:
    result = run("--fixes", "--only", "debug-mode", "--seeds", "1", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["all"]["test_passes"]["count"] == 1
    assert model.requests == []


def test_the_help_says_that_code_is_run() -> None:
    said = " ".join(run("--help").output.split())
    assert "the code that the model writes is RUN with your rights" in said
    assert "bounds of time and memory" in said
    assert "empty environment" in said
    assert "cut off from the network where the system lets a user do that" in said


@pytest.mark.parametrize("is_cut_off", [True, False])
def test_it_is_said_when_the_code_could_reach_the_network(
    is_cut_off: bool, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = sandbox.without_network() if is_cut_off else ()
    if is_cut_off and not prefix:
        pytest.skip("this system does not let a user cut a program off from the network")
    monkeypatch.setattr(sandbox, "without_network", lambda: prefix)
    result = run("--fixes", "--only", "debug-mode", "--seeds", "1", "--json")
    assert ("could reach it" in result.stderr) is not is_cut_off


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "nonsense"), "nonsense is no operator; there are range-bound"),
        (("--clean", "no_such_package"), "there is no installed package no_such_package"),
        (("nowhere",), "does not exist"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], said: str, model: ScriptedModel) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert model.requests == []


def test_a_folder_without_code(tmp_path: Path, model: ScriptedModel) -> None:
    result = run(str(tmp_path))
    assert result.exit_code == 1
    assert "to put a defect into" in result.output
    assert model.requests == []
