"""What Sirdab itself spends on each token of a streamed answer.

    python -m bench.stream

Answers of a llama.cpp server (server-sent events, with their timings) and of an Ollama server
(JSON lines), longer than any of them is, are read from memory through the endpoints: httpx's
response, the deadlines, the parser, the reader and the chunks, everything but the socket and the
HTTP framing. Each event is a piece of its own, as on the wire; once more the events come in pieces
of 16 KiB, as after a pause. Then the whole way is measured with a server in another process that
writes as fast as it can, which adds httpcore, h11 and the event loop.

The figure is processor time, so that what else the machine does hardly counts.
"""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from sirdab.endpoint import connection
from sirdab.endpoint.base import Endpoint, GenerationRequest
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.endpoint.ndjson import MEDIA_TYPE
from sirdab.endpoint.ollama import OllamaEndpoint
from sirdab.policy.loopback import check_endpoint_url

RESULTS = Path(__file__).parent / "results"
TOKENS = 2_000
RUNS = 40
WARM_UP = 5
PIECE_BYTES = 16 * 1024
TARGET_US = 50.0
WORDS = (" self", ".", "value", "(", "index", ")", "\n", "    ", "return", " é", " ==", " 0x1F")

TIMINGS = {
    "cache_n": 1200,
    "prompt_n": 15,
    "prompt_ms": 116.563,
    "prompt_per_token_ms": 7.770866666666667,
    "prompt_per_second": 128.68577507442328,
    "predicted_n": 3,
    "predicted_ms": 60.606,
    "predicted_per_token_ms": 30.303,
    "predicted_per_second": 33.000033000033,
}


