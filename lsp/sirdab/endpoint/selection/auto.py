"""What `endpoint.url: "auto"` means: the best model of all servers of this machine and of ours.

Servers are looked for (`sirdab.endpoint.discovery`), all their models and the embedded one are
compared (`sirdab.models.choose`), and the best is used. Where nothing was found the embedded server
is started, and where that is not installed either the user is told of both remedies.
"""

import asyncio
import importlib
import importlib.util
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from sirdab.config.schema import EndpointSettings
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.discovery import Discovery, Found, address_of
from sirdab.endpoint.identify import Identified
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.endpoint.selection.pinned import refusal
from sirdab.endpoint.selection.sources import Candidate, Tell, offer_of
from sirdab.endpoint.selection.state import RunningServer, StartEmbedded
from sirdab.models import speeds
from sirdab.models.catalog import downloadable_models, family_of, model_named
from sirdab.models.choose import AUTO, Choice, Offer, choose
from sirdab.policy.loopback import PolicyError, check_endpoint_url

EMBEDDED = "the embedded server"

_LISTING_SECONDS = 1.0
# Servers that fail are left for the next best; more than these are not tried in one go.
_MOST_TRIED = 4

OfferEmbedded = Callable[[str], Offer | None]
"""Returns the embedded model that a name stands for, if it is on this machine."""


@dataclass(frozen=True, slots=True)
class _Offered:
    """A model of a server that was found."""

    offer: Offer
    found: Found


class Auto:
    """Finds the best model of this machine.

    Args:
        settings: What the user asks for.
        discovery: Looks for servers.
        start_embedded: Starts the embedded server.
        offer_embedded: Says which embedded model there is.
    """

    looks_around = True
    name = "model servers on this machine"

    def __init__(
        self,
        settings: EndpointSettings,
        discovery: Discovery,
        start_embedded: StartEmbedded,
        offer_embedded: OfferEmbedded,
    ) -> None:
        self._settings = settings
        self._discovery = discovery
        self._start = start_embedded
        self._offer_embedded = offer_embedded
        # Who listened when everything was looked at last; None before.
        self._seen: frozenset[Found] | None = None

    async def candidates(self, tell: Tell) -> AsyncGenerator[Candidate]:
        """Yield the models, the best first; see `sirdab.endpoint.selection.sources.Source`."""
        choice, offered = await self._choice(None)
        if choice is None:
            yield await self._embedded("", None, tell, offered)
            return
        problem: EndpointError | None = None
        reason = choice.reason
        for offer in _in_turn(choice):
            try:
                if offer.is_embedded:
                    yield await self._embedded(reason, offer, tell, offered)
                else:
                    yield self._connect(offer, offered, reason)
            except EndpointError as error:
                problem = problem or error
            # Whoever comes back for more could not use it.
            reason = f"{choice.offer.model} of {choice.offer.server} could not be used."
        if problem is not None:
            raise problem

    async def holds(self, candidate: Candidate) -> bool:
        """Whether the same program still listens where the server was found."""
        if candidate.is_embedded or self._seen is None:
            return True
        port = candidate.endpoint.address.port
        listeners = [found.listener for found in self._seen if found.listener.port == port]
        return bool(listeners) and await self._discovery.still_there(listeners[0])

    async def better(self, candidate: Candidate, *, was_used: bool) -> Candidate | None:
        """Look whether there is something better; see `Source`.

        What the servers have is asked only where somebody has used a model, which may have changed
        what is known of its speed, or where servers have come or gone.
        """
        offer = candidate.offer
        found = await self._discovery.look()
        if not was_used and frozenset(found) == self._seen:
            return None
        current = offer or await asyncio.to_thread(self._offer_embedded, self._settings.model)
        choice, offered = await self._choice(current, found)
        if choice is None or current is None or _is_same(choice.offer, current):
            return None
        try:
            if choice.offer.is_embedded:
                return await self._embedded(choice.reason, choice.offer, _say_nothing, offered)
            return self._connect(choice.offer, offered, choice.reason)
        except EndpointError:
            return None

    async def _choice(
        self, current: Offer | None, found: Sequence[Found] | None = None
    ) -> tuple[Choice | None, list[_Offered]]:
        """Return the choice; None where no server was found and there is nothing to compare."""
        wanted = self._settings.model
        if _is_file(wanted):
            return None, []
        everybody = await self._discovery.look() if found is None else found
        self._seen = frozenset(everybody)
        kind = self._settings.kind
        servers = [one for one in everybody if kind in {"auto", one.server.kind}]
        if not servers:
            return None, []
        listed = await asyncio.gather(*(self._models_of(one) for one in servers))
        offered = [one for several in listed for one in several]
        embedded = await asyncio.to_thread(self._offer_embedded, wanted)
        offers = [one.offer for one in offered]
        if embedded is not None:
            # Ours comes first while it runs, and costs memory to start otherwise.
            offers.insert(0 if embedded.is_loaded else len(offers), embedded)
        if current is not None:
            offers = [
                replace(offer, is_current=True) if _is_same(offer, current) else offer
                for offer in offers
            ]
        known = await asyncio.to_thread(lambda: speeds.read(speeds.default_path()))
        return choose(offers, known, wanted), offered

    async def _models_of(self, found: Found) -> list[_Offered]:
        from sirdab.endpoint.connect import connect

        server = found.server
        endpoint = connect(server, timeout_ms=self._settings.timeout_ms)
        try:
            async with asyncio.timeout(_LISTING_SECONDS):
                models = await endpoint.models()
        except (TimeoutError, EndpointError):
            return []
        finally:
            await endpoint.aclose()
        title = _title(server)
        host = server.address.host
        refusals = await asyncio.to_thread(
            lambda: [refusal(server.kind, model) for model in models]
        )
        return [
            _Offered(offer_of(title, host, model), found)
            for model, why in zip(models, refusals, strict=True)
            if not why
        ]

    def _connect(self, offer: Offer, offered: Sequence[_Offered], reason: str) -> Candidate:
        from sirdab.endpoint.connect import connect

        found = next(one.found for one in offered if one.offer.server == offer.server)
        try:
            address_of(found.listener)
        except PolicyError as error:
            raise EndpointError(ProblemKind.POLICY, error.message) from error
        one_model = found.server.kind == "llamacpp" and not found.server.has_several
        endpoint = connect(
            found.server,
            timeout_ms=self._settings.timeout_ms,
            model="" if one_model else offer.model,
        )
        return Candidate(endpoint, reason, offer)

    async def _embedded(
        self, reason: str, offer: Offer | None, tell: Tell, offered: Sequence[_Offered]
    ) -> Candidate:
        wanted = self._settings.model
        try:
            running: RunningServer = await self._start(wanted, on_progress=tell)
        except EndpointError as error:
            raise self._with_remedies(error, offered) from error
        endpoint = LlamaCppEndpoint(
            check_endpoint_url(running.url, allow_remote=False),
            api_key=running.api_key,
            timeout_ms=self._settings.timeout_ms,
        )
        return Candidate(endpoint, reason, offer, is_embedded=True)

    def _with_remedies(self, error: EndpointError, offered: Sequence[_Offered]) -> EndpointError:
        """Return the problem with the other thing that the user may do about it."""
        if error.kind is not ProblemKind.NOT_INSTALLED:
            return error
        first = error.message.rstrip(".")
        if offered:
            titles = ", ".join(dict.fromkeys(one.offer.server for one in offered))
            second = f"or set endpoint.model to a model that {titles} has"
        elif self._seen:
            titles = ", ".join(_title(found.server) for found in self._seen)
            second = f"or give {titles} a code model: no model that can be used was found there"
        else:
            second = (
                "or start a model server, for example Ollama or llama-server: it is found by itself"
            )
        return EndpointError(error.kind, f"{first}; {second}.")


