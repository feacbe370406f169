"""The differences of servers that speak OpenAI's protocol, read from `profiles.toml`.

The data file is the only place that holds facts about such servers; this module gives them types
and refuses a file that is not whole.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from typing import Any, Literal, cast, get_args

from sirdab.endpoint.base import Ability

GENERIC = "openai"
"""Id of the profile of a server that is nothing more special; it is the last one."""

SchemaForm = Literal["", "response_format", "response_format.value", "json_schema"]
"""How a JSON schema is sent: not at all; as OpenAI's `response_format`; as TGI's, which has it
under `value`; or as a field of its own, which is llama.cpp's."""

UsageForm = Literal["asked", "always", "never"]
"""Whether a streamed answer tells its cost: when `stream_options.include_usage` is sent (OpenAI),
always, or never."""

BeginsForm = Literal["", "structured_outputs.regex", "grammar"]
"""How an answer is made to begin with a text: not at all; by a regular expression (vLLM); or by a
grammar of llama.cpp's."""

PrefillForm = Literal["", "implicit", "continue_final_message"]
"""How the model is made to go on with a last message of the assistant: not at all; by sending it;
or by a flag beside it (vLLM, SGLang)."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing by which a server is recognised.

    Attributes:
        path: Path below the server's root that is asked for with GET.
        header: Name of a response header in lower case; "" when the body decides.
        field: Field of the JSON body; "data[].x" is the field of any entry of a list, and "" when
            the header decides.
        value: What the header or the field must hold; "" when it only has to be there.
    """

    path: str
    header: str = ""
    field: str = ""
    value: str = ""

    def matches(self, headers: Mapping[str, str], body: object) -> bool:
        """Whether an answer with status 200 to `path` bears the sign.

        Args:
            headers: The answer's headers; their names in any case.
            body: The decoded JSON body; None when it is not JSON.
        """
        if self.header:
            found = [text for name, text in headers.items() if name.lower() == self.header]
            return any(self.value.lower() in text.lower() for text in found)
        held = _held(body, self.field)
        if self.value:
            return self.value in held
        return any(one is not None for one in held)


@dataclass(frozen=True, slots=True)
class ModelsQuery:
    """How the models of a server are listed: an object with the list under `data`.

    Attributes:
        path: Path below the root.
        context: Fields of an entry that hold the size of its context in tokens, the surest first.
        file: Field with the name of the weights, besides `id`; "" when there is none.
        architecture: Field with the architecture; "" when there is none.
        quantisation: Field with the quantisation; "" when there is none.
        state: Field that says whether the model is loaded; "" when there is none.
        loaded: What `state` holds then.
        kind: Field with the kind of model; "" when there is none.
        kinds: The kinds that write text; empty when `kind` is.
        all_loaded: Whether nothing is listed but what is in memory.
    """

    path: str
    context: tuple[str, ...] = ()
    file: str = ""
    architecture: str = ""
    quantisation: str = ""
    state: str = ""
    loaded: str = ""
    kind: str = ""
    kinds: tuple[str, ...] = ()
    all_loaded: bool = False


@dataclass(frozen=True, slots=True)
class InfoQuery:
    """Where a server tells about the one model that it serves.

    Attributes:
        path: Path below the root.
        context: Field with the size of the context in tokens; "" when it is not told.
        name: Field with the name of the weights; "" when it is not told.
    """

    path: str
    context: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class TokenizerQuery:
    """How a server counts tokens.

    Attributes:
        path: Path below the root.
        text: Field of the request that holds the text.
        count: Field of the answer with their number, or with a list of them.
        fields: What else is sent, so that no token is added and control tokens are read as such.
    """

    path: str
    text: str
    count: str
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)


@dataclass(frozen=True, slots=True)
class ExtraFields:
    """What is sent beyond OpenAI's own fields.

    Attributes:
        completions: With every request for a completion.
        chat: With every request for a turn of a conversation.
        greedy: With both, where the temperature is 0.
    """

    completions: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    chat: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    greedy: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)


