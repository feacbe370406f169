"""Carries the requests of one client to the one address that was checked, and nowhere else.

`sirdab.policy.loopback` says which address may be used. What happens between that verdict and the
first byte on a socket belongs to libraries, to the resolver and to whoever has patched them: an
absolute URL given to a client replaces its base address, a SOCKS wrapper replaces the `socket`
module, a kept connection may be one that was opened for another host. So each step is held
against the verdict again:

- each request, before it is given to a connection, new or kept;
- each connection, before it is opened;
- the other end of each socket, before a byte is written to it.

Only public interfaces of httpx (`AsyncBaseTransport`) and httpcore (`AsyncNetworkBackend`,
`AsyncConnectionPool`) are used; the names of their exceptions are the same, one by one
(httpx, `_transports/default.py`).
"""

import ipaddress
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

import httpcore
import httpx

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.policy.loopback import EndpointAddress

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator


class GuardedTransport(httpx.AsyncBaseTransport):
    """Speaks HTTP/1.1 with one address."""

    def __init__(
        self,
        address: EndpointAddress,
        limits: httpx.Limits,
        tls: "ssl.SSLContext | None" = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """Prepare a pool of connections; none is opened before the first request.

        Args:
            address: The only address that is spoken with.
            limits: Most connections, and how long an idle one is kept.
            tls: How certificates are checked; None for an address without TLS.
            backend: Opens the connections; httpcore's for asyncio by default.
        """
        self._address = address
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            http1=True,
            http2=False,
            network_backend=GuardedBackend(address, backend or _asyncio_backend()),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            EndpointError: It is for another address, or the connection led to one.
            httpx.HTTPError: The connection failed.
        """
        url, checked = request.url, self._address
        port = url.port or (443 if url.scheme == "https" else 80)
        # Not `url.host`, which spells names in Punycode as people read them.
        asked = (url.scheme, url.raw_host.decode("ascii"), port)
        if asked != (checked.scheme, checked.connect_host, checked.port):
            refuse(checked, "A request")
        with _as_httpx():
            answer = await self._pool.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=url.raw_scheme,
                        host=url.raw_host,
                        port=url.port,
                        target=url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=cast("AsyncIterable[bytes]", request.stream),
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=cast("dict[str, Any]", answer.extensions),  # pyright: ignore[reportUnknownMemberType]
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


def _asyncio_backend() -> httpcore.AsyncNetworkBackend:
    # Without anyio httpcore puts a class in its place that is no backend, which types remember.
    return cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to one address, and looks where they have arrived."""

    def __init__(self, address: EndpointAddress, inner: httpcore.AsyncNetworkBackend) -> None:
        """Guard a backend."""
        self._address = address
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection.

        Raises:
            EndpointError: It would lead, or has led, to another address than the checked one.
        """
        checked = self._address
        if (host, port) != (checked.connect_host, checked.port):
            refuse(checked, "A connection")
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        fault = _fault(checked, stream.get_extra_info("server_addr"))
        if fault:
            await stream.aclose()
            raise EndpointError(ProblemKind.POLICY, fault)
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface is httpcore's
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no address that passes the rules is a path."""
        del path, timeout, socket_options
        refuse(self._address, "A connection")

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await self._inner.sleep(seconds)


def refuse(address: EndpointAddress, what: str) -> NoReturn:
    """Raise the `EndpointError` that says that something was meant for another address.

    Args:
        address: The only address that is allowed.
        what: What was refused, at the beginning of a sentence.
    """
    raise EndpointError(ProblemKind.POLICY, _elsewhere(address, what))


def _elsewhere(address: EndpointAddress, what: str) -> str:
    return (
        f"{what} would have gone somewhere else than to {address.url}, so nothing was sent; look "
        "for a proxy or a VPN on this machine that takes over connections."
    )


def _fault(address: EndpointAddress, peer: object) -> str:
    """Say in a sentence why the other end of a socket is not the checked address, "" if it is."""
    elsewhere = _elsewhere(address, "A connection")
    if not isinstance(peer, tuple):
        return elsewhere
    host, port = cast("tuple[Any, ...]", peer)[:2]
    try:
        found = ipaddress.ip_address(str(host))
    except ValueError:
        return elsewhere
    if port != address.port:
        return elsewhere
    try:
        return "" if found == ipaddress.ip_address(address.connect_host) else elsewhere
    except ValueError:
        pass
    # The name of a server on another machine, which TLS holds to its certificate. No name may lead
    # back here: what listens on loopback is not what the user consented to.
    if found.is_loopback:
        return (
            f"The name in {address.url} leads to this machine, so nothing was sent; write "
            "localhost in endpoint.url if that is meant."
        )
    return elsewhere if found.is_unspecified or found.is_multicast else ""


class _Body(httpx.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for piece in cast("AsyncIterable[bytes]", self._answer.stream):
                yield piece

    async def aclose(self) -> None:
        with _as_httpx():
            await self._answer.aclose()


@contextmanager
def _as_httpx() -> "Generator[None]":
    """Raise httpcore's exceptions as those that httpx names alike."""
    try:
        yield
    except _CORE_ERRORS as error:
        kinds = (getattr(httpx, kind.__name__, None) for kind in type(error).__mro__)
        found = next(kind for kind in kinds if kind is not None)
        raise found(str(error)) from error


_CORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
