"""Keeps one endpoint usable: opens it, believes it, doubts it, leaves it alone, looks again.

What is known is one `EndpointState`. Each fault leads to one state that says what to do, callers
are answered with an error meanwhile, and it is found by itself that all is well again.
"""

import asyncio
import importlib
import logging
from collections.abc import Callable
from contextlib import aclosing

from sirdab.endpoint.base import (
    Endpoint,
    EndpointError,
    ModelInfo,
    ProblemKind,
    ServedModel,
    ServerEndpoint,
)
from sirdab.endpoint.breaker import BreakerState, CircuitBreaker
from sirdab.endpoint.health import answers
from sirdab.endpoint.latency import SLOW_MEAN_S, SLOW_SHARE, LatencyWindow
from sirdab.endpoint.recovery import Recovery
from sirdab.endpoint.selection.guarded import Guarded
from sirdab.endpoint.selection.sources import Candidate, Source, when_loaded
from sirdab.endpoint.selection.state import EndpointState, StateWord
from sirdab.policy.loopback import PolicyError

log = logging.getLogger(__name__)

BUSY_AFTER_SECONDS = 0.3
"""A request that takes longer is worth a word."""

_HEAVY_MODULES = ("httpx", "sirdab.endpoint.guarded_transport")

# How long an endpoint that works is believed without looking again. Looking costs about 3 ms on
# this machine, and finds a server that was restarted with another model meanwhile.
_BELIEVED_SECONDS = 15.0
# The same once a request was given up before a word had come. Mostly the next key was just
# faster than the model; but a server that hangs looks alike, and while somebody types no request
# lives long enough to meet its deadline.
_DOUBTED_SECONDS = 2.0
# One that answers all the time is looked at as often as this: nothing in an answer says that the
# server was restarted with another model, to which the prompts of the one before are noise.
_LOOK_ANEW_SECONDS = 60.0
# Whoever asks while a large model is being read from a slow disk waits this long, and is then told
# that it is loading; the loading itself goes on.
LONGEST_WAIT_SECONDS = 60.0

# What only the user can mend: to look again would find the same.
_FOR_THE_USER = frozenset({ProblemKind.REFUSED, ProblemKind.POLICY})
# Faults after which there is no reason to ask anew which server it is.
_SAME_SERVER = frozenset({ProblemKind.DOWN, ProblemKind.TIMEOUT, ProblemKind.MEMORY})
# Faults with which a server is there all the same.
_THERE = frozenset({ProblemKind.TIMEOUT, ProblemKind.MEMORY, ProblemKind.NO_MODEL})


