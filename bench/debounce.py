"""What a debounce costs and saves, over simulated typing.

Stretches of this repository's own sources are typed again, key by key, by the typist and in the
rhythm of `sirdab bench replay`: between two keys a log-normal time, slower at the start of words
and before signs, with pauses for thinking at lines and words, slips and corrections. Where its
figures come from is said in `sirdab.benchmark.rhythm`. The same keys are typed at three speeds.

The editor asks 50 ms after a key, as VS Code does, unless the next key was faster. Then the
debounce waits, and a model answers after a time that is drawn around a median. A request is
superseded when the next key comes before its answer. Nothing is answered from memory and no answer
under way is joined, because both need no debounce: what is counted here is the rest.

Compared are a fixed pause of 75 and of 150 ms, the adaptive one, and the formula of Tabby's client
with its published parameters (base 200 ms, then the mean interval of 100 to 400 ms; 3.0 to 1.5
times that by the place; less the response time; 100 to 1,000 ms).

    python -m bench.debounce            # writes bench/results/debounce.{json,md}
    python -m bench.debounce --search   # prints what other constants would do
"""

import argparse
import itertools
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from math import log
from pathlib import Path
from typing import NamedTuple

from sirdab.benchmark.rhythm import Rhythm
from sirdab.benchmark.typist import Buffer, Kind, Stretch, Typist
from sirdab.completion import debounce as adaptive
from sirdab.completion.backoff import Backoff
from sirdab.completion.debounce import Debounce
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.completion.trigger_score import trigger_score
from sirdab.config.schema import Settings
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
SOURCES = (
    ("python", "lsp/sirdab/text/store.py"),
    ("python", "lsp/sirdab/completion/cache.py"),
    ("python", "lsp/sirdab/policy/audit.py"),
    ("lua", "clients/neovim/lua/sirdab/lsp.lua"),
    ("typescript", "clients/vscode/src/ui/statusView.ts"),
)
STRETCH_LINES = 60
# Multiples of the practised typist's times: about 120, 200 and 320 ms between keys.
SPEEDS = {"fast": 0.6, "practised": 1.0, "slow": 1.6}
RESPONSES_MS = (60.0, 250.0, 500.0)
_RESPONSE_SPREAD = 0.3
EDITOR_MS = 50.0
BETWEEN_FILES_MS = 20_000.0
# Share of keys before which somebody stops to think, wherever they are, in the second table.
SCATTERED = 0.03
# Who stops for so long looks at the screen, and reads what is there for this long.
PAUSE_MS = 700.0
READ_MS = 250.0
# A suggestion every so many seconds, and the shares of them that are wanted.
SUGGESTION_SECONDS = 6.0
MOMENTS = 20_000
ACCEPTANCE = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class Key:
    """One key: when it was pressed, in milliseconds, and the line up to the cursor after it."""

    at: float
    before: str
    line_ends: bool
    typed: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What one policy did with the keys.

    Attributes:
        requests: Requests to the model for 100 keys.
        superseded: Share of them that the next key made useless.
        wasted_ms: Milliseconds of the model's work for those, for 100 keys.
        delay_ms: Milliseconds waited, on average, before the requests that were answered.
        served: Share of the pauses in which the answer could be read before the next key.
        seen_after_ms: Milliseconds from the key to the suggestion in those, the median.
    """

    requests: float
    superseded: float
    wasted_ms: float
    delay_ms: float
    served: float
    seen_after_ms: float


class Moment(NamedTuple):
    """A place at which somebody stopped, and for how many milliseconds more than needed to read."""

    score: float
    left_ms: float


class Row(NamedTuple):
    """The figures of one policy under one condition."""

    speed: str
    response_ms: float
    policy: str
    figures: Figures

    def as_json(self) -> dict[str, object]:
        """Return the row with the names of its figures."""
        found = {name: round(value, 3) for name, value in asdict(self.figures).items()}
        return {
            "speed": self.speed,
            "response_ms": self.response_ms,
            "policy": self.policy,
            **found,
        }


Policy = Callable[[Key, float], float]
"""Returns the milliseconds to wait after a key; given the median response time."""


def keys(speed: float) -> list[Key]:
    """Type all stretches at one speed."""
    base = Rhythm()
    rhythm = replace(
        base,
        in_word=base.in_word * speed,
        at_word=base.at_word * speed,
        at_sign=base.at_sign * speed,
        at_line=base.at_line * speed,
    )
    found: list[Key] = []
    now = 0.0
    for language, name in SOURCES:
        lines = (ROOT / name).read_text(encoding="utf-8").split("\n")
        first = len(lines) // 3
        document = Text("\n".join(lines[:first]))
        target = "\n".join(["", *lines[first : first + STRETCH_LINES]])
        stretch = Stretch(name, language, document.end, target)
        typist = Typist(Buffer(document, document.end), stretch, rhythm=rhythm)
        while not typist.done:
            now += typist.pause_ms()
            kind, _ = typist.press()
            line, column = document_line(typist), typist.buffer.point.column
            typed = kind not in (Kind.LEAVE, Kind.OVER)
            found.append(Key(now, line[:column], not line[column:].strip(), typed))
        now += BETWEEN_FILES_MS
    return found


def scattered(typed: Sequence[Key]) -> list[Key]:
    """Put in pauses for thinking that have nothing to do with the place."""
    chance, rhythm = random.Random(2), Rhythm()
    late = 0.0
    found: list[Key] = []
    for key in typed:
        if chance.random() < SCATTERED:
            late += rhythm.thought_ms(chance)
        found.append(replace(key, at=key.at + late))
    return found


def document_line(typist: Typist) -> str:
    """Return the line that the cursor is on."""
    return typist.buffer.text.line_body(typist.buffer.point.line)


def simulate(typed: Sequence[Key], policy: Policy, response_ms: float) -> Figures:
    """Ask at each key as an editor does, and see what comes of it."""
    chance = random.Random(1)
    requests = superseded = served = pauses = 0
    wasted = 0.0
    delays: list[float] = []
    seen_after: list[float] = []
    for key, following in itertools.pairwise(typed):
        pause = following.at - key.at
        pauses += pause >= PAUSE_MS
        # Drawn for every key, so that all policies meet the same model.
        takes = chance.lognormvariate(log(response_ms), _RESPONSE_SPREAD)
        wait = policy(key, response_ms)
        asked = EDITOR_MS + wait
        if pause < EDITOR_MS or pause <= asked:
            continue
        requests += 1
        if pause <= asked + takes:
            superseded += 1
            wasted += pause - asked
            continue
        delays.append(wait)
        if pause >= PAUSE_MS and pause >= asked + takes + READ_MS:
            served += 1
            seen_after.append(asked + takes)
    count = len(typed)
    return Figures(
        requests=100 * requests / count,
        superseded=superseded / requests if requests else 0.0,
        wasted_ms=100 * wasted / count,
        delay_ms=statistics.mean(delays) if delays else 0.0,
        served=served / pauses if pauses else 0.0,
        seen_after_ms=statistics.median(seen_after) if seen_after else 0.0,
    )


def fixed(ms: float) -> Policy:
    """Always the same pause."""
    return lambda _key, _response_ms: ms


def ours() -> Policy:
    """The adaptive debounce itself, with a clock that follows the keys."""
    now = 0.0
    debounce = Debounce(lambda: now / 1000)
    settings = Settings()

    def policy(key: Key, response_ms: float) -> float:
        nonlocal now
        now = key.at
        debounce.rhythm.typed(1 if key.typed else 0)
        now += EDITOR_MS
        debounce.answered(response_ms)
        request = CompletionRequest(
            Snapshot("untitled:bench", "python", 1, Text(key.before)),
            Point(0, len(key.before)),
            Trigger.AUTOMATIC,
            settings,
        )
        return debounce.asked(request).ms

    return policy


def tabby() -> Policy:
    """The formula of Tabby's client, written from its published parameters."""
    intervals: list[float] = []
    last = 0.0

    def policy(key: Key, response_ms: float) -> float:
        nonlocal last
        interval, last = key.at - last, key.at
        if interval <= 400:
            intervals.append(interval)
            del intervals[:-100]
        base = 200.0
        if len(intervals) >= 20:
            base = min(max(statistics.mean(intervals), 100.0), 400.0)
        score = 0.5 * (not key.before[-1:].isalnum()) + 0.4 * key.line_ends
        rate = 3.0 - 1.5 * score
        return min(max(rate * base - response_ms, 100.0), 1_000.0)

    return policy


