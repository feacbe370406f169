"""What operators for JavaScript and TypeScript ask of a tree."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import Source, above, field

if TYPE_CHECKING:
    from tree_sitter import Node

FUNCTIONS = (
    "function_declaration", "function_expression", "arrow_function", "method_definition",
    "generator_function_declaration",
)  # fmt: skip
LOOPS = ("for_statement", "for_in_statement", "while_statement", "do_statement")
_CALLBACKS = (".map(", ".filter(", ".every(", ".some(", ".find(", ".forEach(", ".reduce(")


def calls(source: Source, *names: str) -> "Iterator[tuple[Node, list[Node]]]":
    """Yield the calls of functions and their arguments.

    Args:
        source: The source.
        names: Names of functions as they are written; one that begins with a dot is a method of
            anything.
    """
    methods = tuple(name for name in names if name.startswith("."))
    for call in source.of_type("call_expression", "new_expression"):
        called = source.code(field(call, "function") or field(call, "constructor"))
        if called in names or (methods and called.endswith(methods)):
            yield call, arguments(call)


def arguments(call: "Node") -> "list[Node]":
    """Return the arguments of a call."""
    given = field(call, "arguments")
    if given is None or given.type != "arguments":
        return []
    return [node for node in given.named_children if node.type != "comment"]


def function_of(node: "Node") -> "Node | None":
    """Return the function that a node lies in."""
    return next((outer for outer in above(node) if outer.type in FUNCTIONS), None)


def statement_of(node: "Node") -> "Node":
    """Return the statement that a node is or lies in."""
    one = node
    for outer in above(node):
        if outer.type in ("statement_block", "program"):
            return one
        one = outer
    return one


def body_of(node: "Node | None") -> "list[Node]":
    """Return the statements of a block, or the one statement that stands in its place."""
    if node is None:
        return []
    if node.type != "statement_block":
        return [node]
    return [one for one in node.named_children if one.type != "comment"]


def following(statement: "Node") -> "list[Node]":
    """Return the statements that stand behind one in its block."""
    found: list[Node] = []
    after = statement.next_named_sibling
    while after is not None:
        found.append(after)
        after = after.next_named_sibling
    return found


def in_loop(source: Source, node: "Node") -> bool:
    """Whether a node is done again and again in its function, or in a callback of an array."""
    for outer in above(node):
        if outer.type in LOOPS:
            return True
        if outer.type == "arrow_function" and outer.parent is not None:
            call = outer.parent.parent
            code = "" if call is None else source.code(field(call, "function")) + "("
            if code.endswith(_CALLBACKS):
                return True
        if outer.type in FUNCTIONS and outer.type != "arrow_function":
            return False
    return False


def plain(source: Source, node: "Node | None") -> str:
    """Return the code of a node without the parentheses around it."""
    code = source.code(node)
    while node is not None and node.type == "parenthesized_expression":
        node = node.named_children[0]
        code = source.code(node)
    return code


def guards(source: Source) -> "Iterator[tuple[Node, str]]":
    """Yield the ifs that only leave the function or the loop, with their conditions."""
    for node in source.of_type("if_statement"):
        body = body_of(field(node, "consequence"))
        if field(node, "alternative") is not None or not body or function_of(node) is None:
            continue
        if body[-1].type in (
            "return_statement", "throw_statement", "continue_statement", "break_statement",
        ):  # fmt: skip
            yield node, plain(source, field(node, "condition"))
