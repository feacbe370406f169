"""Comparisons, bounds and results that are another one than meant."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import (
    Edit,
    Mutation,
    Source,
    above,
    below,
    field,
    operator,
    replace,
    span,
)
from sirdab.benchmark.defects.operators.javascript_tree import (
    FUNCTIONS,
    calls,
    function_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_INVERSE = {
    "===": "!==", "!==": "===", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip
_CONDITIONS = ("if_statement", "while_statement", "return_statement")
_PURE = frozenset(
    {
        "trim", "trimStart", "trimEnd", "toLowerCase", "toUpperCase", "replace", "replaceAll",
        "concat", "padStart", "padEnd", "slice", "filter", "map",
    }
)  # fmt: skip


@operator(
    "js-loose-equality", "loose-equality", category="correctness", cwe=597, family="javascript"
)
def loose(source: Source) -> Iterator[Mutation]:
    """A comparison takes values of different types for equal."""
    for node in source.of_type("binary_expression"):
        sign = field(node, "operator")
        spelled = source.code(sign)
        sides = field(node, "left"), field(node, "right")
        if (
            sign is not None
            and spelled in ("===", "!==")
            and not any(_is_same_loosely(source, side) for side in sides)
        ):
            yield Mutation((replace(sign, spelled[:2]),))


def _is_same_loosely(source: Source, side: "Node | None") -> bool:
    """Whether comparing with something by `==` is no defect.

    What is always of one type is hardly ever compared with another one, `== null` is an idiom, and
    a text that is no number equals nothing but itself and what nobody writes.
    """
    while side is not None and side.type == "parenthesized_expression" and side.named_children:
        side = side.named_children[0]
    if side is None:
        return True
    code = source.code(side)
    if side.type == "unary_expression":
        return source.code(field(side, "operator")) in ("typeof", "void")
    if side.type == "binary_expression":
        # Always a number.
        return source.code(field(side, "operator")) in ("-", "*", "/", "%", "**")
    if side.type == "string":
        inner = code[1:-1].strip()
        return bool(inner) and not inner[:1].isdigit() and inner[:1] not in "+-."
    return code in ("null", "undefined") or code.endswith((".length", ".size"))


@operator(
    "js-negated-condition",
    "inverted-condition",
    "none-dereference",
    "wrong-operator",
    category="correctness",
    cwe=670,
    family="javascript",
)
def negated(source: Source) -> Iterator[Mutation]:
    """The condition of an if is the opposite of what it should be."""
    for node in source.of_type("if_statement"):
        outer = field(node, "condition")
        condition = outer.named_children[0] if outer is not None and outer.named_children else None
        if condition is None or function_of(node) is None:
            continue
        if condition.type == "unary_expression":
            sign, inner = field(condition, "operator"), field(condition, "argument")
            if source.code(sign) == "!":
                yield Mutation((replace(condition, source.code(inner)),))
        elif condition.type == "binary_expression":
            sign = field(condition, "operator")
            other = _INVERSE.get(source.code(sign))
            if sign is not None and other is not None:
                yield Mutation((replace(sign, other),))
        elif condition.type in ("identifier", "member_expression", "call_expression"):
            yield Mutation((Edit(condition.start_byte, condition.start_byte, "!"),))


@operator(
    "js-boolean-operator",
    "wrong-operator",
    "inverted-condition",
    category="correctness",
    cwe=480,
    family="javascript",
)
def boolean(source: Source) -> Iterator[Mutation]:
    """A condition says && for ||, or || for &&."""
    logic = ("binary_expression", "parenthesized_expression", "unary_expression")
    for node in source.of_type("binary_expression"):
        sign = field(node, "operator")
        spelled = source.code(sign)
        place = next((outer for outer in above(node) if outer.type not in logic), None)
        if sign is None or spelled not in ("&&", "||") or place is None:
            continue
        if place.type in _CONDITIONS:
            yield Mutation((replace(sign, "||" if spelled == "&&" else "&&"),))


@operator("js-index-bound", "off-by-one", category="correctness", cwe=193, family="javascript")
def index_bound(source: Source) -> Iterator[Mutation]:
    """A loop over indexes goes one too far, or a slice ends one too early."""
    for loop in source.of_type("for_statement"):
        condition = field(loop, "condition")
        if condition is None or condition.type != "binary_expression":
            continue
        sign, right = field(condition, "operator"), field(condition, "right")
        spelled = source.code(sign)
        if sign is None or right is None:
            continue
        if source.code(right).endswith(".length - 1") and spelled == "<":
            yield Mutation((replace(right, source.code(right).removesuffix(" - 1")),))
        elif spelled == "<" and function_of(loop) is not None:
            yield Mutation((replace(sign, "<="),))
        elif spelled == ">=" and source.code(right) == "0":
            yield Mutation((replace(sign, ">"),))
    for call, given in calls(source, ".slice"):
        if len(given) == 2 and function_of(call) is not None:
            end = given[1]
            code = source.code(end)
            new = code.removesuffix(" - 1") if code.endswith(" - 1") else f"{code} - 1"
            yield Mutation((replace(end, new),))


@operator(
    "js-lost-return",
    "missing-return",
    "ignored-result",
    "unused-value",
    category="correctness",
    cwe=394,
    family="javascript",
)
def lost_return(source: Source) -> Iterator[Mutation]:
    """A function or a callback computes its result and does not return it."""
    for node in source.of_type("return_statement"):
        block = node.parent
        function = None if block is None else block.parent
        if block is None or function is None or function.type not in FUNCTIONS:
            continue
        value = node.named_children[0] if node.named_children else None
        if value is None or block.named_children[-1].id != node.id or value.type == "object":
            continue
        # What the types say of a result does not keep it from getting lost.
        if value.type in ("null", "true", "false", "number", "string", "arrow_function"):
            continue
        yield Mutation((Edit(node.start_byte, value.start_byte, ""),), shows=(span(value),))


@operator(
    "js-ignored-result", "ignored-result", category="correctness", cwe=252, family="javascript"
)
def ignored_result(source: Source) -> Iterator[Mutation]:
    """A method that changes nothing is called and its result is dropped."""
    for node in source.of_type("assignment_expression"):
        left, right = field(node, "left"), field(node, "right")
        called = field(right, "function")
        name = source.code(left)
        method = source.code(field(called, "property"))
        receiver = source.code(field(called, "object"))
        own = receiver == name or receiver.startswith(f"{name}.")
        if own and method in _PURE and right is not None and right.type == "call_expression":
            yield Mutation((replace(node, source.code(right)),))


@operator(
    "js-swapped-arguments",
    "swapped-arguments",
    category="correctness",
    cwe=683,
    family="javascript",
)
def swapped(source: Source) -> Iterator[Mutation]:
    """Two arguments that are called like the parameters stand in each other's place."""
    signatures = {
        source.code(field(node, "name")): _parameters(source, node)
        for node in source.of_type("function_declaration", "method_definition")
    }
    for call in source.of_type("call_expression"):
        name = source.code(field(call, "function")).removeprefix("this.")
        parameters = signatures.get(name)
        given = field(call, "arguments")
        if parameters is None or given is None or function_of(call) is None:
            continue
        listed = given.named_children
        for first, second, one, other in zip(
            listed, listed[1:], parameters, parameters[1:], strict=False
        ):
            if _agrees(source, first, one) and _agrees(source, second, other):
                swap = (replace(first, source.code(second)), replace(second, source.code(first)))
                yield Mutation(swap)
                break


