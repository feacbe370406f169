"""What was settled is not asked again: after a keystroke, in the next session, after an edit."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sirdab.endpoint.base import EndpointError, GenerationRequest, ProblemKind
from sirdab.endpoint.lane import Lane
from sirdab.review.evidence import LinterFinding
from sirdab.review.request import ReviewRequest, UnitReview
from sirdab.review.reviewer import Reviewer
from sirdab.review.store import ReviewStore
from sirdab.text.document import Snapshot
from tests.support.review import (
    MUTABLE,
    QWEN,
    SQL,
    SQL_LINE,
    ScriptedModel,
    answer,
    kind_of,
    kinds,
    raw,
    regrade,
    settings,
    snapshot,
)

LARGE = "qwen2.5-coder-7b-instruct-q4_k_m.gguf"
SECOND = 'cursor.execute("DELETE FROM users WHERE name = " + name)'
TWO = SQL.replace("return cursor.fetchone()", SECOND)
FIRST_FINDING, SECOND_FINDING = raw(), raw(line=4, code=SECOND)
# Where the first finding of an answer is complete.
FIRST_END = 'as it is."}'
PLAIN = "def f(a):\n    return a\n"


@pytest.fixture(autouse=True)
def _grades(monkeypatch: pytest.MonkeyPatch) -> None:
    regrade(
        monkeypatch,
        sql_injection=("sign", "verdict"),
        inverted_condition=("sign", "rewrite"),
        mutable_default=("proof", "none"),
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.005)


def wanted(content: str, **review: object) -> ReviewRequest:
    return ReviewRequest(snapshot(content), settings(**review))


@pytest.fixture
def store(tmp_path: Path) -> ReviewStore:
    return ReviewStore(tmp_path / "cache" / "reviews.sqlite3")


class Seen:
    """What a review tells while it goes on."""

    def __init__(self) -> None:
        self.units: list[UnitReview] = []

    def __call__(self, unit: UnitReview, done: int, total: int) -> None:
        assert 0 <= done <= total
        self.units.append(unit)

    @property
    def lines(self) -> list[int]:
        return [finding.start.line for finding in self.units[-1].findings] if self.units else []


async def test_the_first_finding_is_seen_while_the_second_is_written() -> None:
    model = ScriptedModel(answer(FIRST_FINDING, SECOND_FINDING), pause=FIRST_END)
    model.held.clear()
    seen = Seen()
    task = asyncio.ensure_future(Reviewer(model, Lane(quiet_s=0)).review(wanted(TWO), seen))
    await until(lambda: seen.lines == [2])
    assert not seen.units[-1].whole
    model.held.set()
    found = await task
    assert seen.lines == [2, 3]
    assert seen.units[-1] == found.units[0]
    assert seen.units[-1].whole


async def test_the_first_finding_is_voted_on_while_the_second_is_written() -> None:
    model = ScriptedModel(answer(FIRST_FINDING, SECOND_FINDING), pause=FIRST_END, name=LARGE)
    seen = Seen()
    votes = asyncio.Event()

    def held(request: GenerationRequest) -> str:
        # The question is held, votes are not.
        if kind_of(request) == "verdict":
            votes.set()
            model.held.set()
        return '{"verdict": "real"}'

    model.verdict = held
    model.held.clear()
    task = asyncio.ensure_future(Reviewer(model, Lane(quiet_s=0)).review(wanted(TWO), seen))
    await asyncio.wait_for(votes.wait(), 10)
    assert len((await task).findings) == 2
    assert kinds(model) == ["question", "verdict", "verdict", "verdict", "verdict"]


async def test_a_question_that_was_broken_off_is_asked_for_the_rest() -> None:
    model = ScriptedModel(answer(FIRST_FINDING, SECOND_FINDING), pause=FIRST_END)
    model.held.clear()
    lane = Lane(quiet_s=0.01)
    seen = Seen()
    task = asyncio.ensure_future(Reviewer(model, lane).review(wanted(TWO), seen))
    await until(lambda: seen.lines == [2])
    with lane.urgent():
        await until(lambda: lane._running is None)
    model.answer = answer(SECOND_FINDING)
    model.held.set()
    found = await asyncio.wait_for(task, 10)
    assert [finding.start.line for finding in found.findings] == [2, 3]
    first, second = model.requests
    # What the server has read is read no more, and the model knows what it has named already.
    assert second.prompt.startswith(first.prompt)
    assert SQL_LINE in second.prompt[len(first.prompt) :].replace("\\", "")
    assert second.json_schema is not None
    assert second.json_schema["properties"]["findings"]["maxItems"] == 2


async def test_votes_are_kept_when_the_work_is_broken_off(store: ReviewStore) -> None:
    model = ScriptedModel(answer(raw()), name=LARGE)
    counted = 0

    def once(request: GenerationRequest) -> str:
        nonlocal counted
        counted += 1
        if counted == 2:
            raise EndpointError(ProblemKind.DOWN, "It is down; start it.")
        return '{"verdict": "real"}'

    model.verdict = once
    reviewer = Reviewer(model, Lane(quiet_s=0), store=store)
    first = await reviewer.review(wanted(SQL))
    assert (first.problem, first.findings) == ("It is down; start it.", ())
    # In the next session, after the last word of this one has been written.
    await asyncio.to_thread(reviewer.close)
    model.requests.clear()
    again = Reviewer(model, Lane(quiet_s=0), store=store)
    assert [unit.whole for unit in again.recall(wanted(SQL))] == [False]
    assert len((await again.review(wanted(SQL))).findings) == 1
    assert kinds(model) == ["verdict"]


@pytest.mark.parametrize("name", [QWEN, "qwen2.5-coder-0.5b.gguf"])
@pytest.mark.parametrize("text", [answer(raw()), answer(), "no JSON"])
async def test_the_next_session_asks_nothing(store: ReviewStore, name: str, text: str) -> None:
    content = f"{SQL}\n\n{PLAIN}\n\n{MUTABLE}"
    model = ScriptedModel(text, name=name)
    reviewer = Reviewer(model, Lane(quiet_s=0), store=store)
    before = await reviewer.review(wanted(content))
    # What is no proof falls where the model was asked and did not name it.
    is_silent = name == QWEN and text == answer()
    assert len(before.findings) == (1 if is_silent else 2)
    await asyncio.to_thread(reviewer.close)
    model.requests.clear()
    again = Reviewer(model, Lane(quiet_s=0), store=store)
    assert again.recall(wanted(content)) == before.units
    assert (await again.review(wanted(content))).units == before.units
    assert model.requests == []


async def test_only_what_changed_is_asked_again(store: ReviewStore) -> None:
    model = ScriptedModel(answer(raw()))
    reviewer = Reviewer(model, Lane(quiet_s=0), store=store)
    other = SQL.replace("find_user", "find_other")
    await reviewer.review(wanted(f"{SQL}\n\n{other}"))
    model.requests.clear()
    changed = f"# moved\n\n{SQL}\n\n{other.replace('cursor.fetchone', 'cursor.fetchall')}"
    recalled = reviewer.recall(wanted(changed))
    assert [finding.start.line for unit in recalled for finding in unit.findings] == [4]
    assert [(unit.first, unit.last) for unit in recalled] == [(2, 5)]
    await reviewer.review(wanted(changed))
    assert kinds(model) == ["question"]
    assert "def find_other" in model.requests[0].prompt


async def test_nothing_is_recalled_of_what_must_not_be_read(store: ReviewStore) -> None:
    reviewer = Reviewer(ScriptedModel(answer(raw())), Lane(quiet_s=0), store=store)
    await reviewer.review(wanted(SQL))
    secret = Snapshot("file:///home/x/.env", "python", 1, snapshot(SQL).text)
    assert reviewer.recall(ReviewRequest(secret, settings())) == ()
    assert reviewer.recall(wanted(SQL, enabled=False)) == ()
    assert len(reviewer.recall(wanted(SQL))) == 1


async def test_a_unit_without_signs_is_known() -> None:
    reviewer = Reviewer(ScriptedModel(), Lane(quiet_s=0))
    assert reviewer.recall(wanted(PLAIN)) == (UnitReview(0, 1),)
    assert reviewer.recall(wanted(f"{PLAIN}\n\n{SQL}")) == (UnitReview(0, 1),)


async def test_another_model_is_asked_anew(store: ReviewStore) -> None:
    model = ScriptedModel(answer(raw()))
    await Reviewer(model, Lane(quiet_s=0), store=store).review(wanted(SQL))
    other = ScriptedModel(name="deepseek-coder-1.3b.gguf")
    reviewer = Reviewer(other, Lane(quiet_s=0), store=store)
    said = await reviewer.review(wanted(SQL))
    assert kinds(other) == ["question"]
    # What it says is what counts from now on.
    assert reviewer.recall(wanted(SQL)) == said.units


async def test_what_is_cleared_is_forgotten(store: ReviewStore) -> None:
    model = ScriptedModel(answer(raw()))
    reviewer = Reviewer(model, Lane(quiet_s=0), store=store)
    await reviewer.review(wanted(SQL))
    reviewer.clear()
    assert reviewer.recall(wanted(SQL)) == ()
    assert Reviewer(model, Lane(quiet_s=0), store=store).recall(wanted(SQL)) == ()
    await reviewer.review(wanted(SQL))
    assert len(model.requests) == 2


async def test_work_that_goes_on_while_all_is_cleared_is_not_kept(store: ReviewStore) -> None:
    model = ScriptedModel(answer(raw()))
    model.held.clear()
    reviewer = Reviewer(model, Lane(quiet_s=0), store=store)
    task = asyncio.ensure_future(reviewer.review(wanted(SQL)))
    await until(lambda: model.requests)
    reviewer.clear()
    model.held.set()
    assert len((await task).findings) == 1
    assert reviewer.recall(wanted(SQL)) == ()


class Linter:
    """A linter that says what a test tells it."""

    def __init__(self, *said: LinterFinding) -> None:
        self.said = said

    def findings(
        self, snapshot: Snapshot, workspace_folders: Sequence[str] = ()
    ) -> tuple[LinterFinding, ...]:
        del snapshot, workspace_folders
        return self.said

    def clear(self) -> None:
        pass


async def test_what_a_linter_says_is_told_without_what_it_quotes(store: ReviewStore) -> None:
    said = LinterFinding(2, "S608", 'Possible SQL injection in `hunter2` by "hunter2"')
    model = ScriptedModel(answer(raw()))
    reviewer = Reviewer(model, Lane(quiet_s=0), store=store, evidence=Linter(said))
    await reviewer.review(wanted(SQL))
    (request,) = model.requests
    assert "- line 3: S608 Possible SQL injection" in request.prompt
    assert "hunter2" not in request.prompt
    # It is part of what was answered: recalled without the linter, and asked again without it.
    assert len(reviewer.recall(wanted(SQL))[0].findings) == 1
    silent = Reviewer(model, Lane(quiet_s=0), store=store, evidence=Linter())
    await silent.review(wanted(SQL))
    assert len(model.requests) == 2
