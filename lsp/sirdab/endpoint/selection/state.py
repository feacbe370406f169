"""What is known about the endpoint, and what the rest of the selection is given from outside."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from sirdab.endpoint.base import ProblemKind

StateWord = Literal["starting", "ready", "busy", "degraded", "offline"]


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What is known about the endpoint, for `sirdab/status`.

    Attributes:
        state: In one word.
        message: One sentence for a person, and a second one with the reason where a choice was
            made.
        endpoint: Address of the server; "" while there is none.
        model: Name of the model; "" while it is not known.
        kind: The class of the problem; None when there is none.
    """

    state: StateWord
    message: str
    endpoint: str = ""
    model: str = ""
    kind: ProblemKind | None = None


class RunningServer(Protocol):
    """The embedded server, as `sirdab.endpoint.managed.server` describes it."""

    @property
    def url(self) -> str:
        """Its address on this machine."""
        ...

    @property
    def api_key(self) -> str:
        """The key it demands."""
        ...


class StartEmbedded(Protocol):
    """The signature of `sirdab.endpoint.managed.server.ensure_running`."""

    def __call__(
        self, model: str, *, on_progress: Callable[[str], None] | None = None
    ) -> Awaitable[RunningServer]:
        """Start or join the embedded server."""
        ...
