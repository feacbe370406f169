"""Wires the parts together and runs the server on standard input and output.

Start-up is what a user waits for each time an editor opens, so this module imports nothing
at the top that `initialize` does not need, and `real_services` imports the rest when the
client has its answer.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

from sirdab.server import greeting
from sirdab.server.framing import Frame
from sirdab.server.jsonrpc import VERSION, encode
from sirdab.server.transport import PipeReader, PipeWriter, Streams, protect_stdio

if TYPE_CHECKING:
    from sirdab.server.language_server import ServiceFactory, Services, SirdabServer

# Imported one by one in a thread, when the client has its answer to `initialize`. Most of
# them are imported by the endpoint when it is first used, which would be a keystroke.
_HEAVY_MODULES = (
    "httpx",
    "sirdab.completion.engine",
    "sirdab.context.keeper",
    "sirdab.endpoint.guarded_transport",
    "sirdab.endpoint.select",
    "sirdab.policy.audit",
)

# Longest time between the end of the session and the end of the process, in seconds.
_EXIT_SECONDS = 3.0

# How long a thread that works, on a review for instance, keeps the interpreter when a message has
# come in: by Python's default 5 ms each time, which a keystroke would wait.
TURN_SECONDS = 0.0005

_CLIENT_PROCESS = "--clientProcessId="


def create_server(services: "ServiceFactory | None" = None) -> "SirdabServer":
    """Make a server that is not connected to anything yet.

    Args:
        services: Makes the engine; the real one by default.
    """
    from sirdab.server.handlers import register
    from sirdab.server.language_server import SirdabServer

    server = SirdabServer(services or real_services)
    register(server)
    return server


async def real_services(server: "SirdabServer") -> "Services":
    """Import and connect the engine, the endpoint and the audit trail."""
    # httpx imports its own command line with it, and that rich, click and pygments: 6 MB and
    # 50 ms for what a server never does. It copes with the module not being there.
    cast("dict[str, object]", sys.modules).setdefault("httpx._main", None)
    # In a thread, so that messages are answered while libraries load.
    for module in _HEAVY_MODULES:
        await asyncio.to_thread(import_module, module)
    # As in `_connect`: the collector holds up everything while it looks at what it cannot free.
    gc.freeze()
    from sirdab.completion.engine import Engine
    from sirdab.completion.speeds import Speeds
    from sirdab.config.directories import cache_directory
    from sirdab.context.keeper import Keeper
    from sirdab.endpoint.select import EndpointManager, EndpointState
    from sirdab.models import speeds
    from sirdab.models.user_families import user_families
    from sirdab.policy.audit import AuditTrail, default_path
    from sirdab.server.language_server import Services
    from sirdab.server.status import State

    def on_state(state: EndpointState) -> None:
        server.status.report(
            State(state.state),
            state.message,
            endpoint=state.endpoint,
            model=state.model,
            problem=state.kind,
        )
        if state.kind is None and state.endpoint and state.model:
            engine.served_by(state.model, state.endpoint)

    if problem := (await asyncio.to_thread(user_families)).problem:
        server.log(problem)
        server.warn(problem)
    manager = EndpointManager(lambda: server.session.settings, on_state)
    audit = AuditTrail(default_path())
    context = Keeper(cache_directory() / "index")
    server.context.attach(context)
    engine = Engine(manager, audit=audit, speeds=Speeds(speeds.default_path()), context=context)

    async def close() -> None:
        # What is under way belongs to no request, so nobody else stops it.
        engine.clear()
        await asyncio.to_thread(engine.save)
        await manager.aclose()

    return Services(engine, manager.refresh, close, manager, audit)


def run_stdio(argv: Sequence[str] = (), services: "ServiceFactory | None" = None) -> int:
    """Serve one client on standard input and output until it is done.

    Args:
        argv: Arguments of the command line. `--stdio` is understood, `--clientProcessId=N`
            names the editor to watch, and other options that clients add are ignored.
        services: Makes the engine; the real one by default.

    Returns:
        The exit code: 0, or 1 when the client said `exit` without `shutdown` (LSP 3.18,
        "Exit Notification"); 130 after Ctrl-C.
    """
    streams = protect_stdio()
    # The libraries make so many classes that looking for garbage among them would take a
    # tenth of the start-up; nothing they make is garbage.
    gc.disable()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        return asyncio.run(_serve(streams, _client_process(argv), services))
    except KeyboardInterrupt:
        return 130


def _client_process(argv: Sequence[str]) -> int | None:
    for argument in argv:
        if argument.startswith(_CLIENT_PROCESS):
            with contextlib.suppress(ValueError):
                return int(argument.removeprefix(_CLIENT_PROCESS))
    return None


async def _serve(
    streams: Streams, client_process: int | None, services: "ServiceFactory | None"
) -> int:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    writer = PipeWriter(streams.stdout, done.set)
    server: SirdabServer | None = None

    def receive(frame: Frame) -> None:
        nonlocal server
        if server is not None:
            server.protocol.receive(frame)
            return
        early = None
        # What fails here is tried again, and answered, in the ordinary way.
        with contextlib.suppress(Exception):
            early = greeting.early_answer(frame)
        if early is not None:
            id_, result = early
            writer.write(encode({"jsonrpc": VERSION, "id": id_, "result": result}))
        # This takes some hundred milliseconds, and what the editor sends meanwhile waits.
        server = _connect(create_server(services), writer, done, client_process)
        server.protocol.receive(frame, greeted=early is not None)

    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGTERM, done.set)
    PipeReader(streams.stdin, receive, done.set).start(loop)
    await done.wait()
    # pyright does not see that the function above has run.
    connected = cast("SirdabServer | None", server)
    code = 0
    if connected is not None:
        await connected.protocol.finish()
        code = connected.protocol.exit_code or 0
    # Python waits for the threads of its pools, and one may be looking up a name that never
    # comes. An editor must not be left with a server that does not end.
    last_resort = threading.Timer(_EXIT_SECONDS, os._exit, (code,))
    last_resort.daemon = True
    last_resort.start()
    return code


def _connect(
    server: "SirdabServer", writer: PipeWriter, done: asyncio.Event, client_process: int | None
) -> "SirdabServer":
    gc.freeze()
    gc.enable()
    asyncio.get_running_loop().set_exception_handler(_log_exception)
    server.protocol.set_writer(writer)
    server.protocol.on_exit = done.set
    server.on_begin.append(
        lambda params, _: _watch(server, done, params.process_id, client_process)
    )
    return server


def _watch(server: "SirdabServer", done: asyncio.Event, *processes: int | None) -> None:
    """Start what begins with a session but not before its first answer."""
    server.spawn(_after_initialize(server, done, {pid for pid in processes if pid}))


async def _after_initialize(
    server: "SirdabServer", done: asyncio.Event, processes: set[int]
) -> None:
    from sirdab.server import logs, parent

    logs.start_logging()
    for pid in processes:
        server.spawn(parent.watch(pid, done.set))


def _log_exception(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Log what asyncio complains of, without the values in its message."""
    del loop
    import logging

    from sirdab.server.protocol import describe

    error = context.get("exception")
    what = describe(error) if isinstance(error, BaseException) else "no exception"
    logging.getLogger(__name__).error("asyncio: %s", what)
