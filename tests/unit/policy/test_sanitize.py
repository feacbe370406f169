"""What of a model's output a person gets to see."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.policy.sanitize import clean_output, visible


def check(before: str, expect: str) -> None:
    assert clean_output(before) == expect
    assert clean_output(expect) == expect


@pytest.mark.parametrize(
    "text",
    [
        "",
        "return a + b\n\tpass  # done",
        "naïve = 'Größe' + '中文' + '한국어' + 'עברית'",
        "price = '5\u00a0€'  # a no-break space has a width",
        "e\u0301 = 'combining'",
        # Joiners at work: Persian, Arabic, Hindi, Malayalam, emoji families and professions.
        "متن = 'می\u200cخواهم'",
        "x = 'क्\u200dष'",
        "x = 'ന\u0d4d\u200dറ'",
        "family = '👨\u200d👩\u200d👧'",
        "flag = '🏳\ufe0f\u200d🌈'",
        "heart = '❤\ufe0f' + '1\ufe0f\u20e3' + '葛\U000e0100'",
        "ᠠ\u180b",  # a form of a Mongolian letter
    ],
)
def test_code_and_real_text_stay(text: str) -> None:
    check(text, text)


@pytest.mark.parametrize(
    ("before", "expect"),
    [
        # The commented-out line of Trojan Source.
        ("if x:\u202e  # \u2066check\u2069\u2066", "if x:  # check"),
        ("a\u202ab\u202bc\u202cd\u202de\u202ef\u2066g\u2067h\u2068i\u2069j", "abcdefghij"),
        ("a\u200eb\u200fc\u061cd", "abcd"),
        ("\ufeffx\u200by\u2060z", "xyz"),
        ("is\u200cAdmin", "isAdmin"),
        ("is\u200dAdmin", "isAdmin"),
        ("می\u200c\u200cخواهم", "میخواهم"),
        ("می\u200c", "می"),
        ("\u200dمی", "می"),
        ("م\u200cx", "مx"),
        ("\u0661\u200c\u0662", "\u0661\u0662"),  # digits are not joined
        ("👨\u200c👩", "👨👩"),
        ("👨\u200dx", "👨x"),
        ("const {\u3164} = q", "const {} = q"),
        ("a\u115f\u1160\uffa0\u00ad\u180eb", "ab"),
        ("hi\U000e0048\U000e0049\U000e007f", "hi"),
        ("x\ufe0f\U000e0101y", "xy"),
        ("❤\ufe0f\ufe0f\U000e0150", "❤\ufe0f"),
        ("😀\U000e0151😀\U000e0152", "😀😀"),
        ("a\u180bb\u034fc\u17b4d", "abcd"),
        ("a\ufff0\U000e0080\U000e01f0\U000e0fffb", "ab"),
        ("a\U0001d173\U0001bca0b", "ab"),
        ("\x1b[31mred\x1b[0m\x07\x00", "[31mred[0m"),
        ("a\r\nb\rc", "a\nbc"),
        ("a\x0b\x0c\x1c\x7f\x85\x9fb", "ab"),
        ("a\u2028b\u2029c", "abc"),
        ("a\ud800b\udfff", "ab"),
        ("\ud83d\u200d\ude00", ""),
    ],
)
def test_what_cannot_be_seen_goes(before: str, expect: str) -> None:
    check(before, expect)


ANYTHING = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("a1\u200c\u200d\ufe0f\u202e\U000e0041\u0645\u06cc👨❤\n\t\r\ud800"),
    )
)


@given(ANYTHING)
def test_cleaning_is_stable_and_only_removes(text: str) -> None:
    clean = clean_output(text)
    assert clean_output(clean) == clean
    rest = iter(text)
    assert all(char in rest for char in clean)


def test_no_format_character_stands_alone_between_letters() -> None:
    # Visible format characters: signs that Arabic, Syriac and Kaithi put over numbers.
    visible = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    # Layout of hieroglyphs, which code has no fonts for.
    visible |= {*range(0x13430, 0x13440)}
    left = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and chr(code) not in "\t\n"
        and code not in visible
        and clean_output(f"a{chr(code)}b") != "ab"
    ]
    assert left == []


@pytest.mark.parametrize(
    ("name", "expect"),
    [
        ("src/plain name.py", "src/plain name.py"),
        ("größe.py", "größe.py"),
        ("a\x1b]0;x\x07.py", "a\\x1b]0;x\\x07.py"),
        ("a\nb.py:1:1: error", "a\\nb.py:1:1: error"),
        ("a\u202eb", "a\\u202eb"),
        ("bad\udcff", "bad\\udcff"),
    ],
)
def test_names_of_files_are_shown_on_one_line_and_whole(name: str, expect: str) -> None:
    assert visible(name) == expect
