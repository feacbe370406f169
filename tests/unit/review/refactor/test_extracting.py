"""A function that is made of some lines does what they did: both are run here, and compared."""

import itertools
from typing import Any

import pytest

from sirdab.review import edit
from sirdab.review.refactor.extracting import plan
from sirdab.review.refactor.refusal import RefusalError
from sirdab.text.store import Text

# Functions with the statements that are selected between the marks, and calls to compare.
CASES: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "reads and results": (
        """
def run(a, b):
    c = a + b
    #[
    d = c * 2
    e = d - a
    #]
    return d, e, c
""",
        [(1, 2), (0, 5)],
    ),
    "a running total in a loop": (
        """
def run(values):
    total = 0
    for value in values:
        #[
        if value > 2:
            total += value
        #]
    return total
""",
        [([1, 2, 3, 4],), ([],)],
    ),
    "set and read only within": (
        """
def run(values):
    result = []
    #[
    for value in values:
        square = value * value
        result.append(square)
    #]
    return result
""",
        [([1, 2],)],
    ),
    "its own name in a comprehension": (
        """
def run(values):
    value = 10
    #[
    doubled = [value * 2 for value in values]
    #]
    return doubled, value
""",
        [([1, 2],)],
    ),
    "the end with its return": (
        """
def run(a):
    b = a + 1
    #[
    if b > 3:
        b = 3
    return b * 2
    #]
""",
        [(1,), (9,)],
    ),
    "set by both branches": (
        """
def run(a):
    #[
    if a:
        b = 1
    else:
        b = 2
    #]
    return b
""",
        [(True,), (False,)],
    ),
    "set in one branch, and before": (
        """
def run(a):
    b = 0
    #[
    if a:
        b = 1
    #]
    return b
""",
        [(True,), (False,)],
    ),
    "what the next round reads": (
        """
def run(values):
    last = None
    pairs = []
    for value in values:
        pairs.append((last, value))
        #[
        last = value
        #]
    return pairs
""",
        [([1, 2, 3],)],
    ),
    "errors that are caught": (
        """
def run(text):
    #[
    try:
        number = int(text)
    except ValueError as error:
        number = -len(str(error)[:3])
    #]
    return number
""",
        [("3",), ("x",)],
    ),
    "a function within": (
        """
def run(a):
    factor = 3
    #[
    def times(value):
        return value * factor
    result = times(a)
    #]
    return result
""",
        [(2,)],
    ),
    "keyword arguments and annotations": (
        """
def run(a: int, *rest: int, b: "int" = 2, **more: int):
    #[
    c = a + b + sum(rest) + sum(more.values())
    #]
    return c
""",
        [(1,), (1, 2, 3)],
    ),
    "a comment and a blank line": (
        """
def run(a):
    #[
    # Twice.
    b = a * 2

    c = b + 1  # and one
    #]
    return c
""",
        [(2,)],
    ),
    "unpacked": (
        """
def run(pair):
    #[
    (a, b), *c = pair
    #]
    return a, b, c
""",
        [(((1, 2), 3, 4),)],
    ),
    "an assignment expression": (
        """
def run(values):
    #[
    if (size := len(values)) > 2:
        size = 2
    #]
    return size
""",
        [([1, 2, 3],), ([],)],
    ),
}


def marked(source: str) -> tuple[Text, int, int]:
    """The document without the marks, and the first and last line between them."""
    lines = source.strip("\n").split("\n")
    first = next(row for row, line in enumerate(lines) if line.strip() == "#[")
    last = next(row for row, line in enumerate(lines) if line.strip() == "#]")
    del lines[last], lines[first]
    return Text("\n".join(lines) + "\n"), first, last - 2


def extracted(source: str, name: str = "helper") -> str:
    text, first, last = marked(source)
    found = plan(text, first, last)
    return str(edit.apply(text, found.edits(text, found.name_of(name))))


def outcome(source: str, arguments: tuple[Any, ...]) -> Any:
    scope: dict[str, Any] = {}
    exec(compile(source, "<case>", "exec"), scope)
    return scope["run"](*arguments)


@pytest.mark.parametrize("name", CASES)
def test_the_code_does_the_same_as_before(name: str) -> None:
    source, calls = CASES[name]
    before = str(marked(source)[0])
    after = extracted(source)
    assert after.startswith("def helper(")
    assert "helper(" in after.partition("def run(")[2]
    for arguments in calls:
        assert outcome(after, arguments) == outcome(before, arguments)


