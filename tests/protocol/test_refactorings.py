"""Refactorings, explanations and new tests: what is offered where, and what comes of it."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sirdab.config.directories import REVIEWS_ENV
from sirdab.text.positions import Encoding
from tests.protocol.review_client import (
    ANNOTATES,
    EDITS,
    PROGRESS,
    RESOLVES,
    URI,
    actions,
    capabilities,
    execute,
    folder,
    published,
    review,
    reviewing,
)
from tests.support.lsp_client import InProcess, LspError, range_of
from tests.support.review import MUTABLE, SQL, SQL_LINE, ScriptedModel, answer, raw
from tests.support.text_edits import applied

SAFE = 'cursor.execute("SELECT * FROM users WHERE name = ?", (name,))'
FIXED = SQL.replace(SQL_LINE, SAFE)
AUTOMATIC, INVOKED = 2, 1
TWO = f"{SQL}\n\n{MUTABLE}"
DISABLES = {**RESOLVES, "disabledSupport": True}
CREATES = {
    "applyEdit": True,
    "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]},
}
CONFIRMS = {
    "applyEdit": True,
    "workspaceEdit": {
        "documentChanges": True,
        "resourceOperations": ["create", "rename", "delete"],
        "changeAnnotationSupport": {},
    },
}
# The answer goes on from "def test_add_".
TESTS = """\
adds_to_the_list_that_is_given():
    assert add(1, [2]) == [2, 1]


def test_adds_to_a_new_list():
    assert add(1, []) == [1]
