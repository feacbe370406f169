"""A llama.cpp server: what it serves, how it may be asked, and which of its slots are busy.

Source of the formats: llama.cpp, tools/server/README.md ("GET /props", "POST /tokenize", "GET
/slots", "POST /infill", "Using multiple models"), and what a llama.cpp server of 2026-10 was
seen to send (`tests/e2e/test_llamacpp_contract.py` holds us to it).
"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple, cast
from urllib.parse import quote

from sirdab.endpoint.answer import well_formed
from sirdab.endpoint.base import (
    LLAMACPP_ABILITIES,
    Ability,
    EndpointError,
    GenerationRequest,
    Message,
    ModelInfo,
    ProblemKind,
    ServedModel,
)
from sirdab.endpoint.connection import Connection
from sirdab.endpoint.llamacpp_generate import LlamaCppAnswer, apply_template
from sirdab.endpoint.untrusted import count, mapping, objects, text
from sirdab.models.catalog import family_of
from sirdab.models.errors import ModelError
from sirdab.models.gguf import read_header
from sirdab.models.resolve import Evidence, Resolution, resolve
from sirdab.models.sentinels import to_probe, to_probe_unnamed
from sirdab.policy.loopback import EndpointAddress

# What `status.value` of a router's model may be, beside "unloaded".
_READY = frozenset({"loaded", "sleeping"})
_ON_ITS_WAY = frozenset({"loading", "downloading"})


class Slots(NamedTuple):
    """How many requests a server works on.

    Attributes:
        busy: How many now.
        total: How many it could.
    """

    busy: int
    total: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found out about one model by asking, which does not change while it is served."""

    model: tuple[str, str, str]
    resolution: Resolution
    inserts: bool


@dataclass(frozen=True, slots=True)
class _Routed:
    """One model of a router."""

    name: str
    path: str
    state: str
    failed: bool


