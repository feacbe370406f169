"""Has the model read the text around the cursor before anybody types there.

At a place that the model has not seen, reading the prompt is nearly all of the waiting: seconds
on a CPU, against a tenth of one for writing the rest of a line. While nobody types there is
time for it. A server finishes the batch it is reading even when nobody waits any more, so a
prompt is read in slices: a key never waits for more than one of them.
"""

import logging
from collections.abc import Awaitable, Callable

from sirdab.completion.sent import SentPrompts
from sirdab.endpoint.base import Endpoint, EndpointError, GenerationRequest, Usage

log = logging.getLogger(__name__)

Turn = Callable[[Callable[[], Awaitable[Usage]]], Awaitable[Usage]]
"""Runs work when nothing more urgent is done, anew when it had to give way."""

SLICE_MS = 250
"""Work of one slice, in milliseconds of the server's time."""

# Where the server's speed is not known yet: a slice of a slow CPU.
_FIRST_SLICE_CHARS = 240
_LONGEST_SLICE_CHARS = 16_000
# A slice that needed no more tokens than this was known to the server already.
_KNOWN_TOKENS = 8


class _OutdatedError(Exception):
    """The server has been asked for something else since."""


async def read_ahead(
    endpoint: Endpoint,
    prompt: str,
    *,
    sent: SentPrompts,
    keeps_moved: bool,
    turn: Turn,
    timeout_ms: int,
    on_send: Callable[[str], None],
) -> Usage:
    """Have a prompt read, slice by slice.

    Args:
        endpoint: The model server.
        prompt: The whole prompt.
        sent: The prompts that the server was sent last. What one of them begins with is not sent
            alone: a server keeps what its last prompt was, and would forget the rest.
        keeps_moved: Whether the prompt before was of the same document; see
            `GenerationRequest.keeps_moved`.
        turn: Waits for the lane, for each slice.
        timeout_ms: Longest time for one slice, in milliseconds.
        on_send: Told what is sent, before each slice.

    Returns:
        What was read in all; as far as it came when the server failed, which the next request
        will tell of.
    """
    done = sent.known(prompt)
    size = _FIRST_SLICE_CHARS
    tokens, spent_ms = 0, 0.0
    latest = sent.last
    while done < len(prompt):
        stop = min(done + size, len(prompt))

        async def read_slice(stop: int = stop, latest: str = latest) -> Usage:
            # Somebody may have asked for something else while this waited, which counts now.
            if sent.last is not latest:
                raise _OutdatedError
            on_send(prompt[:stop])
            return await _read(
                endpoint,
                GenerationRequest(
                    prompt=prompt[:stop],
                    max_tokens=0,
                    keeps_moved=keeps_moved,
                    first_token_ms=timeout_ms,
                    total_ms=timeout_ms,
                ),
            )

        try:
            usage = await turn(read_slice)
        except _OutdatedError:
            break
        except EndpointError as error:
            log.info("reading ahead ended: %s", error.kind.value)
            break
        sent.add(prompt[:stop])
        latest = sent.last
        tokens += usage.evaluated_tokens
        spent_ms += usage.prompt_ms
        size = _next_size(stop - done, usage)
        done = stop
    return Usage(evaluated_tokens=tokens, prompt_ms=spent_ms)


def _next_size(size: int, usage: Usage) -> int:
    """Choose the next slice, in characters, from what the last one cost."""
    if usage.evaluated_tokens <= _KNOWN_TOKENS:
        return min(size * 4, _LONGEST_SLICE_CHARS)
    if usage.prompt_ms <= 0:
        return size
    fitting = int(size * SLICE_MS / usage.prompt_ms)
    return max(_FIRST_SLICE_CHARS // 2, min(fitting, size * 4, _LONGEST_SLICE_CHARS))


async def _read(endpoint: Endpoint, request: GenerationRequest) -> Usage:
    usage = Usage()
    async with endpoint.generate(request) as chunks:
        async for chunk in chunks:
            usage = chunk.usage or usage
    return usage
