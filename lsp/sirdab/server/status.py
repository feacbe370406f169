"""Tells the client how the server is: once for each change, and never in the user's way."""

import logging
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    # Only for annotations: making the types of that module costs 4 ms of start-up.
    from sirdab.endpoint.base import ProblemKind

METHOD = "sirdab/status"

_log = logging.getLogger(__name__)


class State(StrEnum):
    """States of the server, as `sirdab/status` names them."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    DISABLED = "disabled"


# Problems that stay until the user does something are worth a message that pops up. The
# others pass by themselves, and a status that can be looked at is enough.
# These are values of ProblemKind.
_NEEDS_THE_USER = frozenset({"not-installed", "refused", "policy", "no-model", "memory"})


class Channel(Protocol):
    """How the reporter reaches the client."""

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        ...

    def log(self, message: str) -> None:
        """Put a sentence into the client's log."""
        ...

    def warn(self, message: str) -> None:
        """Show a sentence to the user."""
        ...


class StatusReporter:
    """Holds the present state and sends it when it changes."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._open = False
        self._sent: dict[str, str] | None = None
        self._health = {"state": State.STARTING.value, "message": "Sirdab is starting."}
        self._off = ""
        self._warned: set[str] = set()

    @property
    def current(self) -> dict[str, str]:
        """The params of the notification that says how things are now."""
        if self._off:
            return {**self._health, "state": State.DISABLED.value, "message": self._off}
        return self._health

    def open(self, *, off: str) -> None:
        """Start to send; before `initialized` nothing may be sent.

        Args:
            off: The sentence that says that ghost text is off; "" when it is on.
        """
        self._off = off
        self._open = True
        self._send()

    def report(
        self,
        state: State,
        message: str,
        *,
        endpoint: str = "",
        model: str = "",
        problem: "ProblemKind | None" = None,
    ) -> None:
        """Say how things are.

        Args:
            state: The new state.
            message: One plain sentence.
            endpoint: Address of the model server, if there is one.
            model: Name of the model, if it is known.
            problem: What is wrong; sent as `detail`.
        """
        optional = {
            "endpoint": endpoint,
            "model": model,
            "detail": problem.value if problem else "",
        }
        self._health = {
            "state": state.value,
            "message": message,
            **{name: value for name, value in optional.items() if value},
        }
        self._send()
        if problem is None or not self._open or problem.value in self._warned:
            return
        self._channel.log(message)
        self._warned.add(problem.value)
        if problem.value in _NEEDS_THE_USER:
            self._channel.warn(message)

    def set_off(self, off: str) -> bool:
        """Say that ghost text is off, or with "" that it is on.

        Returns:
            Whether it has just been turned on or off.
        """
        news = bool(off) != bool(self._off)
        self._off = off
        self._send()
        return news

    def _send(self) -> None:
        current = self.current
        if not self._open or current == self._sent:
            return
        self._sent = current
        _log.info("status %s", current["state"])
        self._channel.notify(METHOD, current)
