"""`sirdab doctor` with the real engine and the real model."""

import json
from pathlib import Path

import pytest

from sirdab.cli.main import main

pytestmark = pytest.mark.real_model


def test_the_real_model_fills_the_gap(
    capsys: pytest.CaptureFixture[str], real_model_path: Path
) -> None:
    pytest.importorskip("xllamacpp")
    code = main(["doctor", "--json", "--model", str(real_model_path)])
    found = json.loads(capsys.readouterr().out)
    problems = [row for row in found["checks"] if row["verdict"] == "failed"]
    assert (code, problems) == (0, [])
    trip, model = found["round_trip"], found["model"]
    assert trip["is_right"], trip["wrote"]
    assert model["is_embedded"]
    assert model["fills_in"]
    assert model["context_tokens"] >= 2_048
    # The whole prompt was new to the server, and then hardly any of it.
    assert trip["cold"]["evaluated_tokens"] > trip["cold"]["prompt_tokens"] / 2
    assert trip["warm"]["evaluated_tokens"] < trip["cold"]["evaluated_tokens"] / 2
    assert trip["cold"]["read_per_second"] > 0
