"""What a refusal of a model server means: one table of statuses and of recognisable words.

The server's own words are only compared, never repeated: an error message may quote the prompt.

Sources of the words:

- llama.cpp: `format_error_response` and `exceed_context_size_error` in tools/server; "no slot
  available" of its older `/health`.
- Ollama: server/routes.go and server/sched.go ("server busy", "maximum pending requests", "model
  requires more system memory", "try pulling it first", "llama runner process has terminated",
  "the input length exceeds the context length"). Its `error` is a string, and may be the JSON of
  the llama.cpp below it.
- vLLM and SGLang: entrypoints/openai ("maximum context length is", "longer than the model's
  context length", "does not exist"); some versions answer the error flat, without `error`.
- LM Studio: lmstudio-bug-tracker 237, 1620 and 2322 ("Trying to keep the first ... tokens when
  context the overflows", "Context size has been exceeded", "insufficient system resources").
- Text Generation Inference: router/src/lib.rs (`error_type` "overloaded", "validation";
  "`inputs` tokens + `max_new_tokens` must be").
- CUDA, ROCm and PyTorch: "out of memory", "cudaMalloc failed", "OutOfMemoryError".
"""

import json
import re
from typing import Any, NamedTuple, cast

from sirdab.endpoint.base import EndpointError, ProblemKind


class Refusal(NamedTuple):
    """What a server said when it refused.

    Attributes:
        words: Its words and the names of the error, in lower case, to be searched.
        asked_tokens: Tokens of the prompt; 0 when it does not say.
        held_tokens: Tokens of the context; 0 when it does not say.
    """

    words: str = ""
    asked_tokens: int = 0
    held_tokens: int = 0


_OVERFLOW = re.compile(
    r"exceed_context_size|context_length_exceeded|available context size"
    r"|maximum context length|longer than the (?:model'?s )?(?:maximum )?context"
    r"|exceeds? (?:the |the model'?s )?(?:maximum )?(?:allowed )?(?:context|input) length"
    r"|context size has been exceeded|context the overflows|overflows? the context"
    r"|reached context length|tokens \+ `?max_new_tokens`? must be|`inputs` must have less than"
    r"|maximum model length|prompt (?:is )?too long|context length is only|maximum input length"
)
_MEMORY = re.compile(
    r"out of memory|outofmemory|requires more system memory|cudamalloc failed"
    r"|(?:unable|failed) to allocate|not enough (?:system |gpu |video )?memory"
    r"|insufficient (?:system resources|memory)|cannot allocate memory|bad_alloc"
    r"|no available memory for the cache|signal: killed"
)
_BUSY = re.compile(
    r"server (?:is )?busy|pending requests|no slots? available|overloaded|too many requests"
    r"|rate.?limit|queue (?:is )?full"
)
_NO_MODEL = re.compile(
    r"try pulling it|model\b.{0,200}\b(?:not found|does not exist|not loaded|no longer)"
    r"|no models? (?:is |are )?(?:currently )?loaded|model_not_found|could not find model"
)
_LOADING = re.compile(r"loading model|model is (?:still )?loading|server loading")
_NUMBER_HELD = re.compile(
    r"(?:context length (?:is only|is|of only|of)|context size \(|<=|less than)\s*\(?(\d{2,9})"
)

_WORDS_READ = 4_000
_MOST_TOKENS = 100_000_000


def refusal_of(answer: object) -> Refusal:
    """Read what a server answered with an error: any of the shapes that are in use.

    Args:
        answer: The decoded JSON: `{"error": {...}}`, `{"error": "..."}`, an error without a
            wrapping, `{"detail": "..."}`, or the inner object or string alone.
    """
    words: list[str] = []
    figures = [0, 0]
    _read(answer, words, figures, 0)
    text = " ".join(words)[:_WORDS_READ].lower()
    if not figures[1] and (held := _NUMBER_HELD.search(text)):
        figures[1] = int(held[1])
    return Refusal(text, figures[0], figures[1])


