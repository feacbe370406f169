"""Reads a streamed answer in OpenAI's format, with the liberties that servers take.

Source of the format: OpenAI's API reference, "Completion object" and "Chat completion chunk
object" (streamed: `data:` lines and a last `data: [DONE]`). The liberties, each seen in the
server's source or answers:

- Text Generation Inference writes `"finish_reason":""` until the last chunk, leaves the stop string
  and the end-of-text token in the text, and sends an error as a string beside its `error_type`.
- vLLM sends the cost in a chunk without choices, after the last one with any; SGLang an error flat,
  without `error` around it.
- LM Studio sends `event: error` under status 200.
- LocalAI and older versions of others end the body without `[DONE]`.
- Reasoning comes as `reasoning_content` (DeepSeek, SGLang, llama.cpp) or `reasoning` (vLLM), beside
  an empty `content`; it is not text.
- Open WebUI sends objects of its own, without `choices`, between the chunks.
- llama.cpp adds its own `timings`.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from sirdab.endpoint.answer import TextJoiner
from sirdab.endpoint.base import Chunk, EndpointError, ProblemKind, Usage
from sirdab.endpoint.client import decode_json, raise_server_error
from sirdab.endpoint.stops import StopCutter
from sirdab.endpoint.stream import Event
from sirdab.endpoint.untrusted import count, figure, mapping, objects, text

_END = "[DONE]"


class OpenAiReader:
    """Reads the events of one answer; see `sirdab.endpoint.answer.AnswerReader`.

    Args:
        url: Address of the server as the user knows it, for messages.
        stops: Strings that end the answer.
        is_silent: Whether nothing was to be written, so that what is written does not count.
        most_tokens: How many tokens may be written, for servers that do not say that the limit
            ended the answer; 0 for the others.
        on_usage: Called with the cost of the answer when it is told.
    """

    def __init__(
        self,
        url: str,
        *,
        stops: Iterable[str] = (),
        is_silent: bool = False,
        most_tokens: int = 0,
        on_usage: Callable[[Usage], None] | None = None,
    ) -> None:
        self._url = url
        self._text = TextJoiner()
        self._cutter = StopCutter(stops)
        self._is_silent = is_silent
        self._most_tokens = most_tokens
        self._on_usage = on_usage
        self._usage: Usage | None = None
        self._has_ended = False
        self._is_truncated = False
        self.finished = False

    def read(self, event: Event) -> Chunk | None:
        """Read one event.

        Raises:
            EndpointError: The server reports a failure, or the event is not of the protocol.
        """
        if event.data.strip() == _END:
            self.finished = True
            return self._last("")
        fields = self._decode(event)
        usage = self._read_usage(fields)
        choice = next(objects(fields.get("choices")), None)
        if choice is None:
            # With the cost after the end comes the last word about the length as well.
            return self._last("") if usage is not None and self._has_ended else None
        content = self._cut(_content(choice))
        if self._cutter.is_cut:
            self.finished = True
            return Chunk(content, self._usage)
        reason = text(choice.get("finish_reason"))
        if reason:
            self._has_ended = True
            self._is_truncated = reason == "length"
            return self._last(content)
        return Chunk(content, usage) if content else None

    def end(self) -> bool:
        """Say whether the answer is complete although the body ended without `[DONE]`."""
        self.finished = self._has_ended
        return self.finished

    def _decode(self, event: Event) -> dict[str, Any]:
        try:
            value = decode_json(event.data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise EndpointError(
                ProblemKind.PROTOCOL,
                f"{self._url} sends events that are not those of OpenAI's protocol; check "
                "endpoint.url and endpoint.kind.",
            )
        fields = cast("dict[str, Any]", value)
        error = fields.get("error")
        if isinstance(error, dict):
            raise_server_error(cast("dict[str, Any]", error), self._url)
        if error or event.is_error or fields.get("object") == "error":
            raise_server_error(fields, self._url)
        return fields

    def _cut(self, content: str) -> str:
        whole = "" if self._is_silent else self._text.feed(content)
        return self._cutter.feed(whole) if whole else ""

    def _last(self, content: str) -> Chunk:
        content += self._cutter.finish() + self._text.finish()
        written = self._usage.generated_tokens if self._usage else 0
        at_limit = bool(self._most_tokens) and written >= self._most_tokens
        return Chunk(content, self._usage, self._is_truncated or at_limit)

    def _read_usage(self, fields: dict[str, Any]) -> Usage | None:
        usage = read_usage(fields)
        if usage is not None:
            self._usage = usage
            if self._on_usage is not None:
                self._on_usage(usage)
        return usage


def read_usage(fields: dict[str, Any]) -> Usage | None:
    """Return the cost that an event tells of; None when it tells of none.

    Args:
        fields: The event.
    """
    usage = mapping(fields.get("usage"))
    timings = mapping(fields.get("timings"))
    if not usage and not timings:
        return None
    prompt, written = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    if timings:
        # llama.cpp's own: what was read anew, and how long it took.
        evaluated = count(timings.get("prompt_n"))
        return Usage(
            prompt or count(timings.get("cache_n")) + evaluated,
            evaluated,
            figure(timings.get("prompt_ms")),
            written or count(timings.get("predicted_n")),
            figure(timings.get("predicted_ms")),
        )
    cached = mapping(usage.get("prompt_tokens_details")).get("cached_tokens")
    # Without a word about the cache it is not known how much was read anew.
    evaluated = max(0, prompt - count(cached)) if type(cached) is int else 0
    return Usage(prompt, evaluated, generated_tokens=written)


def _content(choice: dict[str, object]) -> str:
    return text(choice.get("text")) or text(mapping(choice.get("delta")).get("content"))
