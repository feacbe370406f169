"""`textDocument/codeAction` and `codeAction/resolve`: fixes, refactorings, dismissals.

Listing them asks nobody, because editors do it at every move of the cursor. The model is asked
when one is chosen: on `codeAction/resolve`, or by a command where the client cannot resolve.
"""

import re
from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.completion.request import Trigger
from sirdab.policy.sanitize import clean_output
from sirdab.server import convert
from sirdab.server.edits import apply_edit, workspace_edit
from sirdab.server.handlers.review import points_of, snapshot_of
from sirdab.server.jsonrpc import Code
from sirdab.server.language_server import SirdabServer
from sirdab.server.progress import Token
from sirdab.server.protocol import RequestError
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.edit import LineEdit
    from sirdab.review.rewrite import Rewriting

FIX_COMMAND = "sirdab.fix"
INSTRUCT_COMMAND = "sirdab.instruct"
"""A command of the client: it asks the user for the instruction."""

MAX_TITLE_CHARACTERS = 80

# Diagnostics of other servers that a fix is offered for at one place.
_MOST_FOREIGN = 3
_SPACE = re.compile(r"\s+")
_CHANGED = "The document has changed meanwhile, so nothing is done; ask again."

Action = types.CodeAction | types.Command


def handle(ls: SirdabServer, params: types.CodeActionParams) -> list[Action] | None:
    """List what can be done at a place."""
    uri, cursor = params.text_document.uri, params.range.end
    resting = ls.session.completion_request(uri, cursor, Trigger.INVOKED)
    if resting is not None:
        ls.warm_up.asked_about(resting)
    snapshot = ls.session.snapshot(uri)
    if snapshot is None or not ls.session.settings.review.enabled:
        return None
    wanted = [
        str(kind.value if isinstance(kind, types.CodeActionKind) else kind)
        for kind in params.context.only or ()
    ]
    found = [
        action
        for action in _actions(ls, snapshot, params)
        if not wanted or any(_is_within(action.kind, kind) for kind in wanted)
    ]
    return [_in_clients_form(ls, action) for action in found]


def resolve(ls: SirdabServer, action: types.CodeAction) -> Awaitable[types.CodeAction]:
    """Compute the edit of an action that was chosen."""
    snapshot, rewriting = _rewriting(ls, action.data)
    return _resolve(ls, action, snapshot, rewriting)


def fix(ls: SirdabServer, arguments: list[Any]) -> Awaitable[dict[str, Any]]:
    """Carry out an action of a client that cannot resolve: `[data]`."""
    if len(arguments) != 1:
        raise RequestError(Code.INVALID_PARAMS, f"{FIX_COMMAND} takes the data of a code action.")
    snapshot, rewriting = _rewriting(ls, arguments[0])
    return _carry_out(ls, snapshot, rewriting, ls.protocol.dispatched.progress)


def rewrite(ls: SirdabServer, arguments: list[Any]) -> Awaitable[dict[str, Any]]:
    """Rewrite a range as instructed: `[{"uri": …, "range": …, "instruction": …}]`."""
    match arguments:
        case [{"uri": str(uri), "range": span, "instruction": str(instruction)}]:
            snapshot = snapshot_of(ls, uri)
        case _:
            raise RequestError(
                Code.INVALID_PARAMS,
                'sirdab.rewrite takes an object with "uri", "range" and "instruction".',
            )
    from sirdab.review.rewrite import instructed

    lines = _lines(ls, snapshot, span)
    _check_enabled(ls)
    session = ls.session
    wanted = instructed(snapshot, session.settings, session.workspace_folders, lines, instruction)
    return _carry_out(ls, snapshot, wanted, ls.protocol.dispatched.progress)


# --- what is offered ----------------------------------------------------------------------


