"""How long the loop that answers keystrokes is held up by reviews, and by what.

No model server: one that answers at once, so that all that is measured is ours. A document of 5,000
lines is opened, reviewed, edited with findings on the screen, pulled, saved and opened again, and a
workspace of 150 files is reviewed. While that goes on, a timer of 2 ms tells how late it comes, and
each step of the loop that takes more than a millisecond is noted. A step that takes long but little
processor time has waited, for the interpreter or for another program. Python's collector stops
everything while it runs, in whichever thread that is, so its runs are noted too.

    python -m bench.held
"""

import asyncio
import asyncio.events
import gc
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self, cast

from bench.own_state import own_state
from sirdab.endpoint.base import Chunk, GenerationRequest, ModelInfo, Usage
from sirdab.server.app import TURN_SECONDS, create_server
from sirdab.server.language_server import Services
from tests.support.lsp_client import INLINE, InProcess

FILES = 150
FUNCTIONS = 480
KEYS = 12
# Longer than what the server waits before it tells of an edit.
_BETWEEN_SECONDS = 0.15
# Longer than the pause after which it looks for what an edit has withdrawn.
_REST_SECONDS = 1.5

# Code that shows signs of defects which the model is asked about.
SHAPES = (
    '''
def read_{n}(request):
    """Return what somebody has uploaded."""
    with open(os.path.join(FOLDER, request.args["name_{n}"]), encoding="utf-8") as handle:
        text = handle.read()
    return text.strip()
''',
    """
def total_{n}(orders, limit=None):
    limit = limit or {n}
    total = 0
    for order in orders[:limit]:
        total += order.price * order.amount
    return total
""",
    """
def load_{n}(path):
    try:
        with open(path, "rb") as handle:
            return pickle.load(handle)
    except Exception:
        return {n}
""",
    """
def stamp_{n}(entry):
    entry["written"] = datetime.now()
    entry["number"] = {n}
    return entry
""",
)
PLAIN = """
def plain_{n}(values, limit):
    kept = []
    for value in values:
        if value.weight > limit:
            kept.append(value.name.strip().lower())
    names = sorted(set(kept))
    if not names:
        return None
    return ", ".join(names)[:{n}]
"""
HEAD = 'import os\nimport pickle\nfrom datetime import datetime\n\nFOLDER = "uploads"\n'


class Instant:
    """A model that names nothing, and votes for what the signs say, at once."""

    async def acquire(self) -> "Instant":
        """Return itself."""
        return self

    async def describe(self) -> ModelInfo:
        """Return a name that a family has."""
        return ModelInfo("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", "", 8_192, "http://127.0.0.1:1")

    async def count_tokens(self, text: str) -> int:
        """Return a guess."""
        return len(text) // 3

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncGenerator[AsyncIterator[Chunk]]:
        """Answer that there are no findings, or write other code than there is."""
        properties = (request.json_schema or {}).get("properties", {})
        text = '{"findings": []}' if "findings" in properties else "other_name(1)"

        async def chunks() -> AsyncIterator[Chunk]:
            yield Chunk(text, usage=Usage(prompt_tokens=10))

        yield chunks()


