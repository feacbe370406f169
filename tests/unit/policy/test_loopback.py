"""Which addresses a prompt may be sent to: a table of spellings."""

import contextlib
import ipaddress
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirdab.policy.loopback import (
    EndpointAddress,
    PolicyError,
    RemoteConsent,
    check_endpoint_url,
)

CONSENTS: tuple[RemoteConsent, ...] = (False, True, "without-tls")


def resolving_to(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    def resolver(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        assert host == "localhost", "only localhost may ever be resolved"
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in addresses
        ]

    return resolver


BOTH = resolving_to("::1", "127.0.0.1")


def check(
    url: str, *, allow_remote: RemoteConsent = False, resolver: Any = BOTH
) -> EndpointAddress:
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
@pytest.mark.parametrize("allow_remote", CONSENTS)
def test_this_machine_is_accepted(url: str, allow_remote: RemoteConsent):
    address = check(url, allow_remote=allow_remote)
    found = (address.host, address.port, address.connect_host, address.path)
    assert found == ACCEPTED[url]
    assert address.is_loopback


# Refused whatever the settings say: the words of the reason, and the spellings.
REFUSED: dict[str, tuple[str, ...]] = {
    "not a URL that begins with http": (
        "",
        "auto",
        "127.0.0.1:8012",
        "localhost:8012",
        "//127.0.0.1:8012",
        "http:127.0.0.1",
        "http:/127.0.0.1",
    ),
    "only http:// and https:// are spoken": (
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "unix:///run/llama.sock",
        "ws://127.0.0.1",
        "javascript://127.0.0.1",
        "http+unix://%2Frun%2Fllama.sock",
    ),
    # No host at all.
    "not a plain host name": (
        "http://",
        "http://:8012",
        "http:///completion",
        "http://.",
        "http://%31%32%37.evil.example",
        "http://127.0.0.1%00.evil.example",
        "http://127.0.0.1%2fevil.example",
        "http://loc%61lhost",
        "http://localhost%20",
        "http://exa_mple.test",
        "http://-a.example",
        "http://a-.example",
        "http://a..example",
        "http://example.test.",
        "http://localhost..example",
        "http://" + "a" * 64 + ".example",
        "http://" + ".".join(["abcdefgh"] * 32),
    ),
    # Other spellings of this machine: octal, hexadecimal, decimal, short and padded.
    "four decimal numbers": (
        "http://0:8012",
        "http://127.1:8012",
        "http://127.0.1",
        "http://127",
        "http://2130706433",
        "http://4294967295",
        "http://017700000001",
        "http://0177.0.0.1",
        "http://0177.0x0.0.1",
        "http://127.0.0.01",
        "http://127.000.000.001",
        "http://0x7f000001",
        "http://0X7F000001",
        "http://0x7f.0.0.1",
        "http://0x7F.1",
        "http://0x",
        "http://127.0.0.0x1",
        "http://127.0.0.1.",
        "http://127.0.0.256",
        "http://127.0.0.1.1",
        "http://127..0.0.1",
        "http://.127.0.0.1",
        "http://example.1",
        "http://00000177.0.0.1",
        "http://%31%32%37.0.0.1",
        "http://127.0.0.1.0",
    ),
    "no server can be reached": (
        "http://0.0.0.0:8012",
        "http://0.0.0.0",
        "http://0.0.0.1",
        "http://255.255.255.255",
        "http://224.0.0.1",
        "http://240.0.0.1",
        "http://[fe80::1]",
        "http://[fe80::7f00:1]:8012",
        "http://[fec0::1]",
        "http://[ff02::1]",
        "http://[ff01::1]",
    ),
    "in lower case and without a final dot": (
        "http://Localhost:8012",
        "http://LOCALHOST",
        "http://localhosT:8012",
        "http://localhost.",
        "http://localhost..",
        "http://LOCALHOST.:8012",
    ),
    "names below localhost": (
        "http://api.localhost",
        "http://API.LOCALHOST",
        "http://localhost.localhost",
        "http://127.0.0.1.localhost",
    ),
    "for this machine write localhost": (
        "http://localhost.localdomain",
        "http://LocalHost.LocalDomain",
        "http://localhost.localdomain.",
        "http://localhost4",
        "http://localhost6.localdomain6",
        "http://ip6-localhost",
        "http://ip6-loopback:8012",
        "http://loopback",
        "http://broadcasthost",
    ),
    "not an IPv6 address": (
        "http://[127.0.0.1]",
        "http://[]",
        "http://[v1.x]",
        "http://[::1::]",
        "http://[localhost]",
        "http://[1::0x1]",
        "http://[:::1]",
    ),
    "stands for an IPv4 address": (
        "http://[::]",
        "http://[::]:8012",
        "http://[0:0:0:0:0:0:0:1]",
        "http://[0000::1]",
        "http://[::01]",
        "http://[::0001]",
        "http://[::0.0.0.1]",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:7f00:1]",
        "http://[::FFFF:127.0.0.1]",
        "http://[0:0:0:0:0:ffff:7f00:1]",
        "http://[::127.0.0.1]",
        "http://[::7f00:1]",
        "http://[::2:1]",
        # Translated by a gateway (NAT64), a tunnel (6to4, Teredo) or a stack (SIIT).
        "http://[64:ff9b::127.0.0.1]",
        "http://[64:ff9b::7f00:1]",
        "http://[64:ff9b:1::7f00:1]",
        "http://[2002:7f00:1::]",
        "http://[2002:7f00:1::1]",
        "http://[2001:0:7f00:1::1]",
        "http://[2001::80ff:fffe]",
        "http://[::ffff:0:127.0.0.1]",
    ),
    "in its short form": ("http://[fd00:0:0:0:0:0:0:1]", "http://[fd00::0001]"),
    "with a zone": (
        "http://[::1%lo]",
        "http://[::1%25lo]",
        "http://[fe80::1%eth0]",
        "http://[::1%]",
        "http://[::1%00]",
    ),
    "stands in brackets": (
        "http://::1",
        "http://::1:8012",
        "http://127.0.0.1:80:80",
        "http://::ffff:127.0.0.1",
        "http://fe80::1",
    ),
    "its host cannot be read": (
        "http://[::1",
        "http://[::1]x:8012",
        "http://[::1]]",
        "http://x[::1]",
        "http://[::1][::1]",
        "http://127.0.0.1]",
    ),
    # What hides the host.
    "user name or password": (
        "http://user@127.0.0.1",
        "http://user:secret@127.0.0.1:8012",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1:80@evil.example",
        "http://@127.0.0.1",
        "http://:@127.0.0.1",
        "http://a@b@127.0.0.1",
        "http://127.0.0.1%2f@evil.example",
        "http://localhost:8012@[::1]",
    ),
    "space, a backslash, a control character or a character that is not ASCII": (
        "http://evil.example\\@127.0.0.1",
        "http://127.0.0.1\\.evil.example",
        "http:\\\\127.0.0.1",
        "http://local\thost",
        "http://local\nhost",
        "http://local\rhost",
        " http://127.0.0.1",
        "http://127.0.0.1 ",
        "http://127.0.0.1\n",
        "http://127.0.0.1\r\nHost: evil.example",
        "http://127.0.0.1\x00",
        "http://127.0.0.1\x7f",
        "http://127.0.0.1\x85",
        "\ufeffhttp://127.0.0.1",
        "http://①②⑦.⓪.⓪.①",
        "http://127。0。0。1",
        "http://127．0．0．1",
        "http://１２７.0.0.1",
        "http://١٢٧.0.0.1",
        "http://ⓛocalhost",
        "http://ｌｏｃａｌｈｏｓｔ",
        "http://lоcalhost",  # the second letter is Cyrillic
        "http://locaIhost\u0301",
        "http://local\u200bhost",
        "http://local\u00adhost",
        "http://\u202etsohlacol",
        "http://127.0.0.1:٨٠",
        "http://127.0.0.1:８０",
        "http://127.0.0.1/a\\b",
        "hTTp://127.0.0.1／evil.example",
        "http：//127.0.0.1",
    ),
    "its port is not a number": (
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:00",
        "http://127.0.0.1:080",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:123456",
        "http://127.0.0.1:-1",
        "http://127.0.0.1:+80",
        "http://127.0.0.1:8e1",
        "http://127.0.0.1:8_0",
        "http://127.0.0.1:8080a",
        "http://127.0.0.1:0x50",
        "http://127.0.0.1:80.",
        "http://127.0.0.1:http",
        "http://127.0.0.1:%38%30",
        "http://[::1]:",
        "http://[::1]:0",
        "http://localhost:65536",
    ),
    # What follows the host.
    "no query": (
        "http://127.0.0.1?x=1",
        "http://127.0.0.1/?x=1",
        "http://127.0.0.1/?",
        "http://127.0.0.1#evil.example",
        "http://127.0.0.1/#",
        "http://127.0.0.1#@evil.example",
        "http://127.0.0.1?@evil.example",
    ),
    "its path may hold only": (
        "http://127.0.0.1//evil.example",
        "http://127.0.0.1/a//b",
        "http://127.0.0.1/../x",
        "http://127.0.0.1/a/./b",
        "http://127.0.0.1/%2e%2e/x",
        "http://127.0.0.1/a;b",
        "http://127.0.0.1/a@b",
        "http://127.0.0.1/@evil.example",
        "http://127.0.0.1/http://evil.example",
    ),
    "longer than": ("http://127.0.0.1/" + "a" * 2048,),
}
NEVER = [(url, words) for words, urls in REFUSED.items() for url in urls]


