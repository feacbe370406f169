"""One request for an answer of Ollama: `/api/generate` and `/api/chat`, streamed as JSON lines.

Sources of the formats: ollama/ollama, docs/api.md, docs/api/errors.mdx, api/types.go,
server/routes.go and llm/llama_server.go. What is not obvious from the documentation:

- By default a prompt that is too long is cut silently, and an answer that fills the context
  pushes the prompt out. `truncate: false` and `shift: false` make these errors; servers before
  0.12.6 ignore both, and are caught by their counts.
- `prompt_eval_count` is the whole prompt, cached tokens included (since 0.2, ollama#5371), and
  `prompt_eval_cached_count` says since 0.33 how many of them were.
- `num_predict: 0` means "without end" to servers before 0.30. Reading ahead therefore asks for one
  token, which costs nothing: it is drawn from what reading the prompt has computed.
- An empty prompt is a request to load the model, and with an empty suffix the prompt is written
  as a conversation; both are sent as one line feed.
- The stream says what an answer cost in its last line only.
- A "cloud" model is run by Ollama's company, to which the local server sends the prompt. It is
  refused by its name, and by `remote_host` in what the server says.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, cast

from sirdab.endpoint.answer import Answer, Call, Generation, TextJoiner, well_formed
from sirdab.endpoint.base import (
    Chunk,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    ProblemKind,
    Usage,
)
from sirdab.endpoint.client import decode_json, raise_server_error
from sirdab.endpoint.connection import Connection, encode
from sirdab.endpoint.ndjson import MEDIA_TYPE, NdjsonParser
from sirdab.endpoint.ollama_formats import is_remote
from sirdab.endpoint.stream import Event
from sirdab.endpoint.untrusted import count, figure, text

KEEP_ALIVE = "30m"
"""How long a model stays in memory after a request; Ollama's own default is five minutes, after
which the next key would wait for the model to be loaded again."""

Learn = Callable[[GenerationRequest, dict[str, Any]], None]
"""Is told the last line of each answer."""


@dataclass(frozen=True, slots=True)
class OllamaModel:
    """What a request must know of the model.

    Attributes:
        name: The server's name for it.
        info: What is told of it.
        context_tokens: Sent as `num_ctx`.
        think: Sent as `think`; None sends nothing.
    """

    name: str
    info: ModelInfo
    context_tokens: int
    think: bool | str | None


class OllamaAnswer:
    """One request for an answer, from looking up the model to closing the socket.

    Args:
        model: Returns the model, asking the server where nobody has yet.
        request: What is asked.
        connection: The way to the server.
        learn: Is told the last line of the answer.
    """

    def __init__(
        self,
        model: Callable[[], Awaitable[OllamaModel]],
        request: GenerationRequest,
        connection: Connection,
        learn: Learn,
    ) -> None:
        self._model = model
        self._request = request
        self._connection = connection
        self._learn = learn
        self._generation: Generation | None = None

    async def __aenter__(self) -> Answer:
        model = await self._model()
        request, connection = self._request, self._connection

        def call() -> Call:
            path, body = _body(request, model)

            def reader() -> _Reader:
                return _Reader(connection.url, model, request, self._learn)

            return Call(path, encode(body), reader, MEDIA_TYPE, NdjsonParser)

        generation = Generation(
            connection.client, connection.url, request, call, connection.timeout_ms
        )
        try:
            answer = await generation.__aenter__()
        except EndpointError as error:
            raise_problem(error, model.name, connection.url)
        self._generation = generation
        return answer

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._generation is not None:
            await self._generation.__aexit__(kind, error, traceback)


class _Reader:
    """Reads the lines of one answer of `/api/generate` or `/api/chat`."""

    def __init__(
        self,
        url: str,
        model: OllamaModel,
        request: GenerationRequest,
        learn: Learn,
    ) -> None:
        self._url = url
        self._model = model
        self._request = request
        self._learn = learn
        self._text = TextJoiner()
        self._checked = False
        self.finished = False

    def read(self, event: Event) -> Chunk | None:
        """Read one line; see `sirdab.endpoint.answer.AnswerReader`."""
        try:
            value = decode_json(event.data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise self._garbage()
        fields = cast("dict[str, Any]", value)
        if "error" in fields:
            self._raise(fields["error"])
        if not self._checked:
            # Which machine an answer comes from does not change within it.
            self._checked = True
            refuse_remote("", text(fields.get("remote_host")), self._url)
        done = fields.get("done")
        content = self._content(fields, done is True)
        if type(done) is not bool or not isinstance(content, str):
            raise self._garbage()
        if self._request.max_tokens == 0:
            content = ""
        if not done:
            piece = self._text.feed(content)
            return Chunk(piece) if piece else None
        self.finished = True
        usage = _usage(fields)
        if usage.prompt_tokens >= self._model.context_tokens > 0:
            # A server that does not know `truncate` has cut the prompt to what fits.
            raise EndpointError(
                ProblemKind.OVERFLOW,
                f"The prompt is longer than the context of {self._model.name} at {self._url} "
                f"({self._model.context_tokens} tokens), and was cut; update Ollama or use a "
                "shorter context.",
                limit_tokens=self._model.context_tokens,
            )
        self._learn(self._request, fields)
        piece = self._text.feed(content) + self._text.finish()
        return Chunk(piece, usage, fields.get("done_reason") == "length")

    def _content(self, fields: dict[str, Any], done: bool) -> object:
        if not self._request.messages:
            return fields.get("response", "" if done else None)
        message = fields.get("message")
        if message is None and done:
            # The last line of a conversation may come without a message (docs/api.md).
            return ""
        # What a model thinks stands beside it, under `thinking`.
        return cast("dict[str, object]", message).get("content") if type(message) is dict else None

    def _raise(self, detail: object) -> NoReturn:
        try:
            raise_server_error(detail, self._url)
        except EndpointError as error:
            raise_problem(error, self._model.name, self._url)

    def _garbage(self) -> EndpointError:
        return EndpointError(
            ProblemKind.PROTOCOL,
            f"{self._url} sends lines that are not Ollama's; check endpoint.url and endpoint.kind.",
        )


def _body(request: GenerationRequest, model: OllamaModel) -> tuple[str, dict[str, Any]]:
    """Write a request: the path and the body."""
    body: dict[str, Any] = {
        "model": model.name,
        "stream": True,
        "keep_alive": KEEP_ALIVE,
        "truncate": False,
        "shift": False,
        "options": _options(request, model.context_tokens),
    }
    if model.think is not None:
        body["think"] = model.think
    if request.json_schema is not None:
        body["format"] = request.json_schema
    if request.messages:
        body["messages"] = [
            {"role": one.role, "content": well_formed(one.content)} for one in request.messages
        ]
        return "/api/chat", body
    body["prompt"] = well_formed(request.prompt) or "\n"
    if request.suffix is None:
        body["raw"] = True
    else:
        body["suffix"] = well_formed(request.suffix) or "\n"
    return "/api/generate", body


def _options(request: GenerationRequest, context_tokens: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "num_ctx": context_tokens,
        "num_predict": max(1, request.max_tokens),
        # Penalties, which many Modelfiles set, make a model avoid the names that code repeats.
        "repeat_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
    }
    if request.temperature <= 0:
        options.update(temperature=0.0, top_k=1, seed=0)
    else:
        options["temperature"] = request.temperature
        if request.seed is not None:
            options["seed"] = request.seed
    if request.stop:
        options["stop"] = [well_formed(stop) for stop in request.stop]
    return options


def _usage(fields: dict[str, Any]) -> Usage:
    prompt = count(fields.get("prompt_eval_count"))
    tells = "prompt_eval_cached_count" in fields
    cached = count(fields.get("prompt_eval_cached_count"))
    return Usage(
        prompt_tokens=prompt,
        evaluated_tokens=max(0, prompt - cached) if tells else 0,
        prompt_ms=figure(fields.get("prompt_eval_duration")) / 1e6,
        generated_tokens=count(fields.get("eval_count")),
        generated_ms=figure(fields.get("eval_duration")) / 1e6,
    )


def refuse_remote(name: str, remote_host: str, url: str) -> None:
    """Raise `EndpointError` for a model of Ollama's cloud.

    Args:
        name: The model's name; "" when only the host is known.
        remote_host: Where the server says that it runs; "" for this machine.
        url: Address of the server, for the message.
    """
    if is_remote(name, remote_host):
        raise EndpointError(
            ProblemKind.POLICY,
            f"{name or 'The model'} does not run on this machine: Ollama at {url} would send your "
            "code to its cloud; set endpoint.model to a model that `ollama list` shows with a "
            "size.",
        )


def raise_problem(error: EndpointError, name: str, url: str) -> NoReturn:
    """Raise a problem again, with the remedy that Ollama has for it.

    Args:
        error: The problem.
        name: Name of the model that was asked for.
        url: Address of the server, for the message.
    """
    if error.kind is not ProblemKind.NO_MODEL:
        raise error
    raise EndpointError(
        error.kind,
        f"Ollama at {url} has no model {name}; run `ollama pull {name}`, or set endpoint.model to "
        "one that `ollama list` shows.",
    ) from error
