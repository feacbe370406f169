"""Pull diagnostics: of a document, of the workspace, and the request to pull again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sirdab.review.finding import Finding
from sirdab.review.rules import all_rules
from sirdab.server.review import workspace_pull
from sirdab.server.review.diagnostics import DiagnosticMaker
from sirdab.text.store import Point
from tests.protocol.review_client import (
    SHOWS,
    URI,
    capabilities,
    execute,
    folder,
    lines,
    review,
    reviewing,
    shown,
)
from tests.support.lsp_client import UTF16, InProcess
from tests.support.review import MUTABLE, SQL, ScriptedModel, answer, raw

REFRESH = "workspace/diagnostic/refresh"
PUSH = "textDocument/publishDiagnostics"


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(workspace_pull, "_GATHER_SECONDS", 0.02)


def say(request: Any) -> str:
    """Find what there is to find in the two samples."""
    asked = request.prompt.rpartition("Rules:")[2]
    if "items=[]" in asked:
        return answer(raw("def add(item, items=[]):", 1, "mutable-default"))
    return answer(raw())


def pulling(**more: Any) -> dict[str, Any]:
    """What a client announces that pulls, and can be asked to."""
    announced = capabilities(workspace={"diagnostics": {"refreshSupport": True}})
    announced["textDocument"]["diagnostic"] = {"dynamicRegistration": False, **more}
    return announced


def refreshes(client: InProcess) -> int:
    """How often the client was asked to pull again."""
    return [method for method, _ in client.asked].count(REFRESH)


def answers(client: InProcess) -> InProcess:
    """Have the client answer what it is asked."""
    client.answers[REFRESH] = None
    return client


async def pull(client: InProcess, previous: str | None = None, uri: str = URI) -> dict[str, Any]:
    """Pull the diagnostics of a document."""
    params: dict[str, Any] = {"textDocument": {"uri": uri}, "identifier": "sirdab"}
    if previous is not None:
        params["previousResultId"] = previous
    return await client.request("textDocument/diagnostic", params)


def begin_workspace(
    client: InProcess, previous: dict[str, str] | None = None, token: str | None = None
) -> Any:
    """Ask for the diagnostics of the workspace."""
    params: dict[str, Any] = {
        "identifier": "sirdab",
        "previousResultIds": [
            {"uri": uri, "value": value} for uri, value in (previous or {}).items()
        ],
    }
    if token is not None:
        params["partialResultToken"] = token
    return client.begin("workspace/diagnostic", params)


def two_files(path: Path) -> Path:
    """Write a workspace with two faults in two files."""
    project = path / "project"
    project.mkdir()
    (project / "a.py").write_text(SQL, encoding="utf-8")
    (project / "b.py").write_text(MUTABLE, encoding="utf-8")
    (project / "c.py").write_text("x = 1\n", encoding="utf-8")
    return project


# --- what is offered, and to whom -------------------------------------------------------------


@pytest.mark.parametrize("name", ["diagnostics", "diagnostic"])
async def test_it_is_offered_to_a_client_that_can_be_asked_to_pull(name: str) -> None:
    announced = pulling()
    announced["workspace"] = {name: {"refreshSupport": True}}
    async with reviewing(ScriptedModel(), announced) as client:
        (hello,) = (entry["result"] for entry in client.log if "capabilities" in str(entry)[:200])
        assert hello["capabilities"]["diagnosticProvider"] == {
            "identifier": "sirdab",
            "interFileDependencies": False,
            "workspaceDiagnostics": True,
        }


async def test_neovim_is_not_offered_the_workspace() -> None:
    async with reviewing(
        ScriptedModel(), pulling(), clientInfo={"name": "Neovim", "version": "0.12.4"}
    ) as client:
        (hello,) = (entry["result"] for entry in client.log if "capabilities" in str(entry)[:200])
        assert hello["capabilities"]["diagnosticProvider"]["workspaceDiagnostics"] is False


@pytest.mark.parametrize(
    "workspace", [{}, {"diagnostics": {}}, {"diagnostics": {"refreshSupport": False}}]
)
async def test_findings_are_pushed_to_a_client_that_cannot_be_asked(workspace: Any) -> None:
    announced = pulling()
    announced["workspace"] = workspace
    async with reviewing(ScriptedModel(say), announced) as client:
        (hello,) = (entry["result"] for entry in client.log if "capabilities" in str(entry)[:200])
        assert "diagnosticProvider" not in hello["capabilities"]
        client.open(URI, SQL)
        await review(client)
        await shown(client, [2])


# --- a document -------------------------------------------------------------------------------


async def test_a_document_is_answered_at_once_and_pulled_again_when_there_is_news() -> None:
    model = ScriptedModel(say)
    model.held.clear()
    async with reviewing(model, pulling()) as client:
        answers(client)
        client.open(URI, SQL, version=3)
        before = await pull(client)
        assert (before["kind"], before["items"]) == ("full", [])
        params = {"command": "sirdab.reviewDocument", "arguments": [{"uri": URI}]}
        begun = client.begin("workspace/executeCommand", params)
        await client.until(lambda: model.requests)
        # The model is at it, and nobody waits for it.
        assert (await pull(client, before["resultId"]))["kind"] == "unchanged"
        assert refreshes(client) == 0
        model.held.set()
        assert (await begun)["findings"] == 1
        await client.until(lambda: refreshes(client) == 1)
        after = await pull(client, before["resultId"])
        assert after["kind"] == "full"
        assert lines(after["items"]) == [2]
        assert after["resultId"] != before["resultId"]
        again = await pull(client, after["resultId"])
        assert again == {"kind": "unchanged", "resultId": after["resultId"]}
        assert refreshes(client) == 1


async def test_nothing_is_pushed_of_a_document_that_is_pulled() -> None:
    async with reviewing(ScriptedModel(say), pulling()) as client:
        answers(client)
        client.open(URI, SQL)
        assert await review(client) == 1
        client.change(URI, 2, ((0, 0, 0, 0), "\n"))
        await client.until(lambda: refreshes(client) == 2)
        assert lines((await pull(client))["items"]) == [3]
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        await client.settle()
        assert (await pull(client))["items"] == []
        assert not any(entry.get("method") == PUSH for entry in client.log)


async def test_the_client_is_asked_once_for_a_burst_of_edits() -> None:
    async with reviewing(ScriptedModel(say), pulling()) as client:
        answers(client)
        client.open(URI, SQL)
        await review(client)
        await client.until(lambda: refreshes(client) == 1)
        await pull(client)
        for version in range(2, 12):
            client.change(URI, version, ((0, 0, 0, 0), "\n"))
        await client.until(lambda: refreshes(client) == 2)
        report = await pull(client)
        assert lines(report["items"]) == [12]
        # Typing in a line moves nothing, so there is nothing to pull.
        client.change(URI, 12, ((0, 0, 0, 0), "#"))
        client.change(URI, 13, ((0, 1, 0, 1), " x"))
        assert (await pull(client, report["resultId"]))["kind"] == "unchanged"
        await asyncio.sleep(0.3)
        assert refreshes(client) == 2


async def test_a_client_that_pulls_at_every_edit_is_not_asked_to() -> None:
    async with reviewing(ScriptedModel(say), pulling()) as client:
        answers(client)
        client.open(URI, SQL)
        await review(client)
        await client.until(lambda: refreshes(client) == 1)
        client.change(URI, 2, ((0, 0, 0, 0), "\n"))
        assert lines((await pull(client))["items"]) == [3]
        await asyncio.sleep(0.3)
        assert refreshes(client) == 1


async def test_the_same_findings_have_the_same_name_in_another_session() -> None:
    names: list[str] = []
    for _ in range(2):
        async with reviewing(ScriptedModel(say), pulling()) as client:
            answers(client)
            client.open(URI, SQL)
            await review(client)
            names.append((await pull(client))["resultId"])
            assert (await pull(client, names[0]))["kind"] == "unchanged"
    assert names[0] == names[1]


@pytest.mark.parametrize("uri", ["file:///project/other.py", "git:/project/a.py", "x"])
async def test_a_document_that_is_not_known_has_none(uri: str) -> None:
    async with reviewing(ScriptedModel(say), pulling()) as client:
        client.open(URI, SQL)
        report = await pull(client, uri=uri)
        assert (report["kind"], report["items"]) == ("full", [])


async def test_dismissing_is_news() -> None:
    async with reviewing(ScriptedModel(say), pulling()) as client:
        answers(client)
        client.open(URI, SQL)
        await review(client)
        await client.until(lambda: refreshes(client) == 1)
        (diagnostic,) = (await pull(client))["items"]
        await execute(client, "sirdab.dismiss", diagnostic["data"]["fingerprint"], "finding", URI)
        await client.until(lambda: refreshes(client) == 2)
        assert (await pull(client))["items"] == []
        assert await execute(client, "sirdab.restoreDismissed", URI) == {"restored": 1}
        await client.until(lambda: refreshes(client) == 3)
        assert lines((await pull(client))["items"]) == [2]


async def test_turning_reviews_off_is_news() -> None:
    async with reviewing(ScriptedModel(say), pulling()) as client:
        answers(client)
        client.open(URI, SQL)
        await review(client)
        await client.until(lambda: refreshes(client) == 1)
        assert (await pull(client))["items"]
        settings = {"sirdab": {"review": {"enabled": False}}}
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        await client.until(lambda: refreshes(client) == 2)
        assert (await pull(client))["items"] == []


# --- the form of a diagnostic -----------------------------------------------------------------


async def test_a_client_gets_what_it_announced() -> None:
    announced = pulling(dataSupport=True, codeDescriptionSupport=True, tagSupport={"valueSet": []})
    async with reviewing(ScriptedModel(say), announced) as client:
        answers(client)
        client.open(URI, SQL)
        await review(client)
        (diagnostic,) = (await pull(client))["items"]
        assert diagnostic["code"] == "security/sql-injection"
        assert diagnostic["source"] == "sirdab"
        assert diagnostic["codeDescription"]["href"].startswith("file://")
        assert diagnostic["codeDescription"]["href"].endswith("rules.md#sql-injection")
        assert set(diagnostic["data"]) == {"fingerprint", "rule", "unit"}
        assert diagnostic["data"]["rule"] == "sql-injection"
        assert "tags" not in diagnostic
        assert "relatedInformation" not in diagnostic


@pytest.mark.parametrize(
    ("takes", "expect"), [({"valueSet": [1, 2]}, [1]), ({"valueSet": [2]}, None), (None, None)]
)
async def test_tags_are_sent_to_who_knows_them(takes: Any, expect: Any) -> None:
    (rule,) = (rule for rule in all_rules() if rule.id == "dead-code")
    assert rule.tags == ("unnecessary",)
    announced = pulling(tagSupport=takes) if takes else pulling()
    announced["textDocument"]["publishDiagnostics"] = {}
    async with reviewing(ScriptedModel(), announced) as client:
        client.open(URI, "return 1\nx = 2\n")
        snapshot = client.server.session.snapshot(URI)
        assert snapshot is not None
        finding = Finding(
            *(Point(1, 0), Point(1, 5), "x = 2", rule.category, rule.id, "hint", "m.", None, "f")
        )
        made = DiagnosticMaker(client.server).diagnostic(snapshot, finding)
        assert made.tags == expect


async def test_a_client_gets_nothing_that_it_did_not_announce() -> None:
    announced = {**capabilities(shows={}), **UTF16}
    async with reviewing(ScriptedModel(say), announced) as client:
        client.open(URI, SQL)
        await review(client)
        (diagnostic,) = await shown(client, [2])
        assert set(diagnostic) == {"range", "message", "severity", "code", "source"}


@pytest.mark.parametrize("takes", [True, False])
async def test_the_version_is_sent_to_who_looks_at_it(takes: bool) -> None:
    announced = capabilities(shows={**SHOWS, "versionSupport": takes})
    async with reviewing(ScriptedModel(say), announced) as client:
        client.open(URI, SQL, version=7)
        await review(client)
        client.ignored.add(PUSH)
        sent = [entry["params"] for entry in client.log if entry.get("method") == PUSH]
        assert [entry.get("version") for entry in sent] == [7 if takes else None] * len(sent)
        if takes:
            # What was on its way when the user typed has been dropped there.
            client.change(URI, 8, ((3, 0, 3, 0), " "))
            await client.until(
                lambda: any(entry.get("params", {}).get("version") == 8 for entry in client.log)
            )
        while client._pop(PUSH):
            pass


# --- the workspace -------------------------------------------------------------------------------


async def test_the_first_request_is_answered_at_once_and_the_next_when_there_is_news(
    tmp_path: Path,
) -> None:
    project = two_files(tmp_path)
    async with reviewing(ScriptedModel(say), pulling(), workspaceFolders=folder(project)) as client:
        answers(client)
        assert await begin_workspace(client) == {"items": []}
        held = begin_workspace(client)
        await client.settle()
        assert not held.done()
        assert (await execute(client, "sirdab.reviewWorkspace"))["findings"] == 2
        known: dict[str, str] = {}
        while len(known) < 2:
            for item in (await held)["items"]:
                if item["uri"] in known:
                    assert item["kind"] == "unchanged"
                    continue
                assert item["kind"] == "full"
                assert len(item["items"]) == 1
                assert item.get("version") is None
                known[item["uri"]] = item["resultId"]
            held = begin_workspace(client, known)
        assert set(known) == {(project / name).as_uri() for name in ("a.py", "b.py")}
        await client.settle()
        assert not held.done()
        assert not any(entry.get("method") == PUSH for entry in client.log)
        client.cancel(held)
        assert await client.error_of(held) == -32800


async def test_news_is_streamed_to_who_gives_a_token(tmp_path: Path) -> None:
    project = two_files(tmp_path)
    async with reviewing(ScriptedModel(say), pulling(), workspaceFolders=folder(project)) as client:
        answers(client)
        held = begin_workspace(client, token="t")
        await execute(client, "sirdab.reviewWorkspace")
        told: dict[str, list[int]] = {}

        def take() -> int:
            while entry := client._pop("$/progress"):
                assert entry[0]["token"] == "t"
                for item in entry[0]["value"]["items"]:
                    told[Path(item["uri"]).name] = lines(item["items"])
            return len(told)

        await client.until(lambda: take() == 2)
        assert told == {"a.py": [2], "b.py": [0]}
        # A file that has gone is told of by the same request.
        (project / "a.py").unlink()
        await execute(client, "sirdab.reviewWorkspace")
        await client.until(lambda: take() and told["a.py"] == [])
        assert not held.done()
        await client.stop()
        assert await held == {"items": []}


async def test_many_files_come_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace_pull, "_MOST_AT_ONCE", 2)
    project = tmp_path / "project"
    project.mkdir()
    for number in range(5):
        (project / f"f{number}.py").write_text(SQL, encoding="utf-8")
    async with reviewing(ScriptedModel(say), pulling(), workspaceFolders=folder(project)) as client:
        answers(client)
        client.ignored.add(PUSH)
        await execute(client, "sirdab.reviewWorkspace")
        held = begin_workspace(client, token="t")
        parts = [await client.expect_notification("$/progress") for _ in range(3)]
        assert [len(part["value"]["items"]) for part in parts] == [2, 2, 1]
        assert not held.done()
        client.cancel(held)
        assert await client.error_of(held) == -32800


async def test_what_the_client_knew_of_an_earlier_session_is_taken_back() -> None:
    async with reviewing(ScriptedModel(say), pulling()) as client:
        answers(client)
        report = await begin_workspace(client, {"file:///project/gone.py": "0123456789abcdef"})
        (item,) = report["items"]
        assert (item["kind"], item["uri"], item["items"]) == (
            "full",
            "file:///project/gone.py",
            [],
        )
        known = {"file:///project/gone.py": item["resultId"]}
        held = begin_workspace(client, known)
        await client.settle()
        assert not held.done()
        # A second request ends the first, which would never be told anything.
        newer = begin_workspace(client, known)
        assert await held == {"items": []}
        await client.stop()
        assert await newer == {"items": []}


async def test_files_are_pushed_until_the_client_asks_for_the_workspace(tmp_path: Path) -> None:
    project = two_files(tmp_path)
    uri = (project / "a.py").as_uri()
    async with reviewing(ScriptedModel(say), pulling(), workspaceFolders=folder(project)) as client:
        answers(client)
        assert (await execute(client, "sirdab.reviewWorkspace"))["findings"] == 2
        await shown(client, [2], uri)
        # What is opened is pulled from then on.
        client.open(uri, f"\n{SQL}")
        await shown(client, [], uri)
        report = await pull(client, uri=uri)
        assert lines(report["items"]) == [3]
        report = await begin_workspace(client, {uri: report["resultId"]})
        assert {Path(item["uri"]).name: item["kind"] for item in report["items"]} == {
            "a.py": "unchanged",
            "b.py": "full",
        }
        await shown(client, [], (project / "b.py").as_uri())


async def test_a_file_keeps_its_findings_when_it_is_closed(tmp_path: Path) -> None:
    """Who goes through the findings of a workspace opens and closes one file after the other."""
    project = two_files(tmp_path)
    uri = (project / "a.py").as_uri()
    async with reviewing(ScriptedModel(say), pulling(), workspaceFolders=folder(project)) as client:
        answers(client)
        assert await begin_workspace(client) == {"items": []}
        await execute(client, "sirdab.reviewWorkspace")
        client.open(uri, SQL)
        assert lines((await pull(client, uri=uri))["items"]) == [2]
        # What is not saved is gone when it is closed.
        client.change(uri, 2, ((0, 0, 0, 0), "\n\n"))
        report = await pull(client, uri=uri)
        assert lines(report["items"]) == [4]
        held = begin_workspace(client, token="t")
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        told: list[list[int]] = []

        def is_told(expect: list[int]) -> bool:
            while entry := client._pop("$/progress"):
                told.extend(
                    lines(item["items"])
                    for item in entry[0]["value"]["items"]
                    if item["uri"] == uri
                )
            return told[-1:] == [expect]

        await client.until(lambda: is_told([2]))
        # The file is gone as well when it is closed again.
        client.open(uri, SQL)
        (project / "a.py").unlink()
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        await client.until(lambda: is_told([]))
        client.cancel(held)
        assert await client.error_of(held) == -32800


async def test_what_a_closed_document_showed_is_taken_back_although_the_client_forgot_it() -> None:
    """VS Code pulls a last time before it closes a document, and then says no more of it."""
    async with reviewing(ScriptedModel(say), pulling()) as client:
        answers(client)
        assert await begin_workspace(client) == {"items": []}
        client.open(URI, SQL)
        await review(client)
        assert lines((await pull(client))["items"]) == [2]
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        await client.settle()
        report = await begin_workspace(client)
        assert [(item["uri"], item["items"]) for item in report["items"]] == [(URI, [])]


async def test_exactly_one_response_at_the_end() -> None:
    async with reviewing(ScriptedModel(say), pulling()) as client:
        answers(client)
        held = begin_workspace(client, token="t")
        await client.settle()
        assert await client.request("shutdown") is None
        assert await held == {"items": []}
        client.notify("exit")
