"""What the figures of a review bench are: plain arithmetic over what was found in each case."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

TOLERANCE = 1
"""Lines that a finding may stand beside the defect and still be about it: a model often names the
line of the loop or of the call that the defect belongs to."""

_MOST_THRESHOLDS = 21
# Of the normal distribution, for an interval that holds the truth in 95 of 100 cases.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, as far as it counts.

    Attributes:
        first: Its first line, 0-based.
        last: Its last line.
        rule: Its rule.
        category: What it is about.
        confidence: From 0 to 1.
        stood: Whether the same is found in the same code without the defect, so that it says
            nothing of the defect.
    """

    first: int
    last: int
    rule: str
    category: str
    confidence: float
    stood: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case.

    Attributes:
        id: The case.
        operator: What made the defect; "" where the code is taken to be right.
        category: What the defect is about.
        language: "python" or "javascript".
        rules: The rules that are right about the defect.
        lines: First and last lines, 0-based, in which the defect stands.
        reviewed: Lines that were reviewed, without blank ones.
        found: What was found.
        dropped: How often the checks dropped something, by the reason.
        requests: How often the model was asked.
        read: Tokens of all prompts.
        written: Tokens that the model wrote.
        ms: Milliseconds it took.
    """

    id: str
    operator: str
    category: str
    language: str
    rules: tuple[str, ...]
    lines: tuple[tuple[int, int], ...]
    reviewed: int
    found: tuple[Found, ...]
    dropped: dict[str, int]
    requests: int
    read: int
    written: int
    ms: float

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept in a file of results."""
        return asdict(self)

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Outcome":
        """Read it from a file of results.

        Raises:
            KeyError: A figure is missing.
            TypeError: One is of another type, or there is one too many.
        """
        read: dict[str, Any] = {
            **entry,
            "found": tuple(Found(**one) for one in entry["found"]),
            "lines": tuple((first, last) for first, last in entry["lines"]),
            "rules": tuple(entry["rules"]),
        }
        return cls(**read)

    def is_there(self, found: Found) -> bool:
        """Whether a finding is at the place of the defect, and comes of it."""
        return not found.stood and any(
            found.first <= last + TOLERANCE and first - TOLERANCE <= found.last
            for first, last in self.lines
        )

    def is_hit(self, found: Found) -> bool:
        """Whether a finding is the defect: at its place, and of a rule that is right about it."""
        return self.is_there(found) and found.rule in self.rules


@dataclass(frozen=True, slots=True)
class Share:
    """A share, with the interval that holds the true one in 95 of 100 cases.

    Attributes:
        count: How many there are.
        of: Of how many.
        share: From 0 to 1; 0 of nothing.
        low: Lower end of Wilson's score interval.
        high: Upper end.
    """

    count: int
    of: int
    share: float
    low: float
    high: float


