"""What every model server looks like to the rest of Sirdab.

These are plain types without HTTP, so that the engine can speak of endpoints without
importing a network library.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol

from sirdab.models.catalog import Family, family_of
from sirdab.models.resolve import Resolution
from sirdab.policy.loopback import EndpointAddress


class ProblemKind(StrEnum):
    """Why a model server could not be used."""

    NOT_INSTALLED = "not-installed"
    """The embedded engine or its model is not on this machine."""
    DOWN = "down"
    """Nothing answers at the address."""
    LOADING = "loading"
    """The server is up and its model is still being read (HTTP 503)."""
    BUSY = "busy"
    """The server is well and has too much to do (HTTP 429)."""
    OVERFLOW = "overflow"
    """The prompt is longer than the model's context."""
    MEMORY = "memory"
    """The server has not the memory for the model or for the request."""
    TIMEOUT = "timeout"
    """The deadline passed before the first token or before the end."""
    PROTOCOL = "protocol"
    """The answer was not what the protocol promises."""
    NO_MODEL = "no-model"
    """The server is well and has not, or no longer, the model that is asked for."""
    REFUSED = "refused"
    """The server said no: a wrong key, a bad request."""
    POLICY = "policy"
    """Our own rules forbid the address."""


class EndpointError(Exception):
    """A model server could not do what was asked.

    Attributes:
        kind: The class of the problem.
        message: One plain sentence that says what happened and what to do.
        limit_tokens: For `OVERFLOW`, the tokens that the context holds, where the server says so;
            else 0.
    """

    def __init__(self, kind: ProblemKind, message: str, *, limit_tokens: int = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.limit_tokens = limit_tokens


class Ability(StrEnum):
    """What a server can do with the model it serves."""

    RAW = "raw"
    """It takes `GenerationRequest.prompt` literally, and reads control tokens in it as such."""
    INSERT = "insert"
    """It takes a text before and a text after, and writes the prompt of the model itself."""
    CHAT = "chat"
    """It takes messages, and writes the prompt of the model itself."""
    GOES_ON = "goes-on"
    """It goes on from a last message of the assistant, as from the beginning of its own answer."""
    BEGINS_WITH = "begins-with"
    """It makes an answer begin with a given text."""
    SCHEMA = "schema"
    """It makes an answer conform to a JSON schema."""
    TOKENIZE = "tokenize"
    """It counts tokens; elsewhere `count_tokens` reckons with the characters of a token."""
    USAGE = "usage"
    """It says which of a prompt's tokens it had to read anew, and how long that took."""
    FREE_WARM_UP = "free-warm-up"
    """It reads a prompt without writing anything (`max_tokens` 0), so that reading ahead works."""


class Message(NamedTuple):
    """One turn of a conversation.

    Attributes:
        role: Who speaks.
        content: What is said.
    """

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One continuation to be written by the model.

    Attributes:
        prompt: The complete prompt, control tokens included, sent as it is; with `suffix`, the text
            before the place; with `messages`, "".
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
        suffix: The text after the place, for servers that write the prompt themselves
            (`Ability.INSERT`); None elsewhere.
        messages: A conversation whose next turn is the model's, for servers that write the prompt
            themselves (`Ability.CHAT`); empty elsewhere. A last message of the assistant is the
            beginning of the answer, where the server can go on from it.
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
    suffix: str | None = None
    messages: tuple[Message, ...] = ()


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


LLAMACPP_ABILITIES = frozenset(
    {
        Ability.RAW,
        Ability.CHAT,
        Ability.GOES_ON,
        Ability.BEGINS_WITH,
        Ability.SCHEMA,
        Ability.TOKENIZE,
        Ability.USAGE,
        Ability.FREE_WARM_UP,
    }
)
"""What llama.cpp can do with every model."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a server says about the model it serves.

    Attributes:
        name: Name to show and to look up in the catalog.
        path: File of the weights when the server tells, else "".
        context_tokens: Tokens one request may hold, prompt and answer together; 0 when not known.
        url: Address of the server, for the user.
        server: Id of the kind of server: "llamacpp", "ollama", or a profile of `profiles.toml`.
        abilities: What the server can do with the model.
        resolution: Which family the model belongs to and how that is known; None when the server
            was not asked for more than the name.
    """

    name: str
    path: str
    context_tokens: int
    url: str
    server: str = "llamacpp"
    abilities: frozenset[Ability] = LLAMACPP_ABILITIES
    resolution: Resolution | None = None

    @property
    def family(self) -> Family:
        """The family whose prompt format the model knows."""
        return self.resolution.family if self.resolution else family_of(self.name, self.path)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One of the models that a server has.

    Attributes:
        name: What the server calls it.
        size_bytes: Size of its weights; 0 when not known.
        parameters: How many; 0 when not known.
        quantisation: As the server spells it, for example "Q4_K_M"; "" when not known.
        digest: SHA-256 in lower-case hexadecimal; "" when not known.
        is_loaded: Whether it is in memory; None when the server does not tell.
        context_tokens: What it was trained for or is served with; 0 when not known.
        family: The family that its name, or what the server tells of it, belongs to.
        fills_in: Whether it can fill in the middle here, as far as is known without asking it.
        licence: As the server spells it; "" when not known.
    """

    name: str
    size_bytes: int = 0
    parameters: int = 0
    quantisation: str = ""
    digest: str = ""
    is_loaded: bool | None = None
    context_tokens: int = 0
    family: Family = field(default_factory=lambda: family_of(""))
    fills_in: bool = False
    licence: str = ""


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


class ServerEndpoint(Endpoint, Protocol):
    """A model server as those see it who look after it."""

    @property
    def address(self) -> EndpointAddress:
        """Where it is."""
        ...

    @property
    def url(self) -> str:
        """Its address, for the user."""
        ...

    async def refresh(self) -> ModelInfo:
        """Check that the server is usable and ask anew what it serves.

        Raises:
            EndpointError: The server cannot be used.
        """
        ...

    async def models(self) -> tuple[ServedModel, ...]:
        """Return all that the server could be asked for, what it serves now included.

        Raises:
            EndpointError: The server cannot be used.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections, for good: a request that comes later is refused."""
        ...


class EndpointSource(Protocol):
    """Finds, starts and watches the endpoint that the settings ask for."""

    async def acquire(self) -> Endpoint:
        """Return a usable endpoint, starting the embedded server when that is what is wanted.

        Raises:
            EndpointError: There is none; the message says why and what to do.
        """
        ...
