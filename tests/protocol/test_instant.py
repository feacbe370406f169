"""The instant answer over the protocol: with a model server that is down."""

import asyncio
from pathlib import Path
from typing import Any

from sirdab.completion.engine import Engine
from sirdab.endpoint.base import EndpointError, ProblemKind
from tests.support.completion import ScriptedEndpoint
from tests.support.lsp_client import InProcess, in_process

URI = "file:///a.py"
OTHER = "file:///b.py"
SOURCE = "\n".join(f"def f{n}():\n    return self.width + margin\n" for n in range(3))
HERE = "def g():\n    return self.wi"
DOWN = EndpointError(ProblemKind.DOWN, "No model server answers.")


async def explain(client: InProcess) -> dict[str, Any]:
    position = {"line": 1, "character": 18}
    params = {"textDocument": {"uri": URI}, "position": position}
    return await client.request("sirdab/explain", params)


async def test_a_model_server_that_is_down_is_stood_in_for() -> None:
    async with in_process(Engine(ScriptedEndpoint("", problem=DOWN))) as client:
        await client.start(options={"completion": {"debounceMs": 0}})
        client.open(OTHER, SOURCE)
        client.open(URI, HERE)
        for trigger in (1, 2):
            answer = await client.inline(URI, 1, 18, trigger=trigger)
            assert [item["insertText"] for item in answer["items"]] == ["dth + margin"]
            assert answer["items"][0]["command"]["command"] == "sirdab.accept"
        found = await explain(client)
    assert (found["reason"], found["suggestion"]) == ("suggested", "dth + margin")
    trace = found["trace"]
    assert (trace["source"], trace["problem"]) == ("copy", "down")
    assert trace["copy"]["from"] == "b.py:2"
    assert trace["copy"]["confidence"] >= trace["copy"]["bar"]


async def test_what_is_excluded_is_never_copied_from() -> None:
    async with in_process(Engine(ScriptedEndpoint("", problem=DOWN))) as client:
        privacy = {"exclude": ["b.py"]}
        await client.start(options={"completion": {"debounceMs": 0}, "privacy": privacy})
        client.open(OTHER, SOURCE)
        client.open(URI, HERE)
        assert await client.inline(URI, 1, 18) is None
        found = await explain(client)
    assert (found["reason"], found["suggestion"]) == ("endpoint", None)
    assert found["trace"].get("copy") is None


async def test_a_closed_document_is_still_copied_from() -> None:
    async with in_process(Engine(ScriptedEndpoint("", problem=DOWN))) as client:
        await client.start(options={"completion": {"debounceMs": 0}})
        client.open(OTHER, SOURCE)
        client.open(URI, HERE)
        await client.inline(URI, 1, 18)
        client.notify("textDocument/didClose", {"textDocument": {"uri": OTHER}})
        client.change(URI, 2, f"# A new line\n{HERE}")
        answer = await client.inline(URI, 2, 18)
    assert [item["insertText"] for item in answer["items"]] == ["dth + margin"]


async def test_files_beside_the_document_are_copied_from(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text(SOURCE, encoding="utf-8")
    uri = (tmp_path / "a.py").as_uri()
    folders = [{"uri": tmp_path.as_uri(), "name": "w"}]
    async with in_process(Engine(ScriptedEndpoint("", problem=DOWN))) as client:
        await client.start(options={"completion": {"debounceMs": 0}}, workspaceFolders=folders)
        client.open(uri, HERE)
        answer = None
        # They are read when the document has been open for a moment.
        for _ in range(400):
            answer = answer or await client.inline(uri, 1, 18)
            await asyncio.sleep(0 if answer else 0.05)
        assert answer is not None
        assert [item["insertText"] for item in answer["items"]] == ["dth + margin"]
        # A file that is written is read again.
        (tmp_path / "b.py").write_text(SOURCE.replace("width", "winter"), encoding="utf-8")
        changed = {"uri": (tmp_path / "b.py").as_uri(), "type": 2}
        client.notify("workspace/didChangeWatchedFiles", {"changes": [changed]})
        version = 1
        async with asyncio.timeout(20):
            while answer is None or answer["items"][0]["insertText"] != "nter + margin":
                version += 1
                client.change(uri, version, f"# {version}\n{HERE}")
                answer = await client.inline(uri, 2, 18)
                await asyncio.sleep(0.05)
