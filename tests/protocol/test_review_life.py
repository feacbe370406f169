"""When reviews run and what they leave: early findings, comments, earlier sessions, the queue."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sirdab.config.directories import REVIEWS_ENV
from sirdab.review import files
from sirdab.server.review import recalling
from tests.protocol.engines import ScriptedEngine
from tests.protocol.review_client import (
    PROGRESS,
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
from tests.support.lsp_client import InProcess, LspError, in_process
from tests.support.review import MUTABLE, SQL, SQL_LINE, ScriptedModel, answer, raw

PUSH = "textDocument/publishDiagnostics"
OTHER = "file:///project/b.py"
IGNORED = f"{SQL_LINE}  # sirdab: ignore[sql-injection]"


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(recalling, "_PAUSE_SECONDS", 0.05)


def say(request: Any) -> str:
    """Find what there is to find in the two samples."""
    asked = request.prompt.rpartition("Rules:")[2]
    if "items=[]" in asked:
        return answer(raw("def add(item, items=[]):", 1, "mutable-default"))
    return answer(raw())


def is_about(request: Any, code: str) -> bool:
    """Whether a question is about some code."""
    return code in request.prompt.rpartition("Rules:")[2]


def begin_review(client: InProcess, uri: str = URI, **more: Any) -> Any:
    params = {"command": "sirdab.reviewDocument", "arguments": [{"uri": uri}], **more}
    return client.begin("workspace/executeCommand", params)


async def explain(client: InProcess, uri: str = URI) -> dict[str, Any]:
    params = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}
    return (await client.request("sirdab/explain", params))["review"]


# --- comments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "back"),
    [
        (((2, 69, 2, 69), "  # sirdab: ignore[sql-injection]"), ((2, 69, 2, 109), "")),
        (((2, 0, 2, 0), "    # sirdab: ignore\n"), ((2, 0, 3, 0), "")),
        (((0, 0, 0, 0), "# sirdab: ignore-file[sql-injection]\n"), ((0, 0, 1, 0), "")),
    ],
)
async def test_a_comment_silences_at_once_and_its_removal_asks_nobody(
    change: Any, back: Any
) -> None:
    model = ScriptedModel(say)
    async with reviewing(model) as client:
        client.open(URI, SQL)
        await review(client)
        await shown(client, [2])
        asked = len(model.requests)
        client.change(URI, 2, change)
        await shown(client, [])
        (dropped,) = (await explain(client))["dropped"]
        assert (dropped["rule"], dropped["reason"]) == ("sql-injection", "ignored")
        assert dropped["detail"] == "A comment in the code says to ignore it."
        client.change(URI, 3, back)
        await shown(client, [2])
        assert len(model.requests) == asked


async def test_a_comment_in_a_string_silences_nothing() -> None:
    content = SQL.replace("connection.cursor()", 'connection.cursor("# sirdab: ignore-file")')
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, content)
        assert await review(client) == 1
        await shown(client, [2])


async def test_a_name_that_no_rule_has_is_told_once() -> None:
    content = SQL.replace(SQL_LINE, f"{SQL_LINE}  # sirdab: ignore[sql-injektion]")
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, content)
        assert await review(client) == 1
        await shown(client, [2])
        told = await client.expect_notification("window/logMessage")
        assert told["message"] == (
            f"{URI}: the comment in line 3 ignores nothing, because Sirdab has no rule "
            '"sql-injektion"; correct the name.'
        )
        assert await review(client) == 1
        published(client)


# --- what was dropped -----------------------------------------------------------------------------


async def test_what_was_dropped_is_explained() -> None:
    # The second names code that is not there, the third is too slight.
    model = ScriptedModel(
        answer(raw(), raw("cursor.fetchall(name)", 4), raw(MUTABLE.split("\n")[0], 6, "eval"))
    )
    async with reviewing(model) as client:
        client.open(URI, SQL)
        assert await explain(client) == {"reviewed": False, "findings": 0, "dropped": []}
        await review(client)
        published(client)
        told = await explain(client)
        assert told["reviewed"] is True
        assert told["findings"] == 1
        reasons = {entry["reason"] for entry in told["dropped"]}
        assert "code-is-not-there" in reasons
        for entry in told["dropped"]:
            assert set(entry) == {"rule", "line", "reason", "detail", "message"}
            assert entry["detail"].endswith(".")
        unknown = await explain(client, "file:///project/never.py")
        assert unknown == {"reviewed": False, "findings": 0, "dropped": []}


async def test_what_is_dismissed_is_explained_and_its_line_moves() -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, SQL)
        await review(client)
        fingerprint = published(client)[0]["data"]["fingerprint"]
        await execute(client, "sirdab.dismiss", fingerprint, "finding", URI)
        assert published(client) == []
        client.change(URI, 2, ((0, 0, 0, 0), "\n\n"))
        told = await explain(client)
        assert (told["findings"], told["dropped"][0]["line"]) == (0, 5)
        assert told["dropped"][0]["reason"] == "dismissed"


@pytest.mark.parametrize("scope", ["finding", "rule-here", "rule"])
@pytest.mark.parametrize("named", [True, False])
async def test_what_was_dismissed_can_be_brought_back(scope: str, named: bool) -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, SQL)
        await review(client)
        fingerprint = published(client)[0]["data"]["fingerprint"]
        await execute(client, "sirdab.dismiss", fingerprint, scope, URI)
        assert published(client) == []
        arguments = [URI] if named else []
        assert await execute(client, "sirdab.restoreDismissed", *arguments) == {"restored": 1}
        assert lines(published(client)) == [2]
        assert await execute(client, "sirdab.restoreDismissed", *arguments) == {"restored": 0}


async def test_a_rule_that_is_dismissed_in_a_file_stays_so_under_its_new_name(
    tmp_path: Path,
) -> None:
    old, new = ((tmp_path / name).as_uri() for name in ("old.py", "new.py"))
    async with reviewing(ScriptedModel(say)) as client:
        client.open(old, SQL)
        await review(client, old)
        fingerprint = published(client, old)[0]["data"]["fingerprint"]
        await execute(client, "sirdab.dismiss", fingerprint, "rule-here", old)
        assert published(client, old) == []
        state = tmp_path / "state" / "dismissed.json"
        before = state.read_text(encoding="utf-8")
        client.notify("textDocument/didClose", {"textDocument": {"uri": old}})
        params = {"files": [{"oldUri": old, "newUri": new}]}
        client.notify("workspace/didRenameFiles", params)
        client.open(new, SQL)
        await client.until(lambda: state.read_text(encoding="utf-8") != before)
        assert await review(client, new) == 0
        assert published(client, new) == []


async def test_a_renamed_folder_takes_along_what_is_dismissed_in_its_files(
    tmp_path: Path,
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.py").write_text(SQL, encoding="utf-8")
    old, new = ((tmp_path / name / "a.py").as_uri() for name in ("old", "new"))
    async with reviewing(ScriptedModel(say)) as client:
        client.open(old, SQL)
        await review(client, old)
        fingerprint = published(client, old)[0]["data"]["fingerprint"]
        await execute(client, "sirdab.dismiss", fingerprint, "rule-here", old)
        assert published(client, old) == []
        state = tmp_path / "state" / "dismissed.json"
        before = state.read_text(encoding="utf-8")
        client.notify("textDocument/didClose", {"textDocument": {"uri": old}})
        (tmp_path / "old").rename(tmp_path / "new")
        folders = {"oldUri": (tmp_path / "old").as_uri(), "newUri": (tmp_path / "new").as_uri()}
        client.notify("workspace/didRenameFiles", {"files": [folders]})
        client.open(new, SQL)
        await client.until(lambda: state.read_text(encoding="utf-8") != before)
        assert await review(client, new) == 0
        assert published(client, new) == []


async def test_the_client_is_asked_to_tell_of_renamed_folders_too() -> None:
    async with in_process(ScriptedEngine()) as client:
        told = await client.start(capabilities())
        filters = told["workspace"]["fileOperations"]["didRename"]["filters"]
        assert [one["pattern"].get("matches") for one in filters] == [None]


@pytest.mark.parametrize(
    ("content", "expect"),
    [("{", "is damaged"), ('{"version": 99}', "is of a newer version")],
)
async def test_a_list_of_dismissals_that_cannot_be_read_is_named(
    tmp_path: Path, content: str, expect: str
) -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, SQL)
        await review(client)
        fingerprint = published(client)[0]["data"]["fingerprint"]
        state = tmp_path / "state" / "dismissed.json"
        state.parent.mkdir(exist_ok=True)
        state.write_text(content, encoding="utf-8")
        with pytest.raises(LspError) as error:
            await execute(client, "sirdab.dismiss", fingerprint, "finding")
        assert expect in error.value.message
        assert str(state) in error.value.message
        assert "move that file away" in error.value.message
        assert state.read_text(encoding="utf-8") == content


# --- secrets ------------------------------------------------------------------------------------


async def test_a_secret_in_the_code_is_found_and_stands_nowhere_in_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(REVIEWS_ENV, str(tmp_path / "reviews"))
    secret = "hunter2-Sup3r" + "SecretValue-zz91"
    model = ScriptedModel(say)
    with caplog.at_level("DEBUG"):
        async with reviewing(model) as client:
            client.open(URI, f'password = "{secret}"\n\n\n{SQL}')
            await review(client)
            found = await shown(client, [0, 5])
            assert found[0]["code"] == "security/hard-coded-secret"
            assert secret not in str(found)
    assert model.requests
    assert all(secret not in str(request) for request in model.requests)
    assert secret not in caplog.text
    written = await asyncio.to_thread(contents, tmp_path)
    assert "reviews.sqlite3" in written
    assert [name for name, content in written.items() if secret.encode() in content] == []


def contents(folder: Path) -> dict[str, bytes]:
    """What all files below a folder hold."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- what was found earlier ---------------------------------------------------------------------


