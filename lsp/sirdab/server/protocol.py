"""LSP on top of pygls: messages in order, snapshots at dispatch, one response for each id.

pygls brings the types, the client-facing methods and the capabilities. How messages are
dispatched is ours, because the stock way loses guarantees that an editor relies on: an
asynchronous handler starts after later edits have been applied, a request with wrong params
is never answered, an exception sends a traceback to the client.

The rule that everything here follows: **a handler is a plain function, called at the
message's place in the stream.** What it needs of the documents it takes there and then. What
takes time it returns as a coroutine, which becomes a task that can be cancelled.
"""

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from functools import partial
from inspect import isawaitable, iscoroutine
from typing import TYPE_CHECKING, Any, cast

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol, default_converter

from sirdab.server import jsonrpc
from sirdab.server.framing import Frame
from sirdab.server.jsonrpc import Code, Id

if TYPE_CHECKING:
    from sirdab.server.language_server import SirdabServer

_log = logging.getLogger(__name__)

Handler = Callable[[Any], Any]

# Longest wait for open connections and the like to close at `shutdown`, in seconds. Editors
# wait about this long for the answer before they kill the process.
_CLOSE_SECONDS = 1.5

_LSP_TYPES = cast("dict[str, Any]", types.METHOD_TO_TYPES)  # pyright: ignore[reportUnknownMemberType]

# The type of each method's params; None for methods without any. Two methods of our own
# have params of the shape of an LSP type.
_PARAMS: dict[str, type[Any] | None] = {
    **{method: found[2] for method, found in _LSP_TYPES.items()},
    "sirdab/explain": types.TextDocumentPositionParams,
    "sirdab/didMoveCursor": types.TextDocumentPositionParams,
}
# Methods that are owed a response, and so must not be carried out without an id.
_REQUESTS = frozenset({"sirdab/explain", *(name for name, found in _LSP_TYPES.items() if found[1])})


class Phase(Enum):
    """Where in its life the session is."""

    NEW = auto()
    RUNNING = auto()
    SHUT_DOWN = auto()


class Pending:
    """A request that has not been answered yet.

    Attributes:
        id: The client's id.
        method: For the log.
        started: Monotonic seconds.
        task: What works on it, once something does.
        progress: The client's token for showing how far it is, or None.
    """

    __slots__ = ("id", "method", "progress", "started", "task")

    def __init__(self, id_: Id, method: str) -> None:
        self.id = id_
        self.method = method
        self.started = time.monotonic()
        self.task: asyncio.Task[Any] | None = None
        self.progress: int | str | None = None


class RequestError(Exception):
    """Raised by a handler to answer with a certain error.

    Attributes:
        code: The error code.
        message: One sentence, sent to the client.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def strict_converter() -> Converter:
    """Return a converter that refuses values of the wrong type.

    cattrs turns `null` into the text "None" and "5" into 5 by default. A document must not be
    made of such text, and a request is better answered with what is wrong.
    """

    # A hook for a class is one for its subclasses too, which are enumerations here: `kind`.
    def text(value: Any, kind: Any) -> str:
        if isinstance(value, str):
            return value if kind is str else kind(value)
        raise ValueError("not a string")

    def whole(value: Any, kind: Any) -> int:
        # JSON has one kind of number; some clients write whole ones as 1.0.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value if kind is int else kind(value)
        raise ValueError("not a whole number")

    def truth(value: Any, _: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError("not true or false")

    converter = default_converter()
    converter.register_structure_hook(str, text)
    converter.register_structure_hook(int, whole)
    converter.register_structure_hook(bool, truth)
    return converter


def describe(error: BaseException) -> str:
    """Name an exception and where it came from, without its message.

    Messages of exceptions quote the values they are about, and those can be source text.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = " <- ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-6:]))
    return f"{type(error).__name__} in {where}"


