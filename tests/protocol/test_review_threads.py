"""What takes long is never done on the loop that answers keystrokes, and never twice.

No time is asserted, because it would say more of the machine than of the code:
`bench/held.py` measures. Here the dear functions are watched: which thread they run in, and how
often for one state of a document.
"""

import asyncio
import contextlib
import functools
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from sirdab.models import catalog
from sirdab.server.review import publish, recalling
from sirdab.text.store import Text
from tests.protocol.review_client import (
    URI,
    actions,
    capabilities,
    execute,
    folder,
    lines,
    review,
    reviewing,
    shown,
)
from tests.support.lsp_client import InProcess
from tests.support.review import MUTABLE, SQL, ScriptedModel, answer, only_named, raw

PUBLISH = "textDocument/publishDiagnostics"
PLAIN = "".join(
    f"\n\ndef kept_{number}(values, limit):\n    return [one for one in values if one > limit]\n"
    for number in range(40)
)
# Whether that is a comment, only a tree says.
IGNORED = "\n\nstamp = md5(name)  # sirdab: ignore[weak-hash]\n"
CODE = f"{SQL}{IGNORED}{PLAIN}\n\n{MUTABLE}"
SECOND = CODE.count("\n", 0, CODE.index("def add"))

# What looks at a whole document, reads the disk or starts a program.
DEAR = (
    ("sirdab.review.units", "parse_alone"),
    ("sirdab.review.units", "_context"),
    ("sirdab.review.comment_start", "parse_alone"),
    ("sirdab.review.suppress", "read"),
    ("sirdab.review.comments", "blanked"),
    ("sirdab.review.reviewer", "_units"),
    ("sirdab.review.reviewer", "_case"),
    ("sirdab.review.rules", "candidates"),
    ("sirdab.policy.secrets", "find_secrets"),
    ("sirdab.review.evidence", "Linter.findings"),
    ("sirdab.review.store", "ReviewStore.get"),
    ("sirdab.review.store", "ReviewStore.put"),
    ("sirdab.models.catalog", "parse"),
)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    only_named(monkeypatch)
    monkeypatch.setattr(recalling, "_PAUSE_SECONDS", 0.05)


def say(request: Any) -> str:
    asked = request.prompt.rpartition("Rules:")[2]
    if "items=[]" in asked:
        return answer(raw("def add(item, items=[]):", 1, "mutable-default"))
    return answer(raw()) if "SELECT" in asked else answer()


class Watch:
    """Notes what of the dear functions ran on the loop, and how often a state was split."""

    def __init__(self) -> None:
        self.loop = threading.get_ident()
        self.ran: Counter[str] = Counter()
        self.on_loop: Counter[str] = Counter()
        self.split: Counter[Text] = Counter()

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            self.ran[name] += 1
            if threading.get_ident() == self.loop:
                self.on_loop[name] += 1
            if name == "sirdab.review.reviewer._units":
                self.split[arguments[0].snapshot.text] += 1
            return function(*arguments, **named)

        return run


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    watch = Watch()
    with contextlib.ExitStack() as stack:
        # What earlier tests have loaded is loaded again, and theirs is left as it is.
        anew = functools.cache(catalog.load.__wrapped__)
        stack.enter_context(mock.patch.object(catalog, "load", anew))
        for module, path in DEAR:
            owner: Any = import_module(module)
            *outer, name = path.split(".")
            for part in outer:
                owner = getattr(owner, part)
            watched = watch.watched(f"{module}.{path}", getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, watched))
        yield watch


@contextlib.asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[tuple[InProcess, Watch]]:
    async with session(**options) as client:
        with watching() as watch:
            yield client, watch


@contextlib.asynccontextmanager
async def session(**options: Any) -> AsyncIterator[InProcess]:
    """Connect a client that need not look at all that it is told."""
    async with reviewing(ScriptedModel(say), capabilities(), **options) as client:
        yield client
        client.ignored.add(PUBLISH)
        while client._pop(PUBLISH) is not None:
            continue


async def _review(client: InProcess) -> None:
    assert await review(client) == 2


async def _review_some_lines(client: InProcess) -> None:
    where = {"start": {"line": 0, "character": 0}, "end": {"line": 3, "character": 0}}
    assert await review(client, range=where) == 1


async def _save(client: InProcess) -> None:
    client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
    await shown(client, [2, SECOND])


