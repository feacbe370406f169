"""What the model has said of one unit so far: frozen values, and their form on disk.

It is kept apart from the findings made of it, because those depend on where the unit stands and
on settings. So it holds when the unit has moved, and a review that was broken off goes on from it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple, TypeVar, cast

from sirdab.review.incremental import MAX_FINDINGS, RawFinding, raw_of

State = Literal["open", "whole", "broken", "too-long", "unasked"]
"""Whether all of the answer is there, it was not what was asked for, the unit does not fit, or the
model's answer would mean nothing."""

_STATES: tuple[State, ...] = ("open", "whole", "broken", "too-long", "unasked")

Verdict = Literal["upheld", "refuted", "unreadable"]
"""What one vote says. One that cannot be read speaks for nobody."""

Kind = Literal["rewrite", "verdict"]
"""How a finding is put to the vote; see `sirdab.review.refute`."""

_KINDS: tuple[Kind, ...] = ("rewrite", "verdict")
_LETTERS: dict[Verdict, str] = {"upheld": "+", "refuted": "-", "unreadable": "0"}
_VERDICTS: dict[str, Verdict] = {letter: verdict for verdict, letter in _LETTERS.items()}
_MOST_VOTES = 9
_MOST_PLACES = 64

_T = TypeVar("_T")


class Hint(NamedTuple):
    """What a linter says of a unit.

    Attributes:
        line: Line of the unit, counted from 0.
        code: The linter's name for it.
        message: Its sentence.
    """

    line: int
    code: str
    message: str


class Place(NamedTuple):
    """What a vote is about.

    Attributes:
        rule: The rule.
        line: Line of the unit, counted from 0.
        kind: How it is put to the vote.
    """

    rule: str
    line: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Settled:
    """What is known of a unit.

    Attributes:
        state: How far the answer to the question has come; its findings stand in any case.
        findings: What the model named.
        misshapen: How many entries of the answer were no findings.
        votes: What each vote said, by what it was about, in the order in which they were asked.
        hints: What the question told the model of a linter's findings.
        is_voted: Whether all votes have been taken that were wanted.
        rewritten: The line that a vote wrote in place of the one that was voted on, by what it
            was about.
    """

    state: State = "open"
    findings: tuple[RawFinding, ...] = ()
    misshapen: int = 0
    votes: tuple[tuple[Place, tuple[Verdict, ...]], ...] = ()
    hints: tuple[Hint, ...] = ()
    is_voted: bool = False
    rewritten: tuple[tuple[Place, str], ...] = ()

    def votes_on(self, place: Place) -> tuple[Verdict, ...]:
        """Return the votes on a finding, in the order in which they were asked."""
        return next((votes for one, votes in self.votes if one == place), ())

    def rewriting_of(self, place: Place) -> str | None:
        """Return the line that the first vote for a finding wrote, or None."""
        return next((line for one, line in self.rewritten if one == place), None)

    def with_vote(self, place: Place, verdict: Verdict, line: str = "") -> "Settled":
        """Return the same with one vote more, and the line that it wrote."""
        others = tuple(entry for entry in self.votes if entry[0] != place)
        rewritten = self.rewritten
        if line and self.rewriting_of(place) is None:
            rewritten = (*rewritten, (place, line))
        votes = (*others, (place, (*self.votes_on(place), verdict)))
        return replace(self, votes=votes, rewritten=rewritten)


def dump(settled: Settled) -> str:
    """Write down what is known, as one line of ASCII."""
    return json.dumps(
        {
            "state": settled.state,
            "findings": [asdict(finding) for finding in settled.findings],
            "misshapen": settled.misshapen,
            "votes": [
                [*place, "".join(_LETTERS[verdict] for verdict in votes)]
                for place, votes in settled.votes
            ],
            "hints": settled.hints,
            "voted": settled.is_voted,
            "rewritten": [[*place, line] for place, line in settled.rewritten],
        },
        separators=(",", ":"),
    )


def load(text: str) -> Settled | None:
    """Read what was written down; None when it is not of this form."""
    try:
        value: Any = json.loads(text)
        return _settled(cast("dict[str, Any]", value)) if isinstance(value, dict) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _settled(fields: dict[str, Any]) -> Settled:
    state, misshapen = fields["state"], fields["misshapen"]
    if state not in _STATES or not isinstance(misshapen, int):
        raise ValueError("no state")
    return Settled(
        state,
        _all(fields["findings"], _finding, MAX_FINDINGS),
        misshapen,
        _all(fields["votes"], _votes, _MOST_PLACES),
        _all(fields["hints"], _hint, _MOST_PLACES),
        fields["voted"] is True,
        _all(fields["rewritten"], _rewriting, _MOST_PLACES),
    )


def _all(entries: Any, read: Callable[[Any], _T], most: int) -> tuple[_T, ...]:
    if not isinstance(entries, list) or len(cast("list[Any]", entries)) > most:
        raise ValueError("no list")
    return tuple(read(entry) for entry in cast("list[Any]", entries))


def _finding(entry: Any) -> RawFinding:
    found = raw_of(entry)
    if found is None:
        raise ValueError("no finding")
    return found


def _place(rule: Any, line: Any, kind: Any) -> Place:
    if not isinstance(rule, str) or type(line) is not int or kind not in _KINDS:
        raise ValueError("no place")
    return Place(rule, line, kind)


def _votes(entry: Any) -> tuple[Place, tuple[Verdict, ...]]:
    *place, letters = entry
    if not isinstance(letters, str) or len(letters) > _MOST_VOTES:
        raise ValueError("no votes")
    return _place(*place), tuple(_VERDICTS[letter] for letter in letters)


def _rewriting(entry: Any) -> tuple[Place, str]:
    *place, line = entry
    if not isinstance(line, str):
        raise TypeError("no line")
    return _place(*place), line


def _hint(entry: Any) -> Hint:
    line, code, message = entry
    if type(line) is not int or not isinstance(code, str) or not isinstance(message, str):
        raise ValueError("no hint")
    return Hint(line, code, message)
