"""Signs of divisions by what may be zero."""

import re
from collections.abc import Iterator

from sirdab.review.signs.guards import bases_of, is_any_tested, is_tried
from sirdab.review.signs.kinds import Kind, annotation_of, kind_of
from sirdab.review.signs.lengths import adds, is_length
from sirdab.review.signs.look import (
    CALLS,
    LOOPS,
    MEMBERS,
    NAMES,
    NUMBERS,
    STRINGS,
    arguments,
    bare,
    called_name,
    callee,
    mentions,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_COUNT = re.compile(
    r"(?i)(^|_)(n|num|count|counts?|total|size|length|len|duration|elapsed|weight|"
    r"denominator|divisor|spread|std_?dev|std|deviation|variance|norm|magnitude|samples|population|attempts|hits|seconds|"
    r"\w*Count|\w*Total|\w*Length)$"
)
_PATHS = re.compile(
    r"((?i:path|dir|folder|root|base|here|home|parent|cwd|prefix|tmp|file|name|url|location|cache|"
    r"dest|source|target)s?|^_?[A-Z_]+)$"
)


@sign("division-by-zero", *PYTHON, *SCRIPT)
def division_by_zero(scene: Scene) -> Iterator[Node]:
    """Yield divisions by what may be zero, where nothing has asked."""
    for node in scene.all("binary_operator", "binary_expression", "augmented_assignment",
                          "augmented_assignment_expression"):  # fmt: skip
        operator, divisor = node.child("operator"), bare(node.child("right"))
        left = bare(node.child("left"))
        if operator is None or divisor is None or left is None:
            continue
        if operator.kind not in ("/", "//", "%", "/=", "//=", "%="):
            continue
        if left.kind in STRINGS or kind_of(scene, left) is Kind.TEXT:
            continue
        if not _may_be_zero(scene, divisor, left):
            continue
        if any(divisor is inner or _is_floored(outer) for outer in divisor.ancestors()
               for inner in () if outer is node):  # fmt: skip
            continue
        if _is_asked(scene, divisor, node) or is_tried(node, "ZeroDivisionError", "Arithmetic"):
            continue
        yield node


def _is_floored(node: Node) -> bool:
    return node.kind in CALLS and called_name(node) == "max"


def _may_be_zero(scene: Scene, divisor: Node, left: Node) -> bool:
    if is_length(divisor):
        return not _is_of_constant(divisor)
    if divisor.kind in ("binary_operator", "binary_expression"):
        operator = divisor.child("operator")
        if operator is None or operator.kind != "-":
            return False
        parts = bare(divisor.child("left")), bare(divisor.child("right"))
        return any(part is not None and (is_length(part) or _is_extreme(scene, part))
                   for part in parts)  # fmt: skip
    if divisor.kind not in NAMES and divisor.kind not in MEMBERS:
        return False
    last = divisor.text.rpartition(".")[2]
    if last.isupper() or kind_of(scene, divisor) is Kind.TEXT:
        return False
    values = [bare(one.value) for one in scene.given(divisor.text, divisor)]
    if any(value is not None and (is_length(value) or is_sum(value) or value.text in ("0", "0.0"))
           for value in values):  # fmt: skip
        return True
    if _COUNT.search(last):
        return not _is_path(scene, left) and not _is_never_zero(values)
    if any(value is not None and _adds_counts(value) for value in values):
        return True
    parameter = scene.parameter(divisor.text, divisor) if divisor.kind in NAMES else None
    if parameter is None or _is_path(scene, left) or _PATHS.search(last):
        return False
    annotated = annotation_of(parameter)
    if annotated:
        return bool(re.search(r"\b(int|float|number|Decimal)\b", annotated))
    if (parameter.child("value") or parameter.child("right")) is not None:
        return False
    return _is_number(scene, left)


def _adds_counts(node: Node) -> bool:
    """Whether a value is the sum of two counts: `self.hits + self.misses`."""
    if node.kind not in ("binary_operator", "binary_expression") or not adds(node):
        return False
    sides = bare(node.child("left")), bare(node.child("right"))
    return all(
        side is not None
        and (side.kind in MEMBERS or side.kind in NAMES)
        and _HITS.search(side.text.rpartition(".")[2])
        for side in sides
    )


def _is_number(scene: Scene, node: Node) -> bool:
    """Whether an expression is surely a number: it is reckoned, or another plain parameter is."""
    if kind_of(scene, node) in (Kind.WHOLE, Kind.FRACTION) or is_length(node) or is_sum(node):
        return True
    if node.kind in ("binary_operator", "binary_expression"):
        operator = node.child("operator")
        return operator is not None and operator.kind in ("-", "*", "**")
    if node.kind in CALLS:
        return callee(node) in ("abs", "round", "max", "min", "math.sqrt", "Math.abs")
    return (
        node.kind in NAMES
        and scene.parameter(node.text, node) is not None
        and (_SIZES.search(node.text) is not None)
    )


_HITS = re.compile(
    r"(?i)(hits|misses|passed|failed|wins|losses|errors|total|count|positives?|"
    r"negatives?|yes|no|done|left|used|free|read|written|asked|answered)$"
)
_SIZES = re.compile(
    r"(?i)(width|height|total|amount|sum|distance|length|size|price|count|bytes|"
    r"seconds|elapsed|value|numerator|cents|weight)$"
)


def _is_never_zero(values: list[Node | None]) -> bool:
    """Whether all that a name is given is a number that is not 0, or at least that."""
    return bool(values) and all(
        value is not None
        and (
            (value.kind in NUMBERS and any(digit in "123456789" for digit in value.text))
            or (value.kind in CALLS and called_name(value) == "max")
            or (value.kind == "boolean_operator" and " or " in value.text)
        )
        for value in values
    )


def _is_of_constant(node: Node) -> bool:
    given = arguments(node) if node.kind in CALLS else []
    subject = given[0] if given else node.child("object")
    if subject is None:
        return False
    return subject.text.rpartition(".")[2].isupper() or subject.kind in STRINGS


def is_sum(node: Node) -> bool:
    """Whether an expression is the sum of some values."""
    return node.kind in CALLS and (
        callee(node) in ("sum", "math.fsum", "fsum") or called_name(node) == "reduce"
    )


def _is_extreme(scene: Scene, node: Node) -> bool:
    """Whether a node is the smallest or largest of some values."""
    if node.kind in CALLS:
        return callee(node) in ("min", "max", "Math.min", "Math.max")
    values = [bare(one.value) for one in scene.given(node.text, node)] if node.kind in NAMES else []
    return any(
        value is not None and value.kind in CALLS and callee(value) in ("min", "max", "Math.max")
        for value in values
    )


def _is_path(scene: Scene, node: Node) -> bool:
    if node.kind in CALLS:
        return callee(node).endswith("Path") or called_name(node) in ("resolve", "home", "cwd")
    if node.kind in ("binary_operator", "subscript"):
        inner = node.child("left") or node.child("value")
        return inner is not None and _is_path(scene, inner)
    if kind_of(scene, node) in (Kind.WHOLE, Kind.FRACTION):
        return False
    return bool(_PATHS.search(node.text.rpartition(".")[2]))


def _is_asked(scene: Scene, divisor: Node, node: Node) -> bool:
    """Whether a condition asks for a divisor, or for what it was reckoned from."""
    texts = bases_of(divisor)
    if divisor.kind in MEMBERS:
        texts.add(divisor.text)
    texts -= {"length", "size"}
    for text in list(texts):
        for one in scene.given(text, node):
            if one.value is not None and one.value.end <= node.start:
                texts |= bases_of(one.value)
    if is_any_tested(scene, texts, node):
        return True
    # Within a loop over the same values there is at least one.
    for outer in node.ancestors():
        if outer.kind in LOOPS:
            right = outer.child("right")
            if right is not None and any(mentions(right, text) for text in texts):
                return True
        if outer.kind in ("function_definition", "function_declaration", "method_definition"):
            break
    return False
