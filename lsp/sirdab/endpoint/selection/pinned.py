"""Holds the models of servers against the user's pins (`sirdab model pin`)."""

from sirdab.endpoint.base import ServedModel
from sirdab.models import pins
from sirdab.models.errors import ModelError


def refusal(kind: str, model: ServedModel) -> str:
    """Return why a server's model is not used: it is another file than the pinned one.

    Reads the lock file, so it belongs into a thread.

    Args:
        kind: What the server speaks, as in `endpoint.kind`.
        model: One of its models; where the server does not tell its digest, it is let pass.

    Returns:
        One sentence that says what to do; "" when the model may be used.
    """
    try:
        pins.check(f"{kind}:{model.name}", model.digest)
    except ModelError as error:
        return error.message
    return ""
