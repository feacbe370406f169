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
import logging
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

log = logging.getLogger(__name__)

PORTS_ENV = "SIRDAB_DISCOVERY_PORTS"

FIRST_PORTS = (8012, 8080, 11434, 1234, 8000)
"""llama.cpp, Ollama, LM Studio and vLLM, in the order in which servers are preferred that are
equally good; then come the rest."""

_OTHER_PORTS = (4891,)

LONGEST_SECONDS = 0.3
"""Most time that a look takes, whatever listens."""

LONGEST_ASKING_SECONDS = 5.0
"""How long a program may take to say what it is. On a busy machine a server may be later than a
look: then the next look finds it."""

_OLLAMA_PORT = 11434
_MOST_PORTS = 64
# A server that did not answer in time may just have been busy.
_UNCLEAR_FOR_SECONDS = 60.0
_UNCLEAR = frozenset({ProblemKind.TIMEOUT, ProblemKind.DOWN})
# What says so is a server, or stands before one, that will be well.
_SOON = frozenset({ProblemKind.LOADING, ProblemKind.BUSY, ProblemKind.MEMORY})


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
        asking_s: How long a program may take to say what it is, in seconds.
        listeners: Returns who listens and is believed.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        timeout_s: float = LONGEST_SECONDS,
        asking_s: float = LONGEST_ASKING_SECONDS,
        listeners: Callable[[Collection[int]], Sequence[Listener]] = believed,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_s = timeout_s
        self._asking_s = asking_s
        self._listeners = listeners
        self._clock = clock
        self._known: dict[Listener, Identified] = {}
        self._no_server_until: dict[Listener, float] = {}
        # Who is being asked what it is, which may take longer than a look.
        self._asking: dict[Listener, asyncio.Task[None]] = {}

    async def look(self) -> tuple[Found, ...]:
        """Return the model servers that answer, the preferred ones first. Never raises.

        No key is sent: it was meant for one server, and this may be another. A server that wants
        one has to be named in `endpoint.url`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        here = await self._who_listens()
        self._forget(here)
        asking = [self._ask(one) for one in here if self._is_open(one)]
        if asking:
            await asyncio.wait(asking, timeout=max(0.0, deadline - loop.time()))
        return tuple(Found(self._known[one], one) for one in here if one in self._known)

    async def aclose(self) -> None:
        """Stop asking. What is known stays known."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

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
        except Exception:
            log.exception("who listens cannot be read")
            return ()

    def _ask(self, listener: Listener) -> asyncio.Task[None]:
        """Ask who listens what it is, unless that goes on already."""
        task = self._asking.get(listener)
        if task is None:
            task = self._asking[listener] = asyncio.ensure_future(self._identify(listener))
            task.add_done_callback(lambda _: self._asking.pop(listener, None))
        return task

    async def _identify(self, listener: Listener) -> None:
        try:
            server = await identify(address_of(listener), timeout_ms=int(self._asking_s * 1000))
        except EndpointError as error:
            self._known.pop(listener, None)
            if error.kind not in _SOON:
                patience = _UNCLEAR_FOR_SECONDS if error.kind in _UNCLEAR else float("inf")
                self._no_server_until[listener] = self._clock() + patience
        except (PolicyError, OSError):
            self._known.pop(listener, None)
        except Exception:
            # What a stranger answers must not end the look.
            log.exception("a program that listens could not be asked what it is")
            self._known.pop(listener, None)
            self._no_server_until[listener] = float("inf")
        else:
            self._known[listener] = server

    def _is_open(self, listener: Listener) -> bool:
        """Whether it is to be asked what it is."""
        known = self._known.get(listener)
        if known is not None:
            return known.is_loading
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
