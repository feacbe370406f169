"""The arithmetic of the review bench."""

import pytest

from sirdab.benchmark.review_score import (
    Found,
    Outcome,
    cost,
    curve,
    rate,
    summarise,
    wilson,
)


def found(line: int, rule: str = "off-by-one", confidence: float = 1.0) -> Found:
    return Found(line, line, rule, "correctness", confidence)


def seed(
    *findings: Found, id_: str = "s", lines: tuple[tuple[int, int], ...] = ((5, 6),)
) -> Outcome:
    return Outcome(
        id_, "range-bound", "correctness", "python", ("off-by-one",), lines, 10, findings, {}, 1,
        100, 10, 500.0,
    )  # fmt: skip


def clean(*findings: Found, reviewed: int = 100) -> Outcome:
    return Outcome("c", "", "", "python", (), (), reviewed, findings, {"refuted": 1}, 2, 50, 5, 1e3)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # From the formula, worked out by hand with z = 1.959964.
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson(count: int, of: int, low: float, high: float) -> None:
    share = wilson(count, of)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-4)


def test_no_share_is_more_than_all() -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(3, 2)


def test_rate_of_rare_events() -> None:
    # The exact ends for a count of 4 are 1.09 and 10.24.
    some = rate(4, 2000)
    assert some["per_1000"] == 2.0
    assert some["low"] == pytest.approx(0.545, abs=0.02)
    assert some["high"] == pytest.approx(5.12, abs=0.03)
    assert rate(0, 1000)["low"] == 0.0
    assert rate(0, 1000)["high"] == pytest.approx(3.69, abs=0.05)
    assert rate(0, 0)["per_1000"] == 0.0


@pytest.mark.parametrize(
    ("line", "rule", "there", "hit"),
    [
        (5, "off-by-one", True, True),
        (7, "off-by-one", True, True),
        (4, "off-by-one", True, True),
        (8, "off-by-one", False, False),
        (3, "off-by-one", False, False),
        (5, "wrong-operator", True, False),
    ],
)
def test_a_hit_is_at_the_place_and_of_a_right_rule(
    line: int, rule: str, there: bool, hit: bool
) -> None:
    one = seed()
    assert one.is_there(found(line, rule)) is there
    assert one.is_hit(found(line, rule)) is hit


def test_a_finding_over_several_lines_is_there_when_one_of_them_is() -> None:
    assert seed().is_hit(Found(1, 4, "off-by-one", "correctness", 1.0))
    assert not seed().is_hit(Found(1, 3, "off-by-one", "correctness", 1.0))


def test_summary() -> None:
    outcomes = [
        seed(found(5), found(9)),
        seed(found(6, "wrong-operator")),
        seed(),
        clean(found(1), reviewed=500),
        clean(reviewed=500),
    ]
    all_ = summarise(outcomes)["all"]
    assert (all_["recall"]["count"], all_["recall"]["of"]) == (1, 3)
    assert all_["right_place"]["count"] == 2
    assert (all_["precision"]["count"], all_["precision"]["of"]) == (1, 3)
    assert all_["false_findings"]["per_1000"] == 1.0


def test_summary_by_rule_and_operator() -> None:
    report = summarise([seed(found(5), found(9)), seed(found(6, "x")), clean(found(1))])
    assert report["by_rule"]["off-by-one"] == {
        "hits": 1,
        "elsewhere_in_seeds": 1,
        "on_clean_code": 1,
    }
    assert report["by_operator"]["range-bound"] == {
        "seeds": 2,
        "hits": 1,
        "right_place": 2,
        "asked": 2,
    }


def test_two_findings_of_one_defect_are_one_hit() -> None:
    recall = summarise([seed(found(5), found(6))])["all"]["recall"]
    assert (recall["count"], recall["of"]) == (1, 1)


def test_the_curve_goes_over_the_confidence() -> None:
    outcomes = [
        seed(found(5, confidence=0.9)),
        seed(found(5, confidence=0.4)),
        clean(found(1, confidence=0.5), reviewed=1000),
    ]
    assert curve(outcomes) == [
        {"threshold": 0.4, "recall": 1.0, "precision": 1.0, "false_per_1000": 1.0},
        {"threshold": 0.5, "recall": 0.5, "precision": 1.0, "false_per_1000": 1.0},
        {"threshold": 0.9, "recall": 0.5, "precision": 1.0, "false_per_1000": 0.0},
    ]


def test_the_lowest_threshold_leaves_nothing_out() -> None:
    (point,) = curve([seed(found(5, confidence=2 / 3))])
    assert point["recall"] == 1.0


def test_the_curve_is_short() -> None:
    many = [seed(found(5, confidence=number / 1000)) for number in range(500)]
    points = curve(many)
    assert len(points) == 21
    assert (points[0]["threshold"], points[-1]["threshold"]) == (0.0, 0.499)
    assert curve([seed()]) == []


def test_cost_for_1000_lines() -> None:
    assert cost([clean(reviewed=200), clean(reviewed=300)]) == {
        "lines": 500,
        "seconds_per_1000": 4.0,
        "requests_per_1000": 8.0,
        "tokens_read_per_1000": 200,
        "tokens_written_per_1000": 20,
    }
    assert cost([])["seconds_per_1000"] == 0.0


def test_an_outcome_survives_its_file() -> None:
    import json

    one = seed(found(5, confidence=0.5))
    assert Outcome.from_json(json.loads(json.dumps(one.as_json()))) == one
