"""Signs of indices that reach the length of what they are taken of."""

from collections.abc import Iterator

from sirdab.review.signs.kinds import Kind, kind_of
from sirdab.review.signs.lengths import (
    is_length,
    subject_of,
)
from sirdab.review.signs.look import (
    NAMES,
    SUBSCRIPTS,
    bare,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, Shown, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node


@sign("off-by-one", *PYTHON, *SCRIPT)
def lengths_as_indices(scene: Scene) -> Iterator[Node]:
    """Yield `x[len(x)]`, which is behind the end."""
    for node in scene.all("subscript", "subscript_expression"):
        base = node.child("value") or node.child("object")
        index = bare(node.child("subscript") or node.child("index"))
        if base is None or index is None or not is_length(index):
            continue
        outer = node.parent
        stored = outer is not None and node.field == "left"
        kept = stored and (
            scene.language_id != "python" or kind_of(scene, base) in (Kind.MAP, None)
        )
        if base.text in index.text and not kept:
            yield index


@sign("off-by-one", *PYTHON, *SCRIPT)
def compared_with_lengths(scene: Scene) -> Iterator[Shown]:
    """Yield comparisons with a length that let an index reach it."""
    for node in scene.all("comparison_operator", "binary_expression"):
        if node.kind == "comparison_operator":
            if len(node.children) != 3:
                continue
            left, operator, right = node.children
        else:
            left, operator, right = node.child("left"), node.child("operator"), node.child("right")
            if left is None or operator is None or right is None:
                continue
        side, sign_ = (
            (left, operator.kind)
            if is_length(right)
            else (right, {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}.get(operator.kind, ""))
        )
        length = right if is_length(right) else left
        if not is_length(length) or sign_ not in ("<=", ">") or side.kind not in NAMES:
            continue
        if node.field == "condition" and node.parent and node.parent.kind == "for_statement":
            continue
        subject = subject_of(length)
        scope = scene.scope(node)
        if any(
            (base := inner.child("value") or inner.child("object")) is not None
            and base.text == subject
            and (index := inner.child("subscript") or inner.child("index")) is not None
            and index.text == side.text
            for inner in scope.own(*SUBSCRIPTS)
        ):
            yield operator, right
