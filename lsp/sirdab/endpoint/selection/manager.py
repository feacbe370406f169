"""Gives out one endpoint at a time: the first of those that the settings name which is well."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress

from sirdab.config.schema import EndpointSettings, Settings
from sirdab.endpoint.base import Endpoint, EndpointError, ProblemKind, ServedModel
from sirdab.endpoint.breaker import CircuitBreaker
from sirdab.endpoint.discovery import Discovery
from sirdab.endpoint.recovery import FIRST_DELAY_S
from sirdab.endpoint.selection.auto import Auto, OfferEmbedded, embedded_offer, ensure_running
from sirdab.endpoint.selection.sources import Configured, Source
from sirdab.endpoint.selection.state import EndpointState, StartEmbedded
from sirdab.endpoint.selection.supervision import Supervisor

LOOK_AROUND_S = 30.0
"""Seconds between looks for something better than what is in use, while nobody is waiting."""

# How long a server is waited for before the next one is opened as well.
_HEAD_START_SECONDS = 1.0


class EndpointManager:
    """Finds, starts and watches the endpoint; implements `sirdab.endpoint.base.EndpointSource`.

    Of several addresses the first one that is well is used. One that fails is left for the next
    one with the next request, and used again when it is well again; so is something better that
    turns up on this machine, for `endpoint.url: "auto"`.

    All methods belong to one event loop.

    Args:
        settings: Returns the settings in force; asked on every `acquire`.
        on_state: Called with each new state, never twice with the same.
        start_embedded: Starts the embedded server; the managed one unless a test says otherwise.
        offer_embedded: Says which embedded model there is, to be compared with what was found.
        discovery: Looks for servers on this machine.
        breaker: Makes the circuit breaker of one endpoint.
        clock: Monotonic seconds.
        look_again_s: Seconds after a loss until the endpoint is looked for unasked.
        look_around_s: Seconds between looks for something better, while nobody is waiting.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        on_state: Callable[[EndpointState], None],
        *,
        start_embedded: StartEmbedded | None = None,
        offer_embedded: OfferEmbedded | None = None,
        discovery: Discovery | None = None,
        breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
        clock: Callable[[], float] = time.monotonic,
        look_again_s: float = FIRST_DELAY_S,
        look_around_s: float = LOOK_AROUND_S,
    ) -> None:
        self._settings = settings
        self._on_state = on_state
        self._start_embedded: StartEmbedded = start_embedded or ensure_running
        self._offer_embedded: OfferEmbedded = offer_embedded or embedded_offer
        self._discovery = discovery or Discovery()
        self._make_breaker = breaker
        self._clock = clock
        self._look_again_s = look_again_s
        self._look_around_s = look_around_s
        self._state: EndpointState | None = None
        self._wanted: EndpointSettings | None = None
        self._supervisors: tuple[Supervisor, ...] = ()
        self._told: dict[Supervisor, EndpointState] = {}
        self._active: Supervisor | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._failing_over: asyncio.Task[None] | None = None
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
            supervisors = self._select()
            try:
                return await self._first_well(supervisors)
            except EndpointError:
                # An attempt that was overtaken by changed settings says nothing about the new ones.
                if self._closed or not supervisors[0].retired:
                    raise

    async def models(self) -> list[ServedModel]:
        """Return all that the server in use has.

        Raises:
            EndpointError: There is none; the message says why and what to do.
        """
        await self.acquire()
        active = self._active
        return list(await active.models()) if active is not None else []

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
        if self._failing_over is not None:
            self._failing_over.cancel()
        self._retire()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._discovery.aclose()

    def _select(self) -> tuple[Supervisor, ...]:
        if self._closed:
            raise EndpointError(ProblemKind.DOWN, "Sirdab is shutting down.")
        wanted = self._settings().endpoint
        if self._wanted != wanted:
            self._retire()
            self._wanted = wanted
            urls = tuple(dict.fromkeys(wanted.urls))
            self._supervisors = tuple(self._supervise(url, wanted, len(urls) > 1) for url in urls)
        return self._supervisors

    def _supervise(self, url: str, wanted: EndpointSettings, has_others: bool) -> Supervisor:
        source: Source
        if url == "auto":
            source = Auto(wanted, self._discovery, self._start_embedded, self._offer_embedded)
        else:
            source = Configured(url, wanted)
        return Supervisor(
            source,
            self._make_breaker(),
            self._clock,
            self._tell,
            look_again_s=self._look_again_s,
            look_around_s=self._look_around_s,
            has_others=has_others,
        )

    def _retire(self) -> None:
        for one in self._supervisors:
            one.retired = True
            self._spawn(one.aclose())
        self._supervisors = ()
        self._wanted = None
        self._active = None
        self._told.clear()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Choosing among several.

    async def _first_well(self, supervisors: Sequence[Supervisor]) -> Endpoint:
        if len(supervisors) == 1:
            self._active = supervisors[0]
            return await supervisors[0].acquire()
        problems: dict[Supervisor, EndpointError] = {}
        # The order of the settings, but a doubtful one comes behind those of which nothing bad is
        # known: whoever failed is not asked again while another one may do.
        in_turn = [
            *(one for one in supervisors if one.is_well),
            *(one for one in supervisors if not one.is_well and not one.is_doubtful),
            *(one for one in supervisors if one.is_doubtful),
        ]
        for one in in_turn:
            try:
                return self._use(one, await one.acquire(_HEAD_START_SECONDS), supervisors)
            except EndpointError as error:
                problems[one] = error
        for one in in_turn:
            if problems[one].kind is not ProblemKind.LOADING:
                continue
            try:
                return self._use(one, await one.acquire(), supervisors)
            except EndpointError as error:
                # The next one has had that time to open too.
                problems[one] = error
        raise problems[supervisors[0]]

    def _use(
        self, one: Supervisor, endpoint: Endpoint, supervisors: Sequence[Supervisor]
    ) -> Endpoint:
        if self._active is not one and one in self._supervisors:
            self._active = one
            place = supervisors.index(one)
            for later in supervisors[place + 1 :]:
                # Nobody needs it as long as this one is well.
                self._told.pop(later, None)
                self._spawn(later.rest())
            self._tell_all()
        return endpoint

    async def _fail_over(self) -> None:
        with suppress(EndpointError):
            await self.acquire()

    # Telling.

    def _tell(self, supervisor: Supervisor, state: EndpointState) -> None:
        if supervisor.retired or self._closed or supervisor not in self._supervisors:
            return
        self._told[supervisor] = state
        has_failed = state.kind is not None and supervisor is self._active
        is_handled = self._failing_over is not None and not self._failing_over.done()
        if len(self._supervisors) > 1 and has_failed and not is_handled:
            # The next one is opened now and not only when somebody asks.
            self._failing_over = self._spawn(self._fail_over())
        self._tell_all()

    def _tell_all(self) -> None:
        state = self._overall()
        if state is None or state == self._state:
            return
        self._state = state
        self._on_state(state)

    def _overall(self) -> EndpointState | None:
        """Return the one state that says how all of them are."""
        told = [self._told[one] for one in self._supervisors if one in self._told]
        if len(self._supervisors) == 1:
            return told[0] if told else None
        for place, one in enumerate(self._supervisors):
            state = self._told.get(one)
            if state is not None and state.kind is None and state.state in {"ready", "busy"}:
                away = [
                    earlier.endpoint or (self._wanted.urls[number] if self._wanted else "")
                    for number, other in enumerate(self._supervisors[:place])
                    if (earlier := self._told.get(other)) is not None
                ]
                if not away:
                    return state
                names = " and ".join(filter(None, away)) or "the one before it"
                return EndpointState(
                    state.state,
                    f"{state.message} It stands in for {names}, which is used again when it is "
                    "well.",
                    state.endpoint,
                    state.model,
                )
        untried = len(told) < len(self._supervisors)
        first = next((state for state in told if state.state == "starting"), None)
        if first is not None:
            return first
        if told and untried:
            message = f"{told[0].message} The next server of endpoint.url is tried."
            return EndpointState("starting", message)
        return told[0] if told else None
