"""What the Neovim client adds to a suggestion, and to the start of Neovim.

    python -m bench.neovim_overhead

A real Neovim with a user interface attached, the real server and a model that answers at once.
One key is pressed; what counts is the time until the ghost text has reached the user interface,
less the time the server had the request (`bench.timing_proxy` stands between the two). What is
left is Neovim's and the client's: the pause before it asks, the messages, the drawing.

The client's part of start-up is what `require("sirdab").setup({})` takes in a `init.lua`, and what
`--startuptime` says of the plugin's own files.

Writes `bench/results/neovim.json` and `neovim.md`.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from bench.overhead import Timing, fake_model, source
from bench.timing_proxy import FILE_ENV
from scripts.neovim_capture import Grid
from tests.e2e.neovim.harness import PLUGIN, Editor, lua_string_list
from tests.support.editors import NvimInstall, neovim_011, neovim_012

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
METHOD = "textDocument/inlineCompletion"
REPEATS = 50
WARM_UP = 5
LINES = 500
# What the model says; no other text on the screen has it.
GHOST = "(first)"


class Subject(NamedTuple):
    """One Neovim that is measured.

    Attributes:
        name: What the results call it.
        install: Returns the Neovim.
        display: Who draws, as the option `ghost_text.display` says it.
    """

    name: str
    install: Callable[[], NvimInstall]
    display: str


SUBJECTS = [
    Subject("Neovim 0.11, drawn by the plugin", lambda: NvimInstall((str(neovim_011()),)), "own"),
    Subject("Neovim 0.12, drawn by Neovim", neovim_012, "builtin"),
    Subject("Neovim 0.12, drawn by the plugin", neovim_012, "own"),
]


class Screen:
    """The user interface of a Neovim."""

    def __init__(self, nvim: Any) -> None:
        self._nvim = nvim
        self._grid = Grid()
        nvim.ui_attach(80, 24, rgb=True, ext_linegrid=True)

    def drain(self) -> None:
        """Take everything that was sent so far, so that what comes next is new."""
        self._nvim.exec_lua(
            "vim.cmd('redraw'); vim.rpcnotify(..., 'drained')", self._nvim.channel_id
        )
        while self._next() != "drained":
            pass

    def _next(self) -> str:
        _, name, batches = self._nvim.next_message()
        for batch in batches if name == "redraw" else ():
            self._grid.apply([batch])
        return name

    def wait_for(self, text: str, *, shown: bool = True, timeout_s: float = 20) -> int:
        """Wait until a text is on the screen, or no longer there.

        Args:
            text: The text, as it is on one line of the screen.
            shown: Whether it should be there.
            timeout_s: How long, at the most.

        Returns:
            When that was, in nanoseconds of the monotonic clock.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self._next()
            # What comes before a flush is not on the screen yet, and may be taken back.
            if self._grid.flushed and (text in self._grid.text()) == shown:
                return time.monotonic_ns()
        raise RuntimeError(f"{text!r} did not come or go within {timeout_s} s")


def server_time(path: Path, since_ns: int) -> int:
    """Return how long the server took for the one request that came after a moment."""
    found: list[int] = []
    end = time.monotonic() + 5
    # The answer is passed on before it is noted.
    while not found and time.monotonic() < end:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = [
            line["out_ns"] - line["in_ns"]
            for line in lines
            if line["method"] == METHOD and line["in_ns"] >= since_ns
        ]
    if len(found) != 1:
        raise RuntimeError(f"there were {len(found)} requests for one key")
    return found[0]


