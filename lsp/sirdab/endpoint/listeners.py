"""Who listens on a port of this machine.

On a machine that several people share, any of them may listen where a model server is expected,
and would be sent the code of whoever looks there. So only those are believed who belong to this
user or to the system:

- On Linux the kernel says which user each listening socket belongs to (`/proc/net/tcp` and
  `/proc/net/tcp6`; Linux, Documentation/networking/proc_net_tcp.rst). Users below 1000 belong to
  the system (UID_MIN in login.defs(5)): services such as Ollama's, and what containers publish.
  Nobody (65534), who stands for users of other namespaces as well, is not among them.
- Elsewhere psutil is asked which of this user's own processes listen, which needs no privileges.
  What it does not tell is not believed.

A port is believed only if everybody is who could answer on it.
"""

import ipaddress
import os
import struct
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_FIRST_PERSON = 1000
_LISTENING = "0A"
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


class Listener(NamedTuple):
    """A program that accepts connections on this machine.

    Attributes:
        port: TCP port.
        host: Literal loopback address under which it is reached.
        mark: Changes when another program listens; so does a restart change it.
    """

    port: int
    host: str
    mark: int


class Row(NamedTuple):
    """One listening socket.

    Attributes:
        address: Where it listens, perhaps on all addresses.
        port: TCP port.
        uid: Whose it is; None when that is not known.
        mark: Identifies the socket.
    """

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    uid: int | None
    mark: int


def believed(ports: Collection[int]) -> tuple[Listener, ...]:
    """Return who listens on the given ports and is believed, in the order of the ports.

    Reads files or asks the operating system, which takes about a millisecond on Linux and some
    tens elsewhere.

    Args:
        ports: TCP ports, the preferred ones first.
    """
    if not ports:
        return ()
    uid = os.getuid() if sys.platform != "win32" else None
    rows = _rows_of_linux() if sys.platform == "linux" else _rows_of_psutil(uid)
    return judge(rows, ports, uid)


def judge(rows: Iterable[Row], ports: Collection[int], uid: int | None) -> tuple[Listener, ...]:
    """Decide which of the given ports lead to somebody who is believed.

    Args:
        rows: All listening sockets.
        ports: TCP ports, the preferred ones first.
        uid: This user; None where users have no number, and then a row's must be None as well.
    """
    reachable: dict[int, list[Row]] = {}
    for row in rows:
        if row.port in ports and _reached_as(row.address):
            reachable.setdefault(row.port, []).append(row)
    found: list[Listener] = []
    for port in dict.fromkeys(ports):
        here = reachable.get(port, [])
        if here and all(_is_believed(row.uid, uid) for row in here):
            # Most servers listen on 127.0.0.1, so that one is taken when there are two.
            first = min(here, key=lambda row: (_reached_as(row.address) != "127.0.0.1", row.mark))
            found.append(Listener(port, _reached_as(first.address), first.mark))
    return tuple(found)


def _is_believed(owner: int | None, uid: int | None) -> bool:
    return owner == uid or (owner is not None and owner < _FIRST_PERSON)


def _reached_as(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return the loopback address that leads to a socket; "" when none does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _reached_as(address.ipv4_mapped)
        # A socket on all addresses of IPv6 mostly takes those of IPv4 as well, but not always.
        return "::1" if address.is_loopback or address.is_unspecified else ""
    if address.is_unspecified:
        return "127.0.0.1"
    return str(address) if address.is_loopback else ""


def parse_table(text: str) -> Iterator[Row]:
    """Read the listening sockets of a table like `/proc/net/tcp`; lines of another form are left.

    Args:
        text: The table.
    """
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _LISTENING:
            continue
        host, _, port = fields[1].partition(":")
        with suppress(ValueError, struct.error):
            # Each 32 bits of the address are printed as a number of this machine's byte order.
            words = [int(host[start : start + 8], 16) for start in range(0, len(host), 8)]
            packed = struct.pack(f"={len(words)}I", *words)
            address = ipaddress.ip_address(packed)
            yield Row(address, int(port, 16), int(fields[7]), int(fields[9]))


def _rows_of_linux() -> Iterator[Row]:
    for table in _TABLES:
        # Without IPv6 the second one is not there; what cannot be read is not believed.
        with suppress(OSError):
            yield from parse_table(table.read_text(encoding="ascii", errors="replace"))


def _rows_of_psutil(uid: int | None) -> Iterator[Row]:
    import psutil

    me = psutil.Process().username()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError, ValueError):
            if process.username() != me:
                continue
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    address = ipaddress.ip_address(connection.laddr.ip)
                    yield Row(address, connection.laddr.port, uid, process.pid)
