"""A model server that only takes its time: for token counts and waiting times on a busy machine.

It keeps the prompt of its one slot as llama.cpp does (what a new prompt begins with in common is
not read again, nor is a prompt that was left and is kept in memory), reads in batches that run to
their end whoever has gone, and writes token by token, at the speeds that were measured of the 0.5B
model on two idle cores. Its answers are the right text, or for a fixed share of places a wrong one,
so what is counted of exact matches and acceptances means nothing here.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Self

from bench.replay.relay import Connection

READ_PER_SECOND = 220.0
WRITTEN_PER_SECOND = 60.0
"""Of Qwen2.5-Coder-0.5B Q4_K_M with the embedded llama.cpp on two cores."""

_FIXED_SECONDS = 0.015
_KEPT_PROMPTS = 16
# llama.cpp brings back a prompt that it has left if it shares so much of it.
_LEAST_SHARED = 0.25
_RIGHT = 0.5
_PIECE = re.compile(r"<\|[a-z_]+\|>|\s*\n| ?[^\W\d_]{1,7}|\d| ?[^\w\s]{1,3}|[ \t]+|.", re.DOTALL)
_BLOCK_END = "\n\n"


def tokens(text: str) -> list[str]:
    """Cut a text into pieces, about as many as the tokens of a code model."""
    return _PIECE.findall(text)


class SimulatedServer:
    """One slot, one request at a time."""

    def __init__(self, truth: Sequence[str], batch_tokens: int) -> None:
        """Make a server.

        Args:
            truth: The finished files, which its answers are taken from.
            batch_tokens: What it reads in one go.
        """
        self._truth = truth
        self._batch = batch_tokens
        self._slot: list[str] = []
        self._left: list[list[str]] = []
        self._computing = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(Connection(self, reader, writer).serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def forward(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Answer what is asked about the server itself."""
        del method
        match path:
            case "/health":
                return 200, b'{"status": "ok"}'
            case "/props":
                found: dict[str, Any] = {
                    "default_generation_settings": {"n_ctx": 8_192},
                    "total_slots": 1,
                    "model_alias": "qwen2.5-coder-0.5b-instruct-simulated",
                    "model_path": "/qwen2.5-coder-0.5b-instruct-simulated.gguf",
                }
                return 200, json.dumps(found).encode()
            case "/tokenize":
                count = len(tokens(str(json.loads(body).get("content", ""))))
                return 200, json.dumps({"tokens": list(range(count))}).encode()
            case _:
                return 404, b'{"error": {"message": "File Not Found", "code": 404}}'

    async def watch(self, path: str, body: dict[str, Any], connection: Connection) -> None:
        """Read, write, and stop between two batches or words when the client has gone."""
        prompt, before = _prompt(path, body)
        async with self._computing:
            if connection.gone.is_set():
                return
            connection.begin_events()
            cached, read = await self._read(tokens(prompt), connection)
            if not connection.gone.is_set():
                await self._write(body, before, connection, cached, read)
        connection.end_events()

    async def _read(self, wanted: list[str], connection: Connection) -> tuple[int, int]:
        cached = self._restore(wanted)
        # The last token is always read, because its result is what the answer begins with.
        cached = min(cached, len(wanted) - 1)
        self._slot = wanted[:cached]
        _tell(connection, len(wanted), cached, 0)
        await asyncio.sleep(_FIXED_SECONDS)
        read = 0
        while cached + read < len(wanted) and not connection.gone.is_set():
            batch = min(self._batch, len(wanted) - cached - read)
            # Nobody can break a batch off, least of all by going away.
            await asyncio.shield(asyncio.sleep(batch / READ_PER_SECOND))
            read += batch
            self._slot = wanted[: cached + read]
            _tell(connection, len(wanted), cached, read)
        return cached, read

    def _restore(self, wanted: list[str]) -> int:
        """Return how much of a prompt is known, having brought a left one back if that is more."""
        here = _same(self._slot, wanted)
        if not self._slot or here >= len(self._slot) / 2:
            return here
        best = max(
            (one for one in self._left if _same(one, wanted) >= _LEAST_SHARED * len(one)),
            key=lambda one: _same(one, wanted),
            default=list[str](),
        )
        self._left = [*self._left[-_KEPT_PROMPTS:], self._slot]
        return max(here, _same(best, wanted))

    async def _write(
        self, body: dict[str, Any], before: str, connection: Connection, cached: int, read: int
    ) -> None:
        written = 0
        for piece in self._answer(body, before):
            if written:
                await asyncio.sleep(1 / WRITTEN_PER_SECOND)
            if connection.gone.is_set():
                return
            written += 1
            self._slot.append(piece)
            _say(connection, piece, cached, read, written, stop=False)
        _say(connection, "", cached, read, written, stop=True)

    def _answer(self, body: dict[str, Any], before: str) -> list[str]:
        forced = _forced(str(body.get("grammar", "")))
        before += forced
        line = before[before.rfind("\n") + 1 :]
        tail = before[-max(80, len(line)) :]
        said = next((text[at + len(tail) :] for text in self._truth
                     if (at := text.find(tail)) >= 0), "pass\n\n")  # fmt: skip
        mark = hashlib.sha256(f"{tail[-40:].strip()}".encode()).digest()[0]
        if mark > 255 * _RIGHT:
            said = re.sub(r"[a-z]{4,}", lambda word: word[0][::-1], said, count=1)
        for stop in (*body.get("stop", ()), _BLOCK_END):
            said = said.split(stop)[0]
        limit = max(1, int(body.get("n_predict", 1)))
        return tokens(forced + said)[:limit] or [""]


