"""What finding a model server costs, and what a dead one costs for each key.

    python -m bench.discovery

A server of llama.cpp's wire format, in a process of its own, is asked what it is; then a whole look
at this machine is taken: with nobody there, with a server there, and with a program that accepts
connections and says nothing. Last, an endpoint that is gone is asked for as often as keys are
typed: from the first failure on the circuit breaker answers.

Writes `bench/results/discovery.json` and `discovery.md`.
"""

import asyncio
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sirdab.config.schema import EndpointSettings, Settings
from sirdab.endpoint.base import EndpointError
from sirdab.endpoint.discovery import PORTS_ENV, Discovery, ports
from sirdab.endpoint.identify import identify
from sirdab.endpoint.select import EndpointManager, EndpointState
from sirdab.policy.loopback import check_endpoint_url

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PROBE_TARGET_MS = 300.0
KEY_TARGET_MS = 0.1
LOOKS = 50
KEYS = 20_000
_PYTHON = platform.python_version()


@asynccontextmanager
async def model_server() -> AsyncGenerator[str]:
    """Run a model server in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.fake_llamacpp",
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def silent_program() -> AsyncGenerator[int]:
    """Accept connections and never say anything."""

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def timed(work: Callable[[], Awaitable[object]], times: int = LOOKS) -> dict[str, float]:
    """Return how long something takes, in milliseconds."""
    found: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        found.append((time.perf_counter() - began) * 1000)
    return {
        "first": round(found[0], 2),
        "p50": round(statistics.median(found), 2),
        "most": round(max(found), 2),
    }


async def dead_endpoint() -> dict[str, float]:
    """Ask for an endpoint that is gone as often as keys are typed."""
    async with silent_program() as port:
        pass
    settings = Settings(endpoint=EndpointSettings(url=f"http://127.0.0.1:{port}"))
    states: list[EndpointState] = []
    manager = EndpointManager(lambda: settings, states.append, look_again_s=3600.0)

    async def key() -> None:
        try:
            await manager.acquire()
        except EndpointError:
            return

    first = await timed(key, 1)
    costs: list[float] = []
    for _ in range(KEYS):
        began = time.perf_counter()
        await key()
        costs.append((time.perf_counter() - began) * 1000)
    await manager.aclose()
    ordered = sorted(costs)
    return {
        "first": first["first"],
        "mean": round(statistics.fmean(costs), 5),
        "p50": round(ordered[KEYS // 2], 5),
        "p99": round(ordered[KEYS * 99 // 100], 5),
    }


async def measure() -> dict[str, Any]:
    """Measure everything."""
    rows: dict[str, Any] = {}
    os.environ[PORTS_ENV] = ",".join(map(str, ports({})))
    rows["usual_ports"] = len(ports())
    rows["nobody"] = await timed(lambda: Discovery().look())
    async with model_server() as url, silent_program() as silent:
        address = check_endpoint_url(url, allow_remote=False)
        rows["identify"] = await timed(lambda: identify(address))
        os.environ[PORTS_ENV] = str(address.port)
        rows["one_server"] = await timed(lambda: Discovery().look())
        found = await Discovery().look()
        rows["found"] = [one.server.title for one in found]
        kept = Discovery()
        await kept.look()
        rows["known_server"] = await timed(kept.look)
        os.environ[PORTS_ENV] = f"{silent},{address.port}"
        rows["and_a_silent_one"] = await timed(lambda: Discovery().look(), 10)
    os.environ[PORTS_ENV] = ""
    rows["dead_key"] = await dead_endpoint()
    return rows


def table(rows: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    names = {
        "identify": "Asking a live server what it is",
        "nobody": f"A whole look, nobody at the {rows['usual_ports']} usual ports",
        "one_server": "A whole look, one server",
        "known_server": "The same again, the server is known",
        "and_a_silent_one": "A whole look, one server and a program that says nothing",
    }
    lines = [
        "# Finding a model server",
        "",
        "Written by `python -m bench.discovery`. Milliseconds; the first of the looks also imports",
        "the HTTP library.",
        "",
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {_PYTHON}.",
        "",
        "| | First | p50 | Most |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {name} | {rows[key]['first']} | {rows[key]['p50']} | {rows[key]['most']} |"
        for key, name in names.items()
    ]
    dead = rows["dead_key"]
    probe = "met" if rows["identify"]["most"] <= PROBE_TARGET_MS else "missed"
    key = "met" if dead["mean"] <= KEY_TARGET_MS else "missed"
    lines += [
        "",
        f"Probe of a live endpoint, at most {PROBE_TARGET_MS:g} ms: {probe}.",
        "",
        f"A key with an endpoint that is gone costs {dead['mean']} ms (p99 {dead['p99']} ms) once",
        f"the first try has failed ({dead['first']} ms); at most {KEY_TARGET_MS} ms: {key}.",
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    del argv
    rows = asyncio.run(measure())
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "discovery.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "discovery.md").write_text(table(rows), encoding="utf-8")
    sys.stdout.write(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
