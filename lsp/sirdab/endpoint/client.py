"""The only maker of HTTP clients, and the only reader of whole HTTP answers.

A client can be made only from an address that `sirdab.policy.loopback` let through, and
whatever could lead a request elsewhere is switched off here, in one place: proxies and
credentials from the environment, redirects, cookies.

httpx is imported inside the functions, because importing it costs about 50 ms and this module
is imported before anybody has asked for a completion.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

from sirdab import __version__
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.refusals import problem_of, refusal_of
from sirdab.policy.limits import MAX_RESPONSE_BYTES
from sirdab.policy.loopback import EndpointAddress

if TYPE_CHECKING:
    import ssl

    import httpx

_CONNECT_SECONDS = 5.0
# llama.cpp closes an idle connection after 5 s ("Keep-Alive: timeout=5"); letting go first avoids
# sending a request into a connection that is being closed.
_KEEP_ALIVE_SECONDS = 4.0
_MOST_CONNECTIONS = 8
_LARGEST_ERROR = 64 * 1024


def make_client(address: EndpointAddress, *, api_key: str = "") -> "httpx.AsyncClient":
    """Make a client that can reach one address and nothing else.

    Time limits of whole requests are the caller's (`asyncio.timeout`); only connecting is
    limited here.

    Args:
        address: Where to connect.
        api_key: Sent as a bearer token; "" sends none.

    Raises:
        EndpointError: The key cannot be sent in a header.
    """
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    import httpx

    from sirdab.endpoint.guarded_transport import GuardedTransport

    headers = {
        # The socket goes to a literal address; the server still sees the name the user wrote.
        "Host": address.authority,
        "User-Agent": f"sirdab/{__version__}",
        # A compressed answer could unfold to any size.
        "Accept-Encoding": "identity",
    }
    if api_key:
        if not (api_key.isascii() and api_key.isprintable() and api_key == api_key.strip()):
            raise EndpointError(
                ProblemKind.REFUSED,
                "The API key holds a space at its end, a line break or another character that "
                "cannot be sent; correct the environment variable named in endpoint.apiKeyEnv.",
            )
        headers["Authorization"] = f"Bearer {api_key}"

    async def name_for_tls(request: httpx.Request) -> None:
        # The certificate is checked against the name, not against the literal address.
        request.extensions["sni_hostname"] = address.host

    secure = address.scheme == "https"
    limits = httpx.Limits(
        max_connections=_MOST_CONNECTIONS,
        max_keepalive_connections=_MOST_CONNECTIONS,
        keepalive_expiry=_KEEP_ALIVE_SECONDS,
    )
    return httpx.AsyncClient(
        base_url=address.connect_url,
        headers=headers,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
        # Loading the CA bundle takes about 15 ms and means nothing without TLS.
        transport=GuardedTransport(address, limits, _tls_context() if secure else None),
        event_hooks={"request": [name_for_tls]} if secure else None,
    )


def _tls_context() -> "ssl.SSLContext":
    import ssl

    import certifi

    # Public authorities, and those the user has installed on this machine: the server under one's
    # own desk rarely has a public certificate.
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


@asynccontextmanager
async def open_stream(
    client: "httpx.AsyncClient", method: str, path: str, body: bytes | None = None
) -> AsyncGenerator["httpx.Response"]:
    """Send a request and hand over its answer unread; leaving the context closes the socket.

    A server may close a connection at the very moment it is used again, and llama.cpp does so
    about once in a hundred requests while streams are closed early. Such a request was not
    begun (RFC 9112 section 9.3.1 allows to repeat it), so it is sent once more.

    Args:
        client: Made by `make_client`.
        method: "GET" or "POST".
        path: Path below the base path, beginning with a slash.
        body: JSON, already encoded.
    """
    import httpx

    headers = None if body is None else {"Content-Type": "application/json"}
    async with AsyncExitStack() as stack:
        try:
            request = client.stream(method, path, content=body, headers=headers)
            response = await stack.enter_async_context(request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            garbled = isinstance(error, httpx.RemoteProtocolError) and not _is_hang_up(error)
            if garbled or client.is_closed:
                raise
            request = client.stream(method, path, content=body, headers=headers)
            response = await stack.enter_async_context(request)
        yield response


async def fetch_json(
    client: "httpx.AsyncClient", method: str, path: str, body: bytes | None, *, url: str
) -> dict[str, Any]:
    """Send a request and return the JSON object that answers it.

    Args:
        client: Made by `make_client`.
        method: "GET" or "POST".
        path: Path below the base path, beginning with a slash.
        body: JSON, already encoded.
        url: Address of the server as the user knows it, for messages.

    Raises:
        EndpointError: Anything but a JSON object with status 200 and of acceptable size.
    """
    import httpx

    try:
        async with open_stream(client, method, path, body) as response:
            await raise_for_status(response, url)
            data = await read_bounded(response, MAX_RESPONSE_BYTES, url)
    except httpx.HTTPError as error:
        raise_http_problem(error, url)
    try:
        answer: object = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise EndpointError(
            ProblemKind.PROTOCOL,
            f"The answer of {url}{path} is not a JSON object; check that endpoint.url names a "
            "model server.",
        )
    return cast("dict[str, Any]", answer)


async def read_bounded(response: "httpx.Response", limit: int, url: str) -> bytes:
    """Read the rest of an answer.

    Args:
        response: Opened by `open_stream`.
        limit: Most bytes accepted.
        url: Address of the server as the user knows it, for messages.

    Raises:
        EndpointError: There are more bytes, or they are compressed though nobody asked.
    """
    refuse_compression(response, url)
    data = bytearray()
    async for piece in response.aiter_raw():
        data += piece
        if len(data) > limit:
            raise EndpointError(
                ProblemKind.PROTOCOL,
                f"The answer of {url} is larger than {limit} bytes; check that endpoint.url names "
                "a model server.",
            )
    return bytes(data)


def refuse_compression(response: "httpx.Response", url: str) -> None:
    """Raise `EndpointError` when an answer is compressed, which is never asked for."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise EndpointError(
            ProblemKind.PROTOCOL,
            f"{url} compresses its answers although it was asked not to; check for a proxy between "
            "Sirdab and the model server.",
        )


