"""Comments are blanked, and nothing that is code."""

import pytest

from sirdab.review.comments import blanked
from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text


def check(language: str, before: str, expect: str) -> None:
    text = Text(before)
    bodies = [text.line_body(number) for number in range(text.line_count)]
    lines = blanked(bodies, language, parse_alone(text, language))
    assert len(lines) == len(bodies)
    assert [line.rstrip() for line in lines] == expect.split("\n")


@pytest.mark.parametrize(
    ("language", "before", "expect"),
    [
        ("python", "x = 1  # one\n# two\ny = '#'", "x = 1\n\ny = '#'"),
        (
            "python",
            'def f():\n    """Doc\n    string."""\n    return 1',
            "def f():\n\n\n    return 1",
        ),
        ("python", 'f()\n"a" "b"', "f()\n"),
        # A text that holds code is code.
        ("python", 'f"{eval(x)}"\n"a" f"{g()}"', 'f"{eval(x)}"\n"a" f"{g()}"'),
        ("python", "x = '😀'  # 漢字\ny = 1", "x = '😀'\ny = 1"),
        ("python", "x = '\ud800'  # a\ny = 1", "x = '\ud800'\ny = 1"),
        ("javascript", "a /* b */ + c // d\n`${e /* f */}`", "a         + c\n`${e        }`"),
        ("javascript", "// a\u2028b();", "    \u2028b();"),
        ("c", "// a \\\nb();\nc();", "\n\nc();"),
    ],
)
def test_with_a_grammar(language: str, before: str, expect: str) -> None:
    check(language, before, expect)


@pytest.mark.parametrize(
    ("language", "before", "expect"),
    [
        ("kotlin", "// a\nb() // c\nd(\"//\") // e", "\nb()\nd(\"//\")"),
        ("kotlin", "a() /* b */ + c()\n/* d\n   e */ f()", "a()         + c()\n\n        f()"),
        ("kotlin", 'a("/*")\nb()\nc("*/")', 'a("/*")\nb()\nc("*/")'),
        ("kotlin", "a('\"') // b\nc(\"\\\"//\") // d", "a('\"')\nc(\"\\\"//\")"),
        # What may hold code is left as it is.
        ("kotlin", 'a("${b("//")}") // c\nd() // e', 'a("${b("//")}") // c\nd()'),
        ("swift", 'a("\\(b("//"))") // c', 'a("\\(b("//"))") // c'),
        # A text that goes over lines must not open a comment that hides the rest.
        ("kotlin", 'a = """\n/*\n"""\nb()', 'a = """\n/*\n"""\nb()'),
        ("kotlin", 'a = "\n/*\nb()', 'a = "\n/*\nb()'),
        ("php", "$a = <<<X\n/*\nX;\nb();", "$a = <<<X\n/*\nX;\nb();"),
        ("php", "#[Attribute]\n# a\nb(); # c\n/* d */ e();", "#[Attribute]\n\nb();\n        e();"),
        ("ruby", "# a\nb =~ / #c/; d()", "\nb =~ / #c/; d()"),
        ("shellscript", "# a\necho \"#b\" # c", "\necho \"#b\" # c"),
        ("perl", "# a\n$b =~ s/#//; # c", "\n$b =~ s/#//; # c"),
    ],
)  # fmt: skip
def test_without_a_grammar(language: str, before: str, expect: str) -> None:
    check(language, before, expect)


def test_a_comment_that_never_ends_hides_what_it_hides_for_the_compiler() -> None:
    check("kotlin", "a()\n/* b\nc()", "a()\n\n")
