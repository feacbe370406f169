"""Signs in the arguments of calls and in the defaults of parameters."""

import re
from collections.abc import Iterator

from sirdab.review.signs.kinds import Kind, annotation_of, kind_of
from sirdab.review.signs.look import (
    arguments,
    bare,
    callee,
    parameter_name,
    parameters_of,
    statement_of,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_MUTABLE = frozenset(
    {"list", "dictionary", "set", "list_comprehension", "dictionary_comprehension",
     "set_comprehension"}
)  # fmt: skip
_MAKERS = frozenset(
    {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict",
     "collections.defaultdict", "collections.deque", "collections.Counter",
     "collections.OrderedDict"}
)  # fmt: skip
_CHANGING = frozenset(
    {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove",
     "discard", "clear", "sort", "reverse", "appendleft"}
)  # fmt: skip
_NUMERIC = frozenset({"int", "float", "number"})


@sign("mutable-default", *PYTHON)
def mutable_default(scene: Scene) -> Iterator[Node]:
    """Yield the parameters whose default is a value that can change."""
    for parameter in scene.all("default_parameter", "typed_default_parameter"):
        value = parameter.child("value")
        if value is None or (outer := parameter.parent) is None or outer.parent is None:
            continue
        if outer.parent.kind == "lambda":
            continue
        made = value.kind == "call" and callee(value) in _MAKERS
        name = parameter_name(parameter)
        if (value.kind in _MUTABLE or made) and _is_shared(outer.parent, name):
            yield parameter


def _is_shared(function: Node, name: str) -> bool:
    """Whether a function changes a parameter, keeps it or gives it back: who only reads is safe."""
    body = function.child("body")
    for node in body.walk() if body is not None else ():
        if node.kind != "identifier" or node.text != name or (outer := node.parent) is None:
            continue
        if outer.kind == "attribute" and outer.text.rpartition(".")[2] in _CHANGING:
            return True
        if outer.kind == "subscript" and (
            outer.field == "left" or (outer.parent and outer.parent.kind == "delete_statement")
        ):
            return True
        if outer.kind in ("return_statement", "yield") or (
            outer.kind == "augmented_assignment" and node.field == "left"
        ):
            return True
        if outer.kind == "assignment" and node.field == "right":
            left = outer.child("left")
            if left is not None and left.kind in ("attribute", "subscript"):
                return True
    return False


@sign("swapped-arguments", *PYTHON, *SCRIPT)
def swapped_arguments(scene: Scene) -> Iterator[Node]:
    """Yield the calls whose arguments have the names of other parameters of the function."""
    for call in scene.all("call", "call_expression", "new_expression"):
        given = [_spoken(argument) for argument in arguments(call)]
        if len(given) < 2:
            continue
        one = scene.definitions.of_call(call)
        if one is None:
            continue
        names = [parameter_name(parameter) for parameter in parameters_of(one.node)]
        if names[:1] and names[0] in ("self", "cls") and one.owner:
            names = names[1:]
        if _is_swapped(given, names[: len(given)]) and not _is_done_both_ways(call, given):
            yield call.child("arguments") or call


def _is_swapped(given: list[str], names: list[str]) -> bool:
    """Whether two arguments have each other's names: one of another's name may well be meant."""
    for place, name in enumerate(given[: len(names)]):
        if not name or name == names[place] or name not in names:
            continue
        if given[names.index(name)] == names[place]:
            return True
    return False


def _is_done_both_ways(call: Node, given: list[str]) -> bool:
    """Whether the same statement calls the function with the arguments the other way round."""
    around = statement_of(call)
    return any(
        other is not call
        and callee(other) == callee(call)
        and sorted(texts := [_spoken(one) for one in arguments(other)]) == sorted(given)
        and texts != given
        for other in around.walk()
        if other.kind == call.kind
    )


def _spoken(argument: Node) -> str:
    """Return the name that an argument goes by: of a variable, or of the attribute at its end."""
    if argument.kind == "identifier":
        return argument.text
    if argument.kind in ("attribute", "member_expression"):
        return argument.text.rpartition(".")[2]
    return ""


@sign("falsy-default", *PYTHON)
def falsy_default(scene: Scene) -> Iterator[Node]:
    """Yield where another value takes the place of a number that may well be 0."""
    for node in scene.all("boolean_operator"):
        operator, left, right = node.child("operator"), node.child("left"), node.child("right")
        if operator is None or operator.kind != "or" or left is None or right is None:
            continue
        if not _gives_value(node):
            continue
        if (
            _is_number(scene, left)
            or _sounds_like_number(scene, left, right)
            or (_is_counting(right) and left.kind in ("identifier", "attribute", "call"))
        ):
            yield operator
    for node in scene.all("if_statement"):
        condition = bare(node.child("condition"))
        body = node.child("consequence")
        if condition is None or condition.kind != "not_operator" or body is None:
            continue
        asked = bare(condition.child("argument"))
        if asked is None or asked.kind != "identifier" or not _is_number(scene, asked):
            continue
        # Only where it then gets a value: `if not count: return` asks what it means to.
        if any(
            one.target.text == asked.text and body.holds(one.target)
            for one in scene.given(asked.text, asked)
        ):
            yield condition


@sign("falsy-default", *SCRIPT)
def falsy_script(scene: Scene) -> Iterator[Node]:
    """Yield `x || number` and `x || true`, where `??` lets 0 and false pass."""
    for node in scene.all("binary_expression"):
        operator, left, right = node.child("operator"), node.child("left"), node.child("right")
        if operator is None or operator.kind != "||" or left is None or right is None:
            continue
        right = bare(right)
        plain = left.kind in ("identifier", "member_expression", "subscript_expression")
        if right is None or not plain or not _gives_value(node):
            continue
        if (
            _is_counting(right)
            or right.kind == "true"
            or _is_default_name(right)
            or _sounds_like_number(scene, left, right)
            or _is_number(scene, left)
        ):
            yield operator


_NUMBERS = re.compile(
    r"(?i)(^|_|\.)(seconds|minutes|timeout|delay|interval|limit|count|max\w*|min\w*|size|width|"
    r"height|retries|attempts|port|offset|index|level|depth|amount|price|quantity|lifetime|ttl|"
    r"ratio|weight|volume|score|page_?size|precision|priority|threshold|duration|age)$"
)


def _sounds_like_number(scene: Scene, left: Node, right: Node) -> bool:
    """Whether a parameter that may be left out goes by the name of a number."""
    if not _NUMBERS.search(left.text) or right.kind in ("none", "null", "string", "undefined"):
        return False
    if right.kind in ("integer", "number") and right.text == "0":
        # 0 takes the place of 0.
        return False
    return left.kind == "identifier" and scene.parameter(left.text, left) is not None


def _gives_value(node: Node) -> bool:
    """Whether the value of `x or y` is kept, and not only asked whether it is true."""
    outer = node.parent
    while outer is not None and outer.kind == "parenthesized_expression":
        node, outer = outer, outer.parent
    if outer is None or node.field == "condition":
        return False
    return outer.kind not in (
        "boolean_operator", "not_operator", "if_clause", "assert_statement", "unary_expression",
        "conditional_expression",
    ) and not (outer.kind == "binary_expression" and outer.text.find("&&") >= 0)  # fmt: skip


def _is_counting(node: Node) -> bool:
    """Whether a node is a number that is not 0."""
    node_ = bare(node)
    if node_ is None or node_.kind not in ("integer", "float", "number"):
        return False
    return any(digit in "123456789" for digit in node_.text)


def _is_default_name(node: Node) -> bool:
    name = node.text.rpartition(".")[2]
    return node.kind in ("identifier", "member_expression") and (
        name.startswith(("default", "DEFAULT_", "fallback", "FALLBACK_"))
    )


def _is_number(scene: Scene, node: Node) -> bool:
    """Whether a name is a parameter, or an attribute, that is annotated as a number."""
    if kind_of(scene, node) in (Kind.WHOLE, Kind.FRACTION):
        return node.kind in ("identifier", "attribute")
    if node.kind != "identifier":
        return False
    parameter = scene.parameter(node.text, node)
    if parameter is None:
        return False
    words = annotation_of(parameter).replace("|", " ").replace("[", " ").replace("]", " ").split()
    return any(word in _NUMERIC for word in words)
