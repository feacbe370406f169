"""An Ollama server: what its models are, and the one of them that is asked.

Sources of the formats: see `sirdab.endpoint.ollama_formats` and `sirdab.endpoint.ollama_generate`.

- Another `num_ctx` than the one a model was loaded with makes Ollama load it anew, so every
  request carries the same one (`context_for`), and a model that is in memory is left as it is.
- Servers before 0.33 do not say which of a prompt's tokens they had to read anew, so they have
  not `Ability.USAGE`; and reading ahead goes by that, so they have not `Ability.FREE_WARM_UP`.
- A client that hangs up while a model is being loaded stops the loading, so a model is loaded by
  a request of its own, which no deadline of a suggestion can break off.
"""

import asyncio
from dataclasses import replace
from typing import Any

from sirdab.endpoint.base import (
    Ability,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    ProblemKind,
    ServedModel,
)
from sirdab.endpoint.connection import Connection
from sirdab.endpoint.ollama_formats import (
    Listed,
    Running,
    Shown,
    Version,
    is_at_least,
    is_same,
    listed_of,
    running_of,
    shown_of,
    version_of,
)
from sirdab.endpoint.ollama_generate import (
    KEEP_ALIVE,
    OllamaAnswer,
    OllamaModel,
    raise_problem,
    refuse_remote,
)
from sirdab.endpoint.reckoning import Reckoner
from sirdab.endpoint.untrusted import count
from sirdab.models.catalog import Family, family_of
from sirdab.models.resolve import Evidence, resolve
from sirdab.models.sentinels import in_vocabulary, to_probe, to_probe_unnamed
from sirdab.policy.loopback import EndpointAddress

MOST_CONTEXT_TOKENS = 8192
"""Context that a model is loaded with unless it is loaded already or its Modelfile sets another."""

LEAST_CONTEXT_TOKENS = 4096
"""A model that is loaded with less is loaded anew: Ollama's default where there is no GPU."""

_STRUCTURED_OUTPUTS: Version = (0, 5)
_CACHED_COUNT: Version = (0, 33)
# How long `refresh` waits for a model that is being loaded before it says so.
_PATIENCE_SECONDS = 1.0
# A large model from a slow disk.
_LONGEST_LOADING_SECONDS = 600.0
# More is what an old server sends: it counts only the tokens that were not cached.
_MOST_CHARACTERS_PER_TOKEN = 8


