"""Reviews a document unit by unit.

A unit passes: signs of rules → question → model → reading → anchoring → votes. Each step is a
module of this room. What the model said is remembered by the unit's digest, in memory and on disk,
so a unit is asked about again only when it has changed; what is made of it is reckoned anew each
time. Each question is a piece of work of the lane: a keystroke closes its stream, and what was
complete by then is not asked again.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from sirdab.endpoint.base import EndpointError, EndpointSource
from sirdab.endpoint.lane import Lane
from sirdab.policy.audit import AuditTrail
from sirdab.review import question, rules, units
from sirdab.review.ask import Asker
from sirdab.review.finding import Dropped
from sirdab.review.gates import Gates, not_reviewed
from sirdab.review.memory import Memory
from sirdab.review.request import Review, ReviewRequest, UnitReview
from sirdab.review.settled import Hint, Settled
from sirdab.review.store import ReviewStore
from sirdab.review.units import Unit
from sirdab.review.weigh import Case, Weighed, weigh
from sirdab.review.work import Work
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.review.evidence import LinterFinding

_log = logging.getLogger(__name__)


class Witness(Protocol):
    """Says what a linter finds; see `sirdab.review.evidence.Linter`."""

    def findings(
        self, snapshot: Snapshot, workspace_folders: Sequence[str] = ()
    ) -> "tuple[LinterFinding, ...]":
        """Return what it says of a document, in the order of its lines; called in a thread."""
        ...

    def clear(self) -> None:
        """Forget what it said before."""
        ...


OnUnit = Callable[[UnitReview, int, int], None]

# What a linter quotes is the document's own text, which is shown to the model once, and redacted.
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'")
_HINT_CHARACTERS = 120


class Reviewer:
    """Reviews documents with the model of an endpoint.

    Args:
        endpoints: Finds the model server.
        lane: Lets keystrokes go first.
        audit: Keeps the record of what was sent where, unless the settings say not to.
        store: Keeps what the model said from one session to the next.
        evidence: Asks a linter for hints.
    """

    def __init__(
        self,
        endpoints: EndpointSource,
        lane: Lane,
        *,
        audit: AuditTrail | None = None,
        store: ReviewStore | None = None,
        evidence: "Witness | None" = None,
    ) -> None:
        self._asker = Asker(endpoints, audit)
        self._lane = lane
        self._gates = Gates()
        self._memory = Memory(store)
        self._evidence = evidence

    @property
    def gates(self) -> Gates:
        """The checks a document passes before anything of it is put to a model."""
        return self._gates

    def clear(self) -> None:
        """Forget everything, in memory and on disk, for `sirdab.clearCache`."""
        self._memory.clear()
        if self._evidence is not None:
            self._evidence.clear()

    def close(self) -> None:
        """Write what is still to be written; it may take a moment, so call it in a thread."""
        self._memory.close()

    def recall(self, request: ReviewRequest) -> tuple[UnitReview, ...]:
        """Return what is known of a document without asking anybody. It may read the disk.

        Args:
            request: The document.

        Returns:
            What the model that answered last has said of its units, from top to bottom; a unit
            that it has not been asked about is left out, one without signs of any rule is not.
        """
        if self._refusal(request) is not None:
            return ()
        model = self._memory.last_model()
        found = _units(request)
        keys = [_key(request, unit) for unit in found]
        known = self._memory.get(model, keys) if model else {}
        reviews: list[UnitReview] = []
        for unit, key in zip(found, keys, strict=True):
            settled = known.get(key)
            case = _case(request, unit, key, settled.hints if settled is not None else ())
            if settled is not None:
                weighed = weigh(case, settled, None)
                reviews.append(_review(case, settled, weighed))
            elif not case.offered:
                reviews.append(UnitReview(unit.first, unit.last))
        return tuple(reviews)

    async def review(self, request: ReviewRequest, on_unit: OnUnit | None = None) -> Review:
        """Review a document, or some of its lines.

        Args:
            request: What to review.
            on_unit: Called with what has become of a unit, how many units are done and how many
                there are: several times for one unit while its findings come in, and at last
                with `UnitReview.whole`; each time in place of the time before.

        Returns:
            What was found, or why there is no review. Never raises but for cancellation.
        """
        done: list[UnitReview] = []
        try:
            refused = self._refusal(request)
            if refused is not None:
                return Review(problem=refused)
            cases = await asyncio.to_thread(self._cases, request)
            asked = 0
            for case in cases:
                if not request.wants(case.unit.first, case.unit.last):
                    continue
                result = UnitReview(case.unit.first, case.unit.last)
                if case.offered:
                    asked += 1
                    result = await self._settle(request, case, on_unit, len(done), len(cases))
                done.append(result)
                if on_unit is not None:
                    on_unit(result, len(done), len(cases))
        except EndpointError as error:
            return Review(tuple(done), error.message, failed=True)
        except Exception as error:  # noqa: BLE001 - told in a sentence, like any other problem
            _log.error("review failed", exc_info=error)
            problem = f"The review failed inside Sirdab ({type(error).__name__}); see its log."
            return Review(tuple(done), problem, failed=True)
        return Review(tuple(done), trace={"units": len(cases), "asked": asked})

    def _refusal(self, request: ReviewRequest) -> str | None:
        if not request.settings.review.enabled:
            return "Reviews are off; set review.enabled to true."
        return not_reviewed(request.snapshot.language_id) or self._gates.refusal(
            request.snapshot, request.settings, request.workspace_folders
        )

    async def _settle(
        self,
        request: ReviewRequest,
        case: Case,
        on_unit: OnUnit | None,
        done: int,
        total: int,
    ) -> UnitReview:
        """Ask all that is to be asked about a unit, and tell of each finding as it is decided."""
        shown = UnitReview(case.unit.first, case.unit.last, whole=False)

        def tell() -> None:
            nonlocal shown
            early = replace(_review(case, work.settled, work.weigh()), whole=False, dropped=())
            if early != shown and on_unit is not None:
                shown = early
                on_unit(early, done, total)

        work = Work(case, request, self._asker, self._memory, tell)
        await work.begin()
        while not work.is_done():
            if not request.wants(case.unit.first, case.unit.last):
                return replace(shown, whole=False)
            tell()
            await self._lane.run(work.go_on, owner=request.snapshot.uri)
        work.finish()
        return _review(case, work.settled, work.weigh())

    def _cases(self, request: ReviewRequest) -> list[Case]:
        """Split the document, and ask the linter; in a thread, because both take a while."""
        found = _units(request)
        said = ()
        if self._evidence is not None:
            said = self._evidence.findings(request.snapshot, request.workspace_folders)
        cases: list[Case] = []
        for unit in found:
            hints = tuple(
                Hint(one.line - unit.first, one.code[:16], _plain(one.message))
                for one in said
                if unit.first <= one.line <= unit.last
            )
            cases.append(_case(request, unit, _key(request, unit), hints[: question.MAX_HINTS]))
        return cases


def _case(request: ReviewRequest, unit: Unit, key: str, hints: tuple[Hint, ...]) -> Case:
    settings, language = request.settings.review, request.snapshot.language_id
    said = tuple(one._replace(line=one.line + unit.first) for one in hints)
    return Case(
        unit,
        language,
        rules.candidates(unit, language, settings.categories, said),
        hints,
        key,
        request.snapshot.text,
        settings.minimum_severity,
        settings.votes,
    )


def _key(request: ReviewRequest, unit: Unit) -> str:
    """Name what an answer depends on but for the model and a linter's hints."""
    categories = sorted(request.settings.review.categories)
    parts = (
        question.version(),
        rules.version(),
        request.snapshot.language_id,
        unit.digest,
        *categories,
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _plain(message: str) -> str:
    return _QUOTED.sub("…", message)[:_HINT_CHARACTERS]


def _review(case: Case, settled: Settled, weighed: Weighed) -> UnitReview:
    """Return what has become of a unit as far as it is decided."""
    unreadable = settled.misshapen + (settled.state in ("broken", "too-long"))
    dropped = (Dropped("", case.unit.first, "unreadable-answer"),) * unreadable
    is_whole = settled.state != "open" and settled.is_voted
    return UnitReview(
        case.unit.first,
        case.unit.last,
        weighed.findings,
        (*weighed.dropped, *dropped),
        whole=is_whole,
    )


def _units(request: ReviewRequest) -> list[Unit]:
    """Split the document; in a thread, because of its regular expressions for secrets."""
    text, settings = request.snapshot.text, request.settings
    found = units.split(
        text, request.snapshot.language_id, redact_secrets=settings.privacy.redact_secrets
    )
    if request.lines is None:
        return found
    first, last = request.lines
    return [unit for unit in found if unit.first <= last and unit.last >= first]
