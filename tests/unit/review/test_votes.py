"""What is shown is what survives the vote."""

from typing import Any

import pytest

from sirdab.endpoint.base import GenerationRequest
from sirdab.endpoint.lane import Lane
from sirdab.review import weigh
from sirdab.review.finding import Finding
from sirdab.review.request import ReviewRequest, UnitReview
from sirdab.review.reviewer import Reviewer
from sirdab.review.rules import rule_named
from tests.support.review import (
    MUTABLE,
    SQL,
    SQL_LINE,
    ScriptedModel,
    answer,
    kinds,
    raw,
    regrade,
    review,
    settings,
    snapshot,
)

LARGE = "qwen2.5-coder-7b-instruct-q4_k_m.gguf"
SMALL = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
TINY = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"


@pytest.fixture(autouse=True)
def _grades(monkeypatch: pytest.MonkeyPatch) -> None:
    regrade(
        monkeypatch,
        sql_injection=("sign", "verdict"),
        inverted_condition=("sign", "rewrite"),
        mutable_default=("proof", "none"),
    )


INVERTED = """\
def close(self):
    if self._handle is None:
        self._handle.close()
        self._handle = None
"""
INVERTED_LINE = INVERTED.split("\n")[1].strip()


def inverted(**more: Any) -> dict[str, Any]:
    fields = {"code": INVERTED_LINE, "line": 2, "rule": "inverted-condition", **more}
    return raw(**fields, message="The handle is closed where there is none.")


def hole(request: GenerationRequest) -> str:
    """What stands right behind the hole of a rewriting."""
    return request.prompt.partition("<|fim_suffix|>")[2].partition("\n")[0]


def rewriting(line: str) -> Any:
    """A model that writes a whole line, of which a vote gets what its hole asks for."""

    def write(request: GenerationRequest) -> str:
        before = (request.prompt + request.begins_with).rpartition("\n")[2]
        return line.removeprefix(before.lstrip()).removesuffix(hole(request))

    return write


RIGHT = rewriting("if self._handle is not None:")
AGAIN = rewriting(INVERTED_LINE)


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


async def test_a_rewriting_without_the_sign_upholds_a_finding() -> None:
    model = ScriptedModel(answer(inverted()), rewriting=RIGHT)
    finding = only((await review(model, INVERTED)).findings)
    assert finding.replacement == "if self._handle is not None:"
    assert finding.confidence == pytest.approx(0.75)
    # Two of three are certain, so the third is not asked.
    assert kinds(model) == ["question", "rewriting", "rewriting"]
    first, second = model.requests[1:]
    assert (first.temperature, second.temperature > 0) == (0, True)
    assert "is None" not in first.prompt


async def test_writing_the_same_again_refutes_a_finding() -> None:
    model = ScriptedModel(answer(inverted()), rewriting=AGAIN)
    found = await review(model, INVERTED)
    assert found.findings == ()
    (dropped,) = found.dropped
    assert (dropped.rule, dropped.line, dropped.reason) == ("inverted-condition", 1, "refuted")
    assert "The handle is closed" in dropped.message
    assert len(kinds(model)) == 3


async def test_the_vote_decides_also_on_what_the_model_has_not_named() -> None:
    model = ScriptedModel(rewriting=RIGHT)
    finding = only((await review(model, INVERTED)).findings)
    assert finding.rule == "inverted-condition"
    assert finding.confidence == pytest.approx(0.75)
    model = ScriptedModel(rewriting=AGAIN)
    found = await review(model, INVERTED)
    assert found.findings == ()
    assert [entry.reason for entry in found.dropped] == ["refuted"]


async def test_without_a_vote_it_counts_whether_the_model_named_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = await review(ScriptedModel(), SQL)
    assert found.findings == ()
    assert [(entry.line, entry.reason) for entry in found.dropped] == [(2, "not-named")]
    monkeypatch.setattr(weigh, "LEAST_CONFIDENCE", 0.1)
    named = only((await review(ScriptedModel(answer(raw())), SQL)).findings)
    not_named = only((await review(ScriptedModel(), SQL)).findings)
    tiny = only((await review(ScriptedModel(name=TINY), SQL)).findings)
    assert named.confidence > tiny.confidence > not_named.confidence


@pytest.mark.parametrize("text", ["", "))", "self.stop() if x else (y for y in range(3))", "\x00"])
async def test_a_rewriting_that_says_nothing(text: str) -> None:
    named = await review(ScriptedModel(answer(inverted()), rewriting=text), INVERTED)
    unasked = await review(ScriptedModel(answer(inverted())), INVERTED, votes=0)
    assert only(named.findings).confidence == only(unasked.findings).confidence
    assert only(named.findings).replacement is None


async def test_a_comment_along_with_the_same_code_is_the_same_code() -> None:
    again = rewriting(f"{INVERTED_LINE}  # Close the handle.")
    assert (await review(ScriptedModel(rewriting=again), INVERTED)).findings == ()


