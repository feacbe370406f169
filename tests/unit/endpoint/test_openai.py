"""OpenAI's protocol apart from any server: what is sent, what is read, and what is reckoned."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sirdab.endpoint.base import (
    Chunk,
    EndpointError,
    GenerationRequest,
    Message,
    ProblemKind,
    Usage,
)
from sirdab.endpoint.openai import OpenAiEndpoint, root_of
from sirdab.endpoint.openai_body import write_body
from sirdab.endpoint.openai_reader import OpenAiReader
from sirdab.endpoint.profiles import GENERIC, ExtraFields, Profile, SchemaForms, profile_named
from sirdab.endpoint.reckoning import Reckoner
from sirdab.endpoint.stops import StopCutter
from sirdab.endpoint.stream import Event, EventStreamParser
from sirdab.policy.loopback import check_endpoint_url
from tests.support.doubles.http import Fault
from tests.support.doubles.lmstudio import LmStudioDouble
from tests.support.doubles.vllm import VllmDouble

URL = "http://127.0.0.1:8000"
PLAIN = profile_named(GENERIC)


def sent(profile: Profile, request: GenerationRequest, ends: Sequence[str] = ()) -> dict[str, Any]:
    return json.loads(write_body(profile, request, "m", URL, ends=ends).data)


def event(**fields: Any) -> Event:
    return Event(json.dumps(fields))


def written(text: str = "", reason: str | None = None, **more: Any) -> Event:
    return event(choices=[{"index": 0, "text": text, "finish_reason": reason}], **more)


DONE = Event("[DONE]")


def read(*events: Event, **options: Any) -> list[Chunk]:
    """Read events until the answer is finished, as `Answer` does."""
    reader = OpenAiReader(URL, **options)
    found: list[Chunk] = []
    for one in events:
        if reader.finished:
            break
        chunk = reader.read(one)
        if chunk is not None:
            found.append(chunk)
    return found


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


# What is sent.


def test_a_plain_completion():
    request = GenerationRequest("<|fim_prefix|>é\u2028\ud800", 7, stop=("\n", "", "\n", "\udc00"))
    assert sent(PLAIN, request) == {
        "model": "m",
        "prompt": "<|fim_prefix|>é\u2028\ufffd",
        "max_tokens": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "stop": ["\n", "\ufffd"],
    }


@pytest.mark.parametrize(
    ("temperature", "seed", "expect"),
    [
        (0.0, None, {"temperature": 0, "top_k": 1}),
        (0.0, 7, {"temperature": 0, "top_k": 1}),
        (-1.0, None, {"temperature": 0, "top_k": 1}),
        (0.4, None, {"temperature": 0.4}),
        (0.4, 7, {"temperature": 0.4, "seed": 7}),
    ],
)
def test_greedy_or_not(temperature: float, seed: int | None, expect: dict[str, Any]):
    profile = replace(PLAIN, fields=ExtraFields(greedy={"top_k": 1}))
    body = sent(profile, GenerationRequest("x", 1, temperature=temperature, seed=seed))
    assert {key: body[key] for key in body.keys() & {"temperature", "seed", "top_k"}} == expect


@pytest.mark.parametrize(
    ("most", "expect"),
    [(4, ["1", "2", "3", "4"]), (2, ["1", "2"]), (0, ["1", "2", "3", "4", "5", "<|a|>"])],
)
def test_stop_strings(most: int, expect: list[str]):
    request = GenerationRequest("x", 1, stop=("1", "2", "3", "4", "5"))
    assert sent(replace(PLAIN, most_stops=most), request, ["<|a|>", "1"])["stop"] == expect


def test_control_tokens_fill_up_what_is_left_of_the_stop_strings():
    body = sent(
        PLAIN, GenerationRequest("x", 1, stop=("\n",)), ["<|a|>", "<|b|>", "<|c|>", "<|d|>"]
    )
    assert body["stop"] == ["\n", "<|a|>", "<|b|>", "<|c|>"]


def test_a_suffix():
    assert sent(PLAIN, GenerationRequest("x", 1, suffix="y\ud800"))["suffix"] == "y\ufffd"
    assert "suffix" not in sent(PLAIN, GenerationRequest("x", 1))
    assert sent(PLAIN, GenerationRequest("x", 1, suffix=""))["suffix"] == ""


@pytest.mark.parametrize(
    ("usage", "expect"), [("asked", True), ("always", False), ("never", False)]
)
def test_the_cost_is_asked_for(usage: Any, expect: bool):
    assert (
        "stream_options" in sent(replace(PLAIN, usage=usage), GenerationRequest("x", 1))
    ) is expect


@pytest.mark.parametrize(
    ("begins", "start", "expect"),
    [
        ("", " ite", {}),
        ("structured_outputs.regex", " ite", {"structured_outputs": {"regex": r" ite[\s\S]*"}}),
        (
            "structured_outputs.regex",
            "a.b(c)\n[\\",
            {"structured_outputs": {"regex": r"a\.b\(c\)\n\[\\[\s\S]*"}},
        ),
        ("structured_outputs.regex", "a\0", {}),
        ("grammar", ' "é', {"grammar": r'root ::= " \"\xE9" [^\x00]*'}),
    ],
)
def test_the_beginning_of_a_completion(begins: Any, start: str, expect: dict[str, Any]):
    body = sent(replace(PLAIN, begins=begins), GenerationRequest("x", 1, begins_with=start))
    assert {key: body[key] for key in body.keys() & {"structured_outputs", "grammar"}} == expect


@pytest.mark.parametrize(
    ("form", "expect"),
    [
        ("", {}),
        (
            "response_format",
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": True, "schema": {"a": 1}},
                }
            },
        ),
        (
            "response_format.value",
            {"response_format": {"type": "json_object", "value": {"a": 1}}},
        ),
        ("json_schema", {"json_schema": {"a": 1}}),
    ],
)
def test_a_schema(form: Any, expect: dict[str, Any]):
    profile = replace(PLAIN, schema=SchemaForms(completions=form))
    body = sent(profile, GenerationRequest("x", 1, json_schema={"a": 1}))
    assert {key: body[key] for key in body.keys() & {"response_format", "json_schema"}} == expect


@pytest.mark.parametrize(
    ("prefill", "roles", "flag"),
    [
        ("", ["user"], None),
        ("implicit", ["user", "assistant"], None),
        ("continue_final_message", ["user", "assistant"], True),
    ],
)
def test_the_beginning_of_a_turn(prefill: Any, roles: list[str], flag: bool | None):
    messages = (Message("user", "a\ud800"), Message("assistant", "b"))
    body = sent(replace(PLAIN, prefill=prefill), GenerationRequest("", 1, messages=messages))
    assert [one["role"] for one in body["messages"]] == roles
    assert body["messages"][0]["content"] == "a\ufffd"
    assert body.get("continue_final_message") is flag
    assert "prompt" not in body


def test_a_conversation_ends_as_the_server_ends_it():
    messages = (Message("user", "a"),)
    assert "stop" not in sent(PLAIN, GenerationRequest("", 1, messages=messages))


def test_a_server_without_completions_is_not_asked_for_one():
    with pytest.raises(EndpointError) as caught:
        write_body(profile_named("openwebui"), GenerationRequest("x", 1), "m", URL)
    assert caught.value.kind is ProblemKind.REFUSED
    assert "conversations only" in caught.value.message


# What is read.


def test_an_answer():
    usage = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
    found = read(
        written("a"), written(" + b"), written("", "stop"), event(choices=[], usage=usage), DONE
    )
    assert text(found) == "a + b"
    assert found[-1].usage == Usage(8, 0, generated_tokens=2)


@pytest.mark.parametrize(
    ("events", "expect"),
    [
        ([written("a", "length"), DONE], True),
        ([written("a", "stop"), DONE], False),
        ([written("a", "eos_token"), DONE], False),
        # Text Generation Inference has "" where others have null.
        ([written("a", ""), written("", "length"), DONE], True),
        ([written("a"), DONE], False),
    ],
)
def test_truncated(events: list[Event], expect: bool):
    assert read(*events)[-1].truncated is expect


@pytest.mark.parametrize(("tokens", "expect"), [(2, True), (1, False)])
def test_truncated_where_the_server_does_not_tell(tokens: int, expect: bool):
    usage = {"prompt_tokens": 8, "completion_tokens": tokens}
    found = read(written("a", "stop"), event(choices=[], usage=usage), DONE, most_tokens=2)
    assert found[-1].truncated is expect


@pytest.mark.parametrize(
    "delta",
    [
        {"role": "assistant", "content": ""},
        {"content": None, "reasoning_content": "Hm."},
        {"reasoning": "Hm."},
        {"tool_calls": [{"index": 0}]},
        {},
        None,
    ],
)
def test_what_is_not_text(delta: Any):
    chat = event(choices=[{"index": 0, "delta": delta, "finish_reason": None}])
    assert read(chat) == []


@pytest.mark.parametrize(
    "value",
    [{}, {"sources": []}, {"choices": []}, {"choices": None}, {"choices": [1]}, {"usage": None}],
)
def test_events_without_a_choice_are_passed_over(value: dict[str, Any]):
    assert text(read(event(**value), written("a"), DONE)) == "a"


@pytest.mark.parametrize("data", ["<html>", "[]", "1", "null", '{"a": NaN}', '{"a"', "[" * 100_000])
def test_garbage(data: str):
    with pytest.raises(EndpointError) as caught:
        read(Event(data))
    assert caught.value.kind is ProblemKind.PROTOCOL


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (event(error={"code": 500, "message": "my prompt"}), ProblemKind.PROTOCOL),
        (event(error={"code": 503, "message": "Loading model"}), ProblemKind.LOADING),
        (event(error="server busy, please try again"), ProblemKind.BUSY),
        (event(error="my prompt", error_type="overloaded"), ProblemKind.BUSY),
        (event(object="error", message="CUDA out of memory", code=500), ProblemKind.MEMORY),
        (
            Event('{"message": "Context size has been exceeded."}', is_error=True),
            ProblemKind.OVERFLOW,
        ),
    ],
)
def test_an_error_inside_the_stream(one: Event, kind: ProblemKind):
    with pytest.raises(EndpointError) as caught:
        read(written("a"), one)
    assert caught.value.kind is kind
    assert "my prompt" not in caught.value.message


def test_an_error_that_is_none():
    assert text(read(event(error=None, choices=[{"text": "a"}]), DONE)) == "a"


@pytest.mark.parametrize(
    ("fields", "expect"),
    [
        ({"usage": {"prompt_tokens": 8, "completion_tokens": 2}}, Usage(8, 0, 0.0, 2)),
        (
            {
                "usage": {
                    "prompt_tokens": 8,
                    "completion_tokens": 2,
                    "prompt_tokens_details": {"cached_tokens": 5},
                }
            },
            Usage(8, 3, 0.0, 2),
        ),
        (
            {"usage": {"prompt_tokens": 8, "prompt_tokens_details": {"cached_tokens": None}}},
            Usage(8),
        ),
        ({"usage": {"prompt_tokens": 8, "prompt_tokens_details": None}}, Usage(8)),
        ({"usage": {"prompt_tokens": -8, "completion_tokens": 1e300}}, Usage()),
        (
            {
                "timings": {
                    "cache_n": 5,
                    "prompt_n": 3,
                    "prompt_ms": 12.5,
                    "predicted_n": 2,
                    "predicted_ms": 30.0,
                }
            },
            Usage(8, 3, 12.5, 2, 30.0),
        ),
    ],
)
def test_the_cost(fields: dict[str, Any], expect: Usage):
    learnt: list[Usage] = []
    found = read(written("a"), written("", "stop", **fields), DONE, on_usage=learnt.append)
    assert found[-1].usage == expect
    assert learnt == [expect]


def test_the_end_without_done():
    reader = OpenAiReader(URL)
    reader.read(written("a"))
    assert not reader.end()
    reader.read(written("", "stop"))
    assert reader.end()
    assert reader.finished


def test_what_was_held_back_comes_at_the_end():
    found = read(written("a<|fim"), written("", "stop"), DONE, stops=["<|fim_pad|>"])
    assert text(found) == "a<|fim"


def test_half_a_character():
    assert text(read(written("a\ud83d"), written("\ude00"), written("", "stop"), DONE)) == "a😀"
    assert text(read(written("a\ud83d"), written("", "stop"), DONE)) == "a"


# Stop strings.


@pytest.mark.parametrize(
    ("stops", "pieces", "expect", "is_cut"),
    [
        ((), ["a", "b"], "ab", False),
        (("\n",), ["a", "b\nc", "d"], "ab", True),
        (("<|end|>",), ["a<", "|e", "nd|", ">b"], "a", True),
        (("<|end|>",), ["a<", "|e", "lse"], "a<|else", False),
        (("aab",), ["aa", "ab"], "a", True),
        (("bc", "abcd"), ["abc", "d"], "a", True),
        (("x", "abc"), ["ab", "c"], "", True),
        (("",), ["a"], "a", False),
        (("é\u2028",), ["é", "\u2028"], "", True),
        (("ab",), ["a"], "a", False),
    ],
)
def test_stop_strings_across_pieces(
    stops: tuple[str, ...], pieces: list[str], expect: str, is_cut: bool
):
    cutter = StopCutter(stops)
    found = "".join(cutter.feed(piece) for piece in pieces) + cutter.finish()
    assert (found, cutter.is_cut) == (expect, is_cut)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_stop_strings_do_not_depend_on_the_pieces(size: int):
    whole = "for x in y:\n    print(x)\n\n\nfor z in y:\n"
    cutter = StopCutter(("\n\n\n", "\n\nfor"))
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    found = "".join(cutter.feed(piece) for piece in pieces) + cutter.finish()
    assert found == "for x in y:\n    print(x)"


# Addresses.


@pytest.mark.parametrize(
    ("profile", "path", "expect"),
    [
        ("vllm", "", ""),
        ("vllm", "/v1", ""),
        ("vllm", "/v1/", ""),
        ("vllm", "/v1/completions", ""),
        ("vllm", "/v1/chat/completions", ""),
        ("vllm", "/llm/v1", "/llm"),
        ("vllm", "/llm", "/llm"),
        ("vllm", "/v10", "/v10"),
        ("lmstudio", "/api/v0", ""),
        ("openwebui", "/api", ""),
        ("openwebui", "/chat/api", "/chat"),
        ("openwebui", "/ollama", ""),
    ],
)
def test_the_root(profile: str, path: str, expect: str):
    address = check_endpoint_url(URL + path, allow_remote=False)
    assert root_of(address, profile_named(profile)).path == expect


# Tokens.


def test_tokens_are_reckoned_too_many_rather_than_too_few():
    reckoner = Reckoner()
    assert reckoner.tokens("") == 0
    assert reckoner.tokens("abcd") == 2
    code = "value = compute(first, second)\n" * 20
    for _ in range(50):
        reckoner.learn(code, len(code) // 4)
    assert reckoner.tokens(code) == pytest.approx(len(code) / 4, rel=0.02)


@pytest.mark.parametrize(("tokens", "length"), [(0, 1000), (-5, 1000), (7, 20)])
def test_what_teaches_nothing(tokens: int, length: int):
    reckoner = Reckoner()
    before = reckoner.characters_per_token
    reckoner.learn("x" * length, tokens)
    assert reckoner.characters_per_token == before


@pytest.mark.parametrize("tokens", [1, 1_000_000])
def test_absurd_counts_do_little_harm(tokens: int):
    reckoner = Reckoner()
    for _ in range(100):
        reckoner.learn("x" * 1000, tokens)
    assert 1.0 <= reckoner.characters_per_token <= 6.0


# A server that changes, or is closed.


async def test_a_server_without_the_tokenizer_of_its_kind():
    class Old(VllmDouble):
        def answer(self, request: Any) -> Any:
            reply = super().answer(request)
            if request.path == "/tokenize":
                reply.status, reply.body = "404 Not Found", b'{"detail":"Not Found"}'
            return reply

    async with Old() as double:
        address = check_endpoint_url(double.url, allow_remote=False)
        endpoint = OpenAiEndpoint(address, profile_named("vllm"))
        info = await endpoint.describe()
        assert "tokenize" not in info.abilities
        assert await endpoint.count_tokens("abcdef") == 2
        await endpoint.aclose()


async def test_a_server_with_another_list_of_models():
    class New(LmStudioDouble):
        def answer(self, request: Any) -> Any:
            reply = super().answer(request)
            if request.path == "/api/v0/models":
                reply.status, reply.body = "404 Not Found", b'{"error":"gone"}'
            return reply

    async with New() as double:
        address = check_endpoint_url(double.url, allow_remote=False)
        endpoint = OpenAiEndpoint(address, profile_named("lmstudio"))
        assert (await endpoint.describe()).name == double.model
        await endpoint.aclose()


async def test_another_model_is_found_when_asked_anew():
    async with VllmDouble() as double:
        address = check_endpoint_url(double.url, allow_remote=False)
        endpoint = OpenAiEndpoint(address, profile_named("vllm"))
        assert (await endpoint.describe()).name == "qwen2.5-coder-1.5b"
        type(double).model, kept = "starcoder2-3b", type(double).model
        try:
            assert (await endpoint.describe()).name == "qwen2.5-coder-1.5b"
            assert (await endpoint.refresh()).name == "starcoder2-3b"
        finally:
            type(double).model = kept
            await endpoint.aclose()


async def test_no_model_at_all():
    class Empty(VllmDouble):
        def answer(self, request: Any) -> Any:
            reply = super().answer(request)
            reply.body = b'{"object":"list","data":[]}'
            return reply

    async with Empty() as double:
        address = check_endpoint_url(double.url, allow_remote=False)
        endpoint = OpenAiEndpoint(address, profile_named("vllm"))
        with pytest.raises(EndpointError) as caught:
            await endpoint.describe()
        assert caught.value.kind is ProblemKind.NO_MODEL
        await endpoint.aclose()


async def test_a_closed_endpoint_sends_nothing():
    async with VllmDouble() as double:
        address = check_endpoint_url(double.url, allow_remote=False)
        endpoint = OpenAiEndpoint(address, profile_named("vllm"))
        await endpoint.aclose()
        with pytest.raises(EndpointError):
            await endpoint.describe()
        assert double.requests == []


async def test_lm_studio_reports_a_failure_under_status_200():
    async with LmStudioDouble() as double:
        double.fault = Fault.INSIDE
        address = check_endpoint_url(double.url, allow_remote=False)
        endpoint = OpenAiEndpoint(address, profile_named("lmstudio"), model=double.model)
        with pytest.raises(EndpointError) as caught:
            async with endpoint.generate(GenerationRequest("x", 4)) as answer:
                _ = [chunk async for chunk in answer]
        assert caught.value.kind is ProblemKind.PROTOCOL
        await endpoint.aclose()


def test_own_cost_of_a_chunk_is_that_of_its_bytes():
    """Stop strings are looked for at the end only, so that a long answer costs no more a chunk."""
    cutter = StopCutter(("<|endoftext|>", "\n\n\n"))
    for _ in range(2_000):
        cutter.feed("word ")
    assert len(cutter.finish()) < len("<|endoftext|>")


def test_events_of_all_doubles_are_events():
    parser = EventStreamParser()
    assert parser.feed(b"event: error\ndata: {}\n\n") == [Event("{}")]
