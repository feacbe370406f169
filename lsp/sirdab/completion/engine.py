"""Runs one completion request through its stages.

A request passes: gates → window → secrets → prompt → model stream → early stop → post-processing.
Each stage is a module of this room; this one only puts them in order, measures them, and makes sure
that the caller gets an answer and never an exception.
"""

import itertools
import logging
import time
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from sirdab.completion import alternatives, gates, postprocess, shape, warm
from sirdab.completion.budget import Speed
from sirdab.completion.cache import Known, Place, SuggestionCache
from sirdab.completion.flight import Flight
from sirdab.completion.prompt import Prompt, build
from sirdab.completion.request import (
    CompletionRequest,
    Outcome,
    Reason,
    Selected,
    Suggestion,
    Trigger,
)
from sirdab.completion.shape import Shape
from sirdab.completion.stop import StreamStop
from sirdab.completion.window import Anchors, Window
from sirdab.endpoint.base import (
    Endpoint,
    EndpointError,
    EndpointSource,
    GenerationRequest,
    ModelInfo,
    Usage,
)
from sirdab.models.catalog import family_of
from sirdab.policy.audit import AuditTrail
from sirdab.text.store import Point, Text

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
        self._endpoints = endpoints
        self._audit = audit
        self._clock = clock
        self._rules = gates.Rules()
        self._anchors = Anchors()
        self._cache = SuggestionCache()
        # The answer under way for each document, if one is.
        self._flights: dict[str, Flight] = {}
        self._speed = Speed()
        # What the model server said of itself when it was asked last.
        self._info: ModelInfo | None = None
        # The prompt it was sent last, which it still knows.
        self._sent = ""
        self._ids = itertools.count(1)

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a closed document."""
        self._anchors.forget(uri)
        self._cache.forget(uri)
        self._ground(uri)

    def clear(self) -> None:
        """Drop everything remembered and under way, for `sirdab.clearCache` and at the end."""
        self._anchors = Anchors()
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
        trace: dict[str, Any] = {"gate": "all open", "cache": "hit", "model": self._model}
        trace["total_ms"] = _ms(self._clock() - started)
        return _suggested((self._suggestion(request, known[0]),), trace)

    def is_answering(self, request: CompletionRequest) -> bool:
        """Whether the model is writing what may be the answer, so that waiting gains nothing."""
        flight = self._flights.get(request.snapshot.uri)
        if flight is None or flight.done:
            return False
        return flight.leads_to(self._place(request), _conditions(request))

    def _known(self, request: CompletionRequest) -> tuple[Known, ...]:
        uri = request.snapshot.uri
        return self._cache.find(uri, _conditions(request), self._place(request))

    def _place(self, request: CompletionRequest) -> Place:
        cursor = _apply_selected(request)
        context_tokens = self._info.context_tokens if self._info else 0
        return _seen(self._window(request, cursor, context_tokens))

    @property
    def _model(self) -> str:
        return self._info.name if self._info else ""

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
            question = await self._question(request, trace, show_prompt=False)
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
        self._speed.record(usage)
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
            trace["model"] = self._model
            return _suggested(self._suggestions(request, known), trace)
        alone = fresh or on_text is not None
        question: _Question | None = None
        if not known and not alone:
            known, question = await self._join_or_prepare(request, trace, show_prompt)
            if known:
                return _suggested(self._suggestions(request, known), trace)
        question = question or await self._question(request, trace, show_prompt)
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
    ) -> tuple[tuple[Known, ...], "_Question | None"]:
        """Return what an answer under way has brought, else what the model is to be asked."""
        known = await self._join(request, trace)
        if known:
            return known, None
        question = await self._question(request, trace, show_prompt)
        # Another request for the place may have begun an answer meanwhile.
        return await self._join(request, trace), question

    async def _join(self, request: CompletionRequest, trace: dict[str, Any]) -> tuple[Known, ...]:
        """Wait for the answer under way as long as it may be the one that is asked for."""
        flight = self._flights.get(request.snapshot.uri)
        place, conditions = self._place(request), _conditions(request)
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
            trace["model"] = self._model
        return known

    async def _fly(self, request: CompletionRequest, question: "_Question") -> Flight:
        """Ask the model in a way that later requests can join, and wait until it is done."""
        uri = request.snapshot.uri
        self._ground(uri)
        flight = Flight(question.place, _conditions(request))

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
        question: "_Question",
        known: tuple[Known, ...],
        started: float,
    ) -> tuple[Known, ...]:
        """Return what is known already and other answers to the same question."""
        # They may have been offered at another place that leads here. The first stays the first.
        uri, conditions = request.snapshot.uri, _conditions(request)
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

    async def _question(
        self, request: CompletionRequest, trace: dict[str, Any], show_prompt: bool
    ) -> "_Question":
        """Make the prompt, and what its answer will be judged by."""
        started = self._clock()
        endpoint = await self._endpoints.acquire()
        info = await endpoint.describe()
        trace["endpoint"] = info.url
        trace["model"] = info.name
        trace["endpoint_ms"] = _ms(self._clock() - started)

        place = _apply_selected(request)
        self._info = info
        window = self._window(request, place, info.context_tokens)
        redacted = _redact(window, request)
        chosen = shape.decide(
            redacted.before, redacted.rest_of_line, request.settings.completion.multiline
        )
        family = family_of(info.name, info.path)
        prompt = build(family, redacted.before, _after(redacted))
        trace |= {
            "shape": chosen.value,
            "family": family.id,
            "layout": prompt.layout,
            "window": {"first_line": window.first_line + 1, "last_line": window.last_line + 1},
            "prompt_chars": len(prompt.text),
            "backed_up": prompt.backed_up,
        }
        if show_prompt:
            trace["prompt"] = prompt.text

        above, _, line_before = redacted.before.rpartition("\n")
        around = postprocess.Surroundings(
            line_before=line_before,
            rest_of_line=window.rest_of_line,
            below=redacted.below,
            sentinels=family.sentinels,
            uses_tabs=_uses_tabs(redacted),
            above=above.rstrip().rpartition("\n")[2],
        )
        return _Question(endpoint, info, prompt, chosen, around, _seen(window))

    async def _answer(
        self,
        request: CompletionRequest,
        question: "_Question",
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
        reader = _Reader(question.prompt.backed_up, stop, on_text)
        answer = await self._ask(request, question, reader, seed, trace)
        return None if answer is None else postprocess.process(answer, around)

    def _remember_sent(self, prompt: str) -> None:
        self._sent = prompt

    def _window(self, request: CompletionRequest, place: "_Cursor", context_tokens: int) -> Window:
        budget = self._speed.budget(context_tokens, request.settings.completion.max_tokens)
        return self._anchors.window(request.snapshot.uri, place.text, place.point, budget)

    async def _ask(
        self,
        request: CompletionRequest,
        question: "_Question",
        reader: "_Reader",
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
            self._speed.record(usage)
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

    def _learn(self, request: CompletionRequest, question: "_Question", text: str) -> Known:
        """Give a new suggestion its id and remember it."""
        known = Known(f"s{next(self._ids)}", text)
        return self._cache.store(request.snapshot.uri, _conditions(request), question.place, known)

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


def _seen(window: Window) -> Place:
    """Return what of a window decides whether a suggestion still holds."""
    return Place(window.before, f"{window.rest_of_line}\n{window.below}")


def _conditions(request: CompletionRequest) -> Hashable:
    """Return what else a suggestion depends on."""
    settings = request.settings
    return (
        request.snapshot.language_id,
        settings.endpoint,
        settings.completion.multiline,
        settings.completion.max_tokens,
        settings.privacy.redact_secrets,
    )


_EXPLAINED = {
    Reason.EMPTY: "The model has nothing to add here.",
    Reason.DUPLICATE: "The suggestion only repeated what stands next to the cursor.",
    Reason.REPETITION: "The model repeated itself.",
}


class _Question(NamedTuple):
    """What the model is asked, and what its answer will be judged by."""

    endpoint: Endpoint
    info: ModelInfo
    prompt: Prompt
    shape: Shape
    around: postprocess.Surroundings
    place: Place


class _Cursor(NamedTuple):
    """The document and the cursor as the model is to see them."""

    text: Text
    point: Point


def _apply_selected(request: CompletionRequest) -> _Cursor:
    """Complete behind the selected item of the editor's list as if it had been accepted."""
    selected: Selected | None = request.selected
    text = request.snapshot.text
    if selected is None:
        return _Cursor(text, request.point)
    start, stop = text.clamp(selected.start), text.clamp(selected.stop)
    replaced = text.replace(start, stop, selected.text)
    *above, last = selected.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    column = len(last) if above else start.column + len(last)
    # An item that ends in a carriage return makes one line end of the line feed behind it.
    return _Cursor(replaced, replaced.clamp(Point(start.line + len(above), column)))


