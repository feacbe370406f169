"""The model servers that a command can find, and what each of them has.

None is waited for longer than a moment: one that hangs is told of like one that answers.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sirdab.endpoint.base import EndpointError, ProblemKind, ServedModel
from sirdab.policy.loopback import EndpointAddress, PolicyError, check_endpoint_url

if TYPE_CHECKING:
    from sirdab.config.schema import Settings
    from sirdab.endpoint.identify import Identified

PATIENCE_S = 2.0
"""Seconds that one server may take to say what it is, and as many to list its models."""

EMBEDDED = "embedded"
OLLAMA = "ollama"


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A model server, or something in the place of one.

    Attributes:
        url: Its address; "" for the embedded server while it does not run.
        kind: "embedded", "llamacpp", "ollama", "openai", or "" when it did not tell.
        title: What a person calls it.
        is_configured: Whether `endpoint.url` names it.
        is_loading: Whether it said that its model is still being loaded.
        models: What it has.
        on_gpu: Share of each loaded model that is on a graphics processor, from 0 to 1; only of
            servers that tell (Ollama).
        problem: Why it cannot be used, as one sentence; "" when it can.
        address: Where it is; None when that is not allowed.
        written: The address as the settings spell it; "" when they do not name it.
        hangs: Whether it accepts connections and says nothing.
    """

    url: str
    kind: str
    title: str
    is_configured: bool = False
    is_loading: bool = False
    models: tuple[ServedModel, ...] = ()
    on_gpu: dict[str, float] = field(default_factory=dict[str, float], hash=False)
    problem: str = ""
    address: EndpointAddress | None = None
    written: str = ""
    hangs: bool = False


async def find_servers(
    settings: "Settings", patience_s: float = PATIENCE_S
) -> tuple[FoundServer, ...]:
    """Return the servers that the settings name, then those that are found on this machine.

    Never raises.

    Args:
        settings: The settings in force.
        patience_s: Seconds that one server may take for each of two questions.
    """
    named = [url for url in settings.endpoint.urls if url != "auto"]
    configured = await asyncio.gather(*(_configured(url, settings, patience_s) for url in named))
    known = {one.address.connect_url for one in configured if one.address is not None}
    around = await _around(known, patience_s)
    return (*configured, *around)


async def _configured(url: str, settings: "Settings", patience_s: float) -> FoundServer:
    endpoint = settings.endpoint
    try:
        address = await asyncio.to_thread(
            check_endpoint_url, url, allow_remote=endpoint.allow_remote
        )
    except PolicyError as error:
        return FoundServer(url, "", "", is_configured=True, problem=error.message, written=url)
    server = FoundServer(address.url, "", "", is_configured=True, address=address, written=url)
    return await _ask(server, api_key_of(settings), patience_s, kind=endpoint.kind)


async def _around(known: set[str], patience_s: float) -> tuple[FoundServer, ...]:
    from sirdab.endpoint.discovery import address_of, ports
    from sirdab.endpoint.listeners import believed

    try:
        listeners = await asyncio.to_thread(believed, ports())
    except OSError:
        return ()
    asking: list[asyncio.Task[FoundServer]] = []
    for listener in listeners:
        try:
            address = address_of(listener)
        except PolicyError:
            continue
        if address.connect_url not in known:
            server = FoundServer(address.url, "", "", address=address)
            # Without a key: that is meant for a server that somebody has named.
            asking.append(asyncio.ensure_future(_ask(server, "", patience_s)))
    answers: Sequence[FoundServer] = await asyncio.gather(*asking)
    # Much else listens on such ports; what answers and is no model server is nobody's concern.
    return tuple(one for one in answers if one.kind or one.problem)


async def _ask(
    server: FoundServer, api_key: str, patience_s: float, kind: str = "auto"
) -> FoundServer:
    """Return a server with what it says of itself and of its models."""
    from sirdab.endpoint.identify import identify

    if server.address is None:
        return server
    try:
        async with asyncio.timeout(patience_s):
            found = await identify(
                server.address, api_key=api_key, timeout_ms=int(patience_s * 1000), kind=kind
            )
    except TimeoutError:
        return _hanging(server, patience_s)
    except EndpointError as error:
        if error.kind is ProblemKind.TIMEOUT:
            return _hanging(server, patience_s)
        # Beside the configured ones, only what hangs is worth a row.
        return replace(server, problem=error.message if server.is_configured else "")
    server = replace(
        server, kind=found.kind, title=found.title, is_loading=found.is_loading, problem=""
    )
    if found.is_loading:
        return server
    return await _list(server, found, api_key, patience_s)


async def _list(
    server: FoundServer, found: "Identified", api_key: str, patience_s: float
) -> FoundServer:
    from sirdab.endpoint.connect import connect

    endpoint = connect(found, api_key=api_key, timeout_ms=int(patience_s * 1000))
    try:
        async with asyncio.timeout(patience_s):
            models = await endpoint.models()
            on_gpu: dict[str, float] = {}
            if found.kind == OLLAMA:
                models, on_gpu = await _of_ollama(found, models, api_key)
    except TimeoutError:
        return _hanging(server, patience_s)
    except EndpointError as error:
        return replace(server, problem=error.message)
    finally:
        await endpoint.aclose()
    return replace(server, models=models, on_gpu=on_gpu)


async def _of_ollama(
    found: "Identified", models: tuple[ServedModel, ...], api_key: str
) -> tuple[tuple[ServedModel, ...], dict[str, float]]:
    """Return the models with their licences, and the share of each that is on a GPU."""
    from sirdab.endpoint.ollama_store import list_models, running_models

    stored, running = await asyncio.gather(
        list_models(found.address, api_key=api_key), running_models(found.address, api_key=api_key)
    )
    licences = {one.name: one.licence for one in stored}
    known = tuple(
        replace(model, licence=model.licence or licences.get(model.name, "")) for model in models
    )
    on_gpu = {one.name: one.vram_bytes / one.size_bytes for one in running if one.size_bytes}
    return known, on_gpu


def _hanging(server: FoundServer, patience_s: float) -> FoundServer:
    problem = (
        f"{server.url} accepts connections and did not answer within {patience_s:.0f} s; "
        "restart what listens there."
    )
    return replace(server, problem=problem, hangs=True)


def api_key_of(settings: "Settings") -> str:
    """Return the key that the settings name; "" when there is none, whatever the reason."""
    return os.environ.get(settings.endpoint.api_key_env, "")
