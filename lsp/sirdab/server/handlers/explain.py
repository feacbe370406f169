"""`sirdab/explain`: why there is, or is not, a suggestion at a place, or a finding."""

from collections.abc import Awaitable
from typing import Any

from lsprotocol import types

from sirdab.completion.request import CompletionRequest, Reason, Trigger
from sirdab.server import convert
from sirdab.server.language_server import SirdabServer

METHOD = "sirdab/explain"


def handle(
    ls: SirdabServer, params: types.TextDocumentPositionParams
) -> Awaitable[dict[str, Any]] | dict[str, Any]:
    """Bind the question to the document as it is at this place of the stream."""
    uri = params.text_document.uri
    request = ls.session.completion_request(uri, params.position, Trigger.INVOKED)
    if request is None:
        return {
            "reason": Reason.UNSUPPORTED_DOCUMENT.value,
            "detail": "The document is not open here, or of a kind that Sirdab does not serve.",
            "suggestion": None,
            "trace": {},
            "review": ls.reviews.explain(uri),
        }
    return _explain(ls, request)


async def _explain(ls: SirdabServer, request: CompletionRequest) -> dict[str, Any]:
    outcome = ls.pacing.explained(request, await ls.complete(request, explain=True))
    suggestions = outcome.suggestions
    return {
        "reason": outcome.reason.value,
        "detail": outcome.detail,
        "suggestion": suggestions[0].text if suggestions else None,
        "trace": convert.plain({**outcome.trace, "session": ls.session.tally.counts}),
        "review": ls.reviews.explain(request.snapshot.uri),
    }
