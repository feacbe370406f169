"""Which addresses a prompt may be sent to: a table of spellings."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from sirdab.policy.loopback import EndpointAddress, PolicyError, check_endpoint_url


def resolving_to(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    def resolver(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        assert host == "localhost", "only localhost may ever be resolved"
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in addresses
        ]

    return resolver


BOTH = resolving_to("::1", "127.0.0.1")


def check(url: str, *, allow_remote: bool = False, resolver: Any = BOTH) -> EndpointAddress:
    return check_endpoint_url(url, allow_remote=allow_remote, resolver=resolver)


# url -> (host, port, connect_host, path)
ACCEPTED = {
    "http://127.0.0.1": ("127.0.0.1", 80, "127.0.0.1", ""),
    "http://127.0.0.1/": ("127.0.0.1", 80, "127.0.0.1", ""),
    "http://127.0.0.1:8012": ("127.0.0.1", 8012, "127.0.0.1", ""),
    "http://127.0.0.1:1": ("127.0.0.1", 1, "127.0.0.1", ""),
    "http://127.0.0.1:65535": ("127.0.0.1", 65535, "127.0.0.1", ""),
    "HTTP://127.0.0.1:8012": ("127.0.0.1", 8012, "127.0.0.1", ""),
    "https://127.0.0.1": ("127.0.0.1", 443, "127.0.0.1", ""),
    "http://127.0.0.2:8012": ("127.0.0.2", 8012, "127.0.0.2", ""),
    "http://127.255.255.254": ("127.255.255.254", 80, "127.255.255.254", ""),
    "http://[::1]": ("::1", 80, "::1", ""),
    "http://[::1]:8012": ("::1", 8012, "::1", ""),
    "http://localhost": ("localhost", 80, "127.0.0.1", ""),
    "http://localhost:11434": ("localhost", 11434, "127.0.0.1", ""),
    "https://localhost:8443": ("localhost", 8443, "127.0.0.1", ""),
    "http://127.0.0.1:8012/api": ("127.0.0.1", 8012, "127.0.0.1", "/api"),
    "http://127.0.0.1:8012/api/": ("127.0.0.1", 8012, "127.0.0.1", "/api"),
    "http://127.0.0.1:8012/a/b-c_d.e~f": ("127.0.0.1", 8012, "127.0.0.1", "/a/b-c_d.e~f"),
}


@pytest.mark.parametrize("url", ACCEPTED)
@pytest.mark.parametrize("allow_remote", [False, True])
def test_this_machine_is_accepted(url: str, allow_remote: bool):
    address = check(url, allow_remote=allow_remote)
    found = (address.host, address.port, address.connect_host, address.path)
    assert found == ACCEPTED[url]
    assert address.is_loopback


# Refused whatever the settings say.
NEVER = [
    "",
    "auto",
    "127.0.0.1:8012",
    "localhost:8012",
    "//127.0.0.1:8012",
    "http:127.0.0.1",
    "http:/127.0.0.1",
    "http://",
    "http://:8012",
    "http:///completion",
    "ftp://127.0.0.1",
    "file:///etc/passwd",
    "unix:///run/llama.sock",
    "ws://127.0.0.1",
    "javascript://127.0.0.1",
    # Other spellings of this machine.
    "http://0.0.0.0:8012",
    "http://0:8012",
    "http://0.0.0.1",
    "http://127.1:8012",
    "http://127.0.1",
    "http://127",
    "http://2130706433",
    "http://017700000001",
    "http://0177.0.0.1",
    "http://127.0.0.01",
    "http://127.000.000.001",
    "http://0x7f000001",
    "http://0x7f.0.0.1",
    "http://0x7F.1",
    "http://0x",
    "http://127.0.0.0x1",
    "http://127.0.0.1.",
    "http://127.0.0.256",
    "http://127.0.0.1.1",
    "http://127.0.0.-1",
    "http://127..0.0.1",
    "http://.127.0.0.1",
    "http://255.255.255.255",
    "http://224.0.0.1",
    "http://240.0.0.1",
    "http://Localhost:8012",
    "http://LOCALHOST",
    "http://localhost.",
    "http://localhost..",
    "http://api.localhost",
    "http://localhost.localhost",
    "http://[127.0.0.1]",
    "http://[::]",
    "http://[::]:8012",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[0000::1]",
    "http://[::01]",
    "http://[::0.0.0.1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::FFFF:127.0.0.1]",
    "http://[0:0:0:0:0:ffff:7f00:1]",
    "http://[::127.0.0.1]",
    "http://[::7f00:1]",
    "http://[::2:1]",
    "http://[::1%lo]",
    "http://[::1%25lo]",
    "http://[fe80::1%eth0]",
    "http://[ff02::1]",
    "http://[::1",
    "http://::1",
    "http://::1:8012",
    "http://[]",
    "http://[v1.x]",
    "http://[::1]x:8012",
    # What hides the host.
    "http://user@127.0.0.1",
    "http://user:secret@127.0.0.1:8012",
    "http://127.0.0.1@evil.example",
    "http://127.0.0.1:80@evil.example",
    "http://@127.0.0.1",
    "http://evil.example\\@127.0.0.1",
    "http://127.0.0.1\\.evil.example",
    "http://%31%32%37.0.0.1",
    "http://127.0.0.1%00.evil.example",
    "http://127%2e0.0.1",
    "http://local\thost",
    "http://local\nhost",
    " http://127.0.0.1",
    "http://127.0.0.1 ",
    "http://127.0.0.1\n",
    "http://127.0.0.1\x00",
    "http://127.0.0.1\x7f",
    "http://①②⑦.⓪.⓪.①",
    "http://127。0。0。1",
    "http://１２７.0.0.1",
    "http://ⓛocalhost",
    "http://lоcalhost",  # the second letter is Cyrillic
    "http://local\u200bhost",
    "http://local\u00adhost",
    "http://exa_mple.test",
    "http://-a.example",
    "http://a-.example",
    "http://a..example",
    "http://example.test.",
    "http://" + "a" * 64 + ".example",
    "http://" + ".".join(["abcdefgh"] * 32),
    "http://127.0.0.1/" + "a" * 2048,
    # Ports.
    "http://127.0.0.1:",
    "http://127.0.0.1:0",
    "http://127.0.0.1:080",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:123456",
    "http://127.0.0.1:-1",
    "http://127.0.0.1:+80",
    "http://127.0.0.1:8e1",
    "http://127.0.0.1:0x50",
    "http://127.0.0.1:80:80",
    "http://127.0.0.1:http",
    "http://127.0.0.1:٨٠",
    # What follows the host.
    "http://127.0.0.1?x=1",
    "http://127.0.0.1/?x=1",
    "http://127.0.0.1/?",
    "http://127.0.0.1#evil.example",
    "http://127.0.0.1/#",
    "http://127.0.0.1//evil.example",
    "http://127.0.0.1/a//b",
    "http://127.0.0.1/../x",
    "http://127.0.0.1/a/./b",
    "http://127.0.0.1/%2e%2e/x",
    "http://127.0.0.1/a;b",
    "http://127.0.0.1/a@b",
    "http://127.0.0.1/a\\b",
]


@pytest.mark.parametrize("url", NEVER)
@pytest.mark.parametrize("allow_remote", [False, True])
def test_other_spellings_are_refused(url: str, allow_remote: bool):
    secure = url.replace("http://", "https://", 1)
    for spelling in {url, secure}:
        with pytest.raises(PolicyError) as caught:
            check(spelling, allow_remote=allow_remote)
        assert caught.value.message.endswith(".")
        assert "\n" not in caught.value.message


# Refused unless the user allows remote servers; then only through https.
REMOTE = {
    "https://example.test": ("example.test", 443),
    "https://EXAMPLE.test:8443": ("example.test", 8443),
    "https://127.0.0.1.evil.example": ("127.0.0.1.evil.example", 443),
    "https://localhost.evil.example": ("localhost.evil.example", 443),
    "https://localhos": ("localhos", 443),
    "https://xn--lcalhost-n4a.example": ("xn--lcalhost-n4a.example", 443),
    "https://10.0.0.7:8012": ("10.0.0.7", 8012),
    "https://192.168.1.20": ("192.168.1.20", 443),
    "https://126.255.255.255": ("126.255.255.255", 443),
    "https://128.0.0.1": ("128.0.0.1", 443),
    "https://169.254.169.254": ("169.254.169.254", 443),
    "https://[fd00::1]:8012": ("fd00::1", 8012),
    "https://[FD00::A]": ("fd00::a", 443),
    "https://[2001:db8::1]": ("2001:db8::1", 443),
}


@pytest.mark.parametrize("url", REMOTE)
def test_a_remote_host_needs_consent_and_https(url: str):
    with pytest.raises(PolicyError, match="allowRemote"):
        check(url)
    with pytest.raises(PolicyError, match="allowRemote"):
        check(url.replace("https:", "http:"))
    with pytest.raises(PolicyError, match="https"):
        check(url.replace("https:", "http:"), allow_remote=True)
    address = check(url, allow_remote=True)
    assert (address.host, address.port) == REMOTE[url]
    assert address.connect_host == address.host
    assert not address.is_loopback


@pytest.mark.parametrize(
    ("resolver", "expect"),
    [
        (resolving_to("127.0.0.1"), "127.0.0.1"),
        (resolving_to("::1"), "::1"),
        (resolving_to("::1", "127.0.0.1"), "127.0.0.1"),
        (resolving_to("127.0.1.1", "127.0.0.1"), "127.0.1.1"),
        (resolving_to(), None),
        (resolving_to("127.0.0.1", "192.0.2.1"), None),
        (resolving_to("192.0.2.1"), None),
        (resolving_to("0.0.0.0"), None),
        (resolving_to("::1", "fe80::1%lo0"), None),
        (resolving_to("::ffff:127.0.0.1"), None),
        (resolving_to("::1", "2001:db8::1"), None),
        (resolving_to("localhost"), None),
    ],
)
@pytest.mark.parametrize("allow_remote", [False, True])
def test_localhost_is_only_ever_this_machine(resolver: Any, expect: str | None, allow_remote: bool):
    if expect is None:
        with pytest.raises(PolicyError, match=r"127\.0\.0\.1"):
            check("http://localhost:8012", resolver=resolver, allow_remote=allow_remote)
    else:
        address = check("http://localhost:8012", resolver=resolver, allow_remote=allow_remote)
        assert address.connect_host == expect
        assert address.host == "localhost"


def test_localhost_is_resolved_once_and_others_never():
    calls: list[str] = []

    def rebinding(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        calls.append(host)
        # A rebinding resolver tells the truth once.
        return resolving_to("127.0.0.1" if len(calls) == 1 else "192.0.2.1")(host, port)

    address = check("http://localhost:8012", resolver=rebinding)
    assert address.connect_url == "http://127.0.0.1:8012"
    assert address.url == "http://localhost:8012"
    check("http://127.0.0.1:8012", resolver=rebinding)
    check("https://example.test", resolver=rebinding, allow_remote=True)
    assert calls == ["localhost"]


def test_a_resolver_that_fails_is_one_sentence():
    def failing(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(PolicyError, match="cannot be resolved"):
        check("http://localhost", resolver=failing)


def test_the_real_resolver_is_asked_by_default():
    address = check_endpoint_url("http://localhost:8012", allow_remote=False)
    assert address.connect_host in {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("url", "shown", "connect"),
    [
        ("http://[::1]:8012/x/", "http://[::1]:8012/x", "http://[::1]:8012/x"),
        ("http://127.0.0.1:80", "http://127.0.0.1", "http://127.0.0.1"),
        ("https://localhost", "https://localhost", "https://127.0.0.1"),
        ("https://localhost:80", "https://localhost:80", "https://127.0.0.1:80"),
    ],
)
def test_urls_are_spelt_back(url: str, shown: str, connect: str):
    address = check(url)
    assert (address.url, address.connect_url) == (shown, connect)


def test_a_password_is_not_repeated_in_the_message():
    for url in ("http://me:hunter2@127.0.0.1", "http://me:hun@ter2@127.0.0.1/"):
        with pytest.raises(PolicyError) as caught:
            check(url)
        assert "ter2" not in caught.value.message


def test_the_table_is_long_enough():
    assert len(set(NEVER) | set(ACCEPTED) | set(REMOTE)) >= 60