class OllamaEndpoint:
    """An Ollama server and one of its models; a `sirdab.endpoint.base.ServerEndpoint`.

    Args:
        address: Where the server is.
        api_key: Its key, for a proxy before it; "" when it has none.
        timeout_ms: Longest time one request may take, in milliseconds; a request's own deadlines
            are cut to it unless it is patient.
        model: Its name for the model to use; "" means the one that is in memory.
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
        self._model: OllamaModel | None = None
        self._loading: asyncio.Task[None] | None = None
        self._vocabularies: dict[object, dict[str, bool]] = {}
        self._reckoner = Reckoner()

    async def describe(self) -> ModelInfo:
        """Return what is served, asking the server once and remembering the answer.

        The model need not be in memory for that, and is not loaded.

        Raises:
            EndpointError: The server cannot be used, or has no such model.
        """
        return (await self._known_model()).info

    async def refresh(self) -> ModelInfo:
        """Check that the model is usable, ask anew what it is, and load it if it was evicted.

        Raises:
            EndpointError: The server cannot be used, has no such model, or is still loading it
                (`ProblemKind.LOADING`): loading goes on, so that a later call finds it done.
        """
        model, running = await self._look()
        self._model = model
        if not _is_loaded(running, model):
            await self._load(model)
        return model.info

    def generate(self, request: GenerationRequest) -> "OllamaAnswer":
        """Stream an answer; leaving the context closes the connection, which stops the server.

        Raises:
            EndpointError: On entering or while iterating.
        """
        return OllamaAnswer(self._known_model, request, self._connection, self._learn)

    async def count_tokens(self, text: str) -> int:
        """Return about how many tokens a text has; Ollama has no tokenizer to ask.

        It is reckoned with the characters that a token of earlier prompts had.
        """
        return self._reckoner.tokens(text)

    async def models(self) -> tuple[ServedModel, ...]:
        """Return the models of this machine that can write, those in memory first.

        Raises:
            EndpointError: The server cannot be used.
        """
        tags, running = await asyncio.gather(
            self._connection.ask("GET", "/api/tags"), self._running()
        )
        if not isinstance(tags.get("models"), list):
            raise self._not_ollama()
        found = [_served(one, running) for one in listed_of(tags) if one.writes_text]
        return tuple(sorted(found, key=lambda model: not model.is_loaded))

    async def aclose(self) -> None:
        """Close all connections, for good: a request that comes later is refused."""
        loading, self._loading = self._loading, None
        if loading is not None:
            loading.cancel()
        await self._connection.aclose()

    async def _known_model(self) -> OllamaModel:
        if self._model is None:
            self._model, _ = await self._look()
        return self._model

    async def _look(self) -> tuple[OllamaModel, tuple[Running, ...]]:
        answer, running = await asyncio.gather(
            self._connection.ask("GET", "/api/version"), self._running()
        )
        version = version_of(answer)
        if version is None:
            raise self._not_ollama()
        name = self._wanted or _in_memory(running, self.url)
        refuse_remote(name, "", self.url)
        shown = await self._show(name)
        refuse_remote(name, shown.remote_host, self.url)
        if not shown.writes_text:
            raise EndpointError(
                ProblemKind.REFUSED,
                f"{name} at {self.url} cannot write text; set endpoint.model to a model that can.",
            )
        resolution = resolve(await self._evidence(name, shown))
        context = context_for(shown, resolution.family, _loaded_context(running, name))
        info = ModelInfo(
            name=name,
            path="",
            context_tokens=context,
            url=self.url,
            server="ollama",
            abilities=_abilities(shown, version),
            resolution=resolution,
        )
        return OllamaModel(name, info, context, _think(shown)), running

    async def _running(self) -> tuple[Running, ...]:
        return running_of(await self._connection.ask("GET", "/api/ps"))

    async def _show(self, name: str, *, verbose: bool = False) -> Shown:
        body = {"model": name, "verbose": True} if verbose else {"model": name}
        try:
            return shown_of(await self._connection.ask("POST", "/api/show", body))
        except EndpointError as error:
            raise_problem(error, name, self.url)

    async def _evidence(self, name: str, shown: Shown) -> Evidence:
        names = tuple(dict.fromkeys(one for one in (name, shown.parent, shown.base_name) if one))
        evidence = Evidence(
            names=names,
            architecture=shown.architecture,
            template=shown.template,
            capabilities=shown.capabilities,
        )
        seeming = resolve(evidence)
        sentinels = to_probe(seeming.family)
        if not sentinels and seeming.source != "nothing":
            # It is known, and known not to fill in.
            return evidence
        if sentinels and all(token in shown.template for token in sentinels):
            # A template that writes the sentinels was made for a model that knows them.
            return evidence
        return replace(evidence, single_tokens=await self._in_vocabulary(name, shown))

    async def _in_vocabulary(self, name: str, shown: Shown) -> dict[str, bool]:
        """Look for sentinels in the list of all tokens, some megabytes, once for each model."""
        key = (name, replace(shown, vocabulary=frozenset()))
        if key not in self._vocabularies:
            try:
                words = (await self._show(name, verbose=True)).vocabulary
            except EndpointError:
                # Too large, too slow, or gone meanwhile, which the next request will tell of.
                words = frozenset[str]()
            found = {token: in_vocabulary(token, words) for token in to_probe_unnamed()}
            self._vocabularies = {key: found if words else {}}
        return self._vocabularies[key]

    async def _load(self, model: OllamaModel) -> None:
        """Load the model, or wait a moment for it to be loaded."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._ask_to_load(model))
            self._loading.add_done_callback(_mark_as_seen)
        loading = self._loading
        done, _ = await asyncio.wait({loading}, timeout=_PATIENCE_SECONDS)
        if not done:
            raise EndpointError(
                ProblemKind.LOADING,
                f"Ollama at {self.url} is loading {model.name}; suggestions begin when it is "
                "ready.",
            )
        self._loading = None
        await loading

    async def _ask_to_load(self, model: OllamaModel) -> None:
        # docs/api.md, "Load a model": a request without a prompt.
        body: dict[str, Any] = {
            "model": model.name,
            "stream": False,
            "keep_alive": KEEP_ALIVE,
            "options": {"num_ctx": model.context_tokens},
        }
        try:
            await self._connection.ask(
                "POST", "/api/generate", body, seconds=_LONGEST_LOADING_SECONDS
            )
        except EndpointError as error:
            raise_problem(error, model.name, self.url)

    def _learn(self, request: GenerationRequest, fields: dict[str, Any]) -> None:
        """Learn from the last line of an answer what the server tells, and how it counts."""
        model = self._model
        if model is None:
            return
        costs = frozenset({Ability.USAGE, Ability.FREE_WARM_UP})
        abilities = model.info.abilities
        tells = "prompt_eval_cached_count" in fields
        abilities = abilities | costs if tells else abilities - costs
        if abilities != model.info.abilities:
            self._model = replace(model, info=replace(model.info, abilities=abilities))
        tokens = count(fields.get("prompt_eval_count"))
        is_whole = len(request.prompt) <= tokens * _MOST_CHARACTERS_PER_TOKEN
        if is_whole and not request.messages and request.suffix is None:
            self._reckoner.learn(request.prompt, tokens)

    def _not_ollama(self) -> EndpointError:
        return EndpointError(
            ProblemKind.PROTOCOL,
            f"{self.url} answers but is not an Ollama server; correct endpoint.url or "
            "endpoint.kind.",
        )


