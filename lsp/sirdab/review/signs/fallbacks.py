"""Whether a handler that does nothing leaves another way, so that its error needs no more."""

import re

from sirdab.review.calls import name_of
from sirdab.review.signs.look import NAMES, function_of
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_ASKING = re.compile(
    r"^_*(is|has|have|can|could|should|supports?|may|are|was|does|try|test)_|^_?safe"
)


def has_other_way(scene: Scene, clause: Node, silent: bool) -> bool:
    """Whether the code goes on in order where a handler does nothing with its error.

    That is so where `else` does what only makes sense without the error, where another way to an
    answer follows a `return` within the `try`, where what would have been assigned has a value
    already, and where the function only answers whether something can be done.

    Args:
        scene: The document.
        clause: The handler.
        silent: Whether it only passes; else it gives back something that is written out.
    """
    attempt = clause.parent
    body = attempt.child("body") if attempt is not None else None
    if attempt is None or body is None:
        return False
    if not silent:
        return _only_answers(clause)
    if attempt.first("else_clause") is not None:
        return True
    statements = [one for one in body.children if one.kind != "comment"]
    if not statements or len(statements) > _MOST_STATEMENTS:
        return False
    last = statements[-1]
    if last.kind == "return_statement" and _goes_on(attempt):
        return True
    return len(statements) == 1 and _had_value(scene, last, attempt)


_MOST_STATEMENTS = 3


def _goes_on(attempt: Node) -> bool:
    """Whether statements follow a `try` in its own block."""
    if attempt.parent is None:
        return False
    for one in reversed(attempt.parent.children):
        if one.kind != "comment":
            return one is not attempt
    return False


def _had_value(scene: Scene, statement: Node, attempt: Node) -> bool:
    """Whether all that is tried is to give a name another value than it has."""
    first = statement.children[0] if statement.children else None
    if statement.kind != "expression_statement" or first is None or first.kind != "assignment":
        return False
    left = first.child("left")
    if left is None or left.kind not in NAMES:
        return False
    if scene.parameter(left.text, attempt) is not None:
        return True
    return any(one.target.start < attempt.start for one in scene.given(left.text, attempt))


def _only_answers(clause: Node) -> bool:
    """Whether a function says whether something is so: `False` is the answer then."""
    function = function_of(clause)
    if function is None:
        return False
    body = clause.first("block")
    gives_false = body is not None and any(one.kind == "false" for one in body.walk())
    if not gives_false:
        return False
    if _ASKING.match(name_of(function)):
        return True
    return any(
        one.kind == "return_statement" and one.children and one.children[0].kind == "true"
        for one in function.walk()
    )
