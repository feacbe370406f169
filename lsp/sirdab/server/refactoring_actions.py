"""Lists the refactorings at a place, and asks nobody: editors want the list at every move."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from sirdab.server import actions
from sirdab.server.action_form import done_by
from sirdab.server.actions import span_of
from sirdab.server.language_server import SirdabServer
from sirdab.text.document import Snapshot
from sirdab.text.store import Point

EXPLAIN_COMMAND = "sirdab.explainCode"
INSTRUCT_COMMAND = "sirdab.instruct"
"""A command of the client: it asks the user for the instruction."""
SHOW_COMMAND = "sirdab.showExplanation"
"""A command of the client: it runs `sirdab.explainCode` and shows the answer."""


# Lines beyond these are too many for the model (`sirdab.review.refactor.region`).
_MOST_LINES = 400


@dataclass(frozen=True, slots=True)
class Place:
    """What actions are asked for.

    Attributes:
        snapshot: The document.
        span: The range as the client sent it.
        start: Where it begins.
        stop: Where it ends.
        asked: Whether a person has asked, and not the editor by itself for its light bulb.
    """

    snapshot: Snapshot
    span: types.Range
    start: Point
    stop: Point
    asked: bool

    @property
    def data(self) -> dict[str, Any]:
        """What each action carries of it."""
        return {"uri": self.snapshot.uri, "version": self.snapshot.version}


def refactorings(ls: SirdabServer, place: Place) -> Iterator[types.CodeAction]:
    """Offer what can be made of a selection, or of the function or class around the cursor."""
    snapshot = place.snapshot
    from sirdab.review.gates import not_reviewed

    if not_reviewed(snapshot.language_id) is not None:
        return
    selected = place.start != place.stop
    if not selected and not place.asked:
        # Asked for at each move of the cursor, and always there: a light bulb that says nothing.
        return
    from sirdab.review.refactor.kinds import offered
    from sirdab.review.refactor.symbols import enclosing
    from sirdab.review.refactor.testplace import LANGUAGES

    symbol = enclosing(snapshot.text, snapshot.language_id, place.start, place.stop)
    first, last = actions.target(snapshot, place.start, place.stop)
    if not selected and symbol is None:
        return
    if not any(snapshot.text.line_body(row).strip() for row in range(first, last + 1)):
        return
    span = span_of(place.span)
    too_many = None
    if last - first >= _MOST_LINES:
        too_many = f"More than {_MOST_LINES} lines are too many for the model; select fewer."
    yield _with_command(ls, "Explain", SHOW_COMMAND, EXPLAIN_COMMAND, place, span)
    for kind in offered(snapshot.language_id):
        why_not = too_many
        if kind.extracts and not selected:
            why_not = "Select the lines that are to become a function."
        yield types.CodeAction(
            title=kind.title,
            kind=(
                types.CodeActionKind.RefactorExtract
                if kind.extracts
                else types.CodeActionKind.RefactorRewrite
            ),
            disabled=None if why_not is None else types.CodeActionDisabled(why_not),
            data={**place.data, "do": kind.name, "range": span},
        )
    if snapshot.language_id in LANGUAGES and symbol is not None:
        yield types.CodeAction(
            title="Write tests",
            kind=types.CodeActionKind.RefactorRewrite,
            disabled=None if too_many is None else types.CodeActionDisabled(too_many),
            data={**place.data, "do": "tests", "range": span},
        )
    if INSTRUCT_COMMAND in ls.session.client_commands:
        yield _with_command(ls, "Rewrite as instructed…", INSTRUCT_COMMAND, None, place, span)


async def with_tests(
    ls: SirdabServer, place: Place, found: list[types.CodeAction]
) -> list[types.CodeAction]:
    """Say of tests whether they can be written: that asks the disk, and so not the event loop."""
    cannot = None
    if not actions.can_create(ls):
        cannot = "This editor does not let a language server make a file."
    else:
        where = await asyncio.to_thread(ls.refactorings.test_place, place.snapshot)
        cannot = where if isinstance(where, str) else None
    for action in found:
        if done_by(action) == "tests" and cannot is not None:
            action.disabled = types.CodeActionDisabled(cannot)
    return found


def _with_command(
    ls: SirdabServer,
    title: str,
    clients: str,
    ours: str | None,
    place: Place,
    span: dict[str, Any],
) -> types.CodeAction:
    """Return an action that the client carries out itself where it says so, else the server."""
    command = clients if clients in ls.session.client_commands or ours is None else ours
    return types.CodeAction(
        title=title,
        kind=types.CodeActionKind.RefactorRewrite,
        command=types.Command(
            title, command, arguments=[{"uri": place.snapshot.uri, "range": span}]
        ),
    )
