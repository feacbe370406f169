"""`sirdab bench holes --layout`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sirdab.benchmark.results import read
from sirdab.cli import bench, runtime
from sirdab.completion.engine import Engine
from sirdab.models.catalog import LAYOUTS
from tests.support.completion import ScriptedEndpoint


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> ScriptedEndpoint:
    """The endpoint that the command asks."""
    endpoint = ScriptedEndpoint("1\n")

    @asynccontextmanager
    async def engine(*_: Any, **__: Any) -> AsyncIterator[tuple[Engine, None]]:
        yield Engine(endpoint), None

    monkeypatch.setattr(runtime, "engine", engine)
    return endpoint


def holes(folder: Path, *options: str) -> Result:
    source = "def add(first, second):\n    total = first + second\n    return total * first\n"
    (folder / "sum.py").write_text(source * 3, encoding="utf-8")
    arguments = ["holes", str(folder), "--count", "2", "--kind", "line", *options]
    return CliRunner().invoke(bench.command, arguments)


def test_every_layout_can_be_asked_for(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        assert f"'{layout}'" in holes(tmp_path, "--layout", "none").output


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ((), "<|fim_prefix|><|fim_suffix|>"),
        (("--layout", "psm"), "<|fim_prefix|>def"),
        (("--layout", "prefix-only"), "def"),
    ],
)
def test_the_layout_is_used(
    tmp_path: Path, asked: ScriptedEndpoint, options: tuple[str, ...], start: str
) -> None:
    result = holes(tmp_path, *options)
    assert result.exit_code == 0, result.output
    assert asked.requests
    assert all(request.prompt.startswith(start) for request in asked.requests)


def test_a_layout_that_the_family_does_not_define(tmp_path: Path, asked: ScriptedEndpoint) -> None:
    result = holes(tmp_path, "--layout", "spm")
    assert result.exit_code == 1
    assert "qwen2.5-coder does not define spm" in result.output
    assert len(asked.requests) == 1


def test_results_say_which_layout_they_are_of(tmp_path: Path, asked: ScriptedEndpoint) -> None:
    output = tmp_path / "results.jsonl"
    assert holes(tmp_path, "--layout", "psm", "--output", str(output)).exit_code == 0
    assert read(output)[0]["layout"] == "psm"
    assert len(read(output)[1]) == len(asked.requests)
