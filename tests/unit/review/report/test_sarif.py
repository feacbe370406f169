"""SARIF logs: as the standard's schema says, true, and what GitHub's code scanning asks for."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sirdab
from sirdab.review.report.record import FileReport, Report, Reported, Skipped
from sirdab.review.report.sarif import as_sarif
from sirdab.review.report.write import dumps
from sirdab.review.rules import all_rules
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text
from tests.support.reports import ROOT, file_report, finding, report
from tests.support.sarif import check_meaning, check_schema

CODE = "def f(c, n):\n    x = '😀漢'; c.execute('SELECT 1 FROM t WHERE n = ' + n)\n"
LINE = "c.execute('SELECT 1 FROM t WHERE n = ' + n)"


def log(*files: FileReport, suppressed: bool = False, **more: Any) -> dict[str, Any]:
    return as_sarif(report(*files, **more), suppressed=suppressed)


def test_a_log_without_findings() -> None:
    found = log()
    check_schema(found)
    check_meaning(found, {})
    assert found["runs"][0]["results"] == []
    assert found["runs"][0]["invocations"] == [
        {"executionSuccessful": True, "toolExecutionNotifications": []}
    ]


def test_a_finding() -> None:
    one = finding(CODE, LINE, unit="f", why="Anybody can.", confidence=0.5, evidence=("S608",))
    found = log(file_report(CODE, one, name="src/app.py"))
    check_schema(found)
    check_meaning(found, {"src/app.py": CODE})
    (run,) = found["runs"]
    (result,) = run["results"]
    assert run["columnKind"] == "utf16CodeUnits"
    place = result["locations"][0]["physicalLocation"]
    # The emoji before it is two units of UTF-16.
    start = 5 + len("x = '") + 3 + len("'; ")
    assert place["region"] == {
        "startLine": 2,
        "startColumn": start,
        "endLine": 2,
        "endColumn": start + len(LINE),
        "snippet": {"text": LINE},
    }
    assert place["artifactLocation"] == {"uri": "src/app.py", "uriBaseId": "%SRCROOT%", "index": 0}
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "f"
    assert (result["ruleId"], result["level"]) == ("sql-injection", "error")
    assert result["partialFingerprints"]["sirdabFinding/v1"] == one.fingerprint
    assert "suppressions" not in result


@pytest.mark.parametrize(
    ("severity", "level"),
    [("error", "error"), ("warning", "warning"), ("information", "note"), ("hint", "note")],
)
def test_levels(severity: str, level: str) -> None:
    found = log(file_report(CODE, finding(CODE, LINE, severity=severity)))
    assert found["runs"][0]["results"][0]["level"] == level


def test_every_rule_says_what_code_scanning_shows() -> None:
    (run,) = log()["runs"]
    assert run["tool"]["driver"]["version"] == sirdab.__version__
    described = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in described] == [rule.id for rule in all_rules()]
    for rule, written in zip(all_rules(), described, strict=True):
        # The bounds are those of GitHub's documentation; none of these may be empty.
        assert 0 < len(written["name"]) <= 255
        assert 0 < len(written["shortDescription"]["text"]) <= 1024
        assert 0 < len(written["fullDescription"]["text"]) <= 1024
        assert rule.cure in written["help"]["text"]
        assert rule.cure in written["help"]["markdown"]
        assert written["defaultConfiguration"]["level"] in ("note", "warning", "error")
        properties = written["properties"]
        assert rule.category in properties["tags"]
        assert properties["precision"] in ("very-high", "high", "medium", "low")
        if rule.category == "security":
            assert 0 < float(properties["security-severity"]) <= 10
        else:
            assert properties["problem.severity"] in ("error", "warning", "recommendation")
        if rule.cwe:
            assert f"external/cwe/cwe-{rule.cwe:03d}" in properties["tags"]
    assert len({rule["name"] for rule in described}) == len(described)
    # Its validator asks the same of the notifications (GH2012).
    for written in run["tool"]["driver"]["notifications"]:
        for key in ("shortDescription", "fullDescription", "help"):
            assert written[key]["text"]


def test_what_is_suppressed_is_marked_on_demand() -> None:
    files = [
        file_report(CODE, finding(CODE, LINE), name="a.py"),
        file_report(CODE, finding(CODE, LINE), name="b.py", suppressed="ignored"),
        file_report(CODE, finding(CODE, LINE), name="c.py", suppressed="dismissed"),
    ]
    assert len(log(*files)["runs"][0]["results"]) == 1
    found = log(*files, suppressed=True)
    check_schema(found)
    check_meaning(found, dict.fromkeys(("a.py", "b.py", "c.py"), CODE))
    kinds = [
        [one["kind"] for one in result["suppressions"]] for result in found["runs"][0]["results"]
    ]
    assert kinds == [[], ["inSource"], ["external"]]


def test_what_went_wrong_is_in_the_invocation() -> None:
    skipped = [Skipped("../x.bin", ROOT, "x.bin", f"it is excluded by {ROOT}/.gitignore.")]
    found = log(file_report(CODE), skipped=skipped, problem="The model is gone; start it.")
    check_schema(found)
    (invocation,) = found["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    said = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert said == [
        "x.bin was not reviewed: it is excluded by .gitignore.",
        "The model is gone; start it.",
    ]


def test_no_folder_of_the_machine_is_named() -> None:
    skipped = [Skipped(str(ROOT / "x"), ROOT, "x", f"it is excluded by {ROOT}/.gitignore.")]
    file = file_report(CODE, finding(CODE, LINE), name="src/app.py")
    file.named = str(ROOT / "src" / "app.py")
    written = dumps(log(file, skipped=skipped))
    assert str(ROOT) not in written
    assert str(Path.home()) not in written


def test_two_projects_have_two_roots() -> None:
    one, two = file_report(CODE, finding(CODE, LINE)), file_report(CODE, finding(CODE, LINE))
    two.root = Path("/elsewhere")
    found = log(one, two)
    check_schema(found)
    check_meaning(found, {"app.py": CODE})
    bases = [a["location"]["uriBaseId"] for a in found["runs"][0]["artifacts"]]
    assert bases == ["%SRCROOT%", "%SRCROOT_2%"]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("items[0] is (never) read.", "items[0] is (never) read."),
        # This would be a link to somewhere.
        ("see [here](http://x)", "see \\[here\\](http://x)"),
        ("\x1b[31mred\n", "\\x1b[31mred\\n"),
        ("", "The rule is broken here."),
    ],
)
def test_messages(message: str, text: str) -> None:
    found = log(file_report(CODE, finding(CODE, LINE, message=message)))
    check_schema(found)
    assert found["runs"][0]["results"][0]["message"]["text"] == text


ODD = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30)
NAMES = ODD.map(lambda name: name.replace("\0", "").strip("/") or "x")
if sys.platform == "linux":
    NAMES |= st.binary(min_size=1, max_size=9).map(
        lambda name: os.fsdecode(name.replace(b"\0", b"x").replace(b"/", b"x"))
    )


@given(content=ODD, name=NAMES, message=ODD, unit=ODD, places=st.tuples(*[st.integers(0, 40)] * 4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_any_name_and_any_place(
    content: str, name: str, message: str, unit: str, places: tuple[int, int, int, int]
) -> None:
    text = Text(content)
    start, stop = sorted((text.clamp(Point(*places[:2])), text.clamp(Point(*places[2:]))))
    one = finding("x", "x", start=start, stop=stop, message=message, unit=unit)
    snapshot = Snapshot("untitled:x", "python", 0, text)
    file = FileReport(name, ROOT, name, snapshot, [Reported(one), Reported(one, "ignored")])
    found = as_sarif(Report([file], [Skipped(name, ROOT, name, message)]), suppressed=True)
    check_schema(found)
    check_meaning(found, {name: content})
    assert json.loads(dumps(found).encode("utf-8")) == found
