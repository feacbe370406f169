"""`bench/review.py` on a scripted model: a run that was stopped goes on, and the page is whole."""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import review
from sirdab.benchmark.review_cases import own
from sirdab.cli import runtime
from tests.support.review import ScriptedModel


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    scripted = ScriptedModel()

    @asynccontextmanager
    async def engine(*_: Any, **__: Any) -> AsyncIterator[tuple[None, ScriptedModel]]:
        yield None, scripted

    monkeypatch.setattr(runtime, "engine", engine)
    monkeypatch.setattr(review, "PACKAGES", ("click",))
    # Two of the clean files are enough here.
    monkeypatch.setattr(review, "own", lambda count, number: own(count, number)[-count - 2 :])
    return scripted


def options(state: Path, timed: int = 0) -> argparse.Namespace:
    return argparse.Namespace(
        seeds=4, others=3, lines=60, fixes=1, timed=timed, compare=True, state=state
    )


async def test_a_run_goes_on_where_it_was(tmp_path: Path, model: ScriptedModel) -> None:
    first = await review.measure("any", options(tmp_path))
    asked = len(model.requests)
    assert await review.measure("any", options(tmp_path)) == first
    assert len(model.requests) == asked


async def test_the_page(tmp_path: Path, model: ScriptedModel) -> None:
    found = await review.measure("any", options(tmp_path, timed=30))
    assert model.problem is None
    written = review.page("2 cores", {"any": found})
    assert "## any" in written
    assert "4 defects in our own code" in written
    assert "3 defects in click" in written
    for variant in review.VARIANTS:
        assert f"| {variant.name} |" in written
    assert "| Fixes |" in written
    assert "1,000 lines of packages take" in written
    columns = {line.count("|") for line in written.split("\n") if line.startswith("| range-bound")}
    assert columns <= {5}
