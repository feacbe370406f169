"""`sirdab/models`: what may be put into `endpoint.model`, for a picker."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from sirdab.server.language_server import SirdabServer

if TYPE_CHECKING:
    from sirdab.endpoint.base import ServedModel

METHOD = "sirdab/models"

# A picker is waiting; what the model server has not told by then is left out.
_PATIENCE_SECONDS = 2.0


def handle(ls: SirdabServer, params: Any) -> Awaitable[dict[str, Any]]:
    """Answer with the models of the catalog, those of the server in use, and the one in use."""
    del params
    return _answer(ls)


async def _answer(ls: SirdabServer) -> dict[str, Any]:
    # The server says which model it really has; that may be one of the user's own server.
    current = ls.status.current.get("model")
    return await asyncio.to_thread(_models, current, await _served(ls))


async def _served(ls: SirdabServer) -> "Sequence[ServedModel]":
    """Return what the model server has; nothing is started in order to know it."""
    if not ls.status.current.get("endpoint") or ls.engine_if_ready() is None:
        return ()
    from sirdab.endpoint.base import EndpointError
    from sirdab.endpoint.select import EndpointManager

    manager = (await ls.services()).endpoints
    if not isinstance(manager, EndpointManager):
        return ()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await manager.models()
    except (EndpointError, TimeoutError):
        return ()


def _models(current: str | None, served: "Sequence[ServedModel]") -> dict[str, Any]:
    from sirdab.models import store
    from sirdab.models.catalog import downloadable_models, model_named

    catalog = downloadable_models()
    ours = {name for one in catalog for name in (one.id, one.file, one.file.rpartition(".")[0])}
    theirs = [one for one in served if one.name not in ours]
    using = model_named(current.rpartition("/")[2]) if current else None
    if any(one.name == current for one in theirs):
        # A server of the user's own has it, perhaps under a name that we know it by as well.
        using = None
    models = [
        # Reading every file through to be sure of it would take seconds; that is done when one
        # is used.
        _row(one.id, one.title, one.size_bytes, any(store.candidates(one)), one is using)
        for one in catalog
    ]
    models += [
        _row(one.name, one.name, one.size_bytes, True, one.name == current) for one in theirs
    ]
    if current and not any(one["current"] for one in models):
        models.append(_row(current, current, 0, True, True))
    return {"current": using.id if using else current, "models": models}


def _row(
    name: str, title: str, size_bytes: int, is_installed: bool, is_current: bool
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "sizeBytes": size_bytes,
        "installed": is_installed,
        "current": is_current,
    }
