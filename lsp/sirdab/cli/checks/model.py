"""The model in use: which one and why, whether it fills in the middle, and what computes it."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sirdab.cli import runtime
from sirdab.cli.checks import round_trip
from sirdab.cli.checks.report import Check, Findings, failed, ok, warning
from sirdab.cli.checks.round_trip import RoundTrip
from sirdab.cli.servers import EMBEDDED, OLLAMA, FoundServer
from sirdab.endpoint.base import EndpointError, ModelInfo, ProblemKind, ServedModel
from sirdab.endpoint.selection.pinned import refusal
from sirdab.models import pins, store
from sirdab.models.choose import is_named
from sirdab.models.errors import ModelError

if TYPE_CHECKING:
    from sirdab.config.schema import Settings
    from sirdab.models.hardware import Hardware

_SLOW_WORK = 6e11
"""Parameters times prompt tokens a second that any graphics processor with room for a model is far
above: reading a token takes two operations for each weight (Kaplan et al., "Scaling Laws for Neural
Language Models", 2.1), so this is 1.2 TFLOPS. Two cores reach 0.3; a card of 2016 reaches 5."""

_BYTES_PER_PARAMETER = 0.6
_ENOUGH_TOKENS = 16
_WHOLE = 0.99


@dataclass(slots=True)
class _Seen:
    """What is known so far; kept outside, so that running out of time loses none of it."""

    checks: list[Check] = field(default_factory=list[Check])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    stage: str = "looking for a model server"
    loading: Callable[[], str] = lambda: ""


async def look(
    settings: "Settings",
    servers: Sequence[FoundServer],
    hardware: "Hardware",
    limit_s: float,
) -> Findings:
    """Return what the model in use is and does; never raises and never takes longer than asked.

    Args:
        settings: The settings in force.
        servers: What was found on this machine.
        hardware: What this machine has.
        limit_s: Seconds after which the rest is left out.
    """
    seen = _Seen(facts={"model": None, "round_trip": None, "gpu_unused": False})
    seen.checks += await asyncio.to_thread(_not_pinned, servers)
    try:
        async with asyncio.timeout(limit_s):
            await _look(settings, servers, hardware, seen)
    except TimeoutError:
        seen.checks.append(_out_of_time(seen, limit_s))
    except EndpointError as error:
        row = warning if error.kind is ProblemKind.LOADING else failed
        seen.checks.append(row("Endpoint", error.message))
    return Findings(tuple(seen.checks), seen.facts)


def _out_of_time(seen: _Seen, limit_s: float) -> Check:
    loading = seen.loading()
    if loading:
        # A model that is being read from the disk works in a moment.
        return warning("Endpoint", f"{loading} Run the doctor again then.")
    return failed(
        "Completion",
        f"nothing came within {limit_s:.0f} s while {seen.stage}; run the doctor again, and choose "
        "a smaller model if it stays so.",
    )


async def _look(
    settings: "Settings", servers: Sequence[FoundServer], hardware: "Hardware", seen: _Seen
) -> None:
    running = await asyncio.to_thread(_embedded_urls)

    def say(message: str) -> None:
        seen.stage = message[:1].lower() + message[1:].rstrip(".")

    async with runtime.engine(_without_hanging(settings, servers), say) as (engine, manager):

        def loading() -> str:
            state = manager.state
            is_loading = state is not None and state.kind is ProblemKind.LOADING
            return state.message if state is not None and is_loading else ""

        seen.loading = loading
        endpoint = await manager.acquire()
        seen.stage = "asking what the server serves"
        info = await endpoint.describe()
        is_embedded = info.url in await asyncio.to_thread(_embedded_urls)
        was_warm = info.url in running if is_embedded else None
        server, served = _served(info, servers)
        if served is not None:
            was_warm = served.is_loaded
        state = manager.state
        seen.checks.append(ok("Endpoint", _endpoint_detail(info, is_embedded, state)))
        seen.facts["model"] = _facts(info, is_embedded=is_embedded, was_warm=was_warm)
        seen.checks.append(_model_check(info, was_warm))
        seen.checks += _choice(settings, is_embedded=is_embedded)
        seen.checks += _pin(info, server, served, is_embedded=is_embedded)
        seen.stage = "waiting for the model to fill the test gap"
        trip = await round_trip.ask(engine, settings)
        seen.facts["round_trip"] = trip.facts()
        seen.checks += [_prompt_check(info, trip.layout), round_trip.check(trip)]
        on_gpu = server.on_gpu if server else {}
        note = processor_note(
            hardware,
            info,
            parameters=_parameters(info, served),
            is_embedded=is_embedded,
            on_gpu=next(
                (share for name, share in on_gpu.items() if is_named(name, info.name)), None
            ),
            trip=trip,
        )
        seen.facts["gpu_unused"] = note is not None
        if note is not None:
            seen.checks.append(note)


def _without_hanging(settings: "Settings", servers: Sequence[FoundServer]) -> "Settings":
    """Leave out servers that were just seen to hang, where others are to be used in their place.

    The time of the doctor is short, and waiting for them a second time would take most of it.
    """
    hanging = {server.written for server in servers if server.hangs and server.is_configured}
    others = tuple(url for url in settings.endpoint.urls if url not in hanging)
    if not others or len(others) == len(settings.endpoint.urls):
        return settings
    return replace(settings, endpoint=replace(settings.endpoint, url=others))


def processor_note(
    hardware: "Hardware",
    info: ModelInfo,
    *,
    parameters: float,
    is_embedded: bool,
    on_gpu: float | None,
    trip: RoundTrip,
) -> Check | None:
    """Return the row that calls out a graphics processor that does not compute; None otherwise.

    Args:
        hardware: What this machine has.
        info: The model in use.
        parameters: How many it has; 0 when not known.
        is_embedded: Whether our own server serves it, which computes on the processor alone.
        on_gpu: Share of the model on a graphics processor, as the server says; None if it does not.
        trip: How fast it was.
    """
    gpu = hardware.gpu
    if gpu is None or not _is_here(info.url):
        return None
    if is_embedded:
        return warning(
            "GPU use",
            f"{gpu.name} is idle: the embedded engine computes on the processor. Start Ollama, or "
            "llama-server of a build for this GPU; Sirdab finds it by itself.",
        )
    if on_gpu is not None:
        if on_gpu <= 0:
            return warning(
                "GPU use",
                f"{gpu.name} is idle: Ollama runs {info.name} on the processor. See its log for "
                "why it does not use the GPU: mostly the driver, or too little free memory.",
            )
        if on_gpu < _WHOLE:
            return warning(
                "GPU use",
                f"only {on_gpu:.0%} of {info.name} is on {gpu.name}, the rest on the processor; a "
                "smaller model or quantisation, or a shorter context, would fit as a whole.",
            )
        return None
    cold = trip.cold
    if cold is None or cold.read_per_second is None or cold.evaluated_tokens < _ENOUGH_TOKENS:
        return None
    if not parameters or cold.read_per_second * parameters >= _SLOW_WORK:
        return None
    how = (
        "start it with --n-gpu-layers 99, from a build for this GPU"
        if info.server == "llamacpp"
        else "see its log for why"
    )
    return warning(
        "GPU use",
        f"{gpu.name} seems idle: {info.name} reads only {cold.read_per_second:,.0f} tokens/s, as a "
        f"processor does; if that server should use the GPU, {how}.",
    )


def _endpoint_detail(info: ModelInfo, is_embedded: bool, state: Any) -> str:
    whose = "the embedded server" if is_embedded else info.server
    message = str(getattr(state, "message", "") or "")
    # The second sentence says why it is this one, where there was a choice.
    _, _, reason = message.partition(" is ready. ")
    return f"{info.url} answers ({whose}){f'. {reason}' if reason else ''}"


def _model_check(info: ModelInfo, was_warm: bool | None) -> Check:
    family = info.family
    how = {
        True: "was in memory already",
        False: "was started for this check",
        None: "",
    }[was_warm]
    context = f"{info.context_tokens:,} tokens of context" if info.context_tokens else ""
    parts = [info.name, f"family {family.title}", context, how]
    known = {"user": "you say so", "server": "the server says so", "name": "by its name"}
    source = info.resolution.source if info.resolution else "name"
    if source in known:
        parts[1] += f" ({known[source]})"
    return ok("Model", ", ".join(part for part in parts if part))


def _prompt_check(info: ModelInfo, layout: str) -> Check:
    """Say whether the model fills in the middle, and how it is asked."""
    family = info.family
    asked = f"asked in the layout {layout or family.layouts[0]}"
    problem = info.resolution.problem if info.resolution else ""
    if problem:
        return warning("Prompt", f"{problem} It is {asked}.")
    if family.fim is None and layout != "insert":
        note = family.note or "a model for code that can would complete better."
        return warning("Prompt", f"not trained to fill in the middle, {asked}; {note}")
    return ok("Prompt", f"fills in the middle, {asked}")


def _choice(settings: "Settings", *, is_embedded: bool) -> list[Check]:
    """Say why "auto" means the model that it means, where there was something to choose by."""
    if not is_embedded or settings.endpoint.model != store.AUTO:
        return []
    try:
        reason = store.find(store.AUTO).reason
    except ModelError:
        return []
    return [ok("Choice", reason)] if reason else []


def _not_pinned(servers: Sequence[FoundServer]) -> list[Check]:
    """Tell of the models that are not used because they are others than the pinned ones."""
    refusals = [
        refusal(server.kind, model)
        for server in servers
        if server.kind != EMBEDDED
        for model in server.models
    ]
    return [warning("Pin", message) for message in dict.fromkeys(refusals) if message]


def _pin(
    info: ModelInfo,
    server: FoundServer | None,
    served: ServedModel | None,
    *,
    is_embedded: bool,
) -> list[Check]:
    """Say whether the model in use is the pinned one, if it is pinned."""
    key = info.name
    digest = ""
    if not is_embedded and server is not None and served is not None:
        key, digest = f"{server.kind}:{served.name}", served.digest
    try:
        pin = pins.pin_of(key) or (pins.pin_of(info.path) if info.path else None)
    except ModelError as error:
        return [warning("Pin", error.message)]
    if pin is None:
        return []
    if digest and digest != pin.digest:
        # It has changed since it was chosen; that has been told.
        return []
    return [ok("Pin", f"{pin.model} is pinned to {pins.short(pin.digest)}")]


def _facts(info: ModelInfo, *, is_embedded: bool, was_warm: bool | None) -> dict[str, Any]:
    family = info.family
    return {
        "name": info.name,
        "url": info.url,
        "server": info.server,
        "is_embedded": is_embedded,
        "was_warm": was_warm,
        "context_tokens": info.context_tokens,
        "family": family.id,
        "family_title": family.title,
        "fills_in": family.fim is not None,
        "layouts": list(family.layouts),
        "known_by": info.resolution.source if info.resolution else "name",
        "problem": info.resolution.problem if info.resolution else "",
        "abilities": sorted(ability.value for ability in info.abilities),
    }


def _served(
    info: ModelInfo, servers: Sequence[FoundServer]
) -> tuple[FoundServer | None, ServedModel | None]:
    for server in servers:
        if _place(server.url) == _place(info.url):
            found = (model for model in server.models if is_named(model.name, info.name))
            return server, next(found, None)
    return None, None


def _parameters(info: ModelInfo, served: ServedModel | None) -> float:
    """Return about how many parameters a model has; 0 when nothing tells."""
    if served is not None and served.parameters:
        return served.parameters
    match = re.search(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![a-z0-9])", info.name.lower())
    if match:
        return float(match[1]) * 1e9
    return served.size_bytes / _BYTES_PER_PARAMETER if served is not None else 0


def _embedded_urls() -> set[str]:
    from sirdab.endpoint.managed.server import running

    return {server.url for server in running()}


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _place(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return "127.0.0.1" if host == "localhost" else host, parts.port


def servers_found(servers: Sequence[FoundServer]) -> Findings:
    """Return the rows on the model servers of this machine."""
    checks: list[Check] = []
    for server in servers:
        title = server.title or "a server"
        if server.problem and server.address is None:
            continue  # A forbidden address is told of by the row on the policy.
        if server.problem:
            # Whether the main job works is said by the row on the endpoint.
            where = "" if server.url in server.problem else f"{title} at {server.url}: "
            checks.append(warning("Server", f"{where}{server.problem}"))
        elif server.is_loading:
            checks.append(ok("Server", f"{title} at {server.url} is loading its model"))
        else:
            fill = sum(model.fills_in for model in server.models)
            names = ", ".join(model.name for model in server.models[:3])
            more = f" and {len(server.models) - 3} more" if len(server.models) > 3 else ""
            count = f"{len(server.models)} model{'' if len(server.models) == 1 else 's'}"
            has = f"{count}, {fill} of them fill in the middle: {names}{more}"
            checks.append(
                ok("Server", f"{title} at {server.url}, {has if server.models else 'no model'}")
            )
    if not checks:
        checks.append(ok("Server", "none but the embedded one was found on the usual ports"))
    facts = [
        {
            "url": server.url,
            "kind": server.kind,
            "title": server.title,
            "is_configured": server.is_configured,
            "is_loading": server.is_loading,
            "problem": server.problem,
            "models": [_facts_of(model) for model in server.models],
            "on_gpu": dict(server.on_gpu) if server.kind == OLLAMA else {},
        }
        for server in servers
    ]
    return Findings(tuple(checks), {"servers": facts})


def _facts_of(model: ServedModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "size_bytes": model.size_bytes,
        "parameters": model.parameters,
        "quantisation": model.quantisation,
        "digest": model.digest,
        "is_loaded": model.is_loaded,
        "context_tokens": model.context_tokens,
        "family": model.family.id,
        "fills_in": model.fills_in,
        "licence": model.licence,
    }
