"""Measures reviews: each case goes through the real reviewer, and what it finds is kept.

The scores are reckoned from what is kept (`sirdab.benchmark.review_score`), so that a run that was
stopped goes on, and a threshold can be looked at afterwards.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sirdab.benchmark.defects.seeds import Seed
from sirdab.benchmark.metering import Meter
from sirdab.benchmark.results import ResultsError, entries_of
from sirdab.benchmark.review_cases import Case
from sirdab.benchmark.review_score import (
    Found,
    Outcome,
    cost,
    curve,
    dropped,
    summarise,
)
from sirdab.config.schema import Settings
from sirdab.endpoint.base import EndpointSource
from sirdab.endpoint.lane import Lane
from sirdab.review.evidence import Linter
from sirdab.review.finding import squeeze
from sirdab.review.request import Review, ReviewRequest
from sirdab.review.reviewer import Reviewer
from sirdab.review.units import split
from sirdab.text.document import Snapshot
from sirdab.text.store import Text


@dataclass(frozen=True, slots=True)
class Variant:
    """How the reviewer is set up.

    Attributes:
        name: For the report.
        votes: The setting `review.votes`.
        evidence: Whether a linter is a witness.
    """

    name: str
    votes: Any = "auto"
    evidence: bool = True


USUAL = Variant("as set")
VARIANTS = (
    Variant("no refutation, no linter", 0, evidence=False),
    Variant("no refutation", 0),
    Variant("no linter", "auto", evidence=False),
    Variant("refutation and linter"),
)
"""What is compared: each part of the checks left out."""


class BenchError(Exception):
    """The run cannot go on; the message is one sentence."""


class Bench:
    """Reviews cases one after the other.

    Counted is what a user would be shown: findings below the setting `review.minimumSeverity`, or
    of a category that is switched off, are among what was dropped.

    Args:
        endpoints: Finds the model server.
        settings: The settings; review.enabled and the variant's votes are set here.
        variant: How the reviewer is set up.
    """

    def __init__(self, endpoints: EndpointSource, settings: Settings, variant: Variant) -> None:
        self._meter = Meter(endpoints)
        self._asked = 0
        votes = settings.review.votes if variant is USUAL else variant.votes
        self._settings = replace(
            settings, review=replace(settings.review, enabled=True, votes=votes)
        )
        # Nobody types beside a benchmark, so nothing is waited for.
        self._reviewer = Reviewer(
            self._meter, Lane(quiet_s=0), evidence=Linter() if variant.evidence else None
        )

    async def judge(self, case: Case) -> Outcome:
        """Review a case and return what came of it.

        Raises:
            BenchError: The model cannot be asked.
        """
        text = Text(case.text)
        self._asked += 1
        snapshot = Snapshot(f"untitled:{case.name}", case.language_id, self._asked, text)
        request = ReviewRequest(snapshot, self._settings, lines=case.lines)
        meter = self._meter
        before = meter.requests, meter.read, meter.written
        started = time.perf_counter()
        review = await self._reviewer.review(request)
        ms = (time.perf_counter() - started) * 1000
        if review.failed:
            raise BenchError(review.problem)
        requests, read, written = meter.requests, meter.read, meter.written
        seed = case.seed
        found = _found(review, frozenset())
        if seed is not None and any(one.rule in seed.operator.rules for one in found):
            # What a rule says of the code as it was, too, is no word about the defect.
            found = _found(review, await self._said_of_clean(case, seed))
        return Outcome(
            id=case.id,
            operator="" if seed is None else seed.operator.id,
            category="" if seed is None else seed.operator.category,
            language="python" if case.language_id == "python" else "javascript",
            rules=() if seed is None else seed.operator.rules,
            lines=() if seed is None else seed.lines,
            reviewed=_lines(text, case),
            found=found,
            dropped=dict(Counter(entry.reason for entry in review.dropped)),
            requests=requests - before[0],
            read=read - before[1],
            written=written - before[2],
            ms=round(ms, 1),
        )

    async def _said_of_clean(self, case: Case, seed: Seed) -> frozenset[tuple[str, str]]:
        """Return the rules and the code of what is found without the defect, at its place.

        Raises:
            BenchError: The model cannot be asked.
        """
        text = Text(seed.clean)
        last = max(seed.first, seed.last + text.line_count - Text(case.text).line_count)
        lines = min(seed.first, text.line_count - 1), min(last, text.line_count - 1)
        self._asked += 1
        uri = f"untitled:{case.name}"
        snapshot = Snapshot(uri, case.language_id, self._asked, text)
        review = await self._reviewer.review(ReviewRequest(snapshot, self._settings, lines=lines))
        if review.failed:
            raise BenchError(review.problem)
        return frozenset((one.rule, squeeze(one.code)) for one in review.findings)


def _lines(text: Text, case: Case) -> int:
    """Return how many lines of a document are reviewed, blank ones not counted."""
    lines = [text.line_body(number) for number in range(text.line_count)]
    if case.lines is None:
        return sum(bool(line.strip()) for line in lines)
    first, last = case.lines
    return sum(
        bool(line.strip())
        for unit in split(text, case.language_id)
        if unit.first <= last and unit.last >= first
        for line in lines[unit.first : unit.last + 1]
    )


def _found(review: Review, stood: frozenset[tuple[str, str]]) -> tuple[Found, ...]:
    return tuple(
        Found(
            one.start.line,
            one.stop.line,
            one.rule,
            one.category,
            round(one.confidence, 4),
            (one.rule, squeeze(one.code)) in stood,
        )
        for one in review.findings
    )


class Results:
    """A file of results: one JSON object a line, so that a run that was stopped goes on.

    Args:
        path: The file; None to keep nothing.
        conditions: What the run is made with; a file of another run is not added to.

    Raises:
        ResultsError: The file cannot be read or written, or belongs to another run.
    """

    def __init__(self, path: Path | None, conditions: dict[str, Any]) -> None:
        self._path = path
        self._known: dict[tuple[str, str], Outcome] = {}
        if path is None:
            return
        begun = path.exists() and path.stat().st_size
        entries = entries_of(path) if begun else []
        if entries and entries[0] != {"conditions": conditions}:
            raise ResultsError(
                f"{path} is of a run with other options; name another file with --output."
            )
        try:
            for entry in entries[1:]:
                one = Outcome.from_json(entry["outcome"])
                self._known[entry["variant"], one.id] = one
        except (KeyError, TypeError) as error:
            raise ResultsError(
                f"{path} was written by another version; begin a new file."
            ) from error
        kept = [{"conditions": conditions}, *entries[1:]]
        self._write("w", "".join(json.dumps(entry) + "\n" for entry in kept))

    def known(self, variant: str, case: Case) -> Outcome | None:
        """Return what came of a case in an earlier part of the run."""
        return self._known.get((variant, case.id))

    def keep(self, variant: str, outcome: Outcome) -> None:
        """Add what came of a case.

        Raises:
            ResultsError: The file cannot be written.
        """
        if self._path is not None:
            entry = {"variant": variant, "outcome": outcome.as_json()}
            self._write("a", json.dumps(entry) + "\n")

    def _write(self, mode: str, content: str) -> None:
        assert self._path is not None  # noqa: S101 - both callers have looked
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open(mode, encoding="utf-8") as file:
                file.write(content)
        except OSError as error:
            raise ResultsError(f"{self._path} cannot be written ({error.strerror}).") from error


def report(variants: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """Return all figures of a run, by the name of the variant."""
    return {"variants": {name: _figures(outcomes) for name, outcomes in variants.items()}}


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    clean = [one for one in outcomes if not one.operator]
    return {
        "seeds": len(outcomes) - len(clean),
        "clean_lines": sum(one.reviewed for one in clean),
        **summarise(outcomes),
        "curve": curve(outcomes),
        # A seed is one short unit with a defect, which is no ordinary code to review.
        "cost": cost(clean),
        "dropped": dropped(outcomes),
        "on_clean_code": [
            {
                "name": one.id.removeprefix("clean@"),
                "line": found.first + 1,
                "rule": found.rule,
                "confidence": found.confidence,
            }
            for one in clean
            for found in one.found
        ],
    }
