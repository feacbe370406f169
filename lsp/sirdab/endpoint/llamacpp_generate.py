"""One request for an answer of llama.cpp: `/completion`, `/infill`, or a conversation.

Source of the formats: llama.cpp, tools/server/README.md, and what a llama.cpp server of 2026-10 was
seen to send (`tests/e2e/test_llamacpp_contract.py` holds us to it).

A conversation is written down by the server (`/apply-template`) and then continued like any prompt,
so that it is cached, constrained and measured like one. Servers before 2025 do not know
`/apply-template`; they are asked through `/v1/chat/completions`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, cast

from sirdab.endpoint.answer import Answer, Call, Generation, TextJoiner, well_formed
from sirdab.endpoint.base import (
    Chunk,
    EndpointError,
    GenerationRequest,
    Message,
    ProblemKind,
    Usage,
)
from sirdab.endpoint.client import decode_json, raise_server_error
from sirdab.endpoint.connection import Connection, encode
from sirdab.endpoint.openai_reader import OpenAiReader
from sirdab.endpoint.stream import Event
from sirdab.endpoint.untrusted import count, figure, mapping

# The last event would otherwise repeat the prompt and all sampling parameters. Servers that do
# not know the parameter ignore it.
_RESPONSE_FIELDS = ("content", "stop", "stop_type", "truncated", "tokens_evaluated", "timings")
# Fewer tokens in a row than this are read anew where a part of the prompt has moved.
_LEAST_KEPT_TOKENS = 16

Writer = Callable[[tuple[Message, ...]], Awaitable[str | None]]
"""Writes a conversation as a prompt; None when the server cannot."""


class LlamaCppAnswer:
    """One request for an answer, from writing the prompt to closing the socket.

    Args:
        request: What is asked.
        connection: The way to the server.
        write: Writes a conversation as a prompt.
        fields: Added to the body: which slot, and of a router which model.
    """

    def __init__(
        self,
        request: GenerationRequest,
        connection: Connection,
        write: Writer,
        fields: Mapping[str, Any],
    ) -> None:
        self._request = request
        self._connection = connection
        self._write = write
        self._fields = fields
        self._generation: Generation | None = None

    async def __aenter__(self) -> Answer:
        request, connection = self._request, self._connection
        if request.messages:
            prompt = await self._write(request.messages)
            if prompt is not None:
                request = replace(request, prompt=prompt, messages=())

        def call() -> Call:
            return _call(request, self._fields, connection.url)

        generation = Generation(
            connection.client, connection.url, request, call, connection.timeout_ms
        )
        answer = await generation.__aenter__()
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
    """Reads the events of one answer of `/completion` or `/infill`."""

    def __init__(self, url: str, *, silent: bool) -> None:
        self._url = url
        self._silent = silent
        self._text = TextJoiner()
        self.finished = False

    def read(self, event: Event) -> Chunk | None:
        """Read one event; see `sirdab.endpoint.answer.AnswerReader`."""
        fields = _fields_of(event, self._url)
        content = fields.get("content")
        if not isinstance(content, str):
            raise _garbage(self._url)
        if self._silent:
            # With n_predict 0 llama.cpp still samples and sends one token.
            content = ""
        if fields.get("stop") is not True:
            text = self._text.feed(content)
            return Chunk(text, _usage(fields) if "timings" in fields else None) if text else None
        self.finished = True
        truncated = (
            fields.get("stop_type") == "limit"
            or fields.get("truncated") is True
            # Before 2025 there was a flag for each reason.
            or fields.get("stopped_limit") is True
        )
        return Chunk(self._text.feed(content) + self._text.finish(), _usage(fields), truncated)


def _fields_of(event: Event, url: str) -> dict[str, Any]:
    try:
        value = decode_json(event.data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _garbage(url)
    fields = cast("dict[str, Any]", value)
    if event.is_error:
        raise_server_error(fields, url)
    if "error" in fields:
        raise_server_error(fields["error"], url)
    return fields


def _garbage(url: str) -> EndpointError:
    return EndpointError(
        ProblemKind.PROTOCOL,
        f"{url} sends events that are not llama.cpp's; check endpoint.url and endpoint.kind.",
    )


def gbnf_literal(text: str) -> str:
    """Write a text as a string literal of llama.cpp's grammar language (grammars/README.md).

    Everything but printable ASCII is escaped by its code point.

    Args:
        text: Any well-formed text without U+0000, which grammars cannot hold.
    """
    return '"' + "".join(_gbnf_character(char) for char in text) + '"'


def _gbnf_character(char: str) -> str:
    code = ord(char)
    if char in '"\\':
        return "\\" + char
    if 0x20 <= code < 0x7F:
        return char
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _call(request: GenerationRequest, fields: Mapping[str, Any], url: str) -> Call:
    """Write a request in the words of the path that serves it."""
    body: dict[str, Any] = {"stream": True, "cache_prompt": True, **fields}
    if request.keeps_moved:
        body["n_cache_reuse"] = _LEAST_KEPT_TOKENS
    if request.temperature <= 0:
        # Greedy whatever penalties and samplers the server was started with.
        body.update(temperature=0, samplers=["top_k"], top_k=1)
    else:
        body["temperature"] = request.temperature
        if request.seed is not None:
            body["seed"] = request.seed
    if request.stop:
        body["stop"] = [well_formed(stop) for stop in request.stop]
    start = well_formed(request.begins_with)
    if start and "\0" not in start:
        # The model stays free to cross the boundary: for " ite" it may write the token " item".
        body["grammar"] = f"root ::= {gbnf_literal(start)} [^\\x00]*"
    elif request.json_schema is not None:
        body["json_schema"] = request.json_schema
    # Streams are mostly closed before their last event, which alone would say the cost.
    body["timings_per_token"] = True
    if request.messages:
        body["messages"] = [_written(message) for message in request.messages]
        body["max_tokens"] = request.max_tokens
        return Call("/v1/chat/completions", encode(body), lambda: OpenAiReader(url))
    body["n_predict"] = request.max_tokens
    body["response_fields"] = _RESPONSE_FIELDS
    prompt = well_formed(request.prompt)
    if request.suffix is None:
        path, body["prompt"] = "/completion", prompt
    else:
        path = "/infill"
        body.update(input_prefix=prompt, input_suffix=well_formed(request.suffix))
    silent = request.max_tokens == 0
    return Call(path, encode(body), lambda: _Reader(url, silent=silent))


def _written(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": well_formed(message.content)}


async def apply_template(
    ask: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]], messages: tuple[Message, ...]
) -> str:
    """Have the server write a conversation as a prompt that ends where the answer begins.

    Args:
        ask: Sends a body to `/apply-template`.
        messages: The conversation. A last message of the assistant is the beginning of the answer.

    Raises:
        EndpointError: The server cannot be used, has no `/apply-template`, or the model's template
            refuses the conversation.
    """
    begun = ""
    if messages[-1].role == "assistant" and len(messages) > 1:
        # Appended here, because older servers would end the turn behind it.
        begun, messages = messages[-1].content, messages[:-1]
    try:
        prompt = await _apply(ask, messages)
    except EndpointError as error:
        folded = _without_system(messages)
        if folded == messages or error.kind not in {ProblemKind.PROTOCOL, ProblemKind.REFUSED}:
            raise
        # Templates such as Gemma's raise an exception for a message of the system.
        prompt = await _apply(ask, folded)
    return prompt + begun


async def _apply(
    ask: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]], messages: tuple[Message, ...]
) -> str:
    body: dict[str, Any] = {
        "messages": [_written(message) for message in messages],
        # Models that can answer without thinking first are told to.
        "chat_template_kwargs": {"enable_thinking": False},
    }
    prompt = (await ask(body)).get("prompt")
    if not isinstance(prompt, str):
        raise EndpointError(
            ProblemKind.PROTOCOL,
            "The model server does not write down conversations as llama.cpp does; check "
            "endpoint.kind.",
        )
    return prompt


def _without_system(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Put the words of the system before those of the user."""
    if messages[0].role != "system" or len(messages) < 2 or messages[1].role != "user":
        return messages
    first = Message("user", f"{messages[0].content}\n\n{messages[1].content}")
    return (first, *messages[2:])


def _usage(fields: dict[str, Any]) -> Usage:
    known = mapping(fields.get("timings"))
    evaluated = count(known.get("prompt_n"))
    return Usage(
        prompt_tokens=count(fields.get("tokens_evaluated"))
        or count(known.get("cache_n")) + evaluated,
        evaluated_tokens=evaluated,
        prompt_ms=figure(known.get("prompt_ms")),
        generated_tokens=count(known.get("predicted_n")),
        generated_ms=figure(known.get("predicted_ms")),
    )
