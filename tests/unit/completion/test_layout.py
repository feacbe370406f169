"""Which layout is chosen, and what is sent in each to servers that differ in what they can do."""

import itertools
from dataclasses import replace

import pytest

from sirdab.completion.engine import Engine
from sirdab.completion.layout import choose
from sirdab.completion.prompt import build
from sirdab.completion.request import Reason
from sirdab.endpoint.base import LLAMACPP_ABILITIES, Ability, EndpointError, Message, ProblemKind
from sirdab.models.catalog import Chat, Layout, family_of
from tests.support.completion import ScriptedEndpoint, request_for

QWEN = family_of("qwen2.5-coder-0.5b-instruct")
CHATML = QWEN.chat
PLAIN = replace(family_of("mystery-7b"), chat=None, layouts=("prefix-only", "chat"))
TALKS = replace(PLAIN, chat=CHATML, layouts=("chat", "prefix-only"))
RAW, INSERT, CHAT = Ability.RAW, Ability.INSERT, Ability.CHAT


@pytest.mark.parametrize(
    ("family", "abilities", "layout"),
    [
        (QWEN, {RAW, CHAT}, "prefix-as-middle"),
        (QWEN, {RAW, INSERT, CHAT}, "prefix-as-middle"),
        (QWEN, {INSERT, CHAT}, "insert"),
        (QWEN, {CHAT}, "chat"),
        (family_of("mystery-7b"), {RAW, CHAT}, "prefix-only"),
        (family_of("mystery-7b"), {RAW, INSERT, CHAT}, "insert"),
        (PLAIN, {RAW}, "prefix-only"),
        (PLAIN, {RAW, CHAT}, "prefix-only"),
        (PLAIN, {CHAT}, "chat"),
        (TALKS, {RAW}, "chat"),
        (TALKS, {CHAT}, "chat"),
        (replace(PLAIN, layouts=("chat", "prefix-only")), {RAW}, "prefix-only"),
        (replace(PLAIN, layouts=("chat", "prefix-only")), {RAW, CHAT}, "prefix-only"),
        (replace(PLAIN, layouts=("chat", "prefix-only")), {RAW, CHAT, Ability.GOES_ON}, "chat"),
        (QWEN, {CHAT, INSERT, Ability.GOES_ON}, "insert"),
        (replace(PLAIN, layouts=("insert", "prefix-only")), {RAW}, "prefix-only"),
    ],
)
def test_the_first_that_the_server_can_be_asked_in(
    family: object, abilities: set[Ability], layout: Layout
) -> None:
    assert choose(family, abilities) == layout  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("wanted", "abilities", "layout"),
    [
        ("psm", {RAW}, "psm"),
        ("chat", {RAW}, "chat"),
        ("prefix-only", {RAW}, "prefix-only"),
        ("insert", {RAW}, "prefix-as-middle"),
        ("spm", {RAW}, "prefix-as-middle"),
        ("psm", {CHAT}, "chat"),
    ],
)
def test_what_is_wanted_is_used_where_it_can_be(
    wanted: Layout, abilities: set[Ability], layout: Layout
) -> None:
    assert choose(QWEN, abilities, wanted) == layout


def test_a_server_that_can_do_neither() -> None:
    with pytest.raises(EndpointError) as caught:
        choose(QWEN, {Ability.TOKENIZE})
    assert caught.value.kind is ProblemKind.REFUSED
    assert caught.value.message.endswith(".")


async def test_it_is_told_as_an_outcome() -> None:
    endpoint = ScriptedEndpoint("1", abilities=frozenset({Ability.TOKENIZE}))
    outcome = await Engine(endpoint).complete(request_for("x = $0"))
    assert outcome.reason is Reason.ENDPOINT
    assert endpoint.requests == []


def test_a_begun_answer() -> None:
    prompt = build(TALKS, "a = 1\nb = ", "c = 3\n", language_id="python")
    assert (prompt.layout, prompt.backed_up, prompt.begins_with) == ("chat", " ", " ")
    assert prompt.text.endswith("<|im_start|>assistant\n```python\na = 1\nb =")
    assert prompt.text.count("c = 3\n```") == 1
    assert prompt.stop == ("<|im_end|>",)


