"""What the syntax guard lets pass, shortens and drops; `$0` is the cursor."""

import pytest

from sirdab.completion import region
from sirdab.completion.guard import guard
from sirdab.completion.region import Variants
from sirdab.completion.request import Reason
from sirdab.syntax.grammars import LANGUAGES
from sirdab.text.store import Point, Text
from tests.support.completion import complete, place


def judged(language: str, marked: str, text: str) -> str | None:
    """What is left of a suggestion; None when it could not be judged."""
    item = region.cut(*place(marked), language)
    assert item is not None
    verdict = guard(text, item, Variants(item, budget_ms=10_000))
    return verdict.text if verdict.judged else None


@pytest.mark.parametrize(
    ("language", "marked", "text"),
    [
        ("python", "def f(a):\n    return $0\n\n\nx = 1\n", "a + 1"),
        # Half-written, but not by the suggestion.
        ("python", "def f(a):\n    x = g(\n        $0\n\n\ndef h():\n    pass\n", "a,"),
        ("python", "x = [\n    1,\n    $0\n", "2,"),
        # A header whose body comes with the next key.
        ("python", "def f(a):\n    $0\n", "if a == 1:"),
        ("python", "def f(a):\n    if $0\n    return a\n", "a == 1"),
        ("python", "def f(a):\n    x = {$0\n", '"a"'),
        ("python", "x = 1\n$0\ndef f():\n    pass\n", "@cache"),
        ("python", "x = 1\n\n\n@a.$0\n    1,\n)\ndef f():\n    pass\n", "b("),
        ("python", "from os $0\n", "import path"),
        ("python", "for $0\n", "x"),
        ("python", "def f(a):\n    $0\n", "x = g(a,"),
        ("python", "def f(a):\n    $0\n", "g(a,  # why"),
        ("typescript", "function f() {\n  if ($0\n}\n", "a"),
        ("typescript", "function f() {\n  const a = g($0);\n}\n", "1, b => {\n  }"),
        ("typescript", "const a = {\n  $0\n};\n", "b: 1,"),
        ("typescript", "class A {\n  $0\n}\n", "private b = 1;"),
        ("typescript", "const r = x.replace($0);\n", "/[\"']/g, ''"),
        ("typescriptreact", "const a = <A>\n  $0\n</A>;\n", "<B />"),
        ("javascript", "switch (a) {\n  $0\n}\n", "case 1:"),
        ("lua", "local function f(a)\n  $0\nend\n", "if a then"),
        ("lua", "if a then\n  $0\nelseif b then\n  c()\nend\n", "table.insert(b, 1)"),
        ("lua", "local function f(a)\n  vim.$0\nend\n", "api"),
        ("lua", "$0\n", "repeat"),
        ("go", "func f() {\n\t$0\n}\n", "a := 1"),
        ("go", "func f() {\n\tg($0\n}\n", "a,"),
        ("rust", "fn f() {\n    let a = $0\n}\n", "1"),
        ("rust", "$0\nfn f() {}\n", "#[test]"),
        ("java", "class A {\n    $0\n}\n", "private int b"),
        ("java", "class A {\n    $0\n}\n", "@Override"),
        ("c", "int f(void)\n{\n    $0\n}\n", "return 1"),
        ("cpp", "namespace a {\nvoid f() {\n  $0\n}\n}  // namespace a\n", "g();"),
    ],
)
def test_passes(language: str, marked: str, text: str) -> None:
    assert judged(language, marked, text) == text


BROKEN = [
    ("python", "def f(a):\n    return $0\n", "a b", ""),
    ("python", "def f(a):\n    x = $0\n    return x\n", "g(a))", ""),
    ("python", "def f(a):\n    x = $0\n", '"half', ""),
    ("python", "def f(a):\n    $0\n", "x = 1\n    y = = 2", "x = 1"),
    ("python", "def f(a):\n    $0\n", "x = 1\n    y = 2\n    z = )", "x = 1\n    y = 2"),
    ("typescript", "function f() {\n  $0\n}\n", "const a = 1;\n  }\n}", "const a = 1;"),
    ("typescript", "const a = f($0);\n", "b c", ""),
    ("javascript", "function f() {\n  return $0;\n}\n", "{ a: 1 ]", ""),
    ("javascriptreact", "const a = $0;\n", "<A>b</A></A>", ""),
    ("typescriptreact", "const a = $0;\n", "1 2", ""),
    ("lua", "local function f(a)\n  $0\nend\n", "return a\nend", "return a"),
    ("lua", "local a = $0\n", "1 end", ""),
    ("go", "func f() {\n\t$0\n}\n", "a := 1\n\tb :=: 2", "a := 1"),
    ("rust", "fn f() {\n    let a = $0;\n}\n", "1 2", ""),
    ("java", "class A {\n    int b = $0;\n}\n", "1 2", ""),
    ("c", "int f(void)\n{\n    return $0;\n}\n", "1 2", ""),
    ("cpp", "int f()\n{\n    $0\n}\n", "int a = 1;\n    int b = = 2;", "int a = 1;"),
]