def keys(subject: Subject, url: str) -> dict[str, Any]:
    """Press keys and return the times until the ghost text is there.

    Returns:
        Milliseconds, median and p95: `whole`, `server` and `client`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = folder / "times.jsonl"
        times.touch()
        proxy = [sys.executable, "-P", str(ROOT / "bench" / "timing_proxy.py"), "--"]
        server = [*proxy, sys.executable, "-m", "sirdab", "--stdio"]
        settings = (
            f"{{endpoint = {{url = '{url}'}}, completion = {{debounceMs = 0}}, "
            "privacy = {audit = false}}"
        )
        editor = Editor(
            subject.install(),
            folder,
            setup=f"require('sirdab').setup({{cmd = {lua_string_list(server)}, "
            f"settings = {settings}, ghost_text = {{display = '{subject.display}'}}}})",
            env={FILE_ENV: str(times)},
        )
        try:
            editor.open("example.py", source(LINES))
            editor.wait_attached()
            editor.wait(
                lambda: "ready" in editor.lua("return require('sirdab').status()"), "the model"
            )
            screen = Screen(editor.nvim)
            whole: list[float] = []
            own: list[float] = []
            editor.nvim.input(f"{LINES // 2 + 1}GA")
            screen.wait_for(GHOST)
            for number in range(WARM_UP + REPEATS):
                # A name that grows and begins anew, so that the line stays as long as lines are.
                letter = "abcdefghijkl"[number % 12]
                if number % 12 == 0 and number:
                    editor.nvim.input("<BS>" * 12)
                    screen.wait_for(GHOST)
                # Whatever was still on its way has come when this is over.
                editor.settle()
                screen.drain()
                pressed = time.monotonic_ns()
                editor.nvim.input(letter)
                screen.wait_for(GHOST, shown=False)
                shown = screen.wait_for(GHOST)
                took = server_time(times, pressed)
                if number >= WARM_UP:
                    whole.append((shown - pressed) / 1e9)
                    own.append(took / 1e9)
        finally:
            editor.close()
    client = [both - server for both, server in zip(whole, own, strict=True)]
    return {
        "whole": Timing.of(whole)._asdict(),
        "server": Timing.of(own)._asdict(),
        "client": Timing.of(client)._asdict(),
    }


def start_up(install: NvimInstall) -> dict[str, float]:
    """Return the medians of what the client adds to start-up, in milliseconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        init, file, log = folder / "init.lua", folder / "example.py", folder / "log"
        init.write_text(
            f"vim.opt.runtimepath:prepend('{PLUGIN}')\nlocal before = vim.uv.hrtime()\n"
            "require('sirdab').setup({})\n_G.took_ms = (vim.uv.hrtime() - before) / 1e6\n",
            encoding="utf-8",
        )
        file.touch()
        home = {f"XDG_{kind}_HOME": str(folder) for kind in ("CONFIG", "DATA", "STATE")}
        setup: list[float] = []
        files: list[float] = []
        for _ in range(20):
            log.unlink(missing_ok=True)
            done = subprocess.run(
                [
                    *(*install.argv, "-u", str(init), "-i", "NONE", "-n", "--headless"),
                    *("--startuptime", str(log), str(file)),
                    *("+lua io.stdout:write(_G.took_ms)", "+qa!"),
                ],
                env={**os.environ, **install.env, **home},
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            setup.append(float(done.stdout))
            found = re.findall(
                rf"(\d+\.\d+): sourcing {re.escape(str(PLUGIN))}", log.read_text(encoding="utf-8")
            )
            files.append(sum(float(one) for one in found))
    return {
        "setup_ms": round(statistics.median(setup), 2),
        "plugin_files_ms": round(statistics.median(files), 2),
    }


def as_markdown(results: dict[str, Any]) -> str:
    """Return the results as a page."""
    rows = "\n".join(
        f"| {name} | {part['client']['median']} | {part['client']['p95']} "
        f"| {part['server']['median']} | {part['whole']['median']} | {part['whole']['p95']} |"
        for name, part in results["keys_ms"].items()
    )
    starts = "\n".join(
        f"| {name} | {part['setup_ms']} | {part['plugin_files_ms']} |"
        for name, part in results["start_up_ms"].items()
    )
    return f"""# Neovim

Written by `python -m bench.neovim_overhead`. One key until the ghost text has reached the user
interface, with a model that answers at once; {results["repeats"]} keys, in milliseconds. The
client's part is what is left when the server's own time is taken off.

{results["machine"]}.

| | client: median | p95 | server: median | whole: median | p95 |
| --- | ---: | ---: | ---: | ---: | ---: |
{rows}

What the client adds to the start of Neovim with a file, medians in milliseconds (the aim is at
most 2 together). The server is started, and Neovim's `vim.lsp` loaded, after that.

| | `setup()` | the plugin's files |
| --- | ---: | ---: |
{starts}
"""


def main() -> int:
    """Measure, write the results and print them."""
    with fake_model() as url:
        measured = {subject.name: keys(subject, url) for subject in SUBJECTS}
    results = {
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, pynvim {version('pynvim')}",
        "repeats": REPEATS,
        "keys_ms": measured,
        "start_up_ms": {
            name: start_up(install())
            for name, install in {
                "Neovim 0.11": SUBJECTS[0].install,
                "Neovim 0.12": SUBJECTS[1].install,
            }.items()
        },
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "neovim.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    page = as_markdown(results)
    (RESULTS / "neovim.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
