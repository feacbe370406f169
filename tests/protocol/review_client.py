"""A client that reviews, for the tests of reviews and code actions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sirdab.endpoint.lane import Lane
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, UTF16, InProcess, in_process, range_of
from tests.support.review import ScriptedModel

URI = "file:///project/a.py"

RESOLVES = {
    "dataSupport": True,
    "resolveSupport": {"properties": ["edit"]},
    "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor"]}},
}
PROGRESS = {"window": {"workDoneProgress": True}}
EDITS = {"applyEdit": True, "workspaceEdit": {"documentChanges": True}}
ANNOTATES = {
    "applyEdit": True,
    "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}},
}


SHOWS = {
    "dataSupport": True,
    "codeDescriptionSupport": True,
    "tagSupport": {"valueSet": [1, 2]},
    "relatedInformation": True,
}


def capabilities(
    action: Any = None, workspace: Any = None, shows: Any = SHOWS, **more: Any
) -> dict[str, Any]:
    """What a client announces that does not pull diagnostics."""
    document = {**INLINE["textDocument"], "publishDiagnostics": shows}
    if action is not None:
        document["codeAction"] = action
    found: dict[str, Any] = {**UTF16, "textDocument": document, **more}
    if workspace is not None:
        found["workspace"] = workspace
    return found


@asynccontextmanager
async def reviewing(
    model: ScriptedModel, announced: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[InProcess]:
    """Connect a client to a server whose reviews ask a scripted model."""
    async with in_process(ScriptedEngine(), endpoints=model) as client:
        # Nobody types in these tests, and what types is tested with the lane.
        client.server.lane = Lane(quiet_s=0)
        params = {
            name: options.pop(name)
            for name in ("workspaceFolders", "clientInfo")
            if name in options
        }
        await client.start(announced or capabilities(), {"review": options}, **params)
        yield client


async def execute(client: InProcess, command: str, *arguments: Any, **more: Any) -> Any:
    """Execute a command of the server."""
    params = {"command": command, "arguments": list(arguments), **more}
    return await client.request("workspace/executeCommand", params)


async def review(client: InProcess, uri: str = URI, **more: Any) -> int:
    """Review a document and return how many findings there are."""
    return (await execute(client, "sirdab.reviewDocument", {"uri": uri, **more}))["findings"]


def published(client: InProcess, uri: str = URI) -> list[dict[str, Any]]:
    """Take out what was published last of a document; fails when nothing was."""
    found = None
    while (entry := client._pop("textDocument/publishDiagnostics")) is not None:
        if entry[0]["uri"] == uri:
            found = entry[0]
    assert found is not None, "nothing was published"
    return found["diagnostics"]


async def shown(client: InProcess, expect: list[int], uri: str = URI) -> list[dict[str, Any]]:
    """Wait until a document's diagnostics are pushed and begin on these lines; return them."""
    found: list[dict[str, Any]] = []

    def are_there() -> bool:
        while (entry := client._pop("textDocument/publishDiagnostics")) is not None:
            if entry[0]["uri"] == uri:
                found[:] = entry[0]["diagnostics"]
                came.append(True)
        return bool(came) and lines(found) == expect

    came: list[bool] = []
    await client.until(are_there)
    return found


def lines(diagnostics: list[dict[str, Any]]) -> list[int]:
    """The lines that diagnostics begin on."""
    return [entry["range"]["start"]["line"] for entry in diagnostics]


async def actions(
    client: InProcess,
    span: tuple[int, int, int, int] = (0, 0, 99, 0),
    diagnostics: list[dict[str, Any]] | None = None,
    uri: str = URI,
    **context: Any,
) -> list[dict[str, Any]]:
    """Ask for code actions."""
    params = {
        "textDocument": {"uri": uri},
        "range": range_of(*span),
        "context": {"diagnostics": diagnostics or [], **context},
    }
    return await client.request("textDocument/codeAction", params) or []


def folder(path: Path) -> list[dict[str, str]]:
    """A workspace of one folder."""
    return [{"uri": path.as_uri(), "name": path.name}]