@pytest.mark.parametrize(("votes", "most"), [(1, 1), (2, 1), (5, 3), (9, 5)])
async def test_the_setting_says_how_many(votes: int, most: int) -> None:
    model = ScriptedModel(rewriting=RIGHT)
    await review(model, INVERTED, votes=votes)
    assert kinds(model).count("rewriting") == most


async def test_without_votes_the_model_is_believed() -> None:
    model = ScriptedModel(answer(inverted()), rewriting=AGAIN)
    found = await review(model, INVERTED, votes=0)
    assert kinds(model) == ["question"]
    assert len(found.findings) == 1


async def test_a_proof_needs_neither_the_model_nor_a_vote() -> None:
    model = ScriptedModel()
    finding = only((await review(model, MUTABLE)).findings)
    assert finding.rule == "mutable-default"
    assert "into the query" not in finding.message
    named = answer(raw("def add(item, items=[]):", 1, "mutable-default"))
    assert "into the query" in only((await review(ScriptedModel(named), MUTABLE)).findings).message


# --- verdicts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "is_shown"),
    [
        ('{"verdict": "real"}', True),
        ('{"verdict": "false alarm"}', False),
        ('{"verdict": "yes"}', False),
        ("real", False),
        ("", False),
        ("[" * 200, False),
    ],
)
async def test_a_large_model_gives_verdicts(said: str, is_shown: bool) -> None:
    model = ScriptedModel(answer(raw()), verdict=said, name=LARGE)
    found = await review(model, SQL)
    assert bool(found.findings) == is_shown
    assert kinds(model)[0] == "question"
    assert set(kinds(model)[1:]) == {"verdict"}
    assert len(kinds(model)) == 3
    if not is_shown:
        assert [entry.reason for entry in found.dropped] == ["refuted"]


async def test_verdicts_go_on_from_what_the_server_has_read() -> None:
    model = ScriptedModel(answer(raw()), name=LARGE)
    await review(model, SQL)
    question, first, second = (request.prompt for request in model.requests)
    shown = question[: question.index(SQL_LINE) + len(SQL_LINE)]
    assert first.startswith(shown)
    assert second.startswith(shown)
    assert first != second


async def test_a_small_model_gives_verdicts_only_where_the_user_wants_them() -> None:
    model = ScriptedModel(answer(raw()), verdict='{"verdict": "false alarm"}')
    assert len((await review(model, SQL)).findings) == 1
    assert (await review(model, SQL, votes=3)).findings == ()


async def test_each_finding_has_its_own_vote() -> None:
    two = SQL.replace("cursor.fetchone()", 'cursor.execute("DELETE FROM a WHERE b = " + name)')

    def say(request: GenerationRequest) -> str:
        return '{"verdict": "%s"}' % ("real" if "line 3" in request.prompt else "false alarm")

    line = 'cursor.execute("DELETE FROM a WHERE b = " + name)'
    model = ScriptedModel(answer(raw(), raw(line=4, code=line)), verdict=say, name=LARGE)
    found = await review(model, two)
    assert [finding.start.line for finding in found.findings] == [2]
    assert [entry.line for entry in found.dropped] == [3]


# --- tiny models ----------------------------------------------------------------------------


async def test_a_tiny_model_is_only_asked_to_write() -> None:
    model = ScriptedModel(name=TINY, rewriting=RIGHT)
    assert len((await review(model, f"{MUTABLE}\n\n{INVERTED}")).findings) == 2
    assert set(kinds(model)) == {"rewriting"}
    model = ScriptedModel(answer(raw(message="Replace it by SHA-1.")), name=TINY)
    assert "SHA-1" not in only((await review(model, SQL)).findings).message
    assert model.requests == []


# --- what is seen of it meanwhile -------------------------------------------------------------


async def test_a_finding_is_seen_only_after_its_vote() -> None:
    model = ScriptedModel(answer(raw()), name=LARGE)
    seen: list[tuple[bool, int, int]] = []

    def on_unit(unit: UnitReview, done: int, total: int) -> None:
        assert total == 1
        asked = kinds(model).count("verdict")
        seen.append((unit.whole, len(unit.findings), asked))
        assert done == int(unit.whole)

    reviewer = Reviewer(model, Lane(quiet_s=0))
    await reviewer.review(ReviewRequest(snapshot(SQL), settings()), on_unit)
    assert all(asked == 2 for _, findings, asked in seen if findings)
    assert seen[-1][:2] == (True, 1)


async def test_what_a_small_model_says_is_not_shown_but_what_it_names_counts() -> None:
    said = answer(inverted())
    small = only((await review(ScriptedModel(said, name=SMALL), INVERTED, votes=0)).findings)
    larger = only((await review(ScriptedModel(said), INVERTED, votes=0)).findings)
    assert "The handle is closed" in larger.message
    assert "The handle is closed" not in small.message
    rule = rule_named("inverted-condition")
    assert rule is not None
    assert rule.ask[1:20] in small.message
    assert small.confidence == larger.confidence
