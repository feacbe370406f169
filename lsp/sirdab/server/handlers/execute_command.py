"""`workspace/executeCommand`: the commands that the server itself carries out."""

from collections.abc import Callable
from typing import Any

from sirdab.server import greeting
from sirdab.server.jsonrpc import Code
from sirdab.server.language_server import SirdabServer
from sirdab.server.protocol import RequestError
from sirdab.server.tally import PARTS


def _accept(ls: SirdabServer, arguments: list[Any]) -> None:
    """Count that a suggestion was taken: `[id, "full" | "line" | "word"]`."""
    match arguments:
        case [str(id_), str(part)] if part in PARTS:
            ls.session.tally.accepted(id_, part)
        case [str(id_)]:
            ls.session.tally.accepted(id_, "full")
        case _:
            raise RequestError(
                Code.INVALID_PARAMS,
                'sirdab.accept takes the id of a suggestion and "full", "line" or "word".',
            )


def _toggle(ls: SirdabServer, arguments: list[Any]) -> dict[str, bool]:
    """Turn ghost text on or off until the session ends or the setting changes."""
    del arguments
    enabled = ls.session.configuration.toggle()
    ls.switch()
    if enabled:
        ls.wake()
    return {"enabled": enabled}


def _clear_cache(ls: SirdabServer, arguments: list[Any]) -> None:
    """Drop what the engine remembers."""
    del arguments
    engine = ls.engine_if_ready()
    if engine is not None:
        engine.clear()


COMMANDS: dict[str, Callable[[SirdabServer, list[Any]], Any]] = dict(
    zip(greeting.COMMANDS, (_accept, _toggle, _clear_cache), strict=True)
)
