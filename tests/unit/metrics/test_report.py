"""The figures of `sirdab stats`, from rows to sums."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from sirdab.metrics.record import Answer, Shown, bucket_ms, bucket_of
from sirdab.metrics.report import Latency, report
from sirdab.metrics.store import Store, day_of

NOW = time.time()
DAY = 86_400
ONE = Shown(1, "python", "model", 120.0, 20, 1, told=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "metrics.sqlite3")


@pytest.mark.parametrize("ms", [0.4, 1, 3.3, 17, 120, 749, 1_200, 30_000])
def test_a_bucket_is_near_its_latency(ms: float) -> None:
    assert bucket_ms(bucket_of(ms)) == pytest.approx(ms, rel=0.05, abs=0.05)


@pytest.mark.parametrize("ms", [float("nan"), float("inf"), -1, 0, 1e12])
def test_no_latency_breaks_a_bucket(ms: float) -> None:
    assert 0 <= bucket_of(ms) <= bucket_of(1e12)


def test_percentiles_are_those_of_the_answers() -> None:
    latency = Latency()
    for ms in range(1, 1_001):
        latency.buckets[bucket_of(ms)] += 1
    assert latency.answers == 1_000
    for percent in (50, 95, 99):
        assert latency.percentile(percent) == pytest.approx(percent * 10, rel=0.05)
    assert Latency().percentile(50) == 0.0


def test_sums_and_shares(store: Store) -> None:
    full = replace(ONE, part="full", part_told=True, characters_accepted=30)
    word = replace(ONE, number=2, part="word", characters_accepted=10)
    shown = [
        full,
        word,
        replace(ONE, number=3, ending="dismissed"),
        replace(ONE, number=4, ending="passed", told=False),
        replace(ONE, number=5, ending="typed", language="go"),
    ]
    answers = [
        Answer("python", "model", 100.0, 50, 9),
        Answer("python", "model", 200.0, 70, 9),
        Answer("go", "cache", 0.5),
    ]
    store.write(
        1,
        [(NOW, one) for one in answers],
        [(NOW, one) for one in shown],
        [(1, 30, 1.0), (2, 30, 0.2), (1, 90, 0.5)],
    )
    found = report(store, 7, NOW).as_json()
    assert (found["shown"], found["shownTold"]) == (5, 4)
    assert found["accepted"] == {"full": 1, "line": 0, "word": 1, "all": 2}
    assert (found["acceptedTold"], found["acceptanceRate"]) == (1, 0.4)
    assert (found["dismissed"], found["passed"], found["typed"]) == (1, 1, 1)
    assert found["charactersAccepted"] == 40
    # 120 tokens for 40 characters; what was kept counts by its characters.
    assert found["tokensReadPerAcceptedCharacter"] == 3.0
    assert found["retained"] == {"30s": 0.8, "90s": 0.5, "300s": None}
    assert list(found["latency"]) == ["model", "cache"]
    assert found["latency"]["model"]["answers"] == 2
    assert found["latency"]["model"]["p99Ms"] == pytest.approx(200, rel=0.05)
    assert list(found["languages"]) == ["python", "go"]
    assert found["languages"]["go"]["acceptanceRate"] == 0.0


def test_days_without_anything_are_days_too(store: Store) -> None:
    store.write(1, [], [(NOW - 3 * DAY, ONE), (NOW, replace(ONE, number=2))], [])
    found = report(store, 30, NOW)
    assert [day.shown for day in found.days.values()] == [1, 0, 0, 1]
    assert list(found.days)[-1] == day_of(NOW)


def test_only_the_days_asked_for_count(store: Store) -> None:
    store.write(1, [], [(NOW - 3 * DAY, ONE), (NOW, replace(ONE, number=2))], [])
    assert report(store, 3, NOW).total.shown == 1
    assert report(store, 4, NOW).total.shown == 2


def test_without_a_file_there_is_nothing() -> None:
    found = report(None, 30, NOW)
    assert found.empty
    assert found.as_json()["acceptanceRate"] is None
