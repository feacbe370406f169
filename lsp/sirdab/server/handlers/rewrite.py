"""The commands that rewrite and explain code, for clients and their menus."""

from collections.abc import Awaitable
from typing import Any

from lsprotocol import types

from sirdab.server import actions, edits
from sirdab.server.action_form import FIX_COMMAND
from sirdab.server.actions import CHANGED, Work
from sirdab.server.edits import apply_edit, workspace_edit
from sirdab.server.jsonrpc import Code
from sirdab.server.language_server import SirdabServer
from sirdab.server.places import points_of, snapshot_of
from sirdab.server.progress import Token
from sirdab.server.protocol import RequestError
from sirdab.server.refactoring_actions import SHOW_COMMAND

# What is shown of an explanation in editors that have no more than a message for it.
_MOST_IN_A_MESSAGE = 480


def fix(ls: SirdabServer, arguments: list[Any]) -> Awaitable[dict[str, Any]]:
    """Carry out an action of a client that cannot resolve: `[data]`."""
    if len(arguments) != 1:
        raise RequestError(Code.INVALID_PARAMS, f"{FIX_COMMAND} takes the data of a code action.")
    return _carry_out(ls, actions.work_of(ls, arguments[0]), ls.protocol.dispatched.progress)


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
    actions.check_enabled(ls)
    work = actions.instructed(ls, snapshot, span, instruction)
    return _carry_out(ls, work, ls.protocol.dispatched.progress)


def refactor(ls: SirdabServer, arguments: list[Any]) -> Awaitable[dict[str, Any]]:
    """Carry out a refactoring by its name: `[{"uri": …, "range": …, "do": …}]`."""
    match arguments:
        case [{"uri": str(uri), "range": span, "do": str(do)}]:
            snapshot = snapshot_of(ls, uri)
        case _:
            raise RequestError(
                Code.INVALID_PARAMS, 'sirdab.refactor takes an object with "uri", "range" and "do".'
            )
    actions.check_enabled(ls)
    work = actions.refactoring(ls, snapshot, do, span)
    return _carry_out(ls, work, ls.protocol.dispatched.progress)


def explain(ls: SirdabServer, arguments: list[Any]) -> Awaitable[dict[str, Any]]:
    """Say what a range of code does: `[{"uri": …, "range": …}]`."""
    match arguments:
        case [{"uri": str(uri), "range": span}]:
            snapshot = snapshot_of(ls, uri)
        case _:
            raise RequestError(
                Code.INVALID_PARAMS, 'sirdab.explainCode takes an object with "uri" and "range".'
            )
    actions.check_enabled(ls)
    from sirdab.review.gates import not_reviewed

    reason = not_reviewed(snapshot.language_id)
    if reason is not None:
        raise RequestError(Code.REQUEST_FAILED, reason.replace("reviewed", "explained"))
    lines = actions.target(snapshot, *points_of(ls, snapshot, span, "sirdab.explainCode"))
    token = ls.protocol.dispatched.progress

    async def say() -> dict[str, Any]:
        said = await edits.explained(ls, snapshot, lines, token)
        if said is None:
            return {"explanation": ""}
        if SHOW_COMMAND not in ls.session.client_commands:
            from sirdab.review.refactor.explain import plain

            ls.window_show_message(
                types.ShowMessageParams(
                    types.MessageType.Info, f"Sirdab: {plain(said, _MOST_IN_A_MESSAGE)}"
                )
            )
        return {"explanation": said}

    return say()


async def _carry_out(ls: SirdabServer, work: Work, token: Token | None) -> dict[str, Any]:
    made = await edits.made(ls, work, token)
    if made is None:
        return {"applied": False, "message": "Cancelled."}
    if isinstance(made, str):
        ls.warn(made)
        return {"applied": False, "message": made}
    now = ls.session.snapshot(work.snapshot.uri)
    if now is None or now.text is not work.snapshot.text:
        problem = CHANGED
    else:
        edit = workspace_edit(ls, now, made, asks_model=work.asks_model)
        problem = await apply_edit(ls, edit, "Sirdab")
    if problem:
        ls.warn(problem)
    return {"applied": not problem, "message": problem or "Applied."}