def _agrees(source: Source, argument: "Node", parameter: str) -> bool:
    if argument.type not in ("identifier", "member_expression", "subscript_expression"):
        return False
    name = source.code(argument).split("[")[0].rsplit(".", 1)[-1]
    return name == parameter


def _parameters(source: Source, function: "Node") -> list[str]:
    listed = field(function, "parameters")
    return [
        source.code(field(node, "pattern") or field(node, "left") or node)
        for node in (() if listed is None else listed.named_children)
        if node.type != "comment"
    ]


@operator("js-numeric-sort", "numeric-sort", category="correctness", family="javascript")
def numeric_sort(source: Source) -> Iterator[Mutation]:
    """Numbers are sorted as texts."""
    for call, given in calls(source, ".sort", ".toSorted"):
        if len(given) == 1 and given[0].type == "arrow_function":
            body = source.code(field(given[0], "body")).replace(" ", "")
            if body in ("a-b", "b-a", "x-y", "y-x"):
                listed = field(call, "arguments")
                if listed is not None:
                    reverse = ".reverse()" if body[0] in "by" else ""
                    yield Mutation((replace(listed, f"(){reverse}"),))


@operator("js-parse-int", "missing-radix", category="correctness", family="javascript")
def parse_int(source: Source) -> Iterator[Mutation]:
    """A number is read in whatever base its text seems to have."""
    for call, given in calls(source, "parseInt", "Number.parseInt"):
        function = call.parent
        if len(given) != 2 or source.code(given[1]) != "10":
            continue
        called = source.code(field(call, "function"))
        only = function is not None and function.type == "arrow_function"
        if (
            only
            and function is not None
            and _parameters(source, function) == [source.code(given[0])]
        ):
            yield Mutation((replace(function, called),))
        else:
            yield Mutation((Edit(given[0].end_byte, given[1].end_byte, ""),), shows=(span(call),))


@operator("js-arithmetic", "wrong-operator", category="correctness", cwe=480, family="javascript")
def arithmetic(source: Source) -> Iterator[Mutation]:
    """A sum is a difference, or a difference a sum."""
    for node in source.of_type("binary_expression", "augmented_assignment_expression"):
        sign = field(node, "operator")
        spelled = source.code(sign)
        if sign is None or function_of(node) is None:
            continue
        texts = ("string", "template_string", "array")
        if any(one.type in texts for one in (node, *below(node))):
            continue
        skipped = ("subscript_expression", "for_statement")
        if any(outer.type in skipped for outer in _up_to_function(node)):
            continue
        other = {"-": "+", "+=": "-=", "-=": "+="}.get(spelled)
        if other is not None:
            yield Mutation((replace(sign, other),))


def _up_to_function(node: "Node") -> "Iterator[Node]":
    for outer in above(node):
        if outer.type in ("statement_block", "arrow_function"):
            return
        yield outer
