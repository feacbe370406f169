"""initialize, shutdown, exit, and that every request gets one response."""

from typing import Any

import pytest
from lsprotocol import types

from sirdab.server.language_server import SirdabServer
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, InProcess

URI = "file:///a.py"


async def test_capabilities(client: InProcess) -> None:
    capabilities = await client.start()
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["positionEncoding"] == "utf-16"
    assert capabilities["textDocumentSync"]["openClose"] is True
    assert capabilities["textDocumentSync"]["change"] == 2
    assert capabilities["executeCommandProvider"]["commands"] == [
        "sirdab.accept",
        "sirdab.toggle",
        "sirdab.snooze",
        "sirdab.clearCache",
        "sirdab.reviewDocument",
        "sirdab.reviewWorkspace",
        "sirdab.dismiss",
        "sirdab.rewrite",
        "sirdab.fix",
        "sirdab.restoreDismissed",
        "sirdab.refactor",
        "sirdab.explainCode",
    ]
    assert "diagnosticProvider" not in capabilities
    assert capabilities["codeActionProvider"] == {
        "codeActionKinds": ["quickfix", "refactor.rewrite", "refactor.extract"],
        "resolveProvider": True,
    }


@pytest.mark.parametrize("method", ["textDocument/inlineCompletion", "shutdown", "no/such"])
async def test_requests_before_initialize(client: InProcess, method: str) -> None:
    assert await client.error_of(client.begin(method, {})) == -32002


async def test_notifications_before_initialize_are_dropped(client: InProcess) -> None:
    client.open(URI, "x")
    await client.start()
    assert await client.inline(URI, 0, 0) is None


async def test_a_second_initialize_is_refused(client: InProcess) -> None:
    await client.start()
    assert await client.error_of(client.begin("initialize", {"capabilities": {}})) == -32600


async def test_after_shutdown_only_exit_counts(client: InProcess) -> None:
    await client.start()
    assert await client.request("shutdown") is None
    assert client.closed_engine
    for method in ("textDocument/inlineCompletion", "shutdown", "initialize", "no/such"):
        assert await client.error_of(client.begin(method, {})) == -32600
    client.notify("exit")
    assert client.server.protocol.exit_code == 0


async def test_exit_without_shutdown(client: InProcess) -> None:
    await client.start()
    client.notify("exit")
    assert client.server.protocol.exit_code == 1


async def test_shutdown_answers_what_is_in_flight(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.held.clear()
    answer = client.begin_inline(URI, 0, 4)
    await client.until(lambda: engine.requests)
    await client.request("shutdown")
    assert await client.error_of(answer) == -32800
    await client.until(lambda: engine.cancelled)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/inlineCompletion", None),
        ("textDocument/inlineCompletion", {}),
        ("textDocument/inlineCompletion", []),
        ("textDocument/inlineCompletion", "x"),
        (
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": URI},
                "position": {"line": -1, "character": 0},
                "context": {"triggerKind": 1},
            },
        ),
        (
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": URI},
                "position": {"line": "0", "character": 0},
                "context": {"triggerKind": 1},
            },
        ),
        (
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": None},
                "position": {"line": 0, "character": 0},
                "context": {"triggerKind": 1},
            },
        ),
        (
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": URI},
                "position": {"line": 0, "character": 0},
                "context": {"triggerKind": 0},
            },
        ),
        ("workspace/executeCommand", {"arguments": []}),
        ("workspace/executeCommand", {"command": "no.such"}),
        ("sirdab/explain", {"textDocument": 1}),
    ],
)
async def test_wrong_params_are_answered(client: InProcess, method: str, params: Any) -> None:
    await client.start()
    assert await client.error_of(client.begin(method, params)) == -32602


async def test_unknown_methods(client: InProcess) -> None:
    await client.start()
    assert await client.error_of(client.begin("no/such", {})) == -32601
    assert await client.error_of(client.begin("$/no/such")) == -32601
    # One of pygls' own, which would keep a second copy of the documents.
    assert await client.error_of(client.begin("notebookDocument/didOpen", {})) == -32601
    client.notify("no/such", {})
    client.notify("$/no/such", {})


async def test_a_request_without_an_id_is_not_carried_out(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    client.notify("shutdown")
    place = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 4}}
    client.notify("sirdab/explain", place)
    client.notify("textDocument/inlineCompletion", {**place, "context": {"triggerKind": 1}})
    assert (await client.inline(URI, 0, 4))["items"]
    assert len(engine.requests) == 1


async def test_a_request_before_initialized_is_no_fault(client: InProcess) -> None:
    await client.initialize()
    client.open(URI, "x")
    assert await client.inline(URI, 0, 0) is None
    client.notify("initialized", {})
    assert await client.inline(URI, 0, 0) is not None
    assert [status["state"] for status in client.statuses] == ["starting"]


async def test_a_second_initialized_starts_nothing(client: InProcess) -> None:
    await client.start()
    client.notify("initialized", {})
    await client.settle()
    assert [status["state"] for status in client.statuses] == ["starting", "ready"]


