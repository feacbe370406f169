"""Which definitions the names near the cursor mean."""

import pytest

from sirdab.context.definitions import MOST_PIECES, Resolver, names_near
from sirdab.context.store import Found
from sirdab.context.symbols import Definition, definitions_of
from tests.support.completion import place

FILES = {
    "/w/shop/order.py": (
        "class Order(Base):\n    '''An order.'''\n    total: int\n    def pay(self): ...\n"
    ),
    "/w/shop/money.py": "def rounded(amount: float) -> float:\n    '''Round it.'''\n",
    "/w/other/money.py": "def rounded(value): ...\ndef unique_helper(): ...\n",
    "/w/tests/a.py": (
        "def get(): ...\nclass Fake:\n    def pay(self): ...\n    def settle_up(self): ...\n"
    ),
    "/w/tests/b.py": "def get(): ...\nclass Fake:\n    def pay(self): ...\n",
    "/w/web/api.ts": (
        "export function fetchOrder(id: string): Order {}\nexport function fill() {}\n"
    ),
    "/w/web/util.ts": "export function fill() {}\n",
    "/w/go/a.go": "package a\n// Adds.\nfunc AddOne(x int) int { return x }\n",
}


def language_of(path: str) -> str:
    return {"py": "python", "ts": "typescript", "go": "go"}[path.rsplit(".", 1)[1]]


def members(path: str, container: str, most: int) -> list[Definition]:
    found = definitions_of(FILES[path], language_of(path))
    return [one for one in found if one.container == container][:most]


def resolve(marked: str, language: str = "python", own: str = "/w/shop/own.py") -> list[str]:
    """The first lines of the pieces for a document, with their files."""
    text, point = place(marked)
    found = [
        Found(path, definition)
        for path, source in FILES.items()
        if language_of(path) == language
        for definition in definitions_of(source, language)
    ]
    resolver = Resolver(own, language, lambda path: path.removeprefix("/w/"), members)
    pieces = resolver.pieces(names_near(text, point), found)
    return [f"{piece.path}: {piece.lines[0]}" for piece in pieces]


@pytest.mark.parametrize(
    ("marked", "expect"),
    [
        (
            "from shop.order import Order\n\nx = Order($0)",
            ["shop/order.py: class Order(Base):"],
        ),
        # Which of two is said by the import.
        (
            "from other.money import rounded\n\nrounded($0",
            ["other/money.py: def rounded(value):"],
        ),
        (
            "from shop.money import (\n    rounded,\n)\n\nrounded($0",
            ["shop/money.py: def rounded(amount: float) -> float:"],
        ),
        ("import money\n\nmoney.unique_helper($0", ["other/money.py: def unique_helper():"]),
        # A name of this file's own that another file happens to have too.
        ("unique_helper = 1\nunique_helper$0", []),
        ("x.settle_up($0", ["tests/a.py: def settle_up(self):"]),
        # Three classes have it.
        ("x.pay($0", []),
        ("x.get($0", []),
        ("$0", []),
        ("# nothing here\n$0", []),
    ],
)
def test_what_is_meant(marked: str, expect: list[str]) -> None:
    assert resolve(marked) == expect


def test_other_languages() -> None:
    found = resolve(
        'import { fetchOrder } from "./api";\n\nfetchOrder($0', "typescript", "/w/web/x.ts"
    )
    assert found == ["web/api.ts: export function fetchOrder(id: string): Order"]
    assert resolve("package a\nfunc f() { AddOne($0", "go", "/w/go/b.go") == ["go/a.go: // Adds."]


def test_a_class_is_shown_with_its_members() -> None:
    text, point = place("from shop.order import Order\nOrder($0")
    path = "/w/shop/order.py"
    found = [Found(path, one) for one in definitions_of(FILES[path], "python")]
    (piece,) = Resolver("/w/own.py", "python", lambda path: path, members).pieces(
        names_near(text, point), found
    )
    assert piece.lines == (
        "class Order(Base):",
        '    """An order."""',
        "    total: int",
        "    def pay(self):",
    )


def test_what_is_near_comes_first() -> None:
    marked = (
        "from shop.order import Order\nfrom shop.money import rounded\n\nOrder()\n\n\n\nrounded($0"
    )
    assert [line.split(":")[0] for line in resolve(marked)] == ["shop/money.py", "shop/order.py"]


def test_at_most_so_many() -> None:
    names = [f"name_{number}" for number in range(MOST_PIECES + 10)]
    text, point = place(f"from m import {', '.join(names)}\n$0")
    found = [Found("/w/m.py", Definition(name, "function", "", name, "", 0)) for name in names]
    resolver = Resolver("/w/own.py", "python", lambda path: path, members)
    assert len(resolver.pieces(names_near(text, point), found)) == MOST_PIECES


def test_an_import_that_never_ends() -> None:
    text, point = place("from m import (\n" + "a_name,\n" * 5_000 + "$0")
    assert "a_name" in names_near(text, point).weights