@pytest.mark.parametrize(("url", "words"), NEVER)
@pytest.mark.parametrize("allow_remote", CONSENTS)
def test_other_spellings_are_refused_with_the_reason(
    url: str, words: str, allow_remote: RemoteConsent
) -> None:
    secure = url.replace("http://", "https://", 1)
    for spelling in {url, secure}:
        with pytest.raises(PolicyError) as caught:
            check(spelling, allow_remote=allow_remote)
        assert words in caught.value.message
        assert caught.value.message.endswith(".")
        assert caught.value.message.isascii()
        assert caught.value.message.isprintable()


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
    plain = check(url.replace("https:", "http:"), allow_remote="without-tls")
    assert (plain.scheme, plain.host, plain.is_loopback) == ("http", address.host, False)


@pytest.mark.parametrize("consent", ["true", "false", "yes", "with-tls", 1, None, [], "True"])
def test_what_is_no_value_of_the_setting_is_no_consent(consent: Any) -> None:
    with pytest.raises(PolicyError, match="allowRemote"):
        check("https://example.test", allow_remote=consent)


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
@pytest.mark.parametrize("allow_remote", CONSENTS)
def test_localhost_is_only_ever_this_machine(
    resolver: Any, expect: str | None, allow_remote: RemoteConsent
):
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
    for url in (
        "http://me:hunter2@127.0.0.1",
        "http://me:hun@ter2@127.0.0.1/",
        "http://me:ter2/x@127.0.0.1/",
        "http://me:ter2//x@127.0.0.1/",
        "me:ter2//x@127.0.0.1",
        "http://me:ter2?x@127.0.0.1",
    ):
        with pytest.raises(PolicyError) as caught:
            check(url)
        assert "ter2" not in caught.value.message
        assert "...@127.0.0.1" in caught.value.message


