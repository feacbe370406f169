"""Signs of operators between conditions that are not those that are meant."""

import re
from collections.abc import Iterator

from sirdab.review.signs.comparisons import EQUALITIES
from sirdab.review.signs.conditions import emptiness
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    NUMBERS,
    STRINGS,
    SUBSCRIPTS,
    bare,
    called_name,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_LOW = re.compile(r"(?i)(^|_)(low|lo|min|minimum|start|first|lower|left|begin)($|_)")


_HIGH = re.compile(r"(?i)(^|_)(high|hi|max|maximum|end|last|upper|right|stop|limit)($|_)")


@sign("wrong-operator", *PYTHON, *SCRIPT)
def wrong_operator(scene: Scene) -> Iterator[Node]:
    """Yield `and` and `or` that make a condition always true, always false, or let None pass."""
    for node in scene.all("boolean_operator", "binary_expression"):
        operator = node.child("operator")
        if operator is None or operator.kind not in ("and", "or", "&&", "||"):
            continue
        left, right = bare(node.child("left")), bare(node.child("right"))
        if left is None or right is None:
            continue
        joins_all = operator.kind in ("and", "&&")
        empty, text = emptiness(left)
        if text in ("self", "this", "cls"):
            continue
        asked_directly = left.kind not in NAMES and left.kind not in MEMBERS
        lets_pass = empty == joins_all and (empty or asked_directly or not _gives(node))
        if text and lets_pass and _takes_of(right, text):
            yield operator
            continue
        if _contradicts(left, right, joins_all):
            yield operator


def _gives(node: Node) -> bool:
    """Whether `x or y` gives a value, and is not only asked whether it is true."""
    outer = node.parent
    while outer is not None and outer.kind in ("parenthesized_expression", "boolean_operator"):
        node, outer = outer, outer.parent
    return not (outer is not None and (node.field == "condition" or outer.kind == "if_clause"))


def _takes_of(node: Node, text: str) -> bool:
    """Whether an attribute or item of a name is taken at once, not behind another question."""
    for inner in node.walk():
        if inner.kind in ("boolean_operator", "conditional_expression", "lambda"):
            return False
        outer = inner.parent
        if outer is None or inner.field not in ("object", "value") or inner.text != text:
            continue
        if outer.kind in MEMBERS or outer.kind in SUBSCRIPTS:
            return outer.first("optional_chain") is None
    return False


def _contradicts(left: Node, right: Node, joins_all: bool) -> bool:
    """Whether two comparisons of the same thing cannot both hold, or cannot both fail."""
    first, second = _parts(left), _parts(right)
    if first is None or second is None or first[0] != second[0]:
        return False
    (_, one, a), (_, other, b) = first, second
    if a.text == b.text:
        return False
    both_constant = a.kind in STRINGS | NUMBERS and b.kind in STRINGS | NUMBERS
    if one == other and one in EQUALITIES:
        return both_constant and (one in ("==", "===")) == joins_all
    below, above = ("<", "<="), (">", ">=")
    for (low_op, low), (high_op, high) in (((one, a), (other, b)), ((other, b), (one, a))):
        if low_op in below and high_op in above:
            # `x < a` with `x > b`: for a range outside `or` joins them, for one inside the
            # smaller bound belongs to `>`.
            lower_first = _is_lower(low, high)
            if lower_first is not None:
                return lower_first == joins_all
    return False


def _is_lower(one: Node, other: Node) -> bool | None:
    """Whether a bound is surely the lower one; None when nobody knows."""
    if one.kind in NUMBERS and other.kind in NUMBERS:
        try:
            return float(one.text) < float(other.text)
        except ValueError:
            return None
    names = one.text.rpartition(".")[2], other.text.rpartition(".")[2]
    if (
        one.kind == "integer"
        and one.text == "0"
        and (other.kind in CALLS or _HIGH.search(names[1]))
    ):
        return True
    if _LOW.search(names[0]) and _HIGH.search(names[1]):
        return True
    if _HIGH.search(names[0]) and _LOW.search(names[1]):
        return False
    if one.kind in NUMBERS and one.text == "0":
        return True
    if other.kind in CALLS and called_name(other) == "len" and one.kind in NUMBERS:
        return True
    if one.kind in CALLS and called_name(one) == "len" and other.kind in NUMBERS:
        return False
    return None


def _parts(node: Node) -> tuple[str, str, Node] | None:
    """Return the left side's text, the operator, and the right side of a comparison."""
    if node.kind == "comparison_operator" and len(node.children) == 3:
        left, operator, right = node.children
        return left.text, operator.kind, right
    if node.kind == "binary_expression":
        left, operator, right = node.child("left"), node.child("operator"), node.child("right")
        if left is not None and operator is not None and right is not None:
            return left.text, operator.kind, right
    return None
