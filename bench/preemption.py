"""What a review that is under way costs a keystroke.

    python -m bench.preemption [MODEL ...]

The real language server with the embedded engine's model server, and somebody who types a real file
in bursts, key by key, each key with a request. The same bursts are typed with no review and while a
long review is running (units and votes; each burst begins when the model works on the review), in
turns within one run. The first key of a burst meets the review; its answer is waited for, so that
nothing but the review stands between it and the model. For it:

- our own share: from the message to the last byte of the request on its way to the model server
  (there is no debounce here, which would only hide it);
- the server's share: from there to the first piece of its answer. It finishes the batch that it is
  reading, and may have to read the keystroke's prompt anew.

Then what the typing costs the review: how long it takes in all, how many questions are asked again,
and how many tokens are read for it, against the same review while nobody types. Every unit has to
be done in the end, with the findings of the undisturbed review.

Our own share is measured again without a model, many times: against a server in another process
that answers a keystroke at once and a review without end.

Last, without any server: how long the loop that answers keystrokes is held up (`bench.held`). Other
programs on the machine count in all of these figures, so the processor time of the loop's thread is
given beside them.

    python -m bench.preemption              # all of it, both models
    python -m bench.preemption none --keep  # without a model; those of the last run are kept
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import httpx

from bench import held
from bench.own_state import own_state
from bench.replay.model_server import KEY, model_server
from bench.replay.sirdab import Sirdab
from sirdab.benchmark.replay import OpenFile
from sirdab.benchmark.typist import Change
from sirdab.completion.request import CompletionRequest, Outcome
from sirdab.endpoint.base import Chunk, GenerationRequest
from sirdab.endpoint.guarded_transport import GuardedTransport
from sirdab.endpoint.lane import Lane
from sirdab.models.store import find
from sirdab.text.store import Point, Text
from tests.support import lsp_client
from tests.support.lsp_client import InProcess

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
SOURCE = ROOT / "lsp" / "sirdab" / "text" / "store.py"
KEYS = 6
UNITS = 24
"""Functions of the document that own shares and loops are measured with."""
SEED = 5
SAMPLES = 120
BLOCKS = 4
# Between keys, and between bursts, in seconds: quick typing, and pauses for thinking in which the
# review goes on. In shorter ones it would not get anywhere.
KEY_SECONDS = (0.11, 0.24)
PAUSE_SECONDS = 1.0
THINKING_SECONDS = (1.5, 3.5)
_PATIENCE = 240.0
_KEY_ENV = "SIRDAB_BENCH_KEY"


def to_review(units: int) -> str:
    """Return a file with so many functions that the model is asked about."""
    shapes = itertools.cycle(held.SHAPES)
    return held.HEAD + "\n".join(next(shapes).format(n=number) for number in range(units))


# --- what is noted -----------------------------------------------------------------------------


@dataclass(slots=True)
class Key:
    """The first key of a burst; times in seconds of one clock.

    Attributes:
        pressed: When its messages were written.
        pressed_cost: Processor time of the loop's thread by then.
        sent: When the last byte of its request had been written.
        sent_cost: Processor time of the loop's thread by then.
        answered: When the first piece of the answer came; 0 where it was given up before.
        read: Prompt tokens that the server read anew; -1 where that is not known.
    """

    pressed: float
    pressed_cost: float
    sent: float = 0.0
    sent_cost: float = 0.0
    answered: float = 0.0
    read: int = -1


@dataclass
class Notes:
    """What happened in one phase."""

    keys: list[Key] = field(default_factory=list[Key])
    review_open: int = 0
    review_asked: int = 0
    review_closed_early: int = 0


_key: ContextVar[Key | None] = ContextVar("key", default=None)
_notes = Notes()


def _is_review(request: GenerationRequest) -> bool:
    return request.patient and _key.get() is None


@contextmanager
def noted() -> Generator[None]:
    """Note when requests are sent and answered, at the places where that happens."""
    from sirdab.endpoint.llamacpp import LlamaCppEndpoint

    send, generate = GuardedTransport.handle_async_request, LlamaCppEndpoint.generate

    async def sending(self: GuardedTransport, request: httpx.Request) -> httpx.Response:
        key = _key.get()

        async def trace(name: str, info: dict[str, Any]) -> None:
            del info
            if name == "http11.send_request_body.complete" and key is not None and not key.sent:
                key.sent, key.sent_cost = time.perf_counter(), time.thread_time()

        request.extensions = {**request.extensions, "trace": trace}
        return await send(self, request)

    @asynccontextmanager
    async def generating(
        self: LlamaCppEndpoint, request: GenerationRequest
    ) -> AsyncGenerator[AsyncIterator[Chunk]]:
        key, notes, review = _key.get(), _notes, _is_review(request)
        whole = False
        if review:
            notes.review_open += 1
            notes.review_asked += 1
        try:
            async with generate(self, request) as chunks:

                async def passing() -> AsyncIterator[Chunk]:
                    nonlocal whole
                    async for chunk in chunks:
                        if key is not None and not key.answered and chunk.text:
                            key.answered = time.perf_counter()
                        if key is not None and chunk.usage is not None:
                            key.read = chunk.usage.evaluated_tokens
                        yield chunk
                    whole = True

                yield passing()
        finally:
            if review:
                notes.review_open -= 1
                notes.review_closed_early += not whole

    with (
        mock.patch.object(GuardedTransport, "handle_async_request", sending),
        mock.patch.object(LlamaCppEndpoint, "generate", generating),
    ):
        yield


# --- typing --------------------------------------------------------------------------------------


class Typist:
    """Types lines of a real file again, and asks at each key."""

    def __init__(self, server: Sirdab, path: Path, chance: random.Random) -> None:
        self._server = server
        self.chance = chance
        self.path = path
        self.text = Text(SOURCE.read_text(encoding="utf-8"))
        self.rows = [
            row
            for row in range(40, self.text.line_count)
            if 24 <= len(self.text.line_body(row).strip()) <= 70
            and not self.text.line_body(row).strip().startswith(("#", '"'))
        ]
        self._asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def burst(self, number: int) -> None:
        """Take some characters out of a line and type them again, then leave it as it was."""
        row = self.rows[number * 7 % len(self.rows)]
        body = self.text.line_body(row)
        start = len(body) - KEYS - 4
        self._change(Point(row, start), Point(row, len(body)), "")
        await asyncio.sleep(0.05)
        for column in range(start, start + KEYS):
            self._press(Point(row, column), body[column], first=column == start)
            if column in (start, start + KEYS - 1):
                # The last one is waited for too, as by a person who looks at the suggestion.
                await asyncio.wait({self._asked}, timeout=_PATIENCE)
            await asyncio.sleep(self.chance.uniform(*KEY_SECONDS))
        self._change(Point(row, start + KEYS), Point(row, start + KEYS), body[start + KEYS :])

    async def single(self, number: int) -> None:
        """Type one character that no suggestion foresees, wait for the answer and undo it."""
        row = self.rows[number % len(self.rows)]
        stop = Point(row, len(self.text.line_body(row)))
        self._press(stop, "qjxz"[number % 4], first=True)
        await asyncio.wait({self._asked}, timeout=_PATIENCE)
        self._change(stop, Point(row, stop.column + 1), "")

    def _press(self, point: Point, char: str, *, first: bool) -> None:
        self._asked.cancel()
        behind = Point(point.line, point.column + 1)
        _key.set(Key(time.perf_counter(), time.thread_time()) if first else None)
        self._change(point, point, char)
        self._asked = asyncio.ensure_future(self._server.ask(self.text, behind))
        _key.set(None)

    def _change(self, start: Point, stop: Point, text: str) -> None:
        self.text = self.text.replace(start, stop, text)
        self._server.changed(Change(start, stop, text))


def attach(server: Sirdab) -> None:
    """Have what the engine does for a key know which key it is."""
    inner = connected(server).server
    suggest = inner.suggest

    async def suggesting(request: CompletionRequest) -> Outcome:
        key = _key.get()
        if key is not None:
            _notes.keys.append(key)
        return await suggest(request)

    inner.suggest = suggesting


def connected(server: Sirdab) -> InProcess:
    """Return the client of a server that was started."""
    return server._connected  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


async def review(server: Sirdab, uri: str) -> int:
    """Review a document and return how many findings are shown."""
    params = {"command": "sirdab.reviewDocument", "arguments": [{"uri": uri}]}
    found = await connected(server).begin("workspace/executeCommand", params)
    return int(found["findings"])


async def tokens_read(url: str) -> int:
    """Return how many prompt tokens a model server has read since it was started."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{url}/metrics", headers={"Authorization": f"Bearer {KEY}"})
    name = "llamacpp:prompt_tokens_total "
    lines = [line for line in answer.text.splitlines() if line.startswith(name)]
    return int(float(lines[0].removeprefix(name)))