async def test_what_was_found_in_an_earlier_session_shows_when_a_file_is_opened() -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, f"{SQL}\n{MUTABLE}")
        await review(client)
        await shown(client, [2, 5])
    model = ScriptedModel(say)
    async with reviewing(model) as client:
        # One function is another now, the other one has moved.
        client.open(URI, f"\n{MUTABLE}\n{SQL.replace('users', 'people')}")
        await shown(client, [1])
        told = await explain(client)
        assert (told["reviewed"], told["findings"]) == (True, 1)
        assert model.requests == []


async def test_nothing_is_recalled_of_a_file_that_is_excluded_now() -> None:
    async with reviewing(ScriptedModel(say)) as client:
        client.open(URI, SQL)
        await review(client)
        await shown(client, [2])
    async with reviewing(ScriptedModel(say)) as client:
        settings = {"sirdab": {"privacy": {"exclude": ["a.py"]}}}
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        client.open(URI, SQL)
        await asyncio.sleep(0.3)
        assert await explain(client) == {"reviewed": False, "findings": 0, "dropped": []}


async def test_what_an_edit_withdrew_is_back_when_it_is_undone() -> None:
    model = ScriptedModel(say)
    async with reviewing(model) as client:
        client.open(URI, SQL)
        await review(client)
        await shown(client, [2])
        asked = len(model.requests)
        client.change(URI, 2, ((2, 4, 2, 69), "pass"))
        await shown(client, [])
        client.change(URI, 3, ((2, 4, 2, 8), SQL_LINE))
        await shown(client, [2])
        assert len(model.requests) == asked


