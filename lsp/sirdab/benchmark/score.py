"""How good an answer to a hole is, and what a run of them adds up to."""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any

from sirdab.benchmark.holes import Hole
from sirdab.completion.request import Outcome
from sirdab.syntax.parse import parse
from sirdab.text.store import Text

_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Score:
    """One hole, as it stands in a file of results.

    Attributes:
        id: The hole's.
        kind: The hole's.
        language: The hole's.
        shown: Whether there was a suggestion.
        reason: Why there was, or was not.
        exact: Whether it is what was there, white space at line ends aside.
        first_line: Whether its first line is.
        similarity: Of both texts, from 0 to 1 (difflib's ratio, which is 2·M/T).
        parses: Whether the document has no more syntax errors with the suggestion than with the
            right text; None when there is no grammar, or nothing was shown.
        ms: Until the suggestion was there, in milliseconds.
        read: Prompt tokens that the model read anew.
        written: Tokens that it wrote.
    """

    id: str
    kind: str
    language: str
    shown: bool
    reason: str
    exact: bool
    first_line: bool
    similarity: float
    parses: bool | None
    ms: float
    read: int
    written: int

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written to a file."""
        return asdict(self)


def score(hole: Hole, outcome: Outcome) -> Score:
    """Compare an outcome with what was in the hole."""
    said = outcome.suggestions[0].text.replace("\r\n", "\n") if outcome.suggestions else ""
    want, got = _tidy(hole.expected), _tidy(said)
    trace = outcome.trace
    return Score(
        id=hole.id,
        kind=hole.kind,
        language=hole.language_id,
        shown=bool(outcome.suggestions),
        reason=outcome.reason.value,
        exact=bool(got) and got == want,
        first_line=bool(got) and got.split("\n")[0] == want.split("\n")[0],
        similarity=round(SequenceMatcher(None, want, got, autojunk=False).ratio(), 4),
        parses=_parses(hole, said) if said else None,
        ms=float(trace.get("total_ms") or 0.0),
        read=int(trace.get("evaluated_tokens") or 0),
        written=int(trace.get("generated_tokens") or 0),
    )


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def _parses(hole: Hole, said: str) -> bool | None:
    def errors(filling: str) -> int | None:
        text = hole.text.replace(hole.point, hole.point, filling)
        return count_errors(text, hole.language_id)

    right, now = errors(hole.expected), errors(said)
    return None if right is None or now is None else now <= right


def count_errors(text: Text, language_id: str) -> int | None:
    """Return how many nodes of the syntax tree are errors; None without a grammar."""
    parsed = parse(text, language_id, budget_ms=2_000)
    if parsed is None:
        return None
    found = 0
    waiting = [parsed.tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            found += 1
        elif node.has_error:
            waiting.extend(node.children)
    return found


@dataclass(frozen=True, slots=True)
class Summary:
    """A run, or one kind of hole in it. Shares are of all its holes unless it is said otherwise.

    Attributes:
        holes: How many.
        shown: Share with a suggestion.
        exact: Share that was right.
        precision: Share of those shown that was right.
        first_line: Share whose first line was right.
        similarity: Mean; nothing shown counts as 0.
        parses: Share of those shown and parsed that broke nothing.
        median_ms: Median time of those shown, in milliseconds.
        p95_ms: 95th percentile of it.
        read: Mean of tokens read.
    """

    holes: int
    shown: float
    exact: float
    precision: float
    first_line: float
    similarity: float
    parses: float
    median_ms: float
    p95_ms: float
    read: float


def summarise(scores: Sequence[Score]) -> Summary:
    """Add up a run.

    Raises:
        ValueError: It is empty.
    """
    if not scores:
        raise ValueError("there is nothing to add up")
    shown = [one for one in scores if one.shown]
    parsed = [one for one in shown if one.parses is not None]
    times = sorted(one.ms for one in shown) or [0.0]
    return Summary(
        holes=len(scores),
        shown=len(shown) / len(scores),
        exact=_share(scores, lambda one: one.exact),
        precision=_share(shown, lambda one: one.exact),
        first_line=_share(scores, lambda one: one.first_line),
        similarity=statistics.fmean(one.similarity for one in scores),
        parses=_share(parsed, lambda one: bool(one.parses)),
        median_ms=statistics.median(times),
        p95_ms=times[min(len(times) - 1, int(len(times) * 0.95))],
        read=statistics.fmean(one.read for one in scores),
    )


def _share(scores: Sequence[Score], holds: Callable[[Score], bool]) -> float:
    return sum(map(holds, scores)) / len(scores) if scores else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the second of two runs is at the holes that both have.

    Attributes:
        holes: How many both have.
        mean: Mean of the differences.
        low: Lower end of the 95 % confidence interval (percentile bootstrap over holes).
        high: Its upper end.
    """

    holes: int
    mean: float
    low: float
    high: float


def compare(
    first: Sequence[Score], second: Sequence[Score], figure: Callable[[Score], float]
) -> Difference:
    """Compare a figure of two runs, hole by hole.

    Raises:
        ValueError: They have no hole in common.
    """
    known = {one.id: one for one in first}
    pairs = [(known[one.id], one) for one in second if one.id in known]
    if not pairs:
        raise ValueError("the two runs have no hole in common")
    differences = [figure(after) - figure(before) for before, after in pairs]
    chance = random.Random(0)  # noqa: S311 - a sample, not a secret
    means = sorted(
        statistics.fmean(chance.choices(differences, k=len(differences))) for _ in range(_RESAMPLES)
    )
    return Difference(
        holes=len(pairs),
        mean=statistics.fmean(differences),
        low=means[int(_RESAMPLES * 0.025)],
        high=means[int(_RESAMPLES * 0.975) - 1],
    )
