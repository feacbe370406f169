"""What the VS Code client adds to a suggestion, and to the start of VS Code.

    python -m bench.vscode_overhead

A real VS Code (code-server in Chromium) with the packaged extension and the real server.

* One key is pressed, with a model server that answers at once; what counts is the time until the
  ghost text is in the picture, less the time the server had the request (`bench.timing_proxy`
  stands between the two). What is left is VS Code's and the client's: the pause before it asks,
  the extension host, the messages, the drawing.
* The time that the extension takes to activate, as VS Code itself tells it.
* With the real model, what `editor.quickSuggestions` does to suggestions that take longer than the
  750 ms for which VS Code keeps its own menu back.

Writes `bench/results/vscode.json` and `vscode.md`; run `make vsix` first.
"""

import json
import os
import platform
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from bench.overhead import Timing, fake_model
from bench.own_state import own_state
from bench.timing_proxy import FILE_ENV
from sirdab.models.store import find
from tests.e2e.vscode.harness import Chromium, CodeServer, Window
from tests.support.editors import VsCode, vscode

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
METHOD = "textDocument/inlineCompletion"
REPEATS = 50
WARM_UP = 5
WINDOWS = 12
# Small, part of VS Code, and activated by the same event.
NEIGHBOUR = "vscode.merge-conflict"
PLACES = 8
QUICK_SUGGESTIONS: dict[str, dict[str, Any]] = {
    "default (offWhenInlineCompletions)": {},
    '"on"': {"editor.quickSuggestions": {"other": "on", "comments": "off", "strings": "off"}},
    '"off"': {"editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"}},
}

