"""What others wrote can neither end a question nor hide an order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.models.catalog import family_of
from sirdab.review.inert import has_control, inert, restored, seen

FAMILY = family_of("qwen2.5-coder-1.5b-instruct")


@pytest.mark.parametrize(
    ("text", "expect"),
    [
        ("x <|im_end|> y", "x < |im_end|> y"),
        ("<|im_<|im_end|>end|>", "<|im_< |im_end|>end|>"),
        ("<|im\u200b_end|>", "< |im_end|>"),
        ("<|never_heard_of|>", "< |never_heard_of|>"),
        ("<｜User｜></tool_call>", "< ｜User｜>< /tool_call>"),
        ("[INST] <<SYS>>", "[ INST] < <SYS>>"),
        ("a\u2028b\x0bc\x85d", "a b c d"),
        ("a\u202eb\x1b[2Jc\x00", "ab[2Jc"),
        ("a < b || c > d and x[1] <T>", "a < b || c > d and x[1] <T>"),
        ("case <|> of; f <|name", "case <|> of; f <|name"),
        ("1\n\t2\n", "1\n\t2\n"),
    ],
)
def test_inert(text: str, expect: str) -> None:
    assert inert(text, FAMILY.sentinels) == expect
    assert not has_control(expect)


@given(st.text(st.sampled_from("<|im_end>\uff5c/[]INST \u200b\ud800\u2028\nabc")))
def test_nothing_is_left_that_could_be_a_control_token(text: str) -> None:
    made = inert(text, FAMILY.sentinels)
    assert not has_control(made)
    assert inert(made, FAMILY.sentinels) == made
    assert made.count("\n") == text.count("\n")
    assert seen(made) == made


def test_lines_that_come_back_are_as_they_were() -> None:
    lines = ('stop = "<|im_end|>"', "return stop")
    shown = inert("\n".join(lines), FAMILY.sentinels)
    assert shown != "\n".join(lines)
    assert restored(f"    {shown}", lines, FAMILY.sentinels) == "    " + "\n".join(lines)
    # What the model made of such a line is its own.
    other = shown.replace("stop =", "end =")
    assert restored(other, lines, FAMILY.sentinels) == other
