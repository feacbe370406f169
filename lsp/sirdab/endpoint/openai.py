"""Servers that speak OpenAI's protocol: `/v1/completions`, `/v1/chat/completions`, `/v1/models`.

In what they differ is data (`profiles.toml`); what is sent is written by `openai_body`, what comes
is read by `openai_reader`.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

from sirdab.endpoint.answer import Call, Generation, well_formed
from sirdab.endpoint.base import (
    Ability,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    ProblemKind,
    ServedModel,
    Usage,
)
from sirdab.endpoint.connection import Connection
from sirdab.endpoint.openai_body import write_body
from sirdab.endpoint.openai_reader import OpenAiReader
from sirdab.endpoint.profiles import Profile
from sirdab.endpoint.reckoning import Reckoner
from sirdab.endpoint.untrusted import mapping, objects, text
from sirdab.models.catalog import Family, family_of
from sirdab.models.choose import named_parameters
from sirdab.models.resolve import Evidence, resolve
from sirdab.models.sentinels import to_probe
from sirdab.policy.loopback import EndpointAddress

_PLAIN_LIST = "/v1/models"
_MOST_CONTEXT = 100_000_000
_MOST_MODELS = 1_000
_NAMES_SHOWN = 5


def root_of(address: EndpointAddress, profile: Profile) -> EndpointAddress:
    """Return the address without what users copy from a server's documentation.

    `http://127.0.0.1:8000/v1` means the same server as `http://127.0.0.1:8000`; what stands before
    that end is kept, for servers behind a reverse proxy.

    Args:
        address: What the user wrote, checked.
        profile: Whose `bases` are cut off.
    """
    for base in profile.bases:
        if address.path.endswith(base):
            return replace(address, path=address.path.removesuffix(base))
    return address


@dataclass(frozen=True, slots=True)
class _Listed:
    """An entry of a server's list of models."""

    id: str
    file: str = ""
    architecture: str = ""
    quantisation: str = ""
    is_loaded: bool | None = None
    context_tokens: int = 0