def embedded_offer(wanted: str) -> Offer | None:
    """Return the embedded model that a name stands for, if it and its engine are on this machine.

    Reads directories and the state of running engines, so it belongs into a thread.

    Args:
        wanted: `endpoint.model`: "auto" or a name of the catalog.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    from sirdab.endpoint.managed.server import running
    from sirdab.models import fitness, store
    from sirdab.models.catalog import default_model

    installed = [model for model in downloadable_models() if any(store.candidates(model))]
    if wanted != AUTO:
        named = model_named(wanted)
        installed = [model for model in installed if model is named]
    if not installed:
        return None
    known = speeds.read(speeds.default_path())
    model = fitness.choose(installed, default_model(), known).model
    return Offer(
        server=EMBEDDED,
        model=model.id,
        family=family_of(model.id),
        fills_in=family_of(model.id).fim is not None,
        size_bytes=model.size_bytes,
        is_loaded=any(server.name == model.id for server in running()),
        is_embedded=True,
        aliases=(PurePath(model.file).stem,),
    )


async def ensure_running(
    model: str, *, on_progress: Callable[[str], None] | None = None
) -> RunningServer:
    """Start or join the embedded server, without importing it before it is needed.

    Raises:
        EndpointError: It is not installed or cannot be started.
    """
    # Its imports are slow as well.
    await asyncio.to_thread(importlib.import_module, "sirdab.endpoint.managed.server")
    from sirdab.endpoint.managed.server import ensure_running as start

    return await start(model, on_progress=on_progress)


def _in_turn(choice: Choice) -> Sequence[Offer]:
    """Return what is tried, the best first: of each server only its best model."""
    best: dict[str, Offer] = {}
    for offer in (choice.offer, *choice.others):
        best.setdefault(offer.server, offer)
    return tuple(best.values())[:_MOST_TRIED]


def _is_same(one: Offer, other: Offer) -> bool:
    return (one.server, one.model) == (other.server, other.model)


def _is_file(model: str) -> bool:
    """Whether a name can only mean a file: servers have slashes in their names of models too."""
    return model.lower().endswith(".gguf") and bool({"/", "\\"} & set(model))


def _title(server: Identified) -> str:
    return f"{server.title} at {server.address.url}"


def _say_nothing(message: str) -> None:
    del message
