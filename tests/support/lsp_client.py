"""A language client for tests: in this process, or with a spawned server on its pipes.

It is stricter than an editor. Leaving it with a message that the test did not look at, with a
request that was not answered, or after a response that nobody asked for, fails the test.

    async with in_process(engine) as client:
        await client.start()
        await client.open("file:///a.py", "x = ")
        assert await client.inline("file:///a.py", 0, 4) == ...
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from sirdab.endpoint.base import EndpointSource
from sirdab.server.app import create_server
from sirdab.server.framing import Body, FrameDecoder
from sirdab.server.language_server import CompletionEngine, Services, SirdabServer

# Longest wait for a message, in seconds; only a test that would hang ever waits this long.
PATIENCE = 20.0

UTF16 = {"general": {"positionEncodings": ["utf-16"]}}
INLINE = {"textDocument": {"inlineCompletion": {"dynamicRegistration": False}}}


class LspError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.error = error


class Client:
    """Sends messages and keeps what comes back until the test takes it.

    Attributes:
        answers: Results for the server's own requests, by method; a callable gets the params
            and is called anew each time. A request without an answer here fails the test.
        ignored: Notifications that this test is not about.
        asked: The server's own requests, in order: method and params.
        statuses: Params of each `sirdab/status`; a test need not look at them.
        null_errors: Errors that name no request; a test has to take them out.
        log: All that the server sent.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._decoder = FrameDecoder()
        self._next_id = 0
        self._waiting: dict[int | str, asyncio.Future[Any]] = {}
        self._notifications: deque[tuple[str, Any]] = deque()
        self._arrivals = asyncio.Event()
        self.faults: list[str] = []
        self.null_errors: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {
            "client/registerCapability": None,
            "workspace/configuration": [None],
        }
        self.ignored: set[str] = set()
        self.statuses: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.log: list[dict[str, Any]] = []

    # --- wire -----------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take bytes from the server."""
        for frame in self._decoder.feed(data):
            if isinstance(frame, Body):
                self._take(json.loads(frame.data))
            else:
                self.faults.append(f"the server sent no message: {frame.reason}")
        self._arrivals.set()

    def _take(self, message: dict[str, Any]) -> None:
        self.log.append(message)
        assert message["jsonrpc"] == "2.0", message
        if "method" not in message:
            self._take_response(message)
        elif "id" in message:
            self._answer(message)
        elif message["method"] == "sirdab/status":
            self.statuses.append(message["params"])
        elif message["method"] not in self.ignored:
            self._notifications.append((message["method"], message.get("params")))

    def _take_response(self, message: dict[str, Any]) -> None:
        if ("result" in message) == ("error" in message):
            self.faults.append(f"a response must have a result or an error: {message}")
        if message["id"] is None:
            self.null_errors.append(message["error"])
            return
        future = self._waiting.pop(message["id"], None)
        if future is None:
            self.faults.append(f"a response that nobody waits for: {message}")
        elif future.cancelled():
            return
        elif "error" in message:
            future.set_exception(LspError(message["error"]))
        else:
            future.set_result(message["result"])

    def _answer(self, message: dict[str, Any]) -> None:
        method = message["method"]
        self.asked.append((method, message.get("params")))
        if method not in self.answers:
            self.faults.append(f"the server asked for {method}, which this test did not expect")
            return
        answer = self.answers[method]
        if answer is NEVER:
            return
        result = answer(message.get("params")) if callable(answer) else answer
        reply = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        # Not at once: in one process that would call the server from inside the server.
        asyncio.get_running_loop().call_soon(self.write, reply)

    def write(self, message: Any) -> None:
        """Send anything as one well-framed message."""
        self.write_body(json.dumps(message).encode())

    def write_body(self, body: bytes) -> None:
        """Send a body, whatever it is."""
        self.write_raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def write_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._send(data)

    # --- messages ---------------------------------------------------------------------------

    def begin(self, method: str, params: Any = None, id_: int | str | None = None) -> Any:
        """Send a request and return the future of its result, with its id as `.id`."""
        if id_ is None:
            self._next_id += 1
            id_ = self._next_id
        future = self.expect(id_)
        self.write({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        return future

    def expect(self, id_: int | str) -> Any:
        """Return the future of the response to a request that is sent in another way."""
        future = _Answer(id_)
        self._waiting[id_] = future
        return future

    async def request(self, method: str, params: Any = None) -> Any:
        """Send a request and wait for its result.

        Raises:
            LspError: It was answered with an error.
        """
        return await asyncio.wait_for(self.begin(method, params), PATIENCE)

    async def error_of(self, answer: Any) -> int:
        """Return the code of the error that a request is answered with."""
        try:
            result = await asyncio.wait_for(answer, PATIENCE)
        except LspError as error:
            return error.code
        raise AssertionError(f"answered with {result!r} and not with an error")

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self.write({"jsonrpc": "2.0", "method": method, "params": params})

    def cancel(self, answer: Any) -> None:
        """Cancel a request that was begun."""
        self.notify("$/cancelRequest", {"id": answer.id})

    async def expect_notification(self, method: str) -> Any:
        """Wait for a notification, taking it out, and return its params."""
        return (await self.until(lambda: self._pop(method)))[0]

    def _pop(self, method: str) -> tuple[Any] | None:
        for entry in self._notifications:
            if entry[0] == method:
                self._notifications.remove(entry)
                return (entry[1],)
        return None

    async def until(self, found: Callable[[], Any]) -> Any:
        """Wait until a function of what has arrived returns something true, and return it."""

        async def wait() -> Any:
            while not (value := found()):
                self._arrivals.clear()
                with suppress(TimeoutError):
                    # A condition may also depend on something other than an arrival.
                    await asyncio.wait_for(self._arrivals.wait(), 0.02)
            return value

        return await asyncio.wait_for(wait(), PATIENCE)

    async def settle(self) -> None:
        """Wait until the server has handled all that was sent before.

        An unknown method is used, because it is answered at its place in the stream.
        """
        assert await self.error_of(self.begin("test/settle")) in (-32601, -32600, -32002)

    # --- what editors do ------------------------------------------------------------------------

    async def start(
        self, capabilities: dict[str, Any] | None = None, options: Any = None, **params: Any
    ) -> dict[str, Any]:
        """Initialize and return the server's capabilities."""
        result = await self.initialize(capabilities, options, **params)
        self.notify("initialized", {})
        await self.settle()
        return result["capabilities"]

    async def initialize(
        self, capabilities: dict[str, Any] | None = None, options: Any = None, **params: Any
    ) -> dict[str, Any]:
        """Send `initialize` alone and return its result."""
        return await self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "capabilities": {**UTF16, **INLINE} if capabilities is None else capabilities,
                "initializationOptions": options,
                **params,
            },
        )

    async def stop(self) -> None:
        """Shut the server down as an editor does."""
        assert await self.request("shutdown") is None
        self.notify("exit")

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        """Open a document."""
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, *changes: tuple[Sequence[int], str] | str) -> None:
        """Change a document; a change is (start line, character, end line, character), text."""
        self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [
                    {"text": change}
                    if isinstance(change, str)
                    else {"range": range_of(*change[0]), "text": change[1]}
                    for change in changes
                ],
            },
        )

    def begin_inline(
        self, uri: str, line: int, character: int, trigger: int = 1, selected: Any = None
    ) -> Any:
        """Ask for ghost text and return the future of the answer."""
        return self.begin(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": uri},
                "position": {"line": line, "character": character},
                "context": {"triggerKind": trigger, "selectedCompletionInfo": selected},
            },
        )

    async def inline(self, uri: str, line: int, character: int, **kwargs: Any) -> Any:
        """Ask for ghost text and return the answer."""
        return await asyncio.wait_for(self.begin_inline(uri, line, character, **kwargs), PATIENCE)

    def check(self) -> None:
        """Fail when something was left unread, unanswered or wrong.

        Raises:
            AssertionError: Says what.
        """
        assert not self.faults, self.faults
        assert not self._waiting, f"never answered: {list(self._waiting)}"
        assert not self._notifications, f"never looked at: {list(self._notifications)}"
        assert not self.null_errors, f"never looked at: {self.null_errors}"


