"""The model as the author of code: asked for one piece of it, after all that must come first."""

from collections.abc import Callable
from typing import NamedTuple

from sirdab.config.schema import Settings
from sirdab.endpoint.base import EndpointError, EndpointSource, ModelInfo
from sirdab.endpoint.lane import Lane
from sirdab.models.catalog import Family
from sirdab.policy.audit import AuditTrail
from sirdab.review.ask import Asker, Subject
from sirdab.review.conversation import Conversation
from sirdab.review.gates import Gates
from sirdab.review.refactor.refusal import RefusalError
from sirdab.text.document import Snapshot


class Written(NamedTuple):
    """What the model wrote.

    Attributes:
        text: All of it.
        whole: Whether it came to its end by itself.
        begun: Whether its beginning was given to it.
        sentinels: The control tokens of its family.
    """

    text: str
    whole: bool
    begun: bool
    sentinels: tuple[str, ...]


class Author:
    """Asks the model of an endpoint for code or for words about it.

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
        """Make it; nothing is asked yet."""
        self._asker = Asker(endpoints, audit)
        self._lane = lane
        self._gates = gates

    def check(self, snapshot: Snapshot, settings: Settings, folders: tuple[str, ...]) -> None:
        """Hold that a document may be put to a model.

        Raises:
            RefusalError: It may not; the message says why.
        """
        refused = self._gates.refusal(snapshot, settings, folders)
        if refused is not None:
            raise RefusalError(refused)

    async def write(
        self,
        subject: Subject,
        talk_for: Callable[[ModelInfo, Family], Conversation],
        *,
        max_tokens: int,
        longest: int,
        on_length: Callable[[int], None] | None = None,
    ) -> Written:
        """Return what the model writes.

        Args:
            subject: What it is about.
            talk_for: Writes the conversation for the model that serves.
            max_tokens: Most tokens of the answer.
            longest: Most characters of the answer.
            on_length: Called with the number of characters written so far.

        Raises:
            RefusalError: The model cannot be asked, or what it is asked does not fit.
        """

        async def ask() -> Written:
            _, info, family = await self._asker.model()
            talk = talk_for(info, family)
            if not self._asker.fits(talk, max_tokens, info):
                raise RefusalError("These lines are too many for the model; choose fewer.")
            answer = await self._asker.ask(
                subject, talk, max_tokens=max_tokens, longest=longest, on_length=on_length
            )
            return Written(answer.text, answer.whole, bool(talk.prompt), family.sentinels)

        try:
            return await self._lane.run(ask, owner=subject.uri)
        except EndpointError as error:
            raise RefusalError(error.message) from error