class Memory(httpx.AsyncByteStream):
    """A body that is there already."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def llamacpp_events() -> list[bytes]:
    """Return an answer of `/completion`, as the real server writes it."""
    events: list[dict[str, Any]] = [
        {
            "index": 0,
            "content": WORDS[number % len(WORDS)],
            "tokens": [number],
            "stop": False,
            "id_slot": 0,
            "tokens_predicted": number + 1,
            "tokens_evaluated": 1215,
            "timings": TIMINGS,
        }
        for number in range(TOKENS)
    ]
    events.append({"content": "", "stop": True, "stop_type": "limit", "timings": TIMINGS})
    return [f"data: {json.dumps(event)}\n\n".encode() for event in events]


def ollama_lines() -> list[bytes]:
    """Return an answer of `/api/generate`, as its documentation shows it."""
    head = {"model": "qwen2.5-coder:1.5b-base", "created_at": "2026-10-26T17:21:21.196249Z"}
    lines: list[dict[str, Any]] = [
        {**head, "response": WORDS[number % len(WORDS)], "done": False} for number in range(TOKENS)
    ]
    lines.append({**head, "response": "", "done": True, "done_reason": "length"})
    return [json.dumps(line).encode() + b"\n" for line in lines]


# What is asked of Ollama before the first prompt.
OLLAMA_ANSWERS: dict[str, dict[str, Any]] = {
    "/api/version": {"version": "0.40.2"},
    "/api/ps": {"models": []},
    "/api/show": {"model_info": {}, "capabilities": ["completion"], "template": "{{ .Prompt }}"},
}


def client(kind: str, pieces: Sequence[bytes]) -> httpx.AsyncClient:
    """Return a client whose server is a list of bytes."""

    async def answer(request: httpx.Request) -> httpx.Response:
        known = OLLAMA_ANSWERS.get(request.url.path)
        if known is not None:
            return httpx.Response(200, stream=Memory([json.dumps(known).encode()]))
        return httpx.Response(200, headers={"Content-Type": kind}, stream=Memory(pieces))

    transport = httpx.MockTransport(answer)
    return httpx.AsyncClient(base_url="http://127.0.0.1:9", transport=transport)


def joined(pieces: Sequence[bytes]) -> list[bytes]:
    """Cut the same bytes into large pieces, wherever that is."""
    whole = b"".join(pieces)
    return [whole[begin : begin + PIECE_BYTES] for begin in range(0, len(whole), PIECE_BYTES)]


async def read(endpoint: Endpoint) -> int:
    """Read one answer; return how many chunks with text it had."""
    request = GenerationRequest("x", TOKENS, first_token_ms=60_000, total_ms=60_000, patient=True)
    async with endpoint.generate(request) as chunks:
        return sum([bool(chunk.text) async for chunk in chunks])


async def measure(endpoint: Endpoint) -> dict[str, float]:
    """Return the microseconds of processor time for each token."""
    spent: list[float] = []
    for run in range(WARM_UP + RUNS):
        started = time.process_time()
        tokens = await read(endpoint)
        seconds = time.process_time() - started
        if tokens != TOKENS:
            raise RuntimeError(f"{tokens} tokens instead of {TOKENS}")
        if run >= WARM_UP:
            spent.append(seconds / tokens * 1e6)
    spent.sort()
    p95 = spent[min(len(spent) - 1, round(len(spent) * 0.95))]
    return {"median_us": round(statistics.median(spent), 2), "p95_us": round(p95, 2)}


@contextmanager
def served() -> Generator[str]:
    """Run a llama.cpp double that writes at once, and give its URL."""
    words = " ".join("value" for _ in range(TOKENS))
    command = [sys.executable, "-m", "tests.support.fake_llamacpp", "--text", words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def measure_socket() -> dict[str, float]:
    """Measure the whole way, with a socket."""
    with served() as url:
        endpoint = LlamaCppEndpoint(check_endpoint_url(url, allow_remote=False))
        try:
            return await measure(endpoint)
        finally:
            await endpoint.aclose()


async def measure_all() -> dict[str, Any]:
    """Measure each protocol with each size of pieces."""
    address = check_endpoint_url("http://127.0.0.1:9", allow_remote=False)
    figures: dict[str, Any] = {}
    protocols = (
        ("llama.cpp, server-sent events", LlamaCppEndpoint, llamacpp_events()),
        ("Ollama, JSON lines", OllamaEndpoint, ollama_lines()),
    )
    for name, protocol, events in protocols:
        kind = MEDIA_TYPE if protocol is OllamaEndpoint else "text/event-stream"
        for size, pieces in (("one event", events), ("16 KiB", joined(events))):
            made = client(kind, pieces)
            with patch.object(connection, "make_client", return_value=made):
                endpoint = protocol(address, model="qwen2.5-coder:1.5b-base")
                figures[f"{name}, pieces of {size}"] = await measure(endpoint)
                await endpoint.aclose()
    figures["llama.cpp, over a loopback socket"] = await measure_socket()
    return figures


def as_markdown(results: dict[str, Any]) -> str:
    """Return the results as a page."""
    machine = results["machine"]
    rows = "\n".join(
        f"| {name} | {one['median_us']} | {one['p95_us']} |"
        for name, one in results["per_token"].items()
    )
    worst = max(one["p95_us"] for one in results["per_token"].values())
    return f"""# Streams

Written by `python -m bench.stream`: microseconds of processor time for each token of a streamed
answer, from bytes in memory to the chunk that the engine gets, and in the last row from the socket;
{results["runs"]} answers of {results["tokens"]:,} tokens each.

{machine["cores"]} cores, {machine["system"]}, Python {machine["python"]}.

| Protocol | median (µs) | p95 (µs) |
| --- | ---: | ---: |
{rows}

At most {TARGET_US:g} µs were asked for: {"met" if worst <= TARGET_US else "missed"}.
"""


def main() -> int:
    """Measure, write the results and print them."""
    results = {
        "machine": {
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        "tokens": TOKENS,
        "runs": RUNS,
        "per_token": asyncio.run(measure_all()),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "stream.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    page = as_markdown(results)
    (RESULTS / "stream.md").write_text(page, encoding="utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
