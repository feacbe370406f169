"""llama.cpp's own HTTP protocol: streamed `/completion`, `/props`, `/tokenize`, `/health`.

Source of the formats: llama.cpp, tools/server/README.md, and what a llama.cpp server of
2026-10 was seen to send (`tests/e2e/test_llamacpp_contract.py` holds us to it).
"""

import asyncio
import json
import math
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, cast

from sirdab.endpoint.answer import Call, Generation, TextJoiner, too_slow, well_formed
from sirdab.endpoint.base import (
    Chunk,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    ProblemKind,
    ServedModel,
    Usage,
)
from sirdab.endpoint.client import decode_json, fetch_json, make_client, raise_server_error
from sirdab.endpoint.stream import Event
from sirdab.policy.loopback import EndpointAddress

if TYPE_CHECKING:
    import httpx

# Questions about the server itself are answered at once or not at all.
_CONTROL_SECONDS = 5.0
# The last event would otherwise repeat the prompt and all sampling parameters. Servers that do
# not know the parameter ignore it.
_RESPONSE_FIELDS = ("content", "stop", "stop_type", "truncated", "tokens_evaluated", "timings")
# Fewer tokens in a row than this are read anew where a part of the prompt has moved.
_LEAST_KEPT_TOKENS = 16
_LARGEST_FIGURE = 1e12


