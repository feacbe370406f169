"""`sirdab/models`: what may be put into `endpoint.model`, for a picker."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from sirdab.server.language_server import SirdabServer

METHOD = "sirdab/models"


def handle(ls: SirdabServer, params: Any) -> Awaitable[dict[str, Any]]:
    """Answer with the models of the catalog and with the one in use, if another."""
    del params
    # The server says which model it really has; that may be one of the user's own server.
    return asyncio.to_thread(_models, ls.status.current.get("model"))


def _models(current: str | None) -> dict[str, Any]:
    from sirdab.models import store
    from sirdab.models.catalog import downloadable_models, model_named

    using = model_named(current.rpartition("/")[2]) if current else None
    models: list[dict[str, Any]] = [
        {
            "name": model.id,
            "title": model.title,
            "sizeBytes": model.size_bytes,
            # Reading every file through to be sure of it would take seconds; that is done
            # when one is used.
            "installed": any(store.candidates(model)),
            "current": model is using,
        }
        for model in downloadable_models()
    ]
    if current and using is None:
        models.append(
            {
                "name": current,
                "title": current,
                "sizeBytes": 0,
                "installed": True,
                "current": True,
            }
        )
    return {"current": using.id if using else current, "models": models}
