"""What `sirdab stats` says, from the rows of the file: sums and percentiles, no printing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sirdab.metrics.record import HORIZONS, PARTS, SOURCES, bucket_ms
from sirdab.metrics.store import day_of

if TYPE_CHECKING:
    from sirdab.metrics.store import Store

PERCENTILES = (50, 95, 99)


@dataclass(slots=True)
class Latency:
    """Latencies as counts by bucket.

    Attributes:
        buckets: How many answers fell into each; see `sirdab.metrics.record.bucket_of`.
    """

    buckets: Counter[int] = field(default_factory=Counter[int])

    @property
    def answers(self) -> int:
        """How many there were."""
        return self.buckets.total()

    def percentile(self, percent: int) -> float:
        """Return the milliseconds that so many percent of the answers did not exceed."""
        wanted = self.answers * percent / 100
        seen = 0
        for bucket, count in sorted(self.buckets.items()):
            seen += count
            if seen >= wanted:
                return bucket_ms(bucket)
        return 0.0

    def as_json(self) -> dict[str, float]:
        """Return the count and the percentiles in milliseconds."""
        found = {f"p{percent}Ms": round(self.percentile(percent), 1) for percent in PERCENTILES}
        return {"answers": self.answers, **found}


@dataclass(slots=True)
class Tally:
    """What became of some suggestions.

    Attributes:
        shown: How many were on the screen.
        shown_told: Those of which an editor said so.
        accepted: How many were taken, by part.
        accepted_told: Those of which an editor said so.
        endings: How the others ended.
        characters: Characters that did not have to be typed.
        tokens_read: Prompt tokens that the model read for all answers, shown or not.
        kept: By horizon in seconds: characters accepted and looked at again, and how many of them
            were still there.
    """

    shown: int = 0
    shown_told: int = 0
    accepted: Counter[str] = field(default_factory=Counter[str])
    accepted_told: int = 0
    endings: Counter[str] = field(default_factory=Counter[str])
    characters: int = 0
    tokens_read: int = 0
    kept: dict[int, tuple[int, float]] = field(default_factory=dict[int, tuple[int, float]])

    @property
    def taken(self) -> int:
        """How many were taken, wholly or in part."""
        return self.accepted.total()

    @property
    def rate(self) -> float | None:
        """The share of the shown ones that was taken; None when none was shown."""
        return self.taken / self.shown if self.shown else None

    @property
    def tokens_per_character(self) -> float | None:
        """Prompt tokens read for each accepted character; None when none was accepted."""
        return self.tokens_read / self.characters if self.characters else None

    def retained(self, horizon: int) -> float | None:
        """Return the share of the accepted characters still there; None when nobody looked."""
        characters, left = self.kept.get(horizon, (0, 0.0))
        return left / characters if characters else None

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row of `shown`."""
        self.shown += 1
        self.shown_told += bool(row["told"])
        if row["part"] is None:
            if row["ending"] is not None:
                self.endings[row["ending"]] += 1
            return
        self.accepted[row["part"]] += 1
        self.accepted_told += bool(row["part_told"])
        self.characters += row["characters_accepted"]
        for horizon in HORIZONS:
            share = row[f"retained_{horizon}"]
            if share is not None:
                characters, left = self.kept.get(horizon, (0, 0.0))
                size = max(row["characters_accepted"], 1)
                self.kept[horizon] = (characters + size, left + share * size)

    def as_json(self) -> dict[str, Any]:
        """Return the figures; a share that is not known is null."""
        return {
            "shown": self.shown,
            "shownTold": self.shown_told,
            "accepted": {**{part: self.accepted[part] for part in PARTS}, "all": self.taken},
            "acceptedTold": self.accepted_told,
            "acceptanceRate": _rounded(self.rate),
            "dismissed": self.endings["dismissed"],
            "passed": self.endings["passed"],
            "typed": self.endings["typed"],
            "charactersAccepted": self.characters,
            "tokensRead": self.tokens_read,
            "tokensReadPerAcceptedCharacter": _rounded(self.tokens_per_character),
            "retained": {f"{horizon}s": _rounded(self.retained(horizon)) for horizon in HORIZONS},
        }


@dataclass(slots=True)
class Report:
    """The figures of some days.

    Attributes:
        first: The first day that was asked for.
        last: The last day, today.
        total: All of it.
        languages: By language, the most shown first.
        days: By day, every day from the first with anything to the last, in order.
        sources: Latency by source, in the order of `SOURCES`.
    """

    first: str
    last: str
    total: Tally
    languages: dict[str, Tally]
    days: dict[str, Tally]
    sources: dict[str, Latency]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to report."""
        return not self.total.shown and not self.sources

    def as_json(self) -> dict[str, Any]:
        """Return all figures as JSON has them."""
        return {
            "from": self.first,
            "to": self.last,
            **self.total.as_json(),
            "latency": {name: one.as_json() for name, one in self.sources.items()},
            "languages": {name: one.as_json() for name, one in self.languages.items()},
            "days": {day: one.as_json() for day, one in self.days.items()},
        }


def report(store: "Store | None", days: int, now: float) -> Report:
    """Read the figures of the last days.

    Args:
        store: The file; None when there is none yet.
        days: How many, today included.
        now: Seconds since 1970.

    Raises:
        StoreError: The file cannot be read.
    """
    last = day_of(now)
    first = (date.fromisoformat(last) - timedelta(days=days - 1)).isoformat()
    total = Tally()
    languages: defaultdict[str, Tally] = defaultdict(Tally)
    by_day: defaultdict[str, Tally] = defaultdict(Tally)
    latencies: defaultdict[str, Latency] = defaultdict(Latency)
    for row in store.shown(first) if store is not None else ():
        for tally in (total, languages[row["language"]], by_day[row["day"]]):
            tally.add(row)
    for day, language, source, bucket, answers, tokens_read, _ in (
        store.answers(first) if store is not None else ()
    ):
        latencies[source].buckets[bucket] += answers
        for tally in (total, languages[language], by_day[day]):
            tally.tokens_read += tokens_read
    return Report(
        first,
        last,
        total,
        dict(sorted(languages.items(), key=lambda item: (-item[1].shown, item[0]))),
        {day: by_day[day] for day in _every_day(by_day, last)},
        {name: latencies[name] for name in SOURCES if name in latencies},
    )


def _every_day(found: Iterable[str], last: str) -> list[str]:
    """Return the days from the first that was found to the last, those without anything too."""
    day = date.fromisoformat(min(found, default=last))
    count = (date.fromisoformat(last) - day).days
    return [(day + timedelta(days=number)).isoformat() for number in range(max(count, 0) + 1)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
