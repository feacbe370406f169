"""Makes the endpoint that speaks the protocol of an identified server."""

from sirdab.endpoint.base import ServerEndpoint
from sirdab.endpoint.identify import Identified
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.endpoint.ollama import OllamaEndpoint
from sirdab.endpoint.openai import OpenAiEndpoint
from sirdab.endpoint.profiles import GENERIC, profile_named


def connect(
    identified: Identified, *, api_key: str = "", timeout_ms: int = 10_000, model: str = ""
) -> ServerEndpoint:
    """Return an endpoint; nothing is sent before it is asked something.

    Args:
        identified: Which server it is, and where.
        api_key: Its key; "" when it has none.
        timeout_ms: Longest time one request may take, in milliseconds.
        model: The server's name of the model to use; "" for what it serves.
    """
    address = identified.address
    if identified.kind == "llamacpp":
        return LlamaCppEndpoint(address, api_key=api_key, timeout_ms=timeout_ms, model=model)
    if identified.kind == "ollama":
        return OllamaEndpoint(address, api_key=api_key, timeout_ms=timeout_ms, model=model)
    profile = identified.profile or profile_named(GENERIC)
    return OpenAiEndpoint(address, profile, api_key=api_key, timeout_ms=timeout_ms, model=model)