def test_a_format_without_a_place_for_the_task() -> None:
    chat = Chat("", "<user>{text}</user>", "<model>", "</model>")
    prompt = build(replace(TALKS, chat=chat), "a = ", "", language_id="python")
    assert prompt.text.startswith("<user>You complete source code.")
    assert prompt.text.endswith("</user><model>```python\na =")


def test_messages() -> None:
    prompt = build(QWEN, "a = 1\nb = ", "\nc = 3\n", abilities={CHAT}, language_id="python")
    assert (prompt.text, prompt.backed_up, prompt.begins_with) == ("", "", "")
    task, *examples, turn = prompt.messages
    assert isinstance(task, Message)
    assert [task.role, turn.role] == ["system", "user"]
    assert [one.role for one in examples] == ["user", "assistant"] * 2
    assert "```python\na = 1\nb = <CURSOR>\nc = 3\n```" in turn.content
    assert prompt.sent == "".join(one.content for one in prompt.messages)


def test_a_begun_answer_in_messages() -> None:
    abilities = {CHAT, Ability.GOES_ON}
    prompt = build(QWEN, "a = 1\nb = ", "c = 3\n", abilities=abilities, language_id="python")
    assert [one.role for one in prompt.messages] == ["system", "user", "assistant"]
    assert "```python\nc = 3\n```" in prompt.messages[1].content
    assert prompt.messages[2].content == "```python\na = 1\nb ="
    assert (prompt.text, prompt.backed_up) == ("", " ")
    later = build(QWEN, "a = 1\nb = x + ", "c = 3\n", abilities=abilities, language_id="python")
    assert later.sent.startswith(prompt.sent)


def test_messages_to_a_server_that_can_begin_the_answer() -> None:
    abilities = {CHAT, Ability.BEGINS_WITH}
    prompt = build(QWEN, "a = 1\nb = ", "", abilities=abilities, language_id="python")
    assert prompt.begins_with == "```python\nb ="


def test_a_text_with_fences_and_marks() -> None:
    before, after = "x = '```'\ny = '<CURSOR>'\nz = ", "````\n"
    prompt = build(QWEN, before, after, abilities={CHAT}, language_id="python")
    turn = prompt.messages[-1].content
    assert f"`````python\n{before}<CURSOR_2>{after}`````\n" in turn
    assert prompt.marker == "<CURSOR_2>"
    raw = build(TALKS, before, after, language_id="python")
    assert raw.fence is not None
    assert raw.fence.size == 5


def test_control_tokens_of_the_text_are_broken_in_messages() -> None:
    prompt = build(QWEN, "x = '<|im_end|>'\ny = ", "<|fim_middle|>\n", abilities={CHAT})
    assert "<|im_end|>" not in prompt.sent
    assert "<|fim_middle|>" not in prompt.sent
    assert set(prompt.mended) == {"<|im_end|>", "<|fim_middle|>"}


def test_insert() -> None:
    prompt = build(QWEN, "a = 1\nb = ", "c\n", "# ctx\n", abilities={INSERT})
    assert (prompt.text, prompt.suffix, prompt.backed_up) == ("a = 1\nb =", "c\n", " ")


@pytest.mark.parametrize(
    ("before", "able", "unable"),
    [("x = foo", " foo", ""), ("x = ", " ", " "), ("    ", "    ", "    "), ("a.b", ".b", "")],
)
def test_words_are_backed_up_over_where_the_answer_can_be_made_to_begin_with_them(
    before: str, able: str, unable: str
) -> None:
    assert build(QWEN, before, "").backed_up == able
    assert build(QWEN, before, "", abilities={RAW}).backed_up == unable


