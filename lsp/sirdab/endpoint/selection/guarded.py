"""An endpoint of whose successes and failures its supervisor learns."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol, Self, TypeVar

from sirdab.endpoint.base import (
    Chunk,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    ServerEndpoint,
)

_T = TypeVar("_T")


class Watcher(Protocol):
    """Learns what becomes of requests."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def started(self) -> None:
        """A request to the model begins."""
        ...

    def finished(self) -> None:
        """A request to the model ended, one way or another."""
        ...

    def heard(self) -> None:
        """The server sent something sensible."""
        ...

    def given_up(self, waited_s: float) -> None:
        """A request was given up before the server had sent anything."""
        ...

    def answered(self, waited_s: float) -> None:
        """The first piece of an answer came, for which somebody waited."""
        ...

    def succeeded(self) -> None:
        """The model answered."""
        ...

    def failed(self, error: EndpointError) -> None:
        """A request failed."""
        ...


class Guarded:
    """An endpoint that is watched; implements `sirdab.endpoint.base.Endpoint`."""

    def __init__(self, watcher: Watcher, endpoint: ServerEndpoint) -> None:
        self._watcher = watcher
        self._endpoint = endpoint
        self._is_left = False

    def leave(self) -> None:
        """Take it that another endpoint is used now, of which nothing here says anything."""
        self._is_left = True

    def tell(self, what: Callable[[], None]) -> None:
        """Tell the watcher something, as long as this is what it looks after."""
        if not self._is_left:
            what()

    async def describe(self) -> ModelInfo:
        """Return what is served.

        Not watched: it is remembered from when the endpoint was opened, so that the server is
        neither asked nor heard.

        Raises:
            EndpointError: The server cannot be used.
        """
        return await self._endpoint.describe()

    def generate(self, request: GenerationRequest) -> "GuardedGeneration":
        """Stream an answer; see `sirdab.endpoint.base.Endpoint`.

        Raises:
            EndpointError: On entering or while iterating.
        """
        # What is only read ahead, and what nobody waits for with a finger on a key, says nothing
        # about how quick suggestions are.
        is_awaited = request.max_tokens > 0 and not request.patient
        return GuardedGeneration(self, self._watcher, self._endpoint.generate(request), is_awaited)

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has.

        Raises:
            EndpointError: The server cannot be used.
        """
        return await self._watch(self._endpoint.count_tokens(text))

    async def _watch(self, question: Awaitable[_T]) -> _T:
        try:
            answer = await question
        except EndpointError as error:
            failure = error
            self.tell(lambda: self._watcher.failed(failure))
            raise
        self.tell(self._watcher.heard)
        return answer


class GuardedGeneration:
    """One watched answer: context manager and iterator in one."""

    def __init__(
        self,
        guarded: Guarded,
        watcher: Watcher,
        generation: AbstractAsyncContextManager[AsyncIterator[Chunk]],
        is_awaited: bool,
    ) -> None:
        self._guarded = guarded
        self._watcher = watcher
        self._generation = generation
        self._is_awaited = is_awaited
        self._answer: AsyncIterator[Chunk] | None = None
        self._began = 0.0
        self._heard = False
        self._failed = False

    async def __aenter__(self) -> Self:
        self._watcher.started()
        self._began = self._watcher.now()
        try:
            self._answer = await self._generation.__aenter__()
        except BaseException as error:
            if isinstance(error, EndpointError):
                self._fail(error)
            else:
                self._give_up()
            self._watcher.finished()
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
            self._fail(error)
            raise
        if not self._heard and self._is_awaited:
            waited = self._watcher.now() - self._began
            self._guarded.tell(lambda: self._watcher.answered(waited))
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
                    self._guarded.tell(self._watcher.succeeded)
                else:
                    self._guarded.tell(self._watcher.heard)
            elif not self._failed:
                self._give_up()
            self._watcher.finished()

    def _fail(self, error: EndpointError) -> None:
        self._guarded.tell(lambda: self._watcher.failed(error))

    def _give_up(self) -> None:
        waited = self._watcher.now() - self._began if self._is_awaited else 0.0
        self._guarded.tell(lambda: self._watcher.given_up(waited))
