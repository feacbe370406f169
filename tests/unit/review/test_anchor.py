"""Only findings about code that is there pass."""

from typing import Any

import pytest

from sirdab.review import anchor, question, rules, units
from sirdab.review.finding import Severity
from sirdab.text.store import Point, Text
from tests.support.review import MUTABLE, SQL, SQL_LINE, answer, raw


def anchored(content: str, *findings: dict[str, Any], minimum: Severity = "hint") -> Any:
    text = Text(content)
    (unit,) = units.split(text, "python")
    offered = rules.candidates(unit, "python", ("correctness", "security", "performance"))
    read = question.read(answer(*findings))
    assert read is not None
    return anchor.anchor(unit, read, offered, text, minimum=minimum)


def test_a_finding_covers_its_line() -> None:
    (finding,), dropped = anchored(SQL, raw())
    assert (finding.start, finding.stop) == (Point(2, 4), Point(2, 4 + len(SQL_LINE)))
    assert finding.code == SQL_LINE
    assert (finding.category, finding.rule) == ("security", "sql-injection")
    assert finding.message == "SQL built from text: The name is put into the query as it is."
    assert dropped == []


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (raw(code="cursor . execute( "), 2),
        (raw(code=SQL_LINE.replace(" ", "\n\t")), 2),
        (raw(line=99), 2),
        (raw(line=-5), 2),
        (raw(code='cursor.execute("SELECT', line=1), 2),
    ],
)
def test_blanks_and_a_wrong_line_are_forgiven(entry: dict[str, Any], line: int) -> None:
    (finding,), _ = anchored(SQL, entry)
    assert finding.start.line == line


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (raw(code="os.system(name)"), "code-is-not-there"),
        (raw(code="return cursor.fetchone()"), "no-sign-of-the-rule"),
        (raw(code="c"), "quotes-too-little"),
        (raw(code="   "), "quotes-too-little"),
        (raw(rule="weak-hash"), "unknown-rule"),
        (raw(rule="own-rule"), "unknown-rule"),
        (raw(message="\u202e\u200b"), "no-message"),
        (raw(message="https://evil.example/x"), "no-message"),
    ],
)
def test_what_does_not_hold_is_dropped_with_the_reason(entry: dict[str, Any], reason: str) -> None:
    findings, (dropped,) = anchored(SQL, entry)
    assert findings == []
    assert dropped.reason == reason


def test_the_nearest_of_equal_lines_is_meant() -> None:
    line = 'db.execute("DELETE FROM a WHERE b = " + c)'
    content = "def f(db, c):\n" + f"    {line}\n    pass\n" * 4
    (finding,), _ = anchored(content, raw(code=line, line=6))
    assert finding.start.line == 5


def test_duplicates_are_merged() -> None:
    (finding,), (dropped,) = anchored(SQL, raw(), raw(message="Another sentence."))
    assert finding.message.endswith("as it is.")
    assert dropped.reason == "duplicate"


@pytest.mark.parametrize(
    ("said", "minimum", "expect"),
    [
        ("error", "hint", "error"),
        ("hint", "hint", "hint"),
        ("catastrophe", "error", "error"),
        ("hint", "information", None),
        ("warning", "error", None),
    ],
)
def test_severity(said: str, minimum: Severity, expect: str | None) -> None:
    findings, dropped = anchored(SQL, raw(severity=said), minimum=minimum)
    assert [finding.severity for finding in findings] == ([expect] if expect else [])
    assert len(dropped) == (0 if expect else 1)


def test_a_model_cannot_raise_the_severity_of_a_rule() -> None:
    entry = raw("def add(item, items=[]):", 1, "mutable-default", severity="error")
    (finding,), _ = anchored(MUTABLE, entry)
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("message", "expect"),
    [
        ("It\nbreaks \x1b[31mhere", "It breaks 31mhere."),
        ("See https://evil.example now", "See now."),
        ("[Click](command:x) `this`", "Click(command:x) this."),
        ("It \u202ebreaks\u2066!", "It breaks!"),
        ("a " * 500, "…"),
    ],
)
def test_messages_are_one_plain_line(message: str, expect: str) -> None:
    cleaned = anchor.clean_message(message)
    assert cleaned.endswith(expect)
    assert len(cleaned) <= anchor.MAX_MESSAGE_CHARACTERS
    assert cleaned.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "", "no json", "[]", '"x"', "null", '{"findings": {}}', '{"findings": [',
        '{"findings": [1, null, "x", {}]}',
        '{"findings": [{"rule": 1, "line": "x", "code": [], "severity": 0, "message": {}}]}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_has_no_findings(text: str) -> None:
    assert not question.read(text)


def test_no_more_findings_are_read_than_asked_for() -> None:
    assert len(question.read(answer(*[raw()] * 50)) or ()) == question.MAX_FINDINGS


def test_the_fingerprint_survives_edits_elsewhere() -> None:
    (one,), _ = anchored(SQL, raw())
    (two,), _ = anchored(SQL.replace("connection.cursor()", "connection . cursor(1)"), raw())
    moved = SQL.replace("    ", "        ")
    (three,), _ = anchored(moved, raw())
    changed = SQL.replace("users", "people")
    (four,), _ = anchored(changed, raw(code=SQL_LINE.replace("users", "people")))
    assert one.fingerprint == two.fingerprint == three.fingerprint
    assert one.fingerprint != four.fingerprint
