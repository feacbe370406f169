"""Checks of the completion engine that state behaviour: a document, an answer, a suggestion."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sirdab.completion.engine import Engine
from sirdab.completion.request import CompletionRequest, Outcome, Selected, Trigger
from sirdab.config.schema import CompletionSettings, Settings
from sirdab.endpoint.base import (
    LLAMACPP_ABILITIES,
    Ability,
    Chunk,
    EndpointError,
    GenerationRequest,
    ModelInfo,
    Usage,
)
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

QWEN = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"


@dataclass
class ScriptedEndpoint:
    """An endpoint whose model says what it is told to, character by character.

    It begins with what the request demands, as a server with a grammar does, unless
    `constrains` is off.
    """

    answer: str
    model: str = QWEN
    problem: EndpointError | None = None
    constrains: bool = True
    truncated: bool = False
    context_tokens: int = 4096
    abilities: frozenset[Ability] = LLAMACPP_ABILITIES
    requests: list[GenerationRequest] = field(default_factory=list[GenerationRequest])
    sent: str = ""
    closed_early: bool = False

    async def acquire(self) -> "ScriptedEndpoint":
        return self

    async def describe(self) -> ModelInfo:
        if self.problem is not None:
            raise self.problem
        url = "http://127.0.0.1:1"
        return ModelInfo(self.model, "", self.context_tokens, url, abilities=self.abilities)

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        self.requests.append(request)
        self.sent = ""
        self.closed_early = True

        async def stream() -> AsyncIterator[Chunk]:
            whole = (request.begins_with if self.constrains else "") + self.answer
            for character in whole:
                if any(self.sent.endswith(stop) for stop in request.stop):
                    break
                self.sent += character
                yield Chunk(character)
            self.closed_early = False
            usage = Usage(prompt_tokens=10, evaluated_tokens=2)
            yield Chunk("", usage=usage, truncated=self.truncated)

        yield stream()

    async def count_tokens(self, text: str) -> int:
        return len(text) // 3


def place(marked: str) -> tuple[Text, Point]:
    """Split a document with `$0` at the cursor."""
    before, after = marked.split("$0")
    text = Text(before + after)
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return text, Point(len(lines) - 1, len(lines[-1]))


def request_for(
    marked: str,
    *,
    trigger: Trigger = Trigger.INVOKED,
    language: str = "python",
    uri: str = "untitled:test",
    settings: Settings | None = None,
    selected: Selected | None = None,
    **completion: Any,
) -> CompletionRequest:
    """Make a request for a marked document; further arguments are completion settings."""
    text, point = place(marked)
    base = settings or Settings()
    if completion:
        base = replace(base, completion=CompletionSettings(**completion))
    snapshot = Snapshot(uri=uri, language_id=language, version=1, text=text)
    return CompletionRequest(snapshot, point, trigger, base, selected=selected)


async def complete(marked: str, model: str, **options: Any) -> tuple[Outcome, ScriptedEndpoint]:
    """Ask an engine whose model gives the answer `model`."""
    endpoint = ScriptedEndpoint(model)
    outcome = await Engine(endpoint).complete(request_for(marked, **options))
    return outcome, endpoint


async def check_completion(marked: str, model: str, expect: str | None, **options: Any) -> None:
    """Assert the text of the suggestion, or that there is none."""
    outcome, _ = await complete(marked, model, **options)
    got = outcome.suggestions[0].text if outcome.suggestions else None
    assert got == expect, f"{outcome.reason}: {outcome.detail}"
