"""Where the cursor is: `$0` in each of these texts."""

import pytest

from sirdab.policy import limits
from sirdab.syntax.grammars import LANGUAGES
from sirdab.syntax.parse import forget
from sirdab.syntax.scopes import Scope, scope_at
from sirdab.text.store import Point, Text

CODE, COMMENT, STRING, UNKNOWN = Scope.CODE, Scope.COMMENT, Scope.STRING, Scope.UNKNOWN


def check(language: str, marked: str, expect: Scope) -> None:
    before, after = marked.split("$0")
    above = Text(before)
    forget()
    assert scope_at(Text(before + after), language, above.end) == expect


CASES = {
    "python": [
        ("$0", CODE),
        ("x = $01", CODE),
        ("x = 1$0\n", CODE),
        # Strings: inside the quotes, and only there.
        ('x = $0"abc"', CODE),
        ('x = "$0abc"', STRING),
        ('x = "abc$0"', STRING),
        ('x = "abc"$0', CODE),
        ('x = "$0"', STRING),
        ('x = ""$0', CODE),
        ('f("a", $0)', CODE),
        ('f("a" + $0"b")', CODE),
        # A string that is being typed.
        ('x = "ab$0', STRING),
        ('x = "ab$0\ny = 1\nz = "q"\n', STRING),
        ('x = "ab\ny = $01\n', CODE),
        ('x = "ab\ny = "q$0q"\n', STRING),
        ("x = 'ab$0\n", STRING),
        ('f("a$0)\n', STRING),
        ('x = "a\\"b$0\n', STRING),
        ('x = "a\\\n b$0\n', STRING),
        # Docstrings, closed and open.
        ('def f():\n    """What$0 it does."""\n', STRING),
        ('def f():\n    """What it does."""$0\n', CODE),
        ('def f():\n    """What$0\n', STRING),
        ('def f():\n    """What\n\n    More$0\n\ny = 1\n', STRING),
        ("def f():\n    '''What \"it's\" $0\n", STRING),
        # Expressions inside strings.
        ('x = f"a{b$0}c"', CODE),
        ('x = f"a{$0b}c"', CODE),
        ('x = f"a$0{b}c"', STRING),
        ('x = f"a{b}$0c"', STRING),
        ('x = f"a{b["k$0"]}c"', STRING),
        ('x = f"a{b$0', CODE),
        ('x = f"a{b}c$0', STRING),
        ('x = f"a{{b$0', STRING),
        ('x = f"a{d["k$0', STRING),
        ('x = f"a{b\ny = $01', CODE),
        ("x = f'''a{b\n$0", CODE),
        ('x = "a{b$0', STRING),
        # Comments.
        ("x = 1  # c$0\n", COMMENT),
        ("x = 1  # c$0", COMMENT),
        ("x = 1  $0# c\n", CODE),
        ("x = 1  #$0\n", COMMENT),
        ("# c\n$0", CODE),
        ("# it's\n$0x = 1", CODE),
        ("# c$0\r\nx = 1", COMMENT),
        ("# c\rx = $01\r", CODE),
        ('x = "# c$0"', STRING),
        ('x = "ab\n# it$0', COMMENT),
        # Errors elsewhere do not mislead.
        ("def (:\nx = 'a'\ny = $0", CODE),
        ("def (:\nx = 'a$0'\n", STRING),
        ("def (:\nx = 1 # it's\ny = $0", CODE),
        ("def f(\n    a$0", CODE),
        ("# é😀\nx = '√$0'", STRING),
        ("# é😀\nx = '√'$0", CODE),
    ],
    "javascript": [
        ("const x = `a${b$0}c`;", CODE),
        ("const x = `a$0${b}c`;", STRING),
        ("const x = `a${b}c$0`;", STRING),
        ("const x = `a${b$0", CODE),
        ("const x = `a${b}c$0", STRING),
        ("const x = `a\n$0\n", STRING),
        ("const x = `a${{k: `n$0`}}`;", STRING),
        ("const x = 'ab$0\nconst y = 2;\n", STRING),
        ("const x = 'ab\nconst y = $02;\n", CODE),
        ("// c$0\n", COMMENT),
        ("/* c$0 */", COMMENT),
        ("/* c */$0", CODE),
        ("/* c$0", COMMENT),
        ("/* c\n\nx = 1;$0\n", COMMENT),
        ("/** doc\n * more$0\n */\nf();", COMMENT),
        ("const r = /['\"]/; $0f()", CODE),
        ("const u = 'http://a$0b';", STRING),
    ],
    "javascriptreact": [
        ("f(<p>Don't {x$0}</p>);", CODE),
        ("const a = <p>Don't</p>;\nlet b = $0", CODE),
        ("const a = <p title='x$0'>y</p>;", STRING),
    ],
    "typescript": [
        ("const x: string = `a${b$0}`;", CODE),
        ("const x: T = 'ab$0", STRING),
        ("interface A { /** doc$0 */ b: string }", COMMENT),
        ("type A = 'x$0' | 'y';", STRING),
    ],
    "typescriptreact": [("const a: X = <p>It's {y as Z$0}</p>;", CODE)],
    "go": [
        ('package m\n\nvar a = "b$0"\n', STRING),
        ('package m\n\nvar a = "b$0\n', STRING),
        ("package m\n\nvar a = `b\n$0`\n", STRING),
        ("package m\n\nvar a = `b ${$0\n", STRING),
        ("package m\n\n/* c$0\n", COMMENT),
        ("package m\n\n// c$0\n", COMMENT),
        ("package m\n\nvar a = 'x'$0\n", CODE),
    ],
    "rust": [
        ("/// doc$0\nfn f() {}", COMMENT),
        ("/// doc\n$0fn f() {}", CODE),
        ('fn f() { let x = "a$0', STRING),
        ('fn f() { let x = "a\nb$0', STRING),
        ('fn f() { let x = r#"a"b$0"#; }', STRING),
        ('fn f() { let x = r#"a"b$0', STRING),
        ("fn f<'a>(x: &'a str) { $0 }", CODE),
        ("fn f<'a>(x: &'a str) { let y = (; $0", CODE),
        ("/* a$0", COMMENT),
        ("fn f() { let c = 'x$0'; }", STRING),
    ],
    "java": [
        ('class A { String s = "a$0"; }', STRING),
        ('class A { String s = "a$0\n int x; }', STRING),
        ('class A { String s = "a\n int x$0; }', CODE),
        ('class A { String s = """\n a$0\n """; }', STRING),
        ("/* a$0\nclass A {}", COMMENT),
        ("/** a */$0\nclass A {}", CODE),
    ],
    "c": [
        ('char *s = "a$0";', STRING),
        ('int f() { char *s = "a$0\n int x; }', STRING),
        ('int f() { char *s = "a\n int x$0; }', CODE),
        ("/* a$0", COMMENT),
        ("// a \\\n b$0\nint x;", COMMENT),
        ("char c = '$0a';", STRING),
        ("int x; // it's\nint $0y;", CODE),
    ],
    "cpp": [
        ('auto s = R"x(a "b$0)x";', STRING),
        ('auto t = "a$0', STRING),
        ("int x = 1'000$0;", CODE),
        ("int f( { int x = 1'000; $0", CODE),
    ],
    "lua": [
        ("-- c$0\n", COMMENT),
        ("--[[ a\n b$0 ]]", COMMENT),
        ("--[[ a ]]$0", CODE),
        ("--[==[ a ]] b$0", COMMENT),
        ("x = [[a$0]]", STRING),
        ("x = [[a$0\n", STRING),
        ("x = 'ab$0\ny = 1", STRING),
        ("x = 'ab\ny = $01", CODE),
    ],
}


@pytest.mark.parametrize(
    ("language", "marked", "expect"),
    [(language, *case) for language, cases in CASES.items() for case in cases],
)
def test_scope_at_the_cursor(language: str, marked: str, expect: Scope) -> None:
    check(language, marked, expect)


def test_every_grammar_has_cases() -> None:
    assert set(CASES) == LANGUAGES


@pytest.mark.parametrize("language", ["markdown", "", "plaintext"])
def test_a_language_without_grammar_is_unknown(language: str) -> None:
    check(language, "x = '$0'", UNKNOWN)


def test_a_document_over_the_limit_is_unknown() -> None:
    text = Text("x = 1\n" * (limits.MAX_PARSE_BYTES // 6 + 1))
    assert scope_at(text, "python", Point(0, 0)) == UNKNOWN


def test_a_point_outside_is_clamped() -> None:
    assert scope_at(Text("x = 1\n# c"), "python", Point(9, 9)) == COMMENT


def test_lone_surrogates_are_no_error() -> None:
    assert scope_at(Text("x = '\ud800a'"), "python", Point(0, 6)) == STRING