async def test_other_settings_sift_anew_and_ask_nobody() -> None:
    model = ScriptedModel(say)
    async with reviewing(model) as client:

        def configure(**review: Any) -> None:
            settings = {"sirdab": {"review": review}}
            client.notify("workspace/didChangeConfiguration", {"settings": settings})

        client.open(URI, f"{SQL}\n{MUTABLE}")
        await review(client)
        await shown(client, [2, 5])
        asked = len(model.requests)
        configure(minimumSeverity="error")
        await shown(client, [2])
        (dropped,) = (await explain(client))["dropped"]
        assert dropped["reason"] == "below-minimum-severity"
        configure(minimumSeverity="hint")
        await shown(client, [2, 5])
        configure(minimumSeverity="hint", categories=["correctness"])
        await shown(client, [5])
        assert len(model.requests) == asked
        client.ignored.add(PUSH)


# --- the order of reviews ------------------------------------------------------------------------


async def test_a_review_that_is_asked_for_goes_before_one_that_began_by_itself() -> None:
    model = ScriptedModel(say)
    model.held.clear()
    async with reviewing(model, run="onSave") as client:
        client.open(URI, SQL)
        client.open(OTHER, MUTABLE)
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        await client.until(lambda: model.requests)
        asked = begin_review(client, OTHER)
        await client.until(lambda: is_about(model.requests[-1], "items=[]"))
        model.held.set()
        assert (await asked)["findings"] == 1
        await shown(client, [0], OTHER)
        # What had to give way is done afterwards.
        await shown(client, [2])


