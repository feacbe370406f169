"""One streamed answer of a model server, whatever its protocol: opening, deadlines, the end.

A protocol says what is sent and how one event is read (`Call`); everything that is alike is here.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Protocol, Self, runtime_checkable

from sirdab.endpoint.base import Chunk, EndpointError, GenerationRequest, ProblemKind
from sirdab.endpoint.client import (
    open_stream,
    raise_for_status,
    raise_http_problem,
    refuse_compression,
)
from sirdab.endpoint.stream import Event, EventStreamParser

if TYPE_CHECKING:
    import httpx

# After the last event a server only has to end the chunked body; waiting for it keeps the
# connection for the next request.
_DRAIN_SECONDS = 0.1
_HIGH_SURROGATES = range(0xD800, 0xDC00)


class EventParser(Protocol):
    """Turns pieces of bytes into events."""

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes and return the events they complete.

        Raises:
            EndpointError: The bytes are not such a stream, or are too many.
        """
        ...


class AnswerReader(Protocol):
    """Reads the events of one answer."""

    @property
    def finished(self) -> bool:
        """Whether the answer is complete."""
        ...

    def read(self, event: Event) -> Chunk | None:
        """Read one event; None when there is nothing in it to pass on.

        Raises:
            EndpointError: The server reports a failure, or the event is not of the protocol.
        """
        ...


@runtime_checkable
class OpenEnded(Protocol):
    """A reader of answers that may end without a last event, with the body alone."""

    def end(self) -> bool:
        """Take note that the body has ended; return whether the answer is complete."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A request for an answer, in the words of a protocol.

    Attributes:
        path: Path below the server's base path, beginning with a slash.
        body: JSON, encoded.
        reader: Makes what reads the answer.
        media_type: What the answer must be.
        parser: Makes what cuts the answer into events.
    """

    path: str
    body: bytes
    reader: Callable[[], AnswerReader]
    media_type: str = "text/event-stream"
    parser: Callable[[], EventParser] = EventStreamParser


class Generation:
    """One request for an answer, from opening the socket to closing it."""

    def __init__(
        self,
        open_client: "Callable[[], httpx.AsyncClient]",
        url: str,
        request: GenerationRequest,
        call: Callable[[], Call],
        timeout_ms: int,
    ) -> None:
        """Prepare; nothing is sent before the context is entered.

        Args:
            open_client: Returns the client to use.
            url: Address of the server as the user knows it, for messages.
            request: What is asked; its deadlines count.
            call: Writes it in the words of the protocol.
            timeout_ms: Longest time the request may take unless it is patient, in milliseconds.
        """
        self._open_client = open_client
        self._url = url
        self._call = call
        self._total_ms = request.total_ms if request.patient else min(request.total_ms, timeout_ms)
        self._first_ms = min(request.first_token_ms, self._total_ms)
        self._response: AbstractAsyncContextManager[httpx.Response] | None = None

    async def __aenter__(self) -> "Answer":
        import httpx

        started = asyncio.get_running_loop().time()
        call = self._call()
        stream = open_stream(self._open_client(), "POST", call.path, call.body)
        entered = False
        try:
            async with asyncio.timeout(self._first_ms / 1000):
                response = await stream.__aenter__()
                entered = True
                await self._check(response, call.media_type)
        except BaseException as error:
            if entered:
                await stream.__aexit__(None, None, None)
            if isinstance(error, TimeoutError):
                raise too_slow(self._url, self._first_ms, "the first word") from None
            if isinstance(error, httpx.HTTPError):
                raise_http_problem(error, self._url)
            raise
        self._response = stream
        return Answer(
            response,
            self._url,
            call,
            started=started,
            first_ms=self._first_ms,
            total_ms=self._total_ms,
        )

    async def _check(self, response: "httpx.Response", media_type: str) -> None:
        await raise_for_status(response, self._url)
        refuse_compression(response, self._url)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != media_type:
            raise EndpointError(
                ProblemKind.PROTOCOL,
                f"{self._url} does not stream its answer; check that endpoint.url names a "
                "model server and that endpoint.kind says which.",
            )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._response is not None:
            await self._response.__aexit__(None, None, None)


class Answer:
    """The chunks of one answer."""

    def __init__(
        self,
        response: "httpx.Response",
        url: str,
        call: Call,
        *,
        started: float,
        first_ms: int,
        total_ms: int,
    ) -> None:
        self._pieces = response.aiter_raw()
        self._url = url
        self._total_ms = total_ms
        self._deadline = started + total_ms / 1000
        self._limit_ms = first_ms
        self._limit = started + first_ms / 1000
        self._parser = call.parser()
        self._reader = call.reader()
        self._events: list[Event] = []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        while not self._reader.finished:
            if not self._events:
                await self._read()
                continue
            chunk = self._reader.read(self._events.pop(0))
            if chunk is not None:
                return chunk
        await self._drain()
        raise StopAsyncIteration

    async def _read(self) -> None:
        """Read until there is an event, or the answer is complete without one."""
        import httpx

        try:
            async with asyncio.timeout_at(self._limit):
                while not self._events:
                    self._events = self._parser.feed(await anext(self._pieces))
        except TimeoutError:
            awaited = "the first word" if self._limit != self._deadline else "the whole answer"
            raise too_slow(self._url, self._limit_ms, awaited) from None
        except StopAsyncIteration:
            if not (isinstance(self._reader, OpenEnded) and self._reader.end()):
                self._half_way()
        except httpx.HTTPError as error:
            raise_http_problem(error, self._url)
        self._limit, self._limit_ms = self._deadline, self._total_ms

    def _half_way(self) -> NoReturn:
        raise EndpointError(
            ProblemKind.DOWN,
            f"The model server at {self._url} ended its answer half-way; its own log says why.",
        ) from None

    async def _drain(self) -> None:
        """Let the body end, so that the connection can be used again."""
        import httpx

        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for piece in self._pieces:
                    self._parser.feed(piece)
        except (TimeoutError, EndpointError, httpx.HTTPError, httpx.StreamError):
            # The answer is complete; a connection in a doubtful state is closed on leaving.
            return


class TextJoiner:
    """Joins pieces of text so that no piece ends in half a character.

    A JSON string may hold half of a surrogate pair (RFC 8259 section 8.2), with the other half in
    the next event; and a server that stops between the bytes of a character may send U+FFFD in
    its place.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what is complete."""
        if not self._held and piece.isascii():
            return piece
        text = _join_surrogates(self._held + piece)
        end = len(text)
        while end and (text[end - 1] == "\ufffd" or ord(text[end - 1]) in _HIGH_SURROGATES):
            end -= 1
        self._held = text[end:]
        return well_formed(text[:end])

    def finish(self) -> str:
        """Drop what never became a character, at the end of the answer."""
        self._held = ""
        return ""


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def well_formed(text: str) -> str:
    """Return the text with each lone surrogate replaced by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def too_slow(url: str, milliseconds: float, awaited: str) -> EndpointError:
    """Return the problem of a server that did not send something in time."""
    return EndpointError(
        ProblemKind.TIMEOUT,
        f"{url} did not send {awaited} within {milliseconds / 1000:g} s; use a smaller model or "
        "raise endpoint.timeoutMs.",
    )
