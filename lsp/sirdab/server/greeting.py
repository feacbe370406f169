"""The answer to `initialize`, as plain JSON.

Two thirds of the start-up go into importing the LSP types. The answer needs none of them: it
is sent first, and they are imported while the editor makes something of it. This module
therefore imports nothing that is slow, and is the only place that says what is offered.
"""

from typing import Any, cast

from sirdab import __version__
from sirdab.server.configuration import Configuration
from sirdab.server.framing import Frame
from sirdab.server.jsonrpc import Id, Request, parse

COMMANDS = (
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
)
"""What `workspace/executeCommand` takes."""

MENU_TRIGGERS = (".",)
"""Characters after which an editor opens the completion menu by itself.

Editors ask at every character of a word anyway. After a full stop they open the menu for the
language's own server, and the suggestion would be missing there until the next word. After a space,
a bracket or "=" there would be no menu but for us, and in editors that select the first item
by themselves the next Enter would take it instead of beginning a line.
"""

INITIALIZE = "initialize"

_ENCODINGS = ("utf-8", "utf-16", "utf-32")
_INCREMENTAL = 2  # LSP 3.18, TextDocumentSyncKind

Json = dict[str, Any]

# Without "matches", files and folders: a folder takes its files along without a word on them.
_ANY_FILE: Json = {"scheme": "file", "pattern": {"glob": "**/*"}}


def early_answer(frame: Frame) -> tuple[Id, Json] | None:
    """Return the id and the result for a session's first message.

    None when it is anything but an `initialize` that will certainly be accepted; such a
    message takes the ordinary way.
    """
    messages = parse(frame)
    request = messages[0]
    if len(messages) != 1 or not isinstance(request, Request) or request.method != INITIALIZE:
        return None
    params: object = request.params
    if not isinstance(params, dict):
        return None
    hello = cast("Json", params)
    if not isinstance(hello.get("capabilities"), dict):
        return None
    configuration = Configuration()
    configuration.begin(hello.get("initializationOptions"))
    return request.id, result(hello, configuration.settings.completion.menu)


def result(params: Json, menu: str) -> Json:
    """Return the InitializeResult.

    Args:
        params: The params of `initialize` as they were sent.
        menu: The setting `completion.menu`.
    """
    capabilities: Json = {
        "positionEncoding": _position_encoding(params),
        "textDocumentSync": {
            "openClose": True,
            "change": _INCREMENTAL,
            # With the text, so that a document that has got out of step is noticed.
            "save": {"includeText": True},
        },
        "inlineCompletionProvider": {},
        "codeActionProvider": {
            "codeActionKinds": ["quickfix", "refactor.rewrite", "refactor.extract"],
            "resolveProvider": True,
        },
        "executeCommandProvider": {"commands": list(COMMANDS), "workDoneProgress": True},
        "workspace": {
            "workspaceFolders": {"supported": True, "changeNotifications": True},
            # A rule that is dismissed in a file stays so when the file has another name.
            "fileOperations": {"didRename": {"filters": [_ANY_FILE]}},
        },
    }
    if pulls_diagnostics(params):
        capabilities["diagnosticProvider"] = {
            "identifier": "sirdab",
            "interFileDependencies": False,
            "workspaceDiagnostics": not _refreshes_either_way(params),
        }
    if menu_is_offered(menu, _has_inline_completion(params)):
        capabilities["completionProvider"] = {"triggerCharacters": list(MENU_TRIGGERS)}
    return {
        "capabilities": capabilities,
        "serverInfo": {"name": "sirdab", "version": __version__},
    }


def menu_is_offered(menu: str, inline_completion: bool) -> bool:
    """Return whether suggestions are offered in the completion menu.

    Args:
        menu: The setting `completion.menu`.
        inline_completion: Whether the client shows ghost text.
    """
    return menu == "on" or (menu == "auto" and not inline_completion)


def pulls_diagnostics(params: Json) -> bool:
    """Return whether a client pulls diagnostics, and can be asked to pull again.

    Findings come when the model is done and not when the client asks, so one that cannot be asked
    to pull (Neovim 0.10 and 0.11) is better served by pushing them.
    """
    if _section(params, "textDocument").get("diagnostic") is None:
        return False
    # The types that many clients in Rust are made with have left out the last letter.
    workspace = _section(params, "workspace")
    support = workspace.get("diagnostics") or workspace.get("diagnostic")
    return isinstance(support, dict) and bool(cast("Json", support).get("refreshSupport"))


def _refreshes_either_way(params: Json) -> bool:
    """Return whether a client that is asked to pull again pulls the workspace alone.

    Neovim 0.12 does where that is offered, and then makes no use of what it is told of documents
    that are open (`on_refresh` and `_workspace_diagnostics` in its vim/lsp/diagnostic.lua).
    """
    client = params.get("clientInfo")
    return isinstance(client, dict) and cast("Json", client).get("name") == "Neovim"


def _section(params: Json, name: str) -> Json:
    section = params["capabilities"].get(name)
    return cast("Json", section) if isinstance(section, dict) else {}


def _position_encoding(params: Json) -> str:
    """Return the client's first encoding that we know; it lists them by preference."""
    offered = _section(params, "general").get("positionEncodings")
    if isinstance(offered, list):
        for encoding in cast("list[Any]", offered):
            if encoding in _ENCODINGS:
                return encoding
    return "utf-16"


def _has_inline_completion(params: Json) -> bool:
    return _section(params, "textDocument").get("inlineCompletion") is not None
