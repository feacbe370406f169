"""What an HTTP client of ours does, and above all what it does not."""

import asyncio
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sirdab.endpoint import client as client_module
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.client import fetch_json, make_client
from sirdab.policy.loopback import check_endpoint_url
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer


async def ask(
    fake: FakeLlamaCpp, path: str = "/health", *, api_key: str = "", url: str = ""
) -> dict[str, object]:
    address = check_endpoint_url(url or fake.url, allow_remote=False)
    async with make_client(address, api_key=api_key) as client:
        return await fetch_json(client, "GET", path, None, url=address.url)


async def refusal(fake: FakeLlamaCpp, answer: RawAnswer) -> EndpointError:
    fake.raw["/health"] = answer
    with pytest.raises(EndpointError) as caught:
        await ask(fake)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


@asynccontextmanager
async def trap() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server to which nothing must ever connect."""
    seen: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(b"connected")
        writer.transport.abort()

    server = await asyncio.start_server(record, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()


async def test_the_host_header_is_what_the_user_wrote():
    async with FakeLlamaCpp() as fake:
        await ask(fake, url=f"http://localhost:{fake.port}")
        await ask(fake, url=f"http://127.0.0.1:{fake.port}")
    hosts = [request.headers["host"] for request in fake.requests]
    assert hosts == [f"localhost:{fake.port}", f"127.0.0.1:{fake.port}"]


async def test_a_base_path_comes_first():
    async with FakeLlamaCpp() as fake:
        fake.raw["/base/health"] = RawAnswer(body=b"{}")
        assert await ask(fake, url=fake.url + "/base/") == {}


async def test_the_key_is_a_bearer_token_and_absent_without_one():
    async with FakeLlamaCpp(api_key="k") as fake:
        await ask(fake, "/props", api_key="k")
        await ask(fake, "/health")
    assert fake.requests[0].headers["authorization"] == "Bearer k"
    assert "authorization" not in fake.requests[1].headers


@pytest.mark.parametrize(
    "key", ["a\nb", "a\r\nX-Evil: 1", "schlüssel", " hunter2", "hunter2 ", "a\x00b"]
)
async def test_a_key_that_cannot_be_sent_is_one_sentence(key: str):
    async with FakeLlamaCpp() as fake:
        with pytest.raises(EndpointError, match="apiKeyEnv") as caught:
            await ask(fake, api_key=key)
    assert key not in caught.value.message
    assert fake.requests == []


async def test_proxies_in_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch):
    async with trap() as (port, seen), FakeLlamaCpp() as fake:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert await ask(fake) == {"status": "ok"}
        assert seen == []


async def test_credentials_of_netrc_are_not_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
):
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with FakeLlamaCpp() as fake:
        await ask(fake)
    assert "authorization" not in fake.requests[0].headers


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_refused_and_not_followed(status: str):
    async with trap() as (port, seen), FakeLlamaCpp() as fake:
        location = {"Location": f"http://127.0.0.1:{port}/health"}
        error = await refusal(fake, RawAnswer(status, location))
        assert error.kind is ProblemKind.POLICY
        assert seen == []


async def test_cookies_are_not_kept():
    async with FakeLlamaCpp() as fake:
        fake.raw["/health"] = RawAnswer(headers={"Set-Cookie": "a=b; Path=/"}, body=b"{}")
        address = check_endpoint_url(fake.url, allow_remote=False)
        async with make_client(address) as client:
            for _ in range(2):
                await fetch_json(client, "GET", "/health", None, url=address.url)
    assert all("cookie" not in request.headers for request in fake.requests)
    assert len(fake.requests) == 2


async def test_one_connection_serves_many_requests():
    async with FakeLlamaCpp() as fake:
        address = check_endpoint_url(fake.url, allow_remote=False)
        async with make_client(address) as client:
            for _ in range(5):
                await fetch_json(client, "GET", "/health", None, url=address.url)
        assert fake.connections == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        ("401 Unauthorized", b"", ProblemKind.REFUSED, "endpoint.apiKeyEnv"),
        ("403 Forbidden", b"", ProblemKind.REFUSED, "endpoint.apiKeyEnv"),
        ("404 Not Found", b"<html>", ProblemKind.PROTOCOL, "endpoint.url"),
        ("501 Not Implemented", b"", ProblemKind.PROTOCOL, "endpoint.kind"),
        ("503 Service Unavailable", b"{}", ProblemKind.LOADING, "loading"),
        ("429 Too Many Requests", b"", ProblemKind.BUSY, "busy"),
        ("500 Oops", b"", ProblemKind.PROTOCOL, "log"),
        ("400 Bad Request", b'{"error": {"message": "my prompt"}}', ProblemKind.REFUSED, "400"),
        ("400 Bad Request", b"\xff\xfe", ProblemKind.REFUSED, "400"),
        ("400 Bad Request", b"[" * 100_000, ProblemKind.REFUSED, "400"),
        ("204 No Content", b"", ProblemKind.REFUSED, "204"),
        (
            "400 Bad Request",
            b'{"error":{"type":"exceed_context_size_error","n_prompt_tokens":3001,"n_ctx":2048}}',
            ProblemKind.OVERFLOW,
            "3001 of 2048 tokens",
        ),
        (
            "400 Bad Request",
            b'{"error": {"type": "exceed_context_size_error", "n_ctx": "evil"}}',
            ProblemKind.OVERFLOW,
            "longer than the context",
        ),
    ],
)
async def test_refusals(status: str, body: bytes, kind: ProblemKind, words: str):
    async with FakeLlamaCpp() as fake:
        error = await refusal(fake, RawAnswer(status, body=body))
    assert error.kind is kind
    assert words in error.message
    # A server's own words may quote the prompt.
    assert "my prompt" not in error.message
    assert "evil" not in error.message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1',
        b"\xff{}",
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
async def test_answers_that_are_no_json_object(body: bytes):
    async with FakeLlamaCpp() as fake:
        assert (await refusal(fake, RawAnswer(body=body))).kind is ProblemKind.PROTOCOL


async def test_an_answer_may_not_grow_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client_module, "MAX_RESPONSE_BYTES", 1000)
    async with FakeLlamaCpp() as fake:
        body = b'{"a": "' + b"x" * 2000 + b'"}'
        error = await refusal(fake, RawAnswer(body=body))
    assert error.kind is ProblemKind.PROTOCOL
    assert "1000 bytes" in error.message


async def test_a_compressed_answer_is_refused():
    async with FakeLlamaCpp() as fake:
        raw = RawAnswer(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b")
        assert (await refusal(fake, raw)).kind is ProblemKind.PROTOCOL
        assert fake.requests[0].headers["accept-encoding"] == "identity"


async def test_nobody_there():
    async with FakeLlamaCpp() as fake:
        pass
    with pytest.raises(EndpointError) as caught:
        await ask(fake)
    assert caught.value.kind is ProblemKind.DOWN
    assert fake.url in caught.value.message


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", ProblemKind.DOWN),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", ProblemKind.DOWN),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ProblemKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n", ProblemKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000, ProblemKind.PROTOCOL),
    ],
)
async def test_what_answers_is_no_http_server(answer: bytes, kind: ProblemKind):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with FakeLlamaCpp() as fake:
        with pytest.raises(EndpointError) as caught:
            await ask(fake, url=f"http://127.0.0.1:{port}")
    server.close()
    assert caught.value.kind is kind


@pytest.mark.parametrize(
    ("host", "names", "accepted"),
    [
        ("localhost", "DNS:localhost", True),
        ("127.0.0.1", "IP:127.0.0.1", True),
        ("localhost", "DNS:elsewhere.example", False),
        # The socket goes to 127.0.0.1, but that is not what the user named.
        ("localhost", "IP:127.0.0.1", False),
    ],
)
async def test_a_certificate_is_checked_against_the_name_the_user_wrote(
    host: str, names: str, accepted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    certificate = make_certificate(tmp_path, names)
    fake = FakeLlamaCpp()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    await fake.start(tls=context)
    url = f"https://{host}:{fake.port}"
    with pytest.raises(EndpointError, match="certificate") as caught:
        await ask(fake, url=url)
    assert caught.value.kind is ProblemKind.POLICY
    # Installed by the user, it is trusted.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    if accepted:
        assert await ask(fake, url=url) == {"status": "ok"}
    else:
        with pytest.raises(EndpointError, match="certificate"):
            await ask(fake, url=url)
    assert len(fake.requests) == int(accepted)
    await fake.stop()


def make_certificate(folder: Path, names: str) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate of this test, is not installed")
    certificate = folder / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", str(folder / "key.pem"), "-out", str(certificate)]
    command += ["-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={names}"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


def test_importing_us_imports_no_http_library():
    program = (
        "import sirdab.endpoint.select, sirdab.endpoint.client, sirdab.endpoint.connect, "
        "sirdab.endpoint.health, sirdab.endpoint.discovery, sys; "
        "print([m for m in ('httpx', 'httpcore', 'anyio') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
