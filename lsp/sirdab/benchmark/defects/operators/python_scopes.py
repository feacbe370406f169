"""Values that are shared or bound at another time than it looks."""

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
    within,
    without_lines,
)
from sirdab.benchmark.defects.operators.python_tree import body_of, function_of, in_loop

if TYPE_CHECKING:
    from tree_sitter import Node

_EMPTY = frozenset({"[]", "{}", "set()", "list()", "dict()"})


@operator("mutable-default", "mutable-default", category="correctness")
def mutable_default(source: Source) -> Iterator[Mutation]:
    """A list or dict that is made for each call becomes the default, which all calls share."""
    for function in source.of_type("function_definition"):
        listed = field(function, "parameters")
        for parameter in () if listed is None else listed.named_children:
            value = field(parameter, "value")
            if value is None or value.type != "none":
                continue
            name = source.code(field(parameter, "name"))
            made = _made_when_none(source, function, name)
            if made is not None:
                yield Mutation((replace(value, made[1]), without_lines(source, made[0])))


def _made_when_none(source: Source, function: "Node", name: str) -> "tuple[Node, str] | None":
    """Return the `if name is None: name = []` of a function, and what is made there."""
    for statement in body_of(function):
        if statement.type != "if_statement" or field(statement, "alternative") is not None:
            continue
        inner = body_of(statement)
        if source.code(field(statement, "condition")) != f"{name} is None" or len(inner) != 1:
            continue
        code = source.code(inner[0])
        value = code.removeprefix(f"{name} = ")
        if value != code and value in _EMPTY:
            return statement, value
    return None


@operator("late-binding", "late-binding", category="correctness")
def late_binding(source: Source) -> Iterator[Mutation]:
    """A function made in a loop sees the last value of the loop's variable, not its own."""
    for function in source.of_type("lambda"):
        parameters = field(function, "parameters")
        if parameters is None or not in_loop(function):
            continue
        bound = [
            node
            for node in parameters.named_children
            if node.type == "default_parameter"
            and source.code(field(node, "name")) == source.code(field(node, "value"))
        ]
        if not bound:
            continue
        kept = [source.code(node) for node in parameters.named_children if node not in bound]
        text = f" {', '.join(kept)}" if kept else ""
        edit = Edit(parameters.start_byte - 1, parameters.end_byte, text)
        yield Mutation((edit,), shows=((function.start_byte, function.end_byte),))


@operator("modified-while-iterating", "modified-while-iterating", category="correctness")
def modified(source: Source) -> Iterator[Mutation]:
    """What is gone through is changed meanwhile, because its copy is left out."""
    for loop in source.of_type("for_statement"):
        right = field(loop, "right")
        body = field(loop, "body")
        if right is None or body is None:
            continue
        iterated = _copied(source, right)
        if iterated is None:
            continue
        owner = source.code(iterated).removesuffix(".items()").removesuffix(".keys()")
        if any(_changes(source, node, owner) for node in below(body)):
            yield Mutation((replace(right, source.code(iterated)),))


def _copied(source: Source, node: "Node") -> "Node | None":
    """Return what a `list(x)`, `x[:]` or `x.copy()` is a copy of."""
    if node.type == "subscript" and source.code(field(node, "subscript")) == ":":
        return field(node, "value")
    function = field(node, "function")
    given = field(node, "arguments")
    if node.type != "call" or given is None:
        return None
    if source.code(function) in ("list", "tuple", "sorted") and given.named_child_count == 1:
        inner = given.named_children[0]
        return inner if inner.type in ("identifier", "attribute", "call") else None
    if source.code(field(function, "attribute")) == "copy" and not given.named_child_count:
        return field(function, "object")
    return None


def _changes(source: Source, node: "Node", owner: str) -> bool:
    if node.type == "delete_statement":
        return source.code(node).startswith(f"del {owner}[")
    if node.type == "call":
        called = source.code(field(node, "function"))
        return called in {f"{owner}.{name}" for name in ("remove", "pop", "append", "discard")}
    return False


@operator("missing-lock", "missing-lock", category="correctness", cwe=362)
def missing_lock(source: Source) -> Iterator[Mutation]:
    """What several threads share is changed without holding the lock."""
    for statement in source.of_type("with_statement"):
        clause, body = statement.named_children[0], field(statement, "body")
        locks = source.code(clause)
        if body is None or not locks.startswith("self.") or "lock" not in locks.lower():
            continue
        function = function_of(statement)
        if function is None or not within(statement, function):
            continue
        outer, inner = source.indent(statement), source.indent(body.named_children[0])
        start, stop = source.line_start(body.start_byte), source.line_stop(body.end_byte - 1)
        lines = source.bytes[start:stop].decode().split("\n")
        text = "\n".join(
            outer + line.removeprefix(inner) if line.startswith(inner) else line for line in lines
        )
        yield Mutation((Edit(source.line_start(statement.start_byte), stop, text),))