async def raise_for_status(response: "httpx.Response", url: str) -> None:
    """Raise `EndpointError` unless the status is 200.

    The server's own words are not repeated: an error message may quote the prompt.

    Args:
        response: Opened by `open_stream`, unread.
        url: Address of the server as the user knows it, for messages.
    """
    status = response.status_code
    if status == 200:
        return
    answer = await _refusal(response, url) if status >= 400 else None
    raise problem_of(status, refusal_of(answer), url)


def raise_server_error(detail: object, url: str) -> NoReturn:
    """Raise the `EndpointError` for an error that a server sent inside its answer.

    Args:
        detail: What stood under `error`: an object, or a string as Ollama's.
        url: Address of the server as the user knows it, for messages.
    """
    code: object = None
    if isinstance(detail, dict):
        code = cast("dict[str, object]", detail).get("code")
    status = code if type(code) is int and 400 <= code < 600 else 500
    raise problem_of(status, refusal_of(cast("object", detail)), url)


async def _refusal(response: "httpx.Response", url: str) -> object:
    """Read the body of a refusal: JSON, or else None."""
    try:
        data = await read_bounded(response, _LARGEST_ERROR, url)
        return _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError, EndpointError):
        return None


def raise_http_problem(error: Exception, url: str) -> NoReturn:
    """Raise the `EndpointError` that says what an httpx exception means to the user.

    Args:
        error: Raised by httpx.
        url: Address of the server as the user knows it.
    """
    import httpx

    if _is_untrusted(error):
        raise EndpointError(
            ProblemKind.POLICY,
            f"The certificate of {url} is not trusted for that name, so nothing was sent; install "
            "it on this machine or name its file in the environment variable SSL_CERT_FILE.",
        ) from error
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        raise EndpointError(
            ProblemKind.DOWN,
            f"Nothing answers at {url}; start the model server or correct endpoint.url.",
        ) from error
    if isinstance(error, httpx.RemoteProtocolError) and not _is_hang_up(error):
        raise EndpointError(
            ProblemKind.PROTOCOL,
            f"What answers at {url} does not speak HTTP as it should; check that endpoint.url "
            "names a model server.",
        ) from error
    raise EndpointError(
        ProblemKind.DOWN,
        f"The model server at {url} closed the connection before its answer was complete; its own "
        "log says why.",
    ) from error


def _is_untrusted(error: BaseException) -> bool:
    import ssl

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _is_hang_up(error: Exception) -> bool:
    # httpcore has one class for both and tells them apart only in words (httpcore 1.0,
    # _async/http11.py, and h11's "peer closed connection without sending complete message").
    return any(words in str(error) for words in ("Server disconnected", "peer closed connection"))


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Python's reader takes NaN and Infinity, which RFC 8259 does not know.
_DECODER = json.JSONDecoder(parse_constant=_reject_constant)


def decode_json(text: str) -> object:
    """Decode JSON strictly.

    Raises:
        ValueError: It is not JSON (RFC 8259); NaN and Infinity are not.
        RecursionError: It is nested too deeply.
    """
    return _DECODER.decode(text)
