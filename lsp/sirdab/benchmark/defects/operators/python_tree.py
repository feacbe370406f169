"""What operators for Python ask of a tree."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import Edit, Source, above, field, nearest

if TYPE_CHECKING:
    from tree_sitter import Node

LOOPS = ("for_statement", "while_statement")


def calls(source: Source, *names: str) -> "Iterator[tuple[Node, list[Node]]]":
    """Yield the calls of functions and their positional arguments.

    Args:
        source: The source.
        names: Names of functions as they are written, such as "len" or "hmac.new"; one that begins
            with a dot is a method of anything.
    """
    methods = tuple(name for name in names if name.startswith("."))
    for call in source.of_type("call"):
        called = source.code(field(call, "function"))
        if called in names or (methods and called.endswith(methods)):
            yield call, arguments(call)


def arguments(call: "Node") -> "list[Node]":
    """Return the positional arguments of a call."""
    given = field(call, "arguments")
    if given is None or given.type != "argument_list":
        return []
    return [
        node
        for node in given.named_children
        if node.type not in ("keyword_argument", "comment", "dictionary_splat")
    ]


def keyword(source: Source, call: "Node", name: str) -> "Node | None":
    """Return the keyword argument of a call, with its name, or None."""
    given = field(call, "arguments")
    for node in () if given is None else given.named_children:
        if node.type == "keyword_argument" and source.code(field(node, "name")) == name:
            return node
    return None


def without_argument(source: Source, argument: "Node") -> Edit:
    """Return the edit that takes an argument out of its list, with one comma."""
    start, stop = argument.start_byte, argument.end_byte
    before, after = argument.prev_sibling, argument.next_sibling
    if after is not None and after.type == ",":
        stop = after.end_byte
        while source.bytes[stop : stop + 1] in (b" ", b"\n"):
            stop += 1
    elif before is not None and before.type == ",":
        start = before.start_byte
    return Edit(start, stop, "", marks=False)


def function_of(node: "Node") -> "Node | None":
    """Return the function that a node lies in."""
    return nearest(node, "function_definition")


def statement_of(node: "Node") -> "Node":
    """Return the statement that a node is, or lies in: a child of a block or of the module."""
    one = node
    for outer in above(node):
        if outer.type in ("block", "module"):
            return one
        one = outer
    return one


def body_of(node: "Node") -> "list[Node]":
    """Return the statements of a node's body, without comments."""
    body = field(node, "body") or field(node, "consequence")
    if body is None:
        return []
    return [one for one in body.named_children if one.type != "comment"]


def following(statement: "Node") -> "list[Node]":
    """Return the statements that stand behind one in its block."""
    found: list[Node] = []
    after = statement.next_named_sibling
    while after is not None:
        found.append(after)
        after = after.next_named_sibling
    return found


def in_loop(node: "Node") -> bool:
    """Whether a node is done again and again in its function."""
    for outer in above(node):
        if outer.type in (*LOOPS, "list_comprehension", "set_comprehension"):
            return True
        if outer.type in ("generator_expression", "dictionary_comprehension"):
            return True
        if outer.type in ("function_definition", "lambda"):
            return False
    return False


def only_statement(node: "Node", kind: str) -> "Node | None":
    """Return what a statement consists of when it is of a type: the call of a line that calls."""
    if node.type == "expression_statement" and node.named_child_count == 1:
        inner = node.named_children[0]
        return inner if inner.type == kind else None
    return None


def importing(source: Source, module: str) -> tuple[Edit, ...]:
    """Return the edit that imports a module, none where that is done."""
    wanted = f"import {module}"
    anchor: Node | None = None
    for node in source.root.named_children:
        if node.type == "import_statement" and source.code(node) == wanted:
            return ()
        if node.type in ("import_statement", "import_from_statement"):
            anchor = anchor or node
        elif node.type not in ("comment", "expression_statement", "future_import_statement"):
            break
    if anchor is not None:
        return (Edit(anchor.start_byte, anchor.start_byte, f"{wanted}\n", marks=False),)
    first = source.root.named_children[0]
    docstring = only_statement(first, "string")
    at = source.line_stop(first.end_byte - 1) if docstring is not None else first.start_byte
    return (Edit(at, at, f"{wanted}\n", marks=False),)
