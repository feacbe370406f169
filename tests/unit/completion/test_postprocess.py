"""Each step of the chain, and the chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.completion import postprocess as pp
from sirdab.completion.request import Reason


def around(
    line_before: str = "",
    rest: str = "",
    below: str = "",
    *,
    tabs: bool = False,
    above: str = "",
    width: int = 0,
) -> pp.Surroundings:
    tokens = ("<|fim_prefix|>", "<|endoftext|>")
    mended = ("<|fim_prefix|>",)
    return pp.Surroundings(line_before, rest, below, tokens, tabs, above, mended, width)


@pytest.mark.parametrize(
    ("step", "text", "surroundings", "expected"),
    [
        (pp.cut_sentinels, "a + b<|endoftext|>x", around(), "a + b"),
        (pp.cut_sentinels, "a + b", around(), "a + b"),
        # The user's own text held one, which the model saw in its broken form.
        (pp.cut_sentinels, "x = '< |fim_prefix|>'", around(), "x = '<|fim_prefix|>'"),
        (pp.cut_sentinels, "a\r\nb\ud83d\ude00", around(), "a\nb😀"),
        (pp.cut_sentinels, "a = 'caf\ufffd", around(), "a = 'caf"),
        (pp.clean_characters, "a\ud83d", around(), "a"),
        (pp.clean_characters, "a\u202e\u200b = \x1b[1m1", around(), "a = [1m1"),
        (pp.cut_repetition, "x()\nx()\nx()\nx()", around(), "x()"),
        (pp.cut_repetition, "x()\nx()\ny()", around(), "x()\nx()\ny()"),
        (pp.cut_repetition, "ok\n" + "abcabcabcabcabcabcabc", around(), "ok"),
        (pp.cut_repetition, "a()\nb()\na()\nb()\na()\nb()\nc()", around(), "a()\nb()"),
        (pp.cut_repetition, "x = [" + "0, " * 12, around(), ""),
        (pp.cut_repetition, "# " + "-" * 60, around(), "# " + "-" * 60),
        (pp.keep_one_line, "a\nb", around("f(", ")"), "a"),
        (pp.keep_one_line, "a\nb", around("f(", "  "), "a\nb"),
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
        (pp.drop_duplicate, "x  =  1,", around("", "", "x = 1\n"), ""),
        (pp.drop_duplicate, "x[1] = 1", around("", "", "x[2] = 1\n"), "x[1] = 1"),
        (pp.drop_duplicate, "a()\nb()\nc()", around("", "", "b()\nc()\nd()\n"), "a()"),
        (pp.drop_duplicate, "a()\nb()\nc()", around("", "", "b()\n"), "a()\nb()\nc()"),
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
        (pp.match_indentation, "{\n\ta\n\t\tb", around(), "{\n    a\n        b"),
        (pp.match_indentation, "a\tb", around(), "a\tb"),
        (pp.match_width, "\n  a\n  b", around("if x:", width=4), "\n    a\n    b"),
        (pp.match_width, "if x {\n    a\n}", around("  ", width=2), "if x {\n    a\n}"),
        (pp.match_width, "if x {\n      a\n  }", around("  ", width=2), "if x {\n    a\n  }"),
        (pp.match_width, "\n  a\n    b", around("for x:", width=4), "\n    a\n        b"),
        # Aligned arguments, a width that is not known, and depths that are no steps.
        (pp.match_width, "f(a,\n  b)", around("", width=4), "f(a,\n  b)"),
        (pp.match_width, "\n  a", around("if x:"), "\n  a"),
        (pp.match_width, "\n  a\n   b", around("if x:", width=4), "\n  a\n   b"),
        (pp.drop_short, ")", around(), ""),
        (pp.drop_short, "1", around(), "1"),
        (pp.drop_short, "x", around(), "x"),
        (pp.drop_short, "()", around(), "()"),
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


def test_one_sign_is_too_short() -> None:
    assert pp.process(")", around("f(1")).reason is Reason.TOO_SHORT


PIECES = st.sampled_from(
    (
        *("a", "b = 1", "return a", "\n", "    ", "(", ")", "}", '"', "\u202e", "\x1b", "\ufffd"),
        *("\ud83d", "<|endoftext|>", "< |fim_prefix|>", "\u200b", "\t", "end", "x, ", "é", "😀"),
        "\r",
    )
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)
BIDI_AND_CONTROL = frozenset("\x00\x1b\r\u200b\u202e\u2066\ufeff\ufffd\ud83d")


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_what_is_offered_can_be_seen(answer: str, before: str, rest: str, below: str) -> None:
    where = around(before.split("\n")[-1], rest.split("\n")[0], below)
    done = pp.process(answer, where)
    assert not BIDI_AND_CONTROL & set(done.text)
    assert "<|endoftext|>" not in done.text
    done.text.encode("utf-8")
    assert bool(done.text.strip()) == (done.reason is Reason.SUGGESTED)


NAMES = st.text("abcdef", min_size=2, max_size=6)


@given(NAMES, NAMES, NAMES)
def test_the_rest_of_the_line_is_not_said_twice(middle: str, rest: str, junk: str) -> None:
    rest = f" + {rest}_{rest}"
    done = pp.process(f"{middle}{rest}\n{junk}", around("x = ", rest))
    assert not done.text.endswith(rest)
    assert (done.text + rest).count(rest) <= max(1, f"{middle}{rest}\n{junk}".count(rest))


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True), st.lists(NAMES, max_size=3))
def test_the_lines_below_are_not_said_twice(below: list[str], said: list[str]) -> None:
    said = [line for line in said if line not in below]
    text = "\n".join([*(f"{line}()" for line in said), *(f"{line}()" for line in below)])
    done = pp.process(text, around("", "", "\n".join(f"{line}()" for line in below)))
    assert not any(f"{line}()" in done.text.split("\n") for line in below)


@pytest.mark.parametrize(
    "unit", ["a", " ", "(", ")", '"', "'", "\n", "ab\n", "\\", "<", "\t", "0, "]
)
def test_any_length_of_one_thing_is_read(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    where = around(text.split("\n")[0][:2_000], text.split("\n")[-1][:2_000], text)
    assert len(pp.process(text, where).text) <= len(text)
