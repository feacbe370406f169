"""The instant answer over the protocol: with a model server that is down."""

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