@dataclass(frozen=True, slots=True)
class SchemaForms:
    """How a JSON schema is sent.

    Attributes:
        completions: With a request for a completion.
        chat: With a request for a turn of a conversation.
    """

    completions: SchemaForm = ""
    chat: SchemaForm = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of server that speaks OpenAI's protocol.

    Attributes:
        id: Stable name, shown as `ModelInfo.server`.
        title: Name for a person.
        ports: TCP ports where it usually listens, the likeliest first.
        signs: By which it is recognised; one is enough. Empty for the generic profile.
        bases: Ends of a base path that users copy from its documentation and that are not part of
            its root, the longest first.
        completions: Path for completions below the root; "" when there is none.
        chat: Path for conversations below the root; "" when there is none.
        models: How its models are listed.
        info: Where it tells more about its one model; None when it does not.
        tokenizer: How it counts tokens; None when it does not.
        abilities: What it can do with every model.
        most_stops: Most stop strings it accepts; 0 when there is no limit.
        usage: Whether a streamed answer tells its cost.
        tells_length: Whether `finish_reason` says "length" when the token limit ended the answer.
        sends_model: What is sent as the model's name; "" for the name itself.
        schema: How a JSON schema is sent.
        begins: How an answer is made to begin with a text.
        prefill: How a last message of the assistant is continued.
        fields: What is sent beyond OpenAI's own fields.
        ollama: Path below the root where it passes Ollama's own protocol through; "" when it
            does not.
        sources: Where each fact was read, by the name of its field.
    """

    id: str
    title: str
    ports: tuple[int, ...]
    signs: tuple[Sign, ...]
    bases: tuple[str, ...]
    completions: str
    chat: str
    models: ModelsQuery
    info: InfoQuery | None
    tokenizer: TokenizerQuery | None
    abilities: frozenset[Ability]
    most_stops: int
    usage: UsageForm
    tells_length: bool
    sends_model: str
    schema: SchemaForms
    begins: BeginsForm
    prefill: PrefillForm
    fields: ExtraFields
    ollama: str
    sources: Mapping[str, str] = field(hash=False)


def profiles() -> tuple[Profile, ...]:
    """Return all profiles in the order they are tried; the last is the generic one."""
    return _load()


def profile_named(name: str) -> Profile:
    """Return the profile with an id.

    Raises:
        KeyError: There is none.
    """
    for profile in profiles():
        if profile.id == name:
            return profile
    raise KeyError(name)


def parse(text: str) -> tuple[Profile, ...]:
    """Read profiles.

    Args:
        text: Content of a file like `profiles.toml`.

    Raises:
        ValueError: It is not whole: a key is missing or unknown, a value is of a wrong kind or a
            fact has no source. The file is part of the program, so this is a programming error.
    """
    try:
        entries = cast("list[dict[str, Any]]", tomllib.loads(text)["profiles"])
        found = tuple(_profile(entry) for entry in entries)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"the profiles are not valid: {error!r}") from error
    ids = [profile.id for profile in found]
    if len(set(ids)) != len(ids) or ids[-1] != GENERIC:
        raise ValueError(f"the profiles are not valid: their ids are {ids}")
    return found


@cache
def _load() -> tuple[Profile, ...]:
    data = resources.files("sirdab.endpoint").joinpath("profiles.toml")
    return parse(data.read_text(encoding="utf-8"))


# What a server is taken to do where its profile is silent: what OpenAI's own reference says.
_UNSAID: dict[str, Any] = {
    "ports": [],
    "signs": [],
    "bases": ["/v1/chat/completions", "/v1/completions", "/v1"],
    "completions": "/v1/completions",
    "chat": "/v1/chat/completions",
    "models": {"path": "/v1/models"},
    "info": None,
    "tokenizer": None,
    "most_stops": 4,
    "usage": "asked",
    "tells_length": True,
    "sends_model": "",
    "schema": {},
    "begins": "",
    "prefill": "",
    "fields": {},
    "ollama": "",
}
_MUST_SAY = ("id", "title", "abilities", "sources")
_NEEDS_NO_SOURCE = {"id", "title", "sources"}
_TEXTS = ("id", "title", "completions", "chat", "sends_model", "ollama")


def _profile(entry: dict[str, Any]) -> Profile:
    name = entry.get("id")
    unknown = entry.keys() - {one.name for one in fields(Profile)}
    missing = [key for key in _MUST_SAY if not entry.get(key)]
    if unknown or missing:
        raise TypeError(f"{name}: unknown {sorted(unknown)}, missing {missing}")
    sources = cast("dict[str, str]", entry["sources"])
    stated = entry.keys() - _NEEDS_NO_SOURCE
    if stated != sources.keys() or not all(sources.values()):
        raise TypeError(f"{name}: sources for {sorted(stated ^ sources.keys())}")
    whole = {**_UNSAID, **entry}
    for key in _TEXTS:
        _check(name, key, whole[key], str)
    for key in ("completions", "chat", "ollama"):
        _check_path(name, whole[key], may_be_empty=True)
    ports = tuple(_check(name, "ports", one, int) for one in whole["ports"])
    if any(not 0 < port < 65536 for port in ports):
        raise TypeError(f"{name}: ports {ports}")
    bases = tuple(_check_path(name, one) for one in whole["bases"])
    if list(bases) != sorted(bases, key=len, reverse=True):
        raise TypeError(f"{name}: the longest base does not come first")
    most_stops = _check(name, "most_stops", whole["most_stops"], int)
    if most_stops < 0:
        raise TypeError(f"{name}: most_stops {most_stops}")
    return Profile(
        id=entry["id"],
        title=entry["title"],
        ports=ports,
        signs=tuple(_sign(name, one) for one in whole["signs"]),
        bases=bases,
        completions=whole["completions"],
        chat=whole["chat"],
        models=_models(name, whole["models"]),
        info=_maybe(name, whole["info"], lambda held: InfoQuery(**held)),
        tokenizer=_maybe(name, whole["tokenizer"], lambda held: TokenizerQuery(**held)),
        abilities=frozenset(
            [
                *(Ability(one) for one in entry["abilities"]),
                *([Ability.GOES_ON] if whole["prefill"] else []),
            ]
        ),
        most_stops=most_stops,
        usage=_one_of(name, "usage", whole["usage"], UsageForm),
        tells_length=_check(name, "tells_length", whole["tells_length"], bool),
        sends_model=whole["sends_model"],
        schema=_schema(name, whole["schema"]),
        begins=_one_of(name, "begins", whole["begins"], BeginsForm),
        prefill=_one_of(name, "prefill", whole["prefill"], PrefillForm),
        fields=ExtraFields(**whole["fields"]),
        ollama=whole["ollama"],
        sources=sources,
    )


def _sign(name: object, entry: dict[str, Any]) -> Sign:
    sign = Sign(**entry)
    _check_path(name, sign.path)
    if bool(sign.header) == bool(sign.field) or sign.header != sign.header.lower():
        raise TypeError(f"{name}: sign {entry}")
    return sign


def _models(name: object, entry: dict[str, Any]) -> ModelsQuery:
    whole: dict[str, Any] = dict(entry)
    for key in ("context", "kinds"):
        whole[key] = tuple(entry.get(key, ()))
    query = ModelsQuery(**whole)
    _check_path(name, query.path)
    if bool(query.state) != bool(query.loaded) or bool(query.kind) != bool(query.kinds):
        raise TypeError(f"{name}: models {entry}")
    if type(query.all_loaded) is not bool or (query.all_loaded and query.state):
        raise TypeError(f"{name}: models {entry}")
    return query


def _schema(name: object, entry: dict[str, Any]) -> SchemaForms:
    forms = SchemaForms(**entry)
    for form in (forms.completions, forms.chat):
        _one_of(name, "schema", form, SchemaForm)
    return forms


def _maybe(
    name: object, entry: dict[str, Any] | None, make: Callable[[dict[str, Any]], Any]
) -> Any:
    if entry is None:
        return None
    _check_path(name, entry["path"])
    return make(entry)


def _one_of(name: object, key: str, value: object, form: Any) -> Any:
    if value not in get_args(form):
        raise TypeError(f"{name}: {key} {value!r}")
    return value


def _check(name: object, key: str, value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{name}: {key} {value!r}")
    return value


def _check_path(name: object, path: object, *, may_be_empty: bool = False) -> str:
    if path == "" and may_be_empty:
        return ""
    if not isinstance(path, str) or not path.startswith("/") or path.endswith("/"):
        raise TypeError(f"{name}: path {path!r}")
    return path


def _held(body: object, field: str) -> list[object]:
    """Return what a field holds; of "data[].x", what it holds in each entry."""
    found: list[object] = [body]
    for part in field.split("."):
        name = part.removesuffix("[]")
        inner: list[object] = []
        for one in found:
            value = cast("dict[str, object]", one).get(name) if isinstance(one, dict) else None
            if part.endswith("[]") and isinstance(value, list):
                inner += cast("list[object]", value)
            elif not part.endswith("[]"):
                inner.append(value)
        found = inner
    return found
