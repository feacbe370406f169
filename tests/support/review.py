"""A model whose answers a test writes, and reviews with it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sirdab.config.schema import Settings
from sirdab.endpoint.base import Chunk, EndpointError, GenerationRequest, ModelInfo, Usage
from sirdab.endpoint.lane import Lane
from sirdab.review import rules
from sirdab.review.request import Review, ReviewRequest
from sirdab.review.reviewer import Reviewer
from sirdab.review.rules import Grade, Rule, Vote
from sirdab.text.document import Snapshot
from sirdab.text.store import Text

QWEN = "qwen2.5-coder-3b-instruct-q4_k_m.gguf"

SQL = """\
def find_user(connection, name):
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM users WHERE name = '" + name + "'")
    return cursor.fetchone()
"""
SQL_LINE = SQL.split("\n")[2].strip()

MUTABLE = """\
def add(item, items=[]):
    items.append(item)
    return items
"""


@dataclass
class ScriptedModel:
    """An endpoint, and the source of it, whose model answers what it is told to.

    Attributes:
        answer: The answer, or a function of the request.
        rewriting: What it writes into a hole that a vote has made.
        verdict: What it says when it is asked whether a finding is right.
        name: What its server calls it.
        held: While cleared, an answer stops after `pause`.
        pause: How much of an answer comes while it is held; its first character where it is "".
        requests: What was asked, in order.
        broken_off: How many answers were not read to their end.
    """

    answer: str | Callable[[GenerationRequest], str] = '{"findings": []}'
    rewriting: str | Callable[[GenerationRequest], str] = ""
    verdict: str | Callable[[GenerationRequest], str] = '{"verdict": "real"}'
    name: str = QWEN
    pause: str = ""
    problem: EndpointError | None = None
    truncated: bool = False
    context_tokens: int = 4096
    held: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[GenerationRequest] = field(default_factory=list[GenerationRequest])
    broken_off: int = 0

    def __post_init__(self) -> None:
        self.held.set()

    async def acquire(self) -> "ScriptedModel":
        if self.problem is not None:
            raise self.problem
        return self

    async def describe(self) -> ModelInfo:
        return ModelInfo(self.name, "", self.context_tokens, "http://127.0.0.1:1")

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        self.requests.append(request)
        self.broken_off += 1
        written = {"rewriting": self.rewriting, "verdict": self.verdict}.get(
            kind_of(request), self.answer
        )
        text = request.begins_with + (written(request) if callable(written) else written)
        first = text.find(self.pause) + len(self.pause) if self.pause in text else 0
        first = max(1, first)

        async def stream() -> AsyncIterator[Chunk]:
            yield Chunk(text[:first])
            await self.held.wait()
            self.broken_off -= 1
            yield Chunk(text[first:], usage=Usage(prompt_tokens=10), truncated=self.truncated)

        yield stream()

    async def count_tokens(self, text: str) -> int:
        return len(text) // 3


def regrade(monkeypatch: pytest.MonkeyPatch, **grades: tuple[Grade, Vote]) -> None:
    """Give rules other grades and votes, so that a test does not depend on what is measured."""
    changed: list[Rule] = []
    for rule in rules.all_rules():
        grade, vote = grades.get(rule.id.replace("-", "_"), (rule.grade, rule.vote))
        changed.append(replace(rule, grade=grade, vote=vote))
    monkeypatch.setattr(rules, "all_rules", lambda: tuple(changed))


def only_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the model's word decide on the samples: what it does not name is not shown."""
    regrade(monkeypatch, sql_injection=("sign", "none"), mutable_default=("sign", "none"))


def kind_of(request: GenerationRequest) -> str:
    """What a request asks for: a "question" about a unit, a "rewriting" or a "verdict" that is a
    vote on a finding, or "" for what is no part of a review."""
    properties = (request.json_schema or {}).get("properties", {})
    if "verdict" in properties:
        return "verdict"
    if "findings" in properties:
        return "question"
    return "rewriting" if "<|fim_middle|>" in request.prompt else ""


def kinds(model: ScriptedModel) -> list[str]:
    """What a model was asked for, in order."""
    return [kind_of(request) for request in model.requests]


def raw(
    code: str = SQL_LINE,
    line: int = 3,
    rule: str = "sql-injection",
    message: str = "The name is put into the query as it is.",
    severity: str = "error",
    **more: Any,
) -> dict[str, Any]:
    """One finding as a model writes it."""
    found = {"rule": rule, "line": line, "code": code, "severity": severity, "message": message}
    return {**found, **more}


def answer(*findings: dict[str, Any]) -> str:
    """An answer of the model."""
    return json.dumps({"findings": list(findings)})


def snapshot(content: str, language: str = "python", uri: str = "untitled:test") -> Snapshot:
    """A document."""
    return Snapshot(uri, language, 1, Text(content))


def settings(**review: Any) -> Settings:
    """Settings with some of those for reviews changed."""
    base = Settings()
    return replace(base, review=replace(base.review, **review))


async def review(
    model: ScriptedModel,
    content: str,
    language: str = "python",
    *,
    uri: str = "untitled:test",
    lines: tuple[int, int] | None = None,
    folders: tuple[str, ...] = (),
    **options: Any,
) -> Review:
    """Review a document; further arguments are review settings."""
    request = ReviewRequest(snapshot(content, language, uri), settings(**options), folders, lines)
    return await Reviewer(model, Lane(quiet_s=0)).review(request)