class Supervisor:
    """Looks after one endpoint; implements `sirdab.endpoint.selection.guarded.Watcher`.

    Args:
        source: Finds it.
        breaker: Decides when it may be tried again.
        clock: Monotonic seconds.
        tell: Called with each change of what is known.
        look_again_s: Seconds after a loss until it is looked for unasked.
        look_around_s: Seconds between looks for something better.
        has_others: Whether there are others to use while it is not well.
    """

    def __init__(
        self,
        source: Source,
        breaker: CircuitBreaker,
        clock: Callable[[], float],
        tell: "Callable[[Supervisor, EndpointState], None]",
        *,
        look_again_s: float,
        look_around_s: float,
        has_others: bool = False,
    ) -> None:
        self._source = source
        self._breaker = breaker
        self._clock = clock
        self._tell_manager = tell
        self._has_others = has_others
        self._candidate: Candidate | None = None
        self._guarded: Guarded | None = None
        self._info: ModelInfo | None = None
        self._left: list[ServerEndpoint] = []
        # Whether the next caller may have the endpoint without looking at the server first.
        self._usable = False
        # Set when the server says that it is well and yet fails what it is asked; then only an
        # answer of the model is believed.
        self._unproven = False
        self._heard_at = 0.0
        self._looked_at = 0.0
        # Whether one that was well is being looked at again.
        self._checking = False
        # Whether a request has been given up since the server was last heard.
        self._doubted = False
        self._problem: EndpointError | None = None
        # Since the last answer.
        self._overflows = 0
        self._failures = 0
        self._latency = LatencyWindow()
        self._opening: asyncio.Task[None] | None = None
        self._working = 0
        self._was_used = False
        self._busy_timer: asyncio.TimerHandle | None = None
        self._recovery = Recovery(self._recover, look_again_s)
        self._look_around_s = look_around_s
        self._watch: asyncio.Task[None] | None = None
        self.retired = False

    @property
    def is_doubtful(self) -> bool:
        """Whether it failed, and has not proved since that it is well."""
        return self._problem is not None or self._unproven

    @property
    def is_well(self) -> bool:
        """Whether it worked when it was last looked at or asked."""
        usable = self._usable or self._checking
        return usable and self._problem is None and not self._unproven

    async def acquire(self, patience_s: float | None = None) -> Endpoint:
        """Return the endpoint, looking at it first where it is not believed.

        Args:
            patience_s: Longest wait while it is being opened, in seconds; `LONGEST_WAIT_SECONDS`
                when None. The opening goes on.

        Raises:
            EndpointError: It cannot be used, or is being opened still (`ProblemKind.LOADING`).
        """
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
        patience = LONGEST_WAIT_SECONDS if patience_s is None else patience_s
        await asyncio.wait({opening}, timeout=patience)
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

    async def models(self) -> tuple[ServedModel, ...]:
        """Return what the server has.

        Raises:
            EndpointError: It cannot be used.
        """
        await self.acquire()
        if self._candidate is None:
            raise EndpointError(
                ProblemKind.DOWN, "The connection to the model server was closed; ask again."
            )
        return await self._candidate.endpoint.models()

    async def rest(self) -> None:
        """Stop looking after it: another one is used, and this one is opened when it is needed."""
        await self._recovery.stop()

    async def aclose(self) -> None:
        """Close all connections and stop all looking."""
        self._stop_busy_timer()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
        await self._recovery.stop()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        await self._disconnect()
        await self._close_left()

    # What becomes of requests.

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._clock()

    def started(self) -> None:
        """A request to the model begins."""
        self._working += 1
        self._was_used = True
        if self._working == 1:
            loop = asyncio.get_running_loop()
            self._busy_timer = loop.call_later(BUSY_AFTER_SECONDS, self._tell_busy)

    def finished(self) -> None:
        """A request to the model ended, one way or another."""
        self._working -= 1
        if self._working == 0:
            self._stop_busy_timer()
            if self.is_well:
                self._tell_ready()

    def heard(self) -> None:
        """The server sent something sensible."""
        self._heard_at = self._clock()
        self._doubted = False

    def given_up(self, waited_s: float) -> None:
        """A request was given up before the server had sent anything."""
        self._doubted = True
        self._latency.given_up(waited_s)

    def answered(self, waited_s: float) -> None:
        """The first piece of an answer came, for which somebody waited."""
        self._latency.answered(waited_s)

    def succeeded(self) -> None:
        """The model answered."""
        self.heard()
        self._usable = True
        self._unproven = False
        self._problem = None
        self._overflows = self._failures = 0
        if self._breaker.state is not BreakerState.CLOSED:
            # What was late before it was left alone says nothing of how it is now.
            self._latency.clear()
        self._breaker.record_success()

    def failed(self, error: EndpointError) -> None:
        """A request failed."""
        if error.kind is ProblemKind.OVERFLOW:
            # The engine shrinks the prompt and asks once more, which mostly helps.
            self._overflows += 1
            if self._overflows < 2:
                return
        self._problem = error
        if error.kind in _FOR_THE_USER or error.kind is ProblemKind.OVERFLOW:
            # The server is well and said no to this request; leaving it alone would not help.
            self._tell("degraded", error.message, error.kind)
            return
        # Whoever comes next looks at the server first, or starts it anew.
        self._usable = False
        if error.kind is ProblemKind.LOADING:
            self._tell("starting", error.message, error.kind)
            self._look_again()
            return
        if error.kind is ProblemKind.TIMEOUT:
            self._latency.timed_out()
        # One that is gone is believed when it is back; but not one that goes with each request.
        self._failures += 1
        is_gone = error.kind in {ProblemKind.DOWN, ProblemKind.NO_MODEL}
        self._unproven = not is_gone or self._failures > 1
        self._breaker.record_failure()
        message = error.message
        if self._is_embedded and error.kind is ProblemKind.DOWN:
            # It is ours, so nobody has to look after it.
            message = "The embedded model server has ended; it is being started again."
        self._tell(self._word_for(error.kind), message, error.kind)
        self._look_again()

    def _word_for(self, kind: ProblemKind) -> StateWord:
        if kind is ProblemKind.BUSY:
            return "busy"
        if kind in _THERE:
            return "degraded"
        dead = kind is ProblemKind.DOWN or self._breaker.state is BreakerState.OPEN
        return "offline" if dead else "degraded"

    @property
    def _is_embedded(self) -> bool:
        return self._candidate is not None and self._candidate.is_embedded

    def _is_believed(self) -> bool:
        if not self._usable:
            return False
        now = self._clock()
        unheard = now - self._heard_at
        if self._doubted:
            return unheard < _DOUBTED_SECONDS
        if self._working > 0:
            return True
        return unheard < _BELIEVED_SECONDS and now - self._looked_at < _LOOK_ANEW_SECONDS

    # Opening.

    def _opened(self, opening: "asyncio.Task[None]") -> None:
        self._opening = None
        if not opening.cancelled():
            # Marks the exception as seen even when all who waited for it are gone.
            opening.exception()

    async def _open(self) -> None:
        if not self._usable and self._problem is None:
            # Later attempts are told of by their outcome alone, so that the status does not
            # flicker while a server is away.
            self._tell("starting", f"Looking for {self._source.name}.", None)
        self._checking = self.is_well
        self._usable = False
        had = self._info.name if self._info is not None else ""
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
        finally:
            self._checking = False
        if had and had != self._info.name:
            # Another model: how quick the one before was says nothing.
            self._latency.clear()
        # The circuit is left as it is: only an answer of the model closes it.
        self._problem = None
        self._usable = True
        self.heard()
        self._looked_at = self._clock()
        if self.is_well:
            self._tell_ready()
        self._begin_watch()

    def _could_not_open(self, kind: ProblemKind, message: str) -> EndpointError:
        self._problem = EndpointError(kind, message)
        self._unproven = False
        self._breaker.record_failure(trip=True)
        self._tell("offline", message, kind)
        # What the user has to mend about one server says nothing about the others of this machine.
        if kind not in _FOR_THE_USER or self._source.looks_around:
            self._look_again()
        return self._problem

    async def _find(self) -> ModelInfo:
        # Importing them takes about 100 ms, in which the editor's messages must not wait.
        for module in _HEAVY_MODULES:
            await asyncio.to_thread(importlib.import_module, module)
        candidate = self._candidate
        if candidate is not None:
            try:
                if await self._source.holds(candidate):
                    return await self._ask_when_loaded(candidate.endpoint)
            except EndpointError as error:
                if not self._source.looks_around and error.kind in _SAME_SERVER:
                    raise
            await self._disconnect()
        problem: EndpointError | None = None
        async with aclosing(self._source.candidates(self._tell_progress)) as candidates:
            async for found in candidates:
                if candidate is not None and found.is_embedded:
                    # What an engine that is gone failed to answer says nothing about this one.
                    self._unproven = False
                self._connect(found)
                try:
                    return await self._ask_when_loaded(found.endpoint)
                except EndpointError as error:
                    problem = problem or error
                    await self._disconnect()
        raise problem or EndpointError(
            ProblemKind.DOWN, "No model server can be used; run sirdab doctor to see why."
        )

    async def _ask_when_loaded(self, endpoint: ServerEndpoint) -> ModelInfo:
        return await when_loaded(endpoint.refresh, self._tell_loading)

    def _connect(self, candidate: Candidate) -> None:
        if self._guarded is not None:
            self._guarded.leave()
        self._candidate = candidate
        self._guarded = Guarded(self, candidate.endpoint)

    async def _disconnect(self) -> None:
        if self._guarded is not None:
            self._guarded.leave()
        candidate, self._candidate, self._guarded = self._candidate, None, None
        if candidate is not None:
            await candidate.endpoint.aclose()

    # Looking again, and looking around.

    def _look_again(self) -> None:
        if not self.retired:
            self._recovery.begin()

    async def _recover(self) -> None:
        endpoint = await self.acquire()
        if self._unproven and self._has_others:
            # Nobody asks it as long as another one does the work, so it is asked here.
            await answers(endpoint)
            # How late it was while it was not well says nothing of how it is now.
            self._latency.clear()
            if self.is_well:
                self._tell_ready()

    def _begin_watch(self) -> None:
        if self._source.looks_around and not self.retired and self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._look_around())

    async def _look_around(self) -> None:
        """Go over to something better where it turns up, while nobody is waiting."""
        while True:
            await asyncio.sleep(self._look_around_s)
            candidate = self._candidate
            if candidate is None or not self.is_well or self._working or self._opening:
                continue
            await self._close_left()
            was_used, self._was_used = self._was_used, False
            try:
                found = await self._source.better(candidate, was_used=was_used)
                if found is not None:
                    await self._go_over(candidate, found)
            except (EndpointError, PolicyError, OSError):
                continue
            except Exception:
                # What is used works; a fault of ours must not end the looking for good.
                log.exception("looking for something better failed")

    async def _go_over(self, candidate: Candidate, found: Candidate) -> None:
        try:
            info = await when_loaded(found.endpoint.refresh, _say_nothing)
        except BaseException:
            await found.endpoint.aclose()
            raise
        if self._candidate is not candidate or self._opening:
            await found.endpoint.aclose()
            return
        # What is being asked goes on with the old one, which is closed when nobody asks it more.
        self._left.append(candidate.endpoint)
        self._connect(found)
        self._info = info
        self._latency.clear()
        self._usable, self._unproven = True, False
        self.succeeded()
        self._tell_ready()

    async def _close_left(self) -> None:
        while self._left:
            await self._left.pop().aclose()

    # Telling.

    def _tell_progress(self, message: str) -> None:
        self._tell("starting", message, None)

    def _tell_loading(self, message: str) -> None:
        self._tell("starting", message, ProblemKind.LOADING)

    def _tell_ready(self) -> None:
        info = self._info
        if info is None:
            return
        if self._latency.is_slow:
            self._tell("degraded", self._slow_message(info), ProblemKind.TIMEOUT)
            return
        message = f"{info.name} at {info.url} is ready."
        problem = info.resolution.problem if info.resolution is not None else ""
        reason = self._candidate.reason if self._candidate is not None else ""
        self._tell("ready", " ".join(filter(None, (message, reason, problem))), None)

    def _slow_message(self, info: ModelInfo) -> str:
        remedy = "use a smaller model (endpoint.model) or a server with a graphics card"
        if self._latency.late_share > SLOW_SHARE:
            return f"{info.name} at {info.url} mostly does not answer in time; {remedy}."
        return (
            f"{info.name} at {info.url} takes more than {SLOW_MEAN_S:g} s until its first word; "
            f"{remedy}."
        )

    def _tell_busy(self) -> None:
        self._busy_timer = None
        if self.is_well and self._info is not None and not self._latency.is_slow:
            self._tell("busy", f"{self._info.name} at {self._info.url} is working.", None)

    def _stop_busy_timer(self) -> None:
        if self._busy_timer is not None:
            self._busy_timer.cancel()
            self._busy_timer = None

    def _tell(self, state: StateWord, message: str, kind: ProblemKind | None) -> None:
        if self.retired:
            return
        endpoint = self._candidate.endpoint if self._candidate is not None else None
        if endpoint is not None and not endpoint.address.is_loopback:
            message += " Your code is sent over the network to another machine"
            encrypted = endpoint.address.scheme == "https"
            message += "." if encrypted else ", readable for everybody on the way."
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


def _say_nothing(message: str) -> None:
    del message
