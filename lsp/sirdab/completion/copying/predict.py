"""Chooses among the places where the text before the cursor stands already."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sirdab.completion.copying.brackets import fit, open_brackets
from sirdab.completion.copying.canonical import TOKEN, canonical
from sirdab.completion.copying.corpus import Indexed
from sirdab.completion.copying.match import Find, Query, find_all, query_at
from sirdab.completion.lines import TAB_COLUMNS, columns
from sirdab.text.store import Point, Text

MOST_LINES = 8
"""Lines that are copied at most, behind the cursor's own."""

# Agreements of more tokens than this say no more.
_MOST_TOKENS = 64
_MOST_PARTIAL = 12
_QUOTES = frozenset("\"'`")
# Lines above the cursor that one is not about to write again.
_NEAR_LINES = 6
# Blank lines that are passed over for the line above one.
_MOST_BLANK_LINES = 100
# One character is typed faster than it is read.
_LEAST_CHARACTERS = 2

FEATURES = (
    "tokens",
    "share",
    "votes",
    "margin",
    "length",
    "new words",
    "literals",
    "nearness",
    "same document",
    "partial",
    "typed",
    "whole line agrees",
    "brackets differ",
    "nothing typed",
    "repeats",
    "tokens × share",
)
"""What the confidence is made of, in the order of `Prediction.features`."""


class FurtherLine(NamedTuple):
    """A line below the cursor's that every voter goes on with.

    Attributes:
        text: Indented for its new place.
        votes: How many places have it.
    """

    text: str
    votes: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """What follows where the text before the cursor stands already.

    Attributes:
        rest: The rest of the cursor's line.
        further: The lines below that follow there as well; mostly more than should be offered.
        tokens: How many tokens before the cursor agree.
        votes: How many places go on like this.
        rivals: How many go on in another way.
        document: Number of the document it is copied from.
        line: The line it is copied from.
        features: What its confidence is computed from, in the order of `FEATURES`.
    """

    rest: str
    further: tuple[FurtherLine, ...]
    tokens: int
    votes: int
    rivals: int
    document: int
    line: int
    features: tuple[float, ...]


@dataclass(slots=True)
class _Group:
    """The finds that go on in the same way."""

    best: Find
    rest: str
    finds: list[Find]


def predict(text: Text, point: Point, documents: Sequence[Indexed]) -> Prediction | None:
    """Predict what follows the cursor.

    Args:
        text: The document with the cursor, as it is to be continued.
        point: The cursor.
        documents: Where to copy from; the first is that document.

    Returns:
        None when the text before the cursor stands nowhere else, or nothing follows there.
    """
    query = query_at(text, point)
    if query is None:
        return None
    line_before = text.line_body(point.line)[: point.column]
    groups: dict[str, _Group] = {}
    for find in find_all(query, documents, point):
        rest = _at_cursor(find, line_before, text, query, documents)
        if rest is None:
            continue
        group = groups.setdefault(canonical(rest), _Group(find, rest, []))
        group.finds.append(find)
    if not groups:
        return None
    top = max(group.best.tokens for group in groups.values())
    voting = {
        key: sum(find.tokens >= top - 1 for find in group.finds) for key, group in groups.items()
    }
    chosen = max(groups, key=lambda key: (groups[key].best.tokens, voting[key]))
    winner = groups[chosen]
    source = documents[winner.best.document]
    there = source.snapshot.text.line_body(winner.best.line)[: winner.best.column]
    rest = fit(winner.rest, there, line_before)
    if len(rest.strip()) < _LEAST_CHARACTERS:
        return None
    votes = voting[chosen]
    rivals = sum(voting.values()) - votes
    rival = max((g.best.tokens for key, g in groups.items() if key != chosen), default=0)
    further: tuple[FurtherLine, ...] = ()
    if rest == winner.rest:
        further = _further(winner, top, documents, line_before, rest)
    return Prediction(
        rest=rest,
        further=further,
        tokens=winner.best.tokens,
        votes=votes,
        rivals=rivals,
        document=winner.best.document,
        line=winner.best.line,
        features=_features(query, winner.best, rest, line_before, there, votes, rivals, rival),
    )