class LlamaCppEndpoint:
    """A llama.cpp server at one address; a `sirdab.endpoint.base.ServerEndpoint`.

    Args:
        address: Where it is.
        api_key: Its key; "" when it has none.
        timeout_ms: Longest time one request may take, in milliseconds; a request's own deadlines
            are cut to it unless it is patient.
        model: Of a server for several models (a router) its name for the one to use; "" means the
            one that is loaded. A server for one model is not asked by name.
    """

    def __init__(
        self,
        address: EndpointAddress,
        *,
        api_key: str = "",
        timeout_ms: int = 10_000,
        model: str = "",
    ) -> None:
        self.address = address
        self.url = address.url
        self._wanted = model
        self._connection = Connection(address, api_key=api_key, timeout_ms=timeout_ms)
        self._info: ModelInfo | None = None
        self._known: _Known | None = None
        self._slot = -1
        # The name that a router knows the model by; "" when the server is none.
        self._routed = ""
        self._writes_conversations = True

    async def check_health(self) -> None:
        """Return when the server is up and its model is loaded.

        Raises:
            EndpointError: It is down, or loading (HTTP 503).
        """
        await self._connection.ask("GET", "/health")

    async def describe(self) -> ModelInfo:
        """Return what is served, asking the server once and remembering the answer.

        Raises:
            EndpointError: The server cannot be used, or is not llama.cpp. A router that is
                only now told to load the model counts as loading.
        """
        if self._info is None:
            self._info = await self._describe()
        return self._info

    async def refresh(self) -> ModelInfo:
        """Check that the server is usable and ask anew what it serves.

        Raises:
            EndpointError: As `describe`.
        """
        await self.check_health()
        self._writes_conversations = True
        self._info = await self._describe()
        return self._info

    def generate(self, request: GenerationRequest) -> LlamaCppAnswer:
        """Stream an answer; leaving the context closes the connection, which stops the server.

        Raises:
            EndpointError: On entering or while iterating.
        """
        fields = self._with_model({"id_slot": self._slot})
        return LlamaCppAnswer(request, self._connection, self._write, fields)

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has for this model, control tokens counted as one.

        Raises:
            EndpointError: The server cannot be used.
        """
        body = {"content": well_formed(text), "add_special": False, "parse_special": True}
        tokens = (await self._post("/tokenize", body)).get("tokens")
        if not isinstance(tokens, list):
            raise self._not_llamacpp()
        return len(cast("list[object]", tokens))

    async def models(self) -> tuple[ServedModel, ...]:
        """Return the one model that is served, or all of a router's.

        Raises:
            EndpointError: The server cannot be used.
        """
        props = await self._connection.ask("GET", "/props")
        if props.get("role") == "router":
            routed = await self._router_models()
            return tuple(
                _served(one.name, one.path, is_loaded=one.state in _READY) for one in routed
            )
        self._check(props)
        name, path = await self._name(props), text(props.get("model_path"))
        served = _served(name, path, is_loaded=True)
        meta = mapping((await self._first_model()).get("meta"))
        served = replace(
            served,
            context_tokens=_context_of(props),
            size_bytes=count(meta.get("size")),
            parameters=count(meta.get("n_params")),
            quantisation=text(props.get("model_ftype")),
        )
        info = self._info
        if info is not None and (info.name, info.path) == (name, path):
            # More is known than the name.
            fills_in = info.family.fim is not None or Ability.INSERT in info.abilities
            served = replace(served, family=info.family, fills_in=fills_in)
        return (served,)

    async def slots(self) -> Slots | None:
        """Return how busy the server is; None when it does not tell (`--no-slots`).

        Raises:
            EndpointError: The server is down or refuses the key.
        """
        path = f"/slots{self._query()}"
        try:
            slots = await self._connection.ask_list("GET", path)
        except EndpointError as error:
            if error.kind is ProblemKind.PROTOCOL:
                return None
            raise
        found = list(objects(slots))
        return Slots(sum(slot.get("is_processing") is True for slot in found), len(found))

    async def aclose(self) -> None:
        """Close all connections, for good: a request that comes later is refused."""
        await self._connection.aclose()

    def _with_model(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "model": self._routed} if self._routed else body

    def _query(self) -> str:
        # A router would load a model that it has not in memory, and answer only then.
        return f"?model={quote(self._routed, safe='')}&autoload=false" if self._routed else ""

    async def _get(self, path: str) -> dict[str, Any]:
        return await self._connection.ask("GET", path + self._query())

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._connection.ask("POST", path, self._with_model(body))

    async def _write(self, messages: tuple[Message, ...]) -> str | None:
        """Write a conversation as a prompt; None when the server has to be asked otherwise."""
        if not self._writes_conversations:
            return None
        try:
            return await apply_template(lambda body: self._post("/apply-template", body), messages)
        except EndpointError as error:
            if error.kind not in {ProblemKind.PROTOCOL, ProblemKind.REFUSED}:
                raise
            # A server without it, or a template that fails: what `/v1/chat/completions` says
            # then is the better answer, and `refresh` tries again.
            self._writes_conversations = False
            return None

    async def _describe(self) -> ModelInfo:
        props = await self._connection.ask("GET", "/props")
        if props.get("role") == "router":
            self._routed = await self._choose_routed()
            props = await self._get("/props")
        else:
            self._routed = ""
        slots = self._check(props)
        # With one slot there is no choice, and a pinned slot is one that keeps our prompt.
        self._slot = 0 if slots == 1 else -1
        name, path = self._routed, text(props.get("model_path"))
        if not name:
            name = await self._name(props)
        known = await self._find_out(name, path, text(props.get("chat_template")))
        abilities = set(LLAMACPP_ABILITIES)
        if known.inserts:
            abilities.add(Ability.INSERT)
        if props.get("chat_template") == "":
            # A base model, for which the server would write a conversation in some format.
            abilities -= {Ability.CHAT, Ability.GOES_ON}
        return ModelInfo(
            name=name,
            path=path,
            context_tokens=_context_of(props),
            url=self.url,
            abilities=frozenset(abilities),
            resolution=known.resolution,
        )

    def _check(self, props: dict[str, Any]) -> int:
        """Return the number of slots of a llama.cpp server; raise for any other server."""
        slots = props.get("total_slots")
        settings = props.get("default_generation_settings")
        if not isinstance(settings, dict) or type(slots) is not int:
            raise self._not_llamacpp()
        return slots

    async def _name(self, props: dict[str, Any]) -> str:
        name = text(props.get("model_alias")) or text(props.get("model_path"))
        return _model_name(name or text((await self._first_model()).get("id")))

    async def _find_out(self, name: str, path: str, template: str) -> _Known:
        """Probe the model's control tokens, once for each model."""
        model = (name, path, template)
        if self._known is not None and self._known.model == model:
            return self._known
        names = tuple(dict.fromkeys(one for one in (name, path) if one))
        evidence = Evidence(names=names, template=template)
        seeming = resolve(evidence)
        single = await self._probe(to_probe(seeming.family))
        if seeming.source == "nothing" or not all(single.values()):
            # Nothing is known by the name, or it is wrong.
            others = tuple(token for token in to_probe_unnamed() if token not in single)
            single |= await self._probe(others)
            if any(single.values()):
                # Sentinels alone do not tell families apart that share them.
                evidence = replace(evidence, architecture=await self._architecture(path))
        resolution = resolve(replace(evidence, single_tokens=single))
        inserts = resolution.family.fim is None and await self._inserts()
        self._known = _Known(model, resolution, inserts)
        return self._known

    async def _probe(self, tokens: tuple[str, ...]) -> dict[str, bool]:
        """Ask the tokenizer whether each text is one token."""
        counts = await asyncio.gather(*(self.count_tokens(token) for token in tokens))
        return {token: found == 1 for token, found in zip(tokens, counts, strict=True)}

    async def _architecture(self, path: str) -> str:
        """Return `general.architecture` of the model's file, "" when it cannot be read here."""
        if not self.address.is_loopback or not path:
            return ""
        try:
            # About a quarter of a second, because the vocabulary stands in between.
            return (await asyncio.to_thread(read_header, Path(path))).architecture
        except (ModelError, OSError, ValueError):
            return ""

    async def _inserts(self) -> bool:
        """Return whether the model has the tokens that `/infill` needs.

        The server looks for them before it looks at what is asked, so an empty question is
        refused by it (HTTP 400) or by the model (HTTP 501), and nothing is read.
        """
        try:
            await self._post("/infill", {})
        except EndpointError as error:
            return error.kind is ProblemKind.REFUSED
        return False

    async def _first_model(self) -> dict[str, object]:
        models = (await self._get("/v1/models")).get("data")
        for first in objects(models):
            return first
        return {}

    async def _router_models(self) -> tuple[_Routed, ...]:
        answer = await self._connection.ask("GET", "/models")
        return tuple(
            _Routed(
                name,
                text(entry.get("path")),
                text(status.get("value")),
                failed=status.get("failed") is True,
            )
            for entry in objects(answer.get("data"))
            if (name := text(entry.get("id")))
            for status in (mapping(entry.get("status")),)
        )

    async def _choose_routed(self) -> str:
        """Return the model of a router that is to be used, having it loaded.

        Raises:
            EndpointError: It is being loaded, could not be loaded, or there is none.
        """
        models = await self._router_models()
        if self._wanted:
            model = next((one for one in models if one.name == self._wanted), None)
        else:
            model = next((one for one in models if one.state in _READY | _ON_ITS_WAY), None)
        if model is None:
            missing = f"has no model {self._wanted}" if self._wanted else "has loaded none of them"
            raise EndpointError(
                ProblemKind.NO_MODEL,
                f"{self.url} is a llama.cpp server for several models and {missing}; set "
                "endpoint.model to one that it lists under /models.",
            )
        if model.state in _READY:
            return model.name
        if model.failed:
            raise EndpointError(
                ProblemKind.REFUSED,
                f"llama.cpp at {self.url} could not load {model.name}; its own log says why.",
            )
        if model.state not in _ON_ITS_WAY:
            await self._connection.ask("POST", "/models/load", {"model": model.name})
        raise EndpointError(
            ProblemKind.LOADING,
            f"{self.url} is still loading {model.name}; suggestions begin when it is ready.",
        )

    def _not_llamacpp(self) -> EndpointError:
        return EndpointError(
            ProblemKind.PROTOCOL,
            f"{self.url} answers but is not a llama.cpp server; correct endpoint.url or "
            "endpoint.kind, or start llama-server there.",
        )


def _served(name: str, path: str, *, is_loaded: bool) -> ServedModel:
    family = family_of(name, path)
    return ServedModel(name, is_loaded=is_loaded, family=family, fills_in=family.fim is not None)


def _context_of(props: dict[str, Any]) -> int:
    return count(mapping(props.get("default_generation_settings")).get("n_ctx"))


def _model_name(name: str) -> str:
    """Return the part of a name that names the model: llama.cpp's alias is a path by default."""
    if not name.lower().endswith(".gguf"):
        return name
    windows = "\\" in name and "/" not in name
    return (PureWindowsPath(name) if windows else PurePosixPath(name)).stem