POLICIES: dict[str, Callable[[], Policy]] = {
    "fixed 75 ms": lambda: fixed(75.0),
    "fixed 150 ms": lambda: fixed(150.0),
    "Tabby's formula": tabby,
    "adaptive": ours,
}


def compare(typing: Callable[[Sequence[Key]], Sequence[Key]]) -> list[Row]:
    """Return the figures of each policy, by speed and response time.

    Args:
        typing: What is made of the keys as they come from the typist.
    """
    rows: list[Row] = []
    for speed, factor in SPEEDS.items():
        typed = typing(keys(factor))
        for response_ms in RESPONSES_MS:
            for name, policy in POLICIES.items():
                rows.append(Row(speed, response_ms, name, simulate(typed, policy(), response_ms)))
    return rows


def mean(figures: Iterable[Figures]) -> Figures:
    """Return the mean of each figure."""
    found = list(figures)
    return Figures(
        *(statistics.mean(getattr(one, field.name) for one in found) for field in fields(Figures))
    )


def quiet(acceptance: float, moments: Sequence[Moment]) -> dict[str, float]:
    """Return at how many moments less is offered, by how welcome suggestions are.

    Args:
        acceptance: Share of the suggestions that is taken; all others count as dismissed.
        moments: Moments at which a suggestion could be read.
    """
    chance = random.Random(1)
    now = 0.0
    backoff = Backoff(lambda: now)
    barred = late = 0
    for _ in range(MOMENTS):
        now += SUGGESTION_SECONDS
        moment = chance.choice(moments)
        if moment.score < backoff.bar:
            barred += 1
        elif moment.left_ms < backoff.slower_ms:
            late += 1
        elif chance.random() < acceptance:
            backoff.welcome()
        else:
            backoff.dismissed()
    return {"below the bar": barred / MOMENTS, "too late to be read": late / MOMENTS}


