"""Looks for model servers on this machine, for `endpoint.url: "auto"`.

Only loopback is looked at, and there only the ports that model servers use unless told otherwise.
On a machine that several people share any of them may listen on such a port, and would be sent
code; so only listeners are believed that belong to this user or to the system
(`sirdab.endpoint.listeners`). Where nobody listens nothing is sent at all.

`SIRDAB_DISCOVERY_PORTS` names other ports, with commas between; empty stands for none.

Sources of the ports: `profiles.toml`; llama.cpp's editor plugins (8012); GPT4All's documentation
(4891); Ollama, docs/faq (11434, `OLLAMA_HOST`).
"""

import asyncio
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.identify import Identified, identify
from sirdab.endpoint.listeners import Listener, believed
from sirdab.endpoint.profiles import profiles
from sirdab.policy.loopback import EndpointAddress, PolicyError, check_endpoint_url

PORTS_ENV = "SIRDAB_DISCOVERY_PORTS"

FIRST_PORTS = (8012, 8080, 11434, 1234, 8000)
"""llama.cpp, Ollama, LM Studio and vLLM, in the order in which servers are preferred that are
equally good; then come the rest."""

_OTHER_PORTS = (4891,)

LONGEST_SECONDS = 0.3
"""Most time that a look takes, whatever listens."""

_OLLAMA_PORT = 11434
_MOST_PORTS = 64
# A server that did not answer in time may just have been busy.
_UNCLEAR_FOR_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Found:
    """A model server of this machine.

    Attributes:
        server: Which one it is.
        listener: Who listens there.
    """

    server: Identified
    listener: Listener


def ports(environment: Mapping[str, str] | None = None) -> tuple[int, ...]:
    """Return the ports that are looked at, the preferred ones first.

    Args:
        environment: Environment variables; those of the process when None.
    """
    known = os.environ if environment is None else environment
    named = known.get(PORTS_ENV)
    if named is not None:
        numbers = [_port(part) for part in named.split(",")]
    else:
        usual = [port for profile in profiles() for port in profile.ports]
        numbers = [*FIRST_PORTS, _ollama_port(known.get("OLLAMA_HOST", "")), *usual, *_OTHER_PORTS]
    return tuple(dict.fromkeys(number for number in numbers if number))[:_MOST_PORTS]


def _port(text: str) -> int:
    stripped = text.strip()
    number = int(stripped) if stripped.isascii() and stripped.isdigit() else 0
    return number if number <= 65535 else 0


def _ollama_port(text: str) -> int:
    """Return the port of `OLLAMA_HOST` where it names this machine; 0 elsewhere.

    It is a host, a port after a colon, both, or a URL (Ollama, envconfig/config.go).
    """
    scheme, mark, rest = text.strip().strip("\"'").rpartition("://")
    if mark and scheme.lower() != "http":
        return 0
    authority = rest.partition("/")[0]
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, str(80 if mark else _OLLAMA_PORT)
    return _port(port) if _is_here(host) else 0


def _is_here(host: str) -> bool:
    """Whether a host to listen on is reached through loopback."""
    if host in {"", "localhost"}:
        return True
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


class Discovery:
    """Remembers what it has seen, so that nobody is asked twice who is no model server.

    Args:
        timeout_s: Most time that a look takes, in seconds.
        listeners: Returns who listens and is believed.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        timeout_s: float = LONGEST_SECONDS,
        listeners: Callable[[Collection[int]], Sequence[Listener]] = believed,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_s = timeout_s
        self._listeners = listeners
        self._clock = clock
        self._known: dict[Listener, Identified] = {}
        self._no_server_until: dict[Listener, float] = {}

    async def look(self) -> tuple[Found, ...]:
        """Return the model servers that answer, the preferred ones first. Never raises.

        No key is sent: it was meant for one server, and this may be another. A server that wants
        one has to be named in `endpoint.url`.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        here = await self._who_listens()
        self._forget(here)
        found: dict[Listener, Identified] = {}

        async def ask(listener: Listener) -> None:
            if (server := await self._identify(listener, deadline)) is not None:
                found[listener] = server

        asking = [asyncio.ensure_future(ask(one)) for one in here if self._is_open(one)]
        try:
            if asking:
                await asyncio.wait(asking)
        finally:
            for task in asking:
                task.cancel()
        return tuple(Found(found[one], one) for one in here if one in found)

    async def still_there(self, listener: Listener) -> bool:
        """Whether the same program still listens, and is still believed."""
        return listener in await asyncio.to_thread(self._listeners, (listener.port,))

    async def _who_listens(self) -> Sequence[Listener]:
        # Reading the tables of a busy machine takes some milliseconds, and elsewhere more.
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.to_thread(self._listeners, ports())
        except (TimeoutError, OSError):
            return ()

    async def _identify(self, listener: Listener, deadline: float) -> Identified | None:
        known = self._known.get(listener)
        if known is not None and not known.is_loading:
            return known
        left_ms = int((deadline - asyncio.get_running_loop().time()) * 1000)
        try:
            server = await identify(address_of(listener), timeout_ms=max(1, left_ms))
        except EndpointError as error:
            clear = error.kind is not ProblemKind.TIMEOUT and error.kind is not ProblemKind.DOWN
            patience = float("inf") if clear else _UNCLEAR_FOR_SECONDS
            self._no_server_until[listener] = self._clock() + patience
            return None
        except (PolicyError, OSError):
            return None
        self._known[listener] = server
        return server

    def _is_open(self, listener: Listener) -> bool:
        return self._clock() >= self._no_server_until.get(listener, 0.0)

    def _forget(self, here: Sequence[Listener]) -> None:
        """Drop what is known of programs that are gone."""
        for memory in (self._known, self._no_server_until):
            for listener in set(memory) - set(here):
                del memory[listener]


def address_of(listener: Listener) -> EndpointAddress:
    """Return where a listener is reached.

    Raises:
        PolicyError: Its address is not one of this machine.
    """
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    return check_endpoint_url(f"http://{host}:{listener.port}", allow_remote=False)
