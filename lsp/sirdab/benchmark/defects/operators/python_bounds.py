"""Bounds that are one too many or too few."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import (
    Edit,
    Mutation,
    Source,
    below,
    field,
    operator,
    replace,
    span,
)
from sirdab.benchmark.defects.operators.python_tree import calls, function_of

if TYPE_CHECKING:
    from tree_sitter import Node


@operator("range-bound", "off-by-one", category="correctness", cwe=193)
def range_bound(source: Source) -> Iterator[Mutation]:
    """A range over the indexes of a sequence ends one too late, or begins one too late."""
    for call, given in calls(source, "range"):
        loop = call.parent
        if not given or len(given) > 2 or loop is None or not _indexes(source, loop):
            continue
        last = given[-1]
        if last.type == "binary_operator" and source.code(last).endswith(" - 1"):
            yield Mutation((replace(last, source.code(field(last, "left"))),))
        elif "len(" in source.code(last) or last.type in ("identifier", "attribute"):
            yield Mutation((replace(last, f"{source.code(last)} + 1"),))
            if len(given) == 1 and source.code(last).startswith("len("):
                yield Mutation((Edit(last.start_byte, last.start_byte, "1, "),))
            elif len(given) == 2 and source.code(given[0]) == "1":
                yield Mutation((replace(given[0], "2"),))


def _indexes(source: Source, loop: "Node") -> bool:
    """Whether the variable of a loop, or of a comprehension, is used in a subscript."""
    variable = source.code(field(loop, "left"))
    body = field(loop, "body") or loop.parent
    if not variable.isidentifier() or body is None:
        return False
    return any(
        variable in source.code(node).split("[", 1)[1]
        for node in below(body)
        if node.type == "subscript"
    )


@operator("index-bound", "off-by-one", category="correctness", cwe=193)
def index_bound(source: Source) -> Iterator[Mutation]:
    """A comparison with a length or an end takes one too many or too few."""
    for node in source.of_type("comparison_operator"):
        sign = _sign(node)
        if sign is None or function_of(node) is None:
            continue
        code = source.code(node)
        looping = node.parent is not None and _guards(node)
        other = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}.get(source.code(sign))
        if other is not None and (looping or "len(" in code):
            yield Mutation((replace(sign, other),))


def _sign(node: "Node") -> "Node | None":
    """Return the operator of a comparison of two."""
    signs = [child for child in node.children if not child.is_named]
    return signs[0] if len(signs) == 1 else None


def _guards(node: "Node") -> bool:
    outer = node.parent
    while outer is not None and outer.type in ("boolean_operator", "parenthesized_expression"):
        outer = outer.parent
    return outer is not None and outer.type == "while_statement"


@operator("slice-bound", "off-by-one", category="correctness", cwe=193)
def slice_bound(source: Source) -> Iterator[Mutation]:
    """A slice or an index from the end leaves one out."""
    for node in source.of_type("subscript"):
        index = field(node, "subscript")
        if index is None or function_of(node) is None:
            continue
        if index.type != "slice":
            if source.code(index) == "-1":
                yield Mutation((replace(index, f"len({source.code(field(node, 'value'))})"),))
            continue
        parts = source.code(index).split(":")
        ends = [child for child in index.named_children if child.start_byte >= _colon(index)]
        if len(parts) != 2 or "[" in parts[0] + parts[1]:
            continue
        if ends:
            end = ends[0]
            if end.type == "binary_operator" and source.code(end).endswith(" - 1"):
                yield Mutation((replace(end, source.code(field(end, "left"))),))
            else:
                yield Mutation((replace(end, f"{source.code(end)} - 1"),))
        else:
            start = index.named_children[0] if index.named_children else None
            if start is not None and start.type in ("identifier", "attribute", "unary_operator"):
                yield Mutation((replace(start, f"{source.code(start)} + 1"),))


def _colon(index: "Node") -> int:
    return next(child.start_byte for child in index.children if child.type == ":")


@operator("rank-bound", "off-by-one", category="correctness", cwe=193)
def rank_bound(source: Source) -> Iterator[Mutation]:
    """The step from a count to an index, or back, is left out."""
    for node in source.of_type("subscript"):
        index = field(node, "subscript")
        if index is None or index.type != "binary_operator" or function_of(node) is None:
            continue
        right = field(index, "right")
        if source.code(right) == "1" and not _neighbour(source, node):
            yield Mutation((replace(index, source.code(field(index, "left"))),))
    for call, given in calls(source, "enumerate"):
        if len(given) == 2 and source.code(given[1]) == "1":
            edit = Edit(given[0].end_byte, given[1].end_byte, "")
            yield Mutation((edit,), shows=(span(call),))


def _neighbour(source: Source, node: "Node") -> bool:
    """Whether a subscript stands beside one of the same sequence without the step."""
    statement = node.parent
    value = source.code(field(node, "value"))
    index = field(node, "subscript")
    left = source.code(field(index, "left"))
    return statement is not None and f"{value}[{left}]" in source.code(statement)
