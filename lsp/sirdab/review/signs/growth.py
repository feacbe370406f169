"""Signs of work that grows with the square of the input."""

from collections.abc import Iterator

from sirdab.review.signs.kinds import Kind, kind_of, named_kind
from sirdab.review.signs.look import (
    CALLS,
    LOOPS,
    MEMBERS,
    NAMES,
    STRINGS,
    arguments,
    bare,
    called_name,
    loop_names,
    loop_of,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_SMALL = 12
"""Items of a literal list up to which searching it costs nothing."""


@sign("quadratic-loop", *PYTHON, *SCRIPT)
def quadratic_loop(scene: Scene) -> Iterator[Node]:
    """Yield searches of a list, and shifts of all of its items, inside of a loop."""
    for node in scene.all("comparison_operator"):
        if len(node.children) == 3 and node.children[1].kind in ("in", "not in"):
            loop = loop_of(node)
            if loop is None or (loop.kind == "while_statement" and node.field == "condition"):
                continue
            if _is_long_list(scene, node.children[2]):
                yield node
    for call in scene.calls:
        if loop_of(call) is not None and (_shifts_all(scene, call) or _searches(scene, call)):
            yield call
    for node in scene.all("assignment", "assignment_expression"):
        if loop_of(node) is not None and _is_list_grown(scene, node):
            yield node


def _shifts_all(scene: Scene, call: Node) -> bool:
    """Whether a call moves all items of a list by one place."""
    last, given = called_name(call), arguments(call)
    if receiver(call) is None:
        return False
    if scene.language_id != "python":
        return last in ("shift", "unshift")
    first = given[0].text if given else ""
    return first == "0" and (last == "pop" or (last == "insert" and len(given) == 2))


def _searches(scene: Scene, call: Node) -> bool:
    """Whether a call looks for an item from the start of a list."""
    on, last = receiver(call), called_name(call)
    if on is None or len(arguments(call)) != 1 or not _is_long_list(scene, on):
        return False
    if scene.language_id == "python":
        return last in ("index", "count")
    if last in ("includes", "indexOf"):
        return True
    return last in ("find", "findIndex", "some") and _loop_is_over_other(call, on.text)


def _loop_is_over_other(call: Node, text: str) -> bool:
    loop = loop_of(call)
    return loop is not None and text not in loop_names(loop)


def _is_list_grown(scene: Scene, node: Node) -> bool:
    """Whether `xs = xs + [x]` or `xs = [...xs, x]` copies all items for each new one."""
    left, right = node.child("left"), bare(node.child("right"))
    if left is None or right is None:
        return False
    if right.kind == "binary_operator":
        first, second = right.child("left"), right.child("right")
        if first is None or second is None or first.text != left.text:
            return False
        return second.kind in ("list", "list_comprehension") or (
            kind_of(scene, second) is Kind.LIST and second.kind != "tuple"
        )
    if right.kind == "array":
        return any(
            one.kind == "spread_element" and one.text == f"...{left.text}" for one in right.children
        )
    return False


def _is_long_list(scene: Scene, node: Node) -> bool:
    """Whether an expression is surely a list, and not one of a few constants."""
    node_ = bare(node)
    if node_ is None:
        return False
    if node_.kind in ("list", "tuple", "array"):
        return False
    if kind_of(scene, node_) is not Kind.LIST:
        return False
    if node_.kind not in NAMES and node_.kind not in MEMBERS:
        return node_.kind in CALLS or node_.kind == "list_comprehension"
    if node_.text.isupper():
        return False
    for one in scene.given(node_.text, node_):
        value = bare(one.value)
        if value is None:
            continue
        if value.kind == "tuple" or (
            value.kind in ("list", "array")
            and 0 < len(value.children) <= _SMALL
            and not any(one.kind in ("list_splat", "spread_element") for one in value.children)
        ):
            return _grows(scene, node_)
    return True


def _grows(scene: Scene, name: Node) -> bool:
    """Whether something is added to a list somewhere in the same function."""
    return any(
        (outer := mention.parent) is not None
        and outer.kind in MEMBERS
        and outer.text.rpartition(".")[2] in ("append", "extend", "insert", "push", "unshift")
        for mention in scene.scope(name).mentions(name.text)
    )


@sign("string-building", *PYTHON)
def string_building(scene: Scene) -> Iterator[Node]:
    """Yield texts that grow by a piece in each round of a loop."""
    for node in scene.all("augmented_assignment", "assignment"):
        left, right = node.child("left"), bare(node.child("right"))
        if left is None or right is None or left.kind not in NAMES:
            continue
        loop = loop_of(node)
        if loop is None or loop.kind not in LOOPS:
            continue
        if node.kind == "augmented_assignment":
            operator = node.child("operator")
            if operator is None or operator.kind != "+=":
                continue
        else:
            base: Node | None = right
            while base is not None and base.kind == "binary_operator":
                base = base.child("left")
            if base is None or base.text != left.text or right.kind != "binary_operator":
                continue
        # A text that is begun anew in each round stays short.
        anew = any(
            loop.holds(one.target) and one.how == "assignment" and one.target is not left
            for one in scene.given(left.text, node)
        )
        if not anew and (
            named_kind(scene, left.text, left) is Kind.TEXT or _starts_as_text(scene, left)
        ):
            yield node


def _starts_as_text(scene: Scene, left: Node) -> bool:
    given = scene.given(left.text, left)
    first = given[0].value if given else None
    return first is not None and first.kind in STRINGS
