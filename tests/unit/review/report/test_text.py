"""What people read, and what reads the messages of compilers."""

import re

from sirdab.review.finding import REASONS, Dropped
from sirdab.review.report.record import Report, Skipped
from sirdab.review.report.text import Look, dropped_line, finding_lines, shown_in, summary
from sirdab.review.rules import page_of
from tests.support.reports import ROOT, file_report, finding, report

CODE = 'def f(c, n):\n    c.execute("SELECT 1 FROM t WHERE n = " + n)\n'
LINE = 'c.execute("SELECT 1 FROM t WHERE n = " + n)'
# What GNU's "path:line:column: severity: message" is recognized by, with our code behind it.
MATCHER = re.compile(r"^(.+?):(\d+):(\d+): (error|warning|information|hint) ([a-z/-]+): (.*)$")


def said(file, look: Look | None = None) -> list[str]:
    lines = finding_lines(file, file.found[0], look or Look())
    return ["".join(piece.text for piece in line) for line in lines]


def test_a_finding() -> None:
    one = finding(CODE, LINE, why="Anybody can read it.", unit="f", confidence=0.75)
    lines = said(file_report(CODE, one))
    assert lines == [
        "app.py:2:5: error security/sql-injection: The query is built from text.",
        "  1 | def f(c, n):",
        '> 2 |     c.execute("SELECT 1 FROM t WHERE n = " + n)',
        "    |     " + "^" * len(LINE),
        "    = Anybody can read it.",
        "    = CWE-89; in f; confidence 75%",
        f"    = see {page_of('sql-injection')}",
    ]
    matched = [line for line in lines if MATCHER.match(line)]
    assert matched == lines[:1]


def test_the_first_line_alone() -> None:
    assert len(said(file_report(CODE, finding(CODE, LINE)), Look(framed=False))) == 1


def test_who_agrees_and_what_is_suppressed_is_said() -> None:
    one = finding(CODE, LINE, evidence=("S608",))
    lines = said(file_report(CODE, one, suppressed="ignored"))
    assert "    = CWE-89; a linter agrees (S608); ignored by a comment" in lines


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    one = finding(CODE, LINE, message="a\x1b[2Jb\nc\u202e", unit="\x07")
    for line in said(file_report(CODE, one, name="\x1b]0;x\x07\n.py")):
        assert line.isprintable()


def test_each_encoding_gets_what_it_can_hold() -> None:
    one = finding(CODE, LINE, message="漢 — ü")
    for encoding in ("ascii", "latin-1", "utf-8", "no-such-encoding"):
        head = said(file_report(CODE, one), Look(shown=shown_in(encoding)))[0]
        head.encode("ascii" if encoding == "no-such-encoding" else encoding)


def test_what_is_not_shown_and_why() -> None:
    file = file_report(CODE)
    line = dropped_line(file, Dropped("weak-hash", 1, "refuted", "It is weak."), Look())
    text = "".join(piece.text for piece in line)
    assert text == f"app.py:2: not shown: weak-hash: {REASONS['refuted']} (It is weak.)"
    assert not MATCHER.match(text)
    line = dropped_line(file, Dropped("", -1, "unreadable-answer"), Look())
    assert line[0].text == f"app.py: not shown: {REASONS['unreadable-answer']}"


def test_the_last_line() -> None:
    one = finding(CODE, LINE)
    assert summary(Report()) == "There is nothing to review."
    assert summary(report(file_report(CODE))) == "0 findings in 1 file"
    assert summary(Report(), "Nothing is staged.") == "Nothing is staged."
    stopped = Report(problem="It is gone.")
    assert summary(stopped) == "The review is not complete: 0 findings in 0 files"
    whole = report(file_report(CODE, one), file_report(CODE, one, suppressed="dismissed"))
    whole.skipped.append(Skipped("x", ROOT, "x", "it is no text."))
    assert summary(whole) == "1 finding in 2 files, 1 dismissed or ignored, 1 file skipped"


def test_what_counts_as_grave() -> None:
    warning = finding(CODE, LINE, severity="warning")
    found = report(file_report(CODE, warning))
    assert found.has_at_least("hint")
    assert found.has_at_least("warning")
    assert not found.has_at_least("error")
    # What is suppressed fails nothing.
    assert not report(file_report(CODE, warning, suppressed="dismissed")).has_at_least("hint")
