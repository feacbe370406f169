"""Code that is made to exhaust the signs: what they do is bound by what the tree allows.

Work is counted, not timed: each line of Python that runs while a sign is looked for. A sign that
goes through something that grows with the document, and does not pay for it in the steps of the
tree, runs many more lines than it has paid for, however the machine is busy.
"""

import sys
from types import FrameType
from typing import Any

import pytest

from sirdab.review import steps, tree, units
from sirdab.review.signs import registry
from sirdab.review.signs.scene import Scene
from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text
from tests.support.hostile_code import HOSTILE

SIZE = 1_500
"""Statements of a document: the square of it is far above what is allowed."""

LINES_A_STEP = 60
"""Lines of Python that one sign may run for each node of the document and each step it pays."""

DOCUMENTS = [(language, name) for language, made in HOSTILE.items() for name in made]


class _Unbounded(BaseException):
    """A sign has run more than it may; no sign's own handler takes it for an error."""


class _Work:
    """Counts the lines that run, and ends what runs too many."""

    def __init__(self, budget: steps.Budget, nodes: int) -> None:
        self._budget = budget
        self._nodes = nodes
        self._start = 0
        self.lines = 0

    def begin(self) -> None:
        self.lines, self._start = 0, self._budget.left

    def allowed(self) -> int:
        return LINES_A_STEP * (self._nodes + self._start - self._budget.left)

    def trace(self, _frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            self.lines += 1
            if not self.lines % 1_000 and self.lines > self.allowed():
                raise _Unbounded
        return self.trace


def _root(language: str, name: str) -> tree.Node:
    parsed = parse_alone(Text(HOSTILE[language][name](SIZE)), language)
    assert parsed is not None
    root = tree.copy(parsed.tree.root_node, parsed.source)
    assert root is not None
    return root


@pytest.mark.parametrize(("language", "name"), DOCUMENTS)
def test_no_sign_does_more_than_it_pays_for(
    language: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With fewer steps the same is seen in a smaller document.
    monkeypatch.setattr(steps, "MIN_STEPS", 20_000)
    monkeypatch.setattr(tree, "STEPS_A_NODE", 10)
    root = _root(language, name)
    nodes = (root.budget.left - steps.MIN_STEPS) // tree.STEPS_A_NODE
    try:
        scene = Scene(root, language)
    except tree.TooMuch:
        return
    work = _Work(root.budget, nodes)
    beyond: list[str] = []
    for sign, functions in registry.functions(language).items():
        for function in functions:
            traced = sys.gettrace()
            work.begin()
            sys.settrace(work.trace)
            try:
                with root.budget.share():
                    work.begin()
                    for _ in function(scene):
                        pass
            except (tree.TooMuch, RecursionError):
                pass
            except _Unbounded:
                beyond.append(f"{sign} ({function.__name__})")
            finally:
                sys.settrace(traced)
    assert beyond == []


def test_a_sign_that_is_given_up_leaves_the_others_their_steps() -> None:
    # The many sums exhaust no more than their own sign; what is dangerous is still seen.
    content = "def f(a):\n" + "    b = open(a)\n" * 3_000 + "    eval(a)\n"
    last = content.count("\n") - 1
    seen = {
        (unit.first + place.row, name)
        for unit in units.split(Text(content), "python")
        for name, places in unit.signs or ()
        for place in places
    }
    assert (last, "code-injection") in seen


def test_a_share_is_what_one_question_may_spend() -> None:
    root = _root("python", "calls")
    before = root.budget.left
    with pytest.raises(tree.TooMuch), root.budget.share():
        root.budget.spend(before)
    assert root.budget.left == before - before // steps.SHARE


def test_who_goes_through_a_long_list_pays_for_what_is_reached() -> None:
    root = _root("python", "calls")
    before = root.budget.left
    assert len(root.children) == SIZE
    for _ in root.children:
        pass
    assert before - root.budget.left == -(-SIZE // steps.ITEMS_A_STEP)
    before = root.budget.left
    next(iter(root.children))
    assert before - root.budget.left == 1


def test_a_fault_of_a_sign_is_told_and_is_not_that_of_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_scene: Scene) -> list[tree.Node]:
        raise KeyError("fault")

    monkeypatch.setitem(registry.functions("python"), "mutable-default", [broken])
    found = _found("def f(a=[]):\n    return eval(a)\n")
    assert "code-injection" in found
    assert not found["mutable-default"]
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("raised", [TimeoutError, KeyboardInterrupt])
def test_who_ends_the_review_is_heard(
    raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(_scene: Scene) -> list[tree.Node]:
        raise raised

    monkeypatch.setitem(registry.functions("python"), "mutable-default", [ended])
    with pytest.raises(raised):
        _found("def f(a=[]):\n    return a\n")


def _found(content: str) -> dict[str, dict[int, registry.Place]]:
    parsed = parse_alone(Text(content), "python")
    assert parsed is not None
    root = tree.copy(parsed.tree.root_node, parsed.source)
    assert root is not None
    return registry.find(Scene(root, "python"))
