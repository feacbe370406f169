"""Writes the request to the model server: what is sent, and what ends the answer."""

from sirdab.completion import alternatives
from sirdab.completion.prompt import Prompt
from sirdab.completion.request import CompletionRequest
from sirdab.completion.shape import Shape
from sirdab.endpoint.base import GenerationRequest

# A line is rarely longer than this many tokens; the stream is closed at its end anyway.
_LINE_TOKENS = 64
# What a model that answers in its own words may need for a fence, a greeting and the repeated line.
_TALK_TOKENS = 96


def generation(
    request: CompletionRequest,
    prompt: Prompt,
    shape: Shape,
    *,
    seed: int | None = None,
    keeps_moved: bool = False,
) -> GenerationRequest:
    """Return what a model server is asked.

    Args:
        request: The frozen request.
        prompt: The prompt for its place.
        shape: How far the answer may go.
        seed: For another answer than the likeliest one.
        keeps_moved: See `GenerationRequest.keeps_moved`.
    """
    max_tokens = request.settings.completion.max_tokens
    if shape is Shape.LINE:
        max_tokens = min(max_tokens, _LINE_TOKENS)
    ends = ("\n",) if shape is Shape.LINE else ("\n\n",)
    if prompt.messages and prompt.fence is None:
        # A line end or an empty line may stand before the code.
        max_tokens, ends = max_tokens + _TALK_TOKENS, ()
    timeout_ms = request.settings.endpoint.timeout_ms
    return GenerationRequest(
        prompt=prompt.text,
        max_tokens=max_tokens,
        stop=(*ends, *prompt.stop),
        begins_with=prompt.begins_with,
        keeps_moved=keeps_moved,
        temperature=0.0 if seed is None else alternatives.TEMPERATURE,
        seed=seed,
        first_token_ms=timeout_ms,
        total_ms=timeout_ms,
        suffix=prompt.suffix,
        messages=prompt.messages,
    )