NEVER = object()
"""As an answer: none is ever sent."""


class _Answer(asyncio.Future[Any]):
    """The answer to one request; a test that waits for it in vain fails soon."""

    def __init__(self, id_: int | str) -> None:
        super().__init__()
        self.id = id_
        timer = self.get_loop().call_later(PATIENCE, self._give_up)
        self.add_done_callback(lambda _: timer.cancel())

    def _give_up(self) -> None:
        if not self.done():
            self.set_exception(TimeoutError(f"request {self.id!r} was never answered"))


def range_of(line: int, character: int, end_line: int, end_character: int) -> dict[str, Any]:
    """Return a range as it is sent."""
    return {
        "start": {"line": line, "character": character},
        "end": {"line": end_line, "character": end_character},
    }


class _Pipe:
    """Connects the server's writer to the client, through bytes as a real pipe would."""

    def __init__(self) -> None:
        self.client: Client | None = None

    def write(self, data: bytes) -> None:
        assert self.client is not None
        self.client.feed(data)

    def close(self) -> None:
        """Nothing is held open."""


class InProcess(Client):
    """A client of a server in this process.

    Attributes:
        server: The server.
        closed_engine: Whether the server has given its engine back.
        refreshes: How often the server looked for a model server.
    """

    def __init__(self, server: SirdabServer) -> None:
        decoder = FrameDecoder()

        def send(data: bytes) -> None:
            for frame in decoder.feed(data):
                server.protocol.receive(frame)

        super().__init__(send)
        self.server = server
        self.closed_engine = False
        self.refreshes = 0


