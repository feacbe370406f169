"""Refactorings in real VS Code, with the real server and a scripted model."""

from typing import Any

import pytest

from tests.e2e.vscode.harness import Window
from tests.e2e.vscode.model import ScriptedModel
from tests.e2e.vscode.test_review import (
    COMPARISON,
    DECISION,
    REFACTOR,
    choose,
    lines,
    open_actions,
    select_lines,
)
from tests.support.review import MUTABLE

pytestmark = [pytest.mark.real_editor]

SIMPLER = MUTABLE.replace(
    "    items.append(item)\n    return items\n", "    return [*items, item]\n"
)
# The answer goes on from "def test_".
TESTS = "adds(self):\n        add(1)\n"
SAID = "It **appends** the item.\n\nAll calls share one [list](https://example.invalid)."


@pytest.fixture(autouse=True)
def _writer(model: ScriptedModel) -> None:
    """A model that does what it is asked for."""

    def say(body: dict[str, Any]) -> list[str]:
        prompt = str(body["prompt"])
        if "Explain this code" in prompt:
            return [SAID]
        return [TESTS if "unit tests" in prompt else SIMPLER]

    model.fake.answer = say


def click(window: Window, button: str) -> None:
    """Click on a link of the message that asks for a decision."""
    window.wait_selector(DECISION, "the question")
    window.click(DECISION, button)


def test_a_refactoring_is_compared_and_applied(window: Window) -> None:
    path = window.open("simpler.py", MUTABLE)
    select_lines(window, 3)
    window.run_command("Sirdab: Simplify This Code")
    window.wait_selector(COMPARISON, "the comparison")
    assert path.read_text(encoding="utf-8") == MUTABLE
    click(window, "Apply")
    window.wait(lambda: any("[*items" in line for line in window.editor_lines()), "the new code")
    window.wait(lambda: window.count(COMPARISON) == 0, "the comparison to go")
    window.assert_saved(path, SIMPLER)


def test_what_is_discarded_changes_nothing(window: Window) -> None:
    path = window.open("discarded.py", MUTABLE)
    select_lines(window, 3)
    open_actions(window, "Simplify", REFACTOR)
    assert any("Handle errors" in line for line in lines(window))
    choose(window, "Simplify")
    window.wait_selector(COMPARISON, "the comparison")
    click(window, "Discard")
    window.wait(lambda: window.count(COMPARISON) == 0, "the comparison to go")
    window.wait(lambda: window.active_tab() == "discarded.py", "the file")
    window.assert_saved(path, MUTABLE)


def test_closing_the_comparison_discards_it(window: Window) -> None:
    path = window.open("closed.py", MUTABLE)
    select_lines(window, 3)
    window.run_command("Sirdab: Simplify This Code")
    window.wait_selector(COMPARISON, "the comparison")
    window.wait_selector(DECISION, "the question")
    window.run_command("View: Close Editor")
    window.wait(lambda: window.count(COMPARISON) == 0, "the comparison to go")
    window.wait(lambda: window.count(DECISION) == 0, "the question to go")
    window.wait(lambda: window.active_tab() == "closed.py", "the file")
    window.assert_saved(path, MUTABLE)


def test_tests_are_written_into_a_new_file(window: Window) -> None:
    window.open("shop.py", MUTABLE)
    target = window.folder / "tests" / "test_shop.py"
    for key in ("Control+Home", "ArrowDown", "End"):
        window.press(key)
    window.run_command("Sirdab: Write Tests for This Code")
    window.wait_selector(COMPARISON, "the comparison")
    window.wait_selector(DECISION, "the question")
    assert any("guessed what the tests expect" in said for said in window.notifications())
    assert not target.exists()
    click(window, "Apply")
    window.wait(lambda: window.count(COMPARISON) == 0, "the comparison to go")
    window.wait(lambda: window.active_tab() == "test_shop.py", "the new file")
    window.wait(lambda: any("AddTest" in line for line in window.editor_lines()), "its text")
    said = "# A model wrote this; the expected values are guesses: check them before use.\n\n"
    begun = "import unittest\n\nfrom shop import add\n\n\nclass AddTest(unittest.TestCase):"
    window.assert_saved(target, f"{said}{begun}\n    def test_{TESTS}")


def test_code_is_explained_on_a_page_beside_it(window: Window) -> None:
    path = window.open("explained.py", MUTABLE)
    open_actions(window, "Explain", "Control+Home", "ArrowDown", "End", REFACTOR)
    choose(window, "Explain")
    window.wait(
        lambda: any("explained.md" in tab for tab in window.texts(".tab .label-name")),
        "the page beside the code",
    )
    # It is a page, and no edit.
    assert path.read_text(encoding="utf-8") == MUTABLE
    assert window.count(".tab.dirty") == 0
