"""Conditions, operators and results that are another one than meant."""

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
from sirdab.benchmark.defects.operators.python_tree import (
    calls,
    function_of,
    statement_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_INVERSE = {
    "is": "is not", "is not": "is", "in": "not in", "not in": "in", "==": "!=", "!=": "==",
    "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip
# Methods whose only effect is their result.
_PURE = frozenset(
    {
        "capitalize", "casefold", "encode", "expandtabs", "join", "lower", "lstrip", "removeprefix",
        "removesuffix", "replace", "rstrip", "strip", "sub", "title", "upper", "union",
    }
)  # fmt: skip


def _sign(node: "Node") -> "Node | None":
    signs = [child for child in node.children if not child.is_named]
    return signs[0] if len(signs) == 1 else None


@operator("identity-comparison", "identity-comparison", category="correctness", cwe=597)
def identity(source: Source) -> Iterator[Mutation]:
    """A string or a number is compared by identity."""
    for node in source.of_type("comparison_operator"):
        sign = _sign(node)
        operands = node.named_children
        if sign is None or len(operands) != 2 or function_of(node) is None:
            continue
        spelled = source.code(sign)
        if spelled in ("==", "!=") and _has_copies(source, operands[1]):
            yield Mutation((replace(sign, "is" if spelled == "==" else "is not"),))


def _has_copies(source: Source, literal: "Node") -> bool:
    """Whether equal values of a literal may be several objects: CPython shares the smallest."""
    code = source.code(literal)
    if literal.type == "integer":
        return code.isdigit() and int(code) > 256
    return literal.type == "float" or (literal.type == "string" and len(code) > 3)


@operator(
    "negated-condition",
    "inverted-condition",
    "none-dereference",
    "wrong-operator",
    category="correctness",
    cwe=670,
)
def negated(source: Source) -> Iterator[Mutation]:
    """The condition of an if is the opposite of what it should be."""
    for node in source.of_type("if_statement", "elif_clause"):
        condition = field(node, "condition")
        if condition is None or function_of(node) is None:
            continue
        if condition.type == "not_operator":
            inner = field(condition, "argument")
            yield Mutation((replace(condition, source.code(inner)),))
        elif condition.type == "comparison_operator":
            sign = _sign(condition)
            other = _INVERSE.get(source.code(sign))
            if sign is not None and other is not None:
                yield Mutation((replace(sign, other),))
        elif condition.type in ("identifier", "attribute", "call"):
            yield Mutation((Edit(condition.start_byte, condition.start_byte, "not "),))


@operator(
    "boolean-operator", "wrong-operator", "inverted-condition", category="correctness", cwe=480
)
def boolean(source: Source) -> Iterator[Mutation]:
    """A condition says `and` for `or`, or `or` for `and`."""
    for node in source.of_type("boolean_operator"):
        sign = field(node, "operator")
        outer = node.parent
        # `a or default` is no condition.
        place = next((one for one in above(node) if one.type not in _LOGIC), None)
        if sign is None or place is None or outer is None or place.type not in _CONDITIONS:
            continue
        yield Mutation((replace(sign, "or" if source.code(sign) == "and" else "and"),))


_LOGIC = ("boolean_operator", "parenthesized_expression", "not_operator")
_CONDITIONS = ("if_statement", "elif_clause", "while_statement", "return_statement")


@operator(
    "lost-return",
    "missing-return",
    "ignored-result",
    "unused-value",
    category="correctness",
    cwe=394,
)
def lost_return(source: Source) -> Iterator[Mutation]:
    """The last line of a function computes its result and does not return it."""
    for node in source.of_type("return_statement"):
        block = node.parent
        function = None if block is None else block.parent
        if function is None or function.type != "function_definition" or not node.named_children:
            continue
        value = node.named_children[0]
        if value.type in ("none", "true", "false", "integer", "string"):
            continue
        if block is not None and node.id == block.named_children[-1].id:
            yield Mutation((Edit(node.start_byte, value.start_byte, ""),), shows=(span(value),))


@operator("ignored-result", "ignored-result", category="correctness", cwe=252)
def ignored_result(source: Source) -> Iterator[Mutation]:
    """A method that changes nothing is called and its result is dropped."""
    for node in source.of_type("assignment"):
        left, right = field(node, "left"), field(node, "right")
        if left is None or right is None:
            continue
        function = field(right, "function")
        if right.type != "call" or function is None or left.type != "identifier":
            continue
        name = source.code(left)
        method = source.code(field(function, "attribute"))
        receiver = source.code(field(function, "object"))
        given = source.code(field(right, "arguments"))
        uses = receiver == name or receiver.startswith(f"{name}.") or name in _words(given)
        if (method in _PURE or source.code(function) == "sorted") and uses:
            yield Mutation((replace(node, source.code(right)),))


def _words(code: str) -> list[str]:
    return code.replace("(", " ").replace(")", " ").replace(",", " ").split()


@operator("float-equality", "float-equality", category="correctness", cwe=1077)
def float_equality(source: Source) -> Iterator[Mutation]:
    """Numbers that were rounded are compared exactly."""
    for call, given in calls(source, "math.isclose"):
        if len(given) == 2:
            first, second = (source.code(one) for one in given)
            yield Mutation((replace(call, f"{first} == {second}"),))
    for node in source.of_type("comparison_operator"):
        sign = _sign(node)
        operands = node.named_children
        if source.code(sign) != "<" or operands[0].type != "call":
            continue
        limit = source.code(operands[1])
        if source.code(field(operands[0], "function")) != "abs" or "e-" not in limit:
            continue
        inner = field(operands[0], "arguments")
        difference = None if inner is None else inner.named_children[0]
        if difference is not None and source.code(field(difference, "operator")) == "-":
            first = source.code(field(difference, "left"))
            second = source.code(field(difference, "right"))
            yield Mutation((replace(node, f"{first} == {second}"),))


@operator("integer-division", "integer-division", "wrong-operator", category="correctness", cwe=682)
def integer_division(source: Source) -> Iterator[Mutation]:
    """A division is rounded down where its fraction is meant."""
    for node in source.of_type("binary_operator"):
        sign = field(node, "operator")
        if source.code(sign) == "/" and sign is not None and _is_number(source, node):
            yield Mutation((replace(sign, "//"),))


def _is_number(source: Source, node: "Node") -> bool:
    """Whether a division is of numbers: paths are joined with the same sign."""
    operands = (field(node, "left"), field(node, "right"))
    if any(one is None or one.type == "string" for one in operands):
        return False
    right = source.code(operands[1])
    left = operands[0]
    hints = ("len(", "sum(", "total", "count", "width", "size", "factor", "limit")
    numeric = any(one.type in ("integer", "float") for one in operands if one is not None)
    aggregate = left is not None and any(
        child.type == "call" and source.code(field(child, "function")) in ("sum", "len", "abs")
        for child in (left, *below(left))
    )
    return numeric or aggregate or any(hint in right for hint in hints) or "- " in source.code(left)


@operator("arithmetic-operator", "wrong-operator", category="correctness", cwe=480)
def arithmetic(source: Source) -> Iterator[Mutation]:
    """A sum is a difference, or a difference a sum."""
    for node in source.of_type("augmented_assignment", "binary_operator"):
        sign = field(node, "operator")
        right = field(node, "right")
        if sign is None or right is None or function_of(node) is None:
            continue
        if any(child.type in ("string", "list") for child in (node, *below(node))):
            continue
        other = {"+=": "-=", "-=": "+=", "-": "+"}.get(source.code(sign))
        inside = statement_of(node).type in ("expression_statement", "return_statement")
        if other is not None and inside and not _is_index(node):
            yield Mutation((replace(sign, other),))


def _is_index(node: "Node") -> bool:
    return any(outer.type in ("subscript", "slice", "lambda") for outer in above(node))


@operator("swapped-arguments", "swapped-arguments", category="correctness", cwe=683)
def swapped(source: Source) -> Iterator[Mutation]:
    """Two arguments that are called like the parameters stand in each other's place."""
    signatures = {
        source.code(field(node, "name")): _parameters(source, node)
        for node in source.of_type("function_definition")
    }
    for call in source.of_type("call"):
        function = field(call, "function")
        name = source.code(function).removeprefix("self.").removeprefix("cls.")
        parameters = signatures.get(name)
        given = field(call, "arguments")
        if parameters is None or given is None or function_of(call) is None:
            continue
        positional = [child for child in given.named_children if child.type != "keyword_argument"]
        for first, second, one, other in zip(
            positional, positional[1:], parameters, parameters[1:], strict=False
        ):
            if _is_called(source, first, one) and _is_called(source, second, other):
                swap = (replace(first, source.code(second)), replace(second, source.code(first)))
                yield Mutation(swap)
                break


def _is_called(source: Source, argument: "Node", parameter: str) -> bool:
    """Whether an argument is a name that agrees with the name of a parameter."""
    if argument.type not in ("identifier", "attribute"):
        return False
    name = source.code(argument).rsplit(".", 1)[-1]
    return name.strip("_") == parameter.strip("_")


def _parameters(source: Source, function: "Node") -> list[str]:
    listed = field(function, "parameters")
    names: list[str] = []
    for node in () if listed is None else listed.named_children:
        name = field(node, "name")
        if node.type == "typed_parameter":
            name = node.named_children[0]
        code = source.code(node if node.type == "identifier" else name)
        if node.type in ("list_splat_pattern", "keyword_separator"):
            break
        names.append(code)
    return names[1:] if names[:1] in (["self"], ["cls"]) else names
