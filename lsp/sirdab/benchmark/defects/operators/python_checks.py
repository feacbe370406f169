"""Checks that are missing: of nothing, of zero, of what stands for none."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import (
    Mutation,
    Source,
    below,
    field,
    operator,
    replace,
    span,
    without_lines,
)
from sirdab.benchmark.defects.operators.python_tree import (
    body_of,
    following,
    function_of,
    only_statement,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_LEAVES = ("return_statement", "raise_statement", "continue_statement", "break_statement")


def guards(source: Source) -> "Iterator[tuple[Node, Node]]":
    """Yield the ifs that only leave the function or the loop, with their conditions."""
    for node in source.of_type("if_statement"):
        condition = field(node, "condition")
        body = body_of(node)
        if condition is None or field(node, "alternative") is not None or not body:
            continue
        if body[-1].type in _LEAVES and function_of(node) is not None:
            yield node, condition


@operator("none-check", "none-dereference", category="correctness", cwe=476)
def none_check(source: Source) -> Iterator[Mutation]:
    """What may be None is used without a look at it."""
    for guard, condition in guards(source):
        code = source.code(condition)
        name = code.removeprefix("not ").removesuffix(" is None")
        if name == code or not name.isidentifier():
            continue
        use = _use_of(source, following(guard), name)
        if use is not None and not _is_default(source, guard, name):
            yield Mutation((without_lines(source, guard),), shows=(span(use),))


def _use_of(source: Source, statements: "list[Node]", name: str) -> "Node | None":
    """Return the first use of a name that fails with None: an attribute, an item, its parts."""
    for statement in statements:
        for node in (statement, *below(statement)):
            value = field(node, "object") if node.type == "attribute" else field(node, "value")
            if node.type in ("attribute", "subscript") and source.code(value) == name:
                return node
            unpacked = field(node, "left")
            parts = unpacked is not None and unpacked.type == "pattern_list"
            if node.type == "assignment" and parts and source.code(field(node, "right")) == name:
                return node
    return None


def _is_default(source: Source, guard: "Node", name: str) -> bool:
    """Whether the guard gives the name a value instead of leaving."""
    return any(source.code(one).startswith(f"{name} =") for one in body_of(guard))


@operator("division-guard", "division-by-zero", category="correctness", cwe=369)
def division_guard(source: Source) -> Iterator[Mutation]:
    """A division is done without a look at whether its divisor is zero."""
    for guard, condition in guards(source):
        for statement in following(guard):
            found = next(_divisions(source, statement), None)
            if found is None:
                continue
            divisor = source.code(field(found, "right"))
            if _is_about(source, source.code(condition), divisor):
                yield Mutation((without_lines(source, guard),), shows=(span(found),))
            break
    for node in source.of_type("conditional_expression"):
        kept, condition, _ = _parts(node)
        found = next(_divisions(source, kept), None)
        if found is None:
            continue
        if _is_about(source, source.code(condition), source.code(field(found, "right"))):
            yield Mutation((replace(node, source.code(kept)),))


def _parts(node: "Node") -> "list[Node]":
    """Return the three parts of a conditional expression; comments may stand between them."""
    return [one for one in node.named_children if one.type != "comment"]


def _divisions(source: Source, node: "Node") -> "Iterator[Node]":
    for one in (node, *below(node)):
        if one.type == "binary_operator" and source.code(field(one, "operator")) in ("/", "//"):
            yield one


def _is_about(source: Source, condition: str, divisor: str) -> bool:
    del source
    subject = divisor.removeprefix("len(").removesuffix(")").removeprefix("(")
    said = condition.removeprefix("not ").split(" ")[0]
    return said in (subject, f"len({subject})") or said.endswith(f".{subject}")


@operator("falsy-default", "falsy-default", "inverted-condition", category="correctness", cwe=480)
def falsy_default(source: Source) -> Iterator[Mutation]:
    """Zero and the empty text are taken for nothing given."""
    for node in source.of_type("conditional_expression"):
        first, condition, second = (source.code(one) for one in _parts(node))
        if condition == f"{first} is not None":
            yield Mutation((replace(node, f"{first} or {second}"),))
        elif condition == f"{second} is None":
            yield Mutation((replace(node, f"{second} or {first}"),))
    for node in source.of_type("if_statement"):
        condition = field(node, "condition")
        code = source.code(condition)
        name = code.removesuffix(" is None").removesuffix(" is not None")
        inner = body_of(node)
        if condition is None or name == code or not name.isidentifier() or len(inner) != 1:
            continue
        if " is not None" in code and only_statement(inner[0], "assignment") is not None:
            yield Mutation((replace(condition, name),))
