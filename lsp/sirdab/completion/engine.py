"""Runs one completion request through its stages.

A request passes: gates → window → secrets → prompt → model stream → early stop → post-processing.
Each stage is a module of this room; this one only puts them in order, measures them, and makes sure
that the caller gets an answer and never an exception.
"""

import asyncio
import itertools
import logging
import math
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import Any

from sirdab.completion import alternatives, gates, partial, postprocess, speculation, warm
from sirdab.completion.cache import Known, Place, SuggestionCache
from sirdab.completion.context import ContextSource
from sirdab.completion.copy_offers import CopyOffers, is_copy
from sirdab.completion.flight import Flight
from sirdab.completion.generation import generation
from sirdab.completion.question import Composer, Question
from sirdab.completion.reader import Reader
from sirdab.completion.request import (
    CompletionRequest,
    Outcome,
    Reason,
    Source,
    Suggestion,
    Trigger,
)
from sirdab.completion.sent import SentPrompts
from sirdab.completion.speeds import Speeds
from sirdab.completion.stop import StreamStop
from sirdab.completion.timing import Timing
from sirdab.endpoint.base import (
    Ability,
    EndpointError,
    EndpointSource,
    ModelInfo,
    ProblemKind,
    Usage,
)
from sirdab.policy.audit import AuditTrail

log = logging.getLogger(__name__)

Speculating = Callable[
    [Callable[[], Awaitable[postprocess.Processed | None]]], Awaitable[postprocess.Processed | None]
]
"""Runs work when nothing more urgent is done, anew when it had to give way."""

# After this long, in milliseconds from the request, an automatic suggestion is shown with what
# stands on its own, because the user's next key is near. VS Code 1.139 drops what comes later
# than 750 ms.
SOFT_LIMIT_MS = 650


