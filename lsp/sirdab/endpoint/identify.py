"""Finds out which model server answers at an address, with a few small questions.

Nothing is sent but GET requests without a body. Three are asked at once; only where their answers
leave it open are others asked. What the servers like OpenAI's are recognised by stands in
`profiles.toml`. Beside that:

- llama.cpp has `/props` with `default_generation_settings` and `total_slots`, names itself in the
  header `Server`, and answers 503 with the type `unavailable_error` while it loads
  (tools/server/README.md). KoboldCpp imitates `/props`, but says in `/v1/models` whose it is.
- Ollama has `/api/version` (docs/api.md) and says "Ollama is running" at `/` (server/routes.go);
  behind a proxy that has a page of its own there, it is known by the list of `/api/tags`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.client import (
    decode_json,
    make_client,
    open_stream,
    raise_http_problem,
    read_bounded,
)
from sirdab.endpoint.profiles import GENERIC, Profile, profile_named, profiles
from sirdab.endpoint.refusals import problem_of, refusal_of
from sirdab.endpoint.untrusted import mapping, objects, text
from sirdab.policy.loopback import EndpointAddress

if TYPE_CHECKING:
    import httpx

Kind = Literal["llamacpp", "ollama", "openai"]

_LARGEST_ANSWER = 1 << 20
_LONGEST_SECONDS = 5.0

_FIRST = ("/v1/models", "/props", "/api/version")
# Servers of which some versions answer none of the first questions.
_WITHOUT_HINT = frozenset({"/info"})
# Ends of base paths under which no server has its own paths: those begin with it.
_VERSION = "/v1"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back for one path; status 0 when nothing did."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: object = None
    words: str = ""
    problem: EndpointError | None = None

    @property
    def fields(self) -> dict[str, object]:
        """The JSON object, {} when it is none or the status is not 200."""
        return mapping(self.body) if self.status == 200 else {}


_Answers = Mapping[str, _Answer]


@dataclass(frozen=True, slots=True)
class Identified:
    """Which server it is.

    Attributes:
        kind: Protocol that it speaks.
        profile: How it differs from OpenAI's; None for the other protocols.
        address: Its root: where it is, without the "/v1" or the like that people copy from its
            documentation.
        is_loading: Whether it said that its model is still being loaded.
        has_several: Whether it is a llama.cpp router, which has several models; the other kinds
            list what they have in any case.
    """

    kind: Kind
    profile: Profile | None
    address: EndpointAddress
    is_loading: bool = False
    has_several: bool = False

    @property
    def title(self) -> str:
        """What a person calls such a server."""
        if self.profile is not None:
            return self.profile.title
        return {"llamacpp": "llama.cpp", "ollama": "Ollama"}.get(self.kind, "A model server")


async def identify(
    address: EndpointAddress,
    *,
    api_key: str = "",
    timeout_ms: int = 10_000,
    kind: str = "auto",
) -> Identified:
    """Find out which server answers.

    Args:
        address: Where it is.
        api_key: Its key; "" when it has none.
        timeout_ms: Longest time all questions together may take, in milliseconds; at most 5 s are
            spent.
        kind: `endpoint.kind`; anything but "auto" is believed, and then nothing is asked but what
            the differences among servers like OpenAI's are.

    Raises:
        EndpointError: Nothing answers, it wants a key, or it is no model server that is known.
    """
    if kind in {"llamacpp", "ollama"}:
        known: Kind = "llamacpp" if kind == "llamacpp" else "ollama"
        return Identified(known, None, without_version(address))
    forced = kind == "openai"
    seconds = min(_LONGEST_SECONDS, timeout_ms / 1000)
    try:
        async with asyncio.timeout(seconds):
            return await _identify(address, api_key, forced=forced)
    except TimeoutError:
        if forced:
            return _as_profile(profile_named(GENERIC), without_version(address), forced=True)
        raise EndpointError(
            ProblemKind.TIMEOUT,
            f"{address.url} accepts connections and did not say within {seconds:g} s what kind of "
            "server it is; restart what listens there.",
        ) from None


def without_version(address: EndpointAddress) -> EndpointAddress:
    """Return an address without a "/v1" at its end, which our paths begin with."""
    return replace(address, path=address.path.removesuffix(_VERSION))


async def _identify(address: EndpointAddress, api_key: str, *, forced: bool) -> Identified:
    """Ask at the address as it is written, and else where its end is a path of documentation."""
    roots = [without_version(address)]
    for profile in profiles():
        for base in profile.bases:
            root = replace(address, path=address.path.removesuffix(base))
            if root.path != address.path and root not in roots:
                roots.append(root)
    problems: list[EndpointError] = []
    for root in roots:
        async with make_client(root, api_key=api_key) as client:
            try:
                return await _identify_at(client, root, forced=forced)
            except EndpointError as error:
                problems.append(error)
                if error.kind is not ProblemKind.PROTOCOL:
                    break
    raise problems[0]


async def _identify_at(
    client: "httpx.AsyncClient", address: EndpointAddress, *, forced: bool
) -> Identified:
    first = await _ask(client, address, _FIRST)
    found = _by_first(first, address, forced=forced)
    if found is not None:
        return found
    # A page of somebody's own work in progress is not asked for everything there is.
    hints = any(answer.body is not None or answer.status in {401, 403} for answer in first.values())
    paths = {sign.path for profile in profiles() for sign in profile.signs} - set(_FIRST)
    rest = [path for path in sorted(paths) if hints or path in _WITHOUT_HINT]
    is_like_ollama = bool(text(first["/api/version"].fields.get("version"))) and not forced
    if is_like_ollama:
        rest += ["/", "/api/tags"]
    second = await _ask(client, address, tuple(rest))
    found = _by_signs({**first, **second}, address, forced=forced)
    if found is not None:
        return found
    if is_like_ollama and (
        "ollama is running" in second["/"].words.lower()
        or isinstance(second["/api/tags"].fields.get("models"), list)
    ):
        return Identified("ollama", None, address)
    if forced or isinstance(first["/v1/models"].fields.get("data"), list):
        return _as_profile(profile_named(GENERIC), address, forced=forced)
    raise _why_not(first, address)


def _by_first(answers: _Answers, address: EndpointAddress, *, forced: bool) -> Identified | None:
    """Return what the first three answers say, None where they leave it open."""
    props = answers["/props"]
    is_router = props.fields.get("role") == "router"
    found = _by_signs(answers, address, forced=forced)
    if found is not None and found.kind == "llamacpp":
        return replace(found, has_several=is_router)
    if found is not None or forced:
        return found
    owners = {
        text(one.get("owned_by")) for one in objects(answers["/v1/models"].fields.get("data"))
    }
    has_props = "default_generation_settings" in props.fields and "total_slots" in props.fields
    if not owners - {"", "llamacpp"} and (has_props or is_router):
        return Identified("llamacpp", None, address, has_several=is_router)
    error = mapping(mapping(props.body).get("error"))
    is_loading = props.status == 503 and error.get("type") == "unavailable_error"
    if is_loading or "llama.cpp" in props.headers.get("server", "").lower():
        return Identified("llamacpp", None, address, is_loading)
    return None


def _by_signs(answers: _Answers, address: EndpointAddress, *, forced: bool) -> Identified | None:
    """Return the first profile of which a sign is among the answers."""
    for profile in profiles():
        for sign in profile.signs:
            answer = answers.get(sign.path)
            if (
                answer is not None
                and answer.status == 200
                and sign.matches(answer.headers, answer.body)
            ):
                return _as_profile(profile, address, forced=forced)
    return None


def _as_profile(profile: Profile, address: EndpointAddress, *, forced: bool) -> Identified:
    """Return a server in its own protocol, where it has one and nobody wants the other."""
    if profile.id in {"llamacpp", "ollama"} and not forced:
        return Identified("llamacpp" if profile.id == "llamacpp" else "ollama", None, address)
    return Identified("openai", profile, address)


def _why_not(answers: _Answers, address: EndpointAddress) -> EndpointError:
    """Return the problem of an address at which no model server was recognised."""
    given = list(answers.values())
    problems = [answer.problem for answer in given if answer.problem is not None]
    if len(problems) == len(given):
        return problems[0]
    for statuses in ({401, 403}, {429, 503}, range(300, 400)):
        for answer in given:
            if answer.status in statuses:
                return problem_of(answer.status, refusal_of(answer.body), address.url)
    return EndpointError(
        ProblemKind.PROTOCOL,
        f"{address.url} answers but is no model server that Sirdab knows; correct endpoint.url, or "
        'say in endpoint.kind which protocol it speaks ("llamacpp", "ollama" or "openai").',
    )


async def _ask(
    client: "httpx.AsyncClient", address: EndpointAddress, paths: tuple[str, ...]
) -> dict[str, _Answer]:
    answers = await asyncio.gather(*(_get(client, address, path) for path in paths))
    return dict(zip(paths, answers, strict=True))


async def _get(client: "httpx.AsyncClient", address: EndpointAddress, path: str) -> _Answer:
    import httpx

    try:
        async with open_stream(client, "GET", path) as response:
            data = await read_bounded(response, _LARGEST_ANSWER, address.url)
            status, headers = response.status_code, dict(response.headers)
    except httpx.HTTPError as error:
        try:
            raise_http_problem(error, address.url)
        except EndpointError as problem:
            return _Answer(problem=problem)
    except EndpointError as problem:
        return _Answer(problem=problem)
    words = data[:200].decode("utf-8", "replace")
    try:
        return _Answer(status, headers, decode_json(data.decode("utf-8")), words)
    except (ValueError, RecursionError):
        return _Answer(status, headers, None, words)