def _prompt(path: str, body: dict[str, Any]) -> tuple[str, str]:
    """Return the whole prompt and what of it stands before the cursor."""
    if path == "/infill":
        extra = "".join(chunk["text"] for chunk in body.get("input_extra", ()))
        before = str(body["input_prefix"])
        prompt = f"{extra}<|fim_prefix|>{before}<|fim_suffix|>{body['input_suffix']}<|fim_middle|>"
        return f"{prompt}{body['prompt']}", f"{before}{body['prompt']}"
    prompt = str(body["prompt"])
    head, found, middle = prompt.rpartition("<|fim_middle|>")
    if found and not middle:
        return prompt, head.partition("<|fim_suffix|>")[0].removeprefix("<|fim_prefix|>")
    return prompt, middle


def _forced(grammar: str) -> str:
    found = re.match(r'root ::= ("(?:[^"\\]|\\.)*")', grammar)
    return "" if found is None else str(json.loads(found[1]))


def _same(one: list[str], other: list[str]) -> int:
    for number, (first, second) in enumerate(zip(one, other, strict=False)):
        if first != second:
            return number
    return min(len(one), len(other))


def _tell(connection: Connection, total: int, cached: int, read: int) -> None:
    progress = {"total": total, "cache": cached, "processed": cached + read, "time_ms": 0}
    timings = {"cache_n": cached, "prompt_n": read}
    _send(connection, {"content": "", "stop": False, "prompt_progress": progress} | {
        "timings": timings
    })  # fmt: skip


def _say(
    connection: Connection, text: str, cached: int, read: int, written: int, *, stop: bool
) -> None:
    timings = {
        "cache_n": cached,
        "prompt_n": read,
        "prompt_ms": read * 1000 / READ_PER_SECOND,
        "predicted_n": written,
        "predicted_ms": written * 1000 / WRITTEN_PER_SECOND,
    }
    event = {"content": text, "stop": stop, "timings": timings}
    _send(
        connection,
        event | ({"stop_type": "eos", "tokens_evaluated": cached + read} if stop else {}),
    )


def _send(connection: Connection, event: dict[str, Any]) -> None:
    connection.event(f"data: {json.dumps(event)}")
