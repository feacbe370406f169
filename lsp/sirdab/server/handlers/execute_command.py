"""`workspace/executeCommand`: the commands that the server itself carries out."""

from collections.abc import Callable, Mapping
from typing import Any

from sirdab.metrics.record import PARTS
from sirdab.server import convert, greeting
from sirdab.server.handlers import review, rewrite
from sirdab.server.jsonrpc import Code
from sirdab.server.language_server import SirdabServer
from sirdab.server.protocol import RequestError
from sirdab.server.switches import MAX_SNOOZE_MINUTES


def _accept(ls: SirdabServer, arguments: list[Any]) -> None:
    """Count that a suggestion was taken: `[id, "full" | "line" | "word"]`."""
    match arguments:
        case [str(id_), str(part)] if part in PARTS:
            pass
        case [str(id_)]:
            part = "full"
        case _:
            raise RequestError(
                Code.INVALID_PARAMS,
                'sirdab.accept takes the id of a suggestion and "full", "line" or "word".',
            )
    ls.session.tally.accepted(id_, part)
    ls.lifecycle.accepted(id_, part)


def _toggle(ls: SirdabServer, arguments: list[Any]) -> dict[str, bool]:
    """Turn ghost text on or off until the session ends or the setting changes.

    For everything with `[]`, for a language or a document with
    `[{"scope": "language", "languageId": …}]` or `[{"scope": "file", "uri": …}]`; `"enabled"`
    beside the scope says what is wanted.
    """
    session = ls.session
    settings, switches = session.configuration.settings, session.switches
    match arguments:
        case []:
            enabled = switches.set_everything(settings, None)
        case [{"scope": "all", **more}]:
            enabled = switches.set_everything(settings, _wanted(more))
        case [{"scope": "language", "languageId": str(language), **more}]:
            enabled = switches.set_language(settings, language, _wanted(more))
        case [{"scope": "file", "uri": str(uri), **more}]:
            key = convert.document_key(uri)
            if key is None:
                raise RequestError(
                    Code.INVALID_PARAMS, "sirdab.toggle was given a document it does not serve."
                )
            enabled = switches.set_file(key, _wanted(more))
        case _:
            raise RequestError(
                Code.INVALID_PARAMS,
                'sirdab.toggle takes nothing, or an object with "scope" and what it names: '
                '"languageId" or "uri".',
            )
    ls.switch()
    if enabled:
        ls.wake()
    else:
        ls.give_up()
    return {"enabled": enabled}


def _wanted(more: Mapping[str, Any]) -> bool | None:
    enabled = more.get("enabled")
    return enabled if isinstance(enabled, bool) else None


def _snooze(ls: SirdabServer, arguments: list[Any]) -> dict[str, str | None]:
    """Turn ghost text off for some minutes: `[minutes]`, 0 to end it."""
    match arguments:
        case [int(minutes)] if 0 <= minutes <= MAX_SNOOZE_MINUTES and not isinstance(minutes, bool):
            until = ls.snooze(minutes)
        case _:
            raise RequestError(
                Code.INVALID_PARAMS,
                f"sirdab.snooze takes a whole number of minutes, 0 to {MAX_SNOOZE_MINUTES}.",
            )
    return {"until": until.isoformat(timespec="seconds") if until else None}


def _clear_cache(ls: SirdabServer, arguments: list[Any]) -> None:
    """Drop what the engine and the reviews remember."""
    del arguments
    ls.reviews.clear_cache()
    ls.context.clear()
    engine = ls.engine_if_ready()
    if engine is not None:
        engine.clear()


COMMANDS: dict[str, Callable[[SirdabServer, list[Any]], Any]] = dict(
    zip(
        greeting.COMMANDS,
        (
            _accept,
            _toggle,
            _snooze,
            _clear_cache,
            review.review_document,
            review.review_workspace,
            review.dismiss,
            rewrite.rewrite,
            rewrite.fix,
            review.restore_dismissed,
            rewrite.refactor,
            rewrite.explain,
        ),
        strict=True,
    )
)
