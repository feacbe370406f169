"""What every model server looks like to the rest of Sirdab.

These are plain types without HTTP, so that the engine can speak of endpoints without
importing a network library.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class ProblemKind(StrEnum):
    """Why a model server could not be used."""

    NOT_INSTALLED = "not-installed"
    """The embedded engine or its model is not on this machine."""
    DOWN = "down"
    """Nothing answers at the address."""
    LOADING = "loading"
    """The server is up and its model is still being read (HTTP 503)."""
    TIMEOUT = "timeout"
    """The deadline passed before the first token or before the end."""
    PROTOCOL = "protocol"
    """The answer was not what the protocol promises."""
    REFUSED = "refused"
    """The server said no: a wrong key, a wrong model, a bad request."""
    POLICY = "policy"
    """Our own rules forbid the address."""


class EndpointError(Exception):
    """A model server could not do what was asked.

    Attributes:
        kind: The class of the problem.
        message: One plain sentence that says what happened and what to do.
    """

    def __init__(self, kind: ProblemKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One continuation to be written by the model.

    Attributes:
        prompt: The complete prompt, control tokens included, sent as it is.
        max_tokens: Most tokens to write.
        stop: Strings that end the answer; they are not part of it.
        begins_with: Text with which the answer must begin. Servers that can constrain
            their output do; on others the reader has to check. It is part of the answer.
        json_schema: A JSON schema that the answer must conform to; not together with
            `begins_with`. Servers that can constrain their output do; the reader checks anyway.
        temperature: 0 for greedy.
        seed: Makes an answer that is not greedy repeatable; None leaves it to chance.
        first_token_ms: Deadline for the first piece of the answer, in milliseconds.
        total_ms: Deadline for the whole answer, in milliseconds.
        keeps_moved: Whether the server may keep what it has read of the prompt before where the
            same lines stand at another place now. A window that has moved then costs nothing; what
            is kept was read in its old surroundings, so it is meant for the same document only.
        patient: Whether the deadlines are meant although they are longer than the user's
            setting allows for one suggestion: nobody waits with a finger on a key.
    """

    prompt: str
    max_tokens: int
    stop: tuple[str, ...] = ()
    begins_with: str = ""
    json_schema: dict[str, Any] | None = field(default=None, hash=False)
    temperature: float = 0.0
    seed: int | None = None
    first_token_ms: int = 8_000
    total_ms: int = 10_000
    keeps_moved: bool = False
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer cost, as the server reports it. Zero where it does not say.

    Attributes:
        prompt_tokens: Tokens of the whole prompt.
        evaluated_tokens: Tokens of the prompt that had to be read anew.
        prompt_ms: Time spent reading them.
        generated_tokens: Tokens written.
        generated_ms: Time spent writing them.
    """

    prompt_tokens: int = 0
    evaluated_tokens: int = 0
    prompt_ms: float = 0.0
    generated_tokens: int = 0
    generated_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer.

    Attributes:
        text: Decoded text, never half a character; may be empty.
        usage: The cost so far, when the server reports it; always with the last chunk then.
        truncated: True on the last chunk when the token limit ended the answer.
    """

    text: str
    usage: Usage | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a server says about the model it serves.

    Attributes:
        name: Name to show and to look up in the catalog.
        path: File of the weights when the server tells, else "".
        context_tokens: Tokens one request may hold, prompt and answer together.
        url: Address of the server, for the user.
    """

    name: str
    path: str
    context_tokens: int
    url: str


class Endpoint(Protocol):
    """A model server that is ready to be asked."""

    async def describe(self) -> ModelInfo:
        """Return what is served, asking the server once and remembering the answer.

        Raises:
            EndpointError: The server cannot be used.
        """
        ...

    def generate(
        self, request: GenerationRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        """Stream an answer; leaving the context closes the connection, which stops the server.

        Raises:
            EndpointError: On entering or while iterating.
        """
        ...

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has for this model, control tokens counted as one.

        Raises:
            EndpointError: The server cannot be used.
        """
        ...


class EndpointSource(Protocol):
    """Finds, starts and watches the endpoint that the settings ask for."""

    async def acquire(self) -> Endpoint:
        """Return a usable endpoint, starting the embedded server when that is what is wanted.

        Raises:
            EndpointError: There is none; the message says why and what to do.
        """
        ...