async def test_the_file_that_was_saved_last_goes_first() -> None:
    model = ScriptedModel(say)
    model.held.clear()
    async with reviewing(model, run="onSave") as client:
        client.ignored.add(PUSH)
        third = "file:///project/c.py"
        for uri, content in ((URI, SQL), (OTHER, MUTABLE), (third, SQL)):
            client.open(uri, content)
        # Somebody waits for this one, so those that are saved have to.
        first = begin_review(client, third)
        await client.until(lambda: model.requests)
        for uri in (OTHER, URI, OTHER):
            client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
        model.held.set()
        await first
        await client.until(lambda: {URI, OTHER} <= set(pushes(client)))
        assert pushes(client).index(OTHER) < pushes(client).index(URI)


def pushes(client: InProcess) -> list[str]:
    """The documents that findings were pushed of, in order."""
    return [
        entry["params"]["uri"]
        for entry in client.log
        if entry.get("method") == PUSH and entry["params"]["diagnostics"]
    ]


async def test_units_that_were_edited_meanwhile_are_left_out_and_the_others_are_not() -> None:
    model = ScriptedModel(say)
    model.held.clear()
    async with reviewing(model) as client:
        client.open(URI, f"{MUTABLE}\n\n{SQL}")
        begun = begin_review(client)
        await client.until(lambda: model.requests)
        assert is_about(model.requests[0], "items=[]")
        # The second function is edited while the model is at the first.
        client.change(URI, 2, ((7, 60, 7, 60), "x"), ((0, 0, 0, 0), "\n"))
        model.held.set()
        assert (await begun)["findings"] == 1
        await shown(client, [1])
        assert not any(is_about(request, "SELECT") for request in model.requests)
        # It is reviewed with the next review.
        assert await review(client) >= 1
        client.ignored.add(PUSH)
        assert any(is_about(request, "SELECT") for request in model.requests)
        while client._pop(PUSH):
            pass


async def test_a_finding_shows_before_the_rest_of_its_unit_is_written() -> None:
    content = "def add(item, items=[]):\n    items.append(eval(item))\n    return items\n"
    both = answer(
        raw("def add(item, items=[]):", 1, "mutable-default"),
        raw("items.append(eval(item))", 2, "code-injection"),
    )
    model = ScriptedModel(both, pause=both[: both.index("}") + 1])
    model.held.clear()
    async with reviewing(model, capabilities(**PROGRESS), votes=0) as client:
        client.open(URI, content)
        begun = begin_review(client, workDoneToken=1)
        await shown(client, [0])
        assert not begun.done()
        model.held.set()
        assert (await begun)["findings"] == 2
        await shown(client, [0, 1])
        reports = [entry[0]["value"] for entry in iter(lambda: client._pop("$/progress"), None)]
        assert [entry["kind"] for entry in reports] == ["begin", "report", "end"]


async def test_more_files_than_a_review_takes_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)
    project = tmp_path / "project"
    project.mkdir()
    for name in "abc":
        (project / f"{name}.py").write_text("x = 1\n", encoding="utf-8")
    async with reviewing(
        ScriptedModel(say), capabilities(**PROGRESS), workspaceFolders=folder(project)
    ) as client:
        client.answers["window/workDoneProgress/create"] = None
        client.ignored.add("$/progress")
        found = await execute(client, "sirdab.reviewWorkspace")
        assert found == {"files": 2, "findings": 0}
        told = await client.expect_notification("window/showMessage")
        assert told["message"] == (
            "Sirdab: The workspace has more than 2 files of code, and only so many are "
            "reviewed; open its folders one by one to review the others."
        )


async def test_what_is_open_is_reviewed_before_the_rest_of_the_workspace(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in "abc":
        (project / f"{name}.py").write_text("x = 1\n", encoding="utf-8")
    (project / "z.py").write_text(MUTABLE, encoding="utf-8")
    (project / "a.py").write_text(SQL, encoding="utf-8")
    model = ScriptedModel(say)
    async with reviewing(model, workspaceFolders=folder(project)) as client:
        client.ignored.add(PUSH)
        client.open((project / "z.py").as_uri(), MUTABLE)
        await execute(client, "sirdab.reviewWorkspace")
        assert is_about(model.requests[0], "items=[]")


@pytest.mark.parametrize("arguments", [["x", 1], [5], [""]])
async def test_wrong_arguments(arguments: list[Any]) -> None:
    async with reviewing(ScriptedModel()) as client:
        params = {"command": "sirdab.restoreDismissed", "arguments": arguments}
        assert await client.error_of(client.begin("workspace/executeCommand", params)) == -32602
