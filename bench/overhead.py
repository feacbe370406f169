"""What Sirdab itself adds to a keystroke, to start-up and to memory.

    python -m bench.overhead

A server is spawned as an editor would spawn it, and a blocking client writes keystrokes
(`didChange` and `inlineCompletion` in one write) and waits for each answer. It is measured twice:
with a model in the server's own process that answers at once, which leaves what Sirdab does
itself (protocol, documents, gates, window, prompt, post-processing), and with a model server in
a third process that answers at once, which adds the HTTP library and that process.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from sirdab.endpoint.base import Chunk, GenerationRequest, ModelInfo, Usage

RESULTS = Path(__file__).parent / "results"
SIZES = (500, 5_000, 50_000)
WARM_UP = 50
KEYSTROKES = 400
STARTS = 15
URI = "file:///bench/example.py"
START = {"line": 0, "character": 0}

# The figures that the design asks for, by the key of the result that they are compared with.
TARGETS = {
    "keystroke p95 at 5,000 lines, instant model (ms)": 1.0,
    "spawn to the answer of initialize, median (ms)": 300.0,
    "resident memory after the session (MB)": 70.0,
}


class Timing(NamedTuple):
    """Milliseconds over many repetitions."""

    median: float
    p95: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Timing":
        """Summarize measurements in seconds."""
        ordered = sorted(seconds)
        p95 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))]
        return cls(round(statistics.median(ordered) * 1000, 3), round(p95 * 1000, 3))


class Client:
    """A blocking client, so that its own cost is small and steady."""

    def __init__(self, command: list[str]) -> None:
        self.spawned_at = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._to, self._from = self.process.stdin, self.process.stdout
        self._next_id = 0
        self.statuses: list[str] = []

    def request(self, method: str, params: Any, before: bytes = b"") -> Any:
        """Send a request, with bytes before it in the same write, and return the result."""
        self._next_id += 1
        wanted = self._next_id
        message = {"jsonrpc": "2.0", "id": wanted, "method": method, "params": params}
        self.send(before + framed(message))
        while True:
            found = self._read()
            if found.get("id") == wanted:
                return found["result"]

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._to.write(data)
        self._to.flush()

    def _read(self) -> dict[str, Any]:
        length = 0
        while (line := self._from.readline()) != b"\r\n":
            if not line:
                raise RuntimeError("the server has ended; run it by hand to see why")
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self._from.read(length))
        if message.get("method") == "sirdab/status":
            self.statuses.append(message["params"]["state"])
        return message

    def initialize(self, options: dict[str, Any]) -> float:
        """Start the session and return the seconds from spawn to the answer."""
        capabilities = {
            "general": {"positionEncodings": ["utf-16"]},
            "textDocument": {"inlineCompletion": {"dynamicRegistration": False}},
        }
        params = {
            "processId": os.getpid(),
            "rootUri": None,
            "capabilities": capabilities,
            "initializationOptions": options,
        }
        self.request("initialize", params)
        elapsed = time.perf_counter() - self.spawned_at
        self.send(framed(notification("initialized", {})))
        return elapsed

    def resident_mb(self) -> float:
        """Return the memory that the server has in use, in MB (10^6 bytes)."""
        import psutil

        return round(psutil.Process(self.process.pid).memory_info().rss / 1e6, 1)

    def stop(self) -> None:
        """End the session."""
        self.request("shutdown", None)
        self.send(framed(notification("exit", None)))
        self.process.wait(10)
        self._to.close()
        self._from.close()


def framed(message: dict[str, Any]) -> bytes:
    """Return a message as it goes over the wire."""
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def notification(method: str, params: Any) -> dict[str, Any]:
    """Return a notification."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def source(lines: int) -> str:
    """Return Python source of so many lines, with an unfinished one in the middle."""
    found = [
        f"def function_{n}(first, second):"
        if n % 5 == 0
        else f"    value_{n} = first + second * {n}"
        for n in range(lines)
    ]
    found[lines // 2] = "    result = "
    return "\n".join(found)


def keystrokes(client: Client, lines: int) -> Timing:
    """Type in the middle of a document and return the time to each answer."""
    item = {"uri": URI, "languageId": "python", "version": 1, "text": source(lines)}
    client.send(framed(notification("textDocument/didOpen", {"textDocument": item})))
    line, column = lines // 2, len("    result = ")
    seconds: list[float] = []
    for number in range(WARM_UP + KEYSTROKES):
        # A name that grows and begins anew, so that the line stays as long as lines are.
        at = column + number % 12
        here = {"line": line, "character": at}
        end = here if number % 12 else {"line": line, "character": 200}
        change = {"range": {"start": here, "end": end}, "text": "abcdefghijkl"[number % 12]}
        document = {"uri": URI, "version": number + 2}
        changed = notification(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
        )
        asked = {
            "textDocument": {"uri": URI},
            "position": {"line": line, "character": at + 1},
            "context": {"triggerKind": 2},
        }
        started = time.perf_counter()
        answer = client.request("textDocument/inlineCompletion", asked, framed(changed))
        seconds.append(time.perf_counter() - started)
        if answer is None:
            raise RuntimeError(f"no suggestion at keystroke {number}; states {client.statuses}")
    closed = {"textDocument": {"uri": URI}}
    client.send(framed(notification("textDocument/didClose", closed)))
    return Timing.of(seconds[WARM_UP:])


@contextmanager
def fake_model() -> Generator[str]:
    """Run a model server that answers at once, and yield its URL."""
    command = [sys.executable, "-m", "tests.support.fake_llamacpp", "--port", "0"]
    process = subprocess.Popen([*command, "--text", "(first)"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def bare_http(url: str) -> Timing:
    """Time what the model server itself takes: a new connection and a whole answer."""
    address = urlsplit(url)
    body = json.dumps({"prompt": "x" * 2000, "n_predict": 16, "stream": True})
    seconds: list[float] = []
    for _ in range(KEYSTROKES):
        started = time.perf_counter()
        connection = HTTPConnection(address.hostname or "", address.port)
        connection.request("POST", "/completion", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
        seconds.append(time.perf_counter() - started)
        connection.close()
    return Timing.of(seconds)


class InstantModel:
    """An endpoint in the server's own process whose model answers at once."""

    async def acquire(self) -> "InstantModel":
        """Return itself: it is always there."""
        return self

    async def describe(self) -> ModelInfo:
        """Return the name of a model with fill-in-the-middle."""
        return ModelInfo("qwen2.5-coder-0.5b", "", 8192, "http://127.0.0.1:1")

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncGenerator[AsyncIterator[Chunk]]:
        """Answer with what is demanded and a few characters more."""

        async def stream() -> AsyncGenerator[Chunk]:
            yield Chunk(f"{request.begins_with}(first)")
            yield Chunk("", Usage(prompt_tokens=500, evaluated_tokens=1))

        yield stream()

    async def count_tokens(self, text: str) -> int:
        """Return a guess; nobody asks."""
        return len(text) // 3


def serve_instantly() -> int:
    """Be the server, with the real engine and a model that answers at once."""
    from sirdab.completion.engine import Engine
    from sirdab.server.app import run_stdio
    from sirdab.server.language_server import Services, SirdabServer

    async def nothing() -> None:
        """There is nothing to look for or to close."""

    async def services(_: SirdabServer) -> Services:
        await asyncio.sleep(0)
        return Services(Engine(InstantModel()), nothing, nothing)

    return run_stdio(["--stdio"], services)


def measure() -> dict[str, Any]:
    """Take all measurements."""
    real = [sys.executable, "-m", "sirdab", "--stdio"]
    instant = [sys.executable, "-m", "bench.overhead", "--serve-instantly"]
    options: dict[str, Any] = {"completion": {"debounceMs": 0}, "privacy": {"audit": False}}
    nowhere = {**options, "endpoint": {"url": "http://127.0.0.1:9"}}

    starts: list[float] = []
    served: list[float] = []
    for _ in range(STARTS):
        client = Client(real)
        starts.append(client.initialize(nowhere))
        # The answer to `initialize` goes out before the LSP types are loaded; this one after.
        client.request("sirdab/explain", {"textDocument": {"uri": URI}, "position": START})
        served.append(time.perf_counter() - client.spawned_at)
        client.stop()

    client = Client(instant)
    client.initialize(options)
    bare = {str(lines): keystrokes(client, lines)._asdict() for lines in SIZES}
    client.stop()

    with fake_model() as url:
        client = Client(real)
        client.initialize({**options, "endpoint": {"url": url}})
        whole = {str(lines): keystrokes(client, lines)._asdict() for lines in SIZES[:2]}
        memory = client.resident_mb()
        whole[str(SIZES[2])] = keystrokes(client, SIZES[2])._asdict()
        memory_large = client.resident_mb()
        client.stop()
        server_alone = bare_http(url)

    return {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "keystrokes": KEYSTROKES,
        "instant_model_ms": bare,
        "instant_server_over_http_ms": whole,
        "model_server_alone_ms": server_alone._asdict(),
        "initialize_ms": {**Timing.of(starts)._asdict(), "spawns": STARTS},
        "first_request_ms": {**Timing.of(served)._asdict(), "spawns": STARTS},
        "resident_mb": {"up to 5,000 lines": memory, "after 50,000 lines": memory_large},
    }


def against_targets(results: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Return name, measured figure and target of everything that has a target."""
    measured = (
        results["instant_model_ms"]["5000"]["p95"],
        results["initialize_ms"]["median"],
        results["resident_mb"]["up to 5,000 lines"],
    )
    return [
        (name, cast("float", figure), target)
        for (name, target), figure in zip(TARGETS.items(), measured, strict=True)
    ]


def as_markdown(results: dict[str, Any]) -> str:
    """Return the results as a page."""
    machine, start = results["machine"], results["initialize_ms"]
    alone, memory = results["model_server_alone_ms"], results["resident_mb"]
    whole, first = results["instant_server_over_http_ms"], results["first_request_ms"]
    rows = "\n".join(
        f"| {int(lines):,} | {bare['median']} | {bare['p95']} "
        f"| {whole[lines]['median']} | {whole[lines]['p95']} |"
        for lines, bare in results["instant_model_ms"].items()
    )
    targets = "\n".join(
        f"| {name} | {figure} | {target} | {'met' if figure <= target else 'missed'} |"
        for name, figure, target in against_targets(results)
    )
    resident = ", ".join(f"{value} MB {when}" for when, value in memory.items())
    return f"""# Overhead

Written by `python -m bench.overhead`. A keystroke is `didChange` and `inlineCompletion` in one
write, until the answer is read, over the pipes of a spawned server, without debounce;
{results["keystrokes"]} of them after warm-up, in milliseconds. The model server answers at once.

{machine["cores"]} cores, {machine["system"]}, Python {machine["python"]}.

| Lines | model in the process: median | p95 | model server over HTTP: median | p95 |
| ---: | ---: | ---: | ---: | ---: |
{rows}

The model server alone (a new connection, one answer, a minimal client):
{alone["median"]} median, {alone["p95"]} p95.

Spawn to the answer of `initialize`: {start["median"]} median, {start["p95"]} p95,
{start["spawns"]} spawns. To the answer of the next request, for which all of the server has to be
loaded: {first["median"]} median, {first["p95"]} p95.

Resident memory: {resident}.

| Target | measured | at most | |
| --- | ---: | ---: | --- |
{targets}
"""


def main() -> int:
    """Measure, write the results and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve-instantly", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().serve_instantly:
        return serve_instantly()
    results = measure()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "overhead.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    page = as_markdown(results)
    (RESULTS / "overhead.md").write_text(page, encoding="utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
