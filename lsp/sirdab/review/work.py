"""The work on one unit: asks what is still to be asked, and can be broken off at any point.

What has been settled is remembered at once, so that work that is begun again, after a keystroke or
in the next session, goes on where it was: complete findings and votes are not asked for twice.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from sirdab.endpoint.base import ModelInfo
from sirdab.models.catalog import Family
from sirdab.models.choose import named_parameters
from sirdab.review import question, refute, rewriting
from sirdab.review.ask import Asker, Subject
from sirdab.review.incremental import AnswerReader, RawFinding
from sirdab.review.memory import Memory, name_of
from sirdab.review.request import ReviewRequest
from sirdab.review.rewriting import Vote
from sirdab.review.settled import Settled, Verdict
from sirdab.review.weigh import Case, Open, Weighed, weigh

TRUSTED_PARAMETERS = 1_000_000_000
"""Smaller models are not asked the question, only to vote by rewriting, which they do well. What
Qwen2.5-Coder 0.5B names is chance (the probability that it begins a finding tells defects from code
that looks alike with an area under the curve of 0.40 to 0.48, for five forms of the question; 1.5B:
0.71), and most of its sentences were wrong (it proposes SHA-1 in place of MD5)."""

SPEAKING_PARAMETERS = 3_000_000_000
"""What smaller models say of a defect is not shown, but the words of its rule. Of 44 sentences that
Qwen2.5-Coder 1.5B wrote of true findings six said something wrong, as that a loop that goes one too
far leaves the last item out, and most others said no more than the rule."""


class Work:
    """The work on one unit. All methods belong to one event loop.

    Args:
        case: The unit.
        request: The review that it is part of.
        asker: Asks the model.
        memory: Where what is settled is kept.
        on_news: Called when something more has been settled.
    """

    def __init__(
        self,
        case: Case,
        request: ReviewRequest,
        asker: Asker,
        memory: Memory,
        on_news: Callable[[], None],
    ) -> None:
        self._case = case
        self._subject = Subject("review", request.snapshot.uri, request.settings)
        self._asker = asker
        self._memory = memory
        self._generation = memory.generation
        self._on_news = on_news
        self._model = ""
        self._voter = refute.Voter(fills_in=False, judges=False)
        self._is_trusted = True
        self._speaks = True
        self.settled = Settled()
        self._weighed: tuple[Settled, refute.Voter, Weighed | None] = (
            self.settled,
            self._voter,
            None,
        )

    async def begin(self) -> None:
        """Take up what is known of the unit.

        Raises:
            EndpointError: There is no model.
        """
        _, info, family = await self._asker.model()
        self._take(info, family)
        known = await asyncio.to_thread(self._memory.get, self._model, [self._case.key])
        self._take_up(known.get(self._case.key))

    def weigh(self) -> Weighed:
        """Return what is made of all that is settled."""
        known, by, result = self._weighed
        if result is None or known is not self.settled or by is not self._voter:
            # It anchors all findings anew, and is asked for at each piece of an answer.
            result = weigh(self._case, self.settled, self._voter)
            self._weighed = self.settled, self._voter, result
        return result

    def is_done(self) -> bool:
        """Whether nothing is left to be asked."""
        return self.settled.state != "open" and not self.weigh().open

    def finish(self) -> None:
        """Note that nothing is left to be asked."""
        if not self.settled.is_voted:
            self._settle(replace(self.settled, is_voted=True))

    async def go_on(self) -> None:
        """Ask the next question: about the unit, or for a vote on one of its findings.

        Raises:
            EndpointError: The model cannot be asked.
        """
        _, info, family = await self._asker.model()
        if name_of(info) != self._model:
            # Another model answers now, which has said nothing yet, or something else.
            self._take(info, family)
            self._take_up(self._memory.recent(self._model, self._case.key))
        if self.settled.state == "open":
            await self._question(info, family)
        elif still := self.weigh().open:
            await self._vote(still[0], info, family)

    def _take(self, info: ModelInfo, family: Family) -> None:
        self._model = name_of(info)
        self._voter = refute.voter_of(info, family)
        size = named_parameters(info.name)
        self._is_trusted = not 0 < size < TRUSTED_PARAMETERS
        self._speaks = not 0 < size < SPEAKING_PARAMETERS

    def _take_up(self, known: Settled | None) -> None:
        """Go on from what is known, unless a linter has said something else then."""
        fits = known is not None and known.hints == self._case.hints
        self.settled = known if known is not None and fits else Settled(hints=self._case.hints)
        if self.settled.state == "open" and not self._is_trusted:
            # What it would name is chance, and what it would say is not shown.
            self.settled = replace(self.settled, state="unasked")

    def _settle(self, settled: Settled) -> None:
        self.settled = settled
        self._memory.keep(self._model, self._case.key, settled, self._generation)

    async def _question(self, info: ModelInfo, family: Family) -> None:
        case, before = self._case, self.settled
        if len(before.findings) >= question.MAX_FINDINGS:
            self._settle(replace(before, state="whole"))
            return
        asked = question.build(
            case.unit,
            case.language_id,
            case.offered,
            family,
            info.abilities,
            hints=case.hints,
            known=before.findings,
        )
        if not self._asker.fits(asked.conversation, question.ANSWER_TOKENS, info):
            self._settle(replace(before, state="too-long"))
            return
        reader = AnswerReader()
        votes: list[asyncio.Task[None]] = []

        def take(piece: str) -> bool:
            if reader.feed(piece):
                so_far = (*before.findings, *self._worded(reader.findings))
                self._settle(replace(self.settled, findings=so_far))
                self._on_news()
                # The votes on what is complete do not wait for the rest, where the server does
                # several things at once.
                if not votes or votes[-1].done():
                    votes.append(asyncio.ensure_future(self._vote_on_all(info, family)))
            return not reader.broken

        try:
            await self._asker.ask(
                self._subject,
                asked.conversation,
                max_tokens=question.ANSWER_TOKENS,
                schema=asked.schema,
                on_piece=take,
            )
            reader.finish()
            read = self._worded(reader.findings)
            found = (*before.findings, *read)[: question.MAX_FINDINGS]
            self._settle(
                replace(
                    self.settled,
                    state="broken" if reader.broken else "whole",
                    findings=found,
                    misshapen=before.misshapen + reader.misshapen,
                )
            )
            for vote in votes:
                await vote
        finally:
            for vote in votes:
                vote.cancel()
            await asyncio.gather(*votes, return_exceptions=True)

    def _worded(self, findings: Iterable[RawFinding]) -> tuple[RawFinding, ...]:
        """Return findings with the words that may be shown."""
        return tuple(one if self._speaks else replace(one, message="") for one in findings)

    async def _vote_on_all(self, info: ModelInfo, family: Family) -> None:
        while still := self.weigh().open:
            await self._vote(still[0], info, family)

    async def _vote(self, about: Open, info: ModelInfo, family: Family) -> None:
        number = len(self.settled.votes_on(about.place))
        vote = self._written(about, number, info, family)
        verdict, line = await self._voted(vote, about) if vote is not None else ("unreadable", "")
        self._settle(self.settled.with_vote(about.place, verdict, line))
        self._on_news()

    def _written(self, about: Open, number: int, info: ModelInfo, family: Family) -> Vote | None:
        case = self._case
        if about.plan.kind == "rewrite":
            if about.hole is None:
                return None
            vote = rewriting.rewrite(
                case.unit, about.hole, number, case.language_id, family, info.abilities
            )
        else:
            shown = question.described(case.unit, case.language_id, case.offered, case.hints)
            vote = refute.verdict(shown, about.place, about.rule, number, family, info.abilities)
        if vote is None or not self._asker.fits(vote.conversation, vote.max_tokens, info):
            return None
        return vote

    async def _voted(self, vote: Vote, about: Open) -> tuple[Verdict, str]:
        answer = await self._asker.ask(
            self._subject,
            vote.conversation,
            max_tokens=vote.max_tokens,
            schema=vote.schema,
            longest=rewriting.MAX_VOTE_CHARACTERS,
            draw=vote.draw,
            begins_with=vote.begins_with,
            suffix=vote.suffix,
        )
        if about.plan.kind == "verdict" or about.hole is None:
            return refute.read_verdict(answer.text), ""
        return await asyncio.to_thread(
            rewriting.read_rewrite,
            answer.text,
            vote,
            self._case.unit,
            about.hole,
            about.rule,
            self._case.language_id,
            self._case.text,
        )
