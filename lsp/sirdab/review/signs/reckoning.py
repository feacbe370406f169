"""Signs of `+` and `-` that cannot be meant, by what stands around them."""

from collections.abc import Iterator

from sirdab.review.signs.kinds import Kind, kind_of
from sirdab.review.signs.look import (
    LOOPS,
    MEMBERS,
    NAMES,
    NUMBERS,
    STRINGS,
    arguments,
    bare,
    called_name,
    parameter_name,
    parameters_of,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node


@sign("wrong-operator", *PYTHON, *SCRIPT)
def wrong_direction(scene: Scene) -> Iterator[Node]:
    """Yield steps that lead away from what the loop, or the next question, waits for."""
    for node in scene.all("augmented_assignment", "augmented_assignment_expression"):
        operator, left, right = node.child("operator"), node.child("left"), node.child("right")
        if operator is None or left is None or right is None:
            continue
        if left.kind not in NAMES and left.kind not in MEMBERS:
            continue
        falls = operator.kind == "-=" and (
            _leaves_its_loop(node, left) or _only_falls(scene, node, left)
        )
        grows = operator.kind == "+=" and right.text == "1" and _asks_for_less(node, left)
        if falls or grows:
            yield operator


def _leaves_its_loop(node: Node, left: Node) -> bool:
    """Whether `while i < n` takes a step down, and none up in the same loop.

    What stands in a branch may well go back, where the loop goes on elsewhere.
    """
    statement = node.parent
    block = statement.parent if statement is not None else None
    loop = block.parent if block is not None else None
    if loop is None or loop.kind != "while_statement" or block is not loop.child("body"):
        return False
    condition = loop.child("condition")
    if condition is None:
        return False
    bounded = any(
        one.kind in ("comparison_operator", "binary_expression")
        and len(one.children) >= 2
        and one.children[0].text == left.text
        and any(mark.kind in ("<", "<=") for mark in one.children[1:])
        for one in condition.walk()
    )
    return bounded and not any(
        one.kind.startswith(("augmented", "assignment"))
        and one is not node
        and (target := one.child("left")) is not None
        and target.text == left.text
        for one in loop.walk()
    )


def _only_falls(scene: Scene, node: Node, left: Node) -> bool:
    """Whether a count begins at 0, is only ever made less, and then is what is returned."""
    if left.kind not in NAMES:
        return False
    given = scene.given(left.text, left)
    begins = [one for one in given if not one.how.startswith("augmented")]
    others = [one for one in given if one.how.startswith("augmented") and one.target is not left]
    if len(begins) != 1 or others or begins[0].value is None or begins[0].value.text != "0":
        return False
    right = node.child("right")
    if right is None or right.text != "1":
        return False
    return any(
        bare(one.children[0]) is not None and one.children[0].text == left.text
        for one in scene.scope(left).returned
    )


def _asks_for_less(node: Node, left: Node) -> bool:
    """Whether the next statement asks whether a count that just grew is 0, or below."""
    statement = node.parent
    block = statement.parent if statement is not None else None
    if block is None or statement is None:
        return False
    place = next((at for at, one in enumerate(block.children) if one is statement), -1)
    after = next((one for one in block.children[place + 1 :] if one.kind != "comment"), None)
    if after is None or after.kind != "if_statement":
        return False
    condition = bare(after.child("condition"))
    if condition is None or condition.kind not in ("comparison_operator", "binary_expression"):
        return False
    if len(condition.children) == 3:
        first, mark, last = condition.children
    else:
        first, mark, last = (
            condition.child("left"), condition.child("operator"), condition.child("right")
        )  # fmt: skip
    if first is None or mark is None or last is None or first.text != left.text:
        return False
    return last.text == "0" and mark.kind in ("==", "===", "<", "<=")


@sign("wrong-operator", *PYTHON)
def text_less(scene: Scene) -> Iterator[Node]:
    """Yield `-` with a text, which Python cannot do."""
    for node in scene.all("binary_operator", "augmented_assignment"):
        operator, left, right = node.child("operator"), node.child("left"), node.child("right")
        if operator is None or left is None or right is None:
            continue
        if operator.kind not in ("-", "-="):
            continue
        if any(_is_surely_text(scene, side) for side in (left, right)):
            yield operator
        elif kind_of(scene, left) is Kind.LIST and operator.kind == "-=":
            given = [one.value for one in scene.given(left.text, left)]
            if any(value is not None and value.kind == "list" for value in given):
                yield operator


def _is_surely_text(scene: Scene, node: Node) -> bool:
    """Whether an expression is a text by all that it is given."""
    inner = bare(node)
    if inner is None:
        return False
    if inner.kind in STRINGS:
        return not inner.text.startswith(("b", "B"))
    if inner.kind not in NAMES or scene.parameter(inner.text, inner) is not None:
        return False
    given = [one for one in scene.given(inner.text, inner) if not one.how.startswith("augmented")]
    return bool(given) and all(one.value is not None and one.value.kind in STRINGS for one in given)


@sign("wrong-operator", *SCRIPT)
def comparator(scene: Scene) -> Iterator[Node]:
    """Yield orders such as `(a, b) => a + b`, which say the same for any two items."""
    for call in scene.calls:
        given = arguments(call)
        if called_name(call) not in ("sort", "toSorted") or len(given) != 1:
            continue
        names = [parameter_name(one) for one in parameters_of(given[0])]
        if len(names) != 2 or "" in names:
            continue
        body = bare(given[0].child("body"))
        if body is not None and body.kind == "statement_block":
            returns = [one for one in body.walk() if one.kind == "return_statement"]
            body = (
                bare(returns[0].children[0]) if len(returns) == 1 and returns[0].children else None
            )
        if body is None or body.kind != "binary_expression":
            continue
        operator, left, right = body.child("operator"), body.child("left"), body.child("right")
        if operator is None or left is None or right is None or operator.kind not in ("+", "*"):
            continue
        if _is_of(left, names[0], right, names[1]) or _is_of(left, names[1], right, names[0]):
            yield operator


def _is_of(left: Node, one: str, right: Node, other: str) -> bool:
    """Whether two expressions are the same of two names: `a.size` and `b.size`."""
    return (
        left.text.partition(".")[0] == one
        and right.text.partition(".")[0] == other
        and left.text.partition(".")[2] == right.text.partition(".")[2]
    )


@sign("wrong-operator", *PYTHON)
def padding(scene: Scene) -> Iterator[Node]:
    """Yield `" " * (width + size)` where `size < width` was asked: what is missing is less."""
    for node in scene.all("binary_operator"):
        operator, left, right = node.child("operator"), node.child("left"), node.child("right")
        if operator is None or operator.kind != "*" or left is None or right is None:
            continue
        count = bare(right) if left.kind in STRINGS else bare(left)
        if count is None or count.kind != "binary_operator":
            continue
        if left.kind not in STRINGS and right.kind not in STRINGS:
            continue
        mark, first, last = count.child("operator"), count.child("left"), count.child("right")
        if mark is None or mark.kind != "+" or first is None or last is None:
            continue
        if first.kind in NUMBERS or last.kind in NUMBERS:
            continue
        for outer in node.ancestors():
            if outer.kind in LOOPS:
                break
            if outer.kind != "if_statement" or not (body := outer.child("consequence")):
                continue
            condition = bare(outer.child("condition"))
            if condition is None or len(condition.children) != 3 or not body.holds(node):
                continue
            small, asked, large = condition.children
            if asked.kind == "<" and {small.text, large.text} == {first.text, last.text}:
                yield mark
                break
