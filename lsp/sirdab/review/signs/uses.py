"""Where a value is used as if it were surely there."""

from sirdab.review.signs.guards import asked, is_tried
from sirdab.review.signs.look import MEMBERS, SUBSCRIPTS
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

ERRORS = ("AttributeError", "TypeError")


def first_use(scene: Scene, target: Node, since: int) -> Node | None:
    """Return the first place where an attribute or item is taken of a name, if nothing asked.

    Args:
        scene: The document.
        target: Where the name is given the value.
        since: Byte behind the value.
    """
    text = target.text
    scope = scene.scope(target)
    for mention in scope.mentions(text):
        if mention.start < since:
            continue
        if any(one.target is mention for one in scope.assigned.get(text, ())):
            return None
        if next(asked(scene, text, mention, since), None) is not None:
            return None
        if is_in_condition(mention):
            # `if x:`, `x is None`, `x and x.y`: whoever asks has thought of it.
            return None
        if is_used(mention) or is_taken_apart(mention):
            return None if is_tried(mention, *ERRORS) else mention
    return None


_TAKING = frozenset({"len", "sorted", "sum", "iter", "enumerate", "reversed"})


def is_taken_apart(node: Node) -> bool:
    """Whether Python goes through a value: `a, b = x`, `for a in x`, `len(x)`, `", ".join(x)`."""
    outer = node.parent
    if outer is None:
        return False
    if outer.kind == "assignment" and node.field == "right":
        left = outer.child("left")
        return left is not None and left.kind in ("pattern_list", "tuple_pattern", "list_pattern")
    if outer.kind in ("for_statement", "for_in_clause"):
        # In JavaScript `for (k in x)` goes through nothing where there is none.
        return node.field == "right" and not node.source[outer.start : outer.start + 5].rstrip(
        ).endswith(b"(")  # fmt: skip
    call = outer.parent
    if outer.kind != "argument_list" or call is None or call.kind != "call":
        return False
    function = call.child("function")
    if function is None or len(outer.children) != 1:
        return False
    on = function.child("object")
    return function.text in _TAKING or (
        on is not None and on.kind == "string" and function.text.endswith(".join")
    )


def is_in_condition(mention: Node) -> bool:
    """Whether a name stands in a condition that asks about it: `x`, `not x`, `x is None`."""
    outer = mention.parent
    child = mention
    while outer is not None:
        if outer.kind in (
            "comparison_operator",
            "not_operator",
            "boolean_operator",
            "unary_expression",
            "named_expression",
        ):
            return outer.kind != "comparison_operator" or child is mention
        if outer.kind == "binary_expression":
            return child is mention
        if child.field == "condition" and child is mention:
            return True
        if outer.kind != "parenthesized_expression":
            return outer.kind in ("if_statement", "while_statement", "assert_statement") or (
                outer.kind == "conditional_expression" and outer.children[1:2] == [child]
            )
        child, outer = outer, outer.parent
    return False


def is_used(node: Node) -> bool:
    """Whether an attribute or item is taken of an expression."""
    outer = node.parent
    while outer is not None and outer.kind == "parenthesized_expression":
        node, outer = outer, outer.parent
    if outer is None or node.field not in ("object", "value"):
        return False
    if outer.kind in MEMBERS or outer.kind in SUBSCRIPTS:
        return outer.first("optional_chain") is None and node.field in ("object", "value")
    return False
