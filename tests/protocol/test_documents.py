"""The server's documents are the client's, at every place of the stream."""

import pytest

from tests.protocol.engines import ScriptedEngine, line_before
from tests.support.lsp_client import INLINE, InProcess

URI = "file:///a.py"


async def seen(client: InProcess, line: int, character: int, uri: str = URI) -> str | None:
    """What the engine is shown of the line before the cursor."""
    answer = await client.inline(uri, line, character)
    return answer and answer["items"][0]["insertText"][1:-1]


async def test_a_request_sees_the_document_at_its_place_in_the_stream(
    client: InProcess, engine: ScriptedEngine
) -> None:
    # Trap 1: all of this is in the server before any task has run.
    await client.start()
    engine.answer = line_before
    client.open(URI, "a")
    client.open("file:///b.py", "1")
    answers = [client.begin_inline(URI, 0, 9)]
    for version, letter in enumerate("bcdef", start=2):
        client.change(URI, version, ((0, 9, 0, 9), letter))
        answers.append(client.begin_inline("file:///b.py", 0, 9))
    last = client.begin_inline(URI, 0, 9)
    client.change(URI, 9, "gone")
    assert (await last)["items"][0]["insertText"] == "<abcdef>"
    assert await answers[0] is None
    assert [request.snapshot.version for request in engine.requests][-1] == 6
    await client.settle()
    for answer in answers:
        await answer


async def test_changes_of_one_notification_apply_in_order(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    engine.answer = line_before
    client.open(URI, "one\ntwo\n")
    client.change(URI, 2, ((0, 0, 0, 3), "1\n2"), ((1, 1, 1, 1), "x"), ((2, 0, 2, 3), "2!"))
    assert [await seen(client, line, 9) for line in range(4)] == ["1", "2x", "2!", ""]


async def test_only_line_ends_of_lsp_are_line_ends(
    client: InProcess, engine: ScriptedEngine
) -> None:
    # Trap 3.
    await client.start()
    engine.answer = line_before
    client.open(URI, "a\x0cb\u2028c\x85d\x0be\x1cf\rg\r\nh\ni")
    client.change(URI, 2, ((3, 0, 3, 1), "I"))
    assert await seen(client, 0, 99) == "a\x0cb\u2028c\x85d\x0be\x1cf"
    assert [await seen(client, line, 9) for line in (1, 2, 3)] == ["g", "h", "I"]


@pytest.mark.parametrize(
    ("offered", "agreed", "column"),
    [
        (["utf-8", "utf-16", "utf-32"], "utf-8", 9),
        (["utf-16"], "utf-16", 5),
        (["utf-32", "utf-8", "utf-16"], "utf-32", 3),
        (None, "utf-16", 5),
        ([], "utf-16", 5),
    ],
)
async def test_positions_in_the_agreed_encoding(
    client: InProcess,
    engine: ScriptedEngine,
    offered: list[str] | None,
    agreed: str,
    column: int,
) -> None:
    # "𝒳" has 4 bytes, 2 code units, 1 code point; so has the emoji.
    engine.answer = line_before
    general = {} if offered is None else {"general": {"positionEncodings": offered}}
    capabilities = await client.start({**general, **INLINE})
    assert capabilities["positionEncoding"] == agreed
    client.open(URI, "𝒳🎉=z")
    answer = await client.inline(URI, 0, column)
    item = answer["items"][0]
    assert item["insertText"] == "<𝒳🎉=>"
    position = {"line": 0, "character": column}
    assert item["range"] == {"start": position, "end": position}
    client.change(URI, 2, ((0, column - 1, 0, column), "≠ß"))
    assert await seen(client, 0, 99) == "𝒳🎉≠ßz"


async def test_positions_outside_are_clamped_and_the_params_are_not_touched(
    client: InProcess, engine: ScriptedEngine
) -> None:
    # Trap 4.
    await client.start()
    engine.answer = line_before
    client.open(URI, "ab\ncd")
    assert await seen(client, 0, 99) == "ab"
    assert await seen(client, 99, 99) == "cd"
    assert engine.requests[-1].point == (1, 2)


async def test_a_change_of_a_document_that_was_never_opened(client: InProcess) -> None:
    # Trap 8: pygls shows a message.
    await client.start()
    client.change(URI, 2, ((0, 0, 0, 0), "x"))
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    client.notify("textDocument/didSave", {"textDocument": {"uri": URI}, "text": "x"})
    assert await client.inline(URI, 0, 0) is None


async def test_nothing_is_read_from_disk(
    client: InProcess, engine: ScriptedEngine, tmp_path: object
) -> None:
    # Trap 9: pygls would read the file.
    from pathlib import Path

    path = Path(str(tmp_path)) / "secret.py"
    path.write_text("password = 1\n", encoding="utf-8")
    await client.start()
    assert await client.inline(path.as_uri(), 0, 3) is None
    assert engine.requests == []


async def test_one_document_may_be_spelt_in_two_ways(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    engine.answer = line_before
    client.open("file:///c%3A/a%20b.py", "x")
    client.change("file:///c:/a b.py", 2, ((0, 1, 0, 1), "y"))
    assert await seen(client, 0, 9, "file:///c%3A/a%20b.py") == "xy"
    assert await seen(client, 0, 9, "FILE:///c:/a%20b.py") == "xy"
    assert engine.requests[-1].snapshot.uri == "file:///c%3A/a%20b.py"


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-1",
        "vscode-notebook-cell:/home/x/n.ipynb#W0sZmlsZQ%3D%3D",
        "file://localhost/a.py",
        "file:///a%20b/%D8%B3.py",
    ],
)
async def test_uris_that_are_served(client: InProcess, engine: ScriptedEngine, uri: str) -> None:
    await client.start()
    engine.answer = line_before
    client.open(uri, "x")
    assert await seen(client, 0, 1, uri) == "x"


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.org/a.py",
        "git:/a.py",
        "vscode-remote://host/a.py",
        "file://server/share/a.py",
        "file:////server/share/a.py",
        "file:///%5C%5Cserver/share/a.py",
        "file:///a/../../etc/passwd",
        "file:///a/%2e%2e/b.py",
        "file:///a/..%2Fb.py",
        "file:///a%00.py",
        "file:///a\n.py",
        "file://[bad/a.py",
        "",
        "/a.py",
    ],
)
async def test_uris_that_are_not_served(
    client: InProcess, engine: ScriptedEngine, uri: str
) -> None:
    # Trap 16.
    await client.start()
    client.open(uri, "x")
    client.change(uri, 2, ((0, 0, 0, 0), "y"))
    assert await client.inline(uri, 0, 1) is None
    assert engine.requests == []


