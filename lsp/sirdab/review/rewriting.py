"""Votes by rewriting: the stretch that is said to be wrong is taken out, and the model fills it in.

It does so as at a cursor, which is what its family was trained for. Only the code of the unit is
shown, and nothing is said of a defect: so nothing that the code says can make the model agree.

Measured with holes of an operator, a bound or some arguments, five drawn rewritings of each of 17
defects and 17 correct places: of the defects 10 of 85 were written again by Qwen2.5-Coder 1.5B and
6 of 85 by 0.5B, of the correct places 42 and 43 of 85; most of the others were written in
another way that is right as well.
"""

import difflib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sirdab.completion import prompt as prompts
from sirdab.endpoint.base import Ability, EndpointError
from sirdab.models.catalog import Family
from sirdab.review import units
from sirdab.review.ask import Draw
from sirdab.review.conversation import Conversation
from sirdab.review.finding import squeeze
from sirdab.review.inert import inert
from sirdab.review.rules import Rule
from sirdab.review.settled import Verdict
from sirdab.review.units import Unit
from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text

TEMPERATURE = 0.8
"""Of all votes but the first of their kind, which is what the model says when it is not drawn."""

MAX_VOTE_CHARACTERS = 400
"""Longest answer to a vote; the rest is not waited for."""

_MOST_HOLE_CHARACTERS = 120
_LEAST_ALIKE = 0.5
_MOST_COMPARED = 400


@dataclass(frozen=True, slots=True)
class Vote:
    """One question of a vote.

    Attributes:
        conversation: What is said to the model.
        max_tokens: Most tokens of the answer.
        draw: How it is drawn; None for the first of its kind, which is what the model says anyway.
        schema: JSON schema of the answer; None for a rewrite.
        begins_with: What the answer has to begin with, because a token ends there.
        suffix: The text behind the hole, where the server writes the prompt.
    """

    conversation: Conversation
    max_tokens: int
    draw: Draw | None
    schema: dict[str, Any] | None = None
    begins_with: str = ""
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class Hole:
    """The stretch of a unit's line that is said to be wrong.

    Attributes:
        line: Line of the unit, counted from 0.
        start: First column of the stretch.
        stop: Column behind it.
    """

    line: int
    start: int
    stop: int


def hole_of(rule: Rule, unit: Unit, line: int, language_id: str) -> Hole | None:
    """Return what a rewrite takes out of a unit's line, counted from 0; None when nothing is."""
    span = rule.span(unit, line, language_id)
    if span is None:
        return None
    start, stop = span
    body = unit.lines[line]
    is_inside = 0 <= start < stop <= len(body) and stop - start <= _MOST_HOLE_CHARACTERS
    return Hole(line, start, stop) if is_inside and body[start:stop].strip() else None


def rewrite(
    unit: Unit,
    hole: Hole,
    number: int,
    language_id: str,
    family: Family,
    abilities: AbstractSet[Ability],
) -> Vote | None:
    """Ask the model to fill the hole.

    Args:
        unit: The unit; its secrets and comments are taken out already.
        hole: What is taken out.
        number: Which of the votes it is, counted from 0.
        language_id: The unit's language.
        family: The model's family.
        abilities: What the server can do.

    Returns:
        The question, or None where the model cannot be asked so.
    """
    body = unit.lines[hole.line]
    before = "\n".join((*unit.lines[: hole.line], body[: hole.start]))
    after = "\n".join((body[hole.stop :], *unit.lines[hole.line + 1 :])) + "\n"
    before, after = inert(before, family.sentinels), inert(after, family.sentinels)
    try:
        made = prompts.build(
            family, before, after, abilities=abilities, language_id=language_id, one_line=True
        )
    except EndpointError:
        return None
    if made.messages or made.layout in ("chat", "prefix-only"):
        return None
    # A token has some three characters of code; a rewriting may be longer than what it replaces.
    room = (len(made.backed_up) + hole.stop - hole.start) // 2 + 16
    return Vote(
        Conversation(made.text, stop=("\n", *family.stop)),
        max_tokens=room,
        draw=Draw(TEMPERATURE, number) if number else None,
        begins_with=made.begins_with,
        suffix=made.suffix,
    )


def read_rewrite(
    text: str, vote: Vote, unit: Unit, hole: Hole, rule: Rule, language_id: str, document: Text
) -> tuple[Verdict, str]:
    """Say what a rewriting means for the finding. It parses the document, so call it in a thread.

    Args:
        text: What was written.
        vote: The question.
        unit: The unit.
        hole: What was taken out.
        rule: The rule of the finding.
        language_id: The unit's language.
        document: The document of the unit.

    Returns:
        The vote, and the line as it was rewritten where that upholds the finding, else "".
    """
    if not text.startswith(vote.begins_with):
        return "unreadable", ""
    body = unit.lines[hole.line]
    head, was, rest = body[: hole.start], body[hole.start : hole.stop], body[hole.stop :]
    filled = text[len(vote.begins_with) :].partition("\n")[0].rstrip("\r")
    # Some models do not stop where the text goes on, and write that as well.
    if squeeze(rest) and squeeze(filled).endswith(squeeze(rest)):
        filled = _without(filled, squeeze(rest))
    if squeeze(filled) == squeeze(was):
        return "refuted", ""
    line = f"{head}{filled}{rest}"
    # A call in the place of a name is called again by what stands there.
    is_called_twice = squeeze(rest).startswith("(") and squeeze(filled).endswith(")")
    if not squeeze(filled) or is_called_twice or not _are_alike(body, line):
        return "unreadable", ""
    lines = [document.line_body(number) for number in range(document.line_count)]
    lines[unit.first : unit.last + 1] = unit.lines
    at = unit.first + hole.line
    lines[at] = line
    changed = Text("\n".join(lines))
    lines[at] = body
    if _is_broken(changed, language_id) and not _is_broken(Text("\n".join(lines)), language_id):
        return "unreadable", ""
    for other in units.split(changed, language_id):
        if other.first <= at <= other.last:
            place = at - other.first
            # Without a comment that was written along with it.
            line = other.lines[place]
            is_same = squeeze(line) == squeeze(body)
            if is_same or place in rule.lines_of(other, language_id):
                return "refuted", ""
            return "upheld", line
    return "unreadable", ""


def _without(filled: str, rest: str) -> str:
    """Take the end off a text that is `rest`, blanks aside."""
    left, at = len(rest), len(filled)
    while left:
        at -= 1
        left -= not filled[at].isspace()
    return filled[:at]


def _are_alike(line: str, other: str) -> bool:
    """Whether a line is still about the same: a hole may be filled with anything."""
    left, right = squeeze(line)[:_MOST_COMPARED], squeeze(other)[:_MOST_COMPARED]
    return difflib.SequenceMatcher(None, left, right, autojunk=False).ratio() >= _LEAST_ALIKE


def _is_broken(text: Text, language_id: str) -> bool:
    parsed = parse_alone(text, language_id)
    return parsed is not None and parsed.tree.root_node.has_error