@asynccontextmanager
async def in_process(
    engine: CompletionEngine,
    started: asyncio.Event | None = None,
    endpoints: EndpointSource | None = None,
) -> AsyncIterator[InProcess]:
    """Connect a client to a server in this process.

    Args:
        engine: Answers the completion requests.
        started: The engine is there once this is set; at once by default.
        endpoints: The model for reviews; none by default.
    """
    pipe = _Pipe()

    async def refresh() -> None:
        client.refreshes += 1

    async def services(_: SirdabServer) -> Services:
        if started is not None:
            await started.wait()
        return Services(engine, refresh, close, endpoints)

    async def close() -> None:
        client.closed_engine = True

    server = create_server(services)
    client = pipe.client = InProcess(server)
    server.protocol.set_writer(pipe)  # pyright: ignore[reportArgumentType]
    try:
        yield client
        await client.settle()
        client.check()
    finally:
        await server.close()


class Spawned(Client):
    """A client of a server in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        super().__init__(process.stdin.write)
        self.process = process
        self.errors = b""

    async def pump(self) -> None:
        """Read what the server sends until it closes its end."""
        assert self.process.stdout is not None
        while data := await self.process.stdout.read(65536):
            self.feed(data)

    async def pump_errors(self) -> None:
        """Keep what the server writes to standard error."""
        assert self.process.stderr is not None
        while data := await self.process.stderr.read(65536):
            self.errors += data

    async def exit_code(self) -> int:
        """Wait for the process to end."""
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


@asynccontextmanager
async def spawned(
    command: Sequence[str] | None = None, env: dict[str, str] | None = None
) -> AsyncIterator[Spawned]:
    """Spawn a server and connect a client to its pipes.

    Args:
        command: The command line; `sirdab --stdio` of this Python by default.
        env: The whole environment; this process's by default.
    """
    process = await asyncio.create_subprocess_exec(
        *(command or (sys.executable, "-m", "sirdab", "--stdio")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env,
    )
    client = Spawned(process)
    pumps = [asyncio.ensure_future(client.pump()), asyncio.ensure_future(client.pump_errors())]
    try:
        yield client
        if process.returncode is None and process.stdin is not None:
            process.stdin.close()
            await client.exit_code()
        await asyncio.gather(*pumps)
        client.check()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
