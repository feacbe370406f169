"""The server object: one session, one engine, and what ties them to the client."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from sirdab import __version__
from sirdab.completion.request import CompletionRequest, Outcome, Reason
from sirdab.endpoint.lane import Lane
from sirdab.metrics.recorder import Recorder
from sirdab.server import greeting
from sirdab.server.context import ContextHost
from sirdab.server.lifecycle import Lifecycle
from sirdab.server.menu_offer import MenuOffer
from sirdab.server.pacing import Pacing
from sirdab.server.progress import ProgressBoard
from sirdab.server.protocol import SirdabProtocol, describe, strict_converter
from sirdab.server.refactorings import Refactorings
from sirdab.server.review.reviews import Reviews
from sirdab.server.session import Session
from sirdab.server.speculation import Speculation
from sirdab.server.status import State, StatusReporter
from sirdab.server.warm_up import WarmUp
from sirdab.text.document import Change, Snapshot
from sirdab.text.positions import Encoding

if TYPE_CHECKING:
    from sirdab.completion.engine import Speculating
    from sirdab.completion.warm import Turn
    from sirdab.endpoint.base import EndpointSource
    from sirdab.policy.audit import AuditTrail

_log = logging.getLogger(__name__)

# A client that has not answered a request of ours for this long, in seconds, will not.
_CLIENT_ANSWER_SECONDS = 10.0

# Excluded documents of which is remembered that they were told of.
_MOST_TOLD = 256

# The first suggestion waits this long, in seconds, for settings that may forbid it.
_FIRST_SETTINGS_SECONDS = 1.0

# A laptop that has slept over the end of a snooze notices it this much later, in seconds.
_LONGEST_SLEEP_SECONDS = 30.0


class CompletionEngine(Protocol):
    """What the server needs of `sirdab.completion.engine.Engine`."""

    def recall(self, request: CompletionRequest) -> Outcome | None:
        """Answer from memory, at once, or return None."""
        ...

    def instant(self, request: CompletionRequest) -> Outcome | None:
        """Answer by copying from the open documents, at once, or return None."""
        ...

    def is_answering(self, request: CompletionRequest) -> bool:
        """Whether what is under way may be the answer."""
        ...

    async def complete(
        self, request: CompletionRequest, *, show_prompt: bool = False, fresh: bool = False
    ) -> Outcome:
        """Compute suggestions; never raises but for cancellation."""
        ...

    async def warm(self, request: CompletionRequest, turn: "Turn") -> bool:
        """Have the model read what it will be asked at a place."""
        ...

    async def speculate(self, request: CompletionRequest, turn: "Speculating") -> bool:
        """Have the model write what follows when the suggestion at a place is taken."""
        ...

    def left(self, request: CompletionRequest) -> None:
        """Give up an answer under way that is not for where the cursor is now."""
        ...

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a closed document."""
        ...

    def clear(self) -> None:
        """Drop everything remembered."""
        ...


class Services(NamedTuple):
    """The engine and what goes with it.

    Attributes:
        engine: Answers completion requests.
        refresh: Looks for the model server, so that it is ready before it is needed and its
            state is known; never raises.
        close: Gives back what is held open.
        endpoints: Finds the model server, for what is not ghost text; None where there is none.
        audit: Keeps the record of what was sent where.
    """

    engine: CompletionEngine
    refresh: Callable[[], Awaitable[object]]
    close: Callable[[], Awaitable[None]]
    endpoints: "EndpointSource | None" = None
    audit: "AuditTrail | None" = None


BeginHook = Callable[[types.InitializeParams, dict[str, Any]], None]
"""Called with the params of `initialize` and the capabilities that it is answered with."""

ServiceFactory = Callable[["SirdabServer"], Awaitable[Services]]


