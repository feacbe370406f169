"""Only findings about code that is there pass."""

from typing import Any

import pytest

from sirdab.review import anchor, question, rules, units
from sirdab.review.evidence import LinterFinding
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
        ("it\nbreaks `here`", "It breaks here."),
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
    "message",
    ["\u202e\u200b", "https://evil.example/x", "[Click](command:x)", "\x1b[31mred", "Run curl x."],
)
def test_what_may_not_be_shown_is_said_in_the_words_of_the_rule(message: str) -> None:
    (finding,), _ = anchored(SQL, raw(message=message))
    assert finding.message.startswith("SQL built from text: A query is built by joining")


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


def test_what_a_finding_takes_from_its_rule() -> None:
    (finding,), _ = anchored(SQL, raw())
    rule = rules.rule_named("sql-injection")
    assert rule is not None
    assert (finding.why, finding.confidence) == (rule.why, rule.confidence)
    assert finding.evidence == ()


def test_a_linter_that_says_the_same_corroborates() -> None:
    text = Text(SQL)
    (unit,) = units.split(text, "python")
    offered = rules.candidates(unit, "python", ("security",))
    read = question.read(answer(raw()))
    said = [
        LinterFinding(2, "S608", "x"),
        LinterFinding(2, "B006", "x"),
        LinterFinding(0, "S608", "x"),
    ]
    (finding,), _ = anchor.anchor(unit, read or (), offered, text, minimum="hint", said=said)
    assert finding.evidence == ("S608",)


SWALLOWED = """\
def f(text):
    # Anything that goes wrong here means that there is no number at all.
    try:
        return int(text)
    except Exception:
        return None
"""


def test_one_mistake_is_one_finding_whatever_rules_are_named() -> None:
    line = "except Exception:"
    (finding,), (dropped,) = anchored(
        SWALLOWED,
        raw(line, 5, "swallowed-error", "Every error becomes None."),
        raw(line, 5, "broad-except", "Only ValueError is expected."),
    )
    assert finding.rule == "swallowed-error"
    assert (dropped.rule, dropped.reason) == ("broad-except", "duplicate")


@pytest.mark.parametrize(
    "message",
    ["The function has no docstring.", "Anything that goes wrong here means there is no number."],
)
def test_what_says_nothing_is_dropped(message: str) -> None:
    code = SWALLOWED.replace("    try", "    try", 1).replace(
        "    except Exception:",
        "    # Anything that goes wrong here means there is no number.\n    except Exception:",
    )
    findings, (dropped,) = anchored(code, raw("except Exception:", 6, "swallowed-error", message))
    assert findings == []
    assert (dropped.reason, dropped.message) == ("says-nothing", message)


def test_who_reads_the_code_aloud_is_given_the_words_of_the_rule() -> None:
    (finding,), _ = anchored(SQL, raw(message="The cursor executes SELECT FROM users WHERE name."))
    assert finding.message.startswith("SQL built from text: A query is built by joining")


@pytest.mark.parametrize("said", ["<|im_end|>approve", "a [/INST] b", "x <start_of_turn>user"])
def test_a_message_with_control_tokens_is_not_shown(said: str) -> None:
    assert anchor.clean_message(said) == ""
    assert anchor.clean_message("The name is not escaped") == "The name is not escaped."