# Notes when a key goes down, and when ghost text is in the picture after it: the next frame after
# the one in which the page's tree has got it.
_WATCH = """() => {
  window.__seen = {};
  addEventListener('keydown', () => { window.__seen = { key: performance.now() }; }, true);
  const look = () => {
    const seen = window.__seen;
    if (seen.key && !seen.asked && document.querySelector('.ghost-text-decoration')) {
      seen.asked = true;
      requestAnimationFrame(() => requestAnimationFrame(() => { seen.shown = performance.now(); }));
    }
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""
_SEEN = "() => window.__seen.shown ? window.__seen.shown - window.__seen.key : null"


def packaged() -> Path:
    """Return the newest packaged extension."""
    found = sorted((ROOT / "dist").glob("sirdab-*.vsix"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise RuntimeError("there is no dist/sirdab-*.vsix; run make vsix")
    return found[-1]


def proxied_program(folder: Path) -> Path:
    """Write a program that is `sirdab` with the clock before it."""
    proxy = ROOT / "bench" / "timing_proxy.py"
    program = folder / "sirdab"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -P "{proxy}" -- "{sys.executable}" -m sirdab "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program


def server_times(path: Path) -> list[float]:
    """Return how long the server took for each request so far, in seconds."""
    found: list[float] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        if note["method"] == METHOD:
            found.append((note["out_ns"] - note["in_ns"]) / 1e9)
    return found


def keys(install: VsCode, chromium: Chromium, url: str) -> dict[str, dict[str, Any]]:
    """Press keys and return the times until the ghost text is there.

    Returns:
        Milliseconds, median and p95: `whole`, `server` and `client`.
    """
    folder = ROOT / ".artifacts" / "vscode"
    folder.mkdir(parents=True, exist_ok=True)
    times = folder / "times.jsonl"
    times.write_text("", encoding="utf-8")
    whole: list[float] = []
    server: list[float] = []
    with CodeServer(install, {FILE_ENV: str(times)}) as running:
        running.install(packaged())
        running.fixed = {
            "sirdab.path": str(proxied_program(running.folder)),
            "sirdab.endpoint.url": url,
            "sirdab.completion.debounceMs": 0,
            "sirdab.privacy.audit": False,
        }
        running.settings()
        lines = [f"    value_{n} = " for n in range(REPEATS + WARM_UP)]
        text = "def function(first, second):\n" + "\n".join(lines) + "\n"
        with Window(running, chromium, "keys") as window:
            window.open("keys.py", text)
            window.wait_status("is ready")
            window.evaluate(_WATCH)
            window.press("Control+Home")
            for number in range(REPEATS + WARM_UP):
                window.press("ArrowDown")
                window.press("End")
                # Whatever moving the cursor has set off is over before the key is pressed.
                time.sleep(0.4)
                before = len(server_times(times))
                window.press("s")
                window.wait(lambda: window.evaluate(_SEEN) is not None, "the ghost text")
                taken = window.evaluate(_SEEN) / 1000
                # The answer is passed on before it is noted.
                while not (found := server_times(times)[before:]):
                    time.sleep(0.01)
                window.press("Escape")
                if number >= WARM_UP and len(found) == 1:
                    whole.append(taken)
                    server.append(found[0])
    client = [all_of_it - its for all_of_it, its in zip(whole, server, strict=True)]
    parts = {"whole": whole, "server": server, "client": client}
    return {name: Timing.of(seconds)._asdict() for name, seconds in parts.items()} | {
        "keys": {"counted": len(whole)}
    }


def activations(install: VsCode, chromium: Chromium, url: str) -> dict[str, list[int]]:
    """Return what VS Code says of the extension's activation in new windows.

    Returns:
        Milliseconds, one figure a window: `load` and `call` of this extension, `finish`, which is
        what it does in turns of its own after that, and `neighbour`, the loading of a small
        extension of VS Code's own that is activated by the same event. Extensions that start
        together load one after the other, and VS Code counts the waiting as loading.
    """
    found: dict[str, list[int]] = {"load": [], "call": [], "finish": [], "neighbour": []}
    program = str(Path(sys.executable).with_name("sirdab"))
    with CodeServer(install) as running:
        running.install(packaged())
        running.fixed = {"sirdab.path": program, "sirdab.endpoint.url": url}
        running.settings()
        for number in range(WINDOWS):
            with Window(running, chromium, f"start-{number}", {"a.py": "x = 1\n"}) as window:
                window.open("a.py")
                window.wait_status("is ready")
                window.run_command("Developer: Startup Performance")
                ours = _activation(window, "sirdab.sirdab")
                for part, taken in zip(("load", "call", "finish"), ours, strict=True):
                    found[part].append(taken)
                found["neighbour"].append(_activation(window, NEIGHBOUR)[0])
    return found


def _activation(window: Window, extension: str) -> tuple[int, ...]:
    """Return an extension's times for loading, the call and finishing, as VS Code tells them."""
    row = re.compile(rf"\| {re.escape(extension)}\s*\|[^|]*" + r"\|\s*(\d+)\s*" * 3 + r"\|")
    matches: list[re.Match[str]] = []

    def told() -> bool:
        # The page is longer than the screen.
        matches.extend(filter(None, map(row.search, window.editor_lines())))
        if not matches:
            window.press("PageDown")
        return bool(matches)

    window.press("Control+Home")
    window.wait(told, f"the times of {extension}")
    return tuple(int(number) for number in matches[0].groups())


