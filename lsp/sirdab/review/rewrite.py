"""Rewrites some lines, by rule or by the model: to fix, to document, to simplify, or as told."""

import asyncio
from collections.abc import Callable

from sirdab.endpoint.base import EndpointSource, ModelInfo
from sirdab.endpoint.lane import Lane
from sirdab.models.catalog import Family
from sirdab.policy.audit import AuditTrail
from sirdab.review import conversation, edit
from sirdab.review.ask import Subject
from sirdab.review.conversation import Conversation
from sirdab.review.edit import LineEdit, RefusalError
from sirdab.review.gates import Gates
from sirdab.review.inert import inert, restored
from sirdab.review.refactor import documenting, extracting, mechanical, verify, wording
from sirdab.review.refactor.answer import fence_of
from sirdab.review.refactor.author import Author, Written
from sirdab.review.refactor.documenting import Opening
from sirdab.review.refactor.region import Part, Region, part_after
from sirdab.review.refactor.wanted import (
    MAX_INSTRUCTION_CHARACTERS,
    Rewriting,
    document,
    fix,
    fix_finding,
    fix_rule,
    instructed,
    refactor,
    simplify,
)

__all__ = [
    "MAX_INSTRUCTION_CHARACTERS",
    "LineEdit",
    "RefusalError",
    "Rewriter",
    "Rewriting",
    "document",
    "fix",
    "fix_finding",
    "fix_rule",
    "instructed",
    "refactor",
    "simplify",
]

MOST_ATTEMPTS = 2
"""How often the model is asked: what is wrong with its first answer, it often knows to mend."""

_TOKENS_TO_A_CHARACTER = 0.45
_SPARE_TOKENS = 160
_NAME_TOKENS = 24


class Rewriter:
    """Rewrites code with the model of an endpoint.

    Args:
        endpoints: Finds the model server.
        lane: Lets keystrokes go first.
        gates: The checks a document passes before anything of it is put to a model.
        audit: Keeps the record of what was sent where, unless the settings say not to.
    """

    def __init__(
        self,
        endpoints: EndpointSource,
        lane: Lane,
        gates: Gates,
        *,
        audit: AuditTrail | None = None,
    ) -> None:
        self.author = Author(endpoints, lane, gates, audit=audit)
        """What asks the model; others that need it may share it."""

    async def rewrite(
        self, wanted: Rewriting, on_progress: Callable[[int], None] | None = None
    ) -> list[LineEdit]:
        """Return the edits that carry out a rewriting, in order.

        Args:
            wanted: What is to be rewritten, and how.
            on_progress: Called with how much of the code is written, in percent.

        Raises:
            RefusalError: There is none that may be applied; the message says why.

        What is mended by rule (`refactor.mechanical`) is a `Mended`: nobody is asked, so nothing of
        it is in the audit trail, and it works without a model.
        """
        snapshot, settings = wanted.snapshot, wanted.settings
        self.author.check(snapshot, settings, wanted.folders)
        by_rule = await asyncio.to_thread(mechanical.mended, wanted)
        if by_rule is not None:
            return by_rule
        if not wanted.instruction:
            raise RefusalError("There is no instruction to follow.")
        asked = await asyncio.to_thread(
            edit.region,
            snapshot.text,
            *wanted.lines,
            redact_secrets=settings.privacy.redact_secrets,
        )
        fence = fence_of("\n".join(asked.lines))
        if wanted.part is not None and snapshot.language_id == "python":
            return await self._extract(wanted, wanted.part, fence)
        opening = None
        if wanted.only_comments:
            opening = documenting.opening(asked.lines, snapshot.language_id)
        said = [await asyncio.to_thread(wording.question, wanted, asked, fence)]
        for attempt in range(1, MOST_ATTEMPTS + 1):
            answer = await self._answer(wanted, asked, fence, said, opening, on_progress)
            try:
                return await asyncio.to_thread(_edits, wanted, asked, fence, answer, opening)
            except RefusalError as refusal:
                if attempt == MOST_ATTEMPTS or not refusal.hint:
                    raise
                said += [
                    wording.shown(answer.text, wanted, fence),
                    wording.again(refusal.hint),
                ]
        raise AssertionError

    async def _extract(
        self, wanted: Rewriting, part: tuple[int, int], fence: str
    ) -> list[LineEdit]:
        """Make a function of some lines of Python, and let the model name it."""
        snapshot = wanted.snapshot
        plan = await asyncio.to_thread(extracting.plan, snapshot.text, *part)
        answer = await self.author.write(
            Subject(wanted.kind, snapshot.uri, wanted.settings),
            lambda info, family: conversation.write(
                family,
                info.abilities,
                wording.TASK_OF_NAMING,
                inert(wording.naming(plan, wanted.settings, fence), family.sentinels),
                begun=f"{fence}python\ndef ",
                ends="(",
            ),
            max_tokens=_NAME_TOKENS,
            longest=400,
        )
        found = plan.edits(snapshot.text, plan.name_of(answer.text))
        await asyncio.to_thread(edit.check_whole, snapshot.text, found, snapshot.language_id)
        return found

    async def _answer(
        self,
        wanted: Rewriting,
        asked: Region,
        fence: str,
        said: list[str],
        opening: Opening | None,
        on_progress: Callable[[int], None] | None,
    ) -> Written:
        size = sum(len(line) + 1 for line in asked.lines)

        def talk(info: ModelInfo, family: Family) -> Conversation:
            head = "" if opening is None else inert(opening.begun, family.sentinels)
            # The block is opened for the model, so that it begins and ends with code.
            return conversation.write(
                family,
                info.abilities,
                wording.TASK,
                *(inert(turn, family.sentinels) for turn in said),
                begun=f"{fence}{wanted.snapshot.language_id}\n{head}",
                ends=f"\n{fence}" if opening is None else opening.stop,
            )

        def tell(length: int) -> None:
            if on_progress is not None:
                on_progress(min(99, 100 * length // size))

        answer = await self.author.write(
            Subject(wanted.kind, wanted.snapshot.uri, wanted.settings),
            talk,
            max_tokens=int(size * _TOKENS_TO_A_CHARACTER) + _SPARE_TOKENS,
            longest=4 * size + 4_000,
            on_length=tell,
        )
        if not answer.whole:
            raise RefusalError("The model wrote more than there is room for, so nothing is done.")
        return answer._replace(text=restored(answer.text, asked.lines, answer.sentinels))


def _edits(
    wanted: Rewriting, asked: Region, fence: str, answer: Written, opening: Opening | None
) -> list[LineEdit]:
    snapshot = wanted.snapshot
    if opening is not None and answer.begun and not opening.is_whole(asked.lines, answer.text):
        written = opening.joined(asked.lines, answer.text)
    else:
        # An answer that cannot be begun is the whole code; some models begin anew all the same.
        written = edit.extract(answer.text, fence)
    found = edit.edits(snapshot.text, snapshot.language_id, asked, written, wanted.discipline)
    old = Part(snapshot.text, asked.first, asked.last)
    new = part_after(asked, edit.apply(snapshot.text, found), found)
    if wanted.rule:
        verify.defect_gone(old, new, snapshot.language_id, wanted.rule)
    if wanted.part is not None:
        verify.extracted(old, new, snapshot.language_id, wanted.part, found)
    if not wanted.only_comments:
        verify.nothing_worse(old, new, snapshot.language_id)
    return found
