"""Signs of indices that leave a list: ends that are taken for the last item, and late questions."""

from collections.abc import Iterator

from sirdab.review.signs.guards import is_tried
from sirdab.review.signs.lengths import is_length, subject_of
from sirdab.review.signs.look import (
    BLOCKS,
    CALLS,
    NAMES,
    SCOPES,
    SUBSCRIPTS,
    arguments,
    bare,
    callee,
    statement_of,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, Shown, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node


@sign("off-by-one", *PYTHON, *SCRIPT)
def halving(scene: Scene) -> Iterator[Node]:
    """Yield `while low <= high` where the upper half keeps its middle, so that it never ends."""
    for loop in scene.all("while_statement"):
        condition, body = bare(loop.child("condition")), loop.child("body")
        if condition is None or body is None:
            continue
        left, operator, right = parts_of(condition)
        if left is None or operator is None or right is None or operator.kind != "<=":
            continue
        low, step = _without_step(left)
        if not low or right.kind not in NAMES:
            continue
        middles = {
            name: value
            for name, value in _assigned(body)
            if "// 2" in value.text or ">> 1" in value.text or "/ 2" in value.text
        }
        kept = {(name, value.text) for name, value in _assigned(body) if value.text in middles}
        names = {name for name, _ in kept}
        if right.text in names and (step == 0 or low in names):
            yield operator


def parts_of(node: Node) -> tuple[Node | None, Node | None, Node | None]:
    """Return the sides and the operator of a comparison of two things, in order."""
    if node.kind == "comparison_operator" and len(node.children) == 3:
        return node.children[0], node.children[1], node.children[2]
    if node.kind == "binary_expression":
        return node.child("left"), node.child("operator"), node.child("right")
    return None, None, None


def _without_step(node: Node) -> tuple[str, int]:
    """Return the name in `low` and `low + 1`, and what is added."""
    if node.kind in NAMES:
        return node.text, 0
    if node.kind in ("binary_operator", "binary_expression"):
        left, operator, right = node.child("left"), node.child("operator"), node.child("right")
        if left is not None and operator is not None and right is not None:
            plain = left.kind in NAMES and operator.kind == "+" and right.text == "1"
            return (left.text, 1) if plain else ("", 0)
    return "", 0


def _assigned(body: Node) -> Iterator[tuple[str, Node]]:
    for one in body.walk():
        if one.kind in ("assignment", "assignment_expression", "variable_declarator"):
            left, right = one.child("left") or one.child("name"), one.child("right")
            right = right or one.child("value")
            if left is not None and right is not None and left.kind in NAMES:
                yield left.text, right


@sign("off-by-one", *PYTHON, *SCRIPT)
def end_as_index(scene: Scene) -> Iterator[Shown]:
    """Yield `x[end]` where `end` is still the length of `x`."""
    for node in scene.all(*SUBSCRIPTS):
        base, index = base_of(node), index_of(node)
        if base is None or index is None or index.kind not in NAMES or node.field == "left":
            continue
        if _is_still_length(scene, index, base.text) and not is_tried(node, "IndexError"):
            yield index


def base_of(node: Node) -> Node | None:
    """Return what an item is taken of."""
    return node.child("value") or node.child("object")


def index_of(node: Node) -> Node | None:
    """Return the index of an item, None for several."""
    indices = [one for one in node.children if one.field in ("subscript", "index")]
    return bare(indices[0]) if len(indices) == 1 else None


def _is_still_length(scene: Scene, index: Node, subject: str) -> bool:
    """Whether the last that a name was given before a place is the length of something."""
    values = [one for one in _values_before(scene, index) if one is not None]
    if not values:
        return False
    last = values[-1]
    if last.kind in CALLS and callee(last) in ("min", "Math.min"):
        given = [bare(one) for one in arguments(last)]
        lengths = [one for one in given if one is not None and _is_length_of(one, subject)]
        held = bool(lengths)
    else:
        held = _is_length_of(last, subject)
    if not held:
        return False
    statement = statement_of(last)
    # Everything between the two has to be done before the item is taken, and once.
    place = statement_of(index)
    for outer in index.ancestors():
        if outer.parent is statement.parent:
            place = outer
            break
    if place.parent is not statement.parent:
        return False
    changes = any(
        statement.end <= one.target.start < index.start for one in scene.given(index.text, index)
    )
    asks = any(
        statement.end <= one.start < index.start and not _is_truth(one)
        for one in scene.scope(index).mentions(index.text)
    )
    return not changes and not asks


def _is_truth(mention: Node) -> bool:
    """Whether a name only stands in `while end:` or `end > start`, where it may be the length."""
    outer = mention.parent
    if mention.field == "condition" and outer is not None:
        return outer.kind == "while_statement"
    if outer is None or outer.kind not in ("comparison_operator", "binary_expression"):
        return False
    _, operator, right = parts_of(outer)
    return operator is not None and operator.kind in (">", ">=") and right is not mention


def _is_length_of(node: Node, subject: str) -> bool:
    return is_length(node) and subject_of(node) == subject


def _values_before(scene: Scene, index: Node) -> Iterator[Node | None]:
    """Yield what a name was given before a place, in order, also by `a, b = c, d`."""
    for one in scene.given(index.text, index):
        if one.target.start >= index.start:
            return
        if one.how.startswith("augmented"):
            yield None
            continue
        yield bare(one.value) if one.value is not None else _parallel(one.target)


def _parallel(target: Node) -> Node | None:
    outer = target.parent
    whole = outer.parent if outer is not None else None
    right = whole.child("right") if whole is not None and whole.kind == "assignment" else None
    if outer is None or right is None or len(right.children) != len(outer.children):
        return None
    place = next((at for at, one in enumerate(outer.children) if one is target), None)
    return None if place is None else bare(right.children[place])


@sign("off-by-one", *PYTHON, *SCRIPT)
def asked_too_late(scene: Scene) -> Iterator[Shown]:
    """Yield `x[i]` in front of the statement that asks whether `i` lies within `x`."""
    for node in scene.all("if_statement"):
        condition = bare(node.child("condition"))
        block = node.parent
        if condition is None or block is None or block.kind not in BLOCKS:
            continue
        left, operator, right = parts_of(condition)
        if left is None or operator is None or right is None or left.kind not in NAMES:
            continue
        if operator.kind not in (">=", "<", "==", "===") or not is_length(right):
            continue
        place = next((at for at, one in enumerate(block.children) if one is node), 0)
        before = [one for one in block.children[:place] if one.kind != "comment"][-1:]
        for statement in before:
            found = _taken(statement, subject_of(right), left.text)
            if found is not None:
                yield found


_HEDGING = frozenset({"augmented_assignment", "conditional_expression", "update_expression",
                      "boolean_operator", "ternary_expression"})  # fmt: skip


def _taken(statement: Node, subject: str, index: str) -> Node | None:
    """Return where a simple statement takes an item, unless it also moves the index."""
    if statement.kind not in ("expression_statement", "lexical_declaration"):
        return None
    found: Node | None = None
    for one in statement.walk():
        if one.kind in _HEDGING or one.kind in SCOPES:
            return None
        if one.kind in SUBSCRIPTS:
            base, at = base_of(one), index_of(one)
            if base is not None and at is not None and base.text == subject and at.text == index:
                found = at
    return found


@sign("off-by-one", *PYTHON)
def other_than_asked(scene: Scene) -> Iterator[Shown]:
    """Yield `x[i] if i + 1 < len(x) else None`: what was asked about is another item."""
    for node in scene.all("conditional_expression"):
        if len(node.children) != 3:
            continue
        value, condition, _ = (bare(one) for one in node.children)
        if value is None or condition is None or value.kind not in SUBSCRIPTS:
            continue
        base, index = base_of(value), index_of(value)
        left, operator, right = parts_of(condition)
        if base is None or index is None or left is None or operator is None or right is None:
            continue
        name, step = _without_step(left)
        asks_next = step == 1 and operator.kind == "<" and _is_length_of(right, base.text)
        if asks_next and index.text == name:
            yield index
