"""Whether the code has asked about a value before it uses it."""

from collections.abc import Iterator

from sirdab.review.signs.look import BLOCKS, COMPREHENSIONS, names_in, statement_of
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_ASKING = frozenset(
    {"if_statement", "elif_clause", "while_statement", "do_statement", "ternary_expression",
     "for_statement", "match_statement", "switch_statement"}
)  # fmt: skip
_JOINING = frozenset({"and", "or", "&&", "||", "??"})


def is_tested(scene: Scene, text: str, at: Node, since: int = 0) -> bool:
    """Whether a name or an attribute occurs in a condition before, or around, a place.

    What the condition asks is not looked at: who asks at all has thought of it.

    Args:
        scene: The document.
        text: The name, or an attribute such as `self.x`.
        at: The place.
        since: Byte from which on conditions count.
    """
    return next(asked(scene, text, at, since), None) is not None


def asked(scene: Scene, text: str, at: Node, since: int = 0) -> Iterator[Node]:
    """Yield the conditions before or around a place that mention a name; see `is_tested`."""
    end = statement_of(at).end
    for mention in scene.scope(at).mentions(text):
        if mention.start > end:
            break
        if mention.start < since or (mention.start >= at.start and not _is_around(mention, at)):
            continue
        condition = condition_of(mention, at)
        if condition is not None:
            yield condition


def condition_of(mention: Node, at: Node) -> Node | None:
    """Return the condition that a mention is part of, None where it is part of none."""
    child = mention
    for outer in mention.ancestors():
        if outer.kind in _ASKING and child.field in ("condition", "subject", "value"):
            # The condition itself is no test of what stands in it.
            return child if not child.holds(at) else None
        if outer.kind in ("assert_statement", "if_clause"):
            return child if not child.holds(at) else None
        if outer.kind == "conditional_expression" and len(outer.children) == 3:
            if outer.children[1] is child and not child.holds(at):
                return child
        elif outer.kind in ("boolean_operator", "binary_expression"):
            operator = outer.child("operator")
            if operator is not None and operator.kind in _JOINING and child.field == "left":
                right = outer.child("right")
                if right is not None and (right.holds(at) or outer.end <= at.start):
                    return child
        elif outer.kind in BLOCKS:
            return None
        child = outer
    return None


def is_any_tested(scene: Scene, texts: set[str], at: Node, since: int = 0) -> bool:
    """Whether one of some names is tested before a place."""
    return any(is_tested(scene, text, at, since) for text in texts)


def bases_of(node: Node) -> set[str]:
    """Return the names, and attributes of `self`, that an expression is made of."""
    found = set(names_in(node))
    for inner in node.walk():
        if inner.kind in ("attribute", "member_expression"):
            found.add(inner.text)
    return found - {"len", "sum", "max", "min", "self", "this", "Math", "float", "int"}


def is_tried(node: Node, *errors: str) -> bool:
    """Whether a node lies in a `try` that catches one of the errors, or everything."""
    child = node
    for outer in node.ancestors():
        if outer.kind == "try_statement" and child.field == "body":
            for clause in outer.children:
                if clause.kind == "catch_clause":
                    return True
                if clause.kind == "except_clause":
                    head = clause.text.split(":", 1)[0]
                    caught = head.removeprefix("except").strip()
                    if not caught or any(error in caught for error in (*errors, "Exception")):
                        return True
        child = outer
    return False


def _is_around(mention: Node, at: Node) -> bool:
    """Whether a condition behind a place is asked before it: `x.y if x`, `x.y for x in z if x`."""
    for outer in mention.ancestors():
        if (outer.kind == "conditional_expression" or outer.kind in COMPREHENSIONS) and (
            outer.holds(at)
        ):
            return True
        if outer.kind in BLOCKS:
            return False
    return False
