"""What a branch does with the name that its condition asks about."""

import re

from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    SUBSCRIPTS,
    arguments,
    called_name,
    class_of,
    receiver,
    string_value,
)
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.uses import is_in_condition, is_taken_apart, is_used
from sirdab.review.tree import Node


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
        if is_taken_apart(node) and outer.kind == "assignment":
            return node
        # Adding to an empty list is what one does to it.
        if is_used(node) and not (outer.kind in MEMBERS and _is_filling(outer)):
            return None if _is_stored(outer) or _is_set_before(branch, node) else node
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


def _is_set_before(branch: Node, node: Node) -> bool:
    """Whether a method that is called before an attribute is used may have set it."""
    owner = node.text.partition(".")[0]
    return node.kind in MEMBERS and any(
        one.kind in CALLS
        and one.end <= node.start
        and (on := receiver(one)) is not None
        and on.text == owner
        for one in branch.walk()
    )


def is_plainly_read(node: Node | None) -> bool:
    """Whether a use is an attribute that is only read: things that are false have them too."""
    member = None if node is None else node.parent
    outer = None if member is None else member.parent
    return (
        member is not None
        and outer is not None
        and member.kind == "attribute"
        and not (outer.kind in CALLS and member.field == "function")
        and outer.kind not in (*MEMBERS, *SUBSCRIPTS)
    )


def _is_stored(node: Node) -> bool:
    """Whether an attribute or item is given a value: `x[k] = 1`."""
    outer = node.parent
    return outer is not None and node.field == "left" and outer.kind.startswith("assignment")


def leaves(body: Node) -> bool:
    """Whether a branch ends the function or the round of the loop, and does little else."""
    statements = [one for one in body.children if one.kind != "comment"]
    kinds = ("return_statement", "raise_statement", "throw_statement", "continue_statement")
    if body.kind in kinds:
        return True
    return 0 < len(statements) <= 2 and statements[-1].kind in kinds


def speaks_of(body: Node, text: str) -> bool:
    """Whether a name or attribute stands in a branch."""
    return any(
        node.text == text for node in body.walk() if node.kind in NAMES or node.kind in MEMBERS
    )


def is_needed_later(scene: Scene, node: Node, text: str) -> bool:
    """Whether what follows a branch that leaves takes an attribute or item of a name."""
    scope = scene.scope(node)
    for mention in scope.mentions(text):
        if mention.start <= node.end:
            continue
        if any(one.target is mention for one in scope.assigned.get(text, ())):
            return False
        if is_in_condition(mention):
            return False
        if is_taken_apart(mention):
            # One can go through nothing as well, but not give it two names.
            outer = mention.parent
            return outer is not None and outer.kind == "assignment"
        if is_used(mention):
            outer = mention.parent
            return outer is not None and not _is_stored(outer) and not _is_filling(outer)
    return False


MISSING = re.compile(
    r"(?i)\b(required|missing|must (not be empty|be (set|given))|(is|be) empty|"
    r"not (set|given|provided)|cannot be empty)\b"
)


def complains(body: Node, words: re.Pattern[str]) -> bool:
    """Whether a branch raises an error whose text says something of that kind."""
    for node in body.walk():
        if node.kind in ("raise_statement", "throw_statement"):
            return any(
                words.search(inner.text)
                for inner in node.walk()
                if inner.kind in ("string_content", "string_fragment")
            )
    return False


def reads_item(branch: Node, item: str, holder: str) -> bool:
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


def adds_item(branch: Node, item: str, holder: str) -> bool:
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
