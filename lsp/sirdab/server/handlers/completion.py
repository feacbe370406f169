"""`textDocument/completion`: the suggestion as a menu item, where there is no ghost text.

It must never get in the way of the other servers' items: it comes in time or not at all, and
`sirdab.server.menu_item` says how it keeps to itself.
"""

import asyncio
from collections.abc import Awaitable

from lsprotocol import types

from sirdab.completion.request import CompletionRequest, Outcome, Trigger
from sirdab.server.language_server import SirdabServer
from sirdab.server.menu_item import menu_item
from sirdab.server.protocol import Pending

_KIND = "menu"

# Editors show the menu when all servers have answered, and half a second is about where a
# menu begins to feel late. Work that takes longer goes on: the next key may find it done.
_BUDGET_SECONDS = 0.5

# In these a full stop ends a sentence and is often followed by Enter, which would take the
# item where an editor preselects by itself.
_PROSE = frozenset({"plaintext", "markdown", "latex", "restructuredtext", "git-commit", "org"})


def handle(ls: SirdabServer, params: types.CompletionParams) -> Awaitable[types.CompletionList]:
    """Bind the request to the document as it is at this place of the stream."""
    uri = params.text_document.uri
    request = ls.session.completion_request(uri, params.position, Trigger.AUTOMATIC)
    # A client that was told of the menu before it was turned off may go on asking.
    if request is None or not ls.menu.wanted or _is_full_stop(params.context, request):
        return _nothing()
    ls.lifecycle.asked(request)
    pending = ls.protocol.dispatched
    ls.session.supersede(_KIND, uri, pending, request.point)
    return _complete(ls, request, pending)


async def _nothing() -> types.CompletionList:
    # Not null, which the protocol allows and multiplexers of servers stumble over.
    return types.CompletionList(is_incomplete=True, items=[])


def _is_full_stop(context: types.CompletionContext | None, request: CompletionRequest) -> bool:
    """Whether the menu was opened by a trigger character that stands in prose."""
    if context is None or context.trigger_kind is not types.CompletionTriggerKind.TriggerCharacter:
        return False
    snapshot = request.snapshot
    if snapshot.language_id in _PROSE:
        return True
    from sirdab.syntax.scopes import Scope, scope_at

    scope = scope_at(snapshot.text, snapshot.language_id, request.point)
    return scope in (Scope.COMMENT, Scope.STRING)


async def _complete(
    ls: SirdabServer, request: CompletionRequest, pending: Pending
) -> types.CompletionList:
    work = asyncio.ensure_future(ls.suggest(request))
    try:
        done, _ = await asyncio.wait({work}, timeout=_BUDGET_SECONDS)
        outcome = work.result() if done else None
    except asyncio.CancelledError:
        work.cancel()
        raise
    if outcome is None:
        # It can still be superseded: whoever abandons the request stops this task.
        pending.task = work
        ls.spawn(work)
    items = [] if outcome is None else _items(ls, request, outcome)
    # Incomplete: the list is asked for again at the next key instead of being filtered.
    return types.CompletionList(is_incomplete=True, items=items)


def _items(
    ls: SirdabServer, request: CompletionRequest, outcome: Outcome
) -> list[types.CompletionItem]:
    session = ls.session
    model = str(outcome.trace.get("model") or "")
    items: list[types.CompletionItem] = []
    ls.lifecycle.offered(request, outcome, menu=True)
    for suggestion in outcome.suggestions[:1]:
        session.tally.offered(suggestion.id)
        items.append(
            menu_item(suggestion, request.snapshot, session.encoding, session.capabilities, model)
        )
    return items