class SirdabServer(LanguageServer):
    """Holds everything that handlers need."""

    protocol: SirdabProtocol  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, services: ServiceFactory) -> None:
        """Make a server that is not connected to anything.

        Args:
            services: Makes the engine when the client is ready for it.
        """
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            "sirdab",
            __version__,
            protocol_cls=SirdabProtocol,
            converter_factory=strict_converter,
        )
        self.session = Session(self.protocol.abandon)
        self.status = StatusReporter(self)
        self.metrics = Recorder()
        self.pacing = Pacing()
        self.lifecycle = Lifecycle(
            self.metrics,
            self.session.snapshot,
            lambda seconds, work: asyncio.get_running_loop().call_later(seconds, work),
            on_welcome=self.pacing.debounce.backoff.welcome,
            on_dismissed=self.pacing.debounce.backoff.dismissed,
        )
        self.lane = Lane()
        self.context = ContextHost(self)
        self.warm_up = WarmUp(self)
        self.speculation = Speculation(self)
        self.work_shown = ProgressBoard(self)
        self.reviews = Reviews(self)
        self.refactorings = Refactorings(self)
        self.menu = MenuOffer(self)
        self.on_begin: list[BeginHook] = [self.menu.begin, self.reviews.begin]
        self._factory = services
        self._services: asyncio.Task[Services] | None = None
        # Set when the client has been asked for its settings.
        self._configured = asyncio.Event()
        self._told_excluded: set[tuple[str, str]] = set()
        self._background: set[asyncio.Future[Any]] = set()

    # --- life -----------------------------------------------------------------------------

    def begin(self, params: types.InitializeParams, hello: dict[str, Any]) -> dict[str, Any]:
        """Take what `initialize` says and return its answer.

        Args:
            params: The params, without what this version does not know.
            hello: The params as they were sent.
        """
        self.session.begin(params)
        answer = greeting.result(hello, self.session.settings.completion.menu)
        capabilities = answer["capabilities"]
        self.session.encoding = Encoding(capabilities["positionEncoding"])
        for hook in self.on_begin:
            hook(params, capabilities)
        return answer

    def start(self) -> bool:
        """Do what has to wait until the client said `initialized`.

        Returns:
            False when that was done before.
        """
        if self._services is not None:
            return False
        self.status.open(off=self._why_off())
        self._services = asyncio.ensure_future(self._factory(self))
        self._keep(self._services)
        self.protocol.warm_up()
        return True

    async def close(self) -> None:
        """Stop all work and give back what the engine holds open."""
        services, self._services = self._services, None
        self.reviews.stop()
        await self.context.close()
        self.lifecycle.close()
        await asyncio.to_thread(self.metrics.close)
        await asyncio.to_thread(self.reviews.close)
        for task in list(self._background):
            if task is not services:
                task.cancel()
        if services is None:
            return
        if not services.done():
            services.cancel()
            return
        if not services.cancelled() and services.exception() is None:
            await services.result().close()

    def spawn(self, work: Awaitable[Any]) -> None:
        """Run something in the background; a failure is logged and ends there."""
        self._keep(asyncio.ensure_future(work))

    def _keep(self, task: "asyncio.Future[Any]") -> None:
        # The loop itself holds tasks weakly, so they could vanish in the middle.
        self._background.add(task)
        task.add_done_callback(self._kept)

    def _kept(self, task: "asyncio.Future[Any]") -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background work failed: %s", describe(error))

    # --- completion -------------------------------------------------------------------------

    async def suggest(self, request: CompletionRequest) -> Outcome:
        """Answer a request from memory at once, else ask the engine when the keys have paused.

        Never raises but for cancellation.
        """
        began = time.perf_counter()
        if request.asked is None:
            request = replace(request, asked=began)
        outcome = self._recall(request) or await self._ask_in_time(request)
        outcome.trace["waited_ms"] = round((time.perf_counter() - began) * 1000, 1)
        return outcome

    async def _ask_in_time(self, request: CompletionRequest) -> Outcome:
        """Ask the engine when the keys have paused, if it is to be asked at all."""
        if not request.settings.completion.enabled:
            return await self.complete(request)
        decision = self.pacing.decide(request)
        if not self._is_answering(request):
            if decision.backed_off:
                return decision.refusal()
            instant = self._instant(request)
            if instant is not None:
                return instant
            if decision.ms:
                await asyncio.sleep(decision.ms / 1000)
        outcome = await self.complete(request)
        outcome.trace["debounce"] = decision.trace
        self.pacing.learn(outcome)
        return outcome

    def edited(self, before: Snapshot, changes: Sequence[Change]) -> None:
        """Take it that a document was changed, which says how fast somebody types."""
        self.pacing.edited(before, changes, self.session.encoding, self.lifecycle)

    def _recall(self, request: CompletionRequest) -> Outcome | None:
        engine = self.engine_if_ready()
        if engine is None or not self._configured.is_set():
            return None
        try:
            return engine.recall(request)
        except Exception as error:  # noqa: BLE001 - the model is asked then
            _log.error("recall failed: %s", describe(error))
            return None

    def _instant(self, request: CompletionRequest) -> Outcome | None:
        engine = self.engine_if_ready()
        if engine is None or not self._configured.is_set():
            return None
        try:
            return engine.instant(request)
        except Exception as error:  # noqa: BLE001 - the model is asked then
            _log.error("instant failed: %s", describe(error))
            return None

    def _is_answering(self, request: CompletionRequest) -> bool:
        """Whether the model is at the answer already, so that a debounce would gain nothing."""
        engine = self.engine_if_ready()
        try:
            return engine is not None and engine.is_answering(request)
        except Exception as error:  # noqa: BLE001 - then it waits for the debounce
            _log.error("is_answering failed: %s", describe(error))
            return False

    def left(self, request: CompletionRequest) -> None:
        """Take it that the cursor is somewhere else now."""
        engine = self.engine_if_ready()
        try:
            if engine is not None:
                engine.left(request)
        except Exception as error:  # noqa: BLE001 - the answer ends by itself
            _log.error("left failed: %s", describe(error))

    async def complete(self, request: CompletionRequest, *, explain: bool = False) -> Outcome:
        """Ask the engine. Never raises but for cancellation.

        Args:
            request: The frozen request.
            explain: Put the prompt into the trace, and ask the model even for what is known.
        """
        if self._services is None:
            return Outcome(Reason.ENDPOINT, "The session has not begun, or is over.")
        try:
            services = await self.services()
            # What the client excludes must not be read before it has said what that is, which it
            # may have done since the request came.
            await self.first_settings()
            request = self.session.renewed(request)
            logged = request.settings.trace == "prompts"
            with self.lane.urgent():
                outcome = await services.engine.complete(
                    request, show_prompt=explain or logged, fresh=explain
                )
        except Exception as error:  # noqa: BLE001 - an error would pop up at every keystroke
            _log.error("completion failed: %s", describe(error))
            detail = f"Sirdab failed here ({type(error).__name__}); its log file says where."
            self.status.report(State.DEGRADED, detail)
            return Outcome(Reason.INTERNAL, detail)
        if outcome.suggestions and "model_ms" in outcome.trace:
            self.session.tally.answered(outcome.trace)
        if outcome.reason is Reason.EXCLUDED and not explain:
            self._tell_excluded(request.snapshot.uri, outcome.detail)
        if logged:
            self._log_prompt(outcome)
        return outcome

    def _tell_excluded(self, uri: str, detail: str) -> None:
        """Put into the client's log, once, why a document never has a suggestion.

        Names as usual as `settings.json` are excluded, and the status is that of the server.
        """
        if (uri, detail) in self._told_excluded:
            return
        if len(self._told_excluded) >= _MOST_TOLD:
            self._told_excluded.clear()
        self._told_excluded.add((uri, detail))
        self.window_log_message(
            types.LogMessageParams(types.MessageType.Info, f"No suggestions in {uri}: {detail}")
        )

    async def first_settings(self) -> None:
        """Wait until the client has told its settings, but not for one that never does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_SETTINGS_SECONDS):
                await self._configured.wait()

    @staticmethod
    def _log_prompt(outcome: Outcome) -> None:
        """Log what the model was sent and what came of it, each on one line of ASCII."""
        _log.debug("prompt %s", ascii(outcome.trace.get("prompt", "")))
        for suggestion in outcome.suggestions:
            _log.debug("suggestion %s %s", suggestion.id, ascii(suggestion.text))

    def switch(self) -> None:
        """Put into force whether ghost text is on."""
        off = self._why_off()
        if self.status.set_off(off) and off:
            self.give_up()

    def give_up(self) -> None:
        """Stop what is computed now: it would be shown after the user has turned it off."""
        self.session.give_up()
        self.warm_up.stop()
        self.speculation.stop()

    def _why_off(self) -> str:
        """Return the sentence that says that ghost text is off everywhere, or ""."""
        session = self.session
        if session.settings.completion.enabled:
            return ""
        return session.switches.why_off(session.configuration.settings) or "Ghost text is off."

    def snooze(self, minutes: int) -> datetime | None:
        """Turn ghost text off for some minutes (0 ends it) and return until when."""
        until = self.session.switches.snooze(minutes)
        self.switch()
        if until is None:
            self.wake()
        else:
            self.spawn(self._wake_up(until))
        return until

    async def _wake_up(self, until: datetime) -> None:
        """Say that ghost text is back when a snooze is over, unless another one has begun."""
        switches = self.session.switches
        while switches.snoozed_until == until:
            left = (until - datetime.now().astimezone()).total_seconds()
            await asyncio.sleep(min(max(left, 0.05), _LONGEST_SLEEP_SECONDS))
        if switches.snoozed_until is None:
            self.switch()
            self.wake()

    def configured(self) -> None:
        """Go on with what has to wait until the client has told its settings."""
        self._configured.set()
        if not self.session.wants_model:
            self.status.report(State.READY, "The model starts when a file is opened.")
        self.wake()

    def wake(self) -> None:
        """Get the model server ready: a document is open, so it will be needed soon.

        Not earlier, because many an editor is opened without any code to complete; and not
        before the settings are known, because they may say that no model is wanted.
        """
        if self._services is not None and self._configured.is_set() and self.session.wants_model:
            self.spawn(self._refresh())

    async def _refresh(self) -> None:
        await (await self.services()).refresh()

    async def services(self) -> Services:
        """Return the engine and what goes with it, waiting until it is there.

        Raises:
            RuntimeError: The session has not begun, or is over.
        """
        if self._services is None:
            raise RuntimeError("the session has not started, or is over")
        # The engine is everyone's: a cancelled request must not stop it from starting.
        return await asyncio.shield(self._services)

    @property
    def begun(self) -> bool:
        """Whether the session has begun and is not over."""
        return self._services is not None

    def engine_if_ready(self) -> CompletionEngine | None:
        """Return the engine when it runs; None before and after."""
        services = self._services
        if services is None or not services.done() or services.cancelled():
            return None
        return None if services.exception() else services.result().engine

    # --- talking to the user ------------------------------------------------------------------

    def report_settings_problems(self) -> None:
        """Tell the user what is wrong with the settings: each problem once, in one message."""
        problems = self.session.configuration.take_problems()
        if not problems:
            return
        for problem in problems:
            _log.warning("settings: %s", problem)
            self.log(problem)
        self.warn("\n".join(problems))

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.protocol.notify(method, params)

    def log(self, message: str) -> None:
        """Put a sentence into the client's log."""
        self.window_log_message(types.LogMessageParams(types.MessageType.Warning, message))

    def warn(self, message: str) -> None:
        """Show a sentence to the user."""
        self.window_show_message(
            types.ShowMessageParams(types.MessageType.Warning, f"Sirdab: {message}")
        )

    async def ask_client(
        self, method: str, params: Any, failed: Any = None, *, patient: bool = False
    ) -> Any:
        """Send a request and return the result.

        Args:
            method: The method.
            params: Its params.
            failed: Returned when the client refuses or does not answer.
            patient: Whether a person decides on the answer, so that it may take any time.
        """
        try:
            async with asyncio.timeout(None if patient else _CLIENT_ANSWER_SECONDS):
                return await self.protocol.send_request_async(method, params)
        except TimeoutError:
            _log.warning("the editor did not answer %s", method)
        except JsonRpcException:
            _log.warning("the editor refused %s", method)
        return failed

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log instead of showing a message, which is what pygls would do."""
        del source
        _log.error("%s", describe(error))