def test_the_new_function_takes_and_gives_no_more_than_it_must() -> None:
    after = extracted(CASES["a running total in a loop"][0])
    assert "def helper(value, total):" in after
    assert "        total = helper(value, total)\n" in after
    after = extracted(CASES["set and read only within"][0])
    assert "def helper(values, result):" in after
    assert "    helper(values, result)\n" in after
    after = extracted(CASES["keyword arguments and annotations"][0])
    assert after.startswith("def helper(a: int, b: 'int', rest, more):")


def test_each_part_of_a_function_can_be_moved() -> None:
    """Every run of statements of one function, at every depth, is either refused or right."""
    body = """
def run(values):
    total = 0
    seen = {}
    for index, value in enumerate(values):
        if value in seen:
            seen[value] += 1
            label = "again"
        else:
            seen[value] = 1
            label = "new"
        while value > 3:
            value -= 2
            total += value
        total += len(label) + index
    average = total / (len(values) or 1)
    return total, average, seen
"""
    lines = body.strip("\n").split("\n")
    text = Text("\n".join(lines) + "\n")
    given = ([1, 5, 1, 9], [], [4])
    moved = 0
    for first, last in itertools.combinations_with_replacement(range(1, len(lines)), 2):
        try:
            found = plan(text, first, last)
        except RefusalError:
            continue
        moved += 1
        after = str(edit.apply(text, found.edits(text, "helper")))
        for values in given:
            assert outcome(after, (list(values),)) == outcome(str(text), (list(values),)), after
    assert moved > 60


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1\n#[\ny = x\n#]\n", "of a function"),
        (
            "def run(a):\n    for b in a:\n        #[\n        if b: break\n        #]\n",
            "break or continue",
        ),
        (
            "def run(a):\n    #[\n    if a:\n        return 1\n    #]\n    return 2\n",
            "return in their",
        ),
        ("def run(a):\n    #[\n    yield a\n    #]\n", "yield"),
        ("def run(a):\n    global b\n    #[\n    b = a\n    #]\n", "global"),
        ("def run(a):\n    #[\n    if a:\n        b = 1\n    #]\n    return b\n", "not always set"),
        ("def run(a):\n    #[\n    b = '''x\n  y'''\n    #]\n    return b\n", "several lines"),
        (
            "def run(a):\n  def inner(b):\n    #[\n    c = b\n    #]\n    return c\n",
            "within functions",
        ),
        (
            "class A:\n  @staticmethod\n  def run(a):\n    #[\n    b = a\n    #]\n    return b\n",
            "Static",
        ),
        ("def run(a)\n    #[\n    b = a\n    #]\n", "not valid Python"),
        ("def run(a): b = a\n#[\n#]\n", "Select"),
    ],
)
def test_what_would_mean_something_else_is_refused(source: str, says: str) -> None:
    with pytest.raises(RefusalError, match=says) as refused:
        extracted(source)
    assert refused.value.message.endswith(".")


def test_a_method_becomes_a_method() -> None:
    source = """
class Cart:
    def run(self, item):
        #[
        price = item.price * self.tax
        #]
        return price
"""
    assert (
        extracted(source)
        == """\
class Cart:
    def helper(self, item):
        price = item.price * self.tax
        return price

    def run(self, item):
        price = self.helper(item)
        return price
"""
    )


def test_what_is_awaited_is_awaited() -> None:
    source = "async def run(a):\n    #[\n    b = await a()\n    #]\n    return b\n"
    assert extracted(source).startswith(
        "async def helper(a):\n    b = await a()\n    return b\n\n\nasync def run(a):\n"
        "    b = await helper(a)\n"
    )


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("sum_up", "sum_up"),
        ("def sum_up(values):", "sum_up"),
        ("run", "extracted"),
        ("", "extracted"),
        ("class", "extracted"),
        ("1x; import os", "extracted"),
        ("Sum", "extracted"),
        ("sum", "sum_2"),
        ("_", "extracted"),
    ],
)
def test_the_name_is_the_models_where_it_is_one(answer: str, name: str) -> None:
    assert extracted(CASES["set by both branches"][0], answer).startswith(f"def {name}(")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_documents_own_indentation_and_line_ends(end: str) -> None:
    text = Text(f"def run(a):{end}\tb = a{end}\treturn b{end}")
    found = plan(text, 1, 1)
    assert str(edit.apply(text, found.edits(text, "helper"))) == end.join(
        ["def helper(a):", "\tb = a", "\treturn b", "", "", "def run(a):", "\tb = helper(a)",
         "\treturn b", ""]
    )  # fmt: skip
