"""A client reaches the address that was checked, whatever the libraries and the machine do."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpcore
import httpx
import pytest

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.client import fetch_json, make_client
from sirdab.endpoint.guarded_transport import GuardedBackend, GuardedTransport
from sirdab.policy.loopback import EndpointAddress, check_endpoint_url
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer


def at(url: str, **kwargs: Any) -> EndpointAddress:
    return check_endpoint_url(url, **{"allow_remote": False, **kwargs})


@asynccontextmanager
async def trap() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server to which not one byte may be written."""
    heard: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if data := await reader.read(1024):
            heard.append(data)
        writer.transport.abort()

    server = await asyncio.start_server(record, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{other}/health",
        "http://127.0.0.2:{port}/health",
        "http://localhost:{port}/health",
        "http://[::1]:{port}/health",
        "http://example.test/health",
        "https://127.0.0.1:{port}/health",
        "http://127.0.0.1:{port}@127.0.0.1:{other}/health",
    ],
)
async def test_an_absolute_url_does_not_leave_the_address(target: str) -> None:
    async with trap() as (other, heard), FakeLlamaCpp() as fake:
        async with make_client(at(fake.url)) as client:
            with pytest.raises(EndpointError) as caught:
                await client.get(target.format(port=fake.port, other=other))
            assert caught.value.kind is ProblemKind.POLICY
            # The client still serves what it is for.
            assert await fetch_json(client, "GET", "/health", None, url=fake.url)
        assert heard == []
        assert len(fake.requests) == 1


@pytest.mark.parametrize("path", ["//example.test/health", "/../health", "/@example.test/"])
async def test_a_path_that_looks_like_a_host_is_a_path(path: str) -> None:
    async with FakeLlamaCpp() as fake:
        async with make_client(at(fake.url)) as client:
            await client.get(path)
        assert [one.headers["host"] for one in fake.requests] == [f"127.0.0.1:{fake.port}"]


async def test_no_name_is_resolved_after_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def rebound(*args: object, **kwargs: object) -> object:
        raise AssertionError(("resolved again", args, kwargs))

    async with FakeLlamaCpp() as fake:
        address = at(f"http://localhost:{fake.port}")
        for module in (socket, asyncio.get_running_loop()):
            monkeypatch.setattr(module, "getaddrinfo", rebound)
        async with make_client(address) as client:
            assert await fetch_json(client, "GET", "/health", None, url=address.url)
        assert fake.requests[0].headers["host"] == f"localhost:{fake.port}"


async def test_a_connection_that_was_taken_over_carries_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with trap() as (other, heard), FakeLlamaCpp() as fake:
        loop = asyncio.get_running_loop()
        connect = type(loop).sock_connect

        async def elsewhere(self: Any, sock: socket.socket, address: Any) -> None:
            # What a SOCKS wrapper around `socket` does.
            await connect(self, sock, ("127.0.0.1", other))

        monkeypatch.setattr(type(loop), "sock_connect", elsewhere)
        async with make_client(at(fake.url)) as client:
            with pytest.raises(EndpointError, match="nothing was sent"):
                await fetch_json(client, "POST", "/completion", b'{"prompt": "x"}', url=fake.url)
        await asyncio.sleep(0.05)
        assert heard == []
        assert fake.requests == []


class Pretending(httpcore.AsyncNetworkBackend):
    """A backend whose connections end wherever a test says."""

    def __init__(self, peer: object) -> None:
        self.peer = peer
        self.asked: list[tuple[str, int]] = []
        self.closed = 0

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> Any:
        self.asked.append((host, port))
        backend = self

        class Stream(httpcore.AsyncMockStream):
            def get_extra_info(self, info: str) -> Any:
                return backend.peer if info == "server_addr" else None

            async def aclose(self) -> None:
                backend.closed += 1

        return Stream([])