class SirdabProtocol(LanguageServerProtocol):
    """Dispatches messages."""

    def __init__(self, server: "SirdabServer", converter: Converter) -> None:
        super().__init__(server, converter)
        self._sirdab = server
        self._phase = Phase.NEW
        self._pending: dict[Id, Pending] = {}
        self._dispatched: Pending | None = None
        self._hello: Any = None
        self._greeted = False
        self.exit_code: int | None = None
        """What the process should return, once `exit` has come."""
        self.on_exit: Callable[[], None] = _nothing

    def _register_builtin_features(self) -> None:
        """Register our own set instead of pygls'.

        The stock handlers keep a second copy of every document in `pygls.workspace`, split
        at line ends that LSP does not have; that workspace is never created here.
        """
        registry = self._registry
        registry.add_builtin_feature(types.INITIALIZE, self._initialize)
        registry.add_builtin_feature(types.SHUTDOWN, self._shut_down)
        registry.add_builtin_feature(types.EXIT, self._exit)
        registry.add_builtin_feature(types.CANCEL_REQUEST, self._cancel)
        registry.add_builtin_feature(types.SET_TRACE, self._set_trace)
        registry.add_builtin_feature(types.WORKSPACE_EXECUTE_COMMAND, self._execute_command)

    @property
    def _registry(self) -> Any:
        """Pygls' table of handlers, which has no type annotations."""
        return self.fm

    # --- messages in -------------------------------------------------------------------

    def receive(self, frame: Frame, *, greeted: bool = False) -> None:
        """Handle what one frame holds. Never raises.

        Args:
            frame: What was read.
            greeted: Whether it is an `initialize` that has been answered already.
        """
        self._greeted = greeted
        for message in jsonrpc.parse(frame):
            try:
                self._dispatch(message)
            except Exception as error:  # noqa: BLE001 - the messages behind it must still come
                _log.error("a message could not be handled: %s", describe(error))

    def _dispatch(self, message: jsonrpc.Message) -> None:
        match message:
            case jsonrpc.Request():
                self._on_request(message)
            case jsonrpc.Notification():
                self._on_notification(message)
            case jsonrpc.Response():
                self._on_response(message)
            case jsonrpc.Invalid():
                self._on_invalid(message)

    @property
    def dispatched(self) -> Pending:
        """The request whose handler is being called.

        Raises:
            RuntimeError: No handler of a request is being called.
        """
        if self._dispatched is None:
            raise RuntimeError("asked for outside of a request's handler")
        return self._dispatched

    def _on_invalid(self, message: jsonrpc.Invalid) -> None:
        _log.warning("refused a message: %s", message.message)
        # An id that is being worked on gets its response from there.
        if message.id is None or message.id not in self._pending:
            self._send_error(message.id, message.code, message.message)

    def _on_request(self, request: jsonrpc.Request) -> None:
        if request.id in self._pending:
            # The client cannot tell two responses apart, so the id gets one: the first's.
            _log.warning("ignored a second request with an id that is not answered yet")
            return
        pending = Pending(request.id, request.method)
        self._pending[request.id] = pending
        self._dispatched = pending
        try:
            handler = self._handler_of(request.method)
            result = handler(self._structure(request.method, request.params))
        except Exception as error:  # noqa: BLE001 - whatever it is, the id is owed a response
            self._answer_error(pending, error)
        else:
            if isawaitable(result):
                self._start(pending, result)
            else:
                self._answer(pending, result)
        finally:
            self._dispatched = None

    def _handler_of(self, method: str) -> Handler:
        """Return the handler of a request.

        Raises:
            RequestError: It must not be served now, or there is none.
        """
        if self._phase is Phase.SHUT_DOWN:
            raise RequestError(Code.INVALID_REQUEST, "The server has been shut down.")
        if method == types.INITIALIZE:
            if self._phase is not Phase.NEW:
                raise RequestError(Code.INVALID_REQUEST, "The server is initialized already.")
        elif self._phase is Phase.NEW:
            raise RequestError(Code.SERVER_NOT_INITIALIZED, "The first request is initialize.")
        handler = self._find_handler(method)
        if handler is None:
            raise RequestError(Code.METHOD_NOT_FOUND, f"Sirdab does not know {method[:100]}.")
        return handler

    def _find_handler(self, method: str) -> Handler | None:
        builtin: Handler | None = self._registry.builtin_features.get(method)
        return builtin or self._registry.features.get(method)

    def _structure(self, method: str, params: Any) -> Any:
        """Return params in their LSP type.

        Raises:
            RequestError: They are not what the method takes.
        """
        wanted = _PARAMS.get(method)
        if wanted is None:
            return params
        if method == types.INITIALIZE:
            self._hello = params
            params = self._without_unknown(params)
        try:
            return self._converter.structure(params, wanted)
        except Exception as error:
            raise RequestError(
                Code.INVALID_PARAMS, f"The params of {method} are not what LSP 3.18 asks for."
            ) from error

    def _without_unknown(self, params: Any) -> Any:
        """Drop the parts of `initialize` that this version's types do not know.

        A newer editor may offer values that were not there when the types were made. It must
        still be able to start us; what it offered in that one capability does not count.
        """
        if not isinstance(params, dict):
            return params
        message = cast("dict[str, Any]", params)
        if self._accepts(message):
            return message
        kept = {
            key: value
            for key, value in message.items()
            if key != "capabilities" and self._accepts({"capabilities": {}, key: value})
        }
        capabilities = message.get("capabilities")
        if not isinstance(capabilities, dict):
            return kept
        kept["capabilities"] = known = {}
        for section, value in cast("dict[str, Any]", capabilities).items():
            if not isinstance(value, dict):
                continue
            known[section] = {
                key: inner
                for key, inner in cast("dict[str, Any]", value).items()
                if self._accepts({"capabilities": {section: {key: inner}}})
            }
        _log.warning("initialize holds values that are not known here; they are left out")
        return kept

    def _accepts(self, params: dict[str, Any]) -> bool:
        try:
            self._converter.structure(params, types.InitializeParams)
        except Exception:  # noqa: BLE001 - cattrs raises whatever a hook raises
            return False
        return True

    def _on_notification(self, notification: jsonrpc.Notification) -> None:
        method = notification.method
        if method != types.EXIT and self._phase is not Phase.RUNNING:
            _log.info("dropped %s: the server is not running", _loggable(method))
            return
        handler = None if method in _REQUESTS else self._find_handler(method)
        if handler is None:
            return
        try:
            params = self._structure(method, notification.params)
        except RequestError as error:
            _log.warning("dropped %s: %s", method, error.message)
            if method == types.TEXT_DOCUMENT_DID_CHANGE:
                self._sirdab.session.lost_change(notification.params)
            return
        try:
            result = handler(params)
            if isawaitable(result):
                self._sirdab.spawn(result)
        except Exception as error:  # noqa: BLE001 - a notification has nobody to answer to
            _log.error("%s failed: %s", method, describe(error))

    def _on_response(self, response: jsonrpc.Response) -> None:
        future = self._request_futures.pop(response.id, None)
        result_type = self._result_types.pop(response.id, None)
        # Whoever asked may have been cancelled in the meantime; setting a result then raises.
        if future is None or future.done():
            return
        if response.error is not None:
            # Codes and messages of the client are data: no more than a sentence is made of them.
            future.set_exception(JsonRpcException("The editor answered with an error."))
            return
        result = response.result
        if result_type is not None:
            try:
                message = {"id": response.id, "jsonrpc": jsonrpc.VERSION, "result": result}
                result = self._converter.structure(message, result_type).result
            except Exception:  # noqa: BLE001 - cattrs raises whatever a hook raises
                future.set_exception(JsonRpcException("The editor's answer has a wrong shape."))
                return
        future.set_result(result)

    # --- requests in flight --------------------------------------------------------------

    def _start(self, pending: Pending, work: Awaitable[Any]) -> None:
        pending.task = asyncio.ensure_future(self._work(pending, work))
        pending.task.add_done_callback(partial(self._worked, pending, work))

    async def _work(self, pending: Pending, work: Awaitable[Any]) -> None:
        try:
            self._answer(pending, await work)
        except Exception as error:  # noqa: BLE001 - whatever it is, the id is owed a response
            self._answer_error(pending, error)

    def _worked(self, pending: Pending, work: Awaitable[Any], task: "asyncio.Task[None]") -> None:
        if iscoroutine(work):
            # One that never began would be complained of on standard error.
            work.close()
        # Covers a task that was cancelled by something other than `_cancel` and `abandon`,
        # or before it began to run.
        self._cancelled(pending)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s failed: %s", _loggable(pending.method), describe(error))

    def abandon(self, pending: Pending, result: Any = None) -> None:
        """Answer a request now and stop the work on it.

        Args:
            pending: The request; nothing happens when it has been answered.
            result: What it is answered with.
        """
        self._answer(pending, result)
        if pending.task is not None:
            pending.task.cancel()

    def _cancel(self, params: types.CancelParams) -> None:
        pending = self._pending.get(params.id)
        if pending is None:
            return
        # The response does not wait for the work to notice, which may not happen at once.
        self._cancelled(pending)
        if pending.task is not None:
            pending.task.cancel()

    def _take(self, pending: Pending) -> bool:
        """Return whether the request may be answered: True exactly once."""
        if self._pending.get(pending.id) is not pending:
            return False
        del self._pending[pending.id]
        elapsed = (time.monotonic() - pending.started) * 1000
        _log.info("%s answered after %.1f ms", _loggable(pending.method), elapsed)
        return True

    def _answer(self, pending: Pending, result: Any) -> None:
        if not self._take(pending):
            return
        if self._greeted and pending.method == types.INITIALIZE:
            return
        try:
            self._send_data({"jsonrpc": jsonrpc.VERSION, "id": pending.id, "result": result})
        except Exception as error:  # noqa: BLE001 - the id is still owed a response
            _log.error(
                "the result of %s is no JSON: %s", _loggable(pending.method), describe(error)
            )
            self._send_error(pending.id, Code.INTERNAL_ERROR, _internal(pending))

    def _answer_error(self, pending: Pending, error: Exception) -> None:
        if isinstance(error, RequestError):
            code, message = error.code, error.message
        else:
            _log.error("%s failed: %s", _loggable(pending.method), describe(error))
            code, message = Code.INTERNAL_ERROR, _internal(pending)
        if self._take(pending):
            self._send_error(pending.id, code, message)

    def _cancelled(self, pending: Pending) -> None:
        if self._take(pending):
            self._send_error(pending.id, Code.REQUEST_CANCELLED, "The request was cancelled.")

    # --- messages out --------------------------------------------------------------------

    def notify_plain(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification whose params are JSON already, which saves turning them into it."""
        self._send_data({"jsonrpc": jsonrpc.VERSION, "method": method, "params": params})

    def _send_error(self, id_: Id | None, code: Code, message: str) -> None:
        error = {"code": int(code), "message": message}
        self._send_data({"jsonrpc": jsonrpc.VERSION, "id": id_, "error": error})

    def _send_data(self, data: Any) -> None:
        """Send one message.

        pygls' own version logs what it sends, and reports what it cannot send by sending.
        """
        if self.writer is None:
            return
        self.writer.write(jsonrpc.encode(data, self._serialize_message))

    # --- the life of a session -----------------------------------------------------------

    def _initialize(self, params: types.InitializeParams) -> dict[str, Any]:
        server = self._sirdab
        self.client_capabilities = params.capabilities
        server.process_id = params.process_id
        answer = server.begin(params, self._hello)
        self._phase = Phase.RUNNING
        return answer

    def _shut_down(self, _: Any) -> Awaitable[None]:
        self._phase = Phase.SHUT_DOWN
        # What is held open until there is news has its answer now: there will be none.
        self._sirdab.reviews.stop()
        for pending in list(self._pending.values()):
            if pending is not self._dispatched:
                self._cancel(types.CancelParams(pending.id))
        return self.finish()

    async def finish(self) -> None:
        """Give back what the server holds open, as far as that is quick."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._sirdab.close()

    def warm_up(self) -> None:
        """Have the code made that reads and writes ghost text: some ms, once for each type."""
        nowhere = {"line": 0, "character": 0}
        params = {
            "textDocument": {"uri": ""},
            "position": nowhere,
            "context": {
                "triggerKind": 1,
                "selectedCompletionInfo": {"range": {"start": nowhere, "end": nowhere}, "text": ""},
            },
        }
        self._structure(types.TEXT_DOCUMENT_INLINE_COMPLETION, params)
        changes = [{"text": ""}, {"range": {"start": nowhere, "end": nowhere}, "text": ""}]
        document = {"uri": "", "version": 0}
        self._structure(
            types.TEXT_DOCUMENT_DID_CHANGE, {"textDocument": document, "contentChanges": changes}
        )
        position = types.Position(0, 0)
        command = types.Command("", "", arguments=[""])
        item = types.InlineCompletionItem("", None, types.Range(position, position), command)
        self._converter.unstructure(types.InlineCompletionList([item]))

    def _exit(self, _: Any) -> None:
        # LSP 3.18, "Exit Notification": 0 after shutdown, else 1.
        self.exit_code = 0 if self._phase is Phase.SHUT_DOWN else 1
        self.on_exit()

    def _set_trace(self, params: types.SetTraceParams) -> None:
        self.trace = params.value

    def _execute_command(self, params: types.ExecuteCommandParams) -> Any:
        command = self._registry.commands.get(params.command)
        if command is None:
            raise RequestError(
                Code.INVALID_PARAMS, f"Sirdab has no command {params.command[:100]}."
            )
        if self._dispatched is not None:
            self._dispatched.progress = params.work_done_token
        return command(list(params.arguments or ()))


def _nothing() -> None:
    """Do nothing."""


def _loggable(method: str) -> str:
    """Return a method's name as one short ASCII line; it is the client's text."""
    return ascii(method[:100])[1:-1]


def _internal(pending: Pending) -> str:
    return f"{pending.method[:100]} failed inside Sirdab; its log file says where."
