"""Measures fixes: each defect is named to the model, and the fixture's test judges what it does.

The model is told the rule and the lines, as after a finding that is right, so that the figures
are about fixing alone.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sirdab.benchmark.defects.fixtures import fixture_named
from sirdab.benchmark.defects.sandbox import judge
from sirdab.benchmark.defects.seeds import Seed
from sirdab.benchmark.metering import Meter
from sirdab.benchmark.review_score import wilson
from sirdab.config.schema import Settings
from sirdab.endpoint.base import EndpointSource
from sirdab.endpoint.lane import Lane
from sirdab.review import edit, rewrite
from sirdab.review.finding import Finding, fingerprint, squeeze
from sirdab.review.gates import Gates
from sirdab.review.rules import rule_named
from sirdab.review.units import code_of
from sirdab.syntax.parse import parse_alone
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text


@dataclass(frozen=True, slots=True)
class Fixed:
    """What came of one fix.

    Attributes:
        id: The defect.
        operator: What made it.
        category: What it is about.
        language: "python" or "javascript".
        applies: Whether there is an edit that our own checks let pass.
        parses: Whether the document has no syntax error after it; False without an edit.
        passes: Whether the fixture's test passes after it; None where there is nothing to run it.
        restored: Whether it made the very code of the clean file again, blanks and comments aside.
        refusal: Why there is no edit; "" when there is one.
        requests: How often the model was asked.
        read: Tokens of all prompts.
        written: Tokens that the model wrote.
        ms: Milliseconds it took, without the test.
    """

    id: str
    operator: str
    category: str
    language: str
    applies: bool
    parses: bool
    passes: bool | None
    restored: bool
    refusal: str
    requests: int
    read: int
    written: int
    ms: float

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept in a file of results."""
        return asdict(self)


class FixBench:
    """Asks for a fix of each defect.

    Args:
        endpoints: Finds the model server.
        settings: The settings in force.
    """

    def __init__(self, endpoints: EndpointSource, settings: Settings) -> None:
        self._meter = Meter(endpoints)
        self._settings = replace(settings, review=replace(settings.review, enabled=True))
        # Nobody types beside a benchmark, so nothing is waited for.
        self._rewriter = rewrite.Rewriter(self._meter, Lane(quiet_s=0), Gates())

    async def ready(self) -> None:
        """Find the model; without it, every fix would be refused with the same sentence.

        Raises:
            EndpointError: It cannot be asked.
        """
        await (await self._meter.acquire()).describe()

    async def fix(self, seed: Seed) -> Fixed:
        """Ask for a fix of a defect and return what came of it."""
        text = Text(seed.text)
        snapshot = Snapshot(f"untitled:{seed.name}", seed.language_id, 1, text)
        wanted = rewrite.fix_finding(snapshot, self._settings, (), finding_of(seed))
        meter = self._meter
        before = meter.requests, meter.read, meter.written
        started = time.perf_counter()
        refusal = ""
        changed: Text | None = None
        try:
            changed = edit.apply(text, await self._rewriter.rewrite(wanted))
        except edit.RefusalError as error:
            refusal = error.message
        ms = (time.perf_counter() - started) * 1000
        parsed = None if changed is None else parse_alone(changed, seed.language_id)
        return Fixed(
            id=seed.id,
            operator=seed.operator.id,
            category=seed.operator.category,
            language=seed.operator.family,
            applies=changed is not None,
            parses=parsed is not None and not parsed.tree.root_node.has_error,
            passes=await asyncio.to_thread(_passes, seed, changed),
            restored=changed is not None and _code(changed, seed) == _code(Text(seed.clean), seed),
            refusal=refusal,
            requests=meter.requests - before[0],
            read=meter.read - before[1],
            written=meter.written - before[2],
            ms=round(ms, 1),
        )


def finding_of(seed: Seed) -> Finding:
    """Return the finding that names a defect as it is."""
    text = Text(seed.text)
    # Where the defect stands in several places, the first one is where it is named.
    first, last = seed.lines[0]
    head, tail = text.line_body(first), text.line_body(last)
    start = Point(first, len(head) - len(head.lstrip()))
    stop = Point(last, len(tail.rstrip()))
    code = text.slice(start, stop)
    name = next((one for one in seed.operator.rules if rule_named(one)), seed.operator.rules[0])
    rule = rule_named(name)
    return Finding(
        start=start,
        stop=stop,
        code=code,
        category=seed.operator.category,
        rule=name,
        severity="warning" if rule is None else rule.severity,
        message=f"{seed.operator.about}.",
        replacement=None,
        fingerprint=fingerprint(name, "", code),
    )


def _passes(seed: Seed, changed: Text | None) -> bool | None:
    fixture = fixture_named(seed.name)
    if fixture is None or not fixture.check:
        return None
    if changed is None:
        return False
    return judge(fixture, [str(changed)])[0].passed


def _code(text: Text, seed: Seed) -> str:
    return squeeze("\n".join(code_of(text, seed.language_id)))


def summarise(fixes: Sequence[Fixed]) -> dict[str, Any]:
    """Add fixes up: shares of all defects, each with its interval of 95 %."""
    return {
        "all": _block(fixes),
        "by_category": {
            name: _block([one for one in fixes if one.category == name])
            for name in sorted({one.category for one in fixes})
        },
        "by_operator": {
            name: _block([one for one in fixes if one.operator == name], short=True)
            for name in sorted({one.operator for one in fixes})
        },
        "refused": dict(Counter(one.refusal for one in fixes if one.refusal).most_common()),
    }


def _block(fixes: Sequence[Fixed], *, short: bool = False) -> dict[str, Any]:
    tested = [one for one in fixes if one.passes is not None]
    shares = {
        "applies": (sum(one.applies for one in fixes), len(fixes)),
        "parses": (sum(one.parses for one in fixes), len(fixes)),
        "test_passes": (sum(bool(one.passes) for one in tested), len(tested)),
        "restored": (sum(one.restored for one in fixes), len(fixes)),
    }
    if short:
        return {"fixes": len(fixes), **{name: count for name, (count, _) in shares.items()}}
    seconds = round(sum(one.ms for one in fixes) / 1000 / max(len(fixes), 1), 1)
    found = {name: asdict(wilson(*share)) for name, share in shares.items()}
    return {"fixes": len(fixes), **found, "seconds_per_fix": seconds}
