"""Signs of `and` and `or` that let pass what the other side, or the branch, cannot take."""

from collections.abc import Iterator

from sirdab.review.signs.branches import uses
from sirdab.review.signs.conditions import emptiness
from sirdab.review.signs.kinds import Kind, kind_of
from sirdab.review.signs.lengths import is_length, subject_of
from sirdab.review.signs.look import (
    CALLS,
    NUMBERS,
    STRINGS,
    SUBSCRIPTS,
    arguments,
    bare,
    called_name,
    string_value,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.searching import base_of, index_of, parts_of
from sirdab.review.tree import Node

_ALL = frozenset({"and", "&&"})
_ANY = frozenset({"or", "||"})
_ORDERS = frozenset({"<", "<=", ">", ">="})
_CONSTANTS = STRINGS | NUMBERS | {"none", "null", "undefined", "true", "false"}
_SECRET_TESTS = frozenset({"compare_digest", "timingSafeEqual"})


@sign("wrong-operator", *PYTHON, *SCRIPT)
def wrong_join(scene: Scene) -> Iterator[Node]:
    """Yield `and` and `or` that cannot be meant, by what they join or what follows."""
    for node in scene.all("boolean_operator", "binary_expression"):
        operator = node.child("operator")
        left, right = bare(node.child("left")), bare(node.child("right"))
        if operator is None or left is None or right is None:
            continue
        if operator.kind not in _ALL and operator.kind not in _ANY:
            continue
        joins_all = operator.kind in _ALL
        if (
            _are_two_constants(left, right, joins_all)
            or _is_order_of_nothing(left, right, joins_all)
            or _is_order_of_nan(left, right, joins_all)
            or _lets_null_pass(left, right, joins_all)
            or _is_half_bounded(node, left, right, joins_all)
            or _needs_both(node, left, right, joins_all)
            or _is_lost_value(scene, node, left, right, joins_all)
            or (not joins_all and _is_length_equal(left) and _tests_secret(right))
        ):
            yield operator


def _are_two_constants(left: Node, right: Node, joins_all: bool) -> bool:
    """Whether one thing is said to be two constants at once, or not to be one of them."""
    one, mark, first = parts_of(left)
    other, mark_, second = parts_of(right)
    if one is None or mark is None or first is None:
        return False
    if other is None or mark_ is None or second is None or one.text != other.text:
        return False
    if first.kind not in _CONSTANTS or second.kind not in _CONSTANTS or first.text == second.text:
        return False
    # `x == null` in JavaScript takes undefined as well.
    wanted = ("===", "is", "==") if joins_all else ("!==", "is not", "!=")
    loose = mark.kind in ("==", "!=") and {first.kind, second.kind} <= {"null", "undefined"}
    return mark.kind in wanted and mark_.kind in wanted and not loose


def _is_order_of_nothing(left: Node, right: Node, joins_all: bool) -> bool:
    """Whether `x is not None or x > 1`: where there is no x, it is compared all the same."""
    if left.kind not in ("comparison_operator", "binary_expression"):
        return False
    empty, text = emptiness(left)
    if not text or empty != joins_all:
        return False
    one, mark, other = parts_of(right)
    if one is None or mark is None or other is None or mark.kind not in _ORDERS:
        return False
    return text in (one.text, other.text)


def _is_order_of_nan(left: Node, right: Node, joins_all: bool) -> bool:
    """Whether `isNaN(x) && x < 1`, which never holds."""
    if not joins_all or left.kind not in CALLS or called_name(left).lower() != "isnan":
        return False
    given = arguments(left)
    one, mark, _ = parts_of(right)
    return bool(given) and one is not None and mark is not None and (
        one.text == given[0].text and mark.kind in _ORDERS
    )  # fmt: skip


def _lets_null_pass(left: Node, right: Node, joins_all: bool) -> bool:
    """Whether `typeof x === "object" || x !== null`: each value but null is let through."""
    if joins_all:
        return False
    one, mark, other = parts_of(left)
    if one is None or mark is None or other is None or mark.kind not in ("===", "=="):
        return False
    if not one.text.startswith("typeof ") or string_value(other) != "object":
        return False
    subject = one.text.removeprefix("typeof ").strip()
    # What follows may bind closer: `a || b && c`.
    second, sign_, last = parts_of(right)
    if sign_ is not None and sign_.kind in _ALL and second is not None:
        second, sign_, last = parts_of(second)
    return (
        second is not None
        and sign_ is not None
        and last is not None
        and second.text == subject
        and sign_.kind in ("!==", "!=")
        and last.kind == "null"
    )


def _is_half_bounded(node: Node, left: Node, right: Node, joins_all: bool) -> bool:
    """Whether `while i < len(x) or j < len(y)` takes x[i] and y[j] at once."""
    loop = node.parent
    while loop is not None and loop.kind == "parenthesized_expression":
        loop = loop.parent
    if joins_all or loop is None or loop.kind != "while_statement":
        return False
    body = loop.child("body")
    statements = [] if body is None else [one for one in body.children if one.kind != "comment"]
    if not statements:
        return False
    first = statements[0].child("condition") or statements[0]
    if any(one.kind in ("boolean_operator", "conditional_expression") or one.kind in _ALL | _ANY
           for one in first.walk()):  # fmt: skip
        return False
    return all(_takes(first, side) for side in (left, right))


def _takes(node: Node, bound: Node) -> bool:
    """Whether an item is taken at the index that a comparison bounds."""
    index, mark, length = parts_of(bound)
    if index is None or mark is None or length is None or mark.kind != "<":
        return False
    if not is_length(length):
        return False
    subject = subject_of(length)
    return any(
        one.kind in SUBSCRIPTS
        and (base := base_of(one)) is not None
        and (at := index_of(one)) is not None
        and base.text == subject
        and at.text == index.text
        for one in node.walk()
    )


def _needs_both(node: Node, left: Node, right: Node, joins_all: bool) -> bool:
    """Whether `if a or x is not None:` takes of x at once, as if it were surely there."""
    branch = node.parent
    while branch is not None and branch.kind == "parenthesized_expression":
        branch = branch.parent
    if joins_all or branch is None or branch.kind not in ("if_statement", "elif_clause"):
        return False
    body = branch.child("consequence")
    statements = [] if body is None else [one for one in body.children if one.kind != "comment"]
    if not statements or statements[0].kind not in ("expression_statement", "return_statement"):
        return False
    for side, beside in ((left, right), (right, left)):
        if side.kind not in ("comparison_operator", "binary_expression"):
            continue
        empty, text = emptiness(side)
        # Where the other side is about the same, or calls something, it may well know.
        if not text or empty or text in beside.text or any(
            one.kind in CALLS for one in beside.walk()
        ):  # fmt: skip
            continue
        if uses(statements[0], text) is not None:
            return True
    return False


def _is_lost_value(scene: Scene, node: Node, left: Node, right: Node, joins_all: bool) -> bool:
    """Whether `return text and "other"` gives the other text instead of what there is."""
    outer = node.parent
    if not joins_all or outer is None or outer.kind != "return_statement":
        return False
    given = string_value(right)
    return bool(given) and left.kind in CALLS and kind_of(scene, left) is Kind.TEXT


def _is_length_equal(node: Node) -> bool:
    one, mark, other = parts_of(node)
    return (
        one is not None
        and mark is not None
        and other is not None
        and mark.kind in ("==", "===")
        and is_length(one)
        and is_length(other)
    )


def _tests_secret(node: Node) -> bool:
    return node.kind in CALLS and called_name(node) in _SECRET_TESTS
