"""Cases of the review bench, and running them against a scripted model."""

import json
import os
from pathlib import Path

import pytest

from sirdab.benchmark.defects.operators import operator_named
from sirdab.benchmark.defects.seeds import Seed
from sirdab.benchmark.results import ResultsError
from sirdab.benchmark.review import USUAL, Bench, BenchError, Results, Variant, report
from sirdab.benchmark.review_cases import Case, installed, lines_of, of_folder, own, seeded
from sirdab.benchmark.review_fixes import FixBench, finding_of, summarise
from sirdab.config.schema import Settings
from sirdab.endpoint.base import EndpointError, GenerationRequest, ProblemKind
from tests.support.review import ScriptedModel, answer, raw

SILENT = Variant("silent", 0, evidence=False)


def only(name: str, count: int = 1) -> list[Case]:
    operator = operator_named(name)
    assert operator is not None
    return [case for case in own(count, 1, [operator]) if case.seed is not None]


def test_a_defect_that_the_model_names_is_found() -> None:
    (case,) = only("sql-concatenation")
    assert case.seed is not None
    assert case.lines == (case.seed.first, case.seed.last)


async def test_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    (case,) = only("sql-concatenation")
    assert case.seed is not None
    line = case.text.split("\n")[case.seed.first].strip()

    def said(request: GenerationRequest) -> str:
        shown = next(
            (one for one in request.prompt.split("\n") if one.endswith(line) and "| " in one), ""
        )
        number = int(shown.split("|")[0]) if shown else 1
        return answer(raw(code=line, line=number))

    model = ScriptedModel(answer=said)
    outcome = await Bench(model, Settings(), SILENT).judge(case)
    assert outcome.operator == "sql-concatenation"
    assert any(outcome.is_hit(found) for found in outcome.found)
    assert outcome.reviewed > 3
    assert outcome.requests == len(model.requests)


async def test_what_is_said_without_the_defect_too_is_no_hit() -> None:
    """The rule would have found the line whatever is done to it."""
    operator = operator_named("sql-concatenation")
    assert operator is not None
    query = 'db.execute("SELECT a FROM b WHERE c = \'" + name + "\'")'
    broken = f"def f(db, name):\n    {query}\n    return name\n"

    def case(clean: str) -> Case:
        seed = Seed("s", operator, "a.py", "python", clean, broken, ((1, 1),))
        return Case("s", "a.py", "python", broken, (1, 1), seed)

    model = ScriptedModel(answer=lambda _: answer(raw(code=query, line=2)))
    as_it_was = broken.replace("return name", "return 2")
    outcome = await Bench(model, Settings(), SILENT).judge(case(as_it_was))
    assert [found.stood for found in outcome.found] == [True]
    assert not any(outcome.is_hit(found) or outcome.is_there(found) for found in outcome.found)
    # The same finding counts where the code was right before.
    right = broken.replace(query, 'db.execute("SELECT a FROM b WHERE c = ?", (name,))')
    outcome = await Bench(model, Settings(), SILENT).judge(case(right))
    assert [found.stood for found in outcome.found] == [False]
    assert any(outcome.is_hit(found) for found in outcome.found)


async def test_code_without_any_sign_costs_nothing() -> None:
    model = ScriptedModel()
    case = Case("clean@a", "a.py", "python", "def f(x):\n    return x\n")
    outcome = await Bench(model, Settings(), SILENT).judge(case)
    assert (outcome.requests, outcome.found, outcome.reviewed) == (0, (), 2)
    assert outcome.operator == ""


async def test_a_model_that_cannot_be_asked_ends_the_run() -> None:
    model = ScriptedModel(problem=EndpointError(ProblemKind.DOWN, "There is none."))
    (case,) = only("sql-concatenation")
    with pytest.raises(BenchError, match="There is none"):
        await Bench(model, Settings(), USUAL).judge(case)


def test_own_cases_are_the_clean_files_and_the_defects() -> None:
    cases = own(20, 1)
    assert sum(case.seed is not None for case in cases) == 20
    assert all(case.lines is None for case in cases if case.seed is None)
    assert len({case.id for case in cases}) == len(cases)


CODE = """\
def total(values):
    found = 0
    for index in range(len(values)):
        found += values[index]
    return found


def average(values):
    if not values:
        return 0.0
    return total(values) / len(values)
"""