"""


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))


def says(*texts: str) -> ScriptedModel:
    """A model that finds the query, and says these texts, one after the other, otherwise."""
    left = list(texts)

    def say(request: Any) -> str:
        if request.json_schema:
            return answer(raw())
        return left.pop(0) if len(left) > 1 else left[0]

    return ScriptedModel(say)


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [entry["title"] for entry in found]


def titled(found: list[dict[str, Any]], title: str) -> dict[str, Any]:
    (action,) = [entry for entry in found if entry["title"].startswith(title)]
    return action


def edits_of(action: dict[str, Any]) -> list[dict[str, Any]]:
    (change,) = action["edit"]["documentChanges"]
    return change["edits"]


# --- what is offered ----------------------------------------------------------------------------


async def test_without_a_selection_the_function_around_the_cursor_is_meant() -> None:
    documented = MUTABLE.replace(":\n", ':\n    """Add an item."""\n', 1)
    scripted = says(documented)
    async with reviewing(scripted, capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, TWO)
        found = await actions(client, (7, 6, 7, 6), triggerKind=INVOKED)
        action = titled(found, "Document")
        resolved = await client.request("codeAction/resolve", action)
        assert applied(TWO, edits_of(resolved)) == f"{SQL}\n\n{documented}"
        assert "find_user" not in scripted.requests[-1].prompt


async def test_nothing_is_offered_at_each_move_of_the_cursor() -> None:
    async with reviewing(says(""), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, TWO)
        assert await actions(client, (7, 6, 7, 6), triggerKind=AUTOMATIC) == []
        assert await actions(client, (7, 0, 8, 0), triggerKind=AUTOMATIC)


@pytest.mark.parametrize("span", [(4, 0, 4, 0), (4, 0, 5, 0)])
async def test_nothing_is_offered_where_there_is_no_code(span: tuple[int, int, int, int]) -> None:
    async with reviewing(says(""), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, TWO)
        assert await actions(client, span, triggerKind=INVOKED) == []


@pytest.mark.parametrize(
    ("language", "content", "offered", "missing"),
    [
        (
            "go",
            "package a\n\nfunc F(a int) int {\n\treturn a\n}\n",
            "Extract function",
            "Add types",
        ),
        ("javascript", "function f(a) {\n  return a;\n}\n", "Document", "Add types"),
        ("typescript", "function f(a) {\n  return a;\n}\n", "Add types", "Fix"),
        ("ruby", "def f(a)\n  a\nend\n", "Simplify", "Extract function"),
    ],
)
async def test_what_makes_sense_in_a_language(
    language: str, content: str, offered: str, missing: str
) -> None:
    async with reviewing(says(""), capabilities(DISABLES, CREATES)) as client:
        client.open(URI, content, language=language)
        found = titles(await actions(client, (0, 0, 4, 0), triggerKind=INVOKED))
        assert offered in found
        assert missing not in found


@pytest.mark.parametrize("language", ["markdown", "json", "yaml", "plaintext"])
async def test_prose_and_data_are_not_refactored(language: str) -> None:
    async with reviewing(says(""), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, "a\nb\nc\n", language=language)
        assert await actions(client, (0, 0, 2, 0), triggerKind=INVOKED) == []
        with pytest.raises(LspError, match="not explained"):
            await execute(client, "sirdab.explainCode", {"uri": URI, "range": range_of(0, 0, 2, 0)})


async def test_what_cannot_be_done_is_said_where_the_client_can_show_it() -> None:
    async with reviewing(says(""), capabilities(DISABLES, EDITS)) as client:
        client.open(URI, TWO)
        found = await actions(client, (7, 6, 7, 6), triggerKind=INVOKED)
        assert "Select the lines" in titled(found, "Extract")["disabled"]["reason"]
        # This client makes no files.
        assert "make a file" in titled(found, "Write tests")["disabled"]["reason"]
        assert all("disabled" not in a for a in found if a["title"] in ("Simplify", "Explain"))
    async with reviewing(says(""), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, TWO)
        found = await actions(client, (7, 6, 7, 6), triggerKind=INVOKED)
        assert "Extract function" not in titles(found)
        assert "Write tests" not in titles(found)


async def test_too_many_lines_are_said_to_be_too_many() -> None:
    async with reviewing(says(""), capabilities(DISABLES, CREATES)) as client:
        client.open(URI, "x = 1\n" * 500)
        found = await actions(client, (0, 0, 450, 0), triggerKind=INVOKED)
        assert "too many" in titled(found, "Simplify")["disabled"]["reason"]


async def test_an_edit_that_nobody_has_seen_is_never_offered() -> None:
    async with reviewing(says(FIXED), capabilities(DISABLES, CONFIRMS)) as client:
        client.open(URI, SQL)
        await review(client)
        published(client)
        for only in ([], ["source.fixAll"], ["source"]):
            for action in await actions(client, only=only):
                assert "isPreferred" not in action
                assert not action["kind"].startswith("source")
                resolved = action
                if action.get("data", {}).get("do") == "fix":
                    resolved = await client.request("codeAction/resolve", action)
                    assert "isPreferred" not in resolved
                    annotations = resolved["edit"]["changeAnnotations"]
                    assert all(one["needsConfirmation"] for one in annotations.values())


# --- fixes that know nothing but what the client passes ------------------------------------------


async def diagnostics_of(content: str) -> list[dict[str, Any]]:
    async with reviewing(says(FIXED), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, content)
        await review(client)
        return published(client)


async def test_a_fix_after_a_restart_works_from_the_diagnostic_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = await diagnostics_of(SQL)
    # What was found is not even on disk.
    monkeypatch.setenv(REVIEWS_ENV, str(tmp_path / "other"))
    async with reviewing(says(FIXED), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, SQL)
        found = await actions(client, (2, 6, 2, 6), passed, triggerKind=AUTOMATIC)
        action = titled(found, "Fix: SQL built from text")
        assert action["diagnostics"] == passed
        resolved = await client.request("codeAction/resolve", action)
        assert applied(SQL, edits_of(resolved)) == FIXED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda passed: passed.update(range=range_of(1, 4, 1, 33)),
        lambda passed: passed["data"].update(fingerprint="0" * 24),
        lambda passed: passed["data"].update(rule="weak-hash"),
        lambda passed: passed["data"].update(rule="no-such-rule"),
        lambda passed: passed["data"].update(unit="other"),
        lambda passed: passed["data"].pop("unit"),
        lambda passed: passed.update(data="x"),
        lambda passed: passed.update(data=None),
        lambda passed: passed.pop("data"),
    ],
)
async def test_a_diagnostic_whose_code_is_not_there_is_not_fixed(
    spoil: Callable[[dict[str, Any]], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = await diagnostics_of(SQL)
    monkeypatch.setenv(REVIEWS_ENV, str(tmp_path / "other"))
    spoil(passed[0])
    async with reviewing(says(FIXED), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, SQL)
        assert await actions(client, (2, 6, 2, 6), passed, triggerKind=AUTOMATIC) == []


async def test_a_finding_is_ignored_by_a_comment_in_the_code() -> None:
    scripted = says(FIXED)
    tagged = {**RESOLVES, "tagSupport": {"valueSet": [1]}}
    async with reviewing(scripted, capabilities(tagged, CONFIRMS)) as client:
        client.open(URI, SQL)
        await review(client)
        published(client)
        asked = len(scripted.requests)
        action = titled(await actions(client), "Ignore ")
        # No model writes it, so it needs no warning.
        assert "tags" not in action
        resolved = await client.request("codeAction/resolve", action)
        assert "changeAnnotations" not in resolved["edit"]
        after = applied(SQL, edits_of(resolved))
        assert after == SQL.replace(
            "    cursor.execute", "    # sirdab: ignore[sql-injection]\n    cursor.execute"
        )
        assert len(scripted.requests) == asked
        client.change(URI, 2, after)
        shown = await client.expect_notification("textDocument/publishDiagnostics")
        assert shown["diagnostics"] == []


# --- edits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_positions_in_any_encoding(encoding: str) -> None:
    content = SQL.replace("cursor.execute(", 'log("é漢😀"); cursor.execute(')
    fixed = content.replace(SQL_LINE, SAFE)
    announced = capabilities(RESOLVES, EDITS, general={"positionEncodings": [encoding]})
    async with reviewing(says(fixed), announced) as client:
        client.open(URI, content)
        foreign = {"range": range_of(2, 4, 2, 10), "message": "Bad query.", "source": "other"}
        found = await actions(client, (2, 4, 2, 4), [foreign], triggerKind=AUTOMATIC)
        resolved = await client.request("codeAction/resolve", found[0])
        assert applied(content, edits_of(resolved), Encoding(encoding)) == fixed


async def test_the_model_is_told_why_and_may_try_once_more() -> None:
    broken = FIXED.replace("return", "return )")
    scripted = says(broken, FIXED)
    async with reviewing(scripted, capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, SQL)
        await review(client)
        published(client)
        asked = len(scripted.requests)
        resolved = await client.request("codeAction/resolve", titled(await actions(client), "Fix"))
        assert applied(SQL, edits_of(resolved)) == FIXED
        first, second = scripted.requests[asked:]
        assert second.prompt.startswith(first.prompt[: first.prompt.rindex("```python")])
        assert "return )" in second.prompt
        assert "not valid code" in second.prompt


async def test_the_model_is_not_asked_for_ever() -> None:
    scripted = says(SQL)
    async with reviewing(scripted, capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, SQL)
        found = await actions(client, (0, 0, 4, 0), triggerKind=INVOKED)
        resolved = await client.request("codeAction/resolve", titled(found, "Simplify"))
        assert "edit" not in resolved
        assert len(scripted.requests) == 2
        shown = await client.expect_notification("window/showMessage")
        assert shown["message"] == "Sirdab: The model would change nothing here."


async def test_a_refactoring_by_its_command() -> None:
    async with reviewing(says(FIXED), capabilities(RESOLVES, ANNOTATES)) as client:
        client.answers["workspace/applyEdit"] = {"applied": True}
        client.open(URI, SQL)
        argument = {"uri": URI, "range": range_of(2, 0, 2, 0), "do": "errors"}
        assert await execute(client, "sirdab.refactor", argument) == {
            "applied": True,
            "message": "Applied.",
        }
        (change,) = client.asked[-1][1]["edit"]["documentChanges"]
        assert applied(SQL, change["edits"]) == FIXED


@pytest.mark.parametrize(
    ("argument", "says_"),
    [
        ({"do": "everything"}, "none of Sirdab's"),
        ({"do": "extract"}, "Select the lines"),
        ({"do": "tests", "range": range_of(4, 0, 4, 0)}, "Put the cursor"),
        ({"range": 1}, "a range that is none"),
        ({"do": None}, "takes an object"),
    ],
)
async def test_wrong_arguments(argument: dict[str, Any], says_: str) -> None:
    async with reviewing(says(""), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, TWO)
        whole = {"uri": URI, "range": range_of(0, 0, 0, 0), "do": "simplify", **argument}
        with pytest.raises(LspError, match=re.escape(says_)):
            await execute(client, "sirdab.refactor", whole)


def asking() -> list[str]:
    """What still waits for the model."""
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("Author.")]


# --- progress and cancelling --------------------------------------------------------------------


async def test_the_editor_shows_that_a_fix_is_being_written_and_may_stop_it() -> None:
    scripted = says(FIXED)
    announced = capabilities(RESOLVES, EDITS, **PROGRESS)
    async with reviewing(scripted, announced) as client:
        client.open(URI, SQL)
        client.ignored |= {"$/progress"}
        client.answers["window/workDoneProgress/create"] = None
        found = await actions(client, (0, 0, 4, 0), triggerKind=INVOKED)
        scripted.held.clear()
        begun = client.begin("codeAction/resolve", titled(found, "Simplify"))
        await client.until(lambda: scripted.requests)
        (token,) = [
            params["token"]
            for method, params in client.asked
            if method == "window/workDoneProgress/create"
        ]
        client.notify("window/workDoneProgress/cancel", {"token": token})
        assert "edit" not in await begun
        await client.until(lambda: scripted.broken_off == 1)
        scripted.held.set()


async def test_a_request_that_is_cancelled_closes_the_stream() -> None:
    scripted = says(FIXED)
    async with reviewing(scripted, capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, SQL)
        found = await actions(client, (0, 0, 4, 0), triggerKind=INVOKED)
        scripted.held.clear()
        begun = client.begin("codeAction/resolve", titled(found, "Simplify"))
        await client.until(lambda: scripted.requests)
        client.cancel(begun)
        with pytest.raises(LspError):
            await begun
        assert scripted.broken_off == 1
        await client.until(lambda: not asking())
        scripted.held.set()
        assert scripted.broken_off == 1


# --- explaining ---------------------------------------------------------------------------------

SAID = (
    "It **finds** a user by `name`; see [the docs](https://evil.example/x) or <a href=x>here</a>.\n"
    "\n![track](https://evil.example/p.png)\x1b[31m\u202e Read www.evil.example too.\n"
)


async def test_an_explanation_is_shown_by_the_client_that_can() -> None:
    experimental = {"sirdab": {"clientCommands": ["sirdab.showExplanation"]}}
    announced = capabilities(RESOLVES, EDITS, experimental=experimental)
    async with reviewing(says(SAID), announced) as client:
        client.open(URI, SQL)
        action = titled(await actions(client, (2, 0, 2, 0), triggerKind=INVOKED), "Explain")
        assert action["command"]["command"] == "sirdab.showExplanation"
        (argument,) = action["command"]["arguments"]
        said = (await execute(client, "sirdab.explainCode", argument))["explanation"]
        assert said.startswith("It **finds** a user by `name`; see the docs or here")
        assert "evil" not in said
        assert "<" not in said
        assert "](" not in said
        assert "\x1b" not in said
        assert "\u202e" not in said
        # The whole function was explained, and nothing was changed or shown by the server.
        assert not [method for method, _ in client.asked if method == "workspace/applyEdit"]


async def test_an_explanation_is_a_message_in_other_clients() -> None:
    async with reviewing(says(SAID + "More. " * 500), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, SQL)
        action = titled(await actions(client, (0, 0, 4, 0), triggerKind=INVOKED), "Explain")
        command = action["command"]
        assert command["command"] == "sirdab.explainCode"
        result = await execute(client, command["command"], *command["arguments"])
        assert len(result["explanation"]) <= 3_000
        shown = await client.expect_notification("window/showMessage")
        assert shown["type"] == 3
        assert shown["message"].startswith("Sirdab: It finds a user by name;")
        assert len(shown["message"]) < 500
        assert "\n" not in shown["message"]


# --- new tests ----------------------------------------------------------------------------------


def project(tmp_path: Path) -> tuple[str, Path]:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    (tmp_path / "tests").mkdir()
    path = tmp_path / "shop.py"
    path.write_text(MUTABLE, encoding="utf-8")
    return path.as_uri(), tmp_path / "tests" / "test_shop.py"


async def test_tests_go_into_a_new_file_that_is_confirmed(tmp_path: Path) -> None:
    uri, target = project(tmp_path)
    scripted = says(TESTS)
    where = {"workspaceFolders": folder(tmp_path)}
    async with reviewing(scripted, capabilities(DISABLES, CONFIRMS), **where) as client:
        client.open(uri, MUTABLE)
        found = await actions(client, (1, 4, 1, 4), uri=uri, triggerKind=INVOKED)
        action = titled(found, "Write tests")
        assert "disabled" not in action
        edit = (await client.request("codeAction/resolve", action))["edit"]
        create, change = edit["documentChanges"]
        assert create["kind"] == "create"
        assert create["uri"] == change["textDocument"]["uri"] == target.as_uri()
        assert create["options"] == {"overwrite": False, "ignoreIfExists": False}
        (entry,) = change["edits"]
        said = "# A model wrote this; the expected values are guesses: check them before use.\n\n"
        assert entry["newText"] == f"{said}from shop import add\n\n\ndef test_add_{TESTS}"
        ids = {create["annotationId"], entry["annotationId"]}
        assert {edit["changeAnnotations"][id_]["needsConfirmation"] for id_ in ids} == {True}
        # Nothing is written by the server itself.
        assert not target.exists()


async def test_tests_that_are_there_stay(tmp_path: Path) -> None:
    uri, target = project(tmp_path)
    where = {"workspaceFolders": folder(tmp_path)}
    async with reviewing(says(TESTS), capabilities(DISABLES, CREATES), **where) as client:
        client.open(uri, MUTABLE)
        action = titled(await actions(client, (1, 4, 1, 4), uri=uri), "Write tests")
        target.write_text("# mine\n", encoding="utf-8")
        assert "edit" not in await client.request("codeAction/resolve", action)
        shown = await client.expect_notification("window/showMessage")
        assert "test_shop.py is there already" in shown["message"]
        action = titled(await actions(client, (1, 4, 1, 4), uri=uri), "Write tests")
        assert "is there already" in action["disabled"]["reason"]
        assert target.read_text(encoding="utf-8") == "# mine\n"


async def test_a_document_without_a_file_gets_no_tests() -> None:
    async with reviewing(says(TESTS), capabilities(DISABLES, CREATES)) as client:
        client.open("untitled:one", MUTABLE)
        action = titled(await actions(client, (1, 4, 1, 4), uri="untitled:one"), "Write tests")
        assert "Save the document" in action["disabled"]["reason"]


async def wanted_from(client: InProcess) -> dict[str, Any]:
    return await execute(
        client, "sirdab.refactor", {"uri": URI, "range": range_of(0, 0, 0, 0), "do": "tests"}
    )


async def test_a_client_that_makes_no_files_is_told_so() -> None:
    async with reviewing(says(TESTS), capabilities(RESOLVES, EDITS)) as client:
        client.open(URI, MUTABLE)
        with pytest.raises(LspError, match="make a file"):
            await wanted_from(client)
