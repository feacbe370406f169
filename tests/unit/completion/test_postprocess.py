"""Each step of the chain, and the chain."""

import pytest

from sirdab.completion import postprocess as pp
from sirdab.completion.request import Reason


def around(
    line_before: str = "",
    rest: str = "",
    below: str = "",
    *,
    tabs: bool = False,
    above: str = "",
) -> pp.Surroundings:
    tokens = ("<|fim_prefix|>", "<|endoftext|>")
    return pp.Surroundings(line_before, rest, below, tokens, tabs, above)


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
        (pp.trim_overlap, "a > 3; ", around("where ", ";"), "a > 3"),
        # The blank right of the cursor is there already.
        (pp.trim_overlap, "low ", around("x = ", " + 1"), "low"),
        (
            pp.trim_overlap,
            "useState } from 'react'",
            around("import { ", " } from 'x'"),
            "useState",
        ),
        (pp.trim_overlap, "low + 1", around("x = ", " + 1"), "low"),
        # Brackets and quotes that the rest of the line closes are not closed twice.
        (pp.trim_overlap, "a) -> dict", around("def f(", ": Any) -> dict"), "a"),
        (pp.trim_overlap, "high] else 1", around("x[", " + 1] else 1"), "high"),
        (pp.trim_overlap, 'at most", n)', around('print("', ' two", n)'), "at most"),
        (pp.trim_overlap, "g(b) + c[0]", around("f(", " + d)"), "g(b) + c[0]"),
        # A bracket in a string is no bracket.
        (pp.trim_overlap, 'r"\\)", text)', around("f(", ")"), 'r"\\)", text'),
        (pp.drop_duplicate, "return 1", around("    ", "", "    return 1\n"), ""),
        (pp.drop_duplicate, "x = 1\n    return 1", around("    ", "", "    return 1\n"), "x = 1"),
        (pp.drop_duplicate, "}", around("", "", "}\n"), "}"),
        # A closing line says the same as another one only at the same depth.
        (pp.drop_duplicate, "end", around("  ", "", "end\n"), "end"),
        (pp.drop_duplicate, "end", around("  ", "", "  end\n"), ""),
        (pp.drop_duplicate, "a()\n  end", around("    ", "", "end\n"), "a()\n  end"),
        (pp.drop_duplicate, "struct a {", around("", "", "{\n"), "struct a"),
        (pp.drop_duplicate, "struct a {", around("", "", "  int b;\n"), "struct a {"),
        # Indented once more than the block whose lines begin at the cursor.
        (pp.undouble_indentation, "  a\n    b", around("  ", above="if x; then"), "a\n  b"),
        (pp.undouble_indentation, "    a\n        b", around("  ", above="f() {"), "a\n    b"),
        # The cursor is not further in than the line above, or that opens nothing.
        (pp.undouble_indentation, "    a", around("  ", above="  if x:"), "    a"),
        (pp.undouble_indentation, "    a", around("  ", above="  f(x,"), "    a"),
        (pp.undouble_indentation, "    a", around("", above="if x:"), "    a"),
        (pp.close_docstring, '"""Sum.', around("    "), '"""Sum."""'),
        (pp.close_docstring, '\n    """Sum.', around("def f():"), '\n    """Sum."""'),
        (
            pp.close_docstring,
            '"""Sum.\n    Of all.',
            around("    "),
            '"""Sum.\n    Of all.\n    """',
        ),
        (pp.close_docstring, '"""Sum."""\n    a', around("    "), '"""Sum."""\n    a'),
        (pp.close_docstring, '"""Sum.', around("    ", "", '    """\n'), '"""Sum.'),
        (pp.close_docstring, '"""\n    return a', around("    "), '"""\n    return a'),
        (pp.close_docstring, '"""text', around("x = "), '"""text'),
        (pp.match_indentation, "{\n        a", around(tabs=True), "{\n\t\ta"),
        (pp.match_indentation, "{\n        a", around(), "{\n        a"),
        (pp.match_indentation, "    a\n  b", around(tabs=True), "\ta\n  b"),
        (pp.match_indentation, "    a", around("x =", tabs=True), "    a"),
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
