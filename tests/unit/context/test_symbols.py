"""What a source text defines, by language."""

import pytest

from sirdab.context.symbols import (
    DOC_CHARACTERS,
    HEAD_CHARACTERS,
    LANGUAGES,
    MOST_DEFINITIONS,
    Definition,
    comment_sign,
    definitions_of,
    kin_of,
)
from sirdab.syntax.grammars import LANGUAGES as WITH_GRAMMAR

PYTHON = '''\
import os

@dataclass(frozen=True)
class Box(Base):
    """Holds things.

    More of it.
    """

    size: int = 3

    def put(self, thing: str,
            where: int) -> None:
        """Put a thing in."""
        inner = 1

        def helper(): ...

LIMIT = 10
a, b = 1, 2
os.path = None
'''

# Language, source, and what is found: name, kind, container, head, documentation, line.
CASES: list[tuple[str, str, list[tuple[str, str, str, str, str, int]]]] = [
    (
        "python",
        PYTHON,
        [
            ("Box", "class", "", "@dataclass(frozen=True)\nclass Box(Base):", "Holds things.", 3),
            ("size", "field", "Box", "size: int = 3", "", 9),
            (
                "put",
                "method",
                "Box",
                "def put(self, thing: str, where: int) -> None:",
                "Put a thing in.",
                11,
            ),
            ("LIMIT", "value", "", "LIMIT = 10", "", 18),
        ],
    ),
    (
        "typescript",
        (
            "/** A shape. */\nexport class A<T> extends B {\n  x = 1;\n  f(a: string): void {}\n}\n"
            "export const g = (a: number) => { return a };\ntype T = { a: 1 };\n"
            "interface I { b: string; c(): void }\nnamespace N { export function q() {} }\n"
            "declare function z(): void;\n"
        ),
        [
            ("A", "class", "", "export class A<T> extends B", "A shape.", 1),
            ("x", "field", "A", "x = 1", "", 2),
            ("f", "method", "A", "f(a: string): void", "", 3),
            ("g", "function", "", "export const g = (a: number) =>", "", 5),
            ("T", "type", "", "type T = { a: 1 };", "", 6),
            ("I", "type", "", "interface I", "", 7),
            ("b", "field", "I", "b: string", "", 7),
            ("c", "method", "I", "c(): void", "", 7),
            ("q", "function", "", "export function q()", "", 8),
            ("z", "function", "", "declare function z(): void;", "", 9),
        ],
    ),
    (
        "javascript",
        "module.exports.foo = function(a) {};\nfunction* g() {}\nclass A { x = 1; f(a) {} }\n",
        [
            ("foo", "function", "", "module.exports.foo = function(a)", "", 0),
            ("g", "function", "", "function* g()", "", 1),
            ("A", "class", "", "class A", "", 2),
            ("x", "field", "A", "x = 1", "", 2),
            ("f", "method", "A", "f(a)", "", 2),
        ],
    ),
    (
        "go",
        (
            "package a\n// S holds one.\ntype S struct {\n X int\n}\n\n"
            "func (s *S) M(a int) error { return nil }\nconst (\n A = 1\n)\n"
            "type I interface { F() }\n"
        ),
        [
            ("S", "type", "", "type S struct", "S holds one.", 2),
            ("X", "field", "S", "X int", "", 3),
            ("M", "method", "S", "func (s *S) M(a int) error", "", 6),
            ("A", "value", "", "A = 1", "", 8),
            ("I", "type", "", "type I interface", "", 10),
            ("F", "method", "I", "F()", "", 10),
        ],
    ),
    (
        "java",
        (
            "/** Doc. */\npublic class A extends B {\n private int x = 1;\n public A(int q) {}\n"
            " void f(int a) {}\n}\ninterface I { void g(); }\n"
        ),
        [
            ("A", "class", "", "public class A extends B", "Doc.", 1),
            ("x", "field", "A", "private int x = 1;", "", 2),
            ("A", "method", "A", "public A(int q)", "", 3),
            ("f", "method", "A", "void f(int a)", "", 4),
            ("I", "type", "", "interface I", "", 6),
            ("g", "method", "I", "void g();", "", 6),
        ],
    ),
    (
        "rust",
        (
            "/// Says it.\n#[derive(Debug)]\npub struct S { pub a: u8 }\n"
            "impl T for S { pub fn f(&self) -> u8 { 1 } }\npub trait T { fn q(&self); }\n"
            "mod m { pub fn z() {} }\nconst X: u8 = 1;\n"
        ),
        [
            ("S", "type", "", "pub struct S", "Says it.", 2),
            ("a", "field", "S", "pub a: u8", "", 2),
            ("f", "method", "S", "pub fn f(&self) -> u8", "", 3),
            ("T", "type", "", "pub trait T", "", 4),
            ("q", "method", "T", "fn q(&self);", "", 4),
            ("z", "function", "", "pub fn z()", "", 5),
            ("X", "value", "", "const X: u8 = 1;", "", 6),
        ],
    ),
    (
        "c",
        (
            "#define M(a) (a)\n/* Doc */\nstatic int *f(int a) { return 0; }\nint g(void);\n"
            "typedef struct { int a; } S;\n#ifdef X\nint h(void) { return 1; }\n#endif\n"
            "int v = 1;\n"
        ),
        [
            ("M", "macro", "", "#define M(a) (a)", "", 0),
            ("f", "function", "", "static int *f(int a)", "Doc", 2),
            ("g", "function", "", "int g(void);", "", 3),
            ("S", "type", "", "typedef struct", "", 4),
            ("a", "field", "S", "int a;", "", 4),
            ("h", "function", "", "int h(void)", "", 6),
            ("v", "value", "", "int v = 1;", "", 8),
        ],
    ),
    (
        "cpp",
        (
            "namespace n {\ntemplate <typename T>\nclass A : public B {\npublic:\n  A(int);\n"
            "  int f(int a) const { return 1; }\n};\n}\nint n::A::g(int q) { return 1; }\n"
        ),
        [
            ("A", "class", "", "template <typename T>\nclass A : public B", "", 2),
            ("A", "method", "A", "A(int);", "", 4),
            ("f", "method", "A", "int f(int a) const", "", 5),
            ("g", "function", "", "int n::A::g(int q)", "", 8),
        ],
    ),
    (
        "lua",
        (
            "local M = {}\n-- Says it.\nfunction M.f(a)\n  return a\nend\n"
            "M.h = function(a) return a end\n"
        ),
        [
            ("M", "value", "", "local M = {}", "", 0),
            ("f", "function", "", "function M.f(a)", "Says it.", 2),
            ("h", "function", "", "M.h = function(a)", "", 5),
        ],
    ),
]


