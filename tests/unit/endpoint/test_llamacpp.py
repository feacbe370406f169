"""llama.cpp's protocol against a server that misbehaves on demand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sirdab.endpoint.answer import TextJoiner
from sirdab.endpoint.base import (
    Ability,
    Chunk,
    EndpointError,
    GenerationRequest,
    Message,
    ProblemKind,
    Usage,
)
from sirdab.endpoint.llamacpp import LlamaCppEndpoint, Slots
from sirdab.endpoint.llamacpp_generate import gbnf_literal
from sirdab.models.sentinels import to_probe_unnamed
from sirdab.policy.loopback import check_endpoint_url
from tests.support.fake_llamacpp import FakeLlamaCpp, RawAnswer, RouterState
from tests.support.gguf import METADATA, gguf


@asynccontextmanager
async def pair(**options: Any) -> AsyncIterator[tuple[FakeLlamaCpp, LlamaCppEndpoint]]:
    async with FakeLlamaCpp(**options) as fake:
        address = check_endpoint_url(fake.url, allow_remote=False)
        endpoint = LlamaCppEndpoint(address, api_key=options.get("api_key", ""))
        try:
            yield fake, endpoint
        finally:
            await endpoint.aclose()


def request(prompt: str = "x", max_tokens: int = 64, **more: Any) -> GenerationRequest:
    return GenerationRequest(prompt, max_tokens, **more)


async def chunks(endpoint: LlamaCppEndpoint, asked: GenerationRequest) -> list[Chunk]:
    async with endpoint.generate(asked) as answer:
        return [chunk async for chunk in answer]


async def text(endpoint: LlamaCppEndpoint, asked: GenerationRequest) -> str:
    return "".join(chunk.text for chunk in await chunks(endpoint, asked))


async def problem(endpoint: LlamaCppEndpoint, asked: GenerationRequest) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        await chunks(endpoint, asked)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the fake sets no event for everything
            await asyncio.sleep(0.005)


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


FINAL = event(content="", stop=True, stop_type="eos")


# What is sent and what comes back.


async def test_an_answer_with_its_cost():
    async with pair(answer=["a", " + b"]) as (fake, endpoint):
        fake.final_fields = {
            "tokens_evaluated": 8,
            "timings": {
                "cache_n": 5,
                "prompt_n": 3,
                "prompt_ms": 12.5,
                "predicted_n": 2,
                "predicted_ms": 30.0,
            },
        }
        found = await chunks(endpoint, request())
    assert found == [
        Chunk("a"),
        Chunk(" + b"),
        Chunk("", Usage(8, 3, 12.5, 2, 30.0), truncated=False),
    ]


async def test_what_is_sent():
    async with pair() as (fake, endpoint):
        await endpoint.describe()
        await text(endpoint, request("<|fim_prefix|>é\u2028", 7, stop=("\n", "<|x|>")))
        body = fake.asked("/completion")[0].body
    assert {name: body[name] for name in body if name != "response_fields"} == {
        "prompt": "<|fim_prefix|>é\u2028",
        "n_predict": 7,
        "stream": True,
        "cache_prompt": True,
        "id_slot": 0,
        "temperature": 0,
        "samplers": ["top_k"],
        "top_k": 1,
        "timings_per_token": True,
        "stop": ["\n", "<|x|>"],
    }


async def test_a_temperature_leaves_sampling_to_the_server():
    async with pair() as (fake, endpoint):
        await text(endpoint, request(temperature=0.4))
        body = fake.asked("/completion")[0].body
    assert body["temperature"] == 0.4
    assert "samplers" not in body
    assert "top_k" not in body


@pytest.mark.parametrize(("slots", "expect"), [(1, 0), (2, -1), (4, -1)])
async def test_a_slot_is_pinned_only_where_there_is_one(slots: int, expect: int):
    async with pair() as (fake, endpoint):
        fake.slots = slots
        await endpoint.describe()
        await text(endpoint, request())
        assert fake.asked("/completion")[0].body["id_slot"] == expect


async def test_warming_up_yields_no_text():
    async with pair(answer=["noise"]) as (_, endpoint):
        found = await chunks(endpoint, request(max_tokens=0))
    assert [chunk.text for chunk in found] == [""]
    assert found[-1].usage is not None


@pytest.mark.parametrize(
    ("fields", "truncated"),
    [
        ({"stop_type": "limit"}, True),
        ({"stop_type": "eos"}, False),
        ({"stop_type": "word"}, False),
        ({"stop_type": "eos", "truncated": True}, True),
        ({"stopped_limit": True}, True),
        ({"stopped_eos": True}, False),
    ],
)
async def test_truncated(fields: dict[str, Any], truncated: bool):
    async with pair() as (fake, endpoint):
        fake.stream_body = event(content="a", stop=False) + event(content="", stop=True, **fields)
        found = await chunks(endpoint, request())
    assert found[-1].truncated is truncated


async def test_the_connection_is_kept_for_the_next_request():
    async with pair() as (fake, endpoint):
        for _ in range(3):
            await text(endpoint, request())
        assert fake.connections == 1


async def test_lone_surrogates_in_a_prompt_are_replaced():
    async with pair() as (fake, endpoint):
        await text(endpoint, request("a\ud800b", stop=("\udc00",), begins_with="\ud800"))
        await endpoint.count_tokens("\ud800")
        body = fake.asked("/completion")[0].body
    assert (body["prompt"], body["stop"]) == ("a\ufffdb", ["\ufffd"])


# An answer that must begin with a text.


@pytest.mark.parametrize(
    ("start", "literal"),
    [
        (" ite", '" ite"'),
        ('say "hi"', r'"say \"hi\""'),
        ("a\\n", r'"a\\n"'),
        ("\n\t\r\n", r'"\x0A\x09\x0D\x0A"'),
        ("]*[^\\x00]", r'"]*[^\\x00]"'),
        ("é", r'"\xE9"'),
        ("سرداب", r'"\u0633\u0631\u062F\u0627\u0628"'),
        ("😀", r'"\U0001F600"'),
        ("\x7f", r'"\x7F"'),
    ],
)
def test_gbnf_literals(start: str, literal: str):
    assert gbnf_literal(start) == literal


async def test_a_schema_is_sent():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    async with pair() as (fake, endpoint):
        await text(endpoint, request(json_schema=schema))
        body = fake.asked("/completion")[0].body
    assert body["json_schema"] == schema
    assert "grammar" not in body


async def test_a_patient_request_may_take_longer_than_the_setting_allows():
    async with pair() as (_, endpoint):
        endpoint._connection.timeout_ms = 1
        with pytest.raises(EndpointError):
            await text(endpoint, request(total_ms=20_000, first_token_ms=20_000))
        assert await text(endpoint, request(total_ms=20_000, first_token_ms=20_000, patient=True))


async def test_begins_with_is_part_of_the_answer():
    async with pair(answer=["m", " + 1"]) as (fake, endpoint):
        assert await text(endpoint, request(begins_with=' "é\\')) == ' "é\\m + 1'
        assert fake.asked("/completion")[0].body["grammar"] == r'root ::= " \"\xE9\\" [^\x00]*'


@pytest.mark.parametrize("start", ["", "a\0b"])
async def test_no_grammar_where_none_is_possible(start: str):
    async with pair() as (fake, endpoint):
        await text(endpoint, request(begins_with=start))
        assert "grammar" not in fake.asked("/completion")[0].body


# Text in pieces.


@pytest.mark.parametrize("split", [1, 2, 3, 5, 7])
async def test_bytes_may_be_split_anywhere(split: int):
    pieces = ["é", "سرداب", " 😀", "\u2028", "\n\tx"]
    async with pair(answer=pieces) as (fake, endpoint):
        fake.split = split
        found = await chunks(endpoint, request())
    assert [chunk.text for chunk in found[:-1]] == pieces


@pytest.mark.parametrize(
    ("pieces", "expect"),
    [
        (["\ud83d", "\ude00"], ["😀"]),
        (["a\ud83d", "\ude00b"], ["a", "😀b"]),
        (["a\ud83d"], ["a"]),
        (["a\ud83d", "b"], ["a", "\ufffdb"]),
        (["\ude00a"], ["\ufffda"]),
        (["c\ufffd"], ["c"]),
        (["c\ufffd", "d"], ["c", "\ufffdd"]),
        (["\ufffd", "\ufffd"], []),
        (["é", "ü"], ["é", "ü"]),
    ],
)
async def test_no_chunk_holds_half_a_character(pieces: list[str], expect: list[str]):
    joiner = TextJoiner()
    assert [text for piece in pieces if (text := joiner.feed(piece))] == expect
    async with pair() as (fake, endpoint):
        fake.stream_body = b"".join(event(content=p, stop=False) for p in pieces) + FINAL
        found = [chunk.text for chunk in await chunks(endpoint, request()) if chunk.text]
    assert found == expect


# What goes wrong.


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>\n\n",
        b"data: <html></html>\n\n",
        b"data: []\n\n",
        b"data: {}\n\n",
        b"data: 1\n\n",
        b'data: {"content": 1, "stop": false}\n\n',
        b'data: {"content": NaN, "stop": false}\n\n',
        b'data: {"content": "a", "p": NaN, "stop": false}\n\n',
        b'data: {"content": "a"\n\n',
        b"data: " + b"[" * 200_000 + b"\n\n",
        b"data: \xff\xfe\n\n",
        b"data: " + b"a" * (5 * 1024 * 1024) + b"\n\n",
        b": " * 20_000_000,
    ],
    ids=lambda body: ascii(body[:30]),
)
async def test_garbage(body: bytes):
    async with pair() as (fake, endpoint):
        fake.stream_body = body
        assert (await problem(endpoint, request())).kind is ProblemKind.PROTOCOL


@pytest.mark.parametrize("kind", ["text/html", "application/json", ""])
async def test_an_answer_that_is_not_a_stream(kind: str):
    async with pair() as (fake, endpoint):
        fake.content_type = kind
        assert (await problem(endpoint, request())).kind is ProblemKind.PROTOCOL


async def test_figures_that_cannot_be_are_zero():
    figures = {
        "cache_n": -1,
        "prompt_n": 1e300,
        "prompt_ms": "12",
        "predicted_n": True,
        "predicted_ms": int("9" * 400),
    }
    async with pair() as (fake, endpoint):
        fake.final_fields = {"timings": figures, "tokens_evaluated": None}
        assert (await chunks(endpoint, request()))[-1].usage == Usage()
        fake.final_fields = {"timings": [1, 2], "tokens_evaluated": 3}
        assert (await chunks(endpoint, request()))[-1].usage == Usage(prompt_tokens=3)


async def test_infinite_figures_are_zero():
    async with pair() as (fake, endpoint):
        body = b'data: {"content": "", "stop": true, "timings": {"prompt_ms": 1e999}}\n\n'
        fake.stream_body = body
        assert (await chunks(endpoint, request()))[-1].usage == Usage()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (event(error={"code": 500, "message": "my prompt"}), ProblemKind.PROTOCOL),
        (event(error={"code": 503, "message": "Loading model"}), ProblemKind.LOADING),
        (event(error={"code": 400, "type": "exceed_context_size_error"}), ProblemKind.OVERFLOW),
        (event(error={"code": "x"}), ProblemKind.PROTOCOL),
        (b'error: {"code": 400, "message": "my prompt"}\n\n', ProblemKind.REFUSED),
    ],
)
async def test_an_error_inside_the_stream(body: bytes, kind: ProblemKind):
    async with pair() as (fake, endpoint):
        fake.stream_body = event(content="a", stop=False) + body
        error = await problem(endpoint, request())
    assert error.kind is kind
    assert "my prompt" not in error.message


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_a_dropped_connection(after: int):
    async with pair(answer=["a", "b", "c"]) as (fake, endpoint):
        fake.drop_after = after
        assert (await problem(endpoint, request())).kind is ProblemKind.DOWN
        fake.drop_after = None
        assert await text(endpoint, request()) == "abc"


async def test_a_connection_that_is_closed_as_it_is_used_again_costs_no_answer():
    async with pair() as (fake, endpoint):
        await text(endpoint, request())
        fake.drop_requests = 1
        assert await text(endpoint, request()) == "a + b"
        assert len(fake.asked("/completion")) == 3


async def test_half_an_answer_that_ends_politely():
    async with pair() as (fake, endpoint):
        fake.stream_body = event(content="a", stop=False)
        assert (await problem(endpoint, request())).kind is ProblemKind.DOWN


async def test_loading_then_ready():
    async with pair() as (fake, endpoint):
        fake.loading = True
        for question in (endpoint.check_health(), endpoint.describe(), endpoint.count_tokens("a")):
            with pytest.raises(EndpointError) as caught:
                await question
            assert caught.value.kind is ProblemKind.LOADING
        assert (await problem(endpoint, request())).kind is ProblemKind.LOADING
        fake.loading = False
        assert await text(endpoint, request()) == "a + b"


async def test_a_wrong_key():
    async with pair() as (fake, endpoint):
        fake.api_key = "other"
        error = await problem(endpoint, request())
        assert error.kind is ProblemKind.REFUSED
        assert "endpoint.apiKeyEnv" in error.message
        await endpoint.check_health()


async def test_a_redirect_does_not_carry_the_prompt_away():
    async with pair() as (fake, endpoint), FakeLlamaCpp() as other:
        location = {"Location": other.url + "/completion"}
        fake.raw["/completion"] = RawAnswer("307 Temporary Redirect", location)
        assert (await problem(endpoint, request())).kind is ProblemKind.POLICY
        assert other.connections == 0


# Deadlines and cancelling. Deadlines are short so that the tests are; nothing is timed.


async def test_the_first_word_has_a_deadline():
    async with pair() as (fake, endpoint):
        fake.hold_headers = asyncio.Event()
        error = await problem(endpoint, request(first_token_ms=50, total_ms=60_000))
        assert error.kind is ProblemKind.TIMEOUT
        assert "first word" in error.message
        await fake.hang_ups.wait()


async def test_headers_alone_are_not_a_first_word():
    async with pair() as (fake, endpoint):
        # Sent after the headers, and no event: a proxy that keeps the connection alive.
        fake.stream_body = b": wait\n\n"
        fake.split = 1
        write = fake._write_chunk

        async def write_and_hold(writer: asyncio.StreamWriter, data: bytes) -> None:
            await write(writer, data)
            await asyncio.Event().wait()

        fake._write_chunk = write_and_hold
        error = await problem(endpoint, request(first_token_ms=50, total_ms=60_000))
        assert error.kind is ProblemKind.TIMEOUT
        assert "first word" in error.message


async def test_the_whole_answer_has_a_deadline():
    async with pair(answer=["a", "b"]) as (fake, endpoint):
        fake.hold_after = (1, asyncio.Event())
        error = await problem(endpoint, request(first_token_ms=60_000, total_ms=200))
        assert error.kind is ProblemKind.TIMEOUT
        await fake.hang_ups.wait()


async def test_the_setting_limits_every_deadline():
    async with FakeLlamaCpp() as fake:
        fake.hold_headers = asyncio.Event()
        address = check_endpoint_url(fake.url, allow_remote=False)
        endpoint = LlamaCppEndpoint(address, timeout_ms=100)
        error = await problem(endpoint, request(first_token_ms=60_000, total_ms=60_000))
        assert error.kind is ProblemKind.TIMEOUT
        await endpoint.aclose()


async def test_cancelling_while_waiting_for_headers_closes_the_socket():
    async with pair() as (fake, endpoint):
        fake.hold_headers = asyncio.Event()
        task = asyncio.create_task(chunks(endpoint, request()))
        await until(lambda: len(fake.asked("/completion")) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(fake.hang_ups.wait(), 30)


async def test_cancelling_while_streaming_closes_the_socket():
    async with pair(answer=["a"] * 1000) as (fake, endpoint):
        fake.piece_delay = 0.01
        seen: list[Chunk] = []

        async def read() -> None:
            async with endpoint.generate(request(max_tokens=1000)) as answer:
                async for chunk in answer:
                    seen.append(chunk)  # noqa: PERF401 - watched while it grows

        task = asyncio.create_task(read())
        await until(lambda: len(seen) >= 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(fake.hang_ups.wait(), 30)
        sent = fake.pieces_sent
        assert sent < 1000
        await asyncio.sleep(0.1)
        assert fake.pieces_sent == sent


async def test_leaving_early_closes_the_socket():
    async with pair(answer=["a"] * 1000) as (fake, endpoint):
        fake.piece_delay = 0.01
        # Held on to, so that it is the leaving and not the garbage collector that closes it.
        generation = endpoint.generate(request(max_tokens=1000))
        async with generation as answer:
            assert (await anext(answer)).text == "a"
        await asyncio.wait_for(fake.hang_ups.wait(), 30)
        assert fake.pieces_sent < 1000
        fake.piece_delay, fake.answer = 0.0, ["b"]
        assert await text(endpoint, request()) == "b"
        del generation


async def test_closing_twice_is_harmless():
    async with pair() as (_, endpoint):
        await endpoint.describe()
        await endpoint.aclose()
        await endpoint.aclose()


async def test_a_closed_endpoint_sends_nothing_more():
    async with pair() as (fake, endpoint):
        await endpoint.describe()
        await endpoint.aclose()
        asked = len(fake.requests)
        assert (await problem(endpoint, request())).kind is ProblemKind.DOWN
        with pytest.raises(EndpointError, match="closed"):
            await endpoint.count_tokens("a")
        assert len(fake.requests) == asked


# Questions about the server.


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/models/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "qwen2.5-coder-0.5b-instruct-q4_k_m"),
        ("C:\\models\\Star Coder.GGUF", "Star Coder"),
        ("qwen.gguf", "qwen"),
        ("Qwen/Qwen2.5-Coder", "Qwen/Qwen2.5-Coder"),
    ],
)
async def test_describe(path: str, name: str):
    async with pair(model_path=path) as (fake, endpoint):
        info = await endpoint.describe()
        assert (info.name, info.path, info.context_tokens, info.url) == (
            name,
            path,
            2048,
            fake.url,
        )
        assert await endpoint.describe() is info
        assert len(fake.asked("/props")) == 1
        fake.n_ctx = 4096
        assert (await endpoint.refresh()).context_tokens == 4096


async def test_a_name_is_looked_up_where_props_has_none():
    props = {"default_generation_settings": {"n_ctx": 512}, "total_slots": 1}
    async with pair(model_path="starcoder2-3b") as (fake, endpoint):
        fake.raw["/props"] = RawAnswer(body=json.dumps(props).encode())
        assert (await endpoint.describe()).name == "starcoder2-3b"


@pytest.mark.parametrize(
    ("props", "kind"),
    [
        ({}, ProblemKind.PROTOCOL),
        ({"total_slots": 1}, ProblemKind.PROTOCOL),
        ({"default_generation_settings": [], "total_slots": 1}, ProblemKind.PROTOCOL),
        ({"default_generation_settings": {}, "total_slots": "1"}, ProblemKind.PROTOCOL),
    ],
)
async def test_what_is_not_a_usable_llamacpp_server(props: dict[str, Any], kind: ProblemKind):
    async with pair() as (fake, endpoint):
        fake.raw["/props"] = RawAnswer(body=json.dumps(props).encode())
        with pytest.raises(EndpointError, match=r"llama-server") as caught:
            await endpoint.describe()
        assert caught.value.kind is kind


async def test_control_tokens_count_as_one():
    async with pair() as (fake, endpoint):
        assert await endpoint.count_tokens("<|fim_prefix|>def f(") == 5
        body = fake.asked("/tokenize")[0].body
    assert body["parse_special"] is True
    assert body["add_special"] is False


async def test_a_count_that_is_none():
    async with pair() as (fake, endpoint):
        fake.raw["/tokenize"] = RawAnswer(body=b'{"tokens": 5}')
        with pytest.raises(EndpointError) as caught:
            await endpoint.count_tokens("a")
        assert caught.value.kind is ProblemKind.PROTOCOL


async def test_all_that_is_served():
    async with pair() as (_, endpoint):
        (model,) = await endpoint.models()
    assert (model.name, model.is_loaded) == ("qwen2.5-coder-0.5b-instruct-q4_k_m", True)
    assert (model.context_tokens, model.parameters) == (2048, 630_167_424)
    assert (model.size_bytes, model.quantisation) == (485_452_288, "Q4_K - Medium")
    assert (model.family.id, model.fills_in) == ("qwen2.5-coder", True)


async def test_what_is_served_is_told_without_probing():
    async with pair(model_path="/models/unheard-of-7b.gguf") as (fake, endpoint):
        fake.single_tokens = frozenset()
        (model,) = await endpoint.models()
        assert not model.fills_in
        assert fake.asked("/tokenize") == fake.asked("/infill") == []
        await endpoint.describe()
        # By now it is known that the server inserts.
        (model,) = await endpoint.models()
        assert model.fills_in


@pytest.mark.parametrize("slots", [1, 3])
async def test_busy_slots(slots: int):
    async with pair() as (fake, endpoint):
        fake.slots = slots
        assert await endpoint.slots() == Slots(0, slots)
        fake.hold_headers = asyncio.Event()
        task = asyncio.create_task(chunks(endpoint, request()))
        await until(lambda: len(fake.asked("/completion")) == 1)
        assert await endpoint.slots() == Slots(1, slots)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_slots_that_are_not_told():
    error = {"error": {"code": 501, "message": "no slots", "type": "not_supported_error"}}
    async with pair() as (fake, endpoint):
        fake.raw["/slots"] = RawAnswer("501 Not Implemented", body=json.dumps(error).encode())
        assert await endpoint.slots() is None
        fake.raw["/slots"] = RawAnswer(body=b"{}")
        assert await endpoint.slots() is None
        fake.raw.clear()
        fake.api_key = "other"
        with pytest.raises(EndpointError):
            await endpoint.slots()


# What the model can do.


async def test_the_sentinels_are_probed_once_for_each_model():
    async with pair() as (fake, endpoint):
        info = await endpoint.describe()
        asked = [one.body["content"] for one in fake.asked("/tokenize")]
        assert sorted(asked) == ["<|fim_middle|>", "<|fim_prefix|>", "<|fim_suffix|>"]
        assert info.resolution is not None
        assert (info.family.id, info.resolution.problem) == ("qwen2.5-coder", "")
        await endpoint.refresh()
        assert len(fake.asked("/tokenize")) == 3
        fake.model_path = "/models/other-qwen2.5-coder.gguf"
        await endpoint.refresh()
        assert len(fake.asked("/tokenize")) == 6
        assert fake.asked("/infill") == []


async def test_a_model_whose_name_is_wrong_is_known_by_its_tokenizer():
    async with pair(model_path="/models/qwen2.5-coder-7b.gguf") as (fake, endpoint):
        fake.single_tokens = frozenset()
        info = await endpoint.describe()
        assert info.resolution is not None
        assert info.family.fim is None
        assert "tokenizer" in info.resolution.problem
        asked = {one.body["content"] for one in fake.asked("/tokenize")}
        assert asked == set(to_probe_unnamed())


async def test_a_model_without_a_name_is_known_by_its_tokenizer_and_its_file(tmp_path: Path):
    path = tmp_path / "weights.gguf"
    path.write_bytes(gguf({**METADATA, "general.architecture": "starcoder2"}))
    async with pair(model_path=str(path)) as (fake, endpoint):
        fake.single_tokens = frozenset({"<fim_prefix>", "<fim_suffix>", "<fim_middle>"})
        assert (await endpoint.describe()).family.id == "starcoder2"
        path.write_bytes(b"no longer such a file")
        fake.chat_template = "another"
        assert (await endpoint.refresh()).family.fim is None


@pytest.mark.parametrize("has_tokens", [True, False])
async def test_the_server_inserts_where_only_it_knows_the_sentinels(has_tokens: bool):
    async with pair(model_path="/models/unheard-of-7b.gguf", answer=["x"]) as (fake, endpoint):
        fake.has_fim_tokens, fake.single_tokens = has_tokens, frozenset()
        abilities = (await endpoint.describe()).abilities
        assert (Ability.INSERT in abilities) is has_tokens
        # The probe asks for nothing, so it costs nothing.
        assert [one.body for one in fake.asked("/infill")] == [{}]
        await endpoint.refresh()
        assert len(fake.asked("/infill")) == 1


async def test_an_insertion():
    async with pair(model_path="/models/unheard-of-7b.gguf", answer=["a", "b"]) as (fake, endpoint):
        fake.single_tokens = frozenset()
        await endpoint.describe()
        found = await chunks(endpoint, request("def f(", 7, suffix="):\n", begins_with="a"))
        body = fake.asked("/infill")[1].body
    assert "".join(chunk.text for chunk in found) == "ab"
    assert found[-1].usage is not None
    assert (body["input_prefix"], body["input_suffix"]) == ("def f(", "):\n")
    assert (body["n_predict"], body["cache_prompt"], body["id_slot"]) == (7, True, 0)
    assert body["grammar"] == r'root ::= "a" [^\x00]*'
    assert "prompt" not in body


async def test_a_model_without_a_template_does_not_converse():
    async with pair() as (fake, endpoint):
        assert Ability.CHAT in (await endpoint.refresh()).abilities
        fake.chat_template = ""
        assert Ability.CHAT not in (await endpoint.refresh()).abilities


# Conversations.

TALK = (Message("system", "Be brief."), Message("user", "Why?"))
PROMPT = (
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
    "<|im_start|>assistant\n"
)


async def test_a_conversation_is_written_down_and_continued():
    async with pair(answer=["Be", "cause"]) as (fake, endpoint):
        await endpoint.describe()
        found = await chunks(endpoint, request("", 9, messages=TALK, begins_with="B"))
        written = fake.asked("/apply-template")[0].body
        body = fake.asked("/completion")[0].body
    assert "".join(chunk.text for chunk in found) == "Because"
    assert found[-1].usage is not None
    assert written["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
    ]
    assert written["chat_template_kwargs"] == {"enable_thinking": False}
    assert (body["prompt"], body["n_predict"]) == (PROMPT, 9)
    assert "grammar" in body


async def test_the_beginning_of_an_answer_stands_at_the_end_of_the_prompt():
    async with pair() as (fake, endpoint):
        begun = (*TALK, Message("assistant", "Because of"))
        await text(endpoint, request("", messages=begun))
        assert fake.asked("/completion")[0].body["prompt"] == PROMPT + "Because of"


async def test_a_template_that_knows_no_system_gets_its_words_from_the_user():
    async with pair() as (fake, endpoint):
        fake.refuses_system = True
        await text(endpoint, request("", messages=TALK))
        assert fake.asked("/completion")[0].body["prompt"] == (
            "<|im_start|>user\nBe brief.\n\nWhy?<|im_end|>\n<|im_start|>assistant\n"
        )


async def test_a_server_without_apply_template_is_asked_in_openais_words():
    schema = {"type": "object"}
    async with pair(answer=["a", "b", "c"]) as (fake, endpoint):
        await endpoint.describe()
        fake.has_apply_template = False
        found = await chunks(endpoint, request("", 2, messages=TALK, json_schema=schema))
        await text(endpoint, request("", messages=TALK[1:]))
        first, second = fake.asked("/v1/chat/completions")
        # It is not asked in vain again, before somebody looks at the server anew.
        assert len(fake.asked("/apply-template")) == 2
        fake.has_apply_template = True
        await endpoint.refresh()
        await text(endpoint, request("", messages=TALK))
        assert len(fake.asked("/completion")) == 1
    assert "".join(chunk.text for chunk in found) == "ab"
    assert found[-1].truncated
    assert found[-1].usage is not None
    assert found[-1].usage.evaluated_tokens == 3
    assert (first.body["max_tokens"], first.body["json_schema"]) == (2, schema)
    assert second.body["messages"] == [{"role": "user", "content": "Why?"}]
    assert "n_predict" not in first.body


async def test_lone_surrogates_in_a_conversation_are_replaced():
    async with pair() as (fake, endpoint):
        await text(endpoint, request("", messages=(Message("user", "a\ud800"),)))
        sent = fake.asked("/apply-template")[0].body["messages"]
    assert sent == [{"role": "user", "content": "a\ufffd"}]


async def test_loading_is_not_taken_for_a_missing_template():
    async with pair() as (fake, endpoint):
        await endpoint.describe()
        fake.loading = True
        error = await problem(endpoint, request("", messages=TALK))
        assert error.kind is ProblemKind.LOADING
        fake.loading = False
        await text(endpoint, request("", messages=TALK))
        assert fake.asked("/v1/chat/completions") == []


# A router, which serves several models.

CODER = "ggml-org/Qwen2.5-Coder-1.5B-Q8_0-GGUF:Q8_0"


@asynccontextmanager
async def routed(
    model: str = "", **states: RouterState
) -> AsyncIterator[tuple[FakeLlamaCpp, LlamaCppEndpoint]]:
    async with FakeLlamaCpp() as fake:
        fake.router = {CODER: RouterState(), **states}
        address = check_endpoint_url(fake.url, allow_remote=False)
        endpoint = LlamaCppEndpoint(address, model=model)
        try:
            yield fake, endpoint
        finally:
            await endpoint.aclose()


async def test_a_router_is_asked_by_name():
    async with routed(CODER) as (fake, endpoint):
        assert fake.router is not None
        fake.router[CODER].value = "loaded"
        info = await endpoint.refresh()
        assert (info.name, info.context_tokens, info.family.id) == (CODER, 2048, "qwen2.5-coder")
        assert await text(endpoint, request()) == "a + b"
        await text(endpoint, request("", messages=TALK))
        await endpoint.count_tokens("x")
        assert await endpoint.slots() == Slots(0, 1)
        posts = [one for one in fake.requests if one.method == "POST"]
        assert {one.body["model"] for one in posts} == {CODER}
        query = "?model=ggml-org%2FQwen2.5-Coder-1.5B-Q8_0-GGUF%3AQ8_0&autoload=false"
        assert len(fake.asked(f"/props{query}")) == 1


async def test_a_router_is_told_to_load_its_model_once():
    async with routed(CODER) as (fake, endpoint):
        assert fake.router is not None
        for _ in range(3):
            with pytest.raises(EndpointError, match="still loading") as caught:
                await endpoint.refresh()
            assert caught.value.kind is ProblemKind.LOADING
        assert [one.body for one in fake.asked("/models/load")] == [{"model": CODER}]
        fake.router[CODER].value = "loaded"
        assert (await endpoint.refresh()).name == CODER


async def test_a_model_that_a_router_could_not_load():
    async with routed(CODER) as (fake, endpoint):
        assert fake.router is not None
        fake.router[CODER].failed = True
        with pytest.raises(EndpointError, match="could not load") as caught:
            await endpoint.refresh()
        assert caught.value.kind is ProblemKind.REFUSED
        assert fake.asked("/models/load") == []


@pytest.mark.parametrize("model", ["", "other"])
async def test_a_router_without_the_model(model: str):
    async with routed(model) as (fake, endpoint):
        with pytest.raises(EndpointError, match=r"endpoint\.model") as caught:
            await endpoint.refresh()
        assert caught.value.kind is ProblemKind.NO_MODEL
        assert fake.asked("/models/load") == []


async def test_the_loaded_model_of_a_router_is_meant_where_none_is_named():
    async with routed(smollm=RouterState("loaded")) as (_, endpoint):
        assert (await endpoint.refresh()).name == "smollm"


async def test_all_models_of_a_router():
    async with routed(smollm=RouterState("loaded")) as (fake, endpoint):
        models = await endpoint.models()
        assert fake.asked("/models/load") == []
    assert [(model.name, model.is_loaded) for model in models] == [(CODER, False), ("smollm", True)]
    assert models[0].fills_in
    assert not models[1].fills_in