def wilson(count: int, of: int) -> Share:
    """Return a share with its interval.

    The interval is the one of E. B. Wilson, "Probable Inference, the Law of Succession, and
    Statistical Inference", Journal of the American Statistical Association 22 (1927).

    Raises:
        ValueError: There are more than there are of.
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if of == 0:
        return Share(0, 0, 0.0, 0.0, 1.0)
    share = count / of
    middle = share + _Z * _Z / (2 * of)
    spread = _Z * math.sqrt(share * (1 - share) / of + _Z * _Z / (4 * of * of))
    scale = 1 + _Z * _Z / of
    low, high = max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
    return Share(count, of, round(share, 4), round(low, 4), round(high, 4))


def rate(count: int, lines: int) -> dict[str, float]:
    """Return how many there are for 1,000 lines, with the interval of 95 %.

    The count is taken as that of rare events (Poisson). The ends are Byar's approximation of the
    exact ones, as N. E. Breslow and N. E. Day give it in "Statistical Methods in Cancer Research",
    volume 2 (1987).
    """
    if lines <= 0:
        return {"count": count, "lines": 0, "per_1000": 0.0, "low": 0.0, "high": 0.0}

    def end(events: float, sign: int) -> float:
        if events <= 0:
            return 0.0
        return events * (1 - 1 / (9 * events) + sign * _Z / (3 * math.sqrt(events))) ** 3

    per = 1000 / lines
    return {
        "count": count,
        "lines": lines,
        "per_1000": round(count * per, 2),
        "low": round(end(count, -1) * per, 2),
        "high": round(end(count + 1, 1) * per, 2),
    }


def summarise(outcomes: Sequence[Outcome], threshold: float = 0.0) -> dict[str, Any]:
    """Add outcomes up.

    Args:
        outcomes: Of seeds and of clean code.
        threshold: Findings of less confidence do not count.
    """
    seeds = [one for one in outcomes if one.operator]
    clean = [one for one in outcomes if not one.operator]
    lines = sum(one.reviewed for one in clean)

    def counted(one: Outcome) -> list[Found]:
        return [found for found in one.found if found.confidence >= threshold]

    def hit(one: Outcome) -> bool:
        return any(one.is_hit(found) for found in counted(one))

    def there(one: Outcome) -> bool:
        return any(one.is_there(found) for found in counted(one))

    def block(holds: Callable[[Outcome], bool], counts: Callable[[Found], bool]) -> dict[str, Any]:
        """Sum up the seeds and the findings for which something holds."""
        some = [one for one in seeds if holds(one)]
        said = [(one, found) for one in seeds for found in counted(one) if counts(found)]
        false = sum(counts(found) for one in clean for found in counted(one))
        return {
            "recall": asdict(wilson(sum(map(hit, some)), len(some))),
            "right_place": asdict(wilson(sum(map(there, some)), len(some))),
            "precision": asdict(wilson(sum(one.is_hit(found) for one, found in said), len(said))),
            "false_findings": rate(false, lines),
        }

    def any_(_: object) -> bool:
        return True

    categories = sorted({one.category for one in seeds})
    rules = sorted({found.rule for one in outcomes for found in counted(one)})
    return {
        "all": block(any_, any_),
        "by_category": {
            name: block(
                lambda one, n=name: one.category == n, lambda found, n=name: found.category == n
            )
            for name in categories
        },
        "by_language": {
            name: _of_language(outcomes, name, threshold)
            for name in sorted({one.language for one in outcomes})
            if len({one.language for one in outcomes}) > 1
        },
        "by_operator": {
            name: _operator([one for one in seeds if one.operator == name], hit, there)
            for name in sorted({one.operator for one in seeds})
        },
        "by_rule": {
            name: {
                "hits": sum(
                    one.is_hit(found)
                    for one in seeds
                    for found in counted(one)
                    if found.rule == name
                ),
                "elsewhere_in_seeds": sum(
                    not one.is_hit(found)
                    for one in seeds
                    for found in counted(one)
                    if found.rule == name
                ),
                "on_clean_code": sum(found.rule == name for one in clean for found in counted(one)),
            }
            for name in rules
        },
    }


def _of_language(outcomes: Sequence[Outcome], name: str, threshold: float) -> dict[str, Any]:
    return summarise([one for one in outcomes if one.language == name], threshold)["all"]


def _operator(
    seeds: Sequence[Outcome], hit: Callable[[Outcome], bool], there: Callable[[Outcome], bool]
) -> dict[str, Any]:
    return {
        "seeds": len(seeds),
        "hits": sum(map(hit, seeds)),
        "right_place": sum(map(there, seeds)),
        # The checks before the model asked about nothing here: no sign of a rule was seen.
        "asked": sum(one.requests > 0 or bool(one.found) for one in seeds),
    }


def curve(outcomes: Sequence[Outcome]) -> list[dict[str, float]]:
    """Return what each threshold over the confidence gives, from the lowest to the highest."""
    values = sorted({found.confidence for one in outcomes for found in one.found})
    if len(values) > _MOST_THRESHOLDS:
        step = (len(values) - 1) / (_MOST_THRESHOLDS - 1)
        values = [values[round(number * step)] for number in range(_MOST_THRESHOLDS)]
    points: list[dict[str, float]] = []
    for value in dict.fromkeys(values):
        found = summarise(outcomes, value)["all"]
        points.append(
            {
                "threshold": value,
                "recall": found["recall"]["share"],
                "precision": found["precision"]["share"],
                "false_per_1000": found["false_findings"]["per_1000"],
            }
        )
    return points


def cost(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """Return what a review cost for 1,000 lines that were not known before."""
    asked = list(outcomes)
    lines = sum(one.reviewed for one in asked)
    per = 1000 / lines if lines else 0.0
    return {
        "lines": lines,
        "seconds_per_1000": round(sum(one.ms for one in asked) / 1000 * per, 1),
        "requests_per_1000": round(sum(one.requests for one in asked) * per, 1),
        "tokens_read_per_1000": round(sum(one.read for one in asked) * per),
        "tokens_written_per_1000": round(sum(one.written for one in asked) * per),
    }


def dropped(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how often the checks dropped something, the most frequent reason first."""
    total: dict[str, int] = {}
    for one in outcomes:
        for reason, count in one.dropped.items():
            total[reason] = total.get(reason, 0) + count
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
