"""What is known of one document while it is edited and reviewed."""

from sirdab.review.finding import Dropped, Finding
from sirdab.review.request import UnitReview
from sirdab.server.review.desk import Desk
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

CODE = "def f():\n    x = a / n\n\ndef g():\n    y = b / m\n"


def snapshot(content: str, version: int = 1) -> Snapshot:
    return Snapshot("file:///p/a.py", "python", version, Text(content))


def finding(text: str, line: int, rule: str = "division-by-zero") -> Finding:
    body = text.split("\n")[line]
    start = len(body) - len(body.lstrip())
    return Finding(
        Point(line, start),
        Point(line, len(body)),
        body.strip(),
        "correctness",
        rule,
        "warning",
        "It divides.",
        None,
        f"{rule}:{body.strip()}",
    )


def unit(first: int, last: int, *found: Finding, whole: bool = True) -> UnitReview:
    return UnitReview(first, last, tuple(found), whole=whole)


def lines(desk: Desk) -> list[int]:
    return [entry.start.line for entry in desk.findings]


def edited(desk: Desk, start: tuple[int, int], stop: tuple[int, int], new: str) -> None:
    text = desk.snapshot.text.replace(Point(*start), Point(*stop), new)
    version = desk.snapshot.version + 1
    desk.follow(Snapshot(desk.snapshot.uri, "python", version, text))


def test_early_findings_join_the_earlier_ones_until_the_unit_is_done() -> None:
    desk = Desk("k", snapshot(CODE))
    desk.findings = [finding(CODE, 1), finding(CODE, 1, "old"), finding(CODE, 4)]
    run = desk.begin(desk.snapshot)
    assert run.take(unit(0, 1, finding(CODE, 1), whole=False))
    desk.present(run)
    # Nothing is there twice, and what is not yet decided is still there.
    assert [(entry.start.line, entry.rule) for entry in desk.findings] == [
        (1, "division-by-zero"),
        (1, "old"),
        (4, "division-by-zero"),
    ]
    assert not run.take(unit(0, 1, finding(CODE, 1), whole=False))
    assert run.take(unit(0, 1, finding(CODE, 1)))
    desk.present(run)
    assert [entry.rule for entry in desk.findings] == ["division-by-zero"] * 2
    assert run.take(unit(3, 4))
    desk.present(run)
    assert lines(desk) == [1]


def test_what_is_found_after_edits_is_led_through_them() -> None:
    """Two edits far from each other leave what is between them where it is."""
    desk = Desk("k", snapshot(CODE))
    run = desk.begin(desk.snapshot)
    edited(desk, (0, 0), (0, 0), "import os\n\n")
    edited(desk, (7, 0), (7, 0), "z = 1\n")
    same = "    x = a / n\n"
    edited(desk, (0, 0), (0, 0), same)
    assert run.take(unit(0, 1, finding(CODE, 1)))
    desk.present(run)
    # As one edit it would be there twice, and so nowhere.
    assert lines(desk) == [4]


def test_a_unit_that_was_edited_is_not_wanted_any_more() -> None:
    desk = Desk("k", snapshot(CODE))
    desk.findings = [finding(CODE, 4)]
    run = desk.begin(desk.snapshot)
    edited(desk, (0, 0), (0, 0), "\n")
    assert run.is_untouched(0, 1)
    assert run.is_untouched(3, 4)
    edited(desk, (2, 4), (2, 5), "w")
    assert not run.is_untouched(0, 1)
    assert run.is_untouched(3, 4)
    # What is not reviewed keeps what is known of it.
    assert not run.end()
    desk.present(run)
    assert lines(desk) == [5]


def test_very_many_edits_are_borne() -> None:
    desk = Desk("k", snapshot(CODE))
    run = desk.begin(desk.snapshot)
    for _ in range(1_000):
        edited(desk, (0, 0), (0, 0), "\n")
    run.take(unit(0, 1, finding(CODE, 1)))
    desk.present(run)
    assert lines(desk) == [1_001]


def test_what_lies_in_no_unit_goes_with_the_end_of_the_review() -> None:
    desk = Desk("k", snapshot(CODE))
    desk.findings = [finding(CODE, 4)]
    desk.dropped = [Dropped("r", 4, "refuted")]
    run = desk.begin(desk.snapshot)
    run.take(unit(0, 1))
    assert run.end()
    desk.present(run)
    assert (desk.findings, desk.dropped) == ([], [])


def test_what_was_known_of_a_unit_takes_the_place_of_what_is_known() -> None:
    desk = Desk("k", snapshot(CODE))
    desk.findings = [finding(CODE, 1), finding(CODE, 4)]
    earlier = desk.snapshot
    edited(desk, (0, 0), (0, 0), "\n")
    desk.take_known(earlier, [unit(0, 1), unit(3, 4, finding(CODE, 4, "new"))])
    assert [(entry.start.line, entry.rule) for entry in desk.findings] == [(5, "new")]
    assert desk.reviewed


def test_what_is_lost_is_looked_for_so_often() -> None:
    desk = Desk("k", snapshot(CODE))
    desk.findings = [finding(CODE, 1)]
    edited(desk, (1, 4), (1, 5), "w")
    assert (desk.findings, len(desk.lost)) == ([], 1)
    for _ in range(100):
        desk.take_known(desk.snapshot, [])
    assert not desk.lost
    edited(desk, (1, 4), (1, 5), "x")
    desk.take_known(desk.snapshot, [unit(0, 1, finding(CODE, 1))])
    assert lines(desk) == [1]
    edited(desk, (1, 4), (1, 5), "w")
    edited(desk, (1, 4), (1, 5), "x")
    assert desk.lost
    desk.take_known(desk.snapshot, [unit(0, 1, finding(CODE, 1))])
    assert not desk.lost