def _at_cursor(
    find: Find, line_before: str, text: Text, query: Query, documents: Sequence[Indexed]
) -> str | None:
    """Return what follows at a find with the white space that the cursor's line needs.

    None where the line there stands further in or out than the cursor does.
    """
    if line_before.strip():
        return find.rest.lstrip() if line_before[-1].isspace() else find.rest
    if not find.rest:
        return None
    # Nothing is typed yet: the line is to stand to the one above it as it does there.
    there = documents[find.document].snapshot.text
    step = columns(there.line_body(find.line)) - columns(_line_above(there, find.line))
    above = text.line_body(query.own_line)
    wanted = columns(above) + step
    has = columns(line_before)
    if wanted == has:
        return find.rest.lstrip()
    if line_before or wanted < 0:
        return None
    return _indentation(wanted, tabs=above[:1] == "\t") + find.rest.lstrip()


def _line_above(text: Text, number: int) -> str:
    for line in range(number - 1, max(number - _MOST_BLANK_LINES, 0) - 1, -1):
        body = text.line_body(line)
        if body.strip():
            return body
    return ""


def _indentation(width: int, *, tabs: bool) -> str:
    if tabs:
        return "\t" * (width // TAB_COLUMNS) + " " * (width % TAB_COLUMNS)
    return " " * width


def _further(
    winner: _Group, top: int, documents: Sequence[Indexed], line_before: str, rest: str
) -> tuple[FurtherLine, ...]:
    """Return the lines that follow at every place that votes, indented for the cursor's."""
    voters = [find for find in winner.finds if find.tokens >= top - 1]
    here = columns(line_before) if line_before.strip() else columns(line_before + rest)
    tabs = line_before[:1] == "\t"
    lines: list[FurtherLine] = []
    for below in range(1, MOST_LINES + 1):
        said: set[tuple[str, int]] = set()
        body = ""
        for find in voters:
            there = documents[find.document].snapshot.text
            number = find.line + below
            body = there.line_body(number) if number < there.line_count else ""
            step = columns(body) - columns(there.line_body(find.line))
            said.add((canonical(body), here + step))
        (line, width), *others = said
        if others or not line or width < 0:
            break
        lines.append(FurtherLine(_indentation(width, tabs=tabs) + body.strip(), len(voters)))
    return tuple(lines)


def _features(
    query: Query,
    find: Find,
    rest: str,
    line_before: str,
    there: str,
    votes: int,
    rivals: int,
    rival: int,
) -> tuple[float, ...]:
    said = TOKEN.findall(canonical(rest))
    words = {word for word in said if word[0].isalpha() or word[0] == "_"}
    known = set(TOKEN.findall(query.context))
    typed = TOKEN.findall(canonical(line_before))
    agreed = _log(min(find.tokens, _MOST_TOKENS))
    share = votes / (votes + rivals)
    return (
        agreed,
        share,
        _log(votes),
        agreed - _log(min(rival, _MOST_TOKENS)),
        _log(len(said)),
        _log(len(words - known)),
        float(any(mark[0].isdigit() or mark in _QUOTES for mark in said)),
        1 / (1 + find.distance / 50) if find.document == 0 else 0.0,
        float(find.document == 0),
        _log(min(len(query.partial), _MOST_PARTIAL)),
        _log(len(typed)),
        float(bool(typed) and find.tokens > len(typed) - bool(query.partial)),
        float(open_brackets(there) != open_brackets(line_before)),
        float(not typed),
        float(canonical(line_before + rest) in query.context.split("\n")[-_NEAR_LINES - 1 : -1]),
        agreed * share,
    )


def _log(count: int) -> float:
    return math.log2(1 + count)
