"""One real round trip through an endpoint, for `sirdab doctor`."""

import time
from dataclasses import dataclass

from sirdab.endpoint.base import (
    Endpoint,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    ProblemKind,
    Usage,
)

_PROMPT = "def add(a, b):\n    return"
_MOST_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Health:
    """What a round trip showed. Times are in milliseconds, and 0 for what was not reached.

    Attributes:
        ok: Whether the whole round trip worked.
        message: One sentence: what was seen, or what is wrong and what to do.
        kind: The class of the problem; None when there is none.
        model: What is served; None when the server did not get to say.
        describe_ms: Until the server had said what it serves.
        tokens: Tokens of the test prompt.
        first_text_ms: From asking until the first text.
        total_ms: From asking until the end of the answer.
        text: What the model wrote.
        usage: The server's own account of it.
    """

    ok: bool
    message: str
    kind: ProblemKind | None = None
    model: ModelInfo | None = None
    describe_ms: float = 0.0
    tokens: int = 0
    first_text_ms: float = 0.0
    total_ms: float = 0.0
    text: str = ""
    usage: Usage | None = None


async def probe(endpoint: Endpoint) -> Health:
    """Ask an endpoint what it serves, count a few tokens and complete one line.

    Never raises for what the endpoint does: a problem is part of the answer.

    Args:
        endpoint: Any endpoint; it is not closed.
    """
    started = time.perf_counter()
    model: ModelInfo | None = None
    describe_ms = first_text_ms = 0.0
    tokens = 0
    text = ""
    usage: Usage | None = None
    try:
        model = await endpoint.describe()
        describe_ms = _since(started)
        tokens = await endpoint.count_tokens(_PROMPT)
        started = time.perf_counter()
        request = GenerationRequest(prompt=_PROMPT, max_tokens=_MOST_TOKENS, stop=("\n",))
        async with endpoint.generate(request) as chunks:
            async for chunk in chunks:
                if chunk.text and not text:
                    first_text_ms = _since(started)
                text += chunk.text
                usage = chunk.usage or usage
        total_ms = _since(started)
    except EndpointError as error:
        return Health(
            False,
            error.message,
            error.kind,
            model=model,
            describe_ms=describe_ms,
            tokens=tokens,
            first_text_ms=first_text_ms,
            text=text,
        )
    if not text.strip():
        # Every code model continues this prompt; silence means broken weights or the wrong kind
        # of model, and the user would otherwise see no suggestion and no reason.
        message = f"{model.name} at {model.url} answers, but with no text; try another model."
    else:
        message = f"{model.name} at {model.url} answers in {total_ms:.0f} ms."
    return Health(
        bool(text.strip()),
        message,
        None if text.strip() else ProblemKind.PROTOCOL,
        model,
        describe_ms,
        tokens,
        first_text_ms,
        total_ms,
        text,
        usage,
    )


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
