"""Reviews a document unit by unit.

A unit passes: signs of rules → question → model → reading → anchoring. Each step is a module of
this room. What the model answered is remembered by the unit's digest, so a unit is asked
about again only when it has changed; how it is anchored is reckoned anew each time.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from sirdab.endpoint.base import EndpointError, EndpointSource
from sirdab.endpoint.lane import Lane
from sirdab.policy.audit import AuditTrail
from sirdab.review import anchor, question, rules, units
from sirdab.review.ask import Asker, Subject
from sirdab.review.finding import Dropped
from sirdab.review.gates import Gates, not_reviewed
from sirdab.review.question import RawFinding
from sirdab.review.request import Review, ReviewRequest, UnitReview
from sirdab.review.units import Unit

_log = logging.getLogger(__name__)

# Answers that are remembered: those of some 50,000 lines of code.
_REMEMBERED = 4_096


class _Key(NamedTuple):
    """What an answer depends on."""

    model: str
    digest: str
    language_id: str
    rules: tuple[str, ...]
    version: str


class Reviewer:
    """Reviews documents with the model of an endpoint.

    Args:
        endpoints: Finds the model server.
        lane: Lets keystrokes go first.
        audit: Keeps the record of what was sent where, unless the settings say not to.
    """

    def __init__(
        self, endpoints: EndpointSource, lane: Lane, *, audit: AuditTrail | None = None
    ) -> None:
        self._asker = Asker(endpoints, audit)
        self._lane = lane
        self._gates = Gates()
        self._answers: OrderedDict[_Key, tuple[RawFinding, ...] | None] = OrderedDict()

    @property
    def gates(self) -> Gates:
        """The checks a document passes before anything of it is put to a model."""
        return self._gates

    def clear(self) -> None:
        """Drop everything remembered, for `sirdab.clearCache`."""
        self._answers.clear()

    async def review(
        self,
        request: ReviewRequest,
        on_unit: Callable[[UnitReview, int, int], None] | None = None,
    ) -> Review:
        """Review a document, or some of its lines.

        Args:
            request: What to review.
            on_unit: Called after each unit with what became of it, how many are done and how
                many there are.

        Returns:
            What was found, or why there is no review. Never raises but for cancellation.
        """
        done: list[UnitReview] = []
        try:
            refused = self._refusal(request)
            if refused is not None:
                return Review(problem=refused)
            found = await asyncio.to_thread(_units, request)
            asked = 0
            for unit in found:
                result, was_asked = await self._unit(request, unit)
                asked += was_asked
                done.append(result)
                if on_unit is not None:
                    on_unit(result, len(done), len(found))
        except EndpointError as error:
            return Review(tuple(done), error.message, failed=True)
        except Exception as error:  # noqa: BLE001 - told in a sentence, like any other problem
            _log.error("review failed", exc_info=error)
            problem = f"The review failed inside Sirdab ({type(error).__name__}); see its log."
            return Review(tuple(done), problem, failed=True)
        return Review(tuple(done), trace={"units": len(found), "asked": asked})

    def _refusal(self, request: ReviewRequest) -> str | None:
        if not request.settings.review.enabled:
            return "Reviews are off; set review.enabled to true."
        return not_reviewed(request.snapshot.language_id) or self._gates.refusal(
            request.snapshot, request.settings, request.workspace_folders
        )

    async def _unit(self, request: ReviewRequest, unit: Unit) -> tuple[UnitReview, bool]:
        settings, language = request.settings.review, request.snapshot.language_id
        offered = rules.candidates(unit, language, settings.categories)
        if not offered:
            return UnitReview(unit.first, unit.last), False
        raw = await self._lane.run(
            lambda: self._answer(request, unit, offered), owner=request.snapshot.uri
        )
        if raw is None:
            dropped = (Dropped("", unit.first, "unreadable-answer"),)
            return UnitReview(unit.first, unit.last, (), dropped), True
        findings, fallen = anchor.anchor(
            unit, raw, offered, request.snapshot.text, minimum=settings.minimum_severity
        )
        for entry in fallen:
            _log.info("dropped a finding of %s (%s)", entry.rule or "no rule", entry.reason)
        return UnitReview(unit.first, unit.last, tuple(findings), tuple(fallen)), True

    async def _answer(
        self, request: ReviewRequest, unit: Unit, offered: dict[rules.Rule, tuple[int, ...]]
    ) -> tuple[RawFinding, ...] | None:
        """Return what the model finds in a unit, from memory where it is known."""
        _, info, family = await self._asker.model()
        language = request.snapshot.language_id
        names = tuple(rule.id for rule in offered)
        key = _Key(info.name, unit.digest, language, names, rules.version())
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        asked = question.build(unit, language, offered, family, info.abilities)
        if not self._asker.fits(asked.conversation, question.ANSWER_TOKENS, info):
            return None
        answer = await self._asker.ask(
            Subject("review", request.snapshot.uri, request.settings),
            asked.conversation,
            max_tokens=question.ANSWER_TOKENS,
            schema=asked.schema,
        )
        found = question.read(answer.text)
        self._answers[key] = None if found is None else tuple(found)
        while len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        return self._answers[key]


def _units(request: ReviewRequest) -> list[Unit]:
    """Split the document; in a thread, because of its regular expressions for secrets."""
    text, settings = request.snapshot.text, request.settings
    shown: str | None = None
    if settings.privacy.redact_secrets:
        from sirdab.policy.secrets import redact

        plain = "\n".join(text.line_body(number) for number in range(text.line_count))
        redacted = redact(plain)
        shown = None if redacted == plain else redacted
    found = units.split(text, request.snapshot.language_id, shown=shown)
    if request.lines is None:
        return found
    first, last = request.lines
    return [unit for unit in found if unit.first <= last and unit.last >= first]
