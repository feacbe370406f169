"""Work that grows faster than it has to."""

import re
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
    without_lines,
)
from sirdab.benchmark.defects.operators.python_tree import (
    body_of,
    calls,
    following,
    function_of,
    in_loop,
    only_statement,
    statement_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node


def _assigned(source: Source) -> "Iterator[tuple[Node, str, Node, Node]]":
    """Yield the assignments to a plain name: the assignment, the name, the value, the function."""
    for node in source.of_type("assignment"):
        left, right, function = field(node, "left"), field(node, "right"), function_of(node)
        if left is None or right is None or function is None or left.type != "identifier":
            continue
        yield node, source.code(left), right, function


def _uses(source: Source, function: "Node", name: str) -> "list[Node]":
    return [
        node for node in below(function) if node.type == "identifier" and source.code(node) == name
    ]


@operator("list-membership", "quadratic-loop", category="performance", cwe=407)
def list_membership(source: Source) -> Iterator[Mutation]:
    """A list is searched for each item of a loop, where a set would do."""
    for _, name, right, function in _assigned(source):
        made = _as_list(source, right)
        tests = [node for node in _uses(source, function, name) if _is_searched(source, node)]
        if made is None or not tests:
            continue
        edits = [made]
        fits = True
        for node in _uses(source, function, name):
            outer = node.parent
            if outer is None or outer.type != "attribute" or field(outer, "object") != node:
                continue
            method = field(outer, "attribute")
            if source.code(method) == "add" and method is not None:
                edits.append(replace(method, "append", marks=False))
            else:
                fits = False
        if fits:
            yield Mutation(tuple(edits), shows=tuple(span(node) for node in tests))


def _as_list(source: Source, right: "Node") -> Edit | None:
    """Return the edit that makes a set a list."""
    given = field(right, "arguments")
    if right.type == "call" and source.code(field(right, "function")) in ("set", "frozenset"):
        if given is None or not given.named_child_count:
            return replace(right, "[]")
        return replace(right, f"list{source.code(given)}")
    if right.type in ("set_comprehension", "set"):
        return replace(right, f"[{source.code(right)[1:-1]}]")
    return None


def _is_searched(source: Source, node: "Node") -> bool:
    """Whether a name is the right side of an `in` within a loop."""
    outer = node.parent
    if outer is None or outer.type != "comparison_operator" or not in_loop(outer):
        return False
    signs = {source.code(child) for child in outer.children if not child.is_named}
    return bool(signs & {"in", "not in"}) and outer.named_children[-1] == node


@operator("list-queue", "quadratic-loop", category="performance", cwe=407)
def list_queue(source: Source) -> Iterator[Mutation]:
    """A queue is a list whose first item is taken out, which moves all others."""
    for _, name, right, function in _assigned(source):
        called = source.code(field(right, "function"))
        if right.type != "call" or called not in ("deque", "collections.deque"):
            continue
        given = source.code(field(right, "arguments"))
        made = "[]" if given == "()" else f"list{given}"
        edits: list[Edit] = []
        for use in _uses(source, function, name):
            taken = use.parent
            method = None if taken is None else taken.parent
            if source.code(taken) == f"{name}.popleft" and method is not None:
                edits.append(replace(method, f"{name}.pop(0)"))
        if not edits:
            continue
        yield Mutation((replace(right, made, marks=False), *edits))


@operator("query-in-loop", "query-in-loop", category="performance", cwe=1050)
def query_in_loop(source: Source) -> Iterator[Mutation]:
    """A query is made for each item, where one for all would do."""
    for call, given in calls(source, ".executemany"):
        if len(given) != 2:
            continue
        statement = statement_of(call)
        if only_statement(statement, "call") is None:
            continue
        indent = source.indent(statement)
        connection = source.code(field(call, "function")).removesuffix(".executemany")
        rows = source.code(given[1])
        query = source.code(given[0])
        text = f"for row in {rows}:\n{indent}    {connection}.execute({query}, row)"
        yield Mutation((replace(statement, text),))
    for node, _, right, function in _assigned(source):
        mutation = _one_by_one(source, node, right, function)
        if mutation is not None:
            yield mutation


_IN = re.compile(r"\b(\w+) IN \(\{(\w+)\}\)")


def _one_by_one(source: Source, node: "Node", right: "Node", function: "Node") -> Mutation | None:
    """Make of a query with `IN (...)` one query for each item."""
    call = right
    if source.code(field(call, "function")).rsplit(".", 1)[-1] != "execute":
        return None
    given = field(call, "arguments")
    parts = [] if given is None else given.named_children
    if len(parts) != 2:
        return None
    query, values = source.code(parts[0]), source.code(parts[1])
    match = _IN.search(query)
    marks = next(
        (
            one
            for one in body_of(function)
            if match is not None and source.code(one).startswith(f"{match.group(2)} = ")
        ),
        None,
    )
    if match is None or marks is None or not values.startswith("tuple("):
        return None
    indent = source.indent(node)
    plain = _IN.sub(r"\1 = ?", query).removeprefix("f")
    called = source.code(field(call, "function"))
    name = source.code(field(node, "left"))
    text = (
        f"{name} = []\n{indent}for key in {values[6:-1]}:\n"
        f"{indent}    {name}.extend({called}({plain}, (key,)))"
    )
    return Mutation((replace(node, text), without_lines(source, marks, marks=False)))


@operator("string-building", "string-building", category="performance", cwe=1046)
def string_building(source: Source) -> Iterator[Mutation]:
    """A text is built with += in a loop, which copies it each time."""
    for node, name, right, function in _assigned(source):
        if source.code(right) != "[]":
            continue
        added: list[Node] = []
        joined: list[Node] = []
        for use in _uses(source, function, name):
            call = use.parent.parent if use.parent is not None else None
            if use.start_byte == node.start_byte or call is None:
                continue
            if source.code(use.parent) == f"{name}.append" and call.type == "call":
                added.append(call)
            elif use.parent is not None and source.code(call) == f'"".join({name})':
                joined.append(call)
            else:
                break
        else:
            if added and joined and any(in_loop(call) for call in added):
                yield _concatenating(source, name, right, added, joined)


def _concatenating(
    source: Source, name: str, right: "Node", added: "list[Node]", joined: "list[Node]"
) -> Mutation:
    edits = [replace(right, '""', marks=False)]
    for call in added:
        given = field(call, "arguments")
        value = "" if given is None else source.code(given)[1:-1].strip()
        edits.append(replace(call, f"{name} += {value}"))
    edits += [replace(call, name, marks=False) for call in joined]
    return Mutation(tuple(edits))


@operator("loop-invariant", "loop-invariant", "quadratic-loop", category="performance", cwe=1050)
def loop_invariant(source: Source) -> Iterator[Mutation]:
    """What is the same in each round of a loop is computed in each of them."""
    for node, name, right, _ in _assigned(source):
        called = source.code(field(right, "function"))
        if called not in ("re.compile", "sorted", "set", "frozenset", "dict"):
            continue
        statement = statement_of(node)
        if in_loop(statement):
            continue
        behind = following(statement)
        loop = next((one for one in behind if one.type == "for_statement"), None)
        first = body_of(loop)[0] if loop is not None and body_of(loop) else None
        if loop is None or first is None or field(right, "arguments") is None:
            continue
        others = [one for one in behind if one.id != loop.id]
        mentions = [one for other in others for one in (other, *below(other))]
        head = source.code(field(loop, "left")) + source.code(field(loop, "right"))
        used = [use for use in below(loop) if source.code(use) == name]
        if not used or any(source.code(one) == name for one in mentions) or name in head:
            continue
        if any(_is_changed(source, use) for use in used):
            continue
        indent = source.indent(first)
        moved = Edit(first.start_byte, first.start_byte, f"{source.code(node)}\n{indent}")
        yield Mutation((without_lines(source, statement), moved))


def _is_changed(source: Source, use: "Node") -> bool:
    outer = use.parent
    if outer is None or outer.type != "attribute":
        return False
    return source.code(field(outer, "attribute")) in ("add", "append", "update", "pop", "discard")