async def _edit_and_undo(client: InProcess) -> None:
    await review(client)
    await shown(client, [2, SECOND])
    client.change(URI, 2, ((0, 0, 0, 0), "\n"))
    await shown(client, [3, SECOND + 1])
    # What an edit withdraws is looked for again in the reviewer's memory.
    client.change(URI, 3, ((3, 5, 3, 6), "X"))
    await shown(client, [SECOND + 1])
    client.change(URI, 4, ((3, 5, 3, 6), "u"))
    await shown(client, [3, SECOND + 1])


async def _open_again(client: InProcess) -> None:
    await review(client)
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    await shown(client, [])
    client.open(URI, CODE, version=9)
    await shown(client, [2, SECOND])


async def _comment(client: InProcess) -> None:
    await review(client)
    await shown(client, [2, SECOND])
    client.change(URI, 2, ((2, 0, 2, 0), "    # sirdab: ignore[sql-injection]\n"))
    await shown(client, [SECOND + 1])


async def _ask_for_actions(client: InProcess) -> None:
    await review(client)
    assert await actions(client, (2, 0, 2, 4))


@pytest.mark.parametrize(
    "doing",
    [
        _review,
        _review_some_lines,
        _save,
        _edit_and_undo,
        _open_again,
        _comment,
        _ask_for_actions,
    ],
)
async def test_nothing_dear_is_done_on_the_loop(
    doing: Callable[[InProcess], Coroutine[Any, Any, None]],
) -> None:
    async with connected(run="onSave") as (client, watch):
        client.open(URI, CODE)
        await doing(client)
    never = [name for name in (f"{module}.{path}" for module, path in DEAR) if not watch.ran[name]]
    assert not never, "these are not watched any more"
    assert not watch.on_loop


async def test_a_review_of_the_workspace_leaves_the_loop_alone(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"file_{number}.py").write_text(CODE, encoding="utf-8")
    async with connected(workspaceFolders=folder(tmp_path)) as (client, watch):
        found = await execute(client, "sirdab.reviewWorkspace")
        assert found == {"files": 3, "findings": 6}
    assert watch.ran["sirdab.review.reviewer._units"] == 3
    assert not watch.on_loop


async def test_each_state_of_a_document_is_split_once_for_a_review() -> None:
    async with connected() as (client, watch):
        client.open(URI, CODE)
        await review(client)
        assert list(watch.split.values()) == [1]
        # Keys that are typed with findings on the screen split nothing, neither now nor later.
        for number in range(5):
            client.change(URI, number + 2, ((8, 0, 8, 0), "\n"))
        await shown(client, [2, SECOND + 5])
        await asyncio.sleep(0.2)
        assert list(watch.split.values()) == [1]
        before = watch.ran.copy()
        await actions(client, (2, 0, 2, 4))
        assert watch.ran == before


async def test_what_a_review_needs_is_loaded_in_a_thread_and_once() -> None:
    from sirdab.server.review import models

    threads: list[int] = []

    def load() -> None:
        threads.append(threading.get_ident())
        real()

    real = models.load
    with mock.patch.object(models, "load", load):
        async with session() as client:
            client.open(URI, CODE)
            found = await asyncio.gather(
                *(client.server.reviews._models.reviewer() for _ in range(3))
            )
            assert await review(client) == 2
    # Those who waited for it together have the same one, which is closed at the end.
    assert len({id(one) for one in found}) == 1
    assert threads
    assert threading.get_ident() not in threads


async def test_documents_are_told_of_in_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, messages are read between two of them."""
    monkeypatch.setattr(publish, "_TURN_SECONDS", 0.0)
    files = [tmp_path / f"file_{number}.py" for number in range(6)]
    for file in files:
        file.write_text(SQL, encoding="utf-8")
    async with session(workspaceFolders=folder(tmp_path)) as client:
        await execute(client, "sirdab.reviewWorkspace")
        client.open(files[3].as_uri(), SQL)
        (diagnostic,) = await shown(client, [2], files[3].as_uri())
        turn = 0
        told: dict[int, list[str]] = {}

        async def count() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        send = client.server.protocol.notify_plain

        def note(method: str, params: dict[str, Any]) -> None:
            assert lines(params["diagnostics"]) == []
            told.setdefault(turn, []).append(params["uri"])
            send(method, params)

        counting = asyncio.ensure_future(count())
        with mock.patch.object(client.server.protocol, "notify_plain", note):
            fingerprint = diagnostic["data"]["fingerprint"]
            await execute(client, "sirdab.dismiss", fingerprint, "rule", files[3].as_uri())
            await client.until(lambda: len(told) == len(files))
        counting.cancel()
    assert [len(uris) for uris in told.values()] == [1] * len(files)
    # What is on the screen comes first.
    assert next(iter(told.values())) == [files[3].as_uri()]
