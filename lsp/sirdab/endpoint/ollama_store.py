"""Ollama's store of models: what is in it, what is in memory, fetching and removing.

For the commands that look after models; whoever asks a model uses `sirdab.endpoint.ollama`. Pulling
makes the Ollama server fetch files from its library on the internet, so it needs the user's consent
before it is called.

Source of the formats: ollama/ollama, docs/api.md ("Pull a Model", "Delete a Model") and
server/routes.go. A pull that was broken off goes on where it stopped; an error in the middle of it
comes under HTTP 200, as a line `{"error": "..."}`.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from sirdab.endpoint.answer import too_slow
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.client import (
    decode_json,
    open_stream,
    raise_for_status,
    raise_http_problem,
    raise_server_error,
)
from sirdab.endpoint.connection import Connection, encode
from sirdab.endpoint.ndjson import NdjsonParser
from sirdab.endpoint.ollama_formats import (
    Listed,
    Running,
    Shown,
    is_remote,
    listed_of,
    running_of,
    shown_of,
)
from sirdab.endpoint.ollama_generate import raise_problem, refuse_remote
from sirdab.endpoint.stream import Event
from sirdab.endpoint.untrusted import count, text
from sirdab.models.catalog import Family
from sirdab.models.resolve import Evidence, resolve
from sirdab.policy.loopback import EndpointAddress

_TIMEOUT_MS = 10_000
# A server that fetches says how far it is several times a second, also while it checks digests.
_STALLED_SECONDS = 120.0
# Such lines, for as long as a large model takes over a slow line.
_LARGEST_PULL = 1 << 30
_MOST_QUESTIONS = 4
# NAME, NAMESPACE/NAME or HOST/NAMESPACE/NAME, each with an optional tag (types/model/name.go).
_NAME = re.compile(r"[A-Za-z0-9][\w.:/-]{0,350}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One model of an Ollama server.

    Attributes:
        name: Its name with the tag.
        size_bytes: Size of all its parts.
        digest: SHA-256 of its manifest in lower-case hexadecimal; "" when not told.
        quantisation: For example "Q4_K_M"; "" when not told.
        parameters: How many; 0 when not told.
        licence: Short name of its licence; "" when not told.
        family: The family whose prompt format it knows.
        trained_tokens: Context it was trained for; 0 when not told.
        inserts: Whether the server writes prompts for filling in the middle.
        writes_text: Whether it writes at all, and not only turns text into vectors.
        is_remote: Whether it is only the name of a model of Ollama's cloud.
    """

    name: str
    size_bytes: int
    digest: str
    quantisation: str
    parameters: int
    licence: str
    family: Family
    trained_tokens: int
    inserts: bool
    writes_text: bool
    is_remote: bool


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull has come.

    Attributes:
        status: What the server does, for example "pulling manifest" or "verifying sha256 digest".
        digest: Which file it fetches; "" when it fetches none.
        total_bytes: Size of that file; 0 when not known.
        done_bytes: How much of it is there.
    """

    status: str
    digest: str = ""
    total_bytes: int = 0
    done_bytes: int = 0


OnProgress = Callable[[PullProgress], None]


async def list_models(address: EndpointAddress, *, api_key: str = "") -> tuple[StoredModel, ...]:
    """Return the models that are installed, those changed last first.

    Args:
        address: Where the server is.
        api_key: Its key, for a proxy before it; "" when it has none.

    Raises:
        EndpointError: The server cannot be used.
    """
    async with _connected(address, api_key) as connection:
        listed = listed_of(await connection.ask("GET", "/api/tags"))
        places = asyncio.Semaphore(_MOST_QUESTIONS)

        async def show(one: Listed) -> Shown:
            async with places:
                try:
                    return await _show(connection, one.name)
                except EndpointError as error:
                    if error.kind is ProblemKind.DOWN:
                        raise
                    # Removed meanwhile, or damaged: the list still shows that it is there.
                    return Shown()

        shown = await asyncio.gather(*map(show, listed))
    return tuple(_stored(one, more) for one, more in zip(listed, shown, strict=True))


async def running_models(address: EndpointAddress, *, api_key: str = "") -> tuple[Running, ...]:
    """Return the models that are in memory, and how much of each is on a GPU.

    Args:
        address: Where the server is.
        api_key: Its key; "" when it has none.

    Raises:
        EndpointError: The server cannot be used.
    """
    async with _connected(address, api_key) as connection:
        return running_of(await connection.ask("GET", "/api/ps"))


async def pull(
    address: EndpointAddress, name: str, on_progress: OnProgress, *, api_key: str = ""
) -> None:
    """Have the server fetch a model, or what has changed of one that it has.

    Cancelling breaks it off; the next pull of the same model goes on where it stopped.

    Args:
        address: Where the server is.
        name: Name in Ollama's library, or of another registry that Ollama knows.
        on_progress: Told of each step, some times a second.
        api_key: Its key; "" when it has none.

    Raises:
        EndpointError: The name is none or means a model of the cloud, the server cannot be used,
            or it could not fetch the model.
    """
    _check_name(name, address.url)
    body = encode({"model": name, "stream": True})
    parser = NdjsonParser(largest_stream=_LARGEST_PULL)
    done = False
    async with (
        _connected(address, api_key) as connection,
        _opened(connection, "POST", "/api/pull", body, name) as pieces,
    ):
        async for piece in pieces:
            for event in parser.feed(piece):
                progress = _progress(event, name, address.url)
                on_progress(progress)
                done = progress.status == "success"
    if not done:
        raise EndpointError(
            ProblemKind.DOWN,
            f"Ollama at {address.url} stopped fetching {name} half-way; pull it again, and it goes "
            "on where it stopped.",
        )


async def delete(address: EndpointAddress, name: str, *, api_key: str = "") -> None:
    """Delete a model from the server's store.

    Args:
        address: Where the server is.
        name: The server's name for it.
        api_key: Its key; "" when it has none.

    Raises:
        EndpointError: The server cannot be used, or has no such model.
    """
    body = encode({"model": name})
    async with (
        _connected(address, api_key) as connection,
        _opened(connection, "DELETE", "/api/delete", body, name) as pieces,
    ):
        # The answer has no body.
        async for _ in pieces:
            break


@asynccontextmanager
async def _connected(address: EndpointAddress, api_key: str) -> AsyncGenerator[Connection]:
    connection = Connection(address, api_key=api_key, timeout_ms=_TIMEOUT_MS)
    try:
        yield connection
    finally:
        await connection.aclose()


@asynccontextmanager
async def _opened(
    connection: Connection, method: str, path: str, body: bytes, name: str
) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """Send a request and hand over its answer's pieces, none of which may be long in coming."""
    import httpx

    try:
        async with asyncio.timeout(None) as limit:
            loop = asyncio.get_running_loop()

            async def pieces(response: httpx.Response) -> AsyncGenerator[bytes]:
                async for piece in response.aiter_raw():
                    limit.reschedule(loop.time() + _STALLED_SECONDS)
                    yield piece

            limit.reschedule(loop.time() + _STALLED_SECONDS)
            async with open_stream(connection.client(), method, path, body) as response:
                try:
                    await raise_for_status(response, connection.url)
                except EndpointError as error:
                    raise_problem(error, name, connection.url)
                yield pieces(response)
    except TimeoutError:
        raise too_slow(connection.url, _STALLED_SECONDS * 1000, "anything") from None
    except httpx.HTTPError as error:
        raise_http_problem(error, connection.url)