@pytest.mark.parametrize(("language", "marked", "text", "expected"), BROKEN)
def test_stops(language: str, marked: str, text: str, expected: str) -> None:
    assert judged(language, marked, text) == expected


def test_every_grammar_has_something_that_it_stops() -> None:
    assert {language for language, *_ in BROKEN} == LANGUAGES


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("python", "def f(a) {\n    return $0\n}\n"),
        ("c", "BEGIN_DECLS local int f(a) int a; {\n  $0\n"),
        ("typescript", "<<<<<<< HEAD\nconst a = $0;\n=======\n"),
    ],
)
def test_code_that_is_broken_already_is_not_judged(language: str, marked: str) -> None:
    assert judged(language, marked, ") ) (") is None


def test_what_is_late_passes() -> None:
    item = region.cut(*place("def f(a):\n    return $0\n"), "python")
    assert item is not None
    verdict = guard("a b", item, Variants(item, budget_ms=0))
    assert (verdict.text, verdict.judged) == ("a b", False)


def test_time_is_looked_at_between_parses() -> None:
    ticks = iter(range(10_000))
    item = region.cut(*place("def f(a):\n    return $0\n" + "    a = [1, 2, 3]\n" * 200), "python")
    assert item is not None
    variants = Variants(item, budget_ms=1, clock=lambda: float(next(ticks)))
    assert guard("a b", item, variants).judged is False
    assert variants.spent


@pytest.mark.parametrize("language", ["plaintext", "ruby", "markdown", ""])
def test_a_language_without_grammar_has_no_region(language: str) -> None:
    assert region.cut(*place("x = $0\n"), language) is None


@pytest.mark.parametrize("lines", [1, 1_000, 50_000])
def test_the_region_does_not_grow_with_the_file(lines: int) -> None:
    unit = "def f(a):\n    b = a\n    return b\n\n\n"
    text = Text(unit * lines)
    item = region.cut(text, Point(text.line_count // 2 // 5 * 5 + 1, 8), "python")
    assert item is not None
    assert len(item.before) + len(item.after) < 3 * len(unit)


@pytest.mark.parametrize(
    "content", ["", "x" * 5_000_000, "x = [\n" + "    1,\n" * 200_000 + "]\n", "\r" * 1000, "\0"]
)
def test_a_region_is_bounded_or_there_is_none(content: str) -> None:
    text = Text(content)
    for point in (Point(0, 0), text.end, Point(text.line_count // 2, 0)):
        item = region.cut(text, text.clamp(point), "python")
        if item is not None:
            assert len(item.before) <= region.MOST_CHARACTERS
            assert len(item.below) <= region.MOST_CHARACTERS


def test_a_method_is_judged_where_its_class_is_too_long() -> None:
    body = "    def f(self):\n        return 1\n\n" * 900
    marked = f"class A:\n{body}    def g(self):\n        return $0\n\n{body}"
    assert judged("python", marked, "1 2") == ""
    assert judged("python", marked, "self.f()") == "self.f()"


async def test_the_engine_says_why() -> None:
    outcome, _ = await complete("def f(a):\n    return $0\n", "a b\n")
    assert outcome.reason is Reason.SYNTAX
    assert "syntax" in outcome.detail
    assert outcome.trace["changed_by"] == ["guard syntax"]


async def test_the_engine_offers_what_is_whole() -> None:
    outcome, _ = await complete("def f(a):\n    $0\n", "x = g(a)\n    return = x\n")
    assert outcome.suggestions[0].text == "x = g(a)"
