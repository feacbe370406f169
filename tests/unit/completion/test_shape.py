"""One line or a block."""

from dataclasses import replace

import pytest

from sirdab.completion import region
from sirdab.completion.engine import Engine
from sirdab.completion.shape import Shape, decide
from tests.support.completion import ScriptedEndpoint, check_completion, place, request_for


@pytest.mark.parametrize(
    ("before", "rest", "multiline", "expected"),
    [
        ("x = ", "", "auto", Shape.LINE),
        ("def f():", "", "auto", Shape.BLOCK),
        ("def f():\n    ", "", "auto", Shape.BLOCK),
        ("def f():\n", "", "auto", Shape.BLOCK),
        ('def f():\n    """Doc."""\n    ', "", "auto", Shape.BLOCK),
        ("function f() {\n  ", "", "auto", Shape.BLOCK),
        ("const g = () =>", "", "auto", Shape.BLOCK),
        ("if x then", "", "auto", Shape.BLOCK),
        ("local function max(a, b)", "", "auto", Shape.BLOCK),
        ("M.max = function(a, b)\n  ", "", "auto", Shape.BLOCK),
        ("x = max(a, b)", "", "auto", Shape.LINE),
        ("f(", ")", "auto", Shape.LINE),
        ("x = 1\n", "", "auto", Shape.LINE),
        ("def f():\n    ", "", "never", Shape.LINE),
        ("x = ", "", "always", Shape.BLOCK),
        ("x = ", " + 1", "always", Shape.LINE),
    ],
)
def test_decides(before: str, rest: str, multiline: str, expected: Shape) -> None:
    assert decide(before, rest, multiline) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["python", "plaintext"])
@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("def f():\n    $0\n", Shape.BLOCK),
        ("def f():\n    $0\n    return 1\n", Shape.LINE),
        ("def f():$0\n    return 1\n", Shape.LINE),
        ("def f():$0\n\n\nx = 1\n", Shape.BLOCK),
        ('def f():\n    """Doc."""\n    $0\n', Shape.BLOCK),
        ('def f():\n    """Doc."""\n    $0\n    return 1\n', Shape.LINE),
        ("def f():\n    a()\n    $0\n", Shape.LINE),
        ("x = f($0)\n", Shape.LINE),
        ("x = $0 + 1\n", Shape.LINE),
    ],
)
def test_by_tree_and_by_indentation(language: str, marked: str, expected: Shape) -> None:
    assert shape_at(language, marked) is expected


@pytest.mark.parametrize(
    ("language", "marked", "expected"),
    [
        # Only the tree knows.
        ("python", "def f():\n    # why\n    $0\n", Shape.BLOCK),
        ("typescript", "// see: {$0\n", Shape.LINE),
        ("lua", "if a then\n  b()\nelse\n  $0\nend\n", Shape.BLOCK),
        ("c", "int f(void)\n{\n    $0\n}\n", Shape.BLOCK),
        # No grammar, so by the words that open a block.
        ("ruby", "def f\n  a.each do |b|\n    $0\n", Shape.LINE),
        ("shellscript", "if a; then\n  $0\nfi\n", Shape.BLOCK),
        ("csharp", "void F()\n{\n    $0\n}\n", Shape.BLOCK),
        ("csharp", "void F()\n{\n    $0\n    G();\n}\n", Shape.LINE),
    ],
)
def test_by_language(language: str, marked: str, expected: Shape) -> None:
    assert shape_at(language, marked) is expected


def shape_at(language: str, marked: str, *, just_accepted: bool = False) -> Shape:
    before, after = marked.split("$0")
    rest, _, below = after.partition("\n")
    item = region.cut(*place(marked), language)
    return decide(before, rest, "auto", below=below, region=item, just_accepted=just_accepted)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("x = 1\n$0", Shape.BLOCK),
        ("x = 1$0\n", Shape.BLOCK),
        ("f($0)\n", Shape.LINE),
    ],
)
def test_a_block_may_follow_what_was_just_accepted(marked: str, expected: Shape) -> None:
    assert shape_at("python", marked, just_accepted=True) is expected


def test_never_is_never() -> None:
    assert decide("x = 1\n", "", "never", just_accepted=True) is Shape.LINE


async def test_the_request_says_that_one_was_accepted() -> None:
    answer = "y = 2\nz = 3\n\n"
    await check_completion("x = 1\n$0", answer, "y = 2")
    request = replace(request_for("x = 1\n$0"), just_accepted=True)
    outcome = await Engine(ScriptedEndpoint(answer)).complete(request)
    assert outcome.suggestions[0].text == "y = 2\nz = 3"
