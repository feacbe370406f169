"""Signs of loops that change what they go through."""

import re
from collections.abc import Iterator

from sirdab.review.signs.look import (
    BLOCKS,
    CALLS,
    MEMBERS,
    NAMES,
    SCOPES,
    arguments,
    bare,
    called_name,
    callee,
    receiver,
    statement_of,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

CHANGING = frozenset({"remove", "pop", "append", "insert", "extend", "add", "discard", "clear",
                       "popitem", "update", "popleft", "appendleft", "splice", "push", "shift",
                       "unshift", "delete", "sort", "reverse", "setdefault", "set"})  # fmt: skip
_CHANGING_SIZE = CHANGING - {"sort", "reverse", "update", "setdefault"}


@sign("modified-while-iterating", *PYTHON, *SCRIPT)
def modified_while_iterating(scene: Scene) -> Iterator[Node]:
    """Yield statements that change the size of what the loop around them goes through."""
    for loop in scene.all("for_statement", "for_in_statement", "call_expression"):
        over, body = _gone_through(loop), _body_of(loop)
        if over is None or body is None:
            continue
        for node in body.walk():
            if _changes(scene, node, over, loop) and not _leaves_after(node, loop):
                # What is to be changed is what the loop goes through: a copy would do.
                yield _place_of(loop) or node
                break


def _gone_through(loop: Node) -> str | None:
    """Return the text of what a loop goes through directly, None for a copy of it."""
    if loop.kind in CALLS:
        on = receiver(loop) if called_name(loop) in ("forEach", "map") else None
        return on.text if on is not None and (on.kind in NAMES or on.kind in MEMBERS) else None
    right = bare(loop.child("right"))
    if right is None:
        condition = loop.child("condition")
        match = (
            re.search(r"<\s*([\w.]+)\.length\b", condition.text) if condition is not None else None
        )
        return match[1] if match is not None else None
    if right.kind == "call" and callee(right) in ("enumerate", "reversed"):
        given = arguments(right)
        right = given[0] if given and callee(right) == "enumerate" else None
    elif right.kind == "call":
        on = receiver(right)
        right = on if called_name(right) in ("items", "keys", "values") else None
    if right is None or (right.kind not in NAMES and right.kind not in MEMBERS):
        return None
    return None if right.text in ("self", "this") else right.text


def _place_of(loop: Node) -> Node | None:
    return bare(loop.child("right"))


def _body_of(loop: Node) -> Node | None:
    if loop.kind in CALLS:
        given = arguments(loop)
        return given[0].child("body") if given and given[0].kind in SCOPES else None
    return loop.child("body")


def _changes(scene: Scene, node: Node, over: str, loop: Node) -> bool:
    if node.kind in CALLS:
        on = receiver(node)
        if on is None or on.text != over or called_name(node) not in _CHANGING_SIZE:
            return False
        if loop.kind == "for_statement" and loop.child("condition") is not None:
            return called_name(node) in ("splice", "shift", "pop")
        name = called_name(node)
        return name not in ("delete", "set", "add") or scene.language_id == "python"
    if node.kind == "delete_statement":
        return any(
            inner.kind == "subscript"
            and (base := inner.child("value")) is not None
            and base.text == over
            for inner in node.children
        )
    return False


def _leaves_after(node: Node, loop: Node) -> bool:
    """Whether the loop ends right after a statement."""
    statement = statement_of(node)
    while statement.parent is not None and statement is not loop:
        following = statement.parent.children
        place = next(index for index, one in enumerate(following) if one is statement)
        rest = [one for one in following[place + 1 :] if one.kind != "comment"]
        if any(one.kind in ("break_statement", "return_statement", "raise_statement",
                            "throw_statement") for one in rest):  # fmt: skip
            return True
        if rest and statement.parent.kind in BLOCKS and statement.kind == node.kind:
            return False
        statement = statement.parent
        if statement.kind in SCOPES:
            return False
    return False