class Probe:
    """Notes how late a timer comes, what holds the loop, and how long the collector stops all."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.steps: dict[str, list[tuple[float, float]]] = {}
        self.collections: list[float] = []
        self._collecting = 0.0
        self._run = asyncio.events.Handle._run  # noqa: SLF001 # pyright: ignore

    def __enter__(self) -> Self:
        probe = self

        def run(handle: Any) -> None:
            begun, spent = time.perf_counter(), time.thread_time()
            probe._run(handle)
            took, cost = time.perf_counter() - begun, time.thread_time() - spent
            if took > 0.001:
                probe.steps.setdefault(_named(handle), []).append((took * 1000, cost * 1000))

        asyncio.events.Handle._run = run  # noqa: SLF001 # pyright: ignore
        gc.callbacks.append(self._collect)
        self._task = asyncio.ensure_future(self._watch())
        return self

    def __exit__(self, *_: object) -> None:
        self._task.cancel()
        gc.callbacks.remove(self._collect)
        asyncio.events.Handle._run = self._run  # noqa: SLF001 # pyright: ignore

    def _collect(self, phase: str, info: dict[str, int]) -> None:
        del info
        if phase == "start":
            self._collecting = time.perf_counter()
        else:
            self.collections.append((time.perf_counter() - self._collecting) * 1000)

    async def _watch(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.002)
            self.late.append((time.perf_counter() - begun - 0.002) * 1000)

    def figures(self) -> dict[str, Any]:
        """Return them."""
        steps = {
            name: {
                "times": len(of_it),
                "longest_ms": round(max(took for took, _ in of_it), 1),
                "longest_processor_ms": round(max(cost for _, cost in of_it), 1),
            }
            for name, of_it in self.steps.items()
        }
        longest = sorted(steps.items(), key=lambda entry: -entry[1]["longest_processor_ms"])
        return {
            "late_ms": spread(self.late),
            "collector_ms": round(max(self.collections, default=0.0), 1),
            "steps": dict(longest[:5]),
        }


def _named(handle: Any) -> str:
    callback = handle._callback  # noqa: SLF001 # pyright: ignore
    task = getattr(callback, "__self__", None)
    shown = cast("Any", task.get_coro()) if isinstance(task, asyncio.Task) else callback
    return str(getattr(shown, "__qualname__", type(shown).__name__))


async def figures() -> dict[str, Any]:
    """Measure how the loop is held up."""
    sys.setswitchinterval(TURN_SECONDS)
    plain = itertools.cycle((True,) * 9 + (False,))
    shapes = itertools.cycle(SHAPES)

    def code(first: int, count: int) -> str:
        return HEAD + "\n".join(
            (PLAIN if next(plain) else next(shapes)).format(n=number)
            for number in range(first, first + count)
        )

    long = code(0, FUNCTIONS)
    found: dict[str, Any] = {"lines": long.count("\n"), "while": {}}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number in range(FILES):
            (folder / f"file_{number}.py").write_text(code(number * 30, 30), encoding="utf-8")
        target = folder / "long.py"
        target.write_text(long, encoding="utf-8")
        async with _instant_server(folder) as client:
            # As the real server does when it is connected.
            gc.collect()
            gc.freeze()
            document = _Document(client, target.as_uri(), long, found["while"])
            await document.all()
    return found


class _Document:
    """What is done with the long document; the figures go into `found`, by what is done."""

    def __init__(self, client: InProcess, uri: str, content: str, found: dict[str, Any]) -> None:
        self._client = client
        self._uri = uri
        self._content = content
        self._found = found
        self._version = 1

    async def all(self) -> None:
        """Do all of it, one after another."""
        client, document = self._client, {"textDocument": {"uri": self._uri}}
        middle = self._content.count("\n") // 2
        span = {
            "start": {"line": middle - 10, "character": 0},
            "end": {"line": middle + 10, "character": 0},
        }
        with self._probed("nothing"):
            await asyncio.sleep(2)
        with self._probed("opening"):
            client.open(self._uri, self._content)
            await asyncio.sleep(_REST_SECONDS)
        with self._probed("the first review"):
            await self._command("sirdab.reviewDocument", {"uri": self._uri})
        await self._command("sirdab.clearCache")
        with self._probed("a review"):
            await self._command("sirdab.reviewDocument", {"uri": self._uri})
        with self._probed("typing, with findings"):
            for _ in range(KEYS):
                await self._type(middle, "x")
            await asyncio.sleep(_REST_SECONDS)
        with self._probed("new lines above all"):
            for _ in range(KEYS):
                await self._type(0, "\n")
            await asyncio.sleep(_REST_SECONDS)
        with self._probed("diagnostics pulled"):
            for _ in range(KEYS):
                await client.begin("textDocument/diagnostic", document)
                await asyncio.sleep(0.01)
        with self._probed("code actions"):
            for _ in range(KEYS):
                nothing: list[Any] = []
                asked = {**document, "range": span, "context": {"diagnostics": nothing}}
                await client.begin("textDocument/codeAction", asked)
                await asyncio.sleep(0.01)
        with self._probed("saving"):
            client.notify("textDocument/didSave", document)
            await asyncio.sleep(2 * _REST_SECONDS)
        with self._probed("closing, opening again"):
            client.notify("textDocument/didClose", document)
            client.open(self._uri, self._content)
            await asyncio.sleep(2 * _REST_SECONDS)
        with self._probed("the workspace"):
            await self._command("sirdab.reviewWorkspace")

    async def _type(self, line: int, text: str) -> None:
        self._version += 1
        self._client.change(self._uri, self._version, ((line, 0, line, 0), text))
        await asyncio.sleep(_BETWEEN_SECONDS)

    async def _command(self, name: str, *arguments: Any) -> Any:
        params = {"command": name, "arguments": list(arguments)}
        return await self._client.begin("workspace/executeCommand", params)

    @contextmanager
    def _probed(self, name: str) -> Generator[None]:
        with Probe() as probe:
            yield
        self._found[name] = probe.figures()


@asynccontextmanager
async def _instant_server(folder: Path) -> AsyncGenerator[InProcess]:
    from bench.replay.sirdab import _Pipe  # pyright: ignore[reportPrivateUsage]
    from sirdab.completion.engine import Engine

    model: Any = Instant()

    async def services(_: Any) -> Services:
        return Services(Engine(model), _nothing, _nothing, model)

    server = create_server(services)
    client = InProcess(server)
    server.protocol.set_writer(_Pipe(client))  # pyright: ignore[reportArgumentType]
    capabilities = {"general": {"positionEncodings": ["utf-16"]}, "textDocument": INLINE}
    folders = [{"uri": folder.as_uri(), "name": "bench"}]
    client.ignored |= {"window/logMessage", "textDocument/publishDiagnostics"}
    options = {"privacy": {"audit": False}, "review": {"run": "onSave"}}
    await client.start(capabilities, options, workspaceFolders=folders)
    try:
        yield client
    finally:
        await client.stop()
        await server.close()


async def _nothing() -> None:
    """Do nothing."""


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """Return median, 95th percentile and count; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    p95 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))]
    return {
        "p50": round(statistics.median(ordered), 2),
        "p95": round(p95, 2),
        "longest": round(ordered[-1], 2),
        "n": len(ordered),
    }


