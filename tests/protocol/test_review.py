"""Reviews: commands, diagnostics, progress, dismissals."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.server.review import unasked
from tests.protocol.review_client import (
    PROGRESS,
    SHOWS,
    URI,
    capabilities,
    execute,
    folder,
    lines,
    published,
    review,
    reviewing,
    shown,
)
from tests.support.lsp_client import InProcess, LspError
from tests.support.review import MUTABLE, SQL, SQL_LINE, ScriptedModel, answer, only_named, raw


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))


def say(request: Any) -> str:
    """Find what there is to find in the two samples."""
    asked = request.prompt.rpartition("Rules:")[2]
    if "items=[]" in asked:
        return answer(raw("def add(item, items=[]):", 1, "mutable-default"))
    return answer(raw())


async def test_a_document_is_reviewed() -> None:
    announced = capabilities(shows={**SHOWS, "versionSupport": True})
    async with reviewing(ScriptedModel(say), announced) as client:
        client.open(URI, SQL, version=7)
        assert await review(client) == 1
        params = await client.expect_notification("textDocument/publishDiagnostics")
        while client._pop("textDocument/publishDiagnostics"):
            pass
        assert params["version"] == 7
        (diagnostic,) = params["diagnostics"]
        assert diagnostic["source"] == "sirdab"
        assert diagnostic["code"] == "security/sql-injection"
        assert diagnostic["severity"] == 1
        assert diagnostic["range"] == {
            "start": {"line": 2, "character": 4},
            "end": {"line": 2, "character": 4 + len(SQL_LINE)},
        }
        assert len(diagnostic["data"]["fingerprint"]) == 24


async def test_positions_are_in_the_clients_units() -> None:
    line = SQL_LINE.replace("users", "u😀s")
    model = ScriptedModel(answer(raw("cursor.execute(")))
    async with reviewing(model) as client:
        client.open(URI, SQL.replace(SQL_LINE, line))
        await review(client)
        (diagnostic,) = published(client)
        assert diagnostic["range"]["end"]["character"] == 4 + len(line) + 1


async def test_a_range_is_reviewed() -> None:
    model = ScriptedModel(say)
    async with reviewing(model) as client:
        client.open(URI, f"{SQL}\n{MUTABLE}")
        span = {"start": {"line": 5, "character": 0}, "end": {"line": 6, "character": 0}}
        assert await review(client, range=span) == 1
        assert lines(published(client)) == [5]
        assert await review(client) == 2
        assert lines(published(client)) == [2, 5]
        # What lies outside of a range keeps what was found in it.
        assert await review(client, range=span) == 2
        published(client)
        assert len(model.requests) == 2


@pytest.mark.parametrize(
    ("version", "change", "expect"),
    [
        (2, ((0, 0, 0, 0), "import os\n\n"), [4, 7]),
        (2, ((4, 0, 4, 0), "\n\n"), [2, 7]),
        (2, ((2, 4, 2, 4), "x = "), [5]),
        (2, ((5, 13, 5, 21), "items=None"), [2]),
        (2, "", []),
        (2, ((0, 0, 3, 0), ""), [2]),
    ],
)
async def test_findings_follow_edits_or_go(version: int, change: Any, expect: list[int]) -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, f"{SQL}\n{MUTABLE}")
        await review(client)
        assert lines(published(client)) == [2, 5]
        client.change(URI, version, change)
        await shown(client, expect)


async def test_an_edit_elsewhere_tells_nothing() -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, SQL)
        await review(client)
        published(client)
        client.change(URI, 2, ((3, 0, 3, 0), "    # a comment"))
        await client.settle()
        client.check()


async def test_an_edit_during_a_review_does_not_misplace_what_it_finds() -> None:
    model = ScriptedModel(say)
    model.held.clear()
    async with reviewing(model) as client:
        client.open(URI, SQL)
        answer_ = client.begin(
            "workspace/executeCommand",
            {"command": "sirdab.reviewDocument", "arguments": [{"uri": URI}]},
        )
        await client.until(lambda: model.requests)
        client.change(URI, 2, ((0, 0, 0, 0), "import os\n\n"))
        model.held.set()
        assert (await answer_)["findings"] == 1
        assert lines(published(client)) == [4]


@pytest.mark.parametrize("end", ["closed", "turned off"])
async def test_what_is_found_too_late_is_not_shown(end: str) -> None:
    model = ScriptedModel(say)
    model.held.clear()
    async with reviewing(model) as client:
        client.open(URI, SQL)
        params = {"command": "sirdab.reviewDocument", "arguments": [{"uri": URI}]}
        begun = client.begin("workspace/executeCommand", params)
        await client.until(lambda: model.requests)
        if end == "closed":
            client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        else:
            settings = {"sirdab": {"review": {"enabled": False}}}
            client.notify("workspace/didChangeConfiguration", {"settings": settings})
        model.held.set()
        assert (await begun)["findings"] == 0
        await client.settle()
        client.check()


async def test_findings_are_withdrawn_on_close() -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, SQL)
        await review(client)
        assert published(client)
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        assert published(client) == []


async def test_a_review_replaces_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    only_named(monkeypatch)
    model = ScriptedModel(say)
    async with reviewing(model) as client:
        client.open(URI, SQL)
        assert await review(client) == 1
        assert published(client)
        model.answer = answer()
        await execute(client, "sirdab.clearCache")
        assert await review(client) == 0
        assert published(client) == []


@pytest.mark.parametrize("own_token", [True, False])
async def test_progress(own_token: bool) -> None:
    async with reviewing(ScriptedModel(say), capabilities(**PROGRESS)) as client:
        client.answers["window/workDoneProgress/create"] = None
        client.open(URI, f"{SQL}\n{MUTABLE}")
        more = {"workDoneToken": "mine"} if own_token else {}
        await execute(client, "sirdab.reviewDocument", {"uri": URI}, **more)
        published(client)
        values = []
        while entry := client._pop("$/progress"):
            values.append(entry[0])
        assert [value["value"]["kind"] for value in values] == ["begin", "report", "report", "end"]
        assert values[-1]["value"]["message"] == "2 findings"
        assert {value["token"] for value in values} == {"mine" if own_token else "sirdab-1"}
        assert [method for method, _ in client.asked if "Progress" in method] == (
            [] if own_token else ["window/workDoneProgress/create"]
        )


async def test_a_review_is_cancelled_in_the_display_of_progress() -> None:
    model = ScriptedModel()

    def hold_the_second(request: Any) -> str:
        if len(model.requests) == 2:
            model.held.clear()
        return say(request)

    model.answer = hold_the_second
    async with reviewing(model) as client:
        client.open(URI, f"{SQL}\n{SQL.replace('find_user', 'find_other')}")
        params = {
            "command": "sirdab.reviewDocument",
            "arguments": [{"uri": URI}],
            "workDoneToken": 5,
        }
        begun = client.begin("workspace/executeCommand", params)
        await client.until(lambda: len(model.requests) == 2)
        client.notify("window/workDoneProgress/cancel", {"token": 5})
        # What was found until then is kept.
        assert (await begun)["findings"] == 1
        assert lines(published(client)) == [2]
        client.ignored.add("$/progress")
        while client._pop("$/progress"):
            pass


async def test_a_cancelled_request_is_answered_so_and_its_progress_ends() -> None:
    model = ScriptedModel(say)
    model.held.clear()
    async with reviewing(model) as client:
        client.open(URI, SQL)
        params = {
            "command": "sirdab.reviewDocument",
            "arguments": [{"uri": URI}],
            "workDoneToken": 5,
        }
        begun = client.begin("workspace/executeCommand", params)
        await client.until(lambda: model.requests)
        client.cancel(begun)
        assert await client.error_of(begun) == -32800
        kinds: list[str] = []

        def ended() -> bool:
            while entry := client._pop("$/progress"):
                kinds.append(entry[0]["value"]["kind"])
            return kinds[-1:] == ["end"]

        await client.until(ended)
        assert model.broken_off == 1


# --- what does not work is said in one sentence ---------------------------------------------------


async def failure(client: InProcess, command: str, *arguments: Any) -> str:
    with pytest.raises(LspError) as error:
        await execute(client, command, *arguments)
    assert error.value.code == -32803
    return error.value.message


async def test_turned_off() -> None:
    model = ScriptedModel(say)
    async with reviewing(model, enabled=False) as client:
        client.open(URI, SQL)
        said = "Reviews are off; set review.enabled to true."
        assert await failure(client, "sirdab.reviewDocument", {"uri": URI}) == said
        assert model.requests == []


async def test_turning_it_off_withdraws_what_is_shown() -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, SQL)
        await review(client)
        assert published(client)
        settings = {"sirdab": {"review": {"enabled": False}}}
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        assert published(client) == []


@pytest.mark.parametrize(
    ("uri", "language", "says"),
    [
        ("file:///project/.env", "python", "excluded"),
        (URI, "markdown", "markdown"),
        ("file:///project/other.py", "python", "not open"),
    ],
)
async def test_what_is_not_reviewed(uri: str, language: str, says: str) -> None:
    model = ScriptedModel(say)
    async with reviewing(model) as client:
        client.open(uri if "other" not in uri else URI, SQL, language)
        assert says in await failure(client, "sirdab.reviewDocument", {"uri": uri})
        assert model.requests == []
        client.ignored.add("textDocument/publishDiagnostics")


async def test_the_endpoints_problem_is_told() -> None:
    model = ScriptedModel(problem=EndpointError(ProblemKind.DOWN, "It is down; start it."))
    async with reviewing(model) as client:
        client.open(URI, SQL)
        said = await failure(client, "sirdab.reviewDocument", {"uri": URI})
        assert said == "It is down; start it."


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("sirdab.reviewDocument", []),
        ("sirdab.reviewDocument", [{"uri": 5}]),
        ("sirdab.reviewDocument", [{"uri": URI, "range": {"start": 1}}]),
        ("sirdab.dismiss", []),
        ("sirdab.dismiss", ["x", "everything"]),
        ("sirdab.rewrite", [{"uri": URI}]),
        ("sirdab.fix", []),
        ("sirdab.fix", [{"uri": URI}]),
    ],
)
async def test_wrong_arguments(command: str, arguments: list[Any]) -> None:
    async with reviewing(ScriptedModel()) as client:
        client.open(URI, SQL)
        params = {"command": command, "arguments": arguments}
        assert await client.error_of(client.begin("workspace/executeCommand", params)) == -32602


# --- dismissals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["finding", "rule-here", "rule"])
async def test_what_is_dismissed_does_not_come_back(scope: str) -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, f"{SQL}\n{MUTABLE}")
        await review(client)
        fingerprint = published(client)[0]["data"]["fingerprint"]
        await execute(client, "sirdab.dismiss", fingerprint, scope)
        assert lines(published(client)) == [5]
        assert await review(client) == 1
        published(client)
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, f"\n{SQL}")
        assert await review(client) == 0
        assert published(client) == []


async def test_a_dismissed_finding_comes_back_when_its_code_changes() -> None:
    async with reviewing(ScriptedModel(answer(raw("cursor.execute(")))) as client:
        client.open(URI, SQL)
        await review(client)
        fingerprint = published(client)[0]["data"]["fingerprint"]
        await execute(client, "sirdab.dismiss", fingerprint, "finding")
        assert published(client) == []
        client.change(URI, 2, SQL.replace("cursor = connection", "cursor = self.connection"))
        assert await review(client) == 0
        assert published(client) == []
        client.change(URI, 3, SQL.replace("users", "people"))
        assert await review(client) == 1
        assert lines(published(client)) == [2]


async def test_an_unknown_finding_cannot_be_dismissed() -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, SQL)
        assert "no longer there" in await failure(client, "sirdab.dismiss", "nothing", "finding")


# --- the workspace --------------------------------------------------------------------------------


async def test_the_workspace_is_reviewed(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name, content in {
        "a.py": SQL,
        "deep/b.py": MUTABLE,
        "clean.py": "x = 1\n",
        "private/c.py": SQL,
        ".hidden/d.py": SQL,
        "node_modules/e.js": SQL,
        "secrets.py": "x = 1\n",
        "notes.md": SQL,
        "binary.py": "\0" + SQL,
        ".gitignore": "private/\n",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content, encoding="utf-8")
    (project / "outside.py").symlink_to(tmp_path / "state")
    model = ScriptedModel(say)
    async with reviewing(
        model, capabilities(**PROGRESS), workspaceFolders=folder(project)
    ) as client:
        client.answers["window/workDoneProgress/create"] = None
        client.ignored.add("$/progress")
        # What is open is reviewed as it is in the editor.
        opened = (project / "a.py").as_uri()
        client.open(opened, f"\n\n{SQL}")
        found = await execute(client, "sirdab.reviewWorkspace")
        assert found["findings"] == 2
        assert found["files"] in (3, 4)
        diagnostics = {}
        while entry := client._pop("textDocument/publishDiagnostics"):
            diagnostics[entry[0]["uri"]] = entry[0]
        assert set(diagnostics) == {opened, (project / "deep/b.py").as_uri()}
        assert lines(diagnostics[opened]["diagnostics"]) == [4]
        assert "version" not in diagnostics[(project / "deep/b.py").as_uri()]
        # Opening a file with another content moves its findings along.
        other = (project / "deep/b.py").as_uri()
        client.open(other, f"\n{MUTABLE}")
        assert lines(published(client, other)) == [1]


def project_of(path: Path, **files: str) -> Path:
    """Write a workspace of Python files."""
    project = path / "project"
    project.mkdir()
    for name, content in files.items():
        (project / f"{name}.py").write_text(content, encoding="utf-8")
    return project


async def test_an_open_document_of_another_kind_does_not_end_the_review(tmp_path: Path) -> None:
    project = project_of(tmp_path, a=SQL, b=MUTABLE)
    async with reviewing(ScriptedModel(say), workspaceFolders=folder(project)) as client:
        # The editor takes it for something that is not reviewed.
        client.open((project / "a.py").as_uri(), SQL, "jinja")
        found = await execute(client, "sirdab.reviewWorkspace")
        assert found == {"files": 1, "findings": 1}
        assert lines(published(client, (project / "b.py").as_uri())) == [0]


async def test_findings_of_a_file_that_is_gone_go(tmp_path: Path) -> None:
    project = project_of(tmp_path, a=SQL, b=MUTABLE)
    uri = (project / "a.py").as_uri()
    async with reviewing(ScriptedModel(say), workspaceFolders=folder(project)) as client:
        assert (await execute(client, "sirdab.reviewWorkspace"))["findings"] == 2
        assert published(client, uri)
        (project / "a.py").unlink()
        assert (await execute(client, "sirdab.reviewWorkspace"))["findings"] == 1
        assert published(client, uri) == []


async def test_a_document_that_the_client_spells_differently_keeps_its_findings(
    tmp_path: Path,
) -> None:
    project = project_of(tmp_path, **{"a(1)": SQL})
    async with reviewing(ScriptedModel(say), workspaceFolders=folder(project)) as client:
        await execute(client, "sirdab.reviewWorkspace")
        ours = (project / "a(1).py").as_uri()
        theirs = ours.replace("%28", "(").replace("%29", ")")
        assert theirs != ours
        while client._pop("textDocument/publishDiagnostics"):
            pass
        client.open(theirs, SQL)
        told = [await client.expect_notification("textDocument/publishDiagnostics") for _ in "12"]
        assert [(entry["uri"], lines(entry["diagnostics"])) for entry in told] == [
            (ours, []),
            (theirs, [2]),
        ]


async def test_names_of_files_are_shown_without_hidden_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_named(monkeypatch)
    project = project_of(tmp_path, **{"a\x1b[31m\u202eb\nc": SQL})
    async with reviewing(
        ScriptedModel(answer()), capabilities(**PROGRESS), workspaceFolders=folder(project)
    ) as client:
        client.answers["window/workDoneProgress/create"] = None
        await execute(client, "sirdab.reviewWorkspace")
        messages: list[str] = []
        while entry := client._pop("$/progress"):
            messages.append(entry[0]["value"].get("message", ""))
        assert "a\\x1b[31m\\u202eb\\nc.py" in messages
        assert all(message.isprintable() for message in messages)


async def test_without_a_workspace() -> None:
    async with reviewing(ScriptedModel()) as client:
        assert "no workspace folder" in await failure(client, "sirdab.reviewWorkspace")


# --- reviews that begin by themselves -----------------------------------------------------------


@pytest.mark.parametrize(("run", "saves"), [("onSave", True), ("manual", False)])
async def test_on_save(run: str, saves: bool) -> None:
    model = ScriptedModel(say)
    async with reviewing(model, run=run) as client:
        client.open(URI, SQL)
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        if saves:
            params = await client.expect_notification("textDocument/publishDiagnostics")
            assert lines(params["diagnostics"]) == [2]
        else:
            await asyncio.sleep(0.05)
            assert model.requests == []


async def test_on_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unasked, "_IDLE_SECONDS", 0.01)
    async with reviewing(ScriptedModel(say), run="onIdle") as client:
        client.open(URI, SQL)
        params = await client.expect_notification("textDocument/publishDiagnostics")
        assert lines(params["diagnostics"]) == [2]
        client.change(URI, 2, MUTABLE)
        await shown(client, [0])


async def test_what_fails_by_itself_is_not_shown() -> None:
    model = ScriptedModel(problem=EndpointError(ProblemKind.DOWN, "It is down."))
    async with reviewing(model, run="onSave") as client:
        client.open(URI, SQL)
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        await asyncio.sleep(0.05)
        await client.settle()
        client.check()


async def test_a_keystroke_goes_first() -> None:
    model = ScriptedModel(say)
    model.held.clear()
    async with reviewing(model) as client:
        client.open(URI, SQL)
        params = {"command": "sirdab.reviewDocument", "arguments": [{"uri": URI}]}
        begun = client.begin("workspace/executeCommand", params)
        await client.until(lambda: model.requests)
        # An edit announces a keystroke's request, so the stream is closed before it comes.
        client.change(URI, 2, ((3, 0, 3, 0), "  "))
        await client.until(lambda: len(model.requests) == 2)
        await client.inline(URI, 0, 4)
        await client.until(lambda: len(model.requests) == 3)
        model.held.set()
        assert (await begun)["findings"] == 1
        assert model.broken_off == 2
        published(client)


async def test_nothing_begins_by_itself_after_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unasked, "_IDLE_SECONDS", 0.02)
    model = ScriptedModel(say)
    async with reviewing(model, run="onIdle") as client:
        client.open(URI, SQL)
        await client.stop()
        await asyncio.sleep(0.05)
    assert model.requests == []
    assert not caplog.records