class Alone(NamedTuple):
    """What a review took."""

    seconds: float
    asked: int
    broken_off: int
    read: int
    findings: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done with a model.

    Attributes:
        rounds: How often all of it is done.
        bursts: Bursts with no review in each round.
        units: Functions of the document that is reviewed.
    """

    rounds: int
    bursts: int
    units: int


async def measure(model: Path, url: str, plan: Plan) -> dict[str, Any]:
    """Measure one model on a server of its own."""
    global _notes  # noqa: PLW0603 - what the wrappers above write to
    chance = random.Random(SEED)
    phases: dict[str, Notes] = {"quiet": Notes(), "review": Notes()}
    reviews: dict[str, list[Alone]] = {"alone": [], "typing": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        target, typed = folder / "target.py", folder / "typed.py"
        settings = {
            "completion": {"debounceMs": 0},
            "endpoint": {"url": url, "apiKeyEnv": _KEY_ENV},
        }
        server = Sirdab(url, folder.as_uri(), settings)
        await server.start()
        attach(server)
        typist = Typist(server, typed, chance)
        for path, text in ((target, to_review(plan.units)), (typed, str(typist.text))):
            path.write_text(text, encoding="utf-8")
        files = [
            OpenFile(path, "python", Text(path.read_text("utf-8"))) for path in (target, typed)
        ]
        await server.open(files[1], files[:1], Point(0, 0))
        _notes = Notes()
        await typist.burst(0)
        await asyncio.sleep(PAUSE_SECONDS)

        async def reviewed(name: str, busy: bool) -> None:
            global _notes  # noqa: PLW0603
            await connected(server).begin(
                "workspace/executeCommand", {"command": "sirdab.clearCache", "arguments": []}
            )
            before, begun = await tokens_read(url), time.perf_counter()
            notes = _notes = phases["review"] if busy else Notes()
            asked, early = notes.review_asked, notes.review_closed_early
            task = asyncio.ensure_future(review(server, target.as_uri()))
            if busy:
                await bursts(typist, task, notes)
            findings = await task
            reviews[name].append(
                Alone(
                    time.perf_counter() - begun,
                    notes.review_asked - asked,
                    notes.review_closed_early - early,
                    await tokens_read(url) - before,
                    findings,
                )
            )

        for turn in range(plan.rounds):
            _notes = phases["quiet"]
            for number in range(plan.bursts):
                # At other lines than while a review is under way, which the server has not read.
                await typist.burst((turn * plan.bursts + number) * 2)
                await asyncio.sleep(PAUSE_SECONDS)
            print(f"{model.stem}: round {turn + 1}", file=sys.stderr)
            await reviewed("alone", busy=False)
            await reviewed("typing", busy=True)
        await server.aclose()
    return {"units": plan.units, **summary(model, phases, reviews)}


async def bursts(typist: Typist, task: "asyncio.Future[int]", notes: Notes) -> None:
    """Type as long as the review goes on, each time when the model works on it."""
    for number in itertools.count():
        while not notes.review_open and not task.done():  # noqa: ASYNC110 - far away
            await asyncio.sleep(0.005)
        # Into the middle of what the server does.
        await asyncio.sleep(0.25)
        if task.done():
            return
        await typist.burst(number * 2 + 1)
        await asyncio.sleep(typist.chance.uniform(*THINKING_SECONDS))


# --- our own share, many times -------------------------------------------------------------------

# A server that answers a keystroke at once, and a review with a finding that never ends.
_ENDLESS = """
import asyncio, sys
from tests.support.fake_llamacpp import FakeLlamaCpp