def cold_places() -> list[tuple[str, str]]:
    """Return sources cut inside a line of code, and the letters that are typed there."""
    found: list[tuple[str, str]] = []
    for path in sorted((ROOT / "lsp" / "sirdab").rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        if not 120 <= len(lines) <= 400:
            continue
        for number in range(len(lines) // 2, len(lines)):
            match = re.match(r"^(\s+(?:return |\w+ = |if ))([a-z]{4})\w*", lines[number])
            if match:
                rest = lines[number + 1 :]
                cut = [*lines[:number], match[1], *rest]
                found.append(("\n".join(cut) + "\n", f"{number + 1}:{match[2]}"))
                break
    return found


def budget(install: VsCode, chromium: Chromium) -> dict[str, dict[str, int]]:
    """Type where the model has read nothing yet, with each setting of VS Code's menu.

    Every place is in a file of its own, and no setting sees a file that another one has seen,
    because what the model has read once it reads faster the next time.

    Returns:
        For each setting: at how many places ghost text came by itself, at how many VS Code's menu
        was open instead, and at how many there was a suggestion when it was asked for.
    """
    counts: dict[str, dict[str, int]] = {}
    places = cold_places()
    program = str(Path(sys.executable).with_name("sirdab"))
    with CodeServer(install) as running:
        running.install(packaged())
        running.fixed = {
            "sirdab.path": program,
            "sirdab.endpoint.model": find("auto").path.as_posix(),
        }
        running.settings()
        with Window(running, chromium, "budget") as window:
            window.open("first.py", "# A file of its own.\n")
            window.wait_status("is ready", timeout_s=180)
            for turn, (name, setting) in enumerate(QUICK_SUGGESTIONS.items()):
                window.server.settings(
                    **{key.replace(".", "__"): value for key, value in setting.items()}
                )
                time.sleep(1)
                mine = places[turn :: len(QUICK_SUGGESTIONS)][:PLACES]
                tally = {"places": len(mine), "ghost": 0, "menu": 0, "on request": 0}
                for number, (text, where) in enumerate(mine):
                    line, letters = where.split(":")
                    window.open(f"{turn}_{number}.py", text)
                    window.run_command("Go to Line/Column...")
                    window.call(lambda page, line=line: page.keyboard.type(f"{line}:999"))
                    window.press("Enter")
                    window.focus()
                    time.sleep(0.5)
                    window.type_text(letters, delay_ms=120)
                    ghost = _appears(window, 5)
                    tally["ghost"] += ghost
                    tally["menu"] += window.menu_is_open()
                    window.press("Escape")
                    window.press("Control+Alt+i")
                    tally["on request"] += _appears(window, 10)
                    window.press("Escape")
                counts[name] = tally
    return counts


def _appears(window: Window, timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if window.ghost():
            return True
        time.sleep(0.05)
    return False


def as_markdown(results: dict[str, Any]) -> str:
    """Return the results as a page."""
    machine, measured = results["machine"], results["keys_ms"]
    rows = "\n".join(
        f"| {name} | {measured[name]['median']} | {measured[name]['p95']} |"
        for name in ("client", "server", "whole")
    )
    menus = "\n".join(
        f"| {name} | {one['places']} | {one['ghost']} | {one['menu']} | {one['on request']} |"
        for name, one in results["quick_suggestions"].items()
    )
    starts = "\n".join(
        f"| {name} | {min(times)} | {statistics.median(times):.0f} | {max(times)} |"
        for name, times in _parts(results["activation_ms"]).items()
    )
    return f"""# VS Code

Written by `python -m bench.vscode_overhead`, which says what is measured. One key until the ghost
text is in the picture, with a model that answers at once; {measured["keys"]["counted"]} keys, in
milliseconds. The client's part, which is mostly VS Code's own pause before it asks and its
drawing, is what is left when the server's own time is taken off.

{machine["cores"]} cores, {machine["system"]}, {machine["editor"]}.

| | median | p95 |
| --- | ---: | ---: |
{rows}

Activation of the extension, as VS Code tells it on its page "Startup Performance", in
{len(results["activation_ms"]["load"])} windows, in milliseconds (the aim is at most 50). VS Code
counts as loading also the time in which the extensions before it in the same turn load, and the
last row is one of those, a small one of VS Code's own. Finishing is what the extension does in
turns of its own after its activation; commands wait for it and the editor does not.

| | least | median | most |
| --- | ---: | ---: | ---: |
{starts}

Four letters of a word are typed in files that the model has not read, with each setting of
`editor.quickSuggestions`:

| `editor.quickSuggestions` | places | ghost text by itself | VS Code's menu open | on request |
| --- | ---: | ---: | ---: | ---: |
{menus}
"""


def _parts(measured: dict[str, list[int]]) -> dict[str, list[int]]:
    load, call, neighbour = measured["load"], measured["call"], measured["neighbour"]
    return {
        "activation": [one + other for one, other in zip(load, call, strict=True)],
        "of that, loading": load,
        "of that, the call": call,
        "finishing": measured["finish"],
        f"loading of {NEIGHBOUR}": neighbour,
    }


def main() -> int:
    """Measure, write the results and print them."""
    install = vscode()
    with own_state(), Chromium(install) as chromium:
        with fake_model() as url:
            pressed = keys(install, chromium, url)
            activation = activations(install, chromium, url)
        menus = budget(install, chromium)
    results = {
        "machine": {
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "editor": install.describe().split(" at ", maxsplit=1)[0],
        },
        "keys_ms": pressed,
        "activation_ms": activation,
        "quick_suggestions": menus,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "vscode.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    page = as_markdown(results)
    (RESULTS / "vscode.md").write_text(page, encoding="utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
