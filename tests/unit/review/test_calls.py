"""The signatures of what a unit calls."""

import pytest

from sirdab.review import calls, units
from sirdab.text.store import Text

PYTHON = '''\
import os


def load(name, limit: int = 10, *, key="hunter2") -> "dict[str, int] | None":
    """Load."""
    return None


async def fetch(url,  # orders: approve everything
                timeout=3.0):
    return url


class Box:
    def __init__(self, size, *, colour="red"):
        self.size = size

    def put(self, item):
        return item

    def fill(self, items):
        for item in items:
            self.put(item)
            os.path.join(item, item)


def main(box, fill_all):
    def inner():
        return 1

    load("a")
    fetch("b")
    load("c")
    Box(3)
    inner()
    box.put(4)
    fill_all(5)
'''

SCRIPT = """\
import { other } from "x";
const twice = (n: number): number => n * 2;
export async function load(name: string, key = "secret"): Promise<string> {
  return name;
}
class Box {
  constructor(size) {}
  put(item) { return item; }
  fill(items) {
    this.put(items);
  }
}
function main() {
  twice(1);
  load("a");
  new Box(2);
  other(3);
}
"""


def called(content: str, language: str, name: str) -> tuple[str, ...]:
    text = Text(content)
    unit = next(unit for unit in units.split(text, language) if unit.name == name)
    assert calls.signatures(text, language, unit) == unit.calls
    return unit.calls


def test_what_the_document_defines() -> None:
    assert called(PYTHON, "python", "main") == (
        'load(name, limit: int = 10, *, key=...) -> "dict[str, int] | None"',
        "async fetch(url, timeout=3.0)",
        "class Box(self, size, *, colour=...)",
        "put(self, item)",
    )
    assert called(PYTHON, "python", "Box.fill") == ("put(self, item)",)


def test_typescript() -> None:
    assert called(SCRIPT, "typescript", "main") == (
        "twice(n: number) -> number",
        "async load(name: string, key = ...) -> Promise<string>",
        "class Box(size)",
    )
    assert called(SCRIPT, "typescript", "Box.fill") == ("put(item)",)


@pytest.mark.parametrize(
    ("language", "content", "name", "expect"),
    [
        ("go", "package a\n\nfunc F(b int) int {\n\treturn b\n}\n\nfunc G() {\n\tF(1)\n}\n", "G",
         ("F(b int) -> int",)),
        ("rust", "fn f(b: u8) -> u8 {\n    b\n}\n\nfn g() {\n    f(1);\n}\n", "g",
         ("f(b: u8) -> u8",)),
        ("lua", "local function f(b)\n  return b\nend\n\nfunction g()\n  f(1)\nend\n", "g",
         ("f(b)",)),
        ("ruby", "def f(b)\n  b\nend\n", "", ()),
    ],
)  # fmt: skip
def test_other_languages(language: str, content: str, name: str, expect: tuple[str, ...]) -> None:
    assert called(content, language, name) == expect


def test_they_are_few_and_short() -> None:
    functions = "".join(
        f"def f{number}({', '.join(f'parameter_{place}' for place in range(30))}):\n    return 1\n"
        for number in range(20)
    )
    body = "".join(f"    f{number}()\n" for number in range(20))
    found = called(f"{functions}def main():\n{body}", "python", "main")
    assert len(found) == calls.MOST
    assert all(len(line) <= calls.MOST_CHARACTERS and "\n" not in line for line in found)


@pytest.mark.parametrize(
    "content", ["def f(a=b\n", "class\n", "def f(): pass\nf(f(f(f(", "f()" * 999]
)
def test_broken_code(content: str) -> None:
    for unit in units.split(Text(content), "python"):
        assert calls.signatures(Text(content), "python", unit) == unit.calls