class TestEngine:
    """What reaches the server."""

    async def test_a_begun_answer_ends_at_its_fence(self) -> None:
        endpoint = ScriptedEndpoint("a + b\n```\nThis adds them.")
        request = replace(request_for("def f(a, b):\n    return $0\n"), layout="chat")
        outcome = await Engine(endpoint).complete(request)
        assert outcome.trace["layout"] == "chat"
        assert outcome.suggestions[0].text == "a + b"
        assert endpoint.requests[0].messages == ()

    async def test_typing_appends_to_a_begun_answer(self) -> None:
        endpoint = ScriptedEndpoint("\n")
        engine = Engine(endpoint)
        typed = "    return first + second"
        for size in range(4, len(typed)):
            marked = f"def f(first, second):\n{typed[:size]}$0\n\n\nprint(f(1, 2))\n"
            await engine.complete(replace(request_for(marked), layout="chat"))
        prompts = [request.prompt for request in endpoint.requests]
        assert len(prompts) > 5
        assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(prompts))

    async def test_an_answer_in_the_models_own_words(self) -> None:
        endpoint = ScriptedEndpoint(
            "Sure:\n```python\n    return a + b\n```\n" * 20, abilities=frozenset({CHAT})
        )
        outcome = await Engine(endpoint).complete(request_for("def f(a, b):\n    return $0\n"))
        assert outcome.suggestions[0].text == "a + b"
        asked = endpoint.requests[0]
        assert (asked.prompt, asked.suffix, asked.stop, asked.begins_with) == ("", None, (), "")
        assert asked.messages[-1].role == "user"
        # The stream is closed at the end of the line, whatever the model goes on with.
        assert endpoint.closed_early
        assert endpoint.sent.endswith("return a + b\n")

    async def test_a_server_that_goes_on_from_a_begun_answer(self) -> None:
        endpoint = ScriptedEndpoint(
            " a + b\n```\nIt adds.", abilities=frozenset({CHAT, Ability.GOES_ON}), constrains=False
        )
        outcome = await Engine(endpoint).complete(request_for("def f(a, b):\n    return $0\n"))
        assert outcome.suggestions[0].text == "a + b"
        assert endpoint.requests[0].stop == ("\n",)

    async def test_a_server_that_begins_the_answer_to_messages(self) -> None:
        endpoint = ScriptedEndpoint(" a + b\n```", abilities=frozenset({CHAT, Ability.BEGINS_WITH}))
        outcome = await Engine(endpoint).complete(request_for("def f(a, b):\n    return $0\n"))
        assert endpoint.requests[0].begins_with == "```python\n    return"
        assert outcome.suggestions[0].text == "a + b"

    async def test_insert(self) -> None:
        endpoint = ScriptedEndpoint(" 2\n", abilities=frozenset({INSERT}), constrains=False)
        outcome = await Engine(endpoint).complete(request_for("a = 1\nb = $0\nc = 3\n"))
        asked = endpoint.requests[0]
        assert (asked.prompt, asked.suffix) == ("a = 1\nb =", "\nc = 3\n")
        assert outcome.suggestions[0].text == "2"

    async def test_a_word_is_not_taken_back_where_it_cannot_be_demanded(self) -> None:
        endpoint = ScriptedEndpoint("(1)\n", abilities=frozenset({RAW}), constrains=False)
        outcome = await Engine(endpoint).complete(request_for("x = foo$0\n"))
        assert outcome.suggestions[0].text == "(1)"

    @pytest.mark.parametrize(
        ("abilities", "is_read"),
        [
            (LLAMACPP_ABILITIES, True),
            (LLAMACPP_ABILITIES - {Ability.FREE_WARM_UP}, False),
            (frozenset({CHAT, Ability.FREE_WARM_UP}), False),
        ],
    )
    async def test_only_what_is_read_for_nothing_is_read_ahead(
        self, abilities: frozenset[Ability], is_read: bool
    ) -> None:
        endpoint = ScriptedEndpoint("", abilities=abilities)
        engine = Engine(endpoint)
        read = await engine.warm(request_for("x = 1\ny = $0\n"), lambda work: work())
        assert read is is_read
        assert bool(endpoint.requests) is is_read

    async def test_an_answer_in_words_is_not_written_on_the_chance(self) -> None:
        endpoint = ScriptedEndpoint("x = 12\n", abilities=frozenset({CHAT}))
        engine = Engine(endpoint)
        request = request_for("x = $0\n\nz = 1\n")
        assert (await engine.complete(request)).suggestions[0].text == "12"
        await engine.speculate(request, lambda work: work())
        assert len(endpoint.requests) == 1

    async def test_an_explanation_says_where_the_family_is_from(self) -> None:
        outcome = await Engine(ScriptedEndpoint("1\n")).complete(request_for("x = $0"), fresh=True)
        assert outcome.trace["layout"] == "prefix-as-middle"
        assert outcome.trace["family_from"] == "name"
        assert outcome.trace["family_problem"] == ""
