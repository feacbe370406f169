"""Offers copies: at once where one is as good as the model's answer, else in place of an answer.

A copy that was sure enough stays a suggestion like any other. One that only stands in for a model
that does not answer goes after a moment, and as soon as the model has said something.
"""

import itertools
import logging
import math
import time
from collections.abc import Callable
from typing import Any

from sirdab.completion import gates
from sirdab.completion.cache import Known, SuggestionCache
from sirdab.completion.copy import Copied, CopyPredictor
from sirdab.completion.question import Composer
from sirdab.completion.request import CompletionRequest, Source

log = logging.getLogger(__name__)

STANDS_IN_SECONDS = 3.0
"""How long a copy may stand in for an answer of the model: as long as one types along it. Then the
model is tried again."""

_MOST_STAND_INS = 64
# What the ids of copies begin with; those of what the model said begin with an "s".
_COPY = "c"
_STAND_IN = "i"


class CopyOffers:
    """Makes suggestions of what can be copied. No method raises."""

    def __init__(
        self,
        rules: gates.Rules,
        cache: SuggestionCache,
        composer: Composer,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Start without documents.

        Args:
            rules: Say which documents may be read.
            cache: Remembers what is offered.
            composer: Knows the places and the model.
            clock: Seconds; injectable for tests.
        """
        self._cache = cache
        self._composer = composer
        self._clock = clock
        self._predictor = CopyPredictor(rules)
        # When each copy was offered that stands in for the model, by its id; infinity where the
        # model has said the same since.
        self._stand_ins: dict[str, float] = {}
        self._ids = itertools.count(1)

    def forget(self, uri: str) -> None:
        """Take it that a document was closed."""
        self._predictor.forget(uri)

    def clear(self) -> None:
        """Drop everything."""
        self._predictor.clear()
        self._stand_ins.clear()

    def look(self, request: CompletionRequest) -> None:
        """Take the documents of a request, so that they are indexed when they are needed."""
        try:
            self._predictor.look(request)
        except Exception:
            log.exception("nothing could be indexed")

    def offer(
        self, request: CompletionRequest, trace: dict[str, Any], *, standing_in: bool = False
    ) -> Known | None:
        """Offer what stands elsewhere, where it is as good as what the model would say.

        Args:
            request: A request that has passed the gates.
            trace: Told what was found, offered or not.
            standing_in: Whether the model does not answer, or not in time.
        """
        started = self._clock()
        model = self._composer.model
        try:
            copied = self._predictor.predict(request, model=model, standing_in=standing_in)
            trace["copy_ms"] = round((self._clock() - started) * 1000, 2)
            if copied is None:
                return None
            trace["copy"] = copied.as_trace()
            if not copied.is_sure:
                return None
            known = self._remember(request, copied, standing_in)
        except Exception:
            # What is only an extra must not take the model's answer, or its problem, with it.
            log.exception("nothing could be copied")
            return None
        trace["model"] = model
        return known

    def explain(self, request: CompletionRequest, trace: dict[str, Any]) -> None:
        """Tell what would be copied at a place, sure or not."""
        try:
            copied = self._predictor.predict(request, model=self._composer.model, unsure=True)
        except Exception:
            log.exception("nothing could be copied")
            copied = None
        trace["copy"] = None if copied is None else copied.as_trace(with_text=True)

    def without_outdated(self, found: tuple[Known, ...]) -> tuple[Known, ...]:
        """Return what may still be shown of what is known for a place."""
        answers = tuple(known for known in found if not self._only_stands_in(known))
        # Once the model has answered, nothing stands in for it any more.
        return answers or tuple(filter(self._still_stands_in, found))

    def confirmed(self, known: Known) -> None:
        """Take it that the model has said what a suggestion says, whoever said it first."""
        if known.id.startswith(_STAND_IN):
            self._stand_ins[known.id] = math.inf

    def _remember(self, request: CompletionRequest, copied: Copied, standing_in: bool) -> Known:
        kind = _STAND_IN if standing_in else _COPY
        known = Known(f"{kind}{next(self._ids)}", copied.text, Source.COPY)
        place = self._composer.place(request)
        conditions = self._composer.conditions(request)
        known = self._cache.store(request.snapshot.uri, conditions, place, known)
        if self._only_stands_in(known):
            # An old one that is offered anew stands in anew.
            self._stand_ins.pop(known.id, None)
            self._stand_ins[known.id] = self._clock()
            while len(self._stand_ins) > _MOST_STAND_INS:
                del self._stand_ins[next(iter(self._stand_ins))]
        return known

    def _only_stands_in(self, known: Known) -> bool:
        return known.id.startswith(_STAND_IN) and self._stand_ins.get(known.id) != math.inf

    def _still_stands_in(self, known: Known) -> bool:
        since = self._stand_ins.get(known.id)
        return since is not None and self._clock() - since <= STANDS_IN_SECONDS


def is_copy(known: Known) -> bool:
    """Whether a suggestion was copied, whatever the model has said since."""
    return known.id.startswith((_COPY, _STAND_IN))
