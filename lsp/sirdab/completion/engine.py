"""Runs one completion request through its stages.

A request passes: gates → window → secrets → prompt → model stream → early stop → post-processing.
Each stage is a module of this room; this one only puts them in order, measures them, and makes sure
that the caller gets an answer and never an exception.
"""

import itertools
import logging
import time
from collections.abc import Callable
from typing import Any

from sirdab.completion import alternatives, gates, postprocess, warm
from sirdab.completion.cache import Known, SuggestionCache
from sirdab.completion.flight import Flight
from sirdab.completion.question import Composer, Question, conditions_of
from sirdab.completion.reader import Reader
from sirdab.completion.request import (
    CompletionRequest,
    Outcome,
    Reason,
    Suggestion,
    Trigger,
)
from sirdab.completion.shape import Shape
from sirdab.completion.stop import StreamStop
from sirdab.endpoint.base import (
    EndpointError,
    EndpointSource,
    GenerationRequest,
    ModelInfo,
    Usage,
)
from sirdab.policy.audit import AuditTrail

log = logging.getLogger(__name__)

# A line is rarely longer than this many tokens; the stream is closed at its end anyway.
_LINE_TOKENS = 64
# After this long an automatic suggestion is shown with the whole lines it has, because the
# user's next key is near. VS Code 1.139 drops what comes later than 750 ms.
_SOFT_LIMIT_MS = 650