def _redact(window: Window, request: CompletionRequest) -> Window:
    if not request.settings.privacy.redact_secrets:
        return window
    from sirdab.policy.secrets import redact

    return window._replace(before=redact(window.before), below=redact(window.below))


def _after(window: Window) -> str:
    """The suffix of the prompt.

    Closing brackets right of the cursor are left out: editors put them there while one types,
    and a suffix that changes with every bracket would be read anew each time. What the model
    then writes of them is trimmed by `postprocess.trim_overlap`.
    """
    if gates.only_closers(window.rest_of_line):
        return "\n" + window.below if window.below else ""
    return window.rest_of_line + ("\n" + window.below if window.below else "")


def _uses_tabs(window: Window) -> bool:
    lines = (window.before + "\n" + window.below).split("\n")
    return sum(line.startswith("\t") for line in lines) > sum(
        line.startswith("  ") for line in lines
    )


def _token_limit(request: CompletionRequest, chosen: Shape) -> int:
    most = request.settings.completion.max_tokens
    return min(most, _LINE_TOKENS) if chosen is Shape.LINE else most


class _Reader:
    """Takes off what was backed up over, then hands the rest to the early stop."""

    def __init__(
        self, backed_up: str, stop: StreamStop, on_text: Callable[[str], None] | None
    ) -> None:
        self._expected = backed_up
        self._stop = stop
        self._on_text = on_text
        self._head = ""
        self._open = bool(backed_up)
        self.answer: str | None = None

    def feed(self, piece: str) -> bool:
        """Add a piece; return True when the stream is no longer needed."""
        if self._open:
            self._head += piece
            size = min(len(self._head), len(self._expected))
            if self._head[:size] != self._expected[:size]:
                return True
            if len(self._head) < len(self._expected):
                return False
            piece = self._head[len(self._expected) :]
            self._open = False
        self.answer = self._stop.feed(piece)
        if self._on_text is not None:
            self._on_text(self._stop.text if self.answer is None else self.answer)
        return self.answer is not None

    def whole_lines(self) -> str:
        """What stands on its own so far."""
        return "" if self._open else self._stop.complete_lines().strip()

    def settle(self) -> None:
        """Be content with the whole lines."""
        self.answer = self._stop.complete_lines()

    def finish(self, *, truncated: bool = False) -> None:
        """Take what there is when the answer is at its end.

        Args:
            truncated: The token limit ended it, so that its last line is half a line: of several
                lines only the whole ones are taken.
        """
        if self.answer is None and not self._open:
            if truncated and self.whole_lines():
                self.settle()
            else:
                self.answer = self._stop.finish()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


__all__ = ["Engine"]