@pytest.mark.parametrize(
    "change",
    [
        {"text": None},
        {"range": {"start": {"line": -1, "character": 0}}, "text": "x"},
        {"range": None, "text": "x"},
        {"range": {}, "text": "x"},
        5,
    ],
)
async def test_a_change_that_cannot_be_read_makes_the_document_suspect(
    client: InProcess, engine: ScriptedEngine, change: object
) -> None:
    await client.start()
    client.open(URI, "x")
    params = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [change]}
    client.notify("textDocument/didChange", params)
    await client.inline(URI, 0, 1)
    assert engine.requests[-1].snapshot.suspect
    client.change(URI, 3, ((0, 0, 0, 0), "y"))
    await client.inline(URI, 0, 1)
    assert engine.requests[-1].snapshot.suspect
    client.change(URI, 4, "all of it")
    await client.inline(URI, 0, 1)
    assert engine.requests[-1].snapshot.suspect is None
    assert str(engine.requests[-1].snapshot.text) == "all of it"


async def test_saving_heals_a_document_that_differs(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x", version=5)
    client.change(URI, 3, ((0, 0, 0, 0), "y"))
    await client.inline(URI, 0, 1)
    assert engine.requests[-1].snapshot.suspect
    client.notify("textDocument/didSave", {"textDocument": {"uri": URI}, "text": "saved"})
    await client.inline(URI, 0, 1)
    assert engine.requests[-1].snapshot.suspect is None
    assert str(engine.requests[-1].snapshot.text) == "saved"


async def test_saving_an_equal_text_keeps_what_is_cached_for_it(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x")
    await client.inline(URI, 0, 1)
    client.notify("textDocument/didSave", {"textDocument": {"uri": URI}, "text": "x"})
    await client.inline(URI, 0, 1)
    assert engine.requests[0].snapshot.text is engine.requests[1].snapshot.text


async def test_a_closed_document_is_forgotten(client: InProcess, engine: ScriptedEngine) -> None:
    await client.start()
    client.open(URI, "x")
    engine.held.clear()
    answer = client.begin_inline(URI, 0, 1)
    await client.until(lambda: engine.requests)
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert await answer is None
    await client.until(lambda: engine.cancelled)
    assert engine.forgotten == [URI]
    assert await client.inline(URI, 0, 1) is None


async def test_half_a_surrogate_pair_goes_in_and_out(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    engine.answer = line_before
    body = (
        '{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":'
        '{"uri":"file:///a.py","languageId":"python","version":1,"text":"a\\ud83db"}}}'
    )
    client.write_body(body.encode())
    assert await seen(client, 0, 2) == "a\ud83d"


async def test_workspace_folders(client: InProcess, engine: ScriptedEngine) -> None:
    folder = {"uri": "file:///w%20s", "name": "w"}
    await client.start(workspaceFolders=[folder, {"uri": "http://x/y", "name": "no"}])
    client.open(URI, "x")
    await client.inline(URI, 0, 1)
    assert engine.requests[-1].workspace_folders == ("/w s",)
    event = {"added": [{"uri": "file:///other", "name": "o"}], "removed": [folder]}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
    await client.inline(URI, 0, 1)
    assert engine.requests[-1].workspace_folders == ("/other",)


async def test_pygls_keeps_no_copy(client: InProcess) -> None:
    await client.start()
    client.open(URI, "x")
    await client.settle()
    with pytest.raises(RuntimeError):
        _ = client.server.workspace