def context_for(shown: Shown, family: Family, loaded_tokens: int) -> int:
    """Choose the one context that all requests of a model carry, in tokens.

    Args:
        shown: What the server tells of the model.
        family: Its family.
        loaded_tokens: The context it is in memory with; 0 when it is not, or nobody tells.
    """
    trained = shown.trained_tokens or family.context_tokens or MOST_CONTEXT_TOKENS
    if loaded_tokens >= LEAST_CONTEXT_TOKENS:
        # Whoever loaded it may still use it, and would load it anew after us, and we after them.
        return loaded_tokens
    if shown.set_tokens >= LEAST_CONTEXT_TOKENS:
        return min(shown.set_tokens, trained)
    return min(trained, MOST_CONTEXT_TOKENS)


def _abilities(shown: Shown, version: Version) -> frozenset[Ability]:
    abilities = {Ability.RAW}
    if shown.inserts:
        abilities.add(Ability.INSERT)
    if shown.converses:
        abilities.add(Ability.CHAT)
    if is_at_least(version, _STRUCTURED_OUTPUTS):
        abilities.add(Ability.SCHEMA)
    if is_at_least(version, _CACHED_COUNT):
        abilities |= {Ability.USAGE, Ability.FREE_WARM_UP}
    return frozenset(abilities)


def _think(shown: Shown) -> bool | str | None:
    if not shown.thinks:
        return None
    # gpt-oss thinks always and knows only how much (docs/capabilities/thinking.mdx).
    return "low" if shown.architecture.lower().replace("-", "") == "gptoss" else False


def _served(listed: Listed, running: tuple[Running, ...]) -> ServedModel:
    family = family_of(listed.name)
    return ServedModel(
        listed.name,
        size_bytes=listed.size_bytes,
        parameters=listed.parameters,
        quantisation=listed.quantisation,
        digest=listed.digest,
        is_loaded=any(is_same(one.name, listed.name) for one in running),
        context_tokens=_loaded_context(running, listed.name),
        family=family,
        fills_in=family.fim is not None,
    )


def _in_memory(running: tuple[Running, ...], url: str) -> str:
    if running:
        return running[0].name
    raise EndpointError(
        ProblemKind.REFUSED,
        f"Ollama at {url} has no model in memory and none was named; set endpoint.model to one "
        "that `ollama list` shows.",
    )


def _loaded_context(running: tuple[Running, ...], name: str) -> int:
    return next((one.context_tokens for one in running if is_same(one.name, name)), 0)


def _is_loaded(running: tuple[Running, ...], model: OllamaModel) -> bool:
    return any(
        is_same(one.name, model.name) and one.context_tokens in {0, model.context_tokens}
        for one in running
    )


def _mark_as_seen(task: "asyncio.Task[None]") -> None:
    # Nobody may be waiting any more when loading fails; the next request will tell of it.
    if not task.cancelled():
        task.exception()
