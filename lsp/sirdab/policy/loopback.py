"""Decides which addresses a prompt may be sent to. Every HTTP client starts from here.

The rule (SECURITY.md): without `endpoint.allowRemote` only this machine, written in one of
three ways (a dotted quad of 127.0.0.0/8, `[::1]`, or exactly `localhost`).
Every other spelling of an address is refused, even where it happens to mean this machine,
because URL parsers, resolvers and people disagree about what such spellings mean, and a
disagreement is how text leaves a machine that was thought to be closed.

A server on another machine needs the user's consent, and then TLS, which also proves that it is
the machine that was meant. Who consents to "without-tls" has been told what that means.

The URL is taken apart here and not by a library: what is checked must be what is connected to,
and `sirdab.endpoint.guarded_transport` looks again at every connection.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

RemoteConsent = bool | Literal["without-tls"]
"""What the user says of servers on other machines: False is never, True over https, and
"without-tls" over http as well."""

Resolver = Callable[..., Iterable[tuple[Any, ...]]]
"""A function that is called and answers like `socket.getaddrinfo`."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_URL = 2048
_EXAMPLE = "http://127.0.0.1:8012"

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)"
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_DOTTED_QUAD = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
# A host whose last label is a number is an IPv4 address to browsers and resolvers, however it is
# written (WHATWG URL, "ends in a number"): 127.1, 2130706433, 0x7f.1, 0177.0.0.1.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")
# Names that the hosts file of some system gives to this machine, or to nothing at all.
_OTHER_NAMES = frozenset(
    {
        "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6",
        "localhost6.localdomain6", "ip6-localhost", "ip6-loopback", "loopback", "broadcasthost",
        "ip6-allnodes", "ip6-allrouters", "ip6-localnet", "ip6-mcastprefix",
    }
)  # fmt: skip
# Networks whose addresses say an IPv4 address in other words, which a gateway or the operating
# system may translate back, also to one of this machine.
_CARRIES_IPV4 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible, RFC 4291 section 2.5.5.1
        "::ffff:0:0/96",  # IPv4-mapped, RFC 4291 section 2.5.5.2
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # NAT64 of a network's own, RFC 8215
        "2001::/32",  # Teredo, RFC 4380
        "2002::/16",  # 6to4, RFC 3056
    )
)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")


class PolicyError(ValueError):
    """An address is forbidden.

    Attributes:
        message: One plain sentence that says what is wrong and what to write instead.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """An address that passed the rules.

    Attributes:
        scheme: "http" or "https".
        host: The host as the user wrote it, without brackets; goes into the Host header.
        port: TCP port.
        connect_host: What to connect to: a literal IP address for this machine, never a name
            that could come to mean something else; the name itself for a remote host.
        path: Base path without its last slash; "" when there is none.
        is_loopback: Whether the address is this machine.
    """

    scheme: str
    host: str
    port: int
    connect_host: str
    path: str
    is_loopback: bool

    @property
    def authority(self) -> str:
        """Host and port as the Host header spells them (RFC 9110 section 7.2)."""
        return _authority(self.host, self.port, self.scheme)

    @property
    def url(self) -> str:
        """The address as a person reads it."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def connect_url(self) -> str:
        """The address with the host that the socket is opened to."""
        return f"{self.scheme}://{_authority(self.connect_host, self.port, self.scheme)}{self.path}"


