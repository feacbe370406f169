"""One of everything that somebody does with Sirdab, in one process that can be watched.

`python -m tests.support.whole_session --model PATH OUT` plays an editor (open, complete, show,
accept, explain, list models, review, shut down) and then runs the commands that stay on the
machine. What came of it is written to OUT as JSON. Without `--model` the model server is a fake one
on loopback.
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sirdab.endpoint.managed.server import running, stop
from tests.support import lsp_client
from tests.support.fake_llamacpp import FakeLlamaCpp
from tests.support.lsp_client import INLINE, UTF16, Spawned, spawned

_PATIENCE = 150.0
_CODE = '''\
"""Sums."""

import sqlite3


def add(a, b):
    return a + b


def find(connection: sqlite3.Connection, name: str):
    return connection.execute(f"SELECT * FROM users WHERE name = '{name}'")


def subtract(a, b):
    return\N{SPACE}
'''
_CAPABILITIES: dict[str, Any] = {
    **UTF16,
    **INLINE,
    "workspace": {"configuration": True, "workspaceFolders": True},
}


async def edit(client: Spawned, path: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Do what an editor does, and return what came of each step."""
    uri = path.as_uri()
    client.ignored |= {
        "window/logMessage",
        "window/showMessage",
        "textDocument/publishDiagnostics",
        "$/progress",
    }
    client.answers |= {"window/workDoneProgress/create": None, "workspace/applyEdit": None}
    folders = [{"uri": path.parent.as_uri(), "name": "work"}]
    await client.start(_CAPABILITIES, options, workspaceFolders=folders)
    lines = _CODE.split("\n")
    last = len(lines) - 2
    client.open(uri, _CODE)
    item = await _suggestion(client, uri, last, len(lines[last]))
    done: dict[str, Any] = {"suggestion": item["insertText"] if item else None}
    if item:
        client.notify("sirdab/didShow", {"id": item["command"]["arguments"][0]})
        command = item["command"]
        await client.begin(
            "workspace/executeCommand",
            {"command": command["command"], "arguments": command["arguments"]},
        )
    where = {"textDocument": {"uri": uri}, "position": {"line": last, "character": 4}}
    client.notify("sirdab/didMoveCursor", where)
    done["explanation"] = await client.begin("sirdab/explain", where)
    done["models"] = await client.begin("sirdab/models")
    done["statistics"] = await client.begin("sirdab/statistics")
    done["review"] = await client.begin(
        "workspace/executeCommand",
        {"command": "sirdab.reviewDocument", "arguments": [{"uri": uri}]},
    )
    await client.stop()
    done["exit"] = await client.exit_code()
    return done


async def _suggestion(client: Spawned, uri: str, line: int, column: int) -> dict[str, Any] | None:
    # The first question starts the server; it may be answered before that is ready.
    for _ in range(60):
        items = await client.begin_inline(uri, line, column)
        if isinstance(items, dict):
            items = items["items"]
        if items:
            return items[0]
        await asyncio.sleep(1)
    return None


async def command(*arguments: str) -> dict[str, Any]:
    """Run a command line and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sirdab",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return {"code": process.returncode, "out": out.decode()[-2000:], "err": err.decode()[-2000:]}


async def session(path: Path, model: str | None) -> dict[str, Any]:
    """Do everything once, with one file."""
    lsp_client.PATIENCE = _PATIENCE
    async with AsyncExitStack() as stack:
        if model is None:
            fake = await stack.enter_async_context(FakeLlamaCpp(answer=["a", " - b", "\n"]))
            options, chosen = {"endpoint": {"url": fake.url}}, ("--url", fake.url)
        else:
            options, chosen = {"endpoint": {"model": model}}, ("--model", model)
        client = await stack.enter_async_context(spawned(env={**os.environ}))
        done: dict[str, Any] = {"editor": await edit(client, path, options)}
        place = f"{path}:{len(_CODE.splitlines())}:12"
        for name, arguments in {
            "complete": ("complete", place, "--json", *chosen),
            "review": ("review", str(path), *chosen),
            "doctor": ("doctor",),
            "try": ("try", *chosen),
            "model list": ("model", "list"),
            "stats": ("stats",),
        }.items():
            done[name] = await command(*arguments)
        for server in running():
            await asyncio.to_thread(stop, server)
    return done


def main() -> None:
    """Do everything once and write down what came of it."""
    arguments = argparse.ArgumentParser(description="Do everything once.")
    arguments.add_argument("--model")
    arguments.add_argument("out", type=Path)
    options = arguments.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "sums.py"
        path.write_text(_CODE, encoding="utf-8")
        done = asyncio.run(session(path, options.model))
    options.out.write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main()