async def _show(connection: Connection, name: str) -> Shown:
    return shown_of(await connection.ask("POST", "/api/show", {"model": name}))


def _stored(listed: Listed, shown: Shown) -> StoredModel:
    names = tuple(one for one in (listed.name, shown.parent, shown.base_name) if one)
    resolution = resolve(
        Evidence(
            names=names,
            architecture=shown.architecture or listed.architecture,
            template=shown.template,
            capabilities=shown.capabilities,
        )
    )
    return StoredModel(
        name=listed.name,
        size_bytes=listed.size_bytes,
        digest=listed.digest,
        quantisation=listed.quantisation or shown.quantisation,
        parameters=shown.parameters or listed.parameters,
        licence=shown.licence,
        family=resolution.family,
        trained_tokens=shown.trained_tokens,
        inserts=shown.inserts,
        writes_text=shown.writes_text and listed.writes_text,
        is_remote=is_remote(listed.name, listed.remote_host or shown.remote_host),
    )


def _check_name(name: str, url: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise EndpointError(
            ProblemKind.REFUSED,
            "That is not the name of a model; write it as Ollama's library does, for example "
            "qwen2.5-coder:1.5b-base.",
        )
    refuse_remote(name, "", url)


def _progress(event: Event, name: str, url: str) -> PullProgress:
    try:
        value = decode_json(event.data)
    except (ValueError, RecursionError):
        value = None
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if "error" in fields:
        _raise_pull_problem(text(fields["error"]), name, url)
        raise_server_error(fields["error"], url)
    status = fields.get("status")
    if not isinstance(status, str):
        raise EndpointError(
            ProblemKind.PROTOCOL,
            f"{url} sends lines that are not Ollama's; check the address.",
        )
    return PullProgress(
        status,
        digest=text(fields.get("digest")),
        total_bytes=count(fields.get("total")),
        done_bytes=count(fields.get("completed")),
    )


# What the server says when fetching fails (server/download.go, server/images.go), and what that
# means. Its words are not repeated: they hold addresses and paths.
_PULL_PROBLEMS: tuple[tuple[tuple[str, ...], ProblemKind, str], ...] = (
    (
        ("file does not exist", "manifest unknown"),
        ProblemKind.NO_MODEL,
        "Ollama's library has no model {name}; look the name up at ollama.com/library.",
    ),
    (
        ("no space left", "disk full", "not enough space"),
        ProblemKind.REFUSED,
        (
            "The disk of Ollama at {url} is full; make room, and pull {name} again: it goes on "
            "where it stopped."
        ),
    ),
    (
        ("newer version of ollama",),
        ProblemKind.REFUSED,
        "{name} needs a newer version of Ollama; update Ollama and pull it again.",
    ),
    (
        ("dial tcp", "no such host", "i/o timeout", "max retries", "connection", "tls"),
        ProblemKind.DOWN,
        (
            "Ollama at {url} could not reach its library; check the network, and pull {name} "
            "again: it goes on where it stopped."
        ),
    ),
    (
        ("digest mismatch",),
        ProblemKind.PROTOCOL,
        "What Ollama at {url} fetched for {name} was damaged and was not kept; pull it again.",
    ),
)


def _raise_pull_problem(said: str, name: str, url: str) -> None:
    words = said.lower()
    for signs, kind, message in _PULL_PROBLEMS:
        if any(sign in words for sign in signs):
            raise EndpointError(kind, message.format(name=name, url=url))
