"""Sentences that say nothing are recognised, and those that say something are not."""

import pytest

from sirdab.review import rules
from sirdab.review.restate import repeats_code, says_nothing

CODE = 'cursor.execute("SELECT * FROM users WHERE name = " + name)'
COMMENT = "# Look up the user by the name that was given in the form."
RULE = "SQL built from text: a query is built by joining or formatting text"


@pytest.mark.parametrize(
    "message",
    [
        "...",
        "It looks up the user by the name that was given in the form.",
        "The function has no docstring.",
        "The variable name could be more descriptive.",
        "Missing type hints make it harder to read.",
        "The line is too long.",
        "This does not follow PEP 8.",
    ],
)
def test_it_says_nothing(message: str) -> None:
    assert says_nothing(message, [COMMENT], RULE)


@pytest.mark.parametrize(
    "message",
    [
        "A quote in the name ends the text and begins another statement.",
        "The name comes from the form and may hold SQL of its own.",
        "May divide by zero.",
        "Injection.",
        "The list is shared by all calls, so old items come back.",
        "The query is built by joining or formatting text.",
        "The formatting of the query lets a quote through.",
    ],
)
def test_it_says_something(message: str) -> None:
    assert not says_nothing(message, [COMMENT], RULE)
    assert not repeats_code(message, CODE)


@pytest.mark.parametrize("rule", rules.all_rules(), ids=lambda rule: rule.id)
def test_who_repeats_the_rule_says_something(rule: rules.Rule) -> None:
    words = f"{rule.title} {rule.ask} {rule.why}"
    for sentence in (rule.title, rule.ask, rule.why):
        assert not says_nothing(sentence, [COMMENT], words)


def test_the_code_read_aloud() -> None:
    assert repeats_code("The cursor executes SELECT FROM users WHERE name.", CODE)