def check_endpoint_url(
    url: str, *, allow_remote: RemoteConsent, resolver: Resolver = socket.getaddrinfo
) -> EndpointAddress:
    """Check an endpoint's URL against the rules and say where to connect.

    Args:
        url: What the user's settings hold.
        allow_remote: The setting `endpoint.allowRemote`. Whatever is none of its values is no
            consent.
        resolver: Resolves `localhost`, once; the other hosts are never resolved here.

    Raises:
        PolicyError: The address is forbidden or cannot be understood.
    """
    if len(url) > _LONGEST_URL:
        _refuse(url, f"it is longer than {_LONGEST_URL} characters")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        _refuse(
            url,
            "it holds a space, a backslash, a control character or a character that is not ASCII",
        )
    parts = _URL.fullmatch(url)
    if parts is None:
        _refuse(url, "it is not a URL that begins with http:// or https://")
    scheme = parts["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        _refuse(url, "only http:// and https:// are spoken")
    if parts["rest"]:
        _refuse(url, "a base address has no query (?) and no fragment (#)")
    if "@" in parts["authority"]:
        _refuse(
            url,
            "a user name or password does not belong in it; name the environment variable that "
            "holds the API key in endpoint.apiKeyEnv",
        )
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        _refuse(url, "its host cannot be read")
    if not authority["host"].startswith("[") and parts["authority"].count(":") > 1:
        _refuse(url, "it has several colons; an IPv6 address stands in brackets, like [::1]")
    port = _check_port(url, authority["port"], scheme)
    path = _check_path(url, parts["path"])
    host, is_loopback = _check_host(url, authority["host"])
    if is_loopback:
        connect_host = _resolve_localhost(resolver, port) if host == "localhost" else host
    elif allow_remote is not True and allow_remote != "without-tls":
        _refuse(
            url,
            "it is not on this machine; Sirdab sends code nowhere else unless "
            "endpoint.allowRemote is true in your own settings",
        )
    elif scheme != "https" and allow_remote is True:
        _refuse(
            url,
            "a server on another machine must be reached through https://, or "
            'endpoint.allowRemote be "without-tls", where everybody on the way can read your code',
        )
    else:
        connect_host = host
    return EndpointAddress(scheme, host, port, connect_host, path, is_loopback)


def _check_port(url: str, text: str | None, scheme: str) -> int:
    if text is None:
        return _DEFAULT_PORTS[scheme]
    if not _PORT.fullmatch(text) or int(text) > 65535:
        _refuse(url, "its port is not a number from 1 to 65535")
    return int(text)


def _check_path(url: str, path: str) -> str:
    # Dots at the start of a segment, empty segments and percent signs are left out: they are
    # rewritten on the way by clients and servers, each in its own manner.
    if not _PATH.fullmatch(path):
        _refuse(url, "its path may hold only letters, digits and . _ ~ - between single slashes")
    return path.rstrip("/")


def _check_host(url: str, host: str) -> tuple[str, bool]:
    """Return the host without brackets and whether it is this machine."""
    if host.startswith("["):
        return _check_ipv6(url, host[1:-1])
    if host == "localhost":
        return host, True
    if host.rstrip(".").lower() == "localhost":
        _refuse(url, "write the host as localhost, in lower case and without a final dot")
    if _ENDS_IN_NUMBER.fullmatch(host):
        return _check_ipv4(url, host)
    if host.rstrip(".").lower() in _OTHER_NAMES:
        _refuse(url, "for this machine write localhost or 127.0.0.1")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        _refuse(
            url,
            "its host is not a plain host name of letters, digits, hyphens and single dots",
        )
    if labels[-1].lower() == "localhost":
        # RFC 6761 reserves them for this machine, but not every resolver obeys.
        _refuse(url, "names below localhost are not used; write localhost or 127.0.0.1")
    return host.lower(), False


def _check_ipv4(url: str, host: str) -> tuple[str, bool]:
    numbers = [int(part) for part in host.split(".")] if _DOTTED_QUAD.fullmatch(host) else []
    if not numbers or max(numbers) > 255:
        _refuse(
            url,
            "an IPv4 address is written as four decimal numbers from 0 to 255 without leading "
            "zeros, like 127.0.0.1",
        )
    address = ipaddress.IPv4Address(host)
    if numbers[0] == 0 or address.is_multicast or address.is_reserved:
        _refuse(url, "no server can be reached at this address; for this machine write 127.0.0.1")
    return host, address.is_loopback


def _check_ipv6(url: str, host: str) -> tuple[str, bool]:
    if "%" in host:
        _refuse(url, "an IPv6 address with a zone (%) is not used; for this machine write [::1]")
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        _refuse(url, "the text in brackets is not an IPv6 address; for this machine write [::1]")
    if host != "::1" and any(address in network for network in _CARRIES_IPV4):
        _refuse(
            url,
            "this form of address stands for an IPv4 address; write that one, 127.0.0.1 for this "
            "machine",
        )
    if address.is_multicast or address.is_link_local or address.is_site_local:
        _refuse(url, "no server can be reached at this address; for this machine write [::1]")
    if str(address) != host.lower():
        _refuse(url, f"write the IPv6 address in its short form, [{address}]")
    return str(address), address.is_loopback


def _resolve_localhost(resolver: Resolver, port: int) -> str:
    """Resolve `localhost` once and return a literal loopback address."""
    advice = "write 127.0.0.1 (or [::1]) in endpoint.url instead of localhost"
    try:
        answers = list(resolver("localhost", port, type=socket.SOCK_STREAM))
        found = [str(answer[4][0]) for answer in answers]
    except (OSError, UnicodeError, IndexError, TypeError):
        raise PolicyError(f"localhost cannot be resolved on this machine; {advice}.") from None
    if not found:
        raise PolicyError(f"localhost has no address on this machine; {advice}.")
    for address in found:
        if not _is_plain_loopback(address):
            # One foreign answer is enough: a resolver that gives one is misconfigured or hostile.
            raise PolicyError(
                "localhost resolves to an address outside this machine, so nothing is sent; "
                f"mend the hosts file or {advice}."
            )
    # Model servers listen on 127.0.0.1 unless told otherwise, so IPv4 is tried when both exist.
    return min(found, key=lambda address: ":" in address)


def _is_plain_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return text == "::1"
    return address.is_loopback


def _authority(host: str, port: int, scheme: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"


def _refuse(url: str, why: str) -> NoReturn:
    # A password in the address must not reach a log through its own error message, and it may
    # itself hold a slash or an "@".
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url)
    _, at, rest = url.rpartition("@")
    hidden = f"{scheme[0] if scheme else ''}...@{rest}" if at else url
    shown = hidden if len(hidden) <= 80 else hidden[:77] + "..."
    raise PolicyError(
        f"endpoint.url {shown!a} is refused: {why} (an address that works looks like {_EXAMPLE})."
    )
