"""What both baselines have in common: streaming an answer, and trimming what stands there."""

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx


async def stream(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> AsyncIterator[str]:
    """Yield the pieces of an answer; leaving the iteration closes the connection."""
    async with client.stream("POST", path, json={**body, "stream": True}) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                event = cast("dict[str, Any]", json.loads(line[6:]))
                if event.get("content"):
                    yield str(event["content"])


def without_repeated(text: str, rest_of_line: str) -> str:
    """Take off the end of a suggestion what stands right of the cursor already."""
    rest = rest_of_line.rstrip()
    if rest and text.rstrip().endswith(rest):
        return text.rstrip()[: -len(rest)]
    return text