class Engine:
    """Answers completion requests with the model of an endpoint."""

    def __init__(
        self,
        endpoints: EndpointSource,
        *,
        audit: AuditTrail | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Make an engine.

        Args:
            endpoints: Finds the model server.
            audit: Keeps the record of what was sent where, unless the settings say not to.
            clock: Seconds; injectable for tests.
        """
        self._audit = audit
        self._clock = clock
        self._rules = gates.Rules()
        self._composer = Composer(endpoints, clock)
        self._cache = SuggestionCache()
        # The answer under way for each document, if one is.
        self._flights: dict[str, Flight] = {}
        # The prompt it was sent last, which it still knows.
        self._sent = ""
        self._ids = itertools.count(1)

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a closed document."""
        self._composer.forget(uri)
        self._cache.forget(uri)
        self._ground(uri)

    def clear(self) -> None:
        """Drop everything remembered and under way, for `sirdab.clearCache` and at the end."""
        self._composer.clear()
        self._cache.clear()
        for uri in list(self._flights):
            self._ground(uri)

    def recall(self, request: CompletionRequest) -> Outcome | None:
        """Answer from memory, at once; None when only the model can answer.

        Args:
            request: The frozen request; one that wants alternatives is left to `complete`.
        """
        if request.alternatives > 1 or not self._cache.has(request.snapshot.uri):
            return None
        started = self._clock()
        if gates.check(request, self._rules) is not None:
            return None
        known = self._known(request)
        if not known:
            return None
        trace: dict[str, Any] = {"gate": "all open", "cache": "hit", "model": self._composer.model}
        trace["total_ms"] = _ms(self._clock() - started)
        return _suggested((self._suggestion(request, known[0]),), trace)

    def is_answering(self, request: CompletionRequest) -> bool:
        """Whether the model is writing what may be the answer, so that waiting gains nothing."""
        flight = self._flights.get(request.snapshot.uri)
        if flight is None or flight.done:
            return False
        return flight.leads_to(self._composer.place(request), conditions_of(request))

    def _known(self, request: CompletionRequest) -> tuple[Known, ...]:
        uri = request.snapshot.uri
        return self._cache.find(uri, conditions_of(request), self._composer.place(request))

    async def complete(
        self,
        request: CompletionRequest,
        *,
        show_prompt: bool = False,
        fresh: bool = False,
        on_text: Callable[[str], None] | None = None,
    ) -> Outcome:
        """Compute suggestions for one place.

        Args:
            request: The frozen request.
            show_prompt: Put the prompt itself into the trace.
            fresh: Ask the model although the answer is known, for `explain`.
            on_text: Given the raw suggestion as far as it has arrived, each time it grows.

        Returns:
            The suggestions, or the reason for none. Never raises but for cancellation.
        """
        trace: dict[str, Any] = {}
        started = self._clock()
        try:
            outcome = await self._complete(request, trace, show_prompt, fresh, on_text)
        except EndpointError as error:
            trace["problem"] = error.kind.value
            outcome = Outcome(Reason.ENDPOINT, error.message, trace=trace)
        except Exception as error:
            # A fault of ours must not reach the editor, which would show it at every key.
            log.exception("completion failed")
            outcome = Outcome(
                Reason.INTERNAL,
                f"Sirdab failed here ({type(error).__name__}); see its log.",
                trace=trace,
            )
        trace["total_ms"] = _ms(self._clock() - started)
        return outcome

    async def warm(self, request: CompletionRequest, turn: warm.Turn) -> bool:
        """Have the model read what it will be asked at a place.

        Args:
            request: The place.
            turn: Waits until nothing more urgent is done; see `sirdab.completion.warm`.

        Returns:
            Whether there was anything to read. Never raises but for cancellation.
        """
        if gates.check(request, self._rules) is not None or self._known(request):
            return False
        trace: dict[str, Any] = {}
        try:
            question = await self._composer.compose(request, trace, show_prompt=False)
        except EndpointError as error:
            log.info("nothing is read ahead: %s", error.kind.value)
            return False
        sent, usage = "", Usage()
        started = self._clock()

        def on_send(prompt: str) -> None:
            nonlocal sent
            sent = prompt

        try:
            usage = await warm.read_ahead(
                question.endpoint,
                question.prompt.text,
                known=self._sent,
                turn=turn,
                timeout_ms=request.settings.endpoint.timeout_ms,
                on_send=on_send,
                on_read=self._remember_sent,
            )
        finally:
            # Each slice begins with the one before, so the last one tells all that was sent.
            if sent:
                total_ms = _ms(self._clock() - started)
                self._record(request, question.info, sent, usage, total_ms, "read-ahead")
        self._composer.speed.record(usage)
        return True

    async def _complete(
        self,
        request: CompletionRequest,
        trace: dict[str, Any],
        show_prompt: bool,
        fresh: bool,
        on_text: Callable[[str], None] | None,
    ) -> Outcome:
        refused = gates.check(request, self._rules)
        if refused is not None:
            trace["gate"] = refused[0]
            return Outcome(refused[1].reason, refused[1].detail, trace=trace)
        trace["gate"] = "all open"

        started = self._clock()
        known = () if fresh else self._known(request)
        trace["cache"] = "bypassed" if fresh else "hit" if known else "miss"
        if known and len(known) >= request.alternatives:
            trace["model"] = self._composer.model
            return _suggested(self._suggestions(request, known), trace)
        alone = fresh or on_text is not None
        question: Question | None = None
        if not known and not alone:
            known, question = await self._join_or_prepare(request, trace, show_prompt)
            if known:
                return _suggested(self._suggestions(request, known), trace)
        question = question or await self._composer.compose(request, trace, show_prompt)
        if known:
            known = await self._more(request, question, known, started)
            trace["alternatives"] = len(known)
        else:
            if alone:
                processed = await self._answer(request, question, trace, on_text=on_text)
            else:
                flight = await self._fly(request, question)
                trace |= flight.trace
                if flight.cancelled:
                    return Outcome(
                        Reason.SUPERSEDED, "A later request asked for something else.", trace=trace
                    )
                processed = flight.result()
            if processed is None:
                return Outcome(
                    Reason.NOT_REPRODUCED,
                    "The model did not continue the text that was typed.",
                    trace=trace,
                )
            trace["changed_by"] = list(processed.changed_by)
            if processed.reason is not Reason.SUGGESTED:
                return Outcome(processed.reason, _EXPLAINED[processed.reason], trace=trace)
            # One that flew is known already, by the id that it was given there.
            known = () if alone else self._known(request)
            known = known or (self._learn(request, question, processed.text),)
        return _suggested(self._suggestions(request, known), trace)

    async def _join_or_prepare(
        self, request: CompletionRequest, trace: dict[str, Any], show_prompt: bool
    ) -> tuple[tuple[Known, ...], Question | None]:
        """Return what an answer under way has brought, else what the model is to be asked."""
        known = await self._join(request, trace)
        if known:
            return known, None
        question = await self._composer.compose(request, trace, show_prompt)
        # Another request for the place may have begun an answer meanwhile.
        return await self._join(request, trace), question

    async def _join(self, request: CompletionRequest, trace: dict[str, Any]) -> tuple[Known, ...]:
        """Wait for the answer under way as long as it may be the one that is asked for."""
        flight = self._flights.get(request.snapshot.uri)
        place, conditions = self._composer.place(request), conditions_of(request)
        if flight is None or not flight.leads_to(place, conditions):
            return ()
        while flight.leads_to(place, conditions):
            await flight.wait()
        if not flight.done or flight.cancelled:
            trace["in_flight"] = "diverged"
            return ()
        # An error of it is an error of ours: to ask again at once would only repeat it.
        flight.result()
        known = self._known(request)
        trace["in_flight"] = "joined" if known else "diverged"
        if known:
            trace |= flight.trace
            trace["model"] = self._composer.model
        return known

    async def _fly(self, request: CompletionRequest, question: Question) -> Flight:
        """Ask the model in a way that later requests can join, and wait until it is done."""
        uri = request.snapshot.uri
        self._ground(uri)
        flight = Flight(question.place, conditions_of(request))

        async def work() -> postprocess.Processed | None:
            processed = await self._answer(request, question, flight.trace, on_text=flight.grow)
            if processed is not None and processed.reason is Reason.SUGGESTED:
                self._learn(request, question, processed.text)
            return processed

        self._flights[uri] = flight
        flight.start(work())
        while not flight.done:
            await flight.wait()
        return flight

    def _ground(self, uri: str) -> None:
        """Give up the answer under way for a document."""
        flight = self._flights.pop(uri, None)
        if flight is not None:
            flight.cancel()

    async def _more(
        self,
        request: CompletionRequest,
        question: Question,
        known: tuple[Known, ...],
        started: float,
    ) -> tuple[Known, ...]:
        """Return what is known already and other answers to the same question."""
        # They may have been offered at another place that leads here. The first stays the first.
        uri, conditions = request.snapshot.uri, conditions_of(request)
        found = [self._cache.store(uri, conditions, question.place, one) for one in known]
        for seed in range(len(known), request.alternatives):
            if (self._clock() - started) * 1000 > alternatives.BUDGET_MS:
                break
            try:
                processed = await self._answer(request, question, {}, seed=seed)
            except EndpointError as error:
                # There is something to show, so this is no time for a complaint.
                log.info("no further alternative: %s", error.kind.value)
                break
            if processed is None or processed.reason is not Reason.SUGGESTED:
                continue
            if all(processed.text != other.text for other in found):
                found.append(self._learn(request, question, processed.text))
        return tuple(found)

    async def _answer(
        self,
        request: CompletionRequest,
        question: Question,
        trace: dict[str, Any],
        *,
        seed: int | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> postprocess.Processed | None:
        """Ask the model and process what it says.

        Args:
            request: The frozen request.
            question: What to ask.
            trace: Filled with what was measured.
            seed: For another answer than the likeliest one.
            on_text: See `complete`.

        Returns:
            None when the answer does not begin with the text that was typed.
        """
        around = question.around
        stop = StreamStop(question.shape, around.line_before, around.below)
        reader = Reader(question.prompt.backed_up, stop, on_text)
        answer = await self._ask(request, question, reader, seed, trace)
        return None if answer is None else postprocess.process(answer, around)

    def _remember_sent(self, prompt: str) -> None:
        self._sent = prompt

    async def _ask(
        self,
        request: CompletionRequest,
        question: Question,
        reader: Reader,
        seed: int | None,
        trace: dict[str, Any],
    ) -> str | None:
        """Stream the answer and return it without what was backed up over.

        Returns:
            The raw suggestion, or None when the answer does not begin as it has to.
        """
        prompt, info = question.prompt, question.info
        generation = GenerationRequest(
            prompt=prompt.text,
            max_tokens=_token_limit(request, question.shape),
            stop=("\n",) if question.shape is Shape.LINE else ("\n\n",),
            begins_with=prompt.backed_up,
            temperature=0.0 if seed is None else alternatives.TEMPERATURE,
            seed=seed,
            first_token_ms=request.settings.endpoint.timeout_ms,
            total_ms=request.settings.endpoint.timeout_ms,
        )
        self._remember_sent(prompt.text)
        started = self._clock()
        first_ms: float | None = None
        usage = Usage()
        truncated = False
        outcome = "cancelled"
        soft_limit = _SOFT_LIMIT_MS if request.trigger is Trigger.AUTOMATIC else None
        try:
            async with question.endpoint.generate(generation) as chunks:
                async for chunk in chunks:
                    elapsed = (self._clock() - started) * 1000
                    if first_ms is None and chunk.text:
                        first_ms = elapsed
                    usage = chunk.usage or usage
                    truncated = chunk.truncated
                    if reader.feed(chunk.text):
                        break
                    if soft_limit is not None and elapsed > soft_limit and reader.whole_lines():
                        reader.settle()
                        break
            reader.finish(truncated=truncated)
            outcome = "answered"
        except EndpointError as error:
            outcome = error.kind.value
            raise
        finally:
            total_ms = _ms(self._clock() - started)
            self._composer.speed.record(usage)
            trace |= {
                "first_token_ms": None if first_ms is None else round(first_ms, 1),
                "model_ms": total_ms,
                "prompt_tokens": usage.prompt_tokens,
                "evaluated_tokens": usage.evaluated_tokens,
                "generated_tokens": usage.generated_tokens,
            }
            self._record(request, info, prompt.text, usage, total_ms, outcome)
        return reader.answer

    def _record(
        self,
        request: CompletionRequest,
        info: ModelInfo,
        prompt: str,
        usage: Usage,
        total_ms: float,
        outcome: str,
    ) -> None:
        if self._audit is None or not request.settings.privacy.audit:
            return
        self._audit.record(
            kind="completion",
            url=info.url,
            model=info.name,
            uri=request.snapshot.uri,
            prompt=prompt,
            prompt_tokens=usage.prompt_tokens,
            generated_tokens=usage.generated_tokens,
            ms=total_ms,
            outcome=outcome,
        )

    def _learn(self, request: CompletionRequest, question: Question, text: str) -> Known:
        """Give a new suggestion its id and remember it."""
        known = Known(f"s{next(self._ids)}", text)
        return self._cache.store(
            request.snapshot.uri, conditions_of(request), question.place, known
        )

    def _suggestions(
        self, request: CompletionRequest, known: tuple[Known, ...]
    ) -> tuple[Suggestion, ...]:
        return tuple(self._suggestion(request, one) for one in known[: request.alternatives])

    def _suggestion(self, request: CompletionRequest, known: Known) -> Suggestion:
        text = known.text.replace("\n", request.snapshot.text.line_end)
        selected = request.selected
        if selected is None:
            return Suggestion(known.id, text, request.point, request.point)
        return Suggestion(known.id, selected.text + text, selected.start, selected.stop)


def _suggested(suggestions: tuple[Suggestion, ...], trace: dict[str, Any]) -> Outcome:
    return Outcome(Reason.SUGGESTED, "There is a suggestion.", suggestions, trace)


_EXPLAINED = {
    Reason.EMPTY: "The model has nothing to add here.",
    Reason.DUPLICATE: "The suggestion only repeated what stands next to the cursor.",
    Reason.REPETITION: "The model repeated itself.",
}


def _token_limit(request: CompletionRequest, chosen: Shape) -> int:
    most = request.settings.completion.max_tokens
    return min(most, _LINE_TOKENS) if chosen is Shape.LINE else most


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


__all__ = ["Engine"]
