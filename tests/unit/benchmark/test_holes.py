"""Which holes are dug, and that filling them right is seen."""

import json
from pathlib import Path
from typing import Any

import pytest

from sirdab.benchmark import results
from sirdab.benchmark.holes import KINDS, Hole, Kind, choose, source_files
from sirdab.benchmark.score import Score, compare, score, summarise
from sirdab.completion.request import Outcome, Reason, Suggestion
from sirdab.text.store import Point, Text

PYTHON = '''\
"""A module."""
import os


def total(prices, rates):
    """Return a sum."""
    result = sum(prices) * rates.get("default", 1.0)
    for price in prices:
        result += price * 2
        result -= abs(price) / 3
    return result
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "pkg" / f"{name}.py").write_text(PYTHON.replace("total", name * 3))
    (tmp_path / "notes.md").write_text("Some words (in brackets), and more words.\n" * 9)
    (tmp_path / ".env").write_text("PASSWORD=correct horse battery staple\n")
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "made.py").write_text(PYTHON)
    return tmp_path


def test_only_code_that_may_be_read(folder: Path) -> None:
    assert [path.name for path in source_files(folder)] == ["a.py", "b.py", "c.py"]


def test_what_the_user_excludes_is_not_asked_about(folder: Path) -> None:
    every = source_files(folder)
    exclude = (every[0].name,)
    assert source_files(folder, exclude) == every[1:]
    holes = choose(folder, KINDS, 20, 1, exclude)
    assert every[0].relative_to(folder).as_posix() not in {hole.path for hole in holes}


@pytest.mark.parametrize("kind", KINDS)
def test_a_hole_is_what_was_taken_out(folder: Path, kind: Kind) -> None:
    holes = list(choose(folder, (kind,), 5, seed=1))
    assert holes
    for hole in holes:
        assert hole.kind == kind
        original = (folder / hole.path).read_text()
        assert str(hole.text.replace(hole.point, hole.point, hole.expected)) == original
        assert hole.expected.strip()
        before = hole.text.line_body(hole.point.line)[: hole.point.column]
        assert ("\n" in hole.expected) == (kind == "block")
        if kind == "block":
            assert not before.strip()
        else:
            assert before.strip()
            rest = hole.text.line_body(hole.point.line)[hole.point.column :]
            assert (rest[:1] in (")", "]", "}")) == (kind == "middle")


def test_the_same_seed_gives_the_same_holes(folder: Path) -> None:
    def ids(seed: int) -> list[str]:
        return [hole.id for hole in choose(folder, KINDS, 9, seed)]

    assert ids(1) == ids(1) != ids(2)
    assert len(set(ids(1))) == 9
    (folder / "pkg" / "a.py").write_text(PYTHON + "# more\n")
    assert ids(1) != ids(2)


def test_a_folder_without_code_has_no_holes(tmp_path: Path) -> None:
    assert list(choose(tmp_path, KINDS, 9, 1)) == []


def hole(expected: str) -> Hole:
    text = Text("def f(a, b):\n    \n\nprint(f(1, 2))\n")
    return Hole("h", "f.py", "python", "block", text, Point(1, 4), expected)


def outcome(said: str | None) -> Outcome:
    if said is None:
        return Outcome(Reason.EMPTY, "Nothing.", trace={"total_ms": 5.0})
    suggestion = Suggestion("s", said, Point(1, 4), Point(1, 4))
    trace = {"total_ms": 7.5, "evaluated_tokens": 3, "generated_tokens": 4}
    return Outcome(Reason.SUGGESTED, "Yes.", (suggestion,), trace)


@pytest.mark.parametrize(
    ("said", "expect"),
    [
        ("a += b\n    return a", {"exact": True, "first_line": True, "parses": True}),
        ("a += b  \r\n    return a\r\n", {"exact": True, "first_line": True, "parses": True}),
        ("a += b\n    return b", {"exact": False, "first_line": True, "parses": True}),
        ("return (a", {"exact": False, "first_line": False, "parses": False}),
        (None, {"exact": False, "first_line": False, "parses": None, "similarity": 0.0}),
    ],
)
def test_the_score_of_an_answer(said: str | None, expect: dict[str, Any]) -> None:
    found = score(hole("a += b\n    return a"), outcome(said)).as_json()
    assert {name: found[name] for name in expect} == expect
    assert found["shown"] is (said is not None)


def made(id_: str, exact: bool, ms: float = 10.0) -> Score:
    return Score(id_, "line", "python", True, "suggested", exact, exact, 0.5, True, ms, 2, 3)


def test_adding_up() -> None:
    scores = [made("a", True), made("b", False, 30.0)]
    found = summarise(scores)
    assert (found.holes, found.exact, found.precision, found.median_ms) == (2, 0.5, 0.5, 20.0)
    with pytest.raises(ValueError, match="nothing"):
        summarise([])


def test_two_runs_are_compared_hole_by_hole() -> None:
    before = [made(str(n), n % 2 == 0) for n in range(40)]
    after = [made(str(n), True) for n in range(5, 45)]
    found = compare(before, after, lambda one: one.exact)
    assert found.holes == 35
    assert 0.3 < found.low < found.mean < found.high < 0.8
    with pytest.raises(ValueError, match="no hole"):
        compare(before, [made("x", True)], lambda one: one.exact)


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    conditions = {"seed": 1}
    assert results.begin(path, conditions) == []
    results.append(path, made("a", True))
    with path.open("a") as file:
        file.write('{"id": "b", "ki')
    assert results.begin(path, conditions) == [made("a", True)]
    results.append(path, made("c", False))
    assert results.read(path) == (conditions, [made("a", True), made("c", False)])
    with pytest.raises(results.ResultsError, match="other options"):
        results.begin(path, {"seed": 2})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json\n{}\n",
        "[]\n",
        '{"conditions": {}}\n{"id": 1}\n',
        '{"conditions": {}}\n' + json.dumps({**made("x", True).as_json(), "ms": None}) + "\n",
    ],
)
def test_a_file_of_something_else(tmp_path: Path, content: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(results.ResultsError):
        results.read(path)