class OpenAiEndpoint:
    """A server that speaks OpenAI's protocol; implements `sirdab.endpoint.base.ServerEndpoint`.

    Args:
        address: Where it is; with or without `/v1` and the like at its end.
        profile: What kind it is.
        api_key: Its key; "" when it has none.
        timeout_ms: Longest time one request may take, in milliseconds; a request's own deadlines
            are cut to it unless it is patient.
        model: What the server calls the model to use; "" leaves the choice to what is loaded.
    """

    def __init__(
        self,
        address: EndpointAddress,
        profile: Profile,
        *,
        api_key: str = "",
        timeout_ms: int = 10_000,
        model: str = "",
    ) -> None:
        self.address = address
        self.url = address.url
        self.profile = profile
        self._connection = Connection(
            root_of(address, profile), api_key=api_key, timeout_ms=timeout_ms
        )
        self._model = model
        self._served = model
        self._info: ModelInfo | None = None
        self._counts = profile.tokenizer is not None
        self._reckoner = Reckoner()

    async def describe(self) -> ModelInfo:
        """Return what is served, asking the server once and remembering the answer.

        Raises:
            EndpointError: The server cannot be used, or has no such model.
        """
        if self._info is None:
            self._info = await self._describe()
        return self._info

    async def refresh(self) -> ModelInfo:
        """Check that the server is usable and ask anew what it serves.

        Raises:
            EndpointError: The server cannot be used, or has no such model.
        """
        self._info = await self._describe()
        return self._info

    def generate(self, request: GenerationRequest) -> Generation:
        """Stream an answer; leaving the context closes the connection, which stops the server.

        Raises:
            EndpointError: On entering or while iterating.
        """

        def call() -> Call:
            ends = () if request.messages else self._ends()
            body = write_body(self.profile, request, self._served, self.url, ends=ends)

            def learn(usage: Usage) -> None:
                if not body.is_chat:
                    self._reckoner.learn(request.prompt, usage.prompt_tokens)

            return Call(
                body.path,
                body.data,
                lambda: OpenAiReader(
                    self.url,
                    stops=(*(well_formed(stop) for stop in request.stop), *ends),
                    is_silent=request.max_tokens <= 0,
                    most_tokens=0 if self.profile.tells_length else request.max_tokens,
                    on_usage=learn,
                ),
            )

        connection = self._connection
        return Generation(connection.client, self.url, request, call, connection.timeout_ms)

    def _ends(self) -> tuple[str, ...]:
        """Return the control tokens of the model, those first that mostly end what it writes.

        A server may hand them on as text, which they are not (`skip_special_tokens`).
        """
        if self._info is None:
            return ()
        family = self._info.family
        return tuple(dict.fromkeys((*family.stop, *family.sentinels)))

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has for this model, control tokens counted as one.

        Where the server does not count (`Ability.TOKENIZE`), this is reckoned from its characters
        and from what earlier prompts were told to have.

        Raises:
            EndpointError: The server cannot be used.
        """
        query = self.profile.tokenizer
        if query is None or not self._counts:
            return self._reckoner.tokens(text)
        body = {"model": self._served, query.text: well_formed(text), **query.fields}
        count = _field(await self._connection.ask("POST", query.path, body), query.count)
        if isinstance(count, list):
            return len(cast("list[object]", count))
        if type(count) is int and count >= 0:
            return count
        raise self._garbled(query.path)

    async def models(self) -> tuple[ServedModel, ...]:
        """Return all that the server could be asked for, what it serves now included.

        Raises:
            EndpointError: The server cannot be used.
        """
        listed = await self._list()
        return tuple(self._served_model(entry) for entry in listed)

    async def aclose(self) -> None:
        """Close all connections, for good; a request that comes later is refused."""
        await self._connection.aclose()

    async def _describe(self) -> ModelInfo:
        listed = await self._list()
        chosen = self._choose(listed)
        self._served = chosen.id
        told = await self._tell()
        context = chosen.context_tokens
        names = [chosen.id, chosen.file]
        if self.profile.info is not None:
            # Of one that serves a single model: what it is served with counts more than what the
            # list says, which may be what it was trained with.
            context = _context(_field(told, self.profile.info.context)) or context
            names.append(text(_field(told, self.profile.info.name)))
        names = [name for name in dict.fromkeys(names) if name]
        single = await self._probe(family_of(*names))
        resolution = resolve(
            Evidence(names=tuple(names), architecture=chosen.architecture, single_tokens=single)
        )
        abilities = self.profile.abilities
        if not self._counts:
            abilities -= {Ability.TOKENIZE}
        return ModelInfo(
            name=_shown(chosen.id),
            path="",
            context_tokens=context,
            url=self.url,
            server=self.profile.id,
            abilities=abilities,
            resolution=resolution,
        )

    async def _tell(self) -> dict[str, Any]:
        """Return what the server tells about its one model; {} when it does not."""
        if self.profile.info is None:
            return {}
        try:
            return await self._connection.ask("GET", self.profile.info.path)
        except EndpointError as error:
            if error.kind is ProblemKind.PROTOCOL:
                return {}
            raise

    async def _probe(self, family: Family) -> Mapping[str, bool]:
        """Ask the tokenizer about the sentinels of the family that the name speaks for."""
        query = self.profile.tokenizer
        self._counts = query is not None
        if query is None:
            return {}
        tokens = to_probe(family)
        try:
            # One more than the sentinels, so that a server without the endpoint is found out.
            counts = await asyncio.gather(*(self.count_tokens(token) for token in ("a", *tokens)))
        except EndpointError as error:
            if error.kind not in {ProblemKind.PROTOCOL, ProblemKind.REFUSED}:
                raise
            self._counts = False
            return {}
        return {token: count == 1 for token, count in zip(tokens, counts[1:], strict=True)}

    async def _list(self) -> list[_Listed]:
        query = self.profile.models
        try:
            answer = await self._connection.ask("GET", query.path)
        except EndpointError as error:
            if error.kind is not ProblemKind.PROTOCOL or query.path == _PLAIN_LIST:
                raise
            # Its own list is newer, or older, than the server; OpenAI's is always there.
            answer = await self._connection.ask("GET", _PLAIN_LIST)
        if not isinstance(answer.get("data"), list):
            raise self._garbled(query.path)
        return [
            self._entry(entry)
            for entry in islice(objects(answer["data"]), _MOST_MODELS)
            if text(entry.get("id"))
            # An entry without a kind is of a server that does not tell kinds.
            and (not query.kind or entry.get(query.kind) in {None, *query.kinds})
        ]

    def _entry(self, entry: dict[str, object]) -> _Listed:
        query = self.profile.models
        state = entry.get(query.state) if query.state else None
        is_loaded = state == query.loaded if isinstance(state, str) else None
        return _Listed(
            id=text(entry.get("id")),
            file=text(entry.get(query.file)),
            architecture=text(entry.get(query.architecture)),
            quantisation=text(entry.get(query.quantisation)),
            is_loaded=True if query.all_loaded else is_loaded,
            context_tokens=next(
                (size for name in query.context if (size := _context(entry.get(name)))), 0
            ),
        )

    def _served_model(self, entry: _Listed) -> ServedModel:
        family = family_of(entry.id, entry.file)
        return ServedModel(
            entry.id,
            # The name may be anybody's; that of the weights says more of their size.
            parameters=named_parameters(entry.file) or named_parameters(entry.id),
            quantisation=entry.quantisation,
            is_loaded=entry.is_loaded,
            context_tokens=entry.context_tokens,
            family=family,
            fills_in=self._fills_in(family),
        )

    def _fills_in(self, family: Family) -> bool:
        knows = Ability.RAW in self.profile.abilities and family.fim is not None
        return knows or Ability.INSERT in self.profile.abilities

    def _choose(self, listed: list[_Listed]) -> _Listed:
        if not listed:
            raise EndpointError(
                ProblemKind.NO_MODEL,
                f"{self.profile.title} at {self.url} has no model that writes text; load one "
                "there.",
            )
        if not self._model:
            # What is loaded answers at once, and what knows the text after the cursor is better.
            return max(
                listed,
                key=lambda entry: (
                    entry.is_loaded is True,
                    self._fills_in(family_of(entry.id, entry.file)),
                ),
            )
        wanted = self._model.lower()
        for entry in listed:
            if wanted in {entry.id.lower(), _shown(entry.id).lower(), entry.file.lower()}:
                return entry
        if self.profile.sends_model:
            # The name is not even sent; there is one model.
            return listed[0]
        names = ", ".join(_shown(entry.id) for entry in listed[:_NAMES_SHOWN])
        more = ", ..." if len(listed) > _NAMES_SHOWN else ""
        raise EndpointError(
            ProblemKind.NO_MODEL,
            f"{self.url} has no model named {_shown(self._model)}; set endpoint.model to one of: "
            f"{names}{more}.",
        )

    def _garbled(self, path: str) -> EndpointError:
        return EndpointError(
            ProblemKind.PROTOCOL,
            f"The answer of {self.url} to {path} is not that of {self.profile.title}; check "
            "endpoint.url and endpoint.kind.",
        )


def _field(answer: dict[str, object], path: str) -> object:
    """Return what a dotted field holds; None when it is not there."""
    value: object = answer
    for name in path.split("."):
        value = mapping(value).get(name)
    return value


def _context(value: object) -> int:
    return value if type(value) is int and 0 < value < _MOST_CONTEXT else 0


def _shown(name: str) -> str:
    """Return the part of a model's name that names it to a person: some are paths."""
    last = re.split(r"[\\/]", name.rstrip("\\/"))[-1].removesuffix(".gguf")
    return "".join(char if char.isprintable() else "?" for char in last)[:80]
