"""From the body of a message to a request, a notification or a response.

Pure: no LSP, no library. Whatever arrives, the outcome is a value; nothing here raises. The
values are named tuples, because making dataclasses costs start-up.
Error codes are those of JSON-RPC 2.0 and LSP 3.18 ("ErrorCodes").
"""

import json
import re
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple, NoReturn, cast

from sirdab.server.framing import Frame, Refused

Id = int | str

VERSION = "2.0"

_NO_METHOD = object()

# One member of an object whose value is no object and no list, and the comma behind it.
_STRING = r'"(?:[^"\\]|\\.)*"'
_MEMBER = re.compile(rf"\s*({_STRING})\s*:\s*({_STRING}|-?\d+|true|false|null)\s*,", re.DOTALL)
_BEGIN = re.compile(r"\s*\{")


class Code(IntEnum):
    """Error codes that this server answers with."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    SERVER_NOT_INITIALIZED = -32002
    REQUEST_CANCELLED = -32800
    REQUEST_FAILED = -32803


class Request(NamedTuple):
    """A message that wants exactly one response."""

    id: Id
    method: str
    params: Any


class Notification(NamedTuple):
    """A message that gets no response."""

    method: str
    params: Any


class Response(NamedTuple):
    """The client's answer to one of our requests; `error` is None when it succeeded."""

    id: Id
    result: Any
    error: dict[str, Any] | None


class Invalid(NamedTuple):
    """A message that cannot be understood.

    Attributes:
        code: What the client is told.
        message: The same as a sentence.
        id: The request that is answered with it; None when it cannot be told which.
    """

    code: Code
    message: str
    id: Id | None


Message = Request | Notification | Response | Invalid


def encode(message: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """Return a message as it goes over the wire.

    Args:
        message: Anything that JSON can hold.
        default: Turns what JSON cannot hold into something that it can.

    Raises:
        TypeError: There is such a thing and no `default`, or `default` does not know it.
    """
    # ASCII only: half a surrogate pair, which a client may send us, has no UTF-8.
    body = json.dumps(message, default=default, separators=(",", ":")).encode("ascii")
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def parse(frame: Frame) -> list[Message]:
    """Return the messages of one frame: one, or for a batch one refusal for each request."""
    if isinstance(frame, Refused):
        code = Code.INVALID_REQUEST if frame.too_large else Code.PARSE_ERROR
        return [Invalid(code, frame.reason, recover_id(frame.head.decode("utf-8", "replace")))]
    try:
        text = frame.data.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return [_unreadable("A message is not UTF-8.", frame.data)]
    except RecursionError:
        return [_unreadable("A message is nested too deeply.", frame.data)]
    except ValueError:
        return [_unreadable("A message is not JSON.", frame.data)]
    if isinstance(value, list):
        return _refuse_batch(cast("list[Any]", value))
    return [_classify(value)]


def _unreadable(reason: str, body: bytes) -> Invalid:
    return Invalid(Code.PARSE_ERROR, reason, recover_id(body.decode("utf-8", "replace")))


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity; JSON has neither (RFC 8259, section 6).
    raise ValueError(name)


def _refuse_batch(items: list[Any]) -> list[Message]:
    """LSP has no batches; each request in one is still owed its response."""
    reason = "Sirdab takes one message at a time, as LSP asks."
    ids = [item.id for item in map(_classify, items) if isinstance(item, Request)]
    return [Invalid(Code.INVALID_REQUEST, reason, id_) for id_ in dict.fromkeys(ids) or [None]]


def _classify(value: Any) -> Message:
    if not isinstance(value, dict):
        return Invalid(Code.INVALID_REQUEST, "A message is not an object.", None)
    message = cast("dict[str, Any]", value)
    method = message.get("method", _NO_METHOD)
    id_ = message.get("id")
    usable_id = id_ if isinstance(id_, str | int) and not isinstance(id_, bool) else None
    if method is _NO_METHOD and ("result" in message or "error" in message):
        error = message.get("error")
        if usable_id is None:
            return Invalid(Code.INVALID_REQUEST, "A response has no id.", None)
        return Response(
            usable_id,
            message.get("result"),
            cast("dict[str, Any]", error) if isinstance(error, dict) else None,
        )
    if message.get("jsonrpc") != VERSION:
        return Invalid(Code.INVALID_REQUEST, 'A message does not say "jsonrpc": "2.0".', usable_id)
    if not isinstance(method, str):
        return Invalid(Code.INVALID_REQUEST, "A message has no method.", usable_id)
    if "id" not in message:
        return Notification(method, message.get("params"))
    if usable_id is None:
        return Invalid(Code.INVALID_REQUEST, "A request's id is no string and no integer.", None)
    return Request(usable_id, method, message.get("params"))


def recover_id(text: str) -> Id | None:
    """Find the id of a request in a body that is not valid JSON.

    Answering the wrong id would be worse than answering none, so only what stands before any
    damage counts: `id` and `method` among the members that the message begins with. That is
    where most clients write them.

    Args:
        text: The body, or as much of it as there is.
    """
    found: dict[str, str] = {}
    member = _BEGIN.match(text)
    while member is not None:
        member = _MEMBER.match(text, member.end())
        if member is not None:
            found.setdefault(member[1], member[2])
    if '"method"' not in found:
        return None
    try:
        id_: object = json.loads(found.get('"id"', "null"))
    except ValueError:
        return None
    return id_ if isinstance(id_, str | int) and not isinstance(id_, bool) else None