class Engine:
    """Answers completion requests with the model of an endpoint."""

    def __init__(
        self,
        endpoints: EndpointSource,
        *,
        audit: AuditTrail | None = None,
        clock: Callable[[], float] = time.perf_counter,
        context: ContextSource | None = None,
        speeds: Speeds | None = None,
        copies: bool = True,
    ) -> None:
        """Make an engine.

        Args:
            endpoints: Finds the model server.
            audit: Keeps the record of what was sent where, unless the settings say not to.
            clock: Seconds; injectable for tests.
            context: Holds what is shown from beyond the document; None for nothing.
            speeds: Remembers how fast models are.
            copies: Whether to copy where that is as good; off where it is the model's own answer
                that somebody wants to see.
        """
        self._audit = audit
        self._clock = clock
        self._rules = gates.Rules()
        self._composer = Composer(endpoints, clock, context, speeds)
        self._cache = SuggestionCache()
        self._copies = (
            CopyOffers(self._rules, self._cache, self._composer, clock) if copies else None
        )
        # The answer under way for each document, if one is.
        self._flights: dict[str, Flight] = {}
        # What the model in use has read, and which one that is.
        self._sent = SentPrompts()
        self._sent_to = ("", "")
        # The document whose prompt the model has read last.
        self._sent_for = ""
        self._ids = itertools.count(1)

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a closed document."""
        self._composer.forget(uri)
        self._cache.forget(uri)
        if self._copies is not None:
            self._copies.forget(uri)
        self._ground(uri)

    def clear(self) -> None:
        """Drop everything remembered and under way, for `sirdab.clearCache` and at the end."""
        self._composer.clear()
        self._cache.clear()
        if self._copies is not None:
            self._copies.clear()
        for uri in list(self._flights):
            self._ground(uri)

    def served_by(self, model: str, url: str) -> None:
        """Take it that another model is in use now: what the one before said is not shown.

        What was remembered of it is shown again when it is back.

        Args:
            model: Its name, as its `ModelInfo` has it.
            url: Address of its server, as its `ModelInfo` has it.
        """
        self._composer.served_by(model, url)

    def save(self) -> None:
        """Keep on disk what has been learnt of the models' speeds. Never raises."""
        self._composer.save()

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
        return self._suggested(request, known[:1], trace, Source.CACHE)

    def instant(self, request: CompletionRequest) -> Outcome | None:
        """Answer by copying from the open documents, at once; None when the model is to be asked.

        Args:
            request: The frozen request; one that wants alternatives is left to `complete`.
        """
        if request.alternatives > 1:
            return None
        started = self._clock()
        if gates.check(request, self._rules) is not None:
            return None
        trace: dict[str, Any] = {"gate": "all open", "cache": "miss"}
        outcome = self._copy(request, trace)
        trace["total_ms"] = _ms(self._clock() - started)
        return outcome

    def _copy(
        self, request: CompletionRequest, trace: dict[str, Any], *, standing_in: bool = False
    ) -> Outcome | None:
        """Offer a copy, if there is one that may be; see `CopyOffers.offer`."""
        if self._copies is None:
            return None
        known = self._copies.offer(request, trace, standing_in=standing_in)
        return None if known is None else self._suggested(request, (known,), trace, Source.COPY)

    def is_answering(self, request: CompletionRequest) -> bool:
        """Whether the model is writing what may be the answer, so that waiting gains nothing."""
        flight = self._flights.get(request.snapshot.uri)
        if flight is None or flight.done:
            return False
        place, conditions = self._composer.place(request), self._composer.conditions(request)
        return flight.leads_to(place, conditions)

    def _known(
        self,
        request: CompletionRequest,
        place: Place | None = None,
        conditions: Hashable | None = None,
    ) -> tuple[Known, ...]:
        """Return what is known for a request, at the place that it has now or has had.

        Args:
            request: The frozen request.
            place: Where it was; where it is now when None.
            conditions: What it was known under; those of now when None.
        """
        place = place or self._composer.place(request)
        conditions = conditions or self._composer.conditions(request)
        found = self._cache.find(request.snapshot.uri, conditions, place)
        return found if self._copies is None else self._copies.without_outdated(found)

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
        if request.asked is None:
            request = replace(request, asked=started)
        try:
            outcome = await self._complete(request, trace, show_prompt, fresh, on_text)
        except EndpointError as error:
            trace["problem"] = error.kind.value
            outcome = self._copy(request, trace, standing_in=True) or Outcome(
                Reason.ENDPOINT, error.message, trace=trace
            )
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
        if self._copies is not None:
            self._copies.look(request)
        trace: dict[str, Any] = {}
        try:
            question = await self._composer.compose(request, trace, show_prompt=False)
        except EndpointError as error:
            log.info("nothing is read ahead: %s", error.kind.value)
            return False
        if Ability.FREE_WARM_UP not in question.info.abilities or not question.prompt.is_raw:
            return False
        sent, usage = "", Usage()
        read = self._read_by(question.info)
        started = self._clock()

        def on_send(prompt: str) -> None:
            nonlocal sent
            sent = prompt
            self._sent_for = request.snapshot.uri

        try:
            usage = await warm.read_ahead(
                question.endpoint,
                question.prompt.text,
                sent=read,
                keeps_moved=request.snapshot.uri == self._sent_for,
                turn=turn,
                timeout_ms=request.settings.endpoint.timeout_ms,
                on_send=on_send,
            )
        finally:
            # Each slice begins with the one before, so the last one tells all that was sent.
            if sent:
                total_ms = _ms(self._clock() - started)
                self._record(request, question.info, sent, usage, total_ms, "read-ahead")
        self._composer.speed.record(usage)
        return True

    async def speculate(self, request: CompletionRequest, turn: Speculating) -> bool:
        """Have the model write what follows when the suggestion at a place is taken whole.

        Args:
            request: The place, where a suggestion has been offered.
            turn: Runs the work when nothing more urgent is done, anew when it had to give way.

        Returns:
            Whether the model was asked. Never raises but for cancellation.
        """
        flight = self._flights.get(request.snapshot.uri)
        while flight is not None and not flight.done:
            # It may still grow what was offered.
            await flight.wait()
        known = self._known(request)
        if not known:
            return False
        after = speculation.accepted(request, self._suggestion(request, known[0]))
        if gates.check(after, self._rules) is not None or self._known(after):
            return False
        try:
            question = await self._composer.compose(after, {}, show_prompt=False)
            if question.prompt.messages and question.prompt.fence is None:
                # An answer in the model's own words is too long to be written on the chance.
                return False
            processed = await turn(lambda: self._answer(after, question, {}))
        except EndpointError as error:
            log.info("no speculation: %s", error.kind.value)
            return False
        if processed is not None and processed.reason is Reason.SUGGESTED:
            self._learn(after, question, processed.text, Source.SPECULATION)
        return True

    def left(self, request: CompletionRequest) -> None:
        """Take it that the cursor is here now: give up an answer that is for elsewhere."""
        uri = request.snapshot.uri
        if uri in self._flights and not self.is_answering(request):
            self._ground(uri)

    async def _complete(
        self,
        request: CompletionRequest,
        trace: dict[str, Any],
        show_prompt: bool,
        fresh: bool,
        on_text: Callable[[str], None] | None,
    ) -> Outcome:
        if fresh:
            # What a key would meet, which is more than who asks explicitly does.
            typed = replace(request, trigger=Trigger.AUTOMATIC)
            trace["gates"] = gates.verdicts(typed, self._rules)
        refused = gates.check(request, self._rules)
        if refused is not None:
            trace["gate"] = refused[0]
            return Outcome(refused[1].reason, refused[1].detail, trace=trace)
        trace["gate"] = "all open"

        started = self._clock()
        if self._cache.was_taken(request.snapshot.uri, self._composer.place(request)):
            request = replace(request, just_accepted=True)
        known = () if fresh else self._known(request)
        trace["cache"] = "bypassed" if fresh else "hit" if known else "miss"
        if known and len(known) >= request.alternatives:
            trace["model"] = self._composer.model
            return self._suggested(request, known, trace, Source.CACHE)
        if known:
            more = await self._more(request, known, trace, show_prompt, started)
            trace["alternatives"] = len(more)
            source = Source.MODEL if len(more) > len(known) else Source.CACHE
            return self._suggested(request, more, trace, source)
        if fresh and self._copies is not None:
            self._copies.explain(request, trace)
        if fresh or on_text is not None:
            return await self._ask_alone(request, trace, show_prompt, fresh, on_text)
        return self._copy(request, trace) or await self._ask_together(request, trace, show_prompt)

    async def _ask_alone(
        self,
        request: CompletionRequest,
        trace: dict[str, Any],
        show_prompt: bool,
        counted: bool,
        on_text: Callable[[str], None] | None,
    ) -> Outcome:
        """Ask the model for this request only."""
        question = await self._composer.compose(request, trace, show_prompt)
        if counted:
            trace["tokens"] = await self._composer.count(question)
        question, processed = await self._answer_shorter(
            request, question, trace, show_prompt, on_text=on_text
        )
        refused = _refused(processed, trace)
        if processed is None or refused is not None:
            return refused or Outcome(Reason.INTERNAL, "There is no answer.", trace=trace)
        known = self._learn(request, question, processed.text)
        return self._suggested(request, (known,), trace, Source.MODEL)

    async def _ask_together(
        self, request: CompletionRequest, trace: dict[str, Any], show_prompt: bool
    ) -> Outcome:
        """Join the answer under way, or ask the model in a way that later requests can join."""
        outcome = await self._join(request, trace)
        if outcome is not None:
            return outcome
        composing = asyncio.ensure_future(self._composer.compose(request, trace, show_prompt))
        try:
            # A model server that is being started is waited for, but not by the user.
            await asyncio.wait({composing}, timeout=_limit(self._left_ms(request)))
            copied = None if composing.done() else self._copy(request, trace, standing_in=True)
            if copied is not None:
                return copied
            question = await composing
        finally:
            composing.cancel()
        # Another request for the place may have begun an answer meanwhile.
        outcome = await self._join(request, trace)
        if outcome is not None:
            return outcome
        flight = self._flights.get(request.snapshot.uri)
        if flight is None or flight.done or flight.asked <= (request.asked or 0.0):
            flight = self._take_off(request, question, show_prompt)
            outcome = await self._follow(flight, request, trace, Source.MODEL)
        return outcome or Outcome(
            Reason.SUPERSEDED, "A later request asked for something else.", trace=trace
        )

    async def _join(self, request: CompletionRequest, trace: dict[str, Any]) -> Outcome | None:
        """Follow the answer under way; None when there is none that may be asked for."""
        flight = self._flights.get(request.snapshot.uri)
        if flight is None or not self.is_answering(request):
            return None
        outcome = await self._follow(flight, request, trace, Source.IN_FLIGHT)
        trace["in_flight"] = "diverged" if outcome is None else "joined"
        if outcome is not None:
            trace["model"] = self._composer.model
        return outcome

    def _take_off(
        self, request: CompletionRequest, question: Question, show_prompt: bool
    ) -> Flight:
        """Begin to ask the model in a way that later requests can join."""
        uri = request.snapshot.uri
        self._ground(uri)
        conditions = self._composer.conditions(request, question.info)
        flight = Flight(question, conditions, patience_s=SOFT_LIMIT_MS / 1000)

        async def work() -> postprocess.Processed | None:
            _, processed = await self._answer_shorter(
                request,
                question,
                flight.trace,
                show_prompt,
                on_text=flight.grow,
                on_question=lambda shorter: flight.ask_instead(
                    shorter, self._composer.conditions(request, shorter.info)
                ),
            )
            if processed is not None and processed.reason is Reason.SUGGESTED:
                self._settle(flight, request, processed.text)
            return processed

        self._flights[uri] = flight
        flight.start(work())
        return flight

    def _ground(self, uri: str) -> None:
        """Give up the answer under way for a document."""
        flight = self._flights.pop(uri, None)
        if flight is not None:
            flight.cancel()

    async def _follow(
        self, flight: Flight, request: CompletionRequest, trace: dict[str, Any], source: Source
    ) -> Outcome | None:
        """Wait for an answer as long as it may be the one that is asked for.

        Returns:
            None when it is not, or was given up.

        Raises:
            EndpointError: The answer failed. To ask again at once would only repeat it.
        """
        flight.asked = max(flight.asked, request.asked or 0.0)
        place, question = self._composer.place(request), flight.question
        # Whose answer it is does not change on the way, whichever model is asked elsewhere.
        while flight.question is not question or flight.leads_to(place, flight.conditions):
            if flight.question is not question:
                # A shorter one was asked instead, with a window of its own.
                place, question = self._composer.place(request), flight.question
            left_ms = self._left_ms(request)
            await flight.wait(left_ms / 1000 if left_ms > 0 else None)
            if not flight.done and self._left_ms(request) <= 0:
                known = self._first_part(flight, request, place)
                if known:
                    trace["partial"] = True
                    return self._suggested(request, known, trace, source)
                copied = self._copy(request, trace, standing_in=True)
                if copied is not None:
                    return copied
        if not flight.done or flight.cancelled:
            return None
        trace |= flight.trace
        processed = flight.result()
        # Where it was when it was asked: with the answer the model's speed has become known, and
        # the window that goes with it may be another one.
        known = self._known(request, place, flight.conditions)
        if known:
            trace["changed_by"] = list(processed.changed_by) if processed else []
            return self._suggested(request, known, trace, source)
        # What was typed since may still have a continuation.
        return _refused(processed, trace) if place == flight.place else None

    def _left_ms(self, request: CompletionRequest) -> float:
        """Return how long a request may still wait for a whole answer, in milliseconds."""
        if request.trigger is not Trigger.AUTOMATIC or request.asked is None:
            return math.inf
        return SOFT_LIMIT_MS - (self._clock() - request.asked) * 1000

    def _first_part(
        self, flight: Flight, request: CompletionRequest, place: Place
    ) -> tuple[Known, ...]:
        """Return what can be shown of an answer that is late, and let it go on."""
        part = partial.standing(flight.text)
        if not part:
            return ()
        processed = postprocess.process(part, flight.question.around)
        if processed.reason is Reason.SUGGESTED:
            self._settle(flight, request, processed.text)
        return self._known(request, place, flight.conditions)

    def _settle(self, flight: Flight, request: CompletionRequest, text: str) -> None:
        """Remember an answer or the first part of it; both are the same suggestion."""
        if flight.offered is None:
            flight.offered = self._learn(request, flight.question, text)
        elif text.startswith(flight.offered.text):
            longer = flight.offered._replace(text=text)
            self._cache.replace(request.snapshot.uri, flight.conditions, flight.place, longer)
            flight.offered = longer

    async def _more(
        self,
        request: CompletionRequest,
        known: tuple[Known, ...],
        trace: dict[str, Any],
        show_prompt: bool,
        started: float,
    ) -> tuple[Known, ...]:
        """Return what is known already and other answers to the same question."""
        asked = self._composer.conditions(request)
        try:
            question = await self._composer.compose(request, trace, show_prompt)
        except EndpointError as error:
            # There is something to show, so this is no time for a complaint.
            trace["problem"] = error.kind.value
            trace["model"] = self._composer.model
            return known
        # They may have been offered at another place that leads here. The first stays the first.
        uri, conditions = request.snapshot.uri, self._composer.conditions(request, question.info)
        if conditions != asked:
            # Another model has been gone over to meanwhile, which has said none of this.
            return known
        found = [self._cache.store(uri, conditions, question.place, one) for one in known]
        seeds: list[int | None] = list(range(len(known), request.alternatives))
        if all(map(is_copy, known)):
            # The model has not said yet what it finds likeliest, which may be the same.
            seeds.insert(0, None)
        for seed in seeds:
            if len(found) >= request.alternatives:
                break
            if (self._clock() - started) * 1000 > alternatives.BUDGET_MS:
                break
            try:
                processed = await self._answer(request, question, {}, seed=seed)
            except EndpointError as error:
                log.info("no further alternative: %s", error.kind.value)
                break
            if processed is None or processed.reason is not Reason.SUGGESTED:
                continue
            if all(processed.text != other.text for other in found):
                found.append(self._learn(request, question, processed.text))
        return tuple(found)

    async def _answer_shorter(
        self,
        request: CompletionRequest,
        question: Question,
        trace: dict[str, Any],
        show_prompt: bool,
        *,
        on_text: Callable[[str], None] | None = None,
        on_question: Callable[[Question], None] | None = None,
    ) -> tuple[Question, postprocess.Processed | None]:
        """Ask the model, and once more with a smaller window when the prompt was too long for it.

        Args:
            request: The frozen request.
            question: What to ask.
            trace: Filled with what was measured.
            show_prompt: Put the prompt itself into the trace.
            on_text: See `complete`.
            on_question: Told what is asked instead, before it is.

        Returns:
            What was asked in the end, and what `_answer` says to it.
        """
        try:
            return question, await self._answer(request, question, trace, on_text=on_text)
        except EndpointError as error:
            if error.kind is not ProblemKind.OVERFLOW:
                raise
            limit_tokens = error.limit_tokens
        shorter = await self._composer.narrow(request, question, limit_tokens, trace, show_prompt)
        trace["narrowed"] = {"from": len(question.prompt.sent), "to": len(shorter.prompt.sent)}
        if on_question is not None:
            on_question(shorter)
        return shorter, await self._answer(request, shorter, trace, on_text=on_text)

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
        stop = StreamStop.at(question.shape, around, question.extraction())
        reader = Reader(question.prompt.backed_up, stop, on_text)
        answer = await self._ask(request, question, reader, seed, trace)
        return None if answer is None else postprocess.process(answer, around)

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
        sent = prompt.sent
        read = self._read_by(info)
        keeps_moved = request.snapshot.uri == self._sent_for
        asked = generation(request, prompt, question.shape, seed=seed, keeps_moved=keeps_moved)
        timing = Timing(self._clock, len(sent) - read.known(sent), len(sent))
        usage = Usage()
        is_read = truncated = False
        outcome = "cancelled"
        try:
            async with question.endpoint.generate(asked) as chunks:
                async for chunk in chunks:
                    if not is_read:
                        # The server has read all of the prompt, not before.
                        is_read = True
                        read.add(sent)
                        self._sent_for = request.snapshot.uri
                    timing.take(chunk.text)
                    usage = chunk.usage or usage
                    truncated = chunk.truncated
                    if reader.feed(chunk.text):
                        break
            reader.finish(truncated=truncated)
            outcome = "answered"
        except EndpointError as error:
            outcome = error.kind.value
            raise
        finally:
            total_ms = round(timing.total_ms, 1)
            first_ms = timing.first_ms
            speed = self._composer.speed
            speed.record(timing.usage(usage, speed.characters_per_token), len(sent))
            trace |= {
                "first_token_ms": None if first_ms is None else round(first_ms, 1),
                "model_ms": total_ms,
                "prompt_tokens": usage.prompt_tokens,
                "evaluated_tokens": usage.evaluated_tokens,
                "prompt_ms": round(usage.prompt_ms, 1),
                "generated_tokens": usage.generated_tokens,
            }
            self._record(request, info, sent, usage, total_ms, outcome)
        return reader.answer

    def _read_by(self, info: ModelInfo) -> SentPrompts:
        """Return what a model has read; of another one than the last that is nothing."""
        if self._sent_to != (info.name, info.url):
            self._sent, self._sent_to, self._sent_for = SentPrompts(), (info.name, info.url), ""
        return self._sent

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

    def _learn(
        self,
        request: CompletionRequest,
        question: Question,
        text: str,
        source: Source = Source.MODEL,
    ) -> Known:
        """Give a new suggestion its id and remember it."""
        known = Known(f"s{next(self._ids)}", text, source)
        uri, conditions = request.snapshot.uri, self._composer.conditions(request, question.info)
        known = self._cache.store(uri, conditions, question.place, known)
        if self._copies is not None:
            self._copies.confirmed(known)
        return known

    def _suggested(
        self,
        request: CompletionRequest,
        known: tuple[Known, ...],
        trace: dict[str, Any],
        source: Source,
    ) -> Outcome:
        first = known[0].source
        # A suggestion that the model wrote beforehand is memory only when it is typed along.
        trace["source"] = first if first is Source.SPECULATION else source
        suggestions = tuple(self._suggestion(request, one) for one in known[: request.alternatives])
        return Outcome(Reason.SUGGESTED, "There is a suggestion.", suggestions, trace)

    def _suggestion(self, request: CompletionRequest, known: Known) -> Suggestion:
        text = known.text.replace("\n", request.snapshot.text.line_end)
        selected = request.selected
        if selected is None:
            return Suggestion(known.id, text, request.point, request.point)
        return Suggestion(known.id, selected.text + text, selected.start, selected.stop)


def _limit(left_ms: float) -> float | None:
    """Return a time limit in seconds; None for none."""
    return None if left_ms == math.inf else max(left_ms, 0.0) / 1000


def _refused(processed: postprocess.Processed | None, trace: dict[str, Any]) -> Outcome | None:
    """Return why nothing is offered of an answer; None when something is."""
    if processed is None:
        return Outcome(
            Reason.NOT_REPRODUCED,
            "The model did not continue the text that was typed.",
            trace=trace,
        )
    trace["changed_by"] = list(processed.changed_by)
    if processed.reason is Reason.SUGGESTED:
        return None
    return Outcome(processed.reason, _EXPLAINED[processed.reason], trace=trace)


_EXPLAINED = {
    Reason.EMPTY: "The model has nothing to add here.",
    Reason.DUPLICATE: "The suggestion only repeated what stands next to the cursor.",
    Reason.REPETITION: "The model repeated itself.",
    Reason.TOO_SHORT: "The suggestion was a single sign, which is typed faster than read.",
    Reason.SYNTAX: "The suggestion would have broken the syntax of code that is whole.",
}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


__all__ = ["Engine"]
