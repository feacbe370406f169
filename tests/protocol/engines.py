"""An engine whose answers a test writes."""

import asyncio
from collections.abc import Callable
from typing import Any

from sirdab.completion.request import CompletionRequest, Outcome, Reason, Suggestion

Answer = str | Callable[[CompletionRequest], str | None] | None


class ScriptedEngine:
    """Answers with what the test says, when the test says.

    Attributes:
        answer: The text to suggest, or a function of the request; None for no suggestion.
        held: While cleared, no request is answered.
        requests: What was asked, in order.
        cancelled: Requests whose work was stopped.
        forgotten: URIs of closed documents.
        warmed: Places that were read ahead.
        speculated: Places whose suggestions were thought further.
        moves: Where the cursor went.
        cleared: How often the cache was dropped.
        error: Raised in place of an answer.
    """

    def __init__(self, answer: Answer = "answer") -> None:
        self.answer = answer
        self.held = asyncio.Event()
        self.held.set()
        self.requests: list[CompletionRequest] = []
        self.cancelled: list[CompletionRequest] = []
        self.forgotten: list[str] = []
        self.cleared = 0
        self.warmed: list[CompletionRequest] = []
        self.speculated: list[CompletionRequest] = []
        self.moves: list[CompletionRequest] = []
        self.error: BaseException | None = None
        self.trace: dict[str, Any] = {"model": "test-model"}

    def recall(self, request: CompletionRequest) -> Outcome | None:
        return None

    def instant(self, request: CompletionRequest) -> Outcome | None:
        return None

    def is_answering(self, request: CompletionRequest) -> bool:
        return False

    async def complete(
        self, request: CompletionRequest, *, show_prompt: bool = False, fresh: bool = False
    ) -> Outcome:
        self.requests.append(request)
        try:
            await self.held.wait()
        except asyncio.CancelledError:
            self.cancelled.append(request)
            raise
        if self.error is not None:
            raise self.error
        text = self.answer(request) if callable(self.answer) else self.answer
        trace = {**self.trace, **({"prompt": "the prompt"} if show_prompt else {})}
        if text is None:
            return Outcome(Reason.EMPTY, "The model has nothing to add here.", trace=trace)
        start, stop = request.point, request.point
        if request.selected is not None:
            start, stop = request.selected.start, request.selected.stop
            text = request.selected.text + text
        suggestion = Suggestion(f"s{len(self.requests)}", text, start, stop)
        return Outcome(Reason.SUGGESTED, "There is a suggestion.", (suggestion,), trace)

    async def warm(self, request: CompletionRequest, turn: Any) -> bool:
        self.warmed.append(request)
        return True

    async def speculate(self, request: CompletionRequest, turn: Any) -> bool:
        self.speculated.append(request)
        return True

    def left(self, request: CompletionRequest) -> None:
        self.moves.append(request)

    def forget(self, uri: str) -> None:
        self.forgotten.append(uri)

    def clear(self) -> None:
        self.cleared += 1


def line_before(request: CompletionRequest) -> str:
    """Suggest the text before the cursor: shows what the server thinks the document is."""
    body = request.snapshot.text.line_body(request.point.line)
    return f"<{body[: request.point.column]}>"
