"""Defaults: those that are shared between calls, and those that replace a zero."""

from sirdab.review.refactor.mechanical.case import (
    Case,
    Change,
    function_around,
    indent_of,
    operator_of,
    replaced,
    whole,
)
from sirdab.review.refactor.mechanical.registry import PYTHON, SCRIPT, mends
from sirdab.review.tree import Node

_MADE = frozenset({"list()", "dict()", "set()"})


@mends("mutable-default", *PYTHON)
def made_anew(case: Case) -> list[Change] | None:
    """Make a default list, dict or set anew at each call, behind the docstring."""
    found: list[Change] = []
    for function in case.all("function_definition"):
        head, body = function.child("parameters"), function.child("body")
        if head is None or body is None or not body.children:
            continue
        first = body.children[0]
        indent = indent_of(first)
        if not indent:
            return None
        lines: list[str] = []
        for one in head.children:
            value, name, type_ = one.child("value"), one.child("name"), one.child("type")
            if value is None or name is None or not _is_mutable(value):
                continue
            if type_ is not None and not _takes_none(type_):
                return None
            found.append(replaced(value, "None"))
            lines.append(f"if {name.text} is None:\n{_step(indent, function)}{name.text} = ")
            lines[-1] += whole(value)
        if lines and first.children and first.children[0].kind == "string":
            found.append(Change(first.end, first.end, "".join(f"\n{indent}{s}" for s in lines)))
        elif lines:
            found.append(Change(first.start, first.start, "".join(f"{s}\n{indent}" for s in lines)))
    return found


def _is_mutable(value: Node) -> bool:
    return value.kind in ("list", "dictionary") or value.text in _MADE


def _takes_none(type_: Node) -> bool:
    return "None" in type_.text or type_.text.startswith("Optional[")


def _step(indent: str, function: Node) -> str:
    """Return the indentation of a block within the body of a function."""
    one = indent.removeprefix(indent_of(function)) or "    "
    return indent + one


@mends("falsy-default", *SCRIPT)
def unless_nullish(case: Case) -> list[Change] | None:
    """Let a default take the place of null and undefined only."""
    node = case.pointed("binary_expression") if case.shown is not None else None
    if node is None:
        found = [
            one
            for one in case.all("binary_expression")
            if (sign := operator_of(one)) is not None and sign.kind == "||"
        ]
        node = found[0] if len(found) == 1 else None
    operator = None if node is None else operator_of(node)
    if node is None or operator is None or operator.kind != "||":
        return None
    # `??` must not stand beside `||` or `&&` without parentheses.
    for one in (node.parent, *node.children):
        sign = operator_of(one) if one is not None and one.kind == "binary_expression" else None
        if sign is not None and sign.kind in ("||", "&&"):
            return None
    return [replaced(operator, "??")]


@mends("falsy-default", *PYTHON)
def unless_none(case: Case) -> list[Change] | None:
    """Let a default take the place of None only."""
    node = case.pointed("boolean_operator")
    operator = None if node is None else operator_of(node)
    if node is None or operator is None or operator.kind != "or":
        return None
    value, default = node.child("left"), node.child("right")
    if value is None or default is None or value.kind not in ("identifier", "attribute"):
        return None
    if default.kind in ("boolean_operator", "conditional_expression", "lambda"):
        return None
    given = f"{whole(default)} if {value.text} is None else {value.text}"
    is_alone = node.field == "right" or (
        node.parent is not None and node.parent.kind in ("return_statement", "argument_list")
    )
    return [replaced(node, given if is_alone else f"({given})")]


@mends("late-binding", *PYTHON)
def bound_now(case: Case) -> list[Change] | None:
    """Bind the variable of a loop when the function is made, by a default."""
    made = case.pointed("lambda") or case.only("lambda")
    if made is None or made.child("parameters") is not None:
        return None
    body = made.child("body")
    function = function_around(made)
    names: list[str] = []
    for loop in made.ancestors():
        if loop is function:
            break
        left = loop.child("left") if loop.kind == "for_statement" else None
        if left is not None:
            names.extend(one.text for one in left.walk() if one.kind == "identifier")
    if body is None:
        return None
    read = {one.text for one in body.walk() if one.kind == "identifier"}
    used = [name for name in dict.fromkeys(names) if name in read]
    if not used:
        return None
    given = ", ".join(f"{name}={name}" for name in used)
    return [Change(made.start, made.start + len(b"lambda"), f"lambda {given}")]


@mends("late-binding", *SCRIPT)
def bound_by_let(case: Case) -> list[Change] | None:
    """Make the variable of a loop one of each round, where nothing reads it behind the loop."""
    for loop in case.root.walk():
        if loop.kind != "for_statement" or not loop.row <= case.first <= loop.end_row:
            continue
        made = loop.child("initializer")
        if made is None or made.kind != "variable_declaration":
            continue
        names = {named.text for one in made.children if (named := one.child("name")) is not None}
        function = function_around(loop) or case.root
        outside = (
            one
            for one in function.walk()
            if one.kind == "identifier" and one.text in names and not loop.holds(one)
        )
        if names and next(outside, None) is None:
            return [Change(made.start, made.start + len(b"var"), "let")]
    return None