def _read(answer: object, words: list[str], figures: list[int], depth: int) -> None:
    if isinstance(answer, str):
        words.append(answer[:_WORDS_READ])
        if depth < 3 and answer.lstrip().startswith("{"):
            # Ollama hands on what the llama.cpp below it said, as a string.
            try:
                inner: object = json.loads(answer[:_WORDS_READ])
            except (ValueError, RecursionError):
                return
            _read(inner, words, figures, depth + 1)
    elif isinstance(answer, dict) and depth < 3:
        fields = cast("dict[str, Any]", answer)
        for name in ("error", "message", "detail", "type", "code", "error_type"):
            value = fields.get(name)
            if isinstance(value, str | dict):
                _read(cast("object", value), words, figures, depth + 1)
        for place, name in enumerate(("n_prompt_tokens", "n_ctx")):
            value = fields.get(name)
            if type(value) is int and 0 < value < _MOST_TOKENS:
                figures[place] = value


def problem_of(status: int, refusal: Refusal, url: str) -> EndpointError:
    """Return the problem that a refusal means.

    Args:
        status: HTTP status; 500 for an error inside a stream that does not say.
        refusal: What the server said.
        url: Address of the server as the user knows it, for the message.
    """
    kind = kind_of(status, refusal.words)
    if kind is ProblemKind.OVERFLOW:
        sizes = ""
        if refusal.asked_tokens and refusal.held_tokens:
            sizes = f" ({refusal.asked_tokens} of {refusal.held_tokens} tokens)"
        return EndpointError(
            kind,
            f"The prompt is longer than the context of the model at {url}{sizes}; start the server "
            "with a larger context.",
            limit_tokens=refusal.held_tokens,
        )
    return EndpointError(kind, _message(kind, status, url))


def kind_of(status: int, words: str) -> ProblemKind:
    """Return the class of a refusal.

    Args:
        status: HTTP status.
        words: What the server said, in lower case.
    """
    if 300 <= status < 400:
        return ProblemKind.POLICY
    if status in {401, 403}:
        return ProblemKind.REFUSED
    # Words come before the rest, because servers disagree about the numbers: a prompt that is too
    # long is a 400 here, a 422 there and a 500 elsewhere.
    for pattern, kind in (
        (_MEMORY, ProblemKind.MEMORY),
        (_OVERFLOW, ProblemKind.OVERFLOW),
        (_BUSY, ProblemKind.BUSY),
        (_LOADING, ProblemKind.LOADING),
        (_NO_MODEL, ProblemKind.NO_MODEL),
    ):
        if pattern.search(words):
            return kind
    if status == 503:
        return ProblemKind.LOADING
    if status == 429:
        return ProblemKind.BUSY
    if status == 507:
        return ProblemKind.MEMORY
    if status in {404, 405, 501} or status >= 500:
        return ProblemKind.PROTOCOL
    return ProblemKind.REFUSED


def _message(kind: ProblemKind, status: int, url: str) -> str:
    if kind is ProblemKind.POLICY:
        return (
            f"{url} answers with a redirect, which is never followed; set endpoint.url to the "
            "final address."
        )
    if status in {401, 403}:
        return (
            f"{url} refuses the API key, or wants one; set endpoint.apiKeyEnv to the name of the "
            "environment variable that holds the key."
        )
    if kind is ProblemKind.MEMORY:
        return (
            f"The model server at {url} has not enough memory for the model; use a smaller model "
            "or a smaller context, or close what else needs memory."
        )
    if kind is ProblemKind.BUSY:
        return (
            f"{url} is busy with other requests (HTTP {status}); suggestions go on when it has "
            "time, or give it more parallel slots."
        )
    if kind is ProblemKind.LOADING:
        return f"{url} is still loading its model; suggestions begin when it is ready."
    if kind is ProblemKind.NO_MODEL:
        return (
            f"{url} does not have the model that was asked for; load or pull it there, or correct "
            "endpoint.model."
        )
    if status in {404, 405, 501}:
        return (
            f"{url} does not offer what was asked of it (HTTP {status}); check endpoint.url and "
            "endpoint.kind."
        )
    if status >= 500:
        return f"The model server at {url} failed (HTTP {status}); its own log says why."
    return (
        f"{url} refuses the request (HTTP {status}); check that endpoint.kind says which server "
        "it is, and that the server is a recent one."
    )
