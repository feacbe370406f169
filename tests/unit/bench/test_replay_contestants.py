"""The contestants of a replay, and what the relay notes of them, on a server that does as told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.replay import figures
from bench.replay.naive import Naive, window
from bench.replay.relay import Relay
from bench.replay.report import page
from bench.replay.ring import BATCH_TOKENS, Ring
from bench.replay.sirdab import Sirdab
from sirdab.benchmark.replay import OpenFile, Player, Session, lay_out
from sirdab.benchmark.rhythm import Rhythm
from sirdab.benchmark.typist import Stretch
from sirdab.models.catalog import family_of
from sirdab.text.store import Point, Text
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer

QUICK = Rhythm(
    in_word=20, at_word=20, at_sign=20, at_line=30, thought=30, thinks_at_line=0.0, slip=0.1
)
TARGET = "\n    return sum(values) / len(values)"
SESSION = Session(
    id="mean.py",
    path="mean.py",
    language_id="python",
    text=Text("def mean(values):\n\n\nprint(mean([1]))\n"),
    stretches=(Stretch("mean.py:2", "python", Point(0, 17), TARGET),),
    segments=((0, len(TARGET)),),
    others=(),
)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")


def events(*said: dict[str, Any]) -> bytes:
    """Return events of llama.cpp as they go over the wire."""
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in said)


def progress(total: int, cached: int, processed: int) -> dict[str, Any]:
    """An event that says how far the reading of a prompt is."""
    return {
        "content": "",
        "stop": False,
        "prompt_progress": {"total": total, "cache": cached, "processed": processed, "time_ms": 1},
        "timings": {"cache_n": cached, "prompt_n": processed - cached},
    }


def word(text: str, cached: int, read: int, written: int, *, stop: bool = False) -> dict[str, Any]:
    """An event with a piece of the answer."""
    timings = {"cache_n": cached, "prompt_n": read, "predicted_n": written}
    return {"content": text, "stop": stop, "timings": timings}


@asynccontextmanager
async def relayed(fake: FakeLlamaCpp, batch: int = 256) -> AsyncIterator[Relay]:
    async with fake, Relay(fake.url, batch) as relay:
        yield relay


async def test_the_relay_notes_what_was_read_and_keeps_the_progress_to_itself() -> None:
    fake = FakeLlamaCpp()
    fake.stream_body = events(
        progress(100, 40, 40),
        progress(100, 40, 100),
        word("a", 40, 60, 1),
        word("", 40, 60, 1, stop=True),
    )
    async with relayed(fake) as relay, httpx.AsyncClient(base_url=relay.url) as client:
        for _ in range(2):
            answer = await client.post("/completion", json={"prompt": "p", "n_predict": 9})
            assert answer.text.count("data: ") == 2
            assert "prompt_progress" not in answer.text
    assert fake.asked("/completion")[0].body["return_progress"] is True
    first = relay.exchanges[0]
    assert (first.total, first.cached, first.evaluated, first.generated) == (100, 40, 60, 1)
    assert not first.cancelled
    assert first.first_ms is not None


@pytest.mark.parametrize(
    ("seen", "evaluated"),
    [
        # The batch that runs is read to its end, or to that of the prompt.
        ([progress(1000, 0, 0)], 256),
        ([progress(1000, 0, 256)], 512),
        ([progress(100, 90, 90)], 10),
        # What has not begun costs nothing, and what has been written was read before.
        ([], 0),
        ([progress(100, 40, 100), word("a", 40, 60, 1)], 60),
    ],
)
async def test_the_relay_counts_the_batch_that_a_cancelled_request_leaves_behind(
    seen: list[dict[str, Any]], evaluated: int
) -> None:
    fake = FakeLlamaCpp()
    async with relayed(fake) as relay:
        never = asyncio.Event()

        async def stall(*_: Any) -> None:
            await never.wait()

        if seen:
            fake.stream_body = events(*seen)
            fake._write_chunk = _then(fake._write_chunk, stall)  # pyright: ignore
        else:
            fake.hold_headers = never
        async with httpx.AsyncClient(base_url=relay.url) as client:
            asked = asyncio.create_task(
                client.post("/completion", json={"prompt": "p", "n_predict": 9})
            )
            await until(lambda: _heard(relay, len(seen)) if seen else bool(relay.exchanges))
            asked.cancel()
            with suppress(asyncio.CancelledError):
                await asked
        await until(lambda: relay.exchanges[0].ms > 0)
        never.set()
    assert relay.exchanges[0].cancelled
    assert relay.exchanges[0].evaluated == evaluated


async def test_the_relay_counts_what_was_read_for_requests_that_had_gone() -> None:
    fake = FakeLlamaCpp()
    fake.stream_body = events(word("", 40, 60, 1, stop=True))
    slots = [
        {"id_task": 3, "is_processing": True, "n_prompt_tokens_processed": 60},
        {"id_task": 4, "is_processing": True, "n_prompt_tokens_processed": 256},
        {"id_task": 5, "is_processing": False, "n_prompt_tokens_processed": 999},
    ]
    fake.raw["/slots"] = RawAnswer(body=json.dumps(slots).encode())
    async with relayed(fake) as relay, httpx.AsyncClient(base_url=relay.url) as client:
        await until(lambda: len(fake.asked("/slots")) > 1)
        await client.post("/completion", json={"prompt": "p", "n_predict": 9})
        relay.settle()
    told, untold = relay.exchanges
    assert (told.evaluated, untold.evaluated) == (60, 256)
    found = figures.summarise([], [asdict(one) for one in relay.exchanges])
    assert (found["requests"], found["tokens_read_per_keystroke"]) == (1, 316)


def _heard(relay: Any, events: int) -> bool:
    """Whether the relay has passed on so many events: progress, then a word."""
    heard = relay.exchanges[0] if relay.exchanges else None
    return heard is not None and bool(heard.generated if events > 1 else heard.total)


def _then(first: Any, second: Any) -> Any:
    async def both(*arguments: Any) -> None:
        await first(*arguments)
        await second()

    return both


async def test_naive_slides_by_lines_and_asks_at_each_key() -> None:
    lines = [f"line_{number} = {number}" for number in range(300)]
    before, after = window(Text("\n".join(lines)), Point(150, 4))
    assert before.endswith("line_149 = 149\nline")
    assert before.startswith("line_")
    assert 1_900 < len(before) <= 2_000
    assert after.startswith("_150 = 150\nline_151")
    assert 500 < len(after) <= 600

    fake = FakeLlamaCpp(answer=["values", ")"])
    fim = family_of("qwen2.5-coder").fim
    assert fim is not None
    async with relayed(fake) as relay:
        naive = Naive(relay.url, fim)
        for _ in range(2):
            answer = await naive.ask(Text("x = sum()\n"), Point(0, 8))
            # What stands right of the cursor is not suggested again.
            assert answer is not None
            assert answer.text == "values"
        await naive.aclose()
    prompts = [request.body["prompt"] for request in fake.asked("/completion")]
    assert prompts == ["<|fim_prefix|>x = sum(<|fim_suffix|>)\n<|fim_middle|>"] * 2


def infill(text: str) -> RawAnswer:
    """An answer of `/infill`."""
    headers = {"Content-Type": "text/event-stream"}
    return RawAnswer("200 OK", headers, events(word(text, 0, 9, 3), word("", 0, 9, 3, stop=True)))


async def test_ring_remembers_what_it_was_told_and_asks_for_the_place_behind_it() -> None:
    fake = FakeLlamaCpp()
    fake.raw["/infill"] = infill("sum(values)")
    text = Text("import a\nx = \ny = 2\n")
    async with relayed(fake, BATCH_TOKENS) as relay:
        ring = Ring(relay.url)
        await ring.open(OpenFile(Path("/w/a.py"), "python", text), [], Point(1, 4))
        told = await ring.ask(text, Point(1, 4))
        assert told is not None
        assert (told.text, told.source) == ("sum(values)", "model")
        typed = text.replace(Point(1, 4), Point(1, 4), "sum(")
        known = await ring.ask(typed, Point(1, 8))
        assert known is not None
        assert (known.text, known.source) == ("values)", "cache")
        # Too much stands right of the cursor.
        assert await ring.ask(Text("a = 1 + 2 + 3 + 4\n"), Point(0, 4)) is None
        await until(lambda: len(fake.asked("/infill")) == 2)
        await ring.aclose()
    first, ahead = (request.body for request in fake.asked("/infill")[:2])
    assert first["input_prefix"] == "import a\n"
    assert first["prompt"] == "x = "
    assert first["input_suffix"] == "\ny = 2\n"
    assert (first["t_max_predict_ms"], ahead["t_max_predict_ms"]) == (250, 1_000)
    assert ahead["prompt"] == "x = sum(values)"


async def test_all_contestants_play_a_session_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.replay.naive.DEBOUNCE_MS", 1)
    lay_out(tmp_path, [SESSION], tmp_path)
    raw: list[dict[str, Any]] = []
    for name in ("sirdab", "naive", "ring"):
        fake = FakeLlamaCpp(answer=["sum", "(values)"])
        fake.raw["/infill"] = infill("sum(values)")
        async with relayed(fake) as relay:
            fim = family_of("qwen2.5-coder").fim
            assert fim is not None
            made: Any = Naive(relay.url, fim) if name == "naive" else Ring(relay.url)
            if name == "sirdab":
                made = Sirdab(relay.url, tmp_path.as_uri(), {"completion": {"debounceMs": 0}})
                await made.start()
            player = Player(made, editor_delay_ms=0.0, rhythm=QUICK)
            keys = await player.play(SESSION, tmp_path)
            await made.aclose()
            assert str(keys[-1].text) == f"def mean(values):{TARGET}\n\n\nprint(mean([1]))\n"
            assert relay.exchanges
            assert any(key.shown for key in keys)
            kept = [figures.keystroke_json(name, "0", key) for key in keys]
            found = figures.summarise(kept, [asdict(one) for one in relay.exchanges])
            assert found["keystrokes"] == len(keys)
            assert found["requests"] == len(relay.exchanges)
            raw.append({"name": name, "figures": found})
    report = {
        "machine": {"cores": 2, "system": "Linux"},
        "model": "fake",
        "editor_delay_ms": 0.0,
        "sessions": ["mean.py"],
        "contestants": {one["name"]: one["figures"] for one in raw},
    }
    text = page(report)
    assert "| | sirdab | naive | ring |" in text
    assert "naive to sirdab" in text