@pytest.mark.parametrize(("language", "source", "expect"), CASES, ids=[case[0] for case in CASES])
def test_definitions(
    language: str, source: str, expect: list[tuple[str, str, str, str, str, int]]
) -> None:
    assert definitions_of(source, language) == [Definition(*one) for one in expect]


def test_every_language_with_a_grammar_is_served() -> None:
    assert LANGUAGES == WITH_GRAMMAR
    assert all(comment_sign(language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", ""),
        ("python", "class"),
        ("python", "class A:\n  def f(self"),
        ("python", "def \ud800(): pass"),
        ("typescript", "export {{{{"),
        ("c", "typedef typedef ;;; struct {"),
        ("lua", "a, b = 1"),
        ("rust", "impl"),
        ("plaintext", "class A:"),
        ("nonsense", "class A:"),
    ],
)
def test_broken_source_never_raises(language: str, source: str) -> None:
    for one in definitions_of(source, language):
        assert one.name


def test_what_is_long_is_cut() -> None:
    source = f'def f({", ".join(f"argument_{n}" for n in range(200))}):\n    """{"long " * 99}"""\n'
    (one,) = definitions_of(source, "python")
    assert len(one.head) == HEAD_CHARACTERS
    assert len(one.doc) <= DOC_CHARACTERS


def test_generated_files_are_not_kept_whole() -> None:
    source = "\n".join(f"def f{n}(): pass" for n in range(MOST_DEFINITIONS + 50))
    assert len(definitions_of(source, "python")) == MOST_DEFINITIONS


def test_a_large_text_is_not_parsed() -> None:
    assert definitions_of("x = 1\n" * 200_000, "python") == []


def test_the_thread_may_rest_while_it_works() -> None:
    rests = 0

    def pause() -> None:
        nonlocal rests
        rests += 1

    definitions_of("\n".join(f"def f{n}(): return {n}" for n in range(300)), "python", pause)
    assert rests > 300


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("c", "cpp", True),
        ("javascript", "typescriptreact", True),
        ("python", "python", True),
        ("python", "typescript", False),
        ("c", "rust", False),
    ],
)
def test_languages_that_share_definitions(one: str, other: str, same: bool) -> None:
    assert (kin_of(one) == kin_of(other)) is same
