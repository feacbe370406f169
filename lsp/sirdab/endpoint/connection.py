"""The one HTTP client of an endpoint: opened when it is first needed, closed for good.

Every protocol asks its short questions through it, and hands `client` to its streams.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

from sirdab.endpoint.answer import too_slow
from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.client import (
    decode_json,
    fetch_json,
    make_client,
    open_stream,
    raise_for_status,
    raise_http_problem,
    read_bounded,
)
from sirdab.policy.limits import MAX_RESPONSE_BYTES
from sirdab.policy.loopback import EndpointAddress

if TYPE_CHECKING:
    import httpx

CONTROL_SECONDS = 5.0
"""Longest wait for an answer about the server itself: it comes at once or not at all."""


class Connection:
    """A way to one server.

    Attributes:
        address: Where it is.
        url: Its address, for the user.
        timeout_ms: Longest time one request may take, in milliseconds.

    Args:
        address: Where the server is.
        api_key: Its key; "" when it has none.
        timeout_ms: Longest time one request may take, in milliseconds.
    """

    def __init__(self, address: EndpointAddress, *, api_key: str = "", timeout_ms: int) -> None:
        self.address = address
        self.url = address.url
        self.timeout_ms = timeout_ms
        self._api_key = api_key
        self._client: httpx.AsyncClient | None = None
        self._closed = False

    def client(self) -> "httpx.AsyncClient":
        """Return the client, made when it is first asked for.

        Raises:
            EndpointError: The connection was closed, or the key cannot be sent.
        """
        if self._closed:
            raise EndpointError(
                ProblemKind.DOWN, f"The connection to {self.url} was closed; ask again."
            )
        if self._client is None:
            self._client = make_client(self.address, api_key=self._api_key)
        return self._client

    async def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        seconds: float | None = None,
    ) -> dict[str, Any]:
        """Send a question and return the JSON object that answers it.

        Args:
            method: "GET" or "POST".
            path: Path below the server's base path, beginning with a slash.
            body: Sent as JSON; None sends none.
            seconds: Longest time; `CONTROL_SECONDS`, or the user's setting where that is
                shorter, when None.

        Raises:
            EndpointError: The server is slow or down, refuses, or sends something else.
        """
        if seconds is None:
            seconds = min(CONTROL_SECONDS, self.timeout_ms / 1000)
        try:
            async with asyncio.timeout(seconds):
                data = None if body is None else encode(body)
                return await fetch_json(self.client(), method, path, data, url=self.url)
        except TimeoutError:
            raise too_slow(self.url, seconds * 1000, "an answer") from None

    async def ask_list(self, method: str, path: str) -> list[object]:
        """Send a question and return the JSON list that answers it; otherwise as `ask`."""
        seconds = min(CONTROL_SECONDS, self.timeout_ms / 1000)
        try:
            async with asyncio.timeout(seconds):
                return await self._fetch_list(method, path)
        except TimeoutError:
            raise too_slow(self.url, seconds * 1000, "an answer") from None

    async def _fetch_list(self, method: str, path: str) -> list[object]:
        import httpx

        try:
            async with open_stream(self.client(), method, path) as response:
                await raise_for_status(response, self.url)
                data = await read_bounded(response, MAX_RESPONSE_BYTES, self.url)
        except httpx.HTTPError as error:
            raise_http_problem(error, self.url)
        try:
            answer = decode_json(data.decode("utf-8"))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, list):
            raise EndpointError(
                ProblemKind.PROTOCOL,
                f"The answer of {self.url}{path} is not a JSON list; check that endpoint.url names "
                "a model server.",
            )
        return cast("list[object]", answer)

    async def aclose(self) -> None:
        """Close all connections, for good.

        A request that comes later is refused: whoever still holds the endpoint must not go on
        sending text to an address that the settings no longer name.
        """
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def encode(body: dict[str, Any]) -> bytes:
    """Return a body as JSON, without blanks and with its text unescaped."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
