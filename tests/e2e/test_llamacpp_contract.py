"""What the real llama.cpp does, wherever our code or the fake server relies on it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from sirdab.endpoint.base import EndpointError, GenerationRequest, ProblemKind, Usage
from sirdab.endpoint.client import make_client
from sirdab.endpoint.health import probe
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.policy.loopback import check_endpoint_url
from tests.support.fake_llamacpp import FakeLlamaCpp

pytestmark = pytest.mark.real_model

KEY = "sesame"

# A native crash or a stuck thread of the engine must not be ours, hence a process of its own. It
# ends when its standard input does, that is, with us.
ENGINE = """
import os, sys
from xllamacpp import CommonParams, Server

parameters = CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.api_keys = [sys.argv[2]]
parameters.n_parallel = int(sys.argv[3])
parameters.n_ctx = 2048 * parameters.n_parallel
parameters.n_batch = parameters.n_ubatch = 256
parameters.ui = parameters.warmup = False
parameters.endpoint_slots = parameters.endpoint_props = parameters.endpoint_metrics = True
server = Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
"""


@contextmanager
def engine(model: Path, slots: int) -> Generator[str]:
    """Run an engine and give its address."""
    pytest.importorskip("xllamacpp", reason="the extra `embedded` is not installed")
    process = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(model), KEY, str(slots)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Idle threads of OpenMP otherwise spin and slow down everything beside them.
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "the engine ended before it listened"
        yield url
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def engine_url(real_model_path: Path) -> Iterator[str]:
    with engine(real_model_path, 1) as url:
        yield url


@pytest.fixture
async def endpoint(engine_url: str) -> AsyncIterator[LlamaCppEndpoint]:
    address = check_endpoint_url(engine_url, allow_remote=False)
    made = LlamaCppEndpoint(address, api_key=KEY, timeout_ms=60_000)
    yield made
    await made.aclose()


def request(prompt: str, max_tokens: int, **more: Any) -> GenerationRequest:
    deadlines = {"first_token_ms": 60_000, "total_ms": 60_000}
    return GenerationRequest(prompt, max_tokens, **{**deadlines, **more})


async def complete(endpoint: LlamaCppEndpoint, asked: GenerationRequest) -> tuple[str, Usage, bool]:
    text, usage, truncated = "", Usage(), False
    async with endpoint.generate(asked) as answer:
        async for chunk in answer:
            text += chunk.text
            usage = chunk.usage or usage
            truncated = truncated or chunk.truncated
    return text, usage, truncated


async def is_processing(endpoint: LlamaCppEndpoint) -> bool:
    async with make_client(endpoint.address, api_key=KEY) as client:
        slots = cast("list[dict[str, Any]]", json.loads((await client.get("/slots")).content))
    return any(slot["is_processing"] for slot in slots)


async def tokens_written(endpoint: LlamaCppEndpoint) -> int:
    async with make_client(endpoint.address, api_key=KEY) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    name = "llamacpp:tokens_predicted_total "
    return next(int(float(line.removeprefix(name))) for line in lines if line.startswith(name))


async def until_processing(endpoint: LlamaCppEndpoint, expect: bool) -> None:
    async with asyncio.timeout(120):
        while await is_processing(endpoint) is not expect:  # noqa: ASYNC110 - it is far away
            await asyncio.sleep(0.02)


async def test_describe(endpoint: LlamaCppEndpoint, real_model_path: Path):
    await endpoint.check_health()
    info = await endpoint.describe()
    assert info.path == str(real_model_path)
    assert info.name == real_model_path.stem
    assert info.context_tokens == 2048


async def test_a_completion(endpoint: LlamaCppEndpoint):
    prompt = "def add(first, second):\n    return"
    text, usage, truncated = await complete(endpoint, request(prompt, 16, stop=("\n",)))
    assert text == " first + second"
    assert not truncated
    assert usage.prompt_tokens == await endpoint.count_tokens(prompt)
    assert usage.generated_tokens >= 3
    assert usage.generated_ms > 0
    # The same again is read from the cache, which is what the whole design rests on.
    again = (await complete(endpoint, request(prompt, 3)))[1]
    assert 0 < again.evaluated_tokens < usage.prompt_tokens
    assert again.prompt_tokens == usage.prompt_tokens


async def test_the_token_limit_is_told(endpoint: LlamaCppEndpoint):
    _, usage, truncated = await complete(endpoint, request("1, 2, 3, 4, 5,", 5))
    assert truncated
    assert usage.generated_tokens == 5


async def test_warming_up_reads_the_prompt_and_writes_nothing(endpoint: LlamaCppEndpoint):
    prompt = "class Cellar:\n    def __init__(self, depth):\n        self.depth ="
    text, warm, _ = await complete(endpoint, request(prompt, 0))
    assert text == ""
    assert warm.evaluated_tokens > 1
    text, usage, _ = await complete(endpoint, request(prompt, 8, stop=("\n",)))
    assert text == " depth"
    assert usage.evaluated_tokens == 1


async def test_control_tokens_count_as_one(endpoint: LlamaCppEndpoint):
    assert await endpoint.count_tokens("<|fim_prefix|>") == 1
    assert await endpoint.count_tokens("") == 0


NASTY = [
    " ite",
    ' "quoted" and \\ back',
    "\\x00 \\u0041 \\n",
    '\'"\\"',
    "\n\n\t\t]",
    "\r\n",
    "[^a]* ::= root | {1,2}",
    "é 中 سرداب 😀\u2028\u200f",
    "\x01\x1b[0m\x7f\x85\xa0",
    "\ufeff\ufffd\U0010ffff",
]


@pytest.mark.parametrize("start", NASTY, ids=ascii)
async def test_an_answer_begins_as_told(endpoint: LlamaCppEndpoint, start: str):
    prompt = "def total(items):\n    result = 0\n    for item in items:\n        result +="
    text, _, _ = await complete(endpoint, request(prompt, 48, begins_with=start))
    if start.endswith("\U0010ffff"):
        # The answer may end inside the last character, which takes four tokens.
        assert (start.startswith(text) and len(text) > 1) or text.startswith(start)
    else:
        assert text.startswith(start)


async def test_an_answer_conforms_to_a_schema(endpoint: LlamaCppEndpoint):
    names = {"type": "array", "maxItems": 2, "items": {"enum": ["north", "south"]}}
    schema = {
        "type": "object",
        "properties": {"names": names},
        "required": ["names"],
        "additionalProperties": False,
    }
    asked = request("Write a poem about the sea:", 64, json_schema=schema)
    answer = json.loads((await complete(endpoint, asked))[0])
    assert set(answer) == {"names"}
    assert set(answer["names"]) <= {"north", "south"}
    assert len(answer["names"]) <= 2


async def test_half_a_word_is_completed_across_the_token_boundary(endpoint: LlamaCppEndpoint):
    prompt = "def total(items):\n    result = 0\n    for item in items:\n        result +="
    asked = request(prompt, 8, begins_with=" ite", stop=("\n",))
    assert (await complete(endpoint, asked))[0] == " item"


async def test_a_prompt_that_does_not_fit(endpoint: LlamaCppEndpoint):
    with pytest.raises(EndpointError) as caught:
        await complete(endpoint, request("word " * 3000, 1))
    assert caught.value.kind is ProblemKind.REFUSED
    assert "of 2048 tokens" in caught.value.message


async def test_a_wrong_key(engine_url: str):
    address = check_endpoint_url(engine_url, allow_remote=False)
    for key in ("", "wrong"):
        endpoint = LlamaCppEndpoint(address, api_key=key)
        with pytest.raises(EndpointError) as caught:
            await complete(endpoint, request("a", 1))
        assert caught.value.kind is ProblemKind.REFUSED
        await endpoint.check_health()
        await endpoint.aclose()


async def test_the_round_trip_of_the_doctor(endpoint: LlamaCppEndpoint):
    health = await probe(endpoint)
    assert health.ok, health.message
    assert health.text.strip()


async def test_cancelling_stops_the_writing(endpoint: LlamaCppEndpoint):
    # The grammar makes the answer long, so that it cannot have ended by itself.
    asked = request("Repeat:", 1900, begins_with="pa ka " * 2000)
    seen = 0
    before = await tokens_written(endpoint)

    async def read() -> None:
        nonlocal seen
        async with endpoint.generate(asked) as answer:
            async for _ in answer:
                seen += 1

    task = asyncio.create_task(read())
    async with asyncio.timeout(60):
        while seen < 5:  # noqa: ASYNC110 - the count is the event
            await asyncio.sleep(0.01)
    assert await is_processing(endpoint)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await until_processing(endpoint, False)
    assert await tokens_written(endpoint) - before < 950
    assert (await complete(endpoint, request("def add(a, b):\n    return", 3)))[0] == " a + b"


async def test_cancelling_stops_the_reading(endpoint: LlamaCppEndpoint):
    lines = [f"value_{number} = {number * 7919}\n" for number in range(110)]
    prompt = "".join(lines)
    size = await endpoint.count_tokens(prompt)
    assert 1300 < size < 2000
    task = asyncio.create_task(complete(endpoint, request(prompt, 4)))
    await until_processing(endpoint, True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled(), "the answer was complete before it could be cancelled"
    # /slots is not polled here: a waiting handler looks for a hang-up when nothing has happened
    # for a second, and every answer to somebody else makes it start that second again.
    text, _, _ = await complete(endpoint, request("def add(a, b):\n    return", 3))
    assert text == " a + b"
    await until_processing(endpoint, False)
    # Had the prompt been read to its end, nearly nothing of its first half would be left to read.
    _, usage, _ = await complete(endpoint, request("".join(lines[:60]), 1))
    assert usage.evaluated_tokens > 20


async def test_the_fake_sends_what_the_real_one_sends(engine_url: str):
    """Compare the shapes of the answers: the tests of all other rooms rest on the fake."""
    questions: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "/health", None),
        ("GET", "/slots", None),
        ("GET", "/v1/models", None),
        ("GET", "/props", None),
        ("GET", "/nothing", None),
        ("POST", "/tokenize", {"content": "def f("}),
        ("POST", "/completion", {"prompt": "1, 2,", "n_predict": 2, "stream": True}),
    ]
    async with FakeLlamaCpp(api_key=KEY) as fake:
        for method, path, body in questions:
            for key in (KEY, "wrong"):
                real, ours = [
                    await _shape(url, method, path, body, key) for url in (engine_url, fake.url)
                ]
                status, kind, fields = ours
                assert (status, kind) == real[:2], path
                assert fields <= real[2], f"{path}: the fake invents {fields - real[2]}"


async def _shape(
    url: str, method: str, path: str, body: dict[str, Any] | None, key: str
) -> tuple[int, str, set[str]]:
    """Return the status, the content type and the dotted names of all fields of an answer."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        headers = {"Authorization": f"Bearer {key}"}
        response = await client.request(method, path, json=body, headers=headers)
    fields: set[str] = set()

    def walk(value: object, name: str) -> None:
        if isinstance(value, dict):
            for inner, held in cast("dict[str, object]", value).items():
                fields.add(f"{name}.{inner}")
                walk(held, f"{name}.{inner}")
        elif isinstance(value, list):
            for held in cast("list[object]", value):
                walk(held, f"{name}[]")

    kind = response.headers["Content-Type"].partition(";")[0]
    if kind == "text/event-stream":
        for event in response.content.decode().split("\n\n"):
            if event.strip():
                value = cast("dict[str, Any]", json.loads(event.strip().removeprefix("data: ")))
                walk(value, "last" if value["stop"] else "event")
    else:
        walk(json.loads(response.content), "")
    return response.status_code, kind, fields


async def test_a_server_with_several_slots_finds_the_one_that_knows_the_prompt(
    real_model_path: Path,
) -> None:
    """Which is why no slot is named to it: the one that is named may be somebody else's."""
    ghost = "\n".join(f"    value_{number} = compute({number})" for number in range(40))
    review = "\n".join(f"// another text of line {number}" for number in range(60))
    with engine(real_model_path, 2) as url:
        address = check_endpoint_url(url, allow_remote=False)
        endpoint = LlamaCppEndpoint(address, api_key=KEY, timeout_ms=60_000)
        try:
            await endpoint.describe()
            await complete(endpoint, request(ghost, 2))
            for number in range(3):
                await complete(endpoint, request(f"{review}{number}", 2))
            _, usage, _ = await complete(endpoint, request(f"{ghost}\n    value_", 2))
        finally:
            await endpoint.aclose()
    assert usage.prompt_tokens > 100
    assert usage.evaluated_tokens < 20
