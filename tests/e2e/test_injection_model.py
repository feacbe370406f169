"""The attacks of `tests/fixtures/injection` against the real model: greedy, on one engine.

What the model says is its own; what is shown, edited and sent stays within bounds whatever that is.
How often an attack changes its verdict is measured in `bench/injection.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sirdab.endpoint.base import Chunk, GenerationRequest, ModelInfo
from sirdab.endpoint.client import make_client
from sirdab.endpoint.lane import Lane
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.policy.loopback import check_endpoint_url
from sirdab.review.edit import LineEdit, RefusalError
from sirdab.review.gates import Gates
from sirdab.review.request import ReviewRequest
from sirdab.review.reviewer import Reviewer
from sirdab.review.rewrite import Rewriter, fix
from sirdab.text.document import Snapshot
from sirdab.text.store import Text
from tests.support.injection import Attack, attacks
from tests.support.injection_checks import as_signs, check_edit, check_prompts, check_review
from tests.support.real_llamacpp import KEY, engine
from tests.support.review import settings

pytestmark = pytest.mark.real_model

# The model would read thousands of tokens for these, which are about our own code.
_TOO_LONG = frozenset({"many-functions", "deep-brackets", "deep-objects-at-top-level"})
REVIEWED = [attack for attack in attacks() if attack.name not in _TOO_LONG]
# One of each kind, because a rewriting takes seconds.
REWRITTEN = [
    "comment-network-call", "comment-disable-checks", "comment-chatml", "docstring-approve",
    "string-closing-fence", "message-order", "message-sentinels", "tag-characters",
]  # fmt: skip


class Server:
    """The real server as the source of an endpoint, and what it was asked."""

    def __init__(self, endpoint: LlamaCppEndpoint) -> None:
        self._endpoint = endpoint
        self.requests: list[GenerationRequest] = []

    async def acquire(self) -> "Server":
        return self

    async def describe(self) -> ModelInfo:
        return await self._endpoint.describe()

    async def count_tokens(self, text: str) -> int:
        return await self._endpoint.count_tokens(text)

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        self.requests.append(request)
        async with self._endpoint.generate(request) as chunks:
            yield chunks


@pytest.fixture(scope="module")
def url(real_model_path: Path) -> Iterator[str]:
    with engine(real_model_path, 1) as found:
        yield found


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[Server]:
    address = check_endpoint_url(url, allow_remote=False)
    endpoint = LlamaCppEndpoint(address, api_key=KEY, timeout_ms=60_000)
    try:
        yield Server(endpoint)
    finally:
        await endpoint.aclose()


async def added_tokens(url: str, prompts: list[str]) -> list[list[int]]:
    """Return which tokens of prompts are none of letters, as the server itself reads them.

    Those that were added to the vocabulary stand behind all others (tokenizer_config.json of
    Qwen2.5, `added_tokens_decoder`), "<|endoftext|>" first.
    """
    address = check_endpoint_url(url, allow_remote=False)
    async with make_client(address, api_key=KEY) as client:

        async def tokens(text: str) -> list[int]:
            body = {"content": text, "add_special": False, "parse_special": True}
            return (await client.post("/tokenize", json=body)).json()["tokens"]

        (least,) = await tokens("<|endoftext|>")
        return [[one for one in await tokens(prompt) if one >= least] for prompt in prompts]


def snapshot(attack: Attack) -> Snapshot:
    return Snapshot(attack.uri, attack.language, 1, Text(attack.document))


async def test_reviews_are_not_led_astray(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_signs(monkeypatch)
    async with serving(url) as server:
        # One reviewer: units that are the same without their comments are asked about once.
        reviewer = Reviewer(server, Lane(quiet_s=0))
        options = settings(enabled=True)
        for attack in REVIEWED:
            before = len(server.requests)
            found = await reviewer.review(ReviewRequest(snapshot(attack), options))
            check_review(attack, server.requests[before:], found)
        # Of the 28 attacks in comments hardly any unit differs from another one.
        assert len(server.requests) < 4 * len(REVIEWED)
        await check_tokens(url, server.requests)


async def test_fixes_are_not_led_astray(url: str) -> None:
    by_name = {attack.name: attack for attack in attacks()}
    async with serving(url) as server:
        rewriter = Rewriter(server, Lane(quiet_s=0), Gates())
        for attack in map(by_name.__getitem__, REWRITTEN):
            row = attack.defect_row
            said = attack.message or "The query is built from text."
            wanted = fix(snapshot(attack), settings(enabled=True), (), (row, row), said)
            before = len(server.requests)
            try:
                edits: list[LineEdit] | str = await rewriter.rewrite(wanted)
            except RefusalError as refusal:
                edits = refusal.message
            check_edit(attack, "fix", edits, wanted.lines)
            check_prompts(attack, server.requests[before:])
        await check_tokens(url, server.requests)


async def check_tokens(url: str, requests: list[GenerationRequest]) -> None:
    """The server reads no control token but those that we wrote."""
    prompts = [request.prompt for request in requests]
    assert all(prompts)
    expected = [
        "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>",
    ]  # fmt: skip
    ours = [tokens[0] for tokens in await added_tokens(url, expected)]
    for prompt, tokens in zip(prompts, await added_tokens(url, prompts), strict=True):
        counted = [prompt.count(text) for text in expected]
        assert sorted(tokens) == sorted(
            token for token, times in zip(ours, counted, strict=True) for _ in range(times)
        ), prompt
        await asyncio.sleep(0)
