"""Prompts in every layout of every family, and the control tokens in the user's own text."""

from dataclasses import replace

import pytest

from sirdab.completion.engine import Engine
from sirdab.completion.prompt import broken, build, neutralise
from sirdab.models.catalog import LAYOUTS, Family, Layout, families, family_of
from tests.support.completion import ScriptedEndpoint, complete, request_for


@pytest.mark.parametrize(
    ("model", "layout", "text"),
    [
        ("qwen2.5-coder", "psm", "<|fim_prefix|>a\n<|fim_suffix|>z<|fim_middle|>"),
        ("qwen2.5-coder", "prefix-as-middle", "<|fim_prefix|><|fim_suffix|>z<|fim_middle|>a\n"),
        ("qwen2.5-coder", "prefix-only", "a\n"),
        ("starcoder", "psm", "<fim_prefix>a\n<fim_suffix>z<fim_middle>"),
        # These two put the text before the cursor behind the sentinel of the middle.
        ("starcoder", "spm", "<fim_prefix><fim_suffix>z<fim_middle>a\n"),
        ("codellama-7b", "spm", "<PRE> <SUF>z <MID> a\n"),
        ("codellama-7b", "psm", "<PRE> a\n <SUF>z <MID>"),
        ("deepseek-coder", "psm", "<｜fim▁begin｜>a\n<｜fim▁hole｜>z<｜fim▁end｜>"),
        ("codegemma-2b", "psm", "<|fim_prefix|>a\n<|fim_suffix|>z<|fim_middle|>"),
        ("seed-coder-8b-base", "spm", "<[fim-suffix]>z<[fim-prefix]>a\n<[fim-middle]>"),
        ("codestral-22b", "spm", "[SUFFIX]z[PREFIX]a\n"),
        ("mystery", "prefix-only", "a\n"),
    ],
)
def test_the_order_is_the_familys(model: str, layout: Layout, text: str) -> None:
    prompt = build(family_of(model), "a\n", "z", layout=layout)
    assert (prompt.text, prompt.layout) == (text, layout)


@pytest.mark.parametrize("family", families(), ids=lambda family: family.id)
def test_the_first_layout_is_used(family: Family) -> None:
    assert build(family, "a", "z").layout == family.layouts[0]
    undefined: Layout = next(layout for layout in LAYOUTS if layout not in family.layouts)
    assert build(family, "a", "z", layout=undefined).layout == family.layouts[0]


@pytest.mark.parametrize("family", families(), ids=lambda family: family.id)
def test_every_layout_says_both_texts_once(family: Family) -> None:
    # What a template is written with may stand in the user's text.
    before, after = "{suffix} = {prefix}\n", "{prefix}{middle}\n"
    for layout in family.layouts:
        text = build(family, before, after, layout=layout).sent
        assert text.count(before) == 1
        assert text.count(after) == (layout != "prefix-only")


@pytest.mark.parametrize("family", families(), ids=lambda family: family.id)
@pytest.mark.parametrize("where", ["before", "after", "both"])
def test_control_tokens_of_the_user_are_never_sent(family: Family, where: str) -> None:
    said = "".join(f"x = '{token}'\n" for token in family.sentinels)
    before = said if where != "after" else "a\n"
    after = said if where != "before" else "z\n"
    for layout in family.layouts:
        clean = build(family, "a\n", "z\n", layout=layout)
        prompt = build(family, before, after, layout=layout)
        for token in family.sentinels:
            assert prompt.sent.count(token) == clean.sent.count(token)
        assert set(prompt.mended) == set(family.sentinels)
        assert clean.mended == ()


@pytest.mark.parametrize("family", families(), ids=lambda family: family.id)
def test_a_control_token_that_is_being_typed_is_none(family: Family) -> None:
    for token in family.sentinels:
        for size in range(1, len(token)):
            prompt = build(family, f"x = '{token[:size]}", f"{token[size:]}'\n")
            clean = build(family, "x = '", "'\n")
            assert prompt.sent.count(token) == clean.sent.count(token)


def test_breaking_a_token_makes_no_other() -> None:
    for family in families():
        for token in family.sentinels:
            assert not any(other in broken(token) for other in family.sentinels)
            assert neutralise(token * 3, family.sentinels) == broken(token) * 3


async def test_who_writes_about_control_tokens_gets_them_back() -> None:
    outcome, endpoint = await complete(
        "END = '<|fim_middle|>'\nALL = [$0\n", "'< |fim_middle|>', 1]\n"
    )
    assert "< |fim_middle|>" in endpoint.requests[0].prompt
    assert outcome.suggestions[0].text == "'<|fim_middle|>', 1]"


async def test_nobody_else_does() -> None:
    outcome, _ = await complete("ALL = [$0\n", "1, 2]<|fim_middle|>]\n")
    assert outcome.suggestions[0].text == "1, 2]"


async def test_the_layout_of_a_request_is_used() -> None:
    endpoint = ScriptedEndpoint("1\n")
    request = replace(request_for("b = $0\nprint(b)"), layout="psm")
    outcome = await Engine(endpoint).complete(request)
    assert outcome.trace["layout"] == "psm"
    assert endpoint.requests[0].prompt.startswith("<|fim_prefix|>b")