class LlamaCppEndpoint:
    """A llama.cpp server at one address; implements `sirdab.endpoint.base.Endpoint`.

    Args:
        address: Where it is.
        api_key: Its key; "" when it has none.
        timeout_ms: Longest time one request may take, in milliseconds; a request's own deadlines
            are cut to it unless it is patient.
    """

    def __init__(
        self, address: EndpointAddress, *, api_key: str = "", timeout_ms: int = 10_000
    ) -> None:
        self.address = address
        self.url = address.url
        self._api_key = api_key
        self._timeout_ms = timeout_ms
        self._client: httpx.AsyncClient | None = None
        self._closed = False
        self._info: ModelInfo | None = None
        self._slot = -1

    async def check_health(self) -> None:
        """Return when the server is up and its model is loaded.

        Raises:
            EndpointError: It is down, or loading (HTTP 503).
        """
        await self._ask("GET", "/health")

    async def describe(self) -> ModelInfo:
        """Return what is served, asking the server once and remembering the answer.

        Raises:
            EndpointError: The server cannot be used, or is not llama.cpp.
        """
        if self._info is None:
            self._info = await self._describe()
        return self._info

    async def refresh(self) -> ModelInfo:
        """Check that the server is usable and ask anew what it serves.

        Raises:
            EndpointError: The server cannot be used, or is not llama.cpp.
        """
        await self.check_health()
        self._info = await self._describe()
        return self._info

    def generate(self, request: GenerationRequest) -> "Generation":
        """Stream an answer; leaving the context closes the connection, which stops the server.

        Raises:
            EndpointError: On entering or while iterating.
        """

        def call() -> Call:
            body = _encode(_completion_body(request, self._slot))
            silent = request.max_tokens == 0
            return Call("/completion", body, lambda: _Reader(self.url, silent=silent))

        return Generation(self._open_client, self.url, request, call, self._timeout_ms)

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has for this model, control tokens counted as one.

        Raises:
            EndpointError: The server cannot be used.
        """
        body = {"content": well_formed(text), "add_special": False, "parse_special": True}
        tokens = (await self._ask("POST", "/tokenize", body)).get("tokens")
        if not isinstance(tokens, list):
            raise self._not_llamacpp()
        return len(cast("list[object]", tokens))

    async def models(self) -> tuple[ServedModel, ...]:
        """Return the one model that is served.

        Raises:
            EndpointError: The server cannot be used.
        """
        info = await self.describe()
        family = info.family
        return (
            ServedModel(
                info.name,
                is_loaded=True,
                context_tokens=info.context_tokens,
                family=family,
                fills_in=family.fim is not None,
            ),
        )

    async def aclose(self) -> None:
        """Close all connections, for good.

        A request that comes later is refused: whoever still holds the endpoint must not go on
        sending text to an address that the settings no longer name.
        """
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _open_client(self) -> "httpx.AsyncClient":
        if self._closed:
            raise EndpointError(
                ProblemKind.DOWN, f"The connection to {self.url} was closed; ask again."
            )
        if self._client is None:
            self._client = make_client(self.address, api_key=self._api_key)
        return self._client

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        seconds = min(_CONTROL_SECONDS, self._timeout_ms / 1000)
        try:
            async with asyncio.timeout(seconds):
                data = None if body is None else _encode(body)
                return await fetch_json(self._open_client(), method, path, data, url=self.url)
        except TimeoutError:
            raise too_slow(self.url, seconds * 1000, "an answer") from None

    async def _describe(self) -> ModelInfo:
        props = await self._ask("GET", "/props")
        if props.get("role") == "router":
            raise EndpointError(
                ProblemKind.REFUSED,
                f"{self.url} is a llama.cpp router for several models, which this version cannot "
                "use; start llama-server with one model (-m).",
            )
        generation = props.get("default_generation_settings")
        slots = props.get("total_slots")
        if not isinstance(generation, dict) or type(slots) is not int:
            raise self._not_llamacpp()
        context = cast("dict[str, object]", generation).get("n_ctx")
        # With one slot there is no choice, and a pinned slot is one that keeps our prompt.
        self._slot = 0 if slots == 1 else -1
        path = _text(props.get("model_path"))
        name = _text(props.get("model_alias")) or path or await self._first_model()
        return ModelInfo(
            name=_model_name(name),
            path=path,
            context_tokens=context if type(context) is int and context > 0 else 0,
            url=self.url,
        )

    async def _first_model(self) -> str:
        models = (await self._ask("GET", "/v1/models")).get("data")
        if isinstance(models, list) and models:
            first = cast("list[object]", models)[0]
            if isinstance(first, dict):
                return _text(cast("dict[str, object]", first).get("id"))
        return ""

    def _not_llamacpp(self) -> EndpointError:
        return EndpointError(
            ProblemKind.PROTOCOL,
            f"{self.url} answers but is not a llama.cpp server, the only kind this version speaks "
            'to; start llama-server and set endpoint.url to it, or leave endpoint.url at "auto".',
        )


class _Reader:
    """Reads the events of one answer of `/completion`."""

    def __init__(self, url: str, *, silent: bool) -> None:
        self._url = url
        self._silent = silent
        self._text = TextJoiner()
        self.finished = False

    def read(self, event: Event) -> Chunk | None:
        """Read one event; see `sirdab.endpoint.answer.AnswerReader`."""
        try:
            value = decode_json(event.data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise self._garbage()
        fields = cast("dict[str, Any]", value)
        if event.is_error:
            raise_server_error(fields, self._url)
        if isinstance(fields.get("error"), dict):
            raise_server_error(fields["error"], self._url)
        content = fields.get("content")
        if not isinstance(content, str):
            raise self._garbage()
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

    def _garbage(self) -> EndpointError:
        return EndpointError(
            ProblemKind.PROTOCOL,
            f"{self._url} sends events that are not llama.cpp's; check endpoint.url and "
            "endpoint.kind.",
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


def _completion_body(request: GenerationRequest, slot: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": well_formed(request.prompt),
        "n_predict": request.max_tokens,
        "stream": True,
        "cache_prompt": True,
        "id_slot": slot,
        "temperature": request.temperature,
        "response_fields": _RESPONSE_FIELDS,
        # Streams are mostly closed before their last event, which alone would say the cost.
        "timings_per_token": True,
    }
    if request.keeps_moved:
        body["n_cache_reuse"] = _LEAST_KEPT_TOKENS
    if request.temperature <= 0:
        # Greedy whatever penalties and samplers the server was started with.
        body.update(temperature=0, samplers=["top_k"], top_k=1)
    elif request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = [well_formed(stop) for stop in request.stop]
    start = well_formed(request.begins_with)
    if start and "\0" not in start:
        # The model stays free to cross the boundary: for " ite" it may write the token " item".
        body["grammar"] = f"root ::= {gbnf_literal(start)} [^\\x00]*"
    elif request.json_schema is not None:
        body["json_schema"] = request.json_schema
    return body


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _usage(fields: dict[str, Any]) -> Usage:
    timings = fields.get("timings")
    known = cast("dict[str, Any]", timings) if isinstance(timings, dict) else {}
    evaluated = int(_figure(known.get("prompt_n")))
    return Usage(
        prompt_tokens=int(
            _figure(fields.get("tokens_evaluated")) or _figure(known.get("cache_n")) + evaluated
        ),
        evaluated_tokens=evaluated,
        prompt_ms=_figure(known.get("prompt_ms")),
        generated_tokens=int(_figure(known.get("predicted_n"))),
        generated_ms=_figure(known.get("predicted_ms")),
    )


def _figure(value: object) -> float:
    """Return a number that can be reckoned with: 0 for what is absent, negative or absurd."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    # Comparing first keeps an integer of a thousand digits out of float().
    if not 0 <= value <= _LARGEST_FIGURE or not math.isfinite(value):
        return 0.0
    return float(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _model_name(name: str) -> str:
    """Return the part of a name that names the model: llama.cpp's alias is a path by default."""
    if not name.lower().endswith(".gguf"):
        return name
    windows = "\\" in name and "/" not in name
    return (PureWindowsPath(name) if windows else PurePosixPath(name)).stem
