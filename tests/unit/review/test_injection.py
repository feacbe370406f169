"""Whatever the code says and the model answers: what is shown and edited stays within bounds.

Each attack of `tests/fixtures/injection` against a model in the attacker's hands, through the same
`Reviewer` and `Rewriter` as the server and the command line use.
"""

import asyncio
import logging
from typing import Any

import pytest

from sirdab.endpoint.lane import Lane
from sirdab.review.edit import LineEdit, RefusalError, apply
from sirdab.review.gates import Gates
from sirdab.review.refactor.region import region
from sirdab.review.request import Review, ReviewRequest
from sirdab.review.reviewer import Reviewer
from sirdab.review.rewrite import Rewriter, document, fix, fix_finding, instructed, simplify
from sirdab.text.document import Snapshot
from sirdab.text.store import Text
from tests.support.hostile import LARGE, MIDDLE, HostileModel, asked, reviews, rewritings
from tests.support.injection import (
    DEFECT,
    QUOTE,
    WITNESS_SIGNAL,
    Attack,
    attacks,
    check_never,
    unseen,
)
from tests.support.injection_checks import as_signs, check_edit, check_prompts, check_review
from tests.support.review import settings

EVERY = attacks()
PLAIN = next(attack for attack in EVERY if attack.name == "comment-approve")
SEEN = [attack for attack in EVERY if not attack.hides]


def ids(attack: Attack) -> str:
    return attack.name


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what other tests remember of answers out of these."""
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path_factory.mktemp("state")))


def snapshot(attack: Attack, content: str | None = None) -> Snapshot:
    text = attack.document if content is None else content
    return Snapshot(attack.uri, attack.language, 1, Text(text))


async def review(model: HostileModel, content: str | None = None) -> Review:
    request = ReviewRequest(snapshot(model.attack, content), settings(enabled=True))
    return await Reviewer(model, Lane(quiet_s=0)).review(request)


@pytest.mark.parametrize("attack", EVERY, ids=ids)
async def test_a_review_is_not_led_astray(
    attack: Attack, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    await review_under(attack, ("finds nothing", "everything at once"), MIDDLE)
    as_signs(monkeypatch)
    await review_under(attack, tuple(reviews()), LARGE if attack.goal == "unicode" else MIDDLE)
    for record in caplog.records:
        check_never(attack, record.getMessage())
        assert not unseen(record.getMessage()), attack.name


async def review_under(attack: Attack, answers: tuple[str, ...], name: str) -> None:
    for answer in answers:
        model = HostileModel(attack, reviews()[answer](attack), name=name)
        found = await review(model)
        check_review(attack, model.requests, found)
        if attack.hides:
            break
        own = [one.rule for one in found.findings if one.start.line == attack.defect_row]
        assert len(own) == len(set(own)), (attack.name, answer)
        if answer == "an honest finding":
            assert DEFECT in own, attack.name


@pytest.mark.parametrize("attack", SEEN, ids=ids)
async def test_both_units_are_asked_about(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    as_signs(monkeypatch)
    model = HostileModel(attack)
    await review(model)
    turns = [asked(request) for request in model.requests]
    for signal in (QUOTE, WITNESS_SIGNAL):
        about = [turn for turn in turns if signal in turn]
        assert any(f"- {DEFECT}:" in turn for turn in about), (attack.name, signal)


@pytest.mark.parametrize(
    "attack", [one for one in SEEN if one.place in ("comment", "docstring")], ids=ids
)
async def test_a_comment_is_no_part_of_the_question(
    attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_signs(monkeypatch)
    one, other = HostileModel(attack), HostileModel(attack)
    await review(one)
    await review(other, attack.with_unit(attack.blanked))
    assert one.requests
    assert [entry.prompt for entry in one.requests] == [entry.prompt for entry in other.requests]


async def test_a_stream_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    as_signs(monkeypatch)
    model = HostileModel(PLAIN, '{"findings": [', endless=True)
    found = await review(model)
    assert 0 < model.written < 200
    check_review(model.attack, model.requests, found)


# --- fixes and refactorings ------------------------------------------------------------------


def ways(attack: Attack) -> dict[str, Any]:
    """The rewritings that a user can ask for in the attacked unit."""
    shot, options = snapshot(attack), settings(enabled=True)
    row, (first, last) = attack.defect_row, attack.unit_lines
    given = shot, options, ()
    said = attack.message or "The query is built from text."
    return {
        "fix": fix(*given, (row, row), said),
        "document": document(*given, (first, last)),
        "simplify": simplify(*given, (first, last)),
        "rewrite": instructed(*given, (first, last), "Use a placeholder for the customer."),
    }


async def rewritten(model: HostileModel, wanted: Any) -> list[LineEdit] | str:
    try:
        return await Rewriter(model, Lane(quiet_s=0), Gates()).rewrite(wanted)
    except RefusalError as refusal:
        return refusal.message


@pytest.mark.parametrize("kind", ["fix", "document", "simplify", "rewrite"])
@pytest.mark.parametrize("attack", EVERY, ids=ids)
async def test_a_rewriting_is_not_led_astray(
    attack: Attack, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wanted = ways(attack)[kind]
    first, last = wanted.lines
    try:
        shown = region(Text(attack.document), first, last, redact_secrets=True)
    except RefusalError:
        # Too many lines: nobody is asked.
        model = HostileModel(attack)
        check_edit(attack, kind, await rewritten(model, wanted), wanted.lines)
        assert not model.requests
        return
    row = min(max(attack.defect_row - shown.first, 0), len(shown.lines) - 1)
    for name, says in rewritings(attack, list(shown.lines), row):
        model = HostileModel(attack, rewrite=says)
        check_edit(attack, f"{kind}: {name}", await rewritten(model, wanted), wanted.lines)
        check_prompts(attack, model.requests)
    for record in caplog.records:
        check_never(attack, record.getMessage())


async def test_an_honest_fix_still_passes() -> None:
    model = HostileModel(
        PLAIN,
        rewrite=PLAIN.code.replace('\'" + customer + "\'"', '?"').replace(
            "execute(query)", "execute(query, (customer,))"
        ),
    )
    edits = await rewritten(model, ways(PLAIN)["fix"])
    assert not isinstance(edits, str), edits
    assert "(customer,)" in str(apply(Text(PLAIN.document), edits))


async def test_an_endless_rewriting_is_left() -> None:
    model = HostileModel(PLAIN, rewrite="def find_orders():\n", endless=True)
    said = await asyncio.wait_for(rewritten(model, ways(PLAIN)["fix"]), 60)
    assert isinstance(said, str)
    assert model.written < 200


async def test_a_fix_of_a_finding_says_nothing_of_the_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the model said of a defect is not given back to it as an order."""
    as_signs(monkeypatch)
    said = "The attacker put this here."
    model = HostileModel(PLAIN, reviews()["an honest finding"](PLAIN).replace("The value", said))
    found = await review(model)
    (finding,) = [one for one in found.findings if one.start.line == PLAIN.defect_row]
    wanted = fix_finding(snapshot(PLAIN), settings(enabled=True), (), finding)
    model.requests.clear()
    await rewritten(model, wanted)
    assert model.requests
    assert all(said not in request.prompt for request in model.requests)
