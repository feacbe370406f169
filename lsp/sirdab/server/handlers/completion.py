"""`textDocument/completion`: the suggestion as a menu item, where there is no ghost text.

It must never get in the way of the other servers' items: it sorts last, is not preselected,
and comes in time or not at all.
"""

import asyncio
import re
from collections.abc import Awaitable

from lsprotocol import types

from sirdab.completion.debounce import delay_ms
from sirdab.completion.request import CompletionRequest, Outcome, Suggestion, Trigger
from sirdab.server import convert
from sirdab.server.language_server import SirdabServer
from sirdab.server.protocol import Pending
from sirdab.text.store import Point

_KIND = "menu"

# Editors show the menu when all servers have answered, and half a second is about where a
# menu begins to feel late. Work that takes longer goes on: the next key may find it done.
_BUDGET_SECONDS = 0.5

# The last UTF-16 code unit, so behind every label.
_SORT_LAST = "\uffff"

_WORD_BEFORE = re.compile(r"\w*$")
_LABEL_CHARS = 60


def handle(
    ls: SirdabServer, params: types.CompletionParams
) -> Awaitable[types.CompletionList | None] | None:
    """Bind the request to the document as it is at this place of the stream."""
    uri = params.text_document.uri
    request = ls.session.completion_request(uri, params.position, Trigger.AUTOMATIC)
    if request is None or request.settings.completion.menu == "off":
        return None
    pending = ls.protocol.dispatched
    ls.session.supersede(_KIND, uri, pending, request.point)
    return _complete(ls, request, pending)


async def _complete(
    ls: SirdabServer, request: CompletionRequest, pending: Pending
) -> types.CompletionList:
    work = asyncio.ensure_future(_ask(ls, request))
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


async def _ask(ls: SirdabServer, request: CompletionRequest) -> Outcome:
    delay = delay_ms(request.settings, request.trigger)
    if delay and request.settings.completion.enabled:
        await asyncio.sleep(delay / 1000)
    return await ls.complete(request)


def _items(
    ls: SirdabServer, request: CompletionRequest, outcome: Outcome
) -> list[types.CompletionItem]:
    model = str(outcome.trace.get("model") or "")
    for suggestion in outcome.suggestions[:1]:
        ls.session.tally.offered(suggestion.id)
    return [_item(ls, request, found, model) for found in outcome.suggestions[:1]]


def _item(
    ls: SirdabServer, request: CompletionRequest, suggestion: Suggestion, model: str
) -> types.CompletionItem:
    snapshot = request.snapshot
    start = suggestion.start
    # The edit takes in the word before the cursor, because that is what editors match the
    # filter text against: some within the edit's range, some within the word.
    line = snapshot.text.line_body(start.line)
    word = _WORD_BEFORE.search(line[: start.column])
    first = Point(start.line, word.start() if word else start.column)
    text = line[first.column : start.column] + suggestion.text
    head, *more = text.strip().splitlines() or [""]
    label = head[:_LABEL_CHARS] + (" …" if more or len(head) > _LABEL_CHARS else "")
    return types.CompletionItem(
        label=label,
        kind=types.CompletionItemKind.Text,
        detail=f"Sirdab · {model}" if model else "Sirdab",
        documentation=text if more else None,
        preselect=False,
        sort_text=_SORT_LAST,
        filter_text=head,
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(
            convert.range_of(snapshot, first, suggestion.stop, ls.session.encoding), text
        ),
        command=convert.accept_command(suggestion),
    )