def test_a_folder_is_read_and_not_written(tmp_path: Path) -> None:
    file = tmp_path / "figures.py"
    file.write_text(CODE, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("if a and b\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("secret/\n", encoding="utf-8")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.py").write_text(CODE, encoding="utf-8")
    cases = of_folder(tmp_path, 50, 1)
    assert {case.name for case in cases} == {"figures.py"}
    operators = {case.seed.operator.id for case in cases if case.seed is not None}
    assert {"range-bound", "division-guard", "lost-return"} <= operators
    assert [case.text for case in cases if case.seed is None] == [CODE]
    assert all(case.text != CODE for case in cases if case.seed is not None)
    assert file.read_text(encoding="utf-8") == CODE


def test_an_empty_folder_has_no_cases(tmp_path: Path) -> None:
    assert of_folder(tmp_path, 5, 1) == []


def test_installed_packages_are_sampled() -> None:
    cases = installed(["click"], 300, 1)
    assert 300 <= sum(map(lines_of, cases)) < 400
    assert all(case.seed is None and case.name.startswith("click/") for case in cases)
    assert installed(["click"], 300, 1) == cases
    assert installed(["click"], 300, 2) != cases


def test_a_module_is_one_file() -> None:
    assert {case.name for case in installed(["argparse"], 10**6, 1)} == {"argparse.py"}


def test_packages_are_seeded() -> None:
    cases = seeded(["click"], 30, 1)
    assert len(cases) == 30
    assert all(case.seed is not None and case.name.startswith("click/") for case in cases)
    assert len({case.id for case in cases}) == 30


@pytest.mark.parametrize("module", ["no_such_package", "sys", "a.b", "../x"])
def test_a_package_that_is_not_there(module: str) -> None:
    with pytest.raises(ValueError, match="no installed package"):
        installed([module], 10, 1)


async def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    cases = [Case(f"clean@{n}", "a.py", "python", "def f(x):\n    return x\n") for n in range(2)]
    first = await Bench(ScriptedModel(), Settings(), SILENT).judge(cases[0])
    results = Results(path, {"seeds": 3})
    results.keep("silent", first)
    # It was stopped while it wrote.
    with path.open("a", encoding="utf-8") as file:
        file.write('{"variant": "si')
    again = Results(path, {"seeds": 3})
    assert again.known("silent", cases[0]) == first
    assert again.known("silent", cases[1]) is None
    assert again.known("other", cases[0]) is None
    again.keep("silent", first)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_a_file_of_another_run_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Results(path, {"seeds": 3})
    before = path.read_bytes()
    with pytest.raises(ResultsError, match="other options"):
        Results(path, {"seeds": 4})
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("nothing\nnothing\n", "no results in line 1"),
        ("[1]\n", "no results in line 1"),
        ('{"a": 1}\n', "no results of"),
        ('{"conditions": {}}\n{"variant": "a", "outcome": {"id": 1}}\n', "another version"),
    ],
)
def test_a_file_that_is_no_file_of_results(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ResultsError, match=why):
        Results(path, {})


def test_a_report_names_what_was_found_on_clean_code() -> None:
    from tests.unit.benchmark.test_review_score import clean, found, seed

    (figures,) = report({"as set": [seed(found(5)), clean(found(41))]})["variants"].values()
    assert figures["on_clean_code"] == [
        {"name": "c", "line": 42, "rule": "off-by-one", "confidence": 1.0}
    ]
    assert (figures["seeds"], figures["clean_lines"]) == (1, 100)
    assert figures["dropped"] == {"refuted": 1}


def fixing(model: ScriptedModel) -> FixBench:
    return FixBench(model, Settings())


def block(case: Case, text: str) -> str:
    """What a model writes that mends the unit of a case: the lines of the clean file."""
    from sirdab.review.units import split
    from sirdab.text.store import Text

    assert case.seed is not None
    unit = next(
        one
        for one in split(Text(case.text), case.language_id)
        if one.first <= case.seed.first <= one.last
    )
    after = unit.last + 1 + text.count("\n") - case.text.count("\n")
    return "\n".join(text.split("\n")[unit.first : after]) + "\n```"


@pytest.mark.skipif(os.name != "posix", reason="the tests of the fixtures are for POSIX systems")
async def test_a_fix_that_makes_the_clean_code_again_passes() -> None:
    (case,) = only("range-bound")
    assert case.seed is not None
    fixed = await fixing(ScriptedModel(block(case, case.seed.clean))).fix(case.seed)
    assert (fixed.applies, fixed.parses, fixed.passes, fixed.restored) == (True, True, True, True)
    assert fixed.requests == 1


async def test_a_fix_that_does_nothing_is_refused() -> None:
    (case,) = only("range-bound")
    assert case.seed is not None
    fixed = await fixing(ScriptedModel(block(case, case.text))).fix(case.seed)
    assert (fixed.applies, fixed.passes, fixed.restored) == (False, False, False)
    assert fixed.refusal


def test_fixes_are_summed_up() -> None:
    from sirdab.benchmark.review_fixes import Fixed

    def fixed(applies: bool, passes: bool, refusal: str = "") -> Fixed:
        return Fixed(
            "i", "o", "security", "python", applies, applies, passes, False, refusal, 1, 1, 1, 2e3
        )

    report = summarise([fixed(True, True), fixed(True, False), fixed(False, False, "No.")])
    assert report["all"]["applies"]["count"] == 2
    assert report["all"]["test_passes"]["count"] == 1
    assert report["all"]["seconds_per_fix"] == 2.0
    assert report["refused"] == {"No.": 1}
    assert report["by_operator"]["o"]["fixes"] == 3


def test_the_finding_of_a_seed_is_at_its_place() -> None:
    (case,) = only("sql-concatenation")
    assert case.seed is not None
    finding = finding_of(case.seed)
    assert finding.rule == "sql-injection"
    assert finding.start.line == case.seed.first
    assert finding.code in case.seed.text
    assert json.dumps(finding.message)