def answer(body):
    return [" " for _ in range(100_000)] if body.get("json_schema") else ["x"]

async def main():
    fake = FakeLlamaCpp(answer=answer, model_path="/models/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf")
    fake.n_ctx, fake.piece_delay, fake.record = 8192, 0.05, False
    await fake.start()
    print(fake.url, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""


async def own_share() -> dict[str, Any]:
    """Measure our own share with a review and without, alternating in blocks."""
    global _notes  # noqa: PLW0603
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ENDLESS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    phases = {"quiet": Notes(), "review": Notes()}
    try:
        url = (await process.stdout.readline()).decode().strip()
        with tempfile.TemporaryDirectory() as place, noted():
            folder = Path(place)
            target, typed = folder / "target.py", folder / "typed.py"
            settings = {"completion": {"debounceMs": 0}, "endpoint": {"url": url}}
            server = Sirdab(url, folder.as_uri(), settings)
            await server.start()
            attach(server)
            connected(server).server.lane = Lane(quiet_s=0.03)
            typist = Typist(server, typed, random.Random(SEED))
            for path, text in ((target, to_review(UNITS)), (typed, str(typist.text))):
                path.write_text(text, encoding="utf-8")
            files = [
                OpenFile(one, "python", Text(one.read_text("utf-8"))) for one in (target, typed)
            ]
            await server.open(files[1], files[:1], Point(0, 0))
            for number in range(10):
                await typist.single(number)
            rows = itertools.count(10)
            for block in range(2 * BLOCKS):
                busy = bool(block % 2)
                _notes = phases["review" if busy else "quiet"]
                task: Any = None
                if busy:
                    params = {
                        "command": "sirdab.reviewDocument",
                        "arguments": [{"uri": target.as_uri()}],
                    }
                    task = connected(server).begin("workspace/executeCommand", params)
                for number in itertools.islice(rows, SAMPLES // BLOCKS):
                    while busy and not _notes.review_open:  # noqa: ASYNC110 - far away
                        await asyncio.sleep(0.002)
                    # The same pause without a review.
                    await asyncio.sleep(0.06)
                    await typist.single(number)
                if task is not None:
                    task.cancel()
                    connected(server).cancel(task)
                    await asyncio.sleep(0.2)
            await server.aclose()
    finally:
        process.kill()
        await process.wait()
    return {name: own_figures(notes) for name, notes in phases.items()}


def own_figures(notes: Notes) -> dict[str, Any]:
    """Return our own share of the first keys."""
    sent = [key for key in notes.keys if key.sent]
    return {
        "asked": len(sent),
        "own_ms": held.spread((key.sent - key.pressed) * 1000 for key in sent),
        "own_processor_ms": held.spread((key.sent_cost - key.pressed_cost) * 1000 for key in sent),
    }


# --- figures -----------------------------------------------------------------------------------


def summary(
    model: Path, phases: dict[str, Notes], reviews: dict[str, list[Alone]]
) -> dict[str, Any]:
    """Return the figures of one model."""
    found: dict[str, Any] = {"model": model.stem, "keys": {}, "reviews": {}}
    for name, notes in phases.items():
        sent = [key for key in notes.keys if key.sent]
        told = [key for key in sent if key.answered]
        found["keys"][name] = {
            "bursts": len(notes.keys),
            **own_figures(notes),
            "server_ms": held.spread((key.answered - key.sent) * 1000 for key in told),
            "read": held.spread(float(key.read) for key in told if key.read >= 0),
        }
    for name, runs in reviews.items():
        found["reviews"][name] = {
            "seconds": held.spread(run.seconds for run in runs),
            "asked": [run.asked for run in runs],
            "broken_off": [run.broken_off for run in runs],
            "tokens_read": [run.read for run in runs],
            "findings": sorted({run.findings for run in runs}),
        }
    return found


# --- the page ------------------------------------------------------------------------------------


def as_markdown(results: dict[str, Any]) -> str:
    """Return the results as a page."""
    machine = results["machine"]
    parts = [
        f"""# Preemption

Written by `python -m bench.preemption`, which says what is measured. {machine["cores"]} cores,
{machine["system"]}, Python {machine["python"]}; load of the machine at the start {machine["load"]}.
Bursts of {KEYS} keys into a real file, with no review, and all through reviews, with
{THINKING_SECONDS[0]} to {THINKING_SECONDS[1]} s between them. Milliseconds, p50 / p95.
"""
    ]
    parts += [_model_page(one) for one in results["models"]]
    if (own := results.get("own")) is not None:
        parts.append(_own_page(own))
    if (loop := results.get("loop")) is not None:
        parts.append(held.page(loop))
    return "\n".join(parts)


def _model_page(one: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {entry['asked']} | {_pair(entry['own_ms'])} | "
        f"{_pair(entry['own_processor_ms'])} | {_pair(entry['server_ms'])} | "
        f"{_pair(entry['read'])} |"
        for name, entry in one["keys"].items()
    ]
    keys = one["keys"]
    own = _difference(keys["review"]["own_ms"], keys["quiet"]["own_ms"])
    cost = _difference(keys["review"]["own_processor_ms"], keys["quiet"]["own_processor_ms"])
    ratio = _ratio(keys["review"]["server_ms"], keys["quiet"]["server_ms"])
    reviews = [
        f"| {name} | {entry['seconds']['p50']} | {entry['asked']} | {entry['broken_off']} | "
        f"{entry['tokens_read']} | {entry['findings']} |"
        for name, entry in one["reviews"].items()
    ]
    table, runs = "\n".join(rows), "\n".join(reviews)
    return f"""## {one["model"]}, {one["units"]} functions

| First keys | asked | ours (ms) | its processor time | server, to the first piece (ms) | read |
| --- | ---: | ---: | ---: | ---: | ---: |
{table}

A review under way adds {own} ms (p50 / p95) on our side to the key that meets it, {cost} ms of it
processor time; at most 2 are allowed. The server's share of that key is {ratio} times (p50 / p95)
what it is without.

| Review | seconds, median | questions and votes | broken off | tokens read in all | findings |
| --- | ---: | --- | --- | --- | --- |
{runs}

The tokens while somebody types include what was read for the keys.
"""


def _own_page(own: dict[str, Any]) -> str:
    rows = "\n".join(
        f"| {name} | {entry['asked']} | {_pair(entry['own_ms'])} | "
        f"{_pair(entry['own_processor_ms'])} |"
        for name, entry in own.items()
    )
    added = _difference(own["review"]["own_ms"], own["quiet"]["own_ms"])
    cost = _difference(own["review"]["own_processor_ms"], own["quiet"]["own_processor_ms"])
    return f"""## Our own share, with a server that answers at once

| While | keys | ours (ms) | its processor time |
| --- | ---: | ---: | ---: |
{rows}

A review under way adds {added} ms (p50 / p95), {cost} ms of it processor time; at most 2 are
allowed.
"""


def _pair(found: dict[str, float] | None) -> str:
    return "-" if found is None else f"{found['p50']} / {found['p95']}"


def _difference(one: dict[str, float] | None, other: dict[str, float] | None) -> str:
    if one is None or other is None:
        return "-"
    return f"{one['p50'] - other['p50']:.2f} / {one['p95'] - other['p95']:.2f}"


def _ratio(one: dict[str, float] | None, other: dict[str, float] | None) -> str:
    if one is None or other is None:
        return "-"
    return f"{one['p50'] / other['p50']:.2f} / {one['p95'] / other['p95']:.2f}"


async def with_model(name: str, plan: Plan) -> dict[str, Any]:
    """Measure one model."""
    model = find(name).path
    async with model_server(model) as url:
        with noted():
            return await measure(model, url, plan)


def main() -> int:
    """Measure, write the results and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL")
    parser.add_argument("--rounds", type=int, default=2, help="how often all of it is done")
    parser.add_argument("--bursts", type=int, default=12, help="bursts without a review in each")
    parser.add_argument("--units", type=int, default=24, help="functions that are reviewed")
    parser.add_argument("--keep", action="store_true", help="add to the results of the last run")
    options = parser.parse_args()
    plan = Plan(options.rounds, options.bursts, options.units)
    lsp_client.PATIENCE = _PATIENCE
    os.environ[_KEY_ENV] = KEY
    kept = RESULTS / "preemption.json"
    results: dict[str, Any] = {
        "machine": {
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        },
        "models": [],
    }
    if options.keep and kept.exists():
        results = json.loads(kept.read_text("utf-8"))
    with own_state():
        if options.models != ["none"]:
            for name in options.models:
                one = asyncio.run(with_model(name, plan))
                others = [each for each in results["models"] if each["model"] != one["model"]]
                results["models"] = [*others, one]
        results["own"] = asyncio.run(own_share())
        results["loop"] = asyncio.run(held.figures())
    RESULTS.mkdir(exist_ok=True)
    kept.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    page = as_markdown(results)
    (RESULTS / "preemption.md").write_text(page, "utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
