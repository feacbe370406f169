"""The JSON of a review: its keys are a promise (docs/review.md)."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

import sirdab
from sirdab.review.finding import Dropped
from sirdab.review.report.json import as_json
from sirdab.review.report.record import Skipped
from sirdab.review.report.write import dumps, write
from tests.support.reports import ROOT, file_report, finding, report

CODE = "def f(c, n):\n    c.execute('SELECT 1 FROM t WHERE n = ' + n)\n"
LINE = "c.execute('SELECT 1 FROM t WHERE n = ' + n)"


def test_the_whole_form() -> None:
    one = finding(CODE, LINE, why="W.", unit="f", confidence=2 / 3, evidence=("S608",))
    file = file_report(CODE, one, name="src/app.py")
    file.dropped.append(Dropped("weak-hash", 1, "refuted", "It is weak."))
    whole = report(file, skipped=[Skipped("x.bin", ROOT, "x.bin", "it is no text.")])
    assert as_json(whole, dropped=True) == {
        "form": 1,
        "version": sirdab.__version__,
        "files": 1,
        "findings": [
            {
                "file": "src/app.py",
                "path": "src/app.py",
                "line": 2,
                "column": 5,
                "endLine": 2,
                "endColumn": 5 + len(LINE),
                "severity": "error",
                "category": "security",
                "rule": "sql-injection",
                "cwe": 89,
                "message": "The query is built from text.",
                "why": "W.",
                "code": LINE,
                "unit": "f",
                "confidence": 0.667,
                "evidence": ["S608"],
                "fingerprint": one.fingerprint,
                "suppressed": None,
            }
        ],
        "skipped": [{"file": "x.bin", "path": "x.bin", "reason": "it is no text."}],
        "problem": None,
        "interrupted": False,
        "dropped": [
            {
                "file": "src/app.py",
                "path": "src/app.py",
                "line": 2,
                "rule": "weak-hash",
                "reason": "refuted",
                "detail": "Asked again, the model did not uphold it.",
                "message": "It is weak.",
            }
        ],
    }


def test_what_is_suppressed_is_named_on_demand() -> None:
    whole = report(file_report(CODE, finding(CODE, LINE), suppressed="dismissed"))
    assert as_json(whole)["findings"] == []
    assert [f["suppressed"] for f in as_json(whole, suppressed=True)["findings"]] == ["dismissed"]
    assert "dropped" not in as_json(whole)


def test_every_key_is_documented() -> None:
    page = Path(__file__).parents[4] / "docs" / "review.md"
    documented = set(re.findall(r"`(\w+)`", page.read_text(encoding="utf-8")))
    file = file_report(CODE, finding(CODE, LINE))
    file.dropped.append(Dropped("weak-hash", 1, "refuted"))
    tree = as_json(report(file, skipped=[Skipped("x", ROOT, "x", "y")]), dropped=True)
    keys = {*tree, *tree["findings"][0], *tree["dropped"][0], *tree["skipped"][0]}
    assert keys <= documented


def test_names_that_are_no_text() -> None:
    tree = {"file": os.fsdecode(b"\xff.py") if sys.platform == "linux" else "\udcff.py"}
    written = dumps(tree)
    assert json.loads(written.encode("utf-8")) == tree
    assert "漢" in dumps({"a": "漢"})
    assert json.loads(dumps({"a": "漢"}, "latin-1").encode("latin-1")) == {"a": "漢"}


class TestWriting:
    def test_all_or_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "report.json"
        write(path, "old")
        monkeypatch.setattr(os, "fdopen", lambda *_: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            write(path, "new")
        monkeypatch.undo()
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
    def test_the_mode_is_that_of_any_new_file_or_stays(self, tmp_path: Path) -> None:
        ordinary, path = tmp_path / "ordinary", tmp_path / "report"
        ordinary.write_text("")
        write(path, "x")
        assert path.stat().st_mode == ordinary.stat().st_mode
        path.chmod(0o600)
        write(path, "y")
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_link_is_followed(self, tmp_path: Path) -> None:
        target, link = tmp_path / "target", tmp_path / "link"
        target.write_text("old")
        link.symlink_to(target)
        write(link, "new")
        assert link.is_symlink()
        assert target.read_text() == "new"

    @pytest.mark.skipif(os.name != "posix", reason="Windows has no such device")
    def test_a_device_stays_one(self) -> None:
        write(Path(os.devnull), "x")
        assert Path(os.devnull).is_char_device()
