"""The second pass: each finding is put to the vote before it is shown.

Two kinds of votes, because small models judge badly and write well (measured on Qwen2.5-Coder 1.5B
and 0.5B: asked for a verdict in words they answer by chance, in whatever words):

- A **rewrite** takes the stretch that is said to be wrong out of the code, and has the model fill
  the hole as it fills in at a cursor. If it writes the same again, the finding is refuted; if it
  writes something in which the sign of the defect is gone, it is upheld.
- A **verdict** asks in words whether the finding is right. The question goes on from the one that
  the finding is from, so that the server has read the code already. For large models.

Most votes decide, and no more are asked than that takes.
"""

import json
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from sirdab.completion import layout as layouts
from sirdab.endpoint.base import Ability, EndpointError, ModelInfo
from sirdab.models.catalog import Family
from sirdab.models.choose import named_parameters
from sirdab.review import conversation, question
from sirdab.review.ask import Draw
from sirdab.review.rewriting import TEMPERATURE, Hole, Vote
from sirdab.review.rules import Rule
from sirdab.review.settled import Kind, Place, Verdict

MOST_VOTES = 9
"""Most votes on one finding."""

REWRITES = 3
"""Votes of `review.votes` "auto" for rules that are put to the vote by rewriting."""

VERDICTS = 3
"""Votes of `review.votes` "auto" where verdicts are asked for."""

LARGE_PARAMETERS = 6_500_000_000
"""From here on a model is believed to judge, and not only to write: the 7B models."""

VERDICT_TOKENS = 16
"""Most tokens of a verdict."""

# The same question in three ways: who only agrees with whatever is said does not agree with all.
_FRAMINGS = (
    "Try to refute that line {line} breaks {rule}: {ask}. What is not proved is a false alarm.",
    "A colleague says that line {line} is right, and {rule} ({ask}) a false alarm here. Judge.",
    "Is it real or a false alarm that line {line} breaks {rule}: {ask}?",
)
_VERDICT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"verdict": {"enum": ["real", "false alarm"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}
_HOW = ' Answer {"verdict": "real"} or {"verdict": "false alarm"}.'


class Voter(NamedTuple):
    """What a model is asked to vote by.

    Attributes:
        fills_in: Whether it can be asked to rewrite.
        judges: Whether its verdicts are believed.
    """

    fills_in: bool
    judges: bool


def voter_of(info: ModelInfo, family: Family) -> Voter:
    """Return what a model is asked to vote by.

    Args:
        info: The model.
        family: Its family.
    """
    judges = named_parameters(info.name) >= LARGE_PARAMETERS
    try:
        layout = layouts.choose(family, info.abilities)
    except EndpointError:
        return Voter(fills_in=False, judges=judges)
    # What merely goes on does not see what stands behind a hole.
    return Voter(fills_in=layout not in ("chat", "prefix-only"), judges=judges)


class Plan(NamedTuple):
    """How a finding is put to the vote.

    Attributes:
        kind: By which kind of votes.
        most: How many at most.
    """

    kind: Kind
    most: int


def plan(rule: Rule, hole: Hole | None, votes: int | str, voter: "Voter") -> Plan | None:
    """Return how a finding is put to the vote; None when nobody votes.

    Args:
        rule: Its rule.
        hole: What a rewrite would take out; None when that is not known.
        votes: The setting `review.votes`.
        voter: The model.
    """
    if votes == 0 or rule.grade == "proof":
        return None
    if rule.vote == "rewrite" and hole is not None and voter.fills_in:
        return Plan("rewrite", REWRITES if isinstance(votes, str) else min(votes, MOST_VOTES))
    if isinstance(votes, str):
        return Plan("verdict", VERDICTS) if voter.judges else None
    return Plan("verdict", min(votes, MOST_VOTES))


def verdict(
    shown: str,
    place: Place,
    rule: Rule,
    number: int,
    family: Family,
    abilities: AbstractSet[Ability],
) -> Vote:
    """Ask the model whether a finding is right.

    Args:
        shown: The unit as the first question showed it, so that the server has read it already.
        place: What the finding is about.
        rule: Its rule.
        number: Which of the votes it is, counted from 0.
        family: The model's family.
        abilities: What the server can do.
    """
    framing = _FRAMINGS[number % len(_FRAMINGS)]
    asked = framing.format(line=place.line + 1, rule=rule.id, ask=rule.ask) + _HOW
    return Vote(
        question.converse(family, abilities, f"{shown}\n\n{asked}"),
        max_tokens=VERDICT_TOKENS,
        draw=None if number < len(_FRAMINGS) else Draw(TEMPERATURE, number),
        schema=_VERDICT_SCHEMA,
    )


def read_verdict(text: str) -> Verdict:
    """Say what the answer to `verdict` means; nothing in it is repaired."""
    try:
        value: Any = json.loads(conversation.without_thoughts(text))
    except (ValueError, RecursionError):
        return "unreadable"
    match value:
        case {"verdict": "real"}:
            return "upheld"
        case {"verdict": "false alarm"}:
            return "refuted"
        case _:
            return "unreadable"


def stands(place: Place, votes: tuple[Verdict, ...]) -> bool:
    """Whether a finding is shown after some votes.

    A verdict that cannot be read is none for the finding. A rewriting that cannot be read
    says nothing, because a hole may be filled in many ways: then the sign has the last word.

    Args:
        place: What they are about.
        votes: What they said.
    """
    upheld, refuted = votes.count("upheld"), votes.count("refuted")
    return upheld * 2 > len(votes) if place.kind == "verdict" else upheld >= refuted


def is_certain(place: Place, votes: tuple[Verdict, ...], most: int) -> bool:
    """Whether votes that are still to come cannot change what becomes of a finding."""
    left = most - len(votes)
    if left <= 0:
        return True
    refuted: tuple[Verdict, ...] = ("refuted",)
    upheld: tuple[Verdict, ...] = ("upheld",)
    worst, best = votes + refuted * left, votes + upheld * left
    return stands(place, worst) == stands(place, best)


def confidence(votes: tuple[Verdict, ...]) -> float:
    """Return the share of the votes that upheld a finding, with one more on either side.

    Three of three are surer than one of one; none at all is a half.
    """
    upheld, refuted = votes.count("upheld"), votes.count("refuted")
    return (upheld + 1) / (upheld + refuted + 2)
