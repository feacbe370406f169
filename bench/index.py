"""What the index of a workspace costs: memory, time, and how long it makes the event loop wait.

    python -m bench.index

A server's parts are loaded as for a session, and a workspace of copies of this project's own source
is indexed, then a large one of small files. While the thread works, a timer of the event loop is
due every 5 ms; what counts is by how much it is late, with the same timer before the index
begins for comparison. The second start is the one that users see every day: nothing has changed.

Writes `bench/results/index.json` and `index.md`.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
SIZES = ((5_000, "source"), (100_000, "small"))
TARGET_MB = 90.0
_TICK_SECONDS = 0.005
_PYTHON = platform.python_version()


def make(folder: Path, count: int, kind: str) -> None:
    """Write a workspace."""
    sources = [path.read_bytes() for path in sorted((ROOT / "lsp" / "sirdab").rglob("*.py"))]
    for number in range(count):
        inner = folder / f"package_{number // 1_000}" / f"part_{number // 50 % 20}"
        inner.mkdir(parents=True, exist_ok=True)
        content = (
            sources[number % len(sources)]
            if kind == "source"
            else f"def function_{number}(a: int, b: int) -> int:\n    return a + b\n".encode()
        )
        (inner / f"module_{number}.py").write_bytes(content)


def resident_mb() -> float:
    """Return the memory of this process, in megabytes."""
    import psutil

    return round(psutil.Process().memory_info().rss / 1e6, 1)


def size_mb(directory: Path) -> float:
    """Return the size of the files of a folder, in megabytes."""
    return round(sum(file.stat().st_size for file in directory.iterdir()) / 1e6, 1)


async def lateness(seconds: float, until: asyncio.Event | None = None) -> list[float]:
    """Return by how many milliseconds a timer of the event loop was late, each time."""
    late: list[float] = []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends and not (until is not None and until.is_set()):
        due = time.perf_counter() + _TICK_SECONDS
        await asyncio.sleep(_TICK_SECONDS)
        late.append(max(0.0, (time.perf_counter() - due) * 1000))
    return sorted(late)


def share(late: Sequence[float], part: float) -> float:
    """Return a percentile of sorted figures."""
    return round(late[min(len(late) - 1, int(len(late) * part))], 2)


async def measure(folder: Path, directory: Path) -> dict[str, Any]:
    """Index a folder in this process, in which the parts of a session are loaded."""
    from importlib import import_module

    from sirdab.context.index import WorkspaceIndex
    from sirdab.server.app import create_server

    create_server()
    for module in ("httpx", "sirdab.completion.engine", "sirdab.context.keeper"):
        import_module(module)
    before_mb = resident_mb()
    idle = await lateness(3.0)
    index = WorkspaceIndex(str(folder), directory)
    done = asyncio.Event()
    began = time.perf_counter()
    index.start()

    async def wait() -> None:
        while not await asyncio.to_thread(index.wait, 600):
            pass
        done.set()

    waiting = asyncio.ensure_future(wait())
    late = await lateness(3_600, done)
    await waiting
    seconds = time.perf_counter() - began
    files, definitions = index.count()
    asked = time.perf_counter()
    index.find([f"function_{number}" for number in range(100)], "python", 24)
    asked_ms = (time.perf_counter() - asked) * 1000
    result = {
        "files": files,
        "definitions": definitions,
        "seconds": round(seconds, 2),
        "resident_before_mb": before_mb,
        "resident_mb": resident_mb(),
        "database_mb": size_mb(directory),
        "hundred_names_ms": round(asked_ms, 2),
        "late_idle_ms": {"p50": share(idle, 0.5), "p99": share(idle, 0.99)},
        "late_ms": {
            "p50": share(late, 0.5),
            "p99": share(late, 0.99),
            "most": round(late[-1], 2) if late else 0.0,
        },
    }
    index.close()
    return result


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the results as Markdown."""
    lines = [
        "# Index of a workspace",
        "",
        "Written by `python -m bench.index`, each row in a process of its own that has loaded what",
        "a session loads. Late is by how much a timer of the event loop came late while the index",
        "was made; before it began, the same timer was late by the figure in brackets.",
        "",
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {_PYTHON}.",
        "",
        (
            "| Files | Start | Seconds | Memory before, MB | Memory after, MB | Database, MB "
            "| Late p50, ms | Late p99, ms | 100 names, ms |"
        ),
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        late, idle = row["late_ms"], row["late_idle_ms"]
        lines.append(
            f"| {row['files']:,} | {row['start']} | {row['seconds']} | {row['resident_before_mb']} "
            f"| {row['resident_mb']} | {row['database_mb']} | {late['p50']} ({idle['p50']}) "
            f"| {late['p99']} ({idle['p99']}) | {row['hundred_names_ms']} |"
        )
    most = next(row["resident_mb"] for row in rows)
    verdict = "met" if most <= TARGET_MB else "missed"
    lines += ["", f"Memory with {rows[0]['files']:,} files: {most} of {TARGET_MB} MB: {verdict}."]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "INDEX"), help="measure one start")
    given = parser.parse_args(argv)
    if given.one:
        folder, directory = map(Path, given.one)
        sys.stdout.write(json.dumps(asyncio.run(measure(folder, directory))) + "\n")
        return 0
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="sirdab-bench-") as temporary:
        for count, kind in SIZES:
            folder, directory = Path(temporary, f"{kind}-work"), Path(temporary, f"{kind}-index")
            make(folder, count, kind)
            for start in ("first", "second"):
                command = [
                    sys.executable,
                    "-m",
                    "bench.index",
                    "--one",
                    str(folder),
                    str(directory),
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
                rows.append({"start": start, **json.loads(done.stdout)})
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "index.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "index.md").write_text(table(rows), encoding="utf-8")
    sys.stdout.write(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
