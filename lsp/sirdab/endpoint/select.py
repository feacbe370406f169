"""Chooses the endpoint that the settings ask for, and keeps it usable.

`EndpointManager` gives out one endpoint at a time. It opens it when somebody first asks, looks
again when something went wrong or when it has not been heard from for a while, leaves a dead
server alone for a growing delay, and says what it knows as one `EndpointState`.

Importing this module imports no HTTP library.
"""

import asyncio
import importlib
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self, TypeVar

from sirdab.config.schema import EndpointSettings, Settings
from sirdab.endpoint.answer import Answer, Generation
from sirdab.endpoint.base import (
    Chunk,
    Endpoint,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    ProblemKind,
)
from sirdab.endpoint.breaker import BreakerState, CircuitBreaker
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.endpoint.recovery import FIRST_DELAY_S, Recovery
from sirdab.policy.loopback import EndpointAddress, PolicyError, check_endpoint_url

_T = TypeVar("_T")
_State = Literal["starting", "ready", "busy", "degraded", "offline"]

_BUSY_AFTER_SECONDS = 0.3
# How long an endpoint that works is believed without looking again. Looking costs about 3 ms on
# this machine, and finds a server that was restarted with another model meanwhile.
_BELIEVED_SECONDS = 15.0
# The same once a request was given up before a word had come. Mostly the next key was just
# faster than the model; but a server that hangs looks alike, and while somebody types no request
# lives long enough to meet its deadline.
_DOUBTED_SECONDS = 2.0
_LOADING_POLL_SECONDS = 0.25
# Whoever asks while a large model is being read from a slow disk waits this long, and is then told
# that it is loading; the loading itself goes on.
_LONGEST_WAIT_SECONDS = 60.0
# A server that answers 503 for longer than this is stuck rather than loading.
_LONGEST_LOADING_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What is known about the endpoint, for `sirdab/status`.

    Attributes:
        state: In one word.
        message: One sentence for a person.
        endpoint: Address of the server; "" while there is none.
        model: Name of the model; "" while it is not known.
        kind: The class of the problem; None when there is none.
    """

    state: _State
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


class EndpointManager:
    """Finds, starts and watches the endpoint; implements `sirdab.endpoint.base.EndpointSource`.

    All methods belong to one event loop.

    Args:
        settings: Returns the settings in force; asked on every `acquire`.
        on_state: Called with each new state, never twice with the same.
        start_embedded: Starts the embedded server; the managed one unless a test says otherwise.
        breaker: Makes the circuit breaker of one endpoint.
        clock: Monotonic seconds.
        look_again_s: Seconds after a loss until the endpoint is looked for unasked.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        on_state: Callable[[EndpointState], None],
        *,
        start_embedded: StartEmbedded | None = None,
        breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
        clock: Callable[[], float] = time.monotonic,
        look_again_s: float = FIRST_DELAY_S,
    ) -> None:
        self._settings = settings
        self._on_state = on_state
        self._start_embedded: StartEmbedded = start_embedded or _ensure_running
        self._make_breaker = breaker
        self._clock = clock
        self._look_again_s = look_again_s
        self._state: EndpointState | None = None
        self._selection: _Selection | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def state(self) -> EndpointState | None:
        """The last state told; None before the first."""
        return self._state

    async def acquire(self) -> Endpoint:
        """Return a usable endpoint, starting the embedded server when that is what is wanted.

        Callers that come while it is being opened wait for the same attempt, and cancelling one
        of them does not cancel the attempt.

        Raises:
            EndpointError: There is none; the message says why and what to do.
        """
        while True:
            selection = self._select()
            try:
                return await selection.acquire()
            except EndpointError:
                # An attempt that was overtaken by changed settings says nothing about the new ones.
                if self._closed or not selection.retired:
                    raise

    async def refresh(self) -> EndpointState | None:
        """Look for the endpoint now, so that the state is known before the first request.

        For start-up and changed settings. Problems are told through the state alone.
        """
        with suppress(EndpointError):
            await self.acquire()
        return self._state

    async def aclose(self) -> None:
        """Close all connections. The embedded server is left to those who share it."""
        self._closed = True
        if self._selection is not None:
            self._retire(self._selection)
            self._selection = None
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _select(self) -> "_Selection":
        if self._closed:
            raise EndpointError(ProblemKind.DOWN, "Sirdab is shutting down.")
        wanted = self._settings().endpoint
        selection = self._selection
        if selection is None or selection.settings != wanted:
            if selection is not None:
                self._retire(selection)
            selection = _Selection(
                wanted,
                self._make_breaker(),
                self._clock,
                self._start_embedded,
                self._tell,
                self._look_again_s,
            )
            self._selection = selection
        return selection

    def _retire(self, selection: "_Selection") -> None:
        selection.retired = True
        task = asyncio.ensure_future(selection.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _tell(self, selection: "_Selection", state: EndpointState) -> None:
        if selection.retired or self._closed or state == self._state:
            return
        self._state = state
        self._on_state(state)


class _Selection:
    """The endpoint for one set of endpoint settings."""

    def __init__(
        self,
        settings: EndpointSettings,
        breaker: CircuitBreaker,
        clock: Callable[[], float],
        start_embedded: StartEmbedded,
        tell: Callable[["_Selection", EndpointState], None],
        look_again_s: float,
    ) -> None:
        self.settings = settings
        self.retired = False
        self._breaker = breaker
        self._clock = clock
        self._start_embedded = start_embedded
        self._tell_manager = tell
        self._endpoint: LlamaCppEndpoint | None = None
        self._guarded: _Guarded | None = None
        self._info: ModelInfo | None = None
        # Whether the next caller may have the endpoint without looking at the server first.
        self._usable = False
        # Set when the server says that it is well and yet fails what it is asked; then only an
        # answer of the model is believed.
        self._unproven = False
        self._heard_at = 0.0
        # Whether a request has been given up since the server was last heard.
        self._doubted = False
        self._problem: EndpointError | None = None
        self._opening: asyncio.Task[None] | None = None
        self._working = 0
        self._busy_timer: asyncio.TimerHandle | None = None
        self._recovery = Recovery(self.acquire, look_again_s)

    async def acquire(self) -> Endpoint:
        opening = self._opening
        if opening is None:
            if self._guarded is not None and self._is_believed():
                return self._guarded
            if self._problem is not None and not self._breaker.allow():
                raise EndpointError(self._problem.kind, self._problem.message)
            opening = self._opening = asyncio.ensure_future(self._open())
            opening.add_done_callback(self._opened)
        # A caller whose keystroke was superseded must not abort the start of a server, so the
        # attempt is watched and not awaited.
        await asyncio.wait({opening}, timeout=_LONGEST_WAIT_SECONDS)
        if not opening.done():
            raise EndpointError(
                ProblemKind.LOADING,
                "The model is still being loaded; suggestions begin when it is ready.",
            )
        if not opening.cancelled() and (error := opening.exception()) is not None:
            raise error
        if opening.cancelled() or self._guarded is None:
            raise EndpointError(
                ProblemKind.DOWN, "The connection to the model server was closed; ask again."
            )
        return self._guarded

    async def aclose(self) -> None:
        self._stop_busy_timer()
        await self._recovery.stop()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        await self._disconnect()

    def started(self) -> None:
        """A request to the model begins."""
        self._working += 1
        if self._working == 1:
            loop = asyncio.get_running_loop()
            self._busy_timer = loop.call_later(_BUSY_AFTER_SECONDS, self._tell_busy)

    def finished(self) -> None:
        """A request to the model ended, one way or another."""
        self._working -= 1
        if self._working == 0:
            self._stop_busy_timer()
            if self._is_well():
                self._tell_ready()

    def heard(self) -> None:
        """The server sent something sensible."""
        self._heard_at = self._clock()
        self._doubted = False

    def given_up(self) -> None:
        """A request was given up before the server had sent anything."""
        self._doubted = True

    def succeeded(self) -> None:
        """The model answered."""
        self.heard()
        self._usable = True
        self._unproven = False
        self._problem = None
        self._breaker.record_success()

    def failed(self, error: EndpointError) -> None:
        """A request failed."""
        self._problem = error
        if error.kind in {ProblemKind.REFUSED, ProblemKind.POLICY}:
            # The server is well and said no to this request; leaving it alone would not help.
            self._tell("degraded", error.message, error.kind)
            return
        # Whoever comes next looks at the server first, or starts it anew.
        self._usable = False
        if error.kind is ProblemKind.LOADING:
            self._tell("starting", error.message, error.kind)
            return
        self._unproven = error.kind is not ProblemKind.DOWN
        self._breaker.record_failure()
        dead = error.kind is ProblemKind.DOWN or self._breaker.state is BreakerState.OPEN
        message = error.message
        if self.settings.url == "auto" and error.kind is ProblemKind.DOWN:
            # It is ours, so nobody has to look after it.
            message = "The embedded model server has ended; it is being started again."
        self._tell("offline" if dead else "degraded", message, error.kind)
        self._look_again()

    def _is_believed(self) -> bool:
        if not self._usable:
            return False
        unheard = self._clock() - self._heard_at
        if self._doubted:
            return unheard < _DOUBTED_SECONDS
        return unheard < _BELIEVED_SECONDS or self._working > 0

    def _is_well(self) -> bool:
        return self._usable and self._problem is None and not self._unproven

    def _opened(self, opening: "asyncio.Task[None]") -> None:
        self._opening = None
        if not opening.cancelled():
            # Marks the exception as seen even when all who waited for it are gone.
            opening.exception()

    async def _open(self) -> None:
        if not self._usable and self._problem is None:
            # Later attempts are told of by their outcome alone, so that the status does not
            # flicker while a server is away.
            self._tell("starting", self._starting_message(), None)
        self._usable = False
        try:
            self._info = await self._find()
        except PolicyError as error:
            raise self._could_not_open(ProblemKind.POLICY, error.message) from error
        except EndpointError as error:
            raise self._could_not_open(error.kind, error.message) from error
        except Exception as error:
            # Whatever went wrong, the user sees a sentence and the next try is bounded.
            raise self._could_not_open(
                ProblemKind.PROTOCOL,
                f"The model server could not be used ({type(error).__name__}); run sirdab doctor "
                "to see why.",
            ) from error
        # The circuit is left as it is: only an answer of the model closes it.
        self._problem = None
        self._usable = True
        self.heard()
        if self._is_well():
            self._tell_ready()

    def _could_not_open(self, kind: ProblemKind, message: str) -> EndpointError:
        self._problem = EndpointError(kind, message)
        self._unproven = False
        self._breaker.record_failure(trip=True)
        self._tell("offline", message, kind)
        if kind not in {ProblemKind.REFUSED, ProblemKind.POLICY}:
            self._look_again()
        return self._problem

    def _look_again(self) -> None:
        if not self.retired:
            self._recovery.begin()

    async def _find(self) -> ModelInfo:
        _check_kind(self.settings)
        # Importing httpx takes about 50 ms, in which the editor's messages must not wait.
        await asyncio.to_thread(importlib.import_module, "httpx")
        if self.settings.url != "auto":
            endpoint = self._endpoint
            if endpoint is None:
                address = await asyncio.to_thread(
                    check_endpoint_url, self.settings.url, allow_remote=self.settings.allow_remote
                )
                endpoint = self._connect(address, _api_key(self.settings))
            return await self._wait_until_loaded(endpoint)
        if self._endpoint is not None:
            try:
                return await self._wait_until_loaded(self._endpoint)
            except EndpointError:
                await self._disconnect()
        running = await self._start_embedded(self.settings.model, on_progress=self._tell_progress)
        # What an engine that is gone failed to answer says nothing about this one.
        self._unproven = False
        address = check_endpoint_url(running.url, allow_remote=False)
        return await self._wait_until_loaded(self._connect(address, running.api_key))

    async def _wait_until_loaded(self, endpoint: LlamaCppEndpoint) -> ModelInfo:
        give_up_at = self._clock() + _LONGEST_LOADING_SECONDS
        while True:
            try:
                return await endpoint.refresh()
            except EndpointError as error:
                if error.kind is not ProblemKind.LOADING or self._clock() > give_up_at:
                    raise
                self._tell("starting", error.message, error.kind)
            await asyncio.sleep(_LOADING_POLL_SECONDS)

    def _connect(self, address: EndpointAddress, api_key: str) -> LlamaCppEndpoint:
        endpoint = LlamaCppEndpoint(address, api_key=api_key, timeout_ms=self.settings.timeout_ms)
        self._endpoint = endpoint
        self._guarded = _Guarded(self, endpoint)
        return endpoint

    async def _disconnect(self) -> None:
        endpoint, self._endpoint, self._guarded = self._endpoint, None, None
        if endpoint is not None:
            await endpoint.aclose()

    def _starting_message(self) -> str:
        if self.settings.url == "auto":
            return "Starting the embedded model server."
        return "Looking for the model server of endpoint.url."

    def _tell_progress(self, message: str) -> None:
        self._tell("starting", message, None)

    def _tell_ready(self) -> None:
        if self._info is not None:
            self._tell("ready", f"{self._info.name} at {self._info.url} is ready.", None)

    def _tell_busy(self) -> None:
        self._busy_timer = None
        if self._is_well() and self._info is not None:
            self._tell("busy", f"{self._info.name} at {self._info.url} is working.", None)

    def _stop_busy_timer(self) -> None:
        if self._busy_timer is not None:
            self._busy_timer.cancel()
            self._busy_timer = None

    def _tell(self, state: _State, message: str, kind: ProblemKind | None) -> None:
        endpoint = self._endpoint
        if endpoint is not None and not endpoint.address.is_loopback:
            message += " Your code is sent over the network to another machine."
        self._tell_manager(
            self,
            EndpointState(
                state,
                message,
                endpoint=endpoint.url if endpoint is not None else "",
                model=self._info.name if self._info is not None else "",
                kind=kind,
            ),
        )


class _Guarded:
    """An endpoint of whose successes and failures the manager learns."""

    def __init__(self, selection: _Selection, endpoint: LlamaCppEndpoint) -> None:
        self._selection = selection
        self._endpoint = endpoint

    async def describe(self) -> ModelInfo:
        # Not watched: it is remembered from when the endpoint was opened, so that the server is
        # neither asked nor heard.
        return await self._endpoint.describe()

    def generate(self, request: GenerationRequest) -> "_GuardedGeneration":
        return _GuardedGeneration(self._selection, self._endpoint.generate(request))

    async def count_tokens(self, text: str) -> int:
        return await self._watch(self._endpoint.count_tokens(text))

    async def _watch(self, question: Awaitable[_T]) -> _T:
        try:
            answer = await question
        except EndpointError as error:
            self._selection.failed(error)
            raise
        self._selection.heard()
        return answer


class _GuardedGeneration:
    """One watched answer: context manager and iterator in one."""

    def __init__(self, selection: _Selection, generation: Generation) -> None:
        self._selection = selection
        self._generation = generation
        self._answer: Answer | None = None
        self._heard = False
        self._failed = False

    async def __aenter__(self) -> Self:
        self._selection.started()
        try:
            self._answer = await self._generation.__aenter__()
        except BaseException as error:
            if isinstance(error, EndpointError):
                self._selection.failed(error)
            else:
                self._selection.given_up()
            self._selection.finished()
            raise
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        if self._answer is None:
            raise StopAsyncIteration
        try:
            chunk = await anext(self._answer)
        except EndpointError as error:
            self._failed = True
            self._selection.failed(error)
            raise
        self._heard = True
        return chunk

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._generation.__aexit__(kind, error, traceback)
        finally:
            if self._heard and not self._failed:
                # An answer that was cut short by a cancelled keystroke proves less than one that
                # its reader was content with.
                if kind is None:
                    self._selection.succeeded()
                else:
                    self._selection.heard()
            elif not self._failed:
                self._selection.given_up()
            self._selection.finished()


def _check_kind(settings: EndpointSettings) -> None:
    if settings.kind not in {"auto", "llamacpp"}:
        raise EndpointError(
            ProblemKind.REFUSED,
            f'endpoint.kind "{settings.kind}" is not supported by this version, which speaks to '
            'llama.cpp servers only; set it to "llamacpp", or to "auto" with endpoint.url "auto" '
            "for the embedded server.",
        )


def _api_key(settings: EndpointSettings) -> str:
    name = settings.api_key_env
    if not name:
        return ""
    key = os.environ.get(name, "")
    if not key and not name.isidentifier():
        # Most likely the key itself, which must not end up in a message and a log.
        raise EndpointError(
            ProblemKind.REFUSED,
            "endpoint.apiKeyEnv does not hold the name of an environment variable; put the key "
            "into a variable of the environment and its name into the setting.",
        )
    if not key:
        raise EndpointError(
            ProblemKind.REFUSED,
            f"endpoint.apiKeyEnv names the environment variable {name}, which is not set; set it "
            "and start the editor from there, or empty the setting.",
        )
    return key


async def _ensure_running(
    model: str, *, on_progress: Callable[[str], None] | None = None
) -> RunningServer:
    # Its imports are slow as well.
    await asyncio.to_thread(importlib.import_module, "sirdab.endpoint.managed.server")
    from sirdab.endpoint.managed.server import ensure_running

    return await ensure_running(model, on_progress=on_progress)
