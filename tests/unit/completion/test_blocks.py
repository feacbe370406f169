"""What the tree says of the block at the cursor; `$0` is the cursor."""

import pytest

from sirdab.completion import region
from sirdab.completion.blocks import end_of_block, is_empty
from sirdab.completion.region import Variants
from sirdab.syntax.grammars import LANGUAGES
from tests.support.completion import place

EMPTY = [
    ("python", "def f():\n    $0\n"),
    ("python", "def f():$0\n"),
    ("python", 'def f():\n    """Doc."""\n    # note\n    $0\n\nx = 1\n'),
    ("python", "class A:\n    def f(self):\n        $0\n\n    def g(self):\n        pass\n"),
    ("python", "if x:\n    a()\nelse:\n    $0\n"),
    ("python", "x = [\n    $0\n]\n"),
    ("javascript", "switch (x) {\n  $0\n}\n"),
    ("javascriptreact", "function f() {\n  $0\n}\n"),
    ("typescript", "function f() {\n  $0"),
    ("typescript", "class A {\n  // note\n  $0\n}\n"),
    ("typescript", "foo(() => {$0\n});\n"),
    ("typescriptreact", "const a = {\n  $0\n}"),
    ("lua", "function f(a)\n  $0\nend\n"),
    ("lua", "if x then\n  y()\nelse\n  $0\nend"),
    ("lua", "for i=1,2 do\n  $0"),
    ("go", "type A struct {\n\t$0\n}\n"),
    ("rust", "impl A {\n    $0\n}\n"),
    ("java", "class A {\n    void f() {\n        $0\n    }\n}\n"),
    ("c", "int f(void)\n{\n    $0\n}\n"),
    ("cpp", "namespace a {\nclass B {\n  $0\n};\n}\n"),
]


@pytest.mark.parametrize(("language", "marked"), EMPTY)
def test_empty(language: str, marked: str) -> None:
    item = region.cut(*place(marked), language)
    assert item is not None
    assert is_empty(item) is True


def test_every_grammar_knows_an_empty_block() -> None:
    assert {language for language, _ in EMPTY} == LANGUAGES


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("python", "def f():\n    $0\n    return 1\n"),
        ("python", "def f():$0\n    return 1\n"),
        ("python", "def f():\n    a()\n    $0\n"),
        ("python", "x = 1\n$0\n"),
        ("python", "x = [\n    1,\n    $0\n]\n"),
        ("typescript", "function f() {\n  // note\n  $0\n  return 1;\n}\n"),
        ("typescript", "foo(() => {$0\n  a();\n});\n"),
        ("typescript", "// foo {$0\nx();\n"),
        ("typescript", "f();\n$0"),
        ("lua", "x()\nfunction f(a)\n  a()\n  $0\nend\n"),
        ("c", "int f(void)\n{\n    a();\n    $0\n}\n"),
    ],
)
def test_not_empty(language: str, marked: str) -> None:
    item = region.cut(*place(marked), language)
    assert item is not None
    assert is_empty(item) is False


def test_nobody_says_what_takes_too_long() -> None:
    item = region.cut(*place("def f():\n    $0\n"), "python")
    assert item is not None
    assert is_empty(item, Variants(item, budget_ms=0)) is None


@pytest.mark.parametrize(
    ("language", "marked", "answer", "number"),
    [
        # Closed although its end is not further out than its content.
        ("typescript", "function f() {$0", "\n  a();\n  }\n b();", 3),
        ("typescript", "function f()$0", " {\n  a();\n}\nb();", 3),
        ("typescript", "foo(a,$0", "\n b,\n c)\nd", 3),
        ("lua", "function f()\n  if x then$0\nend", "\n  a()\n  end\n  b()\n", 3),
        ("lua", "local f = function()$0", "\n  a()\nend\nb()", 3),
        ("c", "int f()\n{\n  $0\n", "a();\n  if (x) {\n    b();\n  }\n  c();\n}\nint g;", 6),
        ("go", "func f() {$0\n}\n", '\n\ts := "}"\n\t}\n', 3),
        ("rust", "fn f() {$0", "\n  a();\n  }\nb", 3),
        ("java", "class A { void f() {$0", "\n  a();\n  }\nb", 3),
        # Not closed: nothing of the cursor's block ends in the answer.
        ("typescript", "function f() {\n  $0\n}\n", "a();\n  if (b) { c(); }", 0),
        ("python", "def f():$0", "\n    return [\n        1,\n    ]", 0),
    ],
)
def test_closed_at_line(language: str, marked: str, answer: str, number: int) -> None:
    item = region.cut(*place(marked), language)
    assert item is not None
    is_closed = end_of_block(item)
    lines = answer.split("\n")
    said = [is_closed("\n".join(lines[: count + 1])) for count in range(len(lines))]
    assert said.index(True) + 1 == number if number else not any(said)
