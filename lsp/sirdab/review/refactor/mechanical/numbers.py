"""Numbers: how they are sorted, read, divided and counted."""

import re

from sirdab.review.refactor.mechanical.case import (
    Case,
    Change,
    arguments_of,
    function_around,
    operands_of,
    operator_of,
    replaced,
    whole,
)
from sirdab.review.refactor.mechanical.registry import PYTHON, SCRIPT, mends
from sirdab.review.tree import Node

_PARSE = re.compile(r"(?:Number\.|window\.|globalThis\.)?parseInt")


@mends("numeric-sort", *SCRIPT)
def by_number(case: Case) -> list[Change] | None:
    """Sort numbers as numbers."""
    found: list[Change] = []
    for call in case.all("call_expression"):
        on, given = call.child("function"), call.child("arguments")
        if on is None or given is None or arguments_of(call) != []:
            continue
        if on.kind == "member_expression" and _name(on) in ("sort", "toSorted"):
            found.append(replaced(given, "((a, b) => a - b)"))
    return found if len(found) == 1 else None


@mends("missing-radix", *SCRIPT)
def in_tens(case: Case) -> list[Change] | None:
    """Read numbers as decimal ones."""
    found: list[Change] = []
    for call in case.all("call_expression"):
        on, given = call.child("function"), arguments_of(call)
        if on is None or given is None:
            continue
        if _PARSE.fullmatch(on.text) and len(given) == 1 and given[0].kind != "spread_element":
            found.append(Change(given[0].end, given[0].end, ", 10"))
        elif _name(on) == "map" and len(given) == 1 and _PARSE.fullmatch(given[0].text):
            found.append(replaced(given[0], f"(text) => {whole(given[0])}(text, 10)"))
    return found


@mends("integer-division", *PYTHON)
def exactly(case: Case) -> list[Change] | None:
    """Divide without rounding, where there is one division in the lines."""
    found = [
        operator
        for node in case.all("binary_operator")
        if (operator := operator_of(node)) is not None and operator.kind == "//"
    ]
    if len(found) != 1 or _counts(found[0]):
        return None
    return [replaced(found[0], "/")]


def _counts(node: Node) -> bool:
    """Whether the result of a division is an index or a number of times, which must be whole."""
    function = function_around(node)
    for outer in node.ancestors():
        if outer is function:
            break
        if outer.kind in ("subscript", "slice") or outer.text.startswith("range("):
            return True
        left = outer.child("left") if outer.kind == "assignment" else None
        if left is not None and left.kind == "identifier" and function is not None:
            return any(
                one.kind == "identifier"
                and one.text == left.text
                and (one.field == "subscript" or _counts_directly(one))
                for one in function.walk()
            )
    return False


def _counts_directly(name: Node) -> bool:
    outer = name.parent
    while outer is not None and outer.kind in ("binary_operator", "argument_list"):
        if outer.field == "subscript":
            return True
        outer = outer.parent
    return outer is not None and (
        outer.kind == "slice" or (outer.kind == "call" and outer.text.startswith("range("))
    )


@mends("off-by-one", *PYTHON)
def within_range(case: Case) -> list[Change] | None:
    """Take the 1 from `range(len(x) + 1)` where `x[i]` follows, and mend `x[len(x)]`."""
    for loop in case.all("for_statement"):
        name, over, body = loop.child("left"), loop.child("right"), loop.child("body")
        given = None if over is None or over.kind != "call" else arguments_of(over)
        if name is None or over is None or body is None or not given or len(given) > 2:
            continue
        bound = given[-1]
        operator, sides = operator_of(bound), operands_of(bound)
        if not over.text.startswith("range(") or operator is None or sides is None:
            continue
        length = _measured(sides[0])
        if operator.kind == "+" and sides[1].text == "1" and length:
            if _is_index(body, length, name.text):
                return [replaced(bound, whole(sides[0]))]
            return None
    for node in case.all("subscript"):
        value, index = node.child("value"), node.child("subscript")
        if node.field == "left":
            # A dict may be filled so.
            return None
        if value is not None and index is not None and _measured(index) == value.text:
            return [replaced(index, "-1")]
    return None


@mends("off-by-one", *SCRIPT)
def within_length(case: Case) -> list[Change] | None:
    """Make `i <= x.length` `i < x.length` in a loop where `x[i]` follows."""
    for loop in case.all("for_statement"):
        bound, body = loop.child("condition"), loop.child("body")
        operator = None if bound is None else operator_of(bound)
        sides = None if bound is None else operands_of(bound)
        if operator is None or sides is None or body is None or operator.kind != "<=":
            continue
        name, dot, length = sides[1].text.rpartition(".")
        if dot and length == "length" and _is_index(body, name, sides[0].text):
            return [replaced(operator, "<")]
    return None


def _measured(node: Node) -> str:
    """Return what `len(...)` is asked of, "" where a node is no such call."""
    if node.kind != "call" or not node.text.startswith("len("):
        return ""
    given = arguments_of(node)
    return given[0].text if given is not None and len(given) == 1 else ""


def _is_index(body: Node, name: str, index: str) -> bool:
    """Whether `name[index]` is read in a block, and the index is not asked about first."""
    reads = False
    for node in body.walk():
        if node.kind in ("subscript", "subscript_expression"):
            value = node.child("value") or node.child("object")
            at = node.child("subscript") or node.child("index")
            if value is not None and at is not None and (value.text, at.text) == (name, index):
                reads = True
        elif node.kind in ("comparison_operator", "binary_expression"):
            sides = operands_of(node)
            operator = operator_of(node)
            asks = operator is None or operator.kind in ("<", ">", "==", "===", "<=", ">=", "!==")
            if asks and sides is not None and index in (sides[0].text, sides[1].text):
                return False
    return reads


def _name(member: Node) -> str:
    named = member.child("property")
    return "" if named is None else named.text
