"""Finds the function or class that a cursor is in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sirdab.syntax.parse import parse, to_source
from sirdab.text.store import Point, Text

if TYPE_CHECKING:
    from tree_sitter import Node

_FUNCTIONS = frozenset(
    {
        "function_definition", "function_declaration", "function_item", "method_definition",
        "method_declaration", "constructor_declaration", "generator_function_declaration",
        "arrow_function", "function_expression", "func_literal",
    }
)  # fmt: skip
_CLASSES = frozenset(
    {
        "class_definition", "class_declaration", "class_specifier", "struct_specifier",
        "abstract_class_declaration", "interface_declaration", "enum_declaration",
        "record_declaration", "impl_item", "trait_item", "struct_item", "enum_item",
        "type_declaration", "type_alias_declaration",
    }
)  # fmt: skip
# What stands around a function or class and belongs to it.
_AROUND = frozenset(
    {
        "decorated_definition", "export_statement", "template_declaration", "ambient_declaration",
        "lexical_declaration", "variable_declaration", "variable_declarator",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function, method or class of a document.

    Attributes:
        kind: Which of them.
        name: Its own name.
        owner: Name of the class that a method is of; else "".
        first: Number of its first line, 0-based.
        last: Number of its last line, 0-based.
    """

    kind: Literal["function", "class"]
    name: str
    owner: str
    first: int
    last: int


def enclosing(text: Text, language_id: str, start: Point, stop: Point) -> Symbol | None:
    """Return the smallest function or class with a name that holds a range, or None.

    None as well where the language has no grammar. It is asked at each move of the cursor, so it
    takes the tree that is kept; call it from the thread of the event loop only.

    Args:
        text: The document.
        language_id: As LSP spells it.
        start: Where the range begins. White space before code counts as a part of it.
        stop: Where it ends.
    """
    parsed = parse(text, language_id)
    if parsed is None:
        return None
    body = text.line_body(start.line)
    code = len(body) - len(body.lstrip())
    if start.column < code:
        start = Point(start.line, code)
    low = len(to_source(text.slice(Point(0, 0), start)))
    high = max(low, len(to_source(text.slice(Point(0, 0), stop))))
    node = parsed.tree.root_node.descendant_for_byte_range(low, high)
    while node is not None:
        found = _symbol(node)
        if found is not None and start.line >= found.first and stop.line <= found.last:
            return found
        node = node.parent
    return None


def _symbol(node: "Node") -> Symbol | None:
    if node.type in _AROUND:
        # The cursor is on a decorator, or on the word before the name.
        node = _inside(node)
    if node.type not in _FUNCTIONS and node.type not in _CLASSES:
        return None
    name = _name(node)
    if not name:
        return None
    outer = node
    while (parent := outer.parent) is not None and parent.type in _AROUND:
        outer = parent
    owner = _owner(node) if node.type in _FUNCTIONS else ""
    return Symbol(
        "function" if node.type in _FUNCTIONS else "class",
        name,
        owner,
        outer.start_point[0],
        outer.end_point[0],
    )


def _inside(node: "Node") -> "Node":
    while node.type in _AROUND:
        inner = (
            node.child_by_field_name("definition")
            or node.child_by_field_name("declaration")
            or node.child_by_field_name("value")
        )
        if inner is None:
            kinds = _FUNCTIONS | _CLASSES | _AROUND
            inner = next((child for child in node.named_children if child.type in kinds), None)
        if inner is None:
            return node
        node = inner
    return node


def _name(node: "Node") -> str:
    named = node.child_by_field_name("name")
    if named is None and node.type == "impl_item":
        named = node.child_by_field_name("type")
    if named is None and node.type == "type_declaration":
        spec = next(iter(node.named_children), None)
        named = None if spec is None else spec.child_by_field_name("name")
    if named is None and node.parent is not None and node.parent.type == "variable_declarator":
        named = node.parent.child_by_field_name("name")
    holder = node
    while named is None and (inner := holder.child_by_field_name("declarator")) is not None:
        # C and C++ nest the name in declarators.
        holder = inner
        named = inner if not inner.named_children else None
    return "" if named is None or named.text is None else named.text.decode("utf-8", "replace")[:80]


def _owner(node: "Node") -> str:
    outer = node.parent
    while outer is not None:
        if outer.type in _CLASSES:
            return _name(outer)
        if outer.type in _FUNCTIONS:
            return ""
        outer = outer.parent
    return ""
