"""`sirdab complete` on ten places of the sample project, with the real model."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sirdab.cli.places import SamplePlace, sample_places

pytestmark = pytest.mark.real_model

_PAIRS = ("()", "[]", "{}")


def complete(path: Path, place: SamplePlace, model: Path) -> dict[str, Any]:
    """Run the command as a person would and return what it printed."""
    target = f"{path}:{place.point.line + 1}:{place.point.column + 1}"
    done = subprocess.run(
        [sys.executable, "-m", "sirdab", "complete", target, "--json", "--model", str(model)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "place", sample_places(), ids=lambda place: f"{place.file}-{place.point.line + 1}"
)
def test_every_place_gets_a_sound_suggestion(
    place: SamplePlace, real_model_path: Path, tmp_path: Path
) -> None:
    path = tmp_path / place.file
    path.write_text(str(place.snapshot.text), encoding="utf-8")
    answer = complete(path, place, real_model_path)
    suggestion = answer["suggestion"]
    assert suggestion, answer["detail"]
    whole = str(place.snapshot.text.replace(place.point, place.point, suggestion))
    if place.file.endswith(".py"):
        # Wrong indentation and doubled brackets are errors of syntax here.
        ast.parse(whole)
    for opening, closing in _PAIRS:
        original = str(place.snapshot.text) + place.written
        assert whole.count(opening) - whole.count(closing) == original.count(
            opening
        ) - original.count(closing)
    below = list(place.snapshot.text.lines(place.point.line + 1))
    following = next((line.strip() for line in below if line.strip()), None)
    assert following not in [line.strip() for line in suggestion.split("\n")]
    assert answer["trace"]["family"] == "qwen2.5-coder"
