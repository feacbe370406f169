"""Where an endpoint comes from: an address of the settings (`Configured`), or what is here."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sirdab.config.schema import EndpointSettings
from sirdab.endpoint.base import EndpointError, ProblemKind, ServedModel, ServerEndpoint
from sirdab.endpoint.selection.pinned import refusal
from sirdab.models import speeds
from sirdab.models.choose import AUTO, Choice, Offer, choose
from sirdab.policy.loopback import check_endpoint_url

_T = TypeVar("_T")

LONGEST_LOADING_SECONDS = 600.0
"""A server that says for longer than this that it is loading is stuck."""

_LOADING_POLL_SECONDS = 0.25

Tell = Callable[[str], None]
"""Takes a sentence about what is being done."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An endpoint that may be used if it is well.

    Attributes:
        endpoint: Not asked anything yet.
        reason: Why it is this one, as one sentence; "" when there was nothing to choose.
        offer: What was chosen; None when there was nothing to choose.
        is_embedded: Whether it is our own server.
    """

    endpoint: ServerEndpoint
    reason: str = ""
    offer: Offer | None = None
    is_embedded: bool = False


class Source(Protocol):
    """Finds endpoints."""

    @property
    def name(self) -> str:
        """What is looked for, as the object of a sentence."""
        ...

    @property
    def looks_around(self) -> bool:
        """Whether something better may turn up while an endpoint is in use."""
        ...

    def candidates(self, tell: Tell) -> AsyncGenerator[Candidate]:
        """Yield what may be used, the best first; what is not used has to be closed.

        Raises:
            EndpointError: There is nothing; the message says why and what to do.
            PolicyError: An address is forbidden.
        """
        ...

    async def holds(self, candidate: Candidate) -> bool:
        """Whether what was found is still what it was taken for, before it is asked again."""
        ...

    async def better(self, candidate: Candidate, *, was_used: bool) -> Candidate | None:
        """Look whether there is something better than what is in use. Never raises.

        Args:
            candidate: What is in use.
            was_used: Whether it was asked anything since the last look.
        """
        ...


class Configured:
    """A server whose address the user has written down.

    Args:
        url: The address.
        settings: What else the user says of it.
    """

    looks_around = False

    def __init__(self, url: str, settings: EndpointSettings) -> None:
        self._url = url
        self._settings = settings

    @property
    def name(self) -> str:
        """What is looked for, as the object of a sentence."""
        return "the model server of endpoint.url"

    async def candidates(self, tell: Tell) -> AsyncGenerator[Candidate]:
        """Yield the server with the model that suits best; see `Source`."""
        from sirdab.endpoint.connect import connect
        from sirdab.endpoint.identify import identify

        settings = self._settings
        address = await asyncio.to_thread(
            check_endpoint_url, self._url, allow_remote=settings.allow_remote
        )
        key = api_key(settings)

        async def ask() -> Candidate:
            server = await identify(
                address, api_key=key, timeout_ms=settings.timeout_ms, kind=settings.kind
            )
            if server.kind == "llamacpp" and not server.has_several:
                # It has one model, whatever that is called.
                return Candidate(connect(server, api_key=key, timeout_ms=settings.timeout_ms))
            everything = connect(server, api_key=key, timeout_ms=settings.timeout_ms)
            try:
                models = await everything.models()
            finally:
                await everything.aclose()
            allowed = await asyncio.to_thread(self._allowed, server.kind, models)
            choice = self._choose(f"{server.title} at {address.url}", address.host, allowed)
            endpoint = connect(
                server, api_key=key, timeout_ms=settings.timeout_ms, model=choice.offer.model
            )
            return Candidate(endpoint, choice.reason if choice.others else "")

        yield await when_loaded(ask, tell)

    def _allowed(self, kind: str, models: Sequence[ServedModel]) -> list[ServedModel]:
        """Return the models that the user's pins allow.

        Raises:
            EndpointError: The model that is wanted, or every one, is another than the pinned one.
        """
        refusals = [refusal(kind, model) for model in models]
        allowed = [model for model, why in zip(models, refusals, strict=True) if not why]
        wanted = self._settings.model
        for model, why in zip(models, refusals, strict=True):
            if why and (model.name == wanted or not allowed):
                raise EndpointError(ProblemKind.REFUSED, why)
        return allowed

    def _choose(self, server: str, host: str, models: Sequence[ServedModel]) -> Choice:
        wanted = self._settings.model
        offers = [offer_of(server, host, model) for model in models]
        choice = choose(offers, speeds.read(speeds.default_path()), wanted)
        if choice is not None:
            return choice
        has = ", ".join(model.name for model in models[:5]) or "no model at all"
        what = "a model that writes text" if wanted == AUTO else f'the model "{wanted}"'
        raise EndpointError(
            ProblemKind.NO_MODEL,
            f"{self._url} has not {what} (it has {has}); load or pull one there, or correct "
            "endpoint.model.",
        )

    async def holds(self, candidate: Candidate) -> bool:
        """The user's own word holds."""
        del candidate
        return True

    async def better(self, candidate: Candidate, *, was_used: bool) -> Candidate | None:
        """There is nothing else at one address."""
        del candidate, was_used


def offer_of(server: str, host: str, model: ServedModel) -> Offer:
    """Return a server's model as something to choose from."""
    return Offer(
        server=server,
        model=model.name,
        family=model.family,
        fills_in=model.fills_in,
        size_bytes=model.size_bytes,
        parameters=model.parameters,
        is_loaded=model.is_loaded is True,
        host=host,
    )


async def when_loaded(ask: Callable[[], Awaitable[_T]], tell: Tell) -> _T:
    """Ask until a server no longer says that it is loading its model, for ten minutes at most.

    Raises:
        EndpointError: The server cannot be used, or is still loading.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + LONGEST_LOADING_SECONDS
    while True:
        try:
            return await ask()
        except EndpointError as error:
            if error.kind is not ProblemKind.LOADING or loop.time() > give_up_at:
                raise
            tell(error.message)
        await asyncio.sleep(_LOADING_POLL_SECONDS)


def api_key(settings: EndpointSettings) -> str:
    """Return the key that the settings name; "" when they name none.

    Raises:
        EndpointError: The variable is not set, or the setting holds the key itself.
    """
    name = settings.api_key_env
    if not name:
        return ""
    key = os.environ.get(name, "")
    if not key and not name.isidentifier():
        # Most likely the key itself, which must not end up in a message and a log.
        raise EndpointError(
            ProblemKind.REFUSED,
            "endpoint.apiKeyEnv does not hold the name of an environment variable; put the key "
            "into a variable of the environment and its name into the setting.",
        )
    if not key:
        raise EndpointError(
            ProblemKind.REFUSED,
            f"endpoint.apiKeyEnv names the environment variable {name}, which is not set; set it "
            "and start the editor from there, or empty the setting.",
        )
    return key
