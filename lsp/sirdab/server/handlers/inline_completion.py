"""`textDocument/inlineCompletion`: ghost text.

Never an error: editors show one at every keystroke. What is wrong is told by `sirdab/status`.
"""

from collections.abc import Awaitable
from dataclasses import replace

from lsprotocol import types

from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.server import convert
from sirdab.server.language_server import SirdabServer

_KIND = "inline"

# As many as a person looks through; editors ask for all of them at once.
_ALTERNATIVES = 3


def handle(
    ls: SirdabServer, params: types.InlineCompletionParams
) -> Awaitable[types.InlineCompletionList | None] | None:
    """Bind the request to the document as it is at this place of the stream."""
    uri = params.text_document.uri
    request = ls.session.completion_request(
        uri,
        params.position,
        convert.trigger_of(params.context.trigger_kind),
        params.context.selected_completion_info,
    )
    if request is None:
        return None
    if request.trigger is Trigger.INVOKED:
        request = replace(request, alternatives=_ALTERNATIVES)
    ls.lifecycle.asked(request)
    ls.session.supersede(_KIND, uri, ls.protocol.dispatched, request.point)
    return _complete(ls, request)


async def _complete(
    ls: SirdabServer, request: CompletionRequest
) -> types.InlineCompletionList | None:
    outcome = await ls.suggest(request)
    for suggestion in outcome.suggestions:
        ls.session.tally.offered(suggestion.id)
    ls.lifecycle.offered(request, outcome)
    ls.speculation.offered(request, outcome)
    return convert.inline_list(outcome, request.snapshot, ls.session.encoding)
