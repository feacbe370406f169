"""What a text opens and closes."""

import pytest

from sirdab.syntax import brackets
from sirdab.syntax.grammars import LANGUAGES


def test_every_language_with_a_grammar_can_be_read() -> None:
    assert brackets.LANGUAGES == LANGUAGES


@pytest.mark.parametrize(
    ("language", "text", "opened", "unmatched"),
    [
        ("python", "f(a, [b", "( [", ""),
        ("python", "x = '(' + \"[\" # {", "", ""),
        ("python", '"""(\n[', "", ""),
        ("python", "f(a))]", "", ") ]"),
        ("python", "x = '(\ny = (", "(", ""),
        ("c", "/* { */ f( // (", "(", ""),
        ("cpp", "int a = 1'000'000; {", "{", ""),
        ("c", "'{' {", "{", ""),
        ("go", "`(\n{` {", "{", ""),
        ("java", '"""\n{(""" {', "{", ""),
        ("javascript", "`${a}(` {", "{", ""),
        ("javascript", 'x.replace(/[(]"/, {', "( {", ""),
        ("javascript", "a / b / (", "(", ""),
        ("rust", "fn f<'a>(x: &'a str) {", "{", ""),
        ("rust", 'r#"(" {"# (', "(", ""),
        ("lua", "if a then f(function() for i = 1, 2 do", "then ( function do", ""),
        ("lua", "if a then b() elseif c then", "then", ""),
        ("lua", "if a then b() else c() end", "", ""),
        ("lua", "elseif c then d() end end", "", "elseif end"),
        ("lua", "--[[ if then ]] [==[ do ]==] repeat", "repeat", ""),
        ("lua", "ending = dot", "", ""),
        ("ruby", "f(", "", ""),
    ],
)
def test_reads(language: str, text: str, opened: str, unmatched: str) -> None:
    reading = brackets.read(text, language)
    assert (" ".join(reading.opened), " ".join(reading.unmatched)) == (opened, unmatched)


@pytest.mark.parametrize(
    ("language", "text", "in_comment"),
    [
        ("python", "f(  # why", True),
        ("python", "f(  # why\n", False),
        ("c", "a; // why", True),
        ("c", "a; /* why", False),
        ("lua", "a() -- why", True),
    ],
)
def test_ends_in_a_comment(language: str, text: str, in_comment: bool) -> None:
    assert brackets.read(text, language).in_comment is in_comment


@pytest.mark.parametrize(
    ("language", "before", "after", "left"),
    [
        ("c", "f() { g(a, ", "\n}\n", "("),
        ("c", "f() { if (a) {", "\n}\n", "{"),
        ("c", "f() {", "\n  a();\n}\n", ""),
        ("python", "x = f(a", ")", ""),
        ("python", "x = f([a", ")", "["),
        ("lua", "function f() if a then", "\n elseif b then c() end end", ""),
        ("lua", "function f() if a then", "\n end", "function"),
        ("typescript", "f(() => {", "})", ""),
    ],
)
def test_left_open(language: str, before: str, after: str, left: str) -> None:
    assert " ".join(brackets.left_open(before, after, language)) == left
