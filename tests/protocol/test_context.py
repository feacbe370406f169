"""Context from beyond the file, as editors make use of it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sirdab.completion.engine import Engine
from sirdab.context import index as indexing
from sirdab.context import keeper as keeping
from sirdab.context.files import WATCHED_GLOBS
from sirdab.context.keeper import Keeper
from sirdab.server import context as hosting
from sirdab.server import warm_up
from sirdab.server.status import State
from tests.support.completion import ScriptedEndpoint
from tests.support.lsp_client import INLINE, UTF16, InProcess, in_process

WATCHING = {
    **UTF16,
    **INLINE,
    "workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}},
}
ORDER = "class Order:\n    '''An order.'''\n\n    def settle(self, amount): ...\n"
OWN = "from order import Order\n\n\ndef work():\n    return Order()\n"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


class Bench:
    """A client, a workspace on disk and the model's end."""

    def __init__(self, client: InProcess, endpoint: ScriptedEndpoint, folder: Path) -> None:
        self.client = client
        self.endpoint = endpoint
        self.folder = folder

    async def start(self, capabilities: Any = None) -> None:
        folders = [{"uri": self.folder.as_uri(), "name": "work"}]
        await self.client.start(capabilities, workspaceFolders=folders)
        self.client.server.status.report(State.READY, "Ready.")

    def write(self, name: str, content: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path.as_uri()

    def open(self, name: str, content: str) -> str:
        uri = (self.folder / name).as_uri()
        self.client.open(uri, content)
        return uri

    async def explain(self, uri: str, line: int, character: int) -> dict[str, Any]:
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": position}
        return (await self.client.request("sirdab/explain", params))["trace"]

    async def block(self, uri: str) -> list[Any]:
        """The parts in the prompt for a document."""
        return (await self.explain(uri, 4, 11))["context"]

    async def until_shown(self, uri: str, text: str) -> None:
        """Move the cursor about until a text is in the prompt."""
        for _ in range(400):
            self.move(uri, 4, 11)
            await asyncio.sleep(0.05)
            if text in (await self.explain(uri, 4, 11))["prompt"]:
                return
        raise AssertionError(f"{text} was never shown")

    def move(self, uri: str, line: int, character: int) -> None:
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": position}
        self.client.notify("sirdab/didMoveCursor", params)

    def registered(self) -> list[str]:
        return [
            registration["method"]
            for method, params in self.client.asked
            if method == "client/registerCapability"
            for registration in params["registrations"]
        ]


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    for module, name, seconds in (
        (indexing, "_SETTLE_SECONDS", 0.01),
        (keeping, "IDLE_SECONDS", 0.3),
        (hosting, "_OPEN_SECONDS", 0.01),
        (hosting, "_INDEX_SECONDS", 0.05),
        (warm_up, "_REST_SECONDS", 0.01),
    ):
        monkeypatch.setattr(module, name, seconds)
    folder = tmp_path / "work"
    folder.mkdir()
    keeper = Keeper(tmp_path / "index", characters=1_500)
    endpoint = ScriptedEndpoint(" + 1")
    async with in_process(Engine(endpoint, context=keeper)) as client:
        client.server.context.attach(keeper)
        yield Bench(client, endpoint, folder)


async def test_explain_says_what_the_prompt_held(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    await bench.start()
    uri = bench.open("own.py", OWN)
    await bench.until_shown(uri, "class Order:")
    (part,) = await bench.block(uri)
    assert part["kind"] == "definition"
    assert part["path"] == "order.py"
    assert (part["first_line"], part["last_line"]) == (1, 1)
    assert part["characters"] > 40


async def test_opening_is_enough(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    await bench.start()
    # Where the cursor is, this client never tells.
    uri = bench.open("own.py", OWN)
    for _ in range(400):
        if await bench.block(uri):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("there was never a block")


async def test_typing_leaves_it_as_it_is_and_a_pause_renews_it(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    bench.write("money.py", "def rounded(amount): ...\n")
    await bench.start()
    uri = bench.open("own.py", OWN)
    await bench.until_shown(uri, "class Order:")
    before = (await bench.explain(uri, 4, 11))["prompt"]
    # Everything in front of the document.
    head = before[: before.index("<|fim_suffix|>")]
    assert "class Order:" in head
    bench.client.change(uri, 2, ((0, 0, 0, 0), "from money import rounded\n"))
    for number, character in enumerate("rounded"):
        bench.client.change(uri, 3 + number, ((5, 11 + number, 5, 11 + number), character))
        bench.move(uri, 5, 12 + number)
        await asyncio.sleep(0.02)
        if number < 5:
            assert head in (await bench.explain(uri, 5, 12 + number))["prompt"]
    # Nobody types any more, and the model reads the new prompt ahead.
    await bench.client.until(
        lambda: any(
            "def rounded(amount):" in request.prompt and request.max_tokens == 0
            for request in bench.endpoint.requests
        )
    )


async def test_files_are_watched_where_the_client_can(bench: Bench) -> None:
    bench.write("order.py", "unrelated = 1\n")
    await bench.start(WATCHING)
    assert bench.registered() == [], "not before there is an index"
    uri = bench.open("own.py", OWN)
    bench.move(uri, 4, 11)
    await bench.client.until(bench.registered)
    assert bench.registered() == ["workspace/didChangeWatchedFiles"]
    (_, params) = bench.client.asked[-1]
    globs = [
        one["globPattern"] for one in params["registrations"][0]["registerOptions"]["watchers"]
    ]
    assert globs == list(WATCHED_GLOBS)
    changed = bench.write("order.py", ORDER)
    changes = [
        {"uri": changed, "type": 2},
        {"uri": "http://example.org/order.py", "type": 1},
        {"uri": "file:///nowhere/order.py", "type": 3},
        {"uri": "untitled:x", "type": 1},
        {"uri": "", "type": 1},
    ]
    bench.client.notify("workspace/didChangeWatchedFiles", {"changes": changes})
    await bench.until_shown(uri, "class Order:")
    assert bench.registered() == ["workspace/didChangeWatchedFiles"], "once is enough"


async def test_a_client_that_cannot_watch_is_not_asked(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    await bench.start()
    uri = bench.open("own.py", OWN)
    await bench.until_shown(uri, "class Order:")
    assert bench.registered() == []


async def test_a_saved_file_is_read_again(bench: Bench) -> None:
    bench.write("order.py", "unrelated = 1\n")
    await bench.start()
    uri = bench.open("own.py", OWN)
    bench.move(uri, 4, 11)
    other = bench.open("order.py", ORDER)
    bench.write("order.py", ORDER)
    bench.client.notify("textDocument/didSave", {"textDocument": {"uri": other}, "text": ORDER})
    bench.client.notify("textDocument/didClose", {"textDocument": {"uri": other}})
    await bench.until_shown(uri, "class Order:")


@pytest.mark.parametrize("ignored", [".gitignore", ".aiignore"])
async def test_what_is_ignored_from_now_on_is_not_shown(bench: Bench, ignored: str) -> None:
    bench.write("order.py", ORDER)
    await bench.start()
    uri = bench.open("own.py", OWN)
    await bench.until_shown(uri, "class Order:")
    changed = bench.write(ignored, "order.py\n")
    changes = {"changes": [{"uri": changed, "type": 1}]}
    bench.client.notify("workspace/didChangeWatchedFiles", changes)
    assert "class Order:" not in (await bench.explain(uri, 4, 11))["prompt"]
    bench.move(uri, 3, 0)
    await asyncio.sleep(0.2)
    assert "class Order:" not in (await bench.explain(uri, 4, 11))["prompt"]


async def test_a_flood_of_changes_is_not_looked_at_one_by_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write("order.py", ORDER)
    await bench.start(WATCHING)
    uri = bench.open("own.py", OWN)
    await bench.until_shown(uri, "class Order:")
    one_by_one: list[str] = []
    monkeypatch.setattr(Keeper, "file_changed", lambda _, path: one_by_one.append(path))
    bench.write("order.py", ORDER.replace("Order:", "Order(Base):"))
    uris = [(bench.folder / f"{number}.py").as_uri() for number in range(3_000)]
    changes = {"changes": [{"uri": one, "type": 2} for one in uris]}
    bench.client.notify("workspace/didChangeWatchedFiles", changes)
    await bench.until_shown(uri, "class Order(Base):")
    assert one_by_one == []


async def test_clearing_the_cache_drops_what_was_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write("order.py", ORDER)
    await bench.start()
    uri = bench.open("own.py", OWN)
    await bench.until_shown(uri, "class Order:")
    # No look that is due already may bring it back.
    monkeypatch.setattr(keeping, "IDLE_SECONDS", 60.0)
    bench.client.change(uri, 2, ((4, 18, 4, 18), " "))
    await bench.client.request("workspace/executeCommand", {"command": "sirdab.clearCache"})
    assert await bench.block(uri) == []


async def test_who_does_not_tell_of_the_cursor_is_still_followed_by_what_is_asked(
    bench: Bench,
) -> None:
    bench.write("order.py", ORDER)
    await bench.start()
    uri = bench.open("own.py", OWN)
    reading: list[int] = []
    moved = warm_up.WarmUp._begin

    def begun(self: warm_up.WarmUp, request: Any) -> None:
        reading.append(request.point.line)
        moved(self, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warm_up.WarmUp, "_begin", begun)
        # The pause behind a key is concluded from the key.
        bench.client.change(uri, 2, ((2, 0, 2, 0), "x"))
        await bench.client.until(lambda: 2 in reading)
        place = {"line": 4, "character": 3}
        await bench.client.request(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": uri},
                "range": {"start": place, "end": place},
                "context": {"diagnostics": []},
            },
        )
        assert reading[-1] == 4


async def test_no_secret_reaches_the_model(bench: Bench) -> None:
    bench.write("order.py", ORDER.replace("amount", f'token="{TOKEN}"'))
    await bench.start()
    uri = bench.open("own.py", OWN)
    await bench.until_shown(uri, "class Order:")
    assert "REDACTED" in (await bench.explain(uri, 4, 11))["prompt"]
    assert all(TOKEN not in request.prompt for request in bench.endpoint.requests)


async def test_the_index_ends_with_the_session(bench: Bench) -> None:
    bench.write("order.py", ORDER)
    await bench.start()
    uri = bench.open("own.py", OWN)
    await bench.until_shown(uri, "class Order:")
    await bench.client.server.close()
    import threading

    assert not [one for one in threading.enumerate() if one.name == "sirdab-index"]


async def test_without_a_keeper_all_goes_on(client: InProcess) -> None:
    await client.start(WATCHING)
    client.open("file:///a.py", "x = 1\n")
    client.change("file:///a.py", 2, ((0, 0, 0, 0), "y"))
    client.notify("workspace/didChangeWatchedFiles", {"changes": []})
    client.notify("textDocument/didSave", {"textDocument": {"uri": "file:///a.py"}})
    client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///a.py"}})
    await client.settle()


def test_nothing_of_it_is_loaded_before_initialize() -> None:
    program = (
        "import sys\n"
        "from sirdab.server.app import create_server\n"
        "create_server()\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "sirdab.server.context" in loaded
    assert not {name for name in loaded if f"{name}.".startswith("sirdab.context.")}
    assert "sqlite3" not in loaded
