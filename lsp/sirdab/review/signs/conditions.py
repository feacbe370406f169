"""Signs of conditions that ask the wrong way round."""

from collections.abc import Iterator

from sirdab.review.signs.branches import (
    MISSING,
    adds_item,
    complains,
    is_needed_later,
    is_plainly_read,
    leaves,
    reads_item,
    speaks_of,
    uses,
)
from sirdab.review.signs.look import (
    MEMBERS,
    NAMES,
    arguments,
    bare,
    called_name,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node


@sign("inverted-condition", *PYTHON, *SCRIPT)
def inverted_condition(scene: Scene) -> Iterator[Node]:
    """Yield conditions whose branches do what would fit the opposite."""
    for node in scene.all("if_statement", "elif_clause", "while_statement"):
        condition = node.child("condition")
        body = node.child("consequence") or node.child("body")
        if condition is None or body is None:
            continue
        if _is_inverted(scene, node, bare(condition), body):
            yield _narrow(condition)
    for node in scene.all("conditional_expression"):
        if len(node.children) == 3:
            body, condition, other = node.children
            if _is_misused(bare(condition), body, other):
                yield _narrow(condition)
    for node in scene.all("ternary_expression"):
        condition = bare(node.child("condition"))
        body, other = node.child("consequence"), node.child("alternative")
        if body is not None and other is not None and _is_misused(condition, body, other):
            yield _narrow(node.child("condition") or node)


def _narrow(condition: Node) -> Node:
    """Return what is wrong in a condition: its operator, where it has one."""
    inner = bare(condition) or condition
    if inner.kind == "comparison_operator" and len(inner.children) == 3:
        return inner.children[1]
    if inner.kind == "binary_expression":
        return inner.child("operator") or inner
    return inner


def _is_misused(condition: Node | None, body: Node, other: Node) -> bool:
    empty, text = emptiness(condition)
    if text:
        return uses(body if empty else other, text) is not None
    absent, item, holder = membership(condition)
    return bool(holder) and reads_item(body if absent else other, item, holder)


def _is_inverted(scene: Scene, node: Node, condition: Node | None, body: Node) -> bool:
    empty, text = emptiness(condition)
    if text in ("self", "this", "cls"):
        # An object may well be false by itself and have all of its attributes.
        return False
    if text:
        if empty:
            use = uses(body, text)
            # `not x` holds for much that has attributes.
            is_asked = condition is not None and condition.kind == "not_operator"
            return use is not None and not (is_asked and is_plainly_read(use))
        other = node.child("alternative")
        if other is not None and other.kind == "else_clause" and uses(other, text) is not None:
            return True
        return (
            leaves(body)
            and not speaks_of(body, text)
            and (is_needed_later(scene, node, text) or complains(body, MISSING))
        )
    absent, item, holder = membership(condition)
    if not holder:
        return False
    if absent:
        return reads_item(body, item, holder)
    return adds_item(body, item, holder)


def emptiness(condition: Node | None) -> tuple[bool, str]:
    """Return what a condition says of a name: whether it asks for nothing, and the name.

    The name is "" where the condition is about something else.
    """
    if condition is None:
        return False, ""
    if condition.kind in NAMES or condition.kind in MEMBERS:
        return False, condition.text
    if condition.kind == "not_operator" or (
        condition.kind == "unary_expression" and condition.text.startswith("!")
    ):
        inner = bare(condition.child("argument"))
        if inner is not None and (inner.kind in NAMES or inner.kind in MEMBERS):
            return True, inner.text
        return False, ""
    if condition.kind == "comparison_operator" and len(condition.children) >= 3:
        left, right = condition.children[0], condition.children[-1]
        words = {one.kind for one in condition.children[1:-1]}
        if right.kind == "none" and (left.kind in NAMES or left.kind in MEMBERS):
            return not words & {"is not", "!=", "not"}, left.text
    if condition.kind == "binary_expression":
        left, right = condition.child("left"), condition.child("right")
        operator = condition.child("operator")
        if left is None or right is None or operator is None:
            return False, ""
        plain = left.kind in NAMES or left.kind in MEMBERS
        if right.kind in ("null", "undefined") and plain:
            return operator.kind in ("==", "==="), left.text
    return False, ""


def membership(condition: Node | None) -> tuple[bool, str, str]:
    """Return what a condition `a in b` says: whether it is `not in`, and both texts."""
    if condition is None:
        return False, "", ""
    if condition.kind == "comparison_operator" and len(condition.children) >= 3:
        left, right = condition.children[0], condition.children[-1]
        words = [one.kind for one in condition.children[1:-1]]
        if words and words[0] in ("in", "not in", "not"):
            return words[0] != "in", left.text, right.text
        return False, "", ""
    absent = condition.kind == "unary_expression" and condition.text.startswith("!")
    call = bare(condition.child("argument")) if absent else condition
    if call is not None and call.kind == "call_expression":
        on, given = receiver(call), arguments(call)
        if called_name(call) in ("has", "includes") and on is not None and len(given) == 1:
            return absent, given[0].text, on.text
    return False, "", ""
