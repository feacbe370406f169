"""Puts one question to the model of an endpoint, for all that is not ghost text.

The stream is closed when the caller is cancelled, which stops the server; every request leaves
its record in the audit trail, also one that was broken off.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sirdab.config.schema import Settings
from sirdab.endpoint.base import (
    Endpoint,
    EndpointError,
    EndpointSource,
    GenerationRequest,
    ModelInfo,
    Usage,
)
from sirdab.models.catalog import Family
from sirdab.policy.audit import AuditTrail
from sirdab.review.conversation import Conversation

# Nobody waits with a finger on a key, and a review's prompt is read anew each time. These many
# times endpoint.timeoutMs a request may take until its first word and until its end.
_FIRST_WORD_TIMES = 6
_TOTAL_TIMES = 12
# Characters of code to a token, taken low so that a prompt surely fits.
_CHARACTERS_TO_A_TOKEN = 2.5


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about.

    Attributes:
        kind: For the audit trail: "review", "fix" and the like.
        uri: The document.
        settings: The settings in force.
    """

    kind: str
    uri: str
    settings: Settings


class Draw(NamedTuple):
    """How an answer is drawn from what the model holds likely.

    Attributes:
        temperature: Above 0.
        seed: Makes it repeatable, where the server can.
    """

    temperature: float
    seed: int


class Answer(NamedTuple):
    """What the model wrote.

    Attributes:
        text: All of it.
        whole: Whether it came to its end by itself.
    """

    text: str
    whole: bool


class Asker:
    """Asks the model.

    Args:
        endpoints: Finds the model server.
        audit: Keeps the record of what was sent where, unless the settings say not to.
        clock: Seconds; injectable for tests.
    """

    def __init__(
        self,
        endpoints: EndpointSource,
        audit: AuditTrail | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._endpoints = endpoints
        self._audit = audit
        self._clock = clock

    async def model(self) -> tuple[Endpoint, ModelInfo, Family]:
        """Return the endpoint, what it serves, and the family of its model.

        Raises:
            EndpointError: There is none; the message says why and what to do.
        """
        endpoint = await self._endpoints.acquire()
        info = await endpoint.describe()
        return endpoint, info, info.family

    async def ask(
        self,
        subject: Subject,
        said: Conversation,
        *,
        max_tokens: int,
        schema: dict[str, Any] | None = None,
        longest: int = 64_000,
        on_length: Callable[[int], None] | None = None,
        on_piece: Callable[[str], bool] | None = None,
        draw: Draw | None = None,
        begins_with: str = "",
        suffix: str | None = None,
    ) -> Answer:
        """Return the answer.

        Args:
            subject: What it is about.
            said: What is said to the model.
            max_tokens: Most tokens of the answer.
            schema: JSON schema of the answer.
            longest: Most characters of the answer; the rest is not waited for.
            on_length: Called with the number of characters written so far.
            on_piece: Called with each piece of the answer as it comes; says whether to go on.
            draw: How the answer is drawn; None for the likeliest one.
            begins_with: What the answer has to begin with, where the server can see to it.
            suffix: The text behind the place, where the server writes the prompt.

        Raises:
            EndpointError: The model cannot be asked.
        """
        endpoint, info, _ = await self.model()
        patience = subject.settings.endpoint.timeout_ms
        request = GenerationRequest(
            prompt=said.prompt,
            messages=said.messages,
            max_tokens=max_tokens,
            stop=said.stop,
            json_schema=schema,
            temperature=0.0 if draw is None else draw.temperature,
            seed=None if draw is None else draw.seed,
            begins_with=begins_with,
            suffix=suffix,
            first_token_ms=patience * _FIRST_WORD_TIMES,
            total_ms=patience * _TOTAL_TIMES,
            patient=True,
        )
        started = self._clock()
        usage = Usage()
        outcome = "cancelled"
        pieces: list[str] = []
        length = 0
        whole = True
        try:
            async with endpoint.generate(request) as chunks:
                async for chunk in chunks:
                    usage = chunk.usage or usage
                    pieces.append(chunk.text)
                    length += len(chunk.text)
                    if on_length is not None:
                        on_length(length)
                    whole = not chunk.truncated
                    is_enough = on_piece is not None and not on_piece(chunk.text)
                    if length > longest or is_enough:
                        whole = False
                        break
            outcome = "answered"
        except EndpointError as error:
            outcome = error.kind.value
            raise
        finally:
            self._record(subject, info, said.sent + (suffix or ""), usage, outcome, started)
        return Answer("".join(pieces), whole)

    @staticmethod
    def fits(said: Conversation, max_tokens: int, info: ModelInfo) -> bool:
        """Whether a conversation and its answer surely fit into the model's context."""
        if info.context_tokens <= 0:
            return True
        return len(said.sent) / _CHARACTERS_TO_A_TOKEN + max_tokens <= info.context_tokens

    def _record(
        self,
        subject: Subject,
        info: ModelInfo,
        prompt: str,
        usage: Usage,
        outcome: str,
        started: float,
    ) -> None:
        if self._audit is None or not subject.settings.privacy.audit:
            return
        self._audit.record(
            kind=subject.kind,
            url=info.url,
            model=info.name,
            uri=subject.uri,
            prompt=prompt,
            prompt_tokens=usage.prompt_tokens,
            generated_tokens=usage.generated_tokens,
            ms=(self._clock() - started) * 1000,
            outcome=outcome,
        )
