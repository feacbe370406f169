"""How much the model gets to see, and what is remembered of its speed."""

import json
from pathlib import Path

import pytest

from sirdab.completion.budget import Speed
from sirdab.completion.speeds import Speeds
from sirdab.endpoint.base import ModelInfo, Usage


def read(tokens_per_second: float, tokens: int = 1000) -> Usage:
    return Usage(
        prompt_tokens=tokens,
        evaluated_tokens=tokens,
        prompt_ms=tokens * 1000 / tokens_per_second,
    )


def measured(*tokens_per_second: float) -> Speed:
    speed = Speed()
    for one in tokens_per_second:
        speed.record(read(one))
    return speed


def info(name: str = "model", url: str = "http://127.0.0.1:8012") -> ModelInfo:
    return ModelInfo(name, "", 0, url)


@pytest.mark.parametrize(
    ("speeds", "before"), [((), 2_000), ((250,), 2_000), ((1_000,), 6_000), ((9_000,), 16_000)]
)
def test_a_faster_model_sees_more(speeds: tuple[float, ...], before: int) -> None:
    assert measured(*speeds).budget(0, 64).before == before


def test_a_speed_that_wavers_about_a_step_does_not_move_the_window() -> None:
    speed = measured(900)
    seen = {speed.budget(0, 64)}
    for one in (700, 900, 690, 850, 700):
        speed.record(read(one))
        seen.add(speed.budget(0, 64))
    assert len(seen) == 1
    for _ in range(10):
        speed.record(read(300))
    assert speed.budget(0, 64).before == 2_000


def test_short_reads_say_nothing() -> None:
    speed = measured(250)
    speed.record(Usage(prompt_tokens=500, evaluated_tokens=5, prompt_ms=0.1))
    assert speed.tokens_per_second == 250


def test_what_the_server_counts_fits_a_small_context() -> None:
    speed = Speed()
    wide = speed.budget(600, 100)
    speed.record(read(250), characters=1_200)
    narrow = speed.budget(600, 100)
    # 1.2 characters a token, as in Chinese prose: fewer characters fit than were thought to.
    assert narrow.before + narrow.after <= (600 - 100 - 32) * 1.2
    assert narrow.before + narrow.after < wide.before + wide.after
    for wavering in (1_250, 1_180, 1_230):
        speed.record(read(250), characters=wavering)
        assert speed.budget(600, 100) == narrow


def test_speeds_last_from_one_start_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "state" / "speeds.json"
    first = Speeds(path)
    first.of(info()).record(read(1_000), characters=3_500)
    first.save()
    again = Speeds(path).of(info(url="http://127.0.0.1:40001"))
    assert again.budget(0, 64).before == 6_000
    assert again.characters_per_token == 3.5
    assert Speeds(path).of(info("other")).tokens_per_second == 0
    assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


def test_what_another_editor_has_measured_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    one, other = Speeds(path), Speeds(path)
    one.of(info("one")).record(read(1_000))
    other.of(info("other")).record(read(2_000))
    one.save()
    other.save()
    assert set(json.loads(path.read_text(encoding="utf-8"))) == {
        "one at 127.0.0.1",
        "other at 127.0.0.1",
    }


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"model at 127.0.0.1": 1}', '{"model at 127.0.0.1": {"read_per_second": -1}}'],
)
def test_a_damaged_file_is_measured_again(tmp_path: Path, content: str) -> None:
    path = tmp_path / "speeds.json"
    path.write_text(content, encoding="utf-8")
    speeds = Speeds(path)
    assert speeds.of(info()).tokens_per_second == 0
    speeds.of(info()).record(read(1_000))
    speeds.save()
    assert Speeds(path).of(info()).tokens_per_second == 1_000


def test_no_more_than_so_many_models(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    speeds = Speeds(path)
    for number in range(100):
        speeds.of(info(f"model-{number}")).record(read(1_000))
    speeds.save()
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 64
    assert Speeds(path).of(info("model-99")).tokens_per_second == 1_000


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    speeds = Speeds(tmp_path / "file" / "speeds.json")
    speeds.of(info()).record(read(1_000))
    speeds.save()
