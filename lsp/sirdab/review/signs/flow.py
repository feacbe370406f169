"""Signs in the order of statements: what is never reached, lost, or done twice."""

import re
from collections.abc import Iterator

from sirdab.review.calls import name_of
from sirdab.review.signs.look import (
    BLOCKS,
    CALLS,
    MEMBERS,
    NAMES,
    SCOPES,
    called_name,
    callee,
    is_statement,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_ENDS = frozenset(
    {"return_statement", "raise_statement", "throw_statement", "continue_statement",
     "break_statement"}
)  # fmt: skip
# Declarations that JavaScript lifts to the top of their function.
_LIFTED = frozenset(
    {"function_declaration", "generator_function_declaration", "class_declaration", "comment",
     "interface_declaration", "type_alias_declaration", "switch_case", "switch_default",
     "empty_statement"}
)  # fmt: skip


@sign("dead-code", *PYTHON, *SCRIPT)
def dead_code(scene: Scene) -> Iterator[Node]:
    """Yield the statements behind one that always leaves."""
    for block in scene.all("block", "statement_block", "module", "program"):
        end: Node | None = None
        for node in block.children:
            if end is None or (end.end_row == node.row and node.kind not in _LIFTED):
                # What stands in the same line is no statement of its own, but an odd parse.
                end = node if node.kind in _ENDS else None
            elif node.kind not in _LIFTED:
                # `return` before a `yield` is how an empty generator is written.
                if not any(inner.kind == "yield" for inner in node.walk()):
                    yield node
                # All that follows is not reached either, and needs no finding of its own.
                break


@sign("exception-not-raised", *PYTHON, *SCRIPT)
def exception_not_raised(scene: Scene) -> Iterator[Node]:
    """Yield errors that are made and not raised."""
    own = {
        name_of(node)
        for node in scene.all("class_definition", "class_declaration")
        if _is_error(node)
    }
    for call in scene.all("call", "new_expression"):
        name = called_name(call) or callee(call)
        known = name[:1].isupper() and name.endswith(("Error", "Exception"))
        if is_statement(call) and (known or name in own):
            yield call


def _is_error(node: Node) -> bool:
    """Whether a class of the document is one of errors, by the name of what it is derived from."""
    base = node.child("superclasses") or node.first("class_heritage")
    return base is not None and re.search(r"(Error|Exception)\b", base.text) is not None


@sign("duplicate-branch", *PYTHON, *SCRIPT)
def duplicate_branch(scene: Scene) -> Iterator[Node]:
    """Yield conditions that were asked before, and branches that do the same."""
    for node in scene.all("if_statement"):
        if node.parent is not None and node.parent.kind == "else_clause":
            continue
        known: set[str] = set()
        for link in _chain(node):
            condition = link.child("condition")
            if condition is None or any(one.kind in CALLS for one in condition.walk()):
                continue
            if condition.text in known:
                yield link
            known.add(condition.text)
        first, other = node.child("consequence"), node.child("alternative")
        if first is None or other is None or other.kind != "else_clause":
            continue
        last = other.child("body") or other.first("statement_block", "block")
        if last is None or first.text != last.text or len(first.text) <= _SHORT:
            continue
        if not any(one.kind == "elif_clause" for one in node.children):
            yield node
    for node in scene.all("dictionary", "object"):
        keys: set[str] = set()
        for pair in node.children:
            key = pair.child("key")
            if pair.kind != "pair" or key is None or key.kind == "computed_property_name":
                continue
            if key.text in keys and key.kind not in NAMES | MEMBERS | CALLS:
                yield pair
            keys.add(key.text)


_SHORT = 8


def _chain(node: Node) -> Iterator[Node]:
    """Yield the `if`s of one chain of `else if`, the first included."""
    link: Node | None = node
    while link is not None:
        yield link
        yield from (one for one in link.children if one.kind == "elif_clause")
        other = link.child("alternative")
        link = (
            other.first("if_statement")
            if other is not None
            and (other.kind == "else_clause")
            and link.kind == "if_statement"
            and not link.first("elif_clause")
            else None
        )


@sign("unused-value", *PYTHON, *SCRIPT)
def unused_value(scene: Scene) -> Iterator[Node]:
    """Yield assignments whose value the next statement replaces."""
    for block in scene.all(*BLOCKS):
        before: tuple[str, Node] | None = None
        for statement in block.children:
            if statement.kind == "comment":
                continue
            now = _plain_assignment(statement)
            if before is not None and now is not None and now[0] == before[0]:
                value = now[1]
                again = any(inner.kind in NAMES and inner.text == now[0] for inner in value.walk())
                if not again and not any(inner.kind in SCOPES for inner in value.walk()):
                    yield before[1]
            before = now


def _plain_assignment(statement: Node) -> tuple[str, Node] | None:
    """Return the name and the value of `name = value`."""
    if statement.kind != "expression_statement" or not statement.children:
        return None
    inner = statement.children[0]
    if inner.kind not in ("assignment", "assignment_expression"):
        return None
    left, right = inner.child("left"), inner.child("right")
    if left is None or right is None or left.kind != "identifier" or left.text == "_":
        return None
    return left.text, right