def _actions(
    ls: SirdabServer, snapshot: Snapshot, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    start = convert.point_of(snapshot, params.range.start, ls.session.encoding)
    stop = convert.point_of(snapshot, params.range.end, ls.session.encoding)
    base: dict[str, Any] = {"uri": snapshot.uri, "version": snapshot.version}
    ours = [
        (finding, diagnostic)
        for finding, diagnostic in ls.reviews.known(snapshot)
        if finding.start.line <= stop.line and finding.stop.line >= start.line
    ]
    for finding, diagnostic in ours:
        yield types.CodeAction(
            title=_title(f"Fix: {finding.message.partition(':')[0]}"),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            data={**base, "do": "fix", "fingerprint": finding.fingerprint},
        )
    foreign = [entry for entry in params.context.diagnostics if entry.source != "sirdab"]
    for diagnostic in foreign[:_MOST_FOREIGN]:
        message = _plain(diagnostic.message)
        if message:
            yield types.CodeAction(
                title=_title(f"Fix with the local model: {message}"),
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[diagnostic],
                data={**base, "do": "fix", "range": _span(diagnostic.range), "message": message},
            )
    for finding, diagnostic in ours:
        for title, scope in (
            ("Dismiss: not a problem", "finding"),
            (f"Dismiss: never “{finding.rule}” in this file", "rule-here"),
            (f"Dismiss: never “{finding.rule}” anywhere", "rule"),
        ):
            yield types.CodeAction(
                title=_title(title),
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[diagnostic],
                command=types.Command(
                    title,
                    "sirdab.dismiss",
                    arguments=[finding.fingerprint, scope, snapshot.uri],
                ),
            )
    if start != stop:
        yield from _refactorings(ls, params.range, base)


def _refactorings(
    ls: SirdabServer, span: types.Range, base: dict[str, Any]
) -> Iterator[types.CodeAction]:
    for title, do in (("Document", "document"), ("Simplify", "simplify")):
        yield types.CodeAction(
            title=title,
            kind=types.CodeActionKind.RefactorRewrite,
            data={**base, "do": do, "range": _span(span)},
        )
    if INSTRUCT_COMMAND in ls.session.client_commands:
        title = "Rewrite as instructed…"
        arguments = [{"uri": base["uri"], "range": _span(span)}]
        yield types.CodeAction(
            title=title,
            kind=types.CodeActionKind.RefactorRewrite,
            command=types.Command(title, INSTRUCT_COMMAND, arguments=arguments),
        )


def _in_clients_form(ls: SirdabServer, action: types.CodeAction) -> Action:
    """Return an action as the client can use it."""
    capabilities = ls.session.capabilities
    computed = action.command is None
    if computed and not _can_resolve(capabilities):
        action.command = types.Command(action.title, FIX_COMMAND, arguments=[action.data])
        action.data = None
    literal = get_capability(capabilities, "text_document.code_action.code_action_literal_support")
    if literal is None and action.command is not None:
        return action.command
    tags = get_capability(capabilities, "text_document.code_action.tag_support")
    if computed and tags is not None and types.CodeActionTag.LlmGenerated in tags.value_set:
        action.tags = [types.CodeActionTag.LlmGenerated]
    return action


def _can_resolve(capabilities: types.ClientCapabilities) -> bool:
    support = get_capability(capabilities, "text_document.code_action.resolve_support")
    data = get_capability(capabilities, "text_document.code_action.data_support")
    return bool(data) and support is not None and "edit" in support.properties


def _is_within(kind: object, wanted: str) -> bool:
    name = str(kind.value if isinstance(kind, types.CodeActionKind) else kind or "")
    return not wanted or name == wanted or name.startswith(f"{wanted}.")


# --- what was chosen ------------------------------------------------------------------------


def _rewriting(ls: SirdabServer, data: Any) -> "tuple[Snapshot, Rewriting]":
    """Read the data of an action that was chosen.

    Raises:
        RequestError: It is none of ours, or what it is about is no longer there.
    """
    match data:
        case {"uri": str(uri), "version": int(version), "do": str(do), **more}:
            snapshot = snapshot_of(ls, uri)
        case _:
            raise RequestError(Code.INVALID_PARAMS, "This code action is none of Sirdab's.")
    _check_enabled(ls)
    from sirdab.review import rewrite as rewriting

    given = (snapshot, ls.session.settings, ls.session.workspace_folders)
    if do == "fix" and isinstance(fingerprint := more.get("fingerprint"), str):
        for finding, _ in ls.reviews.known(snapshot):
            if finding.fingerprint == fingerprint:
                return snapshot, rewriting.fix_finding(*given, finding)
        raise RequestError(
            Code.REQUEST_FAILED, "The code of that finding has changed; review the document again."
        )
    if version != snapshot.version:
        raise RequestError(
            Code.REQUEST_FAILED, "The document has changed meanwhile; choose the action again."
        )
    lines = _lines(ls, snapshot, more.get("range"))
    match do, more.get("message"):
        case "fix", str(message):
            return snapshot, rewriting.fix(*given, lines, message)
        case "document", _:
            return snapshot, rewriting.document(*given, lines)
        case "simplify", _:
            return snapshot, rewriting.simplify(*given, lines)
        case _:
            raise RequestError(Code.INVALID_PARAMS, "This code action is none of Sirdab's.")


async def _resolve(
    ls: SirdabServer, action: types.CodeAction, snapshot: Snapshot, rewriting: "Rewriting"
) -> types.CodeAction:
    edits = await _edits(ls, rewriting)
    if isinstance(edits, str):
        # Editors show the error of a resolve as one of their own, or not at all.
        ls.warn(edits)
        return action
    now = ls.session.snapshot(snapshot.uri)
    if now is None or now.text is not snapshot.text:
        # Clients without versioned edits would apply it to lines that it is not about.
        ls.warn(_CHANGED)
        return action
    action.edit = workspace_edit(ls, now, edits)
    return action


async def _carry_out(
    ls: SirdabServer, snapshot: Snapshot, rewriting: "Rewriting", token: Token | None
) -> dict[str, Any]:
    edits: list[LineEdit] | str | None = await ls.work_shown.run(
        _TITLES[cast("_Kind", rewriting.kind)], token, lambda _: _edits(ls, rewriting), lambda: ""
    )
    if edits is None:
        return {"applied": False, "message": "Cancelled."}
    if isinstance(edits, str):
        ls.warn(edits)
        return {"applied": False, "message": edits}
    now = ls.session.snapshot(snapshot.uri)
    if now is None or now.text is not snapshot.text:
        problem = _CHANGED
    else:
        problem = await apply_edit(ls, workspace_edit(ls, now, edits), "Sirdab")
    if problem:
        ls.warn(problem)
    return {"applied": not problem, "message": problem or "Applied."}


_Kind = Literal["fix", "document", "simplify", "rewrite"]
_TITLES: dict[_Kind, str] = {
    "fix": "Fixing",
    "document": "Documenting",
    "simplify": "Simplifying",
    "rewrite": "Rewriting",
}


async def _edits(ls: SirdabServer, rewriting: "Rewriting") -> "list[LineEdit] | str":
    """Return the edits, or the sentence that says why there are none."""
    from sirdab.review.edit import RefusalError

    rewriter = await ls.reviews.rewriter()
    try:
        return await rewriter.rewrite(rewriting)
    except RefusalError as refusal:
        return refusal.message


def _check_enabled(ls: SirdabServer) -> None:
    if not ls.session.settings.review.enabled:
        raise RequestError(Code.REQUEST_FAILED, "Reviews are off; set review.enabled to true.")


def _lines(ls: SirdabServer, snapshot: Snapshot, span: Any) -> tuple[int, int]:
    """Return the first and last line of a range; one that ends before a line leaves it out."""
    start, stop = points_of(ls, snapshot, span, "The action")
    last = stop.line - 1 if stop.column == 0 and stop.line > start.line else stop.line
    return start.line, last


def _span(span: types.Range) -> dict[str, Any]:
    return {
        "start": {"line": span.start.line, "character": span.start.character},
        "end": {"line": span.end.line, "character": span.end.character},
    }


def _plain(message: object) -> str:
    """Return a diagnostic's message, which 3.18 lets be Markdown, as one short line."""
    text = message.value if isinstance(message, types.MarkupContent) else str(message)
    return _SPACE.sub(" ", clean_output(text.replace("\r", "\n"))).strip()[:500]


def _title(text: str) -> str:
    text = _SPACE.sub(" ", clean_output(text)).strip()
    if len(text) <= MAX_TITLE_CHARACTERS:
        return text
    return text[: MAX_TITLE_CHARACTERS - 1].rstrip() + "…"