def page(found: dict[str, Any]) -> str:
    """Return the figures as a part of a page."""
    rows: list[str] = []
    steps: list[str] = []
    for name, one in found["while"].items():
        late = one["late_ms"]
        rows.append(
            f"| {name} | {late['p50']} | {late['p95']} | {late['longest']} | {late['n']} | "
            f"{one['collector_ms']} |"
        )
        steps += [
            f"| {name} | {step} | {of_it['times']} | {of_it['longest_ms']} | "
            f"{of_it['longest_processor_ms']} |"
            for step, of_it in one["steps"].items()
        ]
    table, held = "\n".join(rows), "\n".join(steps)
    return f"""## The loop that answers keystrokes

How much too late a timer of 2 ms comes, in milliseconds, with a model that answers at once: in a
document of {found["lines"]:,} lines, and in a workspace of {FILES} files. The longest run of
Python's collector is part of that, and so is a parse, in which tree-sitter's binding keeps the
interpreter.

| While | p50 | p95 | longest | times | collector |
| --- | ---: | ---: | ---: | ---: | ---: |
{table}

Steps that held it for more than a millisecond, the longest of each kind; what the bench's own
client reads of an answer is part of them:

| While | step | times | longest (ms) | its processor time (ms) |
| --- | --- | ---: | ---: | ---: |
{held}
"""


def main() -> int:
    """Measure and print."""
    with own_state():
        print(page(asyncio.run(figures())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