async def test_a_failing_handler_tells_nothing_about_this_machine(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.start()

    def fail(*_: Any) -> None:
        raise ValueError("secret source text")

    monkeypatch.setattr(client.server.session, "completion_request", fail)
    answer = client.begin_inline(URI, 0, 0)
    assert await client.error_of(answer) == -32603
    error = client.log[-1]["error"]
    assert set(error) == {"code", "message"}
    assert "secret" not in error["message"]
    assert "/" not in error["message"].replace("textDocument/inlineCompletion", "")


async def test_a_failing_notification_is_silent(
    client: InProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await client.start()

    def fail(*_: Any) -> None:
        raise ValueError("secret source text")

    monkeypatch.setattr(client.server.session, "open", fail)
    client.open(URI, "x")
    await client.settle()
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_failing_engine_is_no_error_for_the_editor(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.error = RuntimeError("broken")
    for _ in range(3):
        assert await client.inline(URI, 0, 4) is None
    assert [status["state"] for status in client.statuses] == ["starting", "ready", "degraded"]


async def test_a_result_that_is_no_json_is_still_answered(
    client: InProcess, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.start()
    monkeypatch.setitem(
        client.server.protocol.fm.features, "sirdab/explain", lambda _: {"x": object()}
    )
    params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
    assert await client.error_of(client.begin("sirdab/explain", params)) == -32603


async def test_an_id_that_is_in_use_gets_one_response(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.held.clear()
    first = client.begin_inline(URI, 0, 4)
    await client.until(lambda: engine.requests)
    client.write({"jsonrpc": "2.0", "id": first.id, "method": "no/such"})
    client.write({"jsonrpc": "2.0", "id": first.id, "method": 5})
    engine.held.set()
    assert (await first)["items"][0]["insertText"] == "answer"
    # Once answered the id is free.
    assert await client.error_of(client.begin("no/such", id_=first.id)) == -32601


async def test_ids_may_be_strings_and_zero(client: InProcess) -> None:
    await client.start()
    for id_ in ("a", "", 0, -1, 2**40, "7", 7):
        assert await client.error_of(client.begin("no/such", id_=id_)) == -32601


async def test_messages_that_name_no_request_are_answered_with_null(client: InProcess) -> None:
    await client.start()
    for body in (b"{", b"\xff", b"[]", b"7", b'{"jsonrpc":"2.0","id":null,"method":"m"}'):
        client.write_body(body)
    await client.settle()
    codes = [error["code"] for error in client.null_errors]
    client.null_errors.clear()
    assert codes == [-32700, -32700, -32600, -32600, -32600]


async def test_a_batch_is_refused_request_by_request(client: InProcess) -> None:
    await client.start()
    answers = [client.expect(id_) for id_ in ("a", "b")]
    client.write([{"jsonrpc": "2.0", "id": one.id, "method": "shutdown"} for one in answers])
    assert [await client.error_of(one) for one in answers] == [-32600, -32600]


async def test_responses_that_nobody_asked_for_are_ignored(
    client: InProcess, engine: ScriptedEngine
) -> None:
    await client.start()
    client.open(URI, "x = ")
    engine.held.clear()
    answer = client.begin_inline(URI, 0, 4)
    await client.until(lambda: engine.requests)
    # With the id of a request of the client's own: it must not be taken for its answer.
    client.write({"jsonrpc": "2.0", "id": answer.id, "result": "x"})
    client.write({"jsonrpc": "2.0", "id": answer.id, "error": {"code": 1, "message": "x"}})
    client.write({"jsonrpc": "2.0", "id": "unknown", "result": None})
    engine.held.set()
    assert (await answer)["items"]


async def test_an_answer_that_comes_after_its_question_was_given_up(
    client: InProcess, caplog: pytest.LogCaptureFixture
) -> None:
    # Trap 13: pygls 2.1 raises InvalidStateError here.
    await client.start()
    protocol = client.server.protocol
    future = protocol.send_request("workspace/configuration", types.ConfigurationParams([]))
    future.cancel()
    await client.until(lambda: client.asked)
    await client.settle()
    assert "InvalidStateError" not in caplog.text


async def test_a_client_that_answers_with_an_error_or_nonsense(client: InProcess) -> None:
    await client.start()
    server = client.server
    client.answers["workspace/configuration"] = 5
    params = types.ConfigurationParams([])
    assert await server.ask_client("workspace/configuration", params) is None


async def test_newer_capabilities_do_not_keep_the_server_from_starting(client: InProcess) -> None:
    capabilities = await client.start(
        {
            "general": {"positionEncodings": ["utf-99", "utf-8"]},
            "textDocument": {**INLINE["textDocument"], "codeAction": "yes", "future": {"a": 1}},
            "future": {"deep": [1]},
            "workspace": 5,
        },
        trace="loud",
    )
    assert capabilities["positionEncoding"] in ("utf-8", "utf-16")
    assert "completionProvider" not in capabilities


async def test_initialize_with_params_that_are_none(client: InProcess) -> None:
    for params in (None, [], {"capabilities": 5}, {"workspaceFolders": "x"}):
        assert await client.error_of(client.begin("initialize", params)) == -32602
    await client.start()


def test_a_handler_must_be_a_plain_function(monkeypatch: pytest.MonkeyPatch) -> None:
    from sirdab.server import handlers

    async def late(ls: SirdabServer, params: Any) -> None:
        """Would see later states of documents."""

    async def services(_: SirdabServer) -> Any:
        """Never called."""

    monkeypatch.setattr(handlers, "_HANDLERS", (("sirdab/late", late),))
    with pytest.raises(TypeError, match="sirdab/late"):
        handlers.register(SirdabServer(services))
