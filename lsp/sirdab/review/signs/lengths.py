"""How many items something has, and bounds that are reckoned from it."""

from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    NUMBERS,
    arguments,
    bare,
    called_name,
    callee,
    receiver,
)
from sirdab.review.tree import Node


def is_length(node: Node) -> bool:
    """Whether an expression is the number of items of something."""
    if node.kind in CALLS:
        return callee(node) == "len" or called_name(node) in ("count", "size")
    if node.kind in MEMBERS:
        return node.text.rpartition(".")[2] in ("length", "size")
    return False


def is_taken_from_end(node: Node) -> bool:
    """Whether a lower bound is `-n + 1`."""
    left = node.child("left")
    return (
        left is not None
        and left.kind in ("unary_operator", "unary_expression")
        and (step_of(node) == 1)
    )


def step_of(stop: Node) -> int:
    """Return the number that is added to a bound, 0 for none."""
    if stop.kind not in ("binary_operator", "binary_expression"):
        return 0
    operator, right = stop.child("operator"), stop.child("right")
    if operator is None or right is None or not right.text.isdigit() or len(right.text) > 2:
        return 0
    return {"+": 1, "-": -1}.get(operator.kind, 0) * int(right.text)


def is_one_less(part: Node) -> bool:
    """Whether a bound of a slice is something less, or its length more, one."""
    part_ = bare(part)
    if part_ is None or part_.kind not in ("binary_operator", "binary_expression"):
        return False
    right, left = part_.child("right"), bare(part_.child("left"))
    if right is None or right.text != "1" or left is None or left.kind in NUMBERS:
        return False
    if is_taken_from_end(part_):
        return True
    step = step_of(part_)
    if step < 0:
        # `x[: len(x) - 1]` leaves out the last one, and says so.
        return not is_length(left) and (left.kind in NAMES or left.kind in MEMBERS or adds(left))
    return step > 0 and _subtracts_from_length(left)


def adds(node: Node) -> bool:
    """Whether an expression is a sum."""
    operator = node.child("operator")
    return operator is not None and operator.kind == "+"


def _subtracts_from_length(node: Node) -> bool:
    operator, left = node.child("operator"), node.child("left")
    return operator is not None and operator.kind == "-" and left is not None and is_length(left)


def subject_of(length: Node) -> str:
    """Return the text of what a length is of; see `is_length`."""
    if length.kind in CALLS:
        given, on = arguments(length), receiver(length)
        return given[0].text if given else ("" if on is None else on.text)
    base = length.child("object")
    return "" if base is None else base.text


def is_of_length(node: Node) -> bool:
    """Whether the left side of an expression is a length."""
    left = bare(node.child("left"))
    return left is not None and is_length(left)
