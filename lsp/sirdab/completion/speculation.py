"""What the document is when a suggestion has been taken, before anybody has taken it."""

from dataclasses import replace

from sirdab.completion.request import CompletionRequest, Suggestion, Trigger
from sirdab.text.store import Point


def accepted(request: CompletionRequest, suggestion: Suggestion) -> CompletionRequest:
    """Return the request that an editor will send when a suggestion has been taken whole.

    Args:
        request: Where the suggestion is offered.
        suggestion: What is offered there.
    """
    snapshot = request.snapshot
    text = snapshot.text
    start, stop = text.clamp(suggestion.start), text.clamp(suggestion.stop)
    lines = suggestion.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    above = len(lines) - 1
    column = len(lines[-1]) + (0 if above else start.column)
    replaced = text.replace(start, stop, suggestion.text)
    return replace(
        request,
        snapshot=replace(snapshot, text=replaced),
        point=replaced.clamp(Point(start.line + above, column)),
        trigger=Trigger.AUTOMATIC,
        selected=None,
        alternatives=1,
        asked=None,
        just_accepted=True,
    )
