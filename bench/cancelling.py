"""How soon a llama.cpp server is free again when the stream of a request is closed.

    python -m bench.cancelling [MODEL.gguf]

The real server is asked for a long answer, and its stream is closed while it writes; then for a
short answer to a long prompt, and the stream is closed while it reads. What is measured is the time
until another short request is answered, against the same request of a server that has nothing to
do. A server finishes the batch that it is reading, so this is done with the batch of the embedded
server and with llama.cpp's own.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from sirdab.endpoint.base import GenerationRequest
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.models.store import find
from sirdab.policy.loopback import check_endpoint_url
from tests.support.real_llamacpp import KEY, engine

RESULTS = Path(__file__).parent / "results"
BATCHES = (256, 2048)
RUNS = 7
LINES = 105
SHORT = "def add(a, b):\n    return"


def request(prompt: str, tokens: int, begins_with: str = "") -> GenerationRequest:
    """Return a request whose deadlines never matter."""
    return GenerationRequest(
        prompt,
        tokens,
        begins_with=begins_with,
        first_token_ms=120_000,
        total_ms=120_000,
        patient=True,
    )


async def answer(endpoint: LlamaCppEndpoint, asked: GenerationRequest) -> None:
    """Read a whole answer."""
    async with endpoint.generate(asked) as chunks:
        async for _ in chunks:
            pass


async def until_busy(endpoint: LlamaCppEndpoint) -> None:
    """Wait until the server works on something."""
    while (slots := await endpoint.slots()) is None or not slots.busy:  # noqa: ASYNC110 - far away
        await asyncio.sleep(0.005)


async def short(endpoint: LlamaCppEndpoint) -> float:
    """Return how long a short request takes, in milliseconds."""
    started = time.perf_counter()
    await answer(endpoint, request(SHORT, 1))
    return (time.perf_counter() - started) * 1000


async def interrupted(endpoint: LlamaCppEndpoint, asked: GenerationRequest, *, read: int) -> float:
    """Close a stream and return how long a short request takes then, in milliseconds.

    Args:
        endpoint: The server.
        asked: The request that is broken off.
        read: How many chunks are read before; 0 breaks off while the prompt is being read.
    """

    async def begin() -> None:
        async with endpoint.generate(asked) as chunks:
            seen = 0
            async for _ in chunks:
                seen += 1
                if read and seen >= read:
                    return

    task = asyncio.create_task(begin())
    if not read:
        await until_busy(endpoint)
        # Into the middle of the first batch.
        await asyncio.sleep(0.1)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return await short(endpoint)


async def measure(url: str) -> dict[str, dict[str, float]]:
    """Measure one server."""
    address = check_endpoint_url(url, allow_remote=False)
    endpoint = LlamaCppEndpoint(address, api_key=KEY, timeout_ms=120_000)
    figures: dict[str, list[float]] = {"idle": [], "while it writes": [], "while it reads": []}
    try:
        await endpoint.describe()
        await short(endpoint)
        for run in range(RUNS):
            # Reading another prompt between, so that each short one is read anew.
            await answer(endpoint, request(f"# {run}\n", 1))
            figures["idle"].append(await short(endpoint))
            writing = request(f"Repeat {run}:", 1500, begins_with="pa ka " * 1500)
            figures["while it writes"].append(await interrupted(endpoint, writing, read=5))
            prompt = "".join(f"value_{run}_{line} = {line * 7919}\n" for line in range(LINES))
            reading = request(prompt, 4)
            figures["while it reads"].append(await interrupted(endpoint, reading, read=0))
    finally:
        await endpoint.aclose()
    return {
        name: {
            "median_ms": round(statistics.median(values), 1),
            "worst_ms": round(max(values), 1),
        }
        for name, values in figures.items()
    }


def as_markdown(results: dict[str, Any]) -> str:
    """Return the results as a page."""
    machine = results["machine"]
    rows = "\n".join(
        f"| {batch} | {name} | {one['median_ms']} | {one['worst_ms']} |"
        for batch, figures in results["batches"].items()
        for name, one in figures.items()
    )
    return f"""# Cancelling

Written by `python -m bench.cancelling`: milliseconds until a short request is answered by a server
that has nothing to do, and after the stream of another request was closed; {RUNS} times each. The
embedded server's batch is 256 tokens, and llama.cpp's own is 2048.

{results["model"]}, {machine["cores"]} cores, {machine["system"]}, Python {machine["python"]}.

| Batch (tokens) | The other stream was closed | median (ms) | worst (ms) |
| ---: | --- | ---: | ---: |
{rows}
"""


def main() -> int:
    """Measure, write the results and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, help="a GGUF file; else the default model")
    model = parser.parse_args().model or find("auto").path
    batches: dict[str, Any] = {}
    for batch in BATCHES:
        with engine(model, 1, batch_tokens=batch) as url:
            batches[str(batch)] = asyncio.run(measure(url))
    results = {
        "machine": {
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        "model": model.stem,
        "batches": batches,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "cancelling.json").write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    page = as_markdown(results)
    (RESULTS / "cancelling.md").write_text(page, "utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