@pytest.mark.parametrize(
    ("url", "peer", "passes"),
    [
        ("http://127.0.0.1:8012", ("127.0.0.1", 8012), True),
        ("http://127.0.0.1:8012", ("127.0.0.2", 8012), False),
        ("http://127.0.0.1:8012", ("127.0.0.1", 8013), False),
        ("http://127.0.0.1:8012", ("::ffff:127.0.0.1", 8012), False),
        ("http://127.0.0.1:8012", ("192.0.2.1", 8012), False),
        ("http://127.0.0.1:8012", "/run/socket", False),
        ("http://127.0.0.1:8012", None, False),
        ("http://127.0.0.1:8012", ("somewhere", 8012), False),
        ("http://[::1]:8012", ("::1", 8012), True),
        ("http://[::1]:8012", ("::1%lo", 8012), False),
        ("http://[::1]:8012", ("fe80::1%lo", 8012), False),
        ("https://192.0.2.7", ("192.0.2.7", 443), True),
        ("https://192.0.2.7", ("192.0.2.8", 443), False),
        ("https://box.example", ("192.0.2.8", 443), True),
        ("https://box.example", ("2001:db8::8", 443), True),
        ("https://box.example", ("127.0.0.1", 443), False),
        ("https://box.example", ("::1", 443), False),
        ("https://box.example", ("192.0.2.8", 8443), False),
        ("https://xn--bcher-kva.example", ("192.0.2.8", 443), True),
    ],
)
async def test_the_other_end_of_a_socket_is_looked_at(url: str, peer: object, passes: bool) -> None:
    address = at(url, allow_remote=True)
    inner = Pretending(peer)
    guarded = GuardedBackend(address, inner)
    if passes:
        await guarded.connect_tcp(address.connect_host, address.port)
        assert inner.closed == 0
    else:
        with pytest.raises(EndpointError) as caught:
            await guarded.connect_tcp(address.connect_host, address.port)
        assert caught.value.kind is ProblemKind.POLICY
        assert inner.closed == 1
    assert inner.asked == [(address.connect_host, address.port)]


async def test_other_addresses_and_paths_of_sockets_are_not_even_tried() -> None:
    inner = Pretending(("127.0.0.1", 8012))
    guarded = GuardedBackend(at("http://127.0.0.1:8012"), inner)
    for host, port in (("127.0.0.1", 8013), ("localhost", 8012), ("192.0.2.1", 8012)):
        with pytest.raises(EndpointError):
            await guarded.connect_tcp(host, port)
    with pytest.raises(EndpointError):
        await guarded.connect_unix_socket("/run/docker.sock")
    assert inner.asked == []


async def test_a_name_in_punycode_is_the_same_name_at_each_step() -> None:
    address = at("https://xn--bcher-kva.example", allow_remote=True)
    inner = Pretending(("127.0.0.1", 443))
    transport = GuardedTransport(address, httpx.Limits(), None, inner)
    async with httpx.AsyncClient(transport=transport, base_url=address.connect_url) as client:
        with pytest.raises(EndpointError):
            await client.get("/")
    # The request passed, and its connection was refused for where it had arrived.
    assert inner.asked == [("xn--bcher-kva.example", 443)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (RawAnswer(headers={"Content-Length": "9"}, body=b"{}"), httpx.RemoteProtocolError),
        (RawAnswer(headers={"Content-Length": "x"}, body=b"{}"), httpx.RemoteProtocolError),
    ],
)
async def test_faults_of_a_connection_are_exceptions_of_httpx(
    body: RawAnswer, kind: type[Exception]
) -> None:
    async with FakeLlamaCpp() as fake:
        fake.raw["/health"] = body
        async with make_client(at(fake.url)) as client:
            reading = asyncio.ensure_future(client.get("/health"))
            await asyncio.sleep(0.1)
            await fake.stop()
            with pytest.raises(kind):
                await reading


async def test_nobody_there_is_a_connect_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with make_client(at(url)) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("/health")


async def test_every_exception_of_the_library_has_its_name_in_httpx() -> None:
    errors = [
        value
        for name in httpcore.__all__
        if isinstance(value := getattr(httpcore, name), type) and issubclass(value, Exception)
    ]
    named = [one.__name__ for one in errors if one is not httpcore.ConnectionNotAvailable]
    assert len(named) >= 14
    assert all(issubclass(getattr(httpx, name), httpx.HTTPError) for name in named)
