"""Signs of conditions that ask the wrong way round."""

import re
from collections.abc import Iterator

from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    SUBSCRIPTS,
    arguments,
    bare,
    called_name,
    class_of,
    receiver,
    string_value,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.uses import is_in_condition, is_used
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
    return bool(holder) and _reads_item(body if absent else other, item, holder)


def _is_inverted(scene: Scene, node: Node, condition: Node | None, body: Node) -> bool:
    empty, text = emptiness(condition)
    if text in ("self", "this", "cls"):
        # An object may well be false by itself and have all of its attributes.
        return False
    if text:
        if empty:
            return uses(body, text) is not None
        other = node.child("alternative")
        if other is not None and other.kind == "else_clause" and uses(other, text) is not None:
            return True
        return (
            _leaves(body)
            and not _speaks_of(body, text)
            and (_is_needed_later(scene, node, text) or _complains(body, _MISSING))
        )
    absent, item, holder = membership(condition)
    if not holder:
        return False
    if absent:
        return _reads_item(body, item, holder)
    return _adds_item(body, item, holder)


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


def uses(branch: Node, text: str) -> Node | None:
    """Return where a branch takes an attribute or item of a name, or calls it, as it is."""
    for node in branch.walk():
        if (node.kind not in NAMES and node.kind not in MEMBERS) or node.text != text:
            continue
        outer = node.parent
        if outer is None:
            continue
        if outer.kind in (
            "assignment",
            "assignment_expression",
            "variable_declarator",
            "for_statement",
            "for_in_clause",
            "lambda_parameters",
        ) and (node.field in ("left", "name")):
            return None
        if node.field == "left" and outer.kind == "augmented_assignment":
            continue
        # Adding to an empty list is what one does to it.
        if is_used(node) and not (outer.kind in MEMBERS and _is_filling(outer)):
            return None if _is_stored(outer) else node
    return None


_FILLING = frozenset({"append", "add", "extend", "insert", "update", "push", "unshift", "set",
                      "setdefault", "write", "put", "clear", "start", "open", "connect", "load",
                      "acquire", "wait", "reset", "init", "begin"})  # fmt: skip


def _is_filling(member: Node) -> bool:
    last = member.text.rpartition(".")[2]
    return last in _FILLING or (
        member.parent is not None
        and member.parent.kind in CALLS
        and member.field == "function"
        and last.startswith(("set", "add", "_"))
    )


def _is_stored(node: Node) -> bool:
    """Whether an attribute or item is given a value: `x[k] = 1`."""
    outer = node.parent
    return outer is not None and node.field == "left" and outer.kind.startswith("assignment")


def _leaves(body: Node) -> bool:
    """Whether a branch ends the function or the round of the loop, and does little else."""
    statements = [one for one in body.children if one.kind != "comment"]
    kinds = ("return_statement", "raise_statement", "throw_statement", "continue_statement")
    if body.kind in kinds:
        return True
    return 0 < len(statements) <= 2 and statements[-1].kind in kinds


def _speaks_of(body: Node, text: str) -> bool:
    return any(
        node.text == text for node in body.walk() if node.kind in NAMES or node.kind in MEMBERS
    )


def _is_needed_later(scene: Scene, node: Node, text: str) -> bool:
    """Whether what follows a branch that leaves takes an attribute or item of a name."""
    scope = scene.scope(node)
    for mention in scope.mentions(text):
        if mention.start <= node.end:
            continue
        if any(one.target is mention for one in scope.assigned.get(text, ())):
            return False
        if is_in_condition(mention):
            return False
        if is_used(mention):
            outer = mention.parent
            return outer is not None and not _is_stored(outer) and not _is_filling(outer)
    return False


_MISSING = re.compile(
    r"(?i)\b(required|missing|must (not be empty|be (set|given))|(is|be) empty|"
    r"not (set|given|provided)|cannot be empty)\b"
)


def _complains(body: Node, words: re.Pattern[str]) -> bool:
    """Whether a branch raises an error whose text says something of that kind."""
    for node in body.walk():
        if node.kind in ("raise_statement", "throw_statement"):
            return any(
                words.search(inner.text)
                for inner in node.walk()
                if inner.kind in ("string_content", "string_fragment")
            )
    return False


def _reads_item(branch: Node, item: str, holder: str) -> bool:
    """Whether a branch reads `holder[item]`, or takes the item out."""
    for node in branch.walk():
        if node.kind in SUBSCRIPTS:
            base = node.child("value") or node.child("object")
            index = node.child("subscript") or node.child("index")
            if base is None or index is None or base.text != holder or index.text != item:
                continue
            if not (node.field == "left" and node.parent is not None):
                return True
            # The item is written first, so what reads it later is in order.
            return node.parent.kind.startswith("augmented")
        if node.kind in CALLS:
            on, given = receiver(node), arguments(node)
            if on is None or on.text != holder or not given or given[0].text != item:
                continue
            if called_name(node) in ("remove", "delete", "discard"):
                return True
            if called_name(node) == "get" and class_of(node) is None:
                return True
    return False


def _adds_item(branch: Node, item: str, holder: str) -> bool:
    """Whether a branch puts an item where the condition says that it is."""
    for node in branch.walk():
        if node.kind in CALLS and called_name(node) in ("add", "append", "push"):
            on, given = receiver(node), arguments(node)
            if on is not None and on.text == holder and given and given[0].text == item:
                return True
        if node.kind in SUBSCRIPTS and node.field == "left":
            base = node.child("value") or node.child("object")
            index = node.child("subscript") or node.child("index")
            outer = node.parent
            if base is None or index is None or outer is None or base.text != holder:
                continue
            value = outer.child("right")
            if index.text == item and value is not None and value.kind in (
                "list", "dictionary", "array", "object", "integer", "number", "call",
                "new_expression",
            ) and outer.kind.startswith("assignment"):  # fmt: skip
                return not value.text.strip("[]{}() 01") or string_value(value) is not None
    return False
