"""Signs in comparisons."""

import re
from collections.abc import Iterator

from sirdab.review.signs.kinds import Kind, kind_of
from sirdab.review.signs.look import CALLS, MEMBERS, NAMES, NUMBERS, STRINGS, bare, called_name
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

EQUALITIES = frozenset({"==", "!=", "===", "!=="})


def comparisons(scene: Scene) -> Iterator[tuple[Node, Node, Node, Node]]:
    """Yield each comparison with its left side, operator and right side."""
    for node in scene.all("comparison_operator"):
        if len(node.children) == 3:
            left, operator, right = node.children
            yield node, left, operator, right
    for node in scene.all("binary_expression"):
        left, operator, right = node.child("left"), node.child("operator"), node.child("right")
        if left is not None and operator is not None and right is not None:
            yield node, left, operator, right


@sign("identity-comparison", *PYTHON)
def identity_comparison(scene: Scene) -> Iterator[Node]:
    """Yield `is` between values that are only equal."""
    for _, left, operator, right in comparisons(scene):
        if operator.kind in ("is", "is not") and any(
            side.kind in STRINGS | NUMBERS | {"tuple", "list", "dictionary"}
            or (side.kind == "unary_operator" and side.text.startswith("-"))
            for side in (left, right)
        ):
            yield operator


@sign("loose-equality", *SCRIPT)
def loose_equality(scene: Scene) -> Iterator[Node]:
    """Yield `==` where both sides may be of different types."""
    operators = [operator.kind for _, _, operator, _ in comparisons(scene)]
    loose = sum(operator in ("==", "!=") for operator in operators)
    if loose > sum(operator in ("===", "!==") for operator in operators):
        # It is the style of this file, and one finding for each line would help nobody.
        return
    for _, left, operator, right in comparisons(scene):
        if operator.kind not in ("==", "!="):
            continue
        sides = {left.kind, right.kind}
        if sides & {"null", "undefined"} or left.text.startswith("typeof "):
            continue
        yield operator


@sign("float-equality", *PYTHON, *SCRIPT)
def float_equality(scene: Scene) -> Iterator[Node]:
    """Yield fractions that are compared exactly, and comparisons with NaN."""
    for node, left, operator, right in comparisons(scene):
        if operator.kind not in EQUALITIES:
            continue
        if any(_is_nan(side) for side in (left, right)):
            yield node
            continue
        if _is_share_of_all(left, right) or _is_share_of_all(right, left):
            yield node
            continue
        if any(_is_whole(side) or side.kind in STRINGS for side in (left, right)):
            continue
        if _is_rounding(left, right) or _is_rounding(right, left) or _is_infinite(left, right):
            continue
        if _is_same_attribute(left, right) or _is_one_of_them(scene, left, right):
            continue
        if any(kind_of(scene, side) is Kind.FRACTION for side in (left, right)):
            yield node


def _is_nan(node: Node) -> bool:
    if node.kind in CALLS:
        return re.fullmatch(r"float\(\s*[\"']nan[\"']\s*\)", node.text, re.IGNORECASE) is not None
    return node.text in ("NaN", "Number.NaN", "math.nan", "np.nan", "numpy.nan")


def _is_share_of_all(one: Node, other: Node) -> bool:
    """Whether a sum of fractions is compared with 1.0, which rounding keeps it from."""
    is_sum = one.kind in CALLS and called_name(one) in ("sum", "fsum") and one.text[:1] != "n"
    return is_sum and other.kind in ("float", "number") and other.text == "1.0"


def _is_rounding(one: Node, other: Node) -> bool:
    """Whether `x == int(x)` asks for a whole number."""
    return (
        one.kind in CALLS
        and called_name(one) in ("int", "round", "floor", "trunc", "ceil")
        and (other.text in one.text)
    )


def _is_infinite(left: Node, right: Node) -> bool:
    return any(
        re.search(r"(?i)\binf(inity)?\b|MAX_VALUE|EPSILON", side.text) for side in (left, right)
    )


def _is_one_of_them(scene: Scene, left: Node, right: Node) -> bool:
    """Whether a value is compared with the largest or smallest of some: one of them is equal."""
    for side in (left, right):
        for one in scene.given(side.text, side) if side.kind in NAMES else ():
            value = bare(one.value)
            if value is not None and value.kind in CALLS and called_name(value) in ("max", "min"):
                return True
    return False


def _is_same_attribute(left: Node, right: Node) -> bool:
    """Whether the same attribute of two objects is compared, as `__eq__` does, or a file's time."""
    if left.kind not in MEMBERS or right.kind not in (*MEMBERS, *NAMES):
        return False
    last = left.text.rpartition(".")[2]
    return last == right.text.rpartition(".")[2] or "time" in last


def _is_whole(node: Node) -> bool:
    """Whether a node is a number without a fraction: 0.0 and 1.0 are met exactly."""
    if node.kind in ("none", "null", "true", "false", "undefined"):
        return True
    if node.kind in ("unary_operator", "unary_expression"):
        inner = node.child("argument")
        return inner is not None and _is_whole(inner)
    if node.kind not in NUMBERS:
        return False
    try:
        return float(node.text.replace("_", "")).is_integer()
    except ValueError:
        return True


@sign("self-comparison", *PYTHON, *SCRIPT)
def self_comparison(scene: Scene) -> Iterator[Node]:
    """Yield where something is compared with, joined with, or assigned to itself."""
    for node, left, operator, right in comparisons(scene):
        if operator.kind in ("!=", "!==", "+", "*", "in", "<<", "**"):
            # `x != x` is how one asks for NaN.
            continue
        if _is_plain(left) and left.text == right.text and not _asks_for_a_number(node, left.text):
            yield node
    for node in scene.all("boolean_operator"):
        left, right = node.child("left"), node.child("right")
        if left is None or right is None or left.text != right.text:
            continue
        if not any(inner.kind in CALLS for inner in left.walk()):
            yield node
    for node in scene.all("assignment", "assignment_expression"):
        left, right = node.child("left"), node.child("right")
        if left is None or right is None or left.text != right.text or not _is_plain(left):
            continue
        # In the body of a class or module `x = x` takes a name over from outside.
        if scene.scope(node).node is not scene.root and not _is_one_way(node):
            yield node


def _asks_for_a_number(node: Node, text: str) -> bool:
    """Whether `x == x` stands beside another comparison of x: it asks whether x is NaN."""
    outer = node.parent
    while outer is not None and outer.kind in ("boolean_operator", "parenthesized_expression"):
        for side in outer.children:
            if side.kind == "comparison_operator" and not side.holds(node):
                return any(one.kind in NAMES and one.text == text for one in side.walk())
        outer = outer.parent
    return False


def _is_one_way(node: Node) -> bool:
    """Whether an assignment is all that one branch of several does: the others assign more."""
    block = node.parent.parent if node.parent is not None else None
    branch = block.parent if block is not None else None
    return (
        block is not None
        and branch is not None
        and len(block.children) == 1
        and branch.kind in ("elif_clause", "else_clause")
    )


def _is_plain(node: Node) -> bool:
    return node.kind in NAMES or node.kind in MEMBERS or node.kind == "subscript"


@sign("assignment-in-condition", *SCRIPT, "c", "cpp")
def assignment_in_condition(scene: Scene) -> Iterator[Node]:
    """Yield `if (a = b)`; a second pair of parentheses says that it is meant."""
    for node in scene.all("if_statement"):
        condition = node.child("condition")
        inner = condition.children[0] if condition is not None and condition.children else None
        if inner is not None and inner.kind == "assignment_expression":
            yield inner
