"""Where things are: the symbol around a cursor, the place of new tests, the smallest edit."""

import json
from pathlib import Path

import pytest

from sirdab.review import edit
from sirdab.review.refactor.imports.python import undefined
from sirdab.review.refactor.shrink import LineEdit, shrunk
from sirdab.review.refactor.symbols import enclosing
from sirdab.review.refactor.testplace import is_test, place_for
from sirdab.text.store import Point, Text


@pytest.mark.parametrize(
    ("language", "marked", "kind", "name", "owner", "lines"),
    [
        ("python", "a = 1\n\n\ndef f(a):\n    return $0a\n", "function", "f", "", (3, 4)),
        ("python", "@cached\ndef f(a):\n    $0\n    return a\n", "function", "f", "", (0, 3)),
        ("python", "@cac$0hed\ndef f(a):\n    return a\n", "function", "f", "", (0, 2)),
        (
            "python",
            "class A:\n    b = $01\n\n    def f(self):\n        pass\n",
            "class",
            "A",
            "",
            (0, 4),
        ),
        ("python", "class A:\n    def f(self):\n        pas$0s\n", "function", "f", "A", (1, 2)),
        (
            "python",
            "def f():\n    return sorted(a, key=lambda b: $0b)\n",
            "function",
            "f",
            "",
            (0, 1),
        ),
        (
            "javascript",
            "export const f = (a) => {\n  return $0a;\n};\n",
            "function",
            "f",
            "",
            (0, 2),
        ),
        (
            "javascript",
            "function f(a) {\n  a.map((b) => {\n    return $0b;\n  });\n}\n",
            "function",
            "f",
            "",
            (0, 4),
        ),
        (
            "typescript",
            "class A {\n  f(a: string) {\n    $0return a;\n  }\n}\n",
            "function",
            "f",
            "A",
            (1, 3),
        ),
        ("go", "package a\n\ntype T struct {\n\t$0a int\n}\n", "class", "T", "", (2, 4)),
        ("go", "package a\n\nfunc (t T) F() int {\n\treturn $01\n}\n", "function", "F", "", (2, 4)),
        (
            "rust",
            "impl A {\n    fn f(&self) {\n        $0b();\n    }\n}\n",
            "function",
            "f",
            "A",
            (1, 3),
        ),
        ("c", "int f(int a) {\n  return $0a;\n}\n", "function", "f", "", (0, 2)),
        ("java", "class A {\n  int f() {\n    return $01;\n  }\n}\n", "function", "f", "A", (1, 3)),
    ],
)
def test_the_symbol_around_a_cursor(
    language: str, marked: str, kind: str, name: str, owner: str, lines: tuple[int, int]
) -> None:
    before, _, after = marked.partition("$0")
    text = Text(before + after)
    point = Point(before.count("\n"), len(before) - before.rfind("\n") - 1)
    found = enclosing(text, language, point, point)
    assert found is not None
    assert (found.kind, found.name, found.owner) == (kind, name, owner)
    assert (found.first, found.last) == lines


@pytest.mark.parametrize(
    ("language", "content"),
    [("python", "a = 1\n"), ("python", ""), ("ruby", "def f\n  1\nend\n"), ("python", "def (:\n")],
)
def test_no_symbol(language: str, content: str) -> None:
    assert enclosing(Text(content), language, Point(0, 1), Point(0, 1)) is None


def test_the_smallest_symbol_that_holds_a_selection() -> None:
    text = Text("class A:\n    def f(self):\n        pass\n\n    def g(self):\n        pass\n")
    found = enclosing(text, "python", Point(1, 4), Point(5, 4))
    assert found is not None
    assert found.name == "A"


