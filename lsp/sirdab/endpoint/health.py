"""One real round trip through an endpoint: for `sirdab doctor`, and to prove that one is well."""

import time
from dataclasses import dataclass

from sirdab.endpoint.base import (
    Ability,
    Endpoint,
    EndpointError,
    GenerationRequest,
    Message,
    ModelInfo,
    ProblemKind,
    Usage,
)

_BEFORE = "def add(a, b):\n    return"
_AFTER = "\n\n\nprint(add(1, 2))\n"
_TASK = "Reply with one word: the sum of two and two."
_MOST_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Gap:
    """A text with a gap, and what may stand in it.

    Attributes:
        request: Asks for the gap, in the words of the model's family.
        expected: Texts of which the answer must hold one, blanks aside; () accepts any text.
    """

    request: GenerationRequest
    expected: tuple[str, ...] = ()


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
        fills_in: Whether the gap was filled as expected; None when none was given or the model
            did not get to answer.
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
    fills_in: bool | None = None


def round_trip_request(info: ModelInfo) -> GenerationRequest:
    """Return a short request in whatever way a server can be asked at all.

    Args:
        info: What is served.
    """
    stop = ("\n",)
    if Ability.RAW in info.abilities:
        return GenerationRequest(prompt=_BEFORE, max_tokens=_MOST_TOKENS, stop=stop)
    if Ability.INSERT in info.abilities and Ability.CHAT not in info.abilities:
        return GenerationRequest(_BEFORE, _MOST_TOKENS, stop, suffix=_AFTER)
    # What a model writes before it answers may well be more than a line.
    return GenerationRequest("", _MOST_TOKENS, messages=(Message("user", _TASK),))


async def answers(endpoint: Endpoint) -> None:
    """Return when the model has answered something.

    Raises:
        EndpointError: It does not.
    """
    request = round_trip_request(await endpoint.describe())
    async with endpoint.generate(request) as chunks:
        async for _ in chunks:
            pass


async def probe(endpoint: Endpoint, gap: Gap | None = None) -> Health:
    """Ask an endpoint what it serves, count a few tokens and complete one line.

    Never raises for what the endpoint does: a problem is part of the answer.

    Args:
        endpoint: Any endpoint; it is not closed.
        gap: A gap to be filled, written for the model's family; None completes a line in whatever
            way the server can be asked.
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
        request = gap.request if gap is not None else round_trip_request(model)
        tokens = await endpoint.count_tokens(_text_of(request))
        started = time.perf_counter()
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
    ok = bool(text.strip())
    fills_in = None if gap is None else ok and _is_expected(text, gap.expected)
    if not ok:
        # Every code model continues this prompt; silence means broken weights or the wrong kind
        # of model, and the user would otherwise see no suggestion and no reason.
        message = f"{model.name} at {model.url} answers, but with no text; try another model."
    elif fills_in is False:
        message = (
            f"{model.name} at {model.url} answers in {total_ms:.0f} ms, but does not fill a gap as "
            "its family does; it may have another prompt format than its name says."
        )
    else:
        message = f"{model.name} at {model.url} answers in {total_ms:.0f} ms."
    return Health(
        ok,
        message,
        None if ok else ProblemKind.PROTOCOL,
        model,
        describe_ms,
        tokens,
        first_text_ms,
        total_ms,
        text,
        usage,
        fills_in,
    )


def _text_of(request: GenerationRequest) -> str:
    turns = "".join(message.content for message in request.messages)
    return f"{request.prompt}{request.suffix or ''}{turns}"


def _is_expected(text: str, expected: tuple[str, ...]) -> bool:
    """Whether an answer holds one of the texts, blanks aside: they differ among good answers."""
    squeezed = "".join(text.split())
    return not expected or any("".join(one.split()) in squeezed for one in expected)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
