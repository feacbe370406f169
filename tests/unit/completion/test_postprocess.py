"""Each step of the chain, and the chain."""

import pytest

from sirdab.completion import postprocess as pp
from sirdab.completion.request import Reason


def around(
    line_before: str = "", rest: str = "", below: str = "", *, tabs: bool = False
) -> pp.Surroundings:
    return pp.Surroundings(line_before, rest, below, ("<|fim_prefix|>", "<|endoftext|>"), tabs)


@pytest.mark.parametrize(
    ("step", "text", "surroundings", "expected"),
    [
        (pp.cut_sentinels, "a + b<|endoftext|>x", around(), "a + b"),
        (pp.cut_sentinels, "a + b", around(), "a + b"),
        (pp.clean_characters, "a\u202e\u200b = \x1b[1m1", around(), "a = [1m1"),
        (pp.cut_repetition, "x()\nx()\nx()\nx()", around(), "x()"),
        (pp.cut_repetition, "x()\nx()\ny()", around(), "x()\nx()\ny()"),
        (pp.cut_repetition, "ok\n" + "abcabcabcabcabcabcabc", around(), "ok"),
        (pp.trim_overlap, "a, b)", around("f(", ")"), "a, b"),
        (pp.trim_overlap, "a, g(b))", around("f(", ")"), "a, g(b)"),
        (pp.trim_overlap, "a, b):", around("def f(", "):"), "a, b"),
        (pp.trim_overlap, "a)\n    b()", around("f(", ")"), "a"),
        (pp.trim_overlap, "name'", around("x['", "']"), "name"),
        (pp.trim_overlap, "g(b)", around("f(", ")"), "g(b)"),
        (pp.trim_overlap, "a, b, c)", around("f(a, ", ", c)"), "a, b"),
        (pp.trim_overlap, "a", around("x = ", ""), "a"),
        (pp.drop_duplicate, "return 1", around("    ", "", "    return 1\n"), ""),
        (pp.drop_duplicate, "x = 1\n    return 1", around("    ", "", "    return 1\n"), "x = 1"),
        (pp.drop_duplicate, "}", around("", "", "}\n"), "}"),
        (pp.match_indentation, "{\n        a", around(tabs=True), "{\n\t\ta"),
        (pp.match_indentation, "{\n        a", around(), "{\n        a"),
        (pp.trim_end, "  \n ", around(), ""),
        (pp.trim_end, "a  \n", around(), "a"),
    ],
)
def test_step(step: pp.Step, text: str, surroundings: pp.Surroundings, expected: str) -> None:
    assert step(text, surroundings) == expected


def test_the_chain_names_the_step_that_left_nothing() -> None:
    done = pp.process("return 1", around("    ", "", "    return 1\n"))
    assert (done.text, done.reason) == ("", Reason.DUPLICATE)


def test_white_space_alone_is_nothing() -> None:
    assert pp.process("   ", around()).reason is Reason.EMPTY