def moments_to_read() -> list[Moment]:
    """Return the moments at which a suggestion could be read, as the practised typist types."""
    needed = EDITOR_MS + RESPONSES_MS[1] + READ_MS
    return [
        Moment(trigger_score(key.before), following.at - key.at - needed)
        for key, following in itertools.pairwise(keys(1.0))
        if following.at - key.at > needed
    ]


def search() -> None:
    """Print what other constants would do: the mean over all speeds and response times."""
    typings = {speed: keys(factor) for speed, factor in SPEEDS.items()}

    def line(name: str, policy: Callable[[], Policy]) -> None:
        found = [
            mean(
                simulate(typed, policy(), response_ms)
                for typed in made
                for response_ms in RESPONSES_MS
            )
            for made in (typings.values(), [scattered(typed) for typed in typings.values()])
        ]
        print(f"{name:34}", *(_cells(one) for one in found))

    for name, policy in POLICIES.items():
        line(name, policy)
    for inside, decision in itertools.product((0.8, 1.0, 1.2, 1.4, 1.7, 2.0), (0.0, 0.3, 0.6)):
        adaptive.RATE_INSIDE_WORD = inside
        adaptive.RATE_AT_DECISION = decision
        line(f"{inside:.1f} inside, {decision:.1f} at a decision", ours)


def _cells(one: Figures) -> str:
    return (
        f"| {one.requests:.0f} | {100 * one.superseded:.0f} % | {one.wasted_ms / 1000:.1f} s "
        f"| {one.delay_ms:.0f} ms | {100 * one.served:.0f} % | {one.seen_after_ms:.0f} ms |"
    )


_HEAD = f"""# Debounce

Written by `python -m bench.debounce`, which says what is simulated. Means over three speeds of
typing. Requests and lost work are for 100 keys; the delay is what the debounce added before
requests that were answered; served are the pauses of at least {PAUSE_MS:.0f} ms in which the
suggestion stood for {READ_MS:.0f} ms before the next key, and seen after is from the key to the
suggestion in these.

In the first table people stop at the start of lines and words, as the typist's rhythm has it and
as the trigger score expects. In the second they stop before {100 * SCATTERED:.0f} % of all keys as
well, in the middle of words too, which is the worst that can be said against the score.
"""

_BACK_OFF = f"""## Back-off

A moment to read a suggestion about every {SUGGESTION_SECONDS:.0f} s, a model that answers in
{RESPONSES_MS[1]:.0f} ms, and a share of the suggestions that is taken; all others are read and
dismissed. How many of these moments then pass without a suggestion, because the place is below
the bar, or because the longer debounce leaves no time to read it.

| Taken | Below the bar | Too late |
| ---: | ---: | ---: |"""

_COLUMNS = ("Model", "Debounce", "Requests", "Superseded", "Lost", "Delay", "Served", "Seen after")


def table(title: str, rows: Sequence[Row]) -> list[str]:
    """Return a Markdown table, with the means by response time."""
    lines = [
        f"## {title}",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for response_ms in RESPONSES_MS:
        for name in POLICIES:
            found = [
                row.figures for row in rows if (row.response_ms, row.policy) == (response_ms, name)
            ]
            lines.append(f"| {response_ms:.0f} ms | {name} {_cells(mean(found))}")
    return [*lines, ""]


def main() -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--search", action="store_true", help="print what other constants do")
    if parser.parse_args().search:
        search()
        return 0
    tables = {
        "Pauses where a decision is due": compare(lambda typed: typed),
        "Pauses anywhere as well": compare(scattered),
    }
    moments = moments_to_read()
    backing_off = {f"{share:.0%}": quiet(share, moments) for share in ACCEPTANCE}
    report = {
        "constants": {
            "rate inside a word": adaptive.RATE_INSIDE_WORD,
            "rate at a decision": adaptive.RATE_AT_DECISION,
            "full price (ms)": adaptive.FULL_PRICE_MS,
            "least price": adaptive.LEAST_PRICE,
        },
        "tables": {title: [row.as_json() for row in rows] for title, rows in tables.items()},
        "back-off by acceptance rate": backing_off,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "debounce.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    lines = [_HEAD]
    for title, rows in tables.items():
        lines += table(title, rows)
    lines.append(_BACK_OFF)
    for name, shares in backing_off.items():
        cells = " | ".join(f"{100 * share:.0f} %" for share in shares.values())
        lines.append(f"| {name.replace('%', ' %')} | {cells} |")
    (RESULTS / "debounce.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