def write(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def anything(path: Path) -> bool:
    del path
    return True


@pytest.mark.parametrize(
    ("files", "source", "language", "expect", "framework", "module"),
    [
        (
            {"pyproject.toml": "[tool.pytest]"},
            "shop.py",
            "python",
            "tests/test_shop.py",
            "pytest",
            "shop",
        ),
        ({"pyproject.toml": ""}, "shop.py", "python", "tests/test_shop.py", "unittest", "shop"),
        (
            {"tests/conftest.py": "", ".git/x": ""},
            "src/shop/cart.py",
            "python",
            "tests/test_cart.py",
            "pytest",
            "shop.cart",
        ),
        (
            {"tests/shop/test_a.py": "import pytest", "setup.py": ""},
            "shop/cart.py",
            "python",
            "tests/shop/test_cart.py",
            "pytest",
            "shop.cart",
        ),
        (
            {"shop/test_a.py": "import unittest", "shop/__init__.py": "", "setup.py": ""},
            "shop/cart.py",
            "python",
            "shop/test_cart.py",
            "unittest",
            "shop.cart",
        ),
        (
            {"shop/a_test.py": "", "setup.py": ""},
            "shop/cart.py",
            "python",
            "shop/cart_test.py",
            "pytest",
            "shop.cart",
        ),
        (
            {"package.json": {"devDependencies": {"vitest": "1"}}},
            "src/cart.ts",
            "typescript",
            "src/cart.test.ts",
            "vitest",
            "./cart",
        ),
        (
            {"package.json": {"scripts": {"test": "mocha"}}, "src/a.spec.js": ""},
            "src/cart.js",
            "javascript",
            "src/cart.spec.js",
            "mocha",
            "./cart",
        ),
        (
            {"package.json": {}, "test/a.test.js": ""},
            "src/cart.js",
            "javascript",
            "test/cart.test.js",
            "node:test",
            "../src/cart",
        ),
        (
            {"package.json": "[1", "src/__tests__/a.test.jsx": ""},
            "src/cart.jsx",
            "javascriptreact",
            "src/__tests__/cart.test.jsx",
            "node:test",
            "../cart",
        ),
        ({"go.mod": ""}, "shop/cart.go", "go", "shop/cart_test.go", "the testing package", ""),
        (
            {"pom.xml": "<artifactId>junit-jupiter</artifactId>"},
            "src/main/java/a/Cart.java",
            "java",
            "src/test/java/a/CartTest.java",
            "JUnit 5 (Jupiter)",
            "",
        ),
        (
            {"pom.xml": "<artifactId>junit</artifactId>"},
            "src/main/java/a/Cart.java",
            "java",
            "src/test/java/a/CartTest.java",
            "JUnit 4",
            "",
        ),
    ],
)
def test_new_tests_go_where_the_project_has_them(
    tmp_path: Path,
    files: dict[str, object],
    source: str,
    language: str,
    expect: str,
    framework: str,
    module: str,
) -> None:
    for name, content in files.items():
        said = content if isinstance(content, str) else json.dumps(content)
        write(tmp_path / name, said)
    path = write(tmp_path / source)
    place = place_for(path, language, (str(tmp_path),), anything)
    assert place.path == tmp_path / expect
    assert (place.framework, place.module) == (framework, module)
    assert is_test(place.path)
    assert not is_test(path)


def test_nothing_is_read_that_may_not_be_and_nothing_outside(tmp_path: Path) -> None:
    write(tmp_path / "package.json", json.dumps({"devDependencies": {"jest": "1"}}))
    inside = tmp_path / "work"
    path = write(inside / "cart.js")
    # The folder above is none of the workspace.
    assert place_for(path, "javascript", (str(inside),), anything).framework == "node:test"
    write(inside / "package.json", json.dumps({"devDependencies": {"jest": "1"}}))
    assert place_for(path, "javascript", (str(inside),), anything).framework == "jest"
    place = place_for(path, "javascript", (str(inside),), lambda path: False)
    assert place.framework == "node:test"


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("a = b + c\n", "a = b - c\n", 1),
        ("f(a)\nb = 1\n", "f(b)\nb = 2\n", 2),
        ("a\nb\nc\n", "    a\n    b\n    c\n", 3),
        ("f = open(p)\nd = f.read()\n", "with open(p) as f:\n    d = f.read()\n", 2),
        ("a\n", "a\nb\n", 1),
        ("a\nb\n", "b\n", 1),
        ("x = 'é漢😀'\n", "y = 'é漢😀'\n", 1),
        ("a\r\nb\r\n", "a\r\nc\r\n", 1),
        ("a\x0bb\n", "a\x0bc\n", 1),
    ],
)
def test_an_edit_is_as_small_as_can_be(before: str, after: str, count: int) -> None:
    text = Text(before)
    whole = LineEdit(Point(0, 0), Point(text.line_count - 1, 0), after)
    found = list(shrunk(text, whole))
    assert len(found) == count
    assert str(edit.apply(text, found)) == after
    for change in found:
        old = text.slice(change.start, change.stop)
        assert old != change.text
        assert not (old and change.text) or (old[0], old[-1]) != (change.text[0], change.text[-1])


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("def f(a):\n    return a + b\n", {"b"}),
        ("def f(a):\n    b = 1\n    return a + b\n", set()),
        ("def f():\n    return b\n\nb = 1\n", set()),
        ("class A:\n    b = 1\n    c = b\n", set()),
        ("def f():\n    global b\n    b = 1\n\ndef g():\n    return b\n", set()),
        ("print([b for b in range(3)], __file__)\n", set()),
        ("import os.path as p\nfrom a import b as c\np, c\n", set()),
        ("try:\n    pass\nexcept ValueError as error:\n    error\n", set()),
        ("match a:\n    case [b, *c] if b:\n        c\n", {"a"}),
        ("from a import *\nb\n", None),
        ("def f(:\n", None),
    ],
)
def test_names_that_are_bound_nowhere(code: str, missing: set[str] | None) -> None:
    assert undefined(code) == missing