def test_an_endless_address_is_refused_at_once():
    # What hides a password would take hours if it looked for one at every place; the test's own
    # time limit would tell.
    with pytest.raises(PolicyError, match="longer than"):
        check("http://" + "a" * 2_000_000)


def test_the_table_is_long_enough():
    assert len({url for url, _ in NEVER} | set(ACCEPTED) | set(REMOTE)) >= 200
    assert len({url for url, _ in NEVER}) == len(NEVER)


# --- No other parser sends elsewhere what is accepted -----------------------------------------

_PIECES = st.sampled_from(
    [
        *"0123456789abcxyz.:/[]@%?#\\_-~+ \t\n１。ⓛ\u0430",
        "http", "https", "http://", "https://", "://", "127.0.0.1", "127.", "0.0.1", "::1", "[::1]",
        "%2e", "localhost", "LOCALHOST", ".localhost", "0x7f", "0177", "2130706433", "::ffff:",
        "%00", "xn--", "evil.example", "user@", ":80", ":8012", ":0", "//", "..", "fd00::1",
        "[fd00::1]", "%25",
    ]
)  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=8).map("".join)


@st.composite
def _spellings(draw: st.DrawFn) -> str:
    """URLs that pass the rules or are a few characters away from one that does."""
    url = draw(st.one_of(st.sampled_from([*ACCEPTED, *REMOTE]), _TEXTS.map("http://{}".format)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(url)))
        url = url[:at] + draw(_TEXTS) + url[at + draw(st.integers(0, 3)) :]
    return url


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


@given(_spellings(), st.sampled_from(CONSENTS))
@settings(max_examples=1500)
def test_what_is_accepted_means_the_same_to_every_parser(
    url: str, allow_remote: RemoteConsent
) -> None:
    try:
        address = check(url, allow_remote=allow_remote)
    except PolicyError:
        return
    assert not (allow_remote is False and not address.is_loopback)
    assert address.is_loopback or address.scheme == "https" or allow_remote == "without-tls"
    expect = (address.scheme, address.host, address.port, address.path)
    standard = urlsplit(url)
    port = standard.port or {"http": 80, "https": 443}[standard.scheme]
    assert (standard.scheme, standard.hostname, port, standard.path.rstrip("/")) == expect
    assert standard.username is standard.password is None
    other = httpx.URL(url)
    host = other.raw_host.decode("ascii").lower()
    port = other.port or {"http": 80, "https": 443}[other.scheme]
    assert (other.scheme, host, port, other.raw_path.decode("ascii").rstrip("/")) == expect
    assert other.userinfo == b""
    # What we call this machine is this machine to the resolver, and nothing else is.
    try:
        packed = socket.inet_aton(address.host)
    except OSError:
        packed = None
    if packed is not None:
        assert ipaddress.ip_address(packed) == ipaddress.ip_address(address.host)
    if address.is_loopback:
        assert _is_this_machine(address.host)
        assert ipaddress.ip_address(address.connect_host).is_loopback
    else:
        assert address.connect_host == address.host
        with contextlib.suppress(ValueError):
            assert not _is_this_machine(address.host)
    # And what is connected to is read back as what was checked.
    for spelt, meant in ((address.connect_url, address.connect_host), (address.url, address.host)):
        again = check(spelt, allow_remote=allow_remote)
        assert (again.host, again.port, again.path) == (meant, address.port, address.path)
        assert urlsplit(spelt).hostname == meant
