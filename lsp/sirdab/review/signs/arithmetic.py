"""Signs of the wrong operation in arithmetic."""

import re
from collections.abc import Iterator

from sirdab.review.calls import name_of
from sirdab.review.signs.division import is_sum
from sirdab.review.signs.kinds import Kind, kind_of
from sirdab.review.signs.lengths import is_length
from sirdab.review.signs.look import (
    CALLS,
    NAMES,
    NUMBERS,
    bare,
    called_name,
    callee,
    function_of,
    target_of,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_QUOTIENT = re.compile(
    r"(?i)(^|_)(average|avg|mean|ratio|share|percent(age)?|fraction|rate|"
    r"probability|progress|density|speed|score|normali[sz]ed|weight(ed)?|"
    r"scale|throughput|per_\w+|\w+_per_\w+|median|variance|std|utili[sz]ation|"
    r"efficiency|price|cost|factor)($|_)"
)
# What a name promises, and the operator that does not keep it.
_PROMISES: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"(?i)^_?(total|sum|subtotal|combined|add|plus|perimeter)(_(of|to)_\w+)?$"),
     frozenset({"-"})),
    (re.compile(r"(?i)(^|_)(area|volume|product)$"), frozenset({"/", "//", "+"})),
    (re.compile(r"(?i)(^|_)(average|avg|mean|ratio|share|fraction|per_\w+|speed)$"),
     frozenset({"*"})),
    (re.compile(r"(?i)(^|_)(difference|diff|delta|elapsed|remaining|discounted)$"),
     frozenset({"+"})),
)  # fmt: skip


@sign("integer-division", *PYTHON)
def integer_division(scene: Scene) -> Iterator[Node]:
    """Yield `//` where what is wanted is a fraction."""
    for node in scene.all("binary_operator"):
        operator = node.child("operator")
        if operator is None or operator.kind != "//":
            continue
        left, right = bare(node.child("left")), bare(node.child("right"))
        if left is None or right is None:
            continue
        outer = bare(node.parent) or node
        times = _is_hundredfold(outer, node)
        sides = {kind_of(scene, left), kind_of(scene, right)}
        if times or Kind.FRACTION in sides or any(
            _QUOTIENT.search(name) for name in _wanted_as(node)
        ) or _returns_fraction(node) or _is_cut_off(node) or (
            is_sum(left) and (is_length(right) or right.kind in NAMES)
        ):  # fmt: skip
            yield operator


def _is_hundredfold(outer: Node, node: Node) -> bool:
    """Whether a quotient is multiplied by 100, as a percentage is."""
    if outer.kind != "binary_operator" or outer is node:
        return False
    operator = outer.child("operator")
    return (
        operator is not None
        and operator.kind == "*"
        and any(
            side is not None and side.text in ("100", "100.0")
            for side in (outer.child("left"), outer.child("right"))
        )
    )


def _is_cut_off(node: Node) -> bool:
    """Whether something is done with a quotient that only makes sense with its fraction."""
    outer = node.parent
    while outer is not None and outer.kind == "parenthesized_expression":
        outer = outer.parent
    if outer is None:
        return False
    if outer.kind == "interpolation":
        return any(
            one.kind == "format_specifier" and re.search(r"\.\d+[f%]", one.text)
            for one in outer.children
        )
    if outer.kind == "argument_list" and outer.parent is not None:
        return callee(outer.parent) in ("math.ceil", "ceil", "round", "math.floor", "float")
    return False


def _wanted_as(node: Node) -> list[str]:
    """Return the names that say what an expression is for: its target, or its function."""
    outer: Node | None = node
    top = node
    while outer is not None and outer.kind in (
        "binary_operator", "binary_expression", "parenthesized_expression", "call", "arguments",
        "argument_list", "call_expression", "unary_operator",
    ):  # fmt: skip
        if outer.kind in CALLS and called_name(outer) not in (
            "round",
            "float",
            "int",
            "abs",
            "max",
            "min",
            "floor",
            "ceil",
        ):
            return []
        top, outer = outer, outer.parent
    target = target_of(top)
    if target is not None:
        return [target.text.rpartition(".")[2]]
    if outer is not None and outer.kind in ("keyword_argument", "pair"):
        name = outer.child("name") or outer.child("key")
        return [] if name is None else [name.text.strip("\"'")]
    if outer is not None and outer.kind in ("return_statement", "arrow_function"):
        function = function_of(node)
        return [] if function is None else [name_of(function)]
    return []


def _returns_fraction(node: Node) -> bool:
    """Whether an expression is all that a function returns that is annotated `float`."""
    outer = node.parent
    while outer is not None and outer.kind in ("binary_operator", "parenthesized_expression"):
        outer = outer.parent
    if outer is None or outer.kind != "return_statement":
        return False
    function = function_of(node)
    result = function.child("return_type") if function is not None else None
    return result is not None and result.text.lstrip("-> ").startswith("float")


@sign("wrong-operator", *PYTHON, *SCRIPT)
def wrong_arithmetic(scene: Scene) -> Iterator[Node]:
    """Yield arithmetic that does not do what the name of its result says."""
    for node in scene.all("binary_operator", "binary_expression"):
        operator = node.child("operator")
        if operator is None or operator.kind not in ("+", "-", "*", "/", "//"):
            continue
        left, right = bare(node.child("left")), bare(node.child("right"))
        if left is None or right is None or _is_plain_step(right) or _is_plain_step(left):
            continue
        if Kind.TEXT in (kind_of(scene, left), kind_of(scene, right)):
            continue
        outer = node.parent
        while outer is not None and outer.kind == "parenthesized_expression":
            outer = outer.parent
        if outer is not None and outer.kind in ("binary_operator", "binary_expression"):
            continue
        if any(
            pattern.search(name) and operator.kind in wrong
            for name in _wanted_as(node)
            for pattern, wrong in _PROMISES
        ) and not (operator.kind == "*" and (left.kind in NUMBERS or right.kind in NUMBERS)):
            yield operator
    for node in scene.all("augmented_assignment", "augmented_assignment_expression"):
        operator, left = node.child("operator"), node.child("left")
        if operator is None or left is None or operator.kind not in ("-=", "/=", "*="):
            continue
        name = left.text.rpartition(".")[2]
        promised = re.search(r"(?i)(^|_)(total|sum|subtotal|count|counts|found|seen|hits|"
                             r"\w*Count|\w*Total)$", name)  # fmt: skip
        if promised and operator.kind == "-=" and _starts_at_zero(scene, left):
            yield operator


def _is_plain_step(node: Node) -> bool:
    """Whether a node is a small number, as in `end = start - 1`."""
    return node.kind in NUMBERS and len(node.text) <= 2


def _starts_at_zero(scene: Scene, left: Node) -> bool:
    """Whether a name is only ever counted from 0, and never in the other direction."""
    given = scene.given(left.text, left)
    plain = [one for one in given if not one.how.startswith("augmented")]
    others = [one for one in given if one.how.startswith("augmented") and one.target is not left]
    return (
        bool(plain)
        and all(one.value is not None and one.value.text in ("0", "0.0") for one in plain)
        and not others
    )
