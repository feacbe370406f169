"""What is compared of two syntax trees: their errors, their functions, their code without types."""

import re
from typing import TYPE_CHECKING, NamedTuple

from sirdab.syntax.parse import Parsed, parse_alone
from sirdab.text.store import Text

if TYPE_CHECKING:
    from tree_sitter import Node

_FUNCTIONS = frozenset(
    {
        "function_definition", "function_declaration", "function_item", "method_definition",
        "method_declaration", "constructor_declaration", "generator_function_declaration",
        "function_signature", "function_expression", "arrow_function",
    }
)  # fmt: skip
_COMMENTS = frozenset({"comment", "line_comment", "block_comment", "html_comment"})
_PARAMETERS = frozenset(
    {"parameters", "formal_parameters", "parameter_list", "lambda_parameters", "method_parameters"}
)
# Nodes that are types by annotation, with the sign before them.
_ANNOTATIONS = frozenset({"type_annotation", "type_parameters", "asserts_annotation"})
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


class Function(NamedTuple):
    """How a function is called from elsewhere.

    Attributes:
        name: Its name.
        parameters: The names of its parameters, in order.
        code: All of it.
        result: The type that it is said to give back; "" where nothing is said.
        head: Its parameters as they are written, without blanks.
    """

    name: str
    parameters: tuple[str, ...]
    code: str
    result: str
    head: str


def errors(parsed: Parsed) -> int:
    """Count what the parser could not make sense of."""
    count = 0
    stack = [parsed.tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            count += 1
        if node.has_error:
            stack.extend(node.children)
    return count


def functions(text: Text, language_id: str, first: int, last: int) -> list[Function]:
    """Return the functions with names that begin in some lines, in order.

    Args:
        text: The document.
        language_id: Its language; without a grammar there are none.
        first: The first of the lines, 0-based.
        last: The last of them.
    """
    parsed = parse_alone(text, language_id)
    if parsed is None:
        return []
    found: list[tuple[int, Function]] = []
    stack = [parsed.tree.root_node]
    while stack:
        node = stack.pop()
        if node.end_point[0] < first or node.start_point[0] > last:
            continue
        if node.type in _FUNCTIONS and node.start_point[0] >= first:
            name = _name(node)
            if name:
                found.append((node.start_byte, _function(node, name)))
        stack.extend(node.named_children)
    return [function for _, function in sorted(found)]


def code_tokens(text: Text, language_id: str, *, types: bool = True) -> list[bytes] | None:
    """Return the tokens of a document without its comments, None where there is no grammar.

    Args:
        text: The document.
        language_id: Its language.
        types: Whether annotations of types count.
    """
    parsed = parse_alone(text, language_id)
    if parsed is None:
        return None
    tokens: list[bytes] = []
    stack = [parsed.tree.root_node]
    while stack:
        node = stack.pop()
        if node.type in _COMMENTS or (not types and _is_annotation(node)):
            continue
        if node.child_count == 0 or node.type == "string":
            tokens.append(parsed.source[node.start_byte : node.end_byte])
        else:
            stack.extend(reversed(node.children))
    return tokens


def _is_annotation(node: "Node") -> bool:
    if node.type in _ANNOTATIONS:
        return True
    parent = node.parent
    if parent is None:
        return False
    if node.type == "type":
        return parent.type in (
            "typed_parameter", "typed_default_parameter", "function_definition", "assignment",
        )  # fmt: skip
    if node.type in (":", "->"):
        following = node.next_sibling
        return following is not None and following.type == "type"
    return False


def _name(node: "Node") -> str:
    named = node.child_by_field_name("name")
    while named is None and (inner := node.child_by_field_name("declarator")) is not None:
        # C and C++ nest the name in declarators.
        node = inner
        named = node if not node.named_children else None
    if named is None and node.parent is not None and node.parent.type == "variable_declarator":
        named = node.parent.child_by_field_name("name")
    return _text(named)


def _parameters(node: "Node") -> tuple[str, ...]:
    inside = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
    if inside is None:
        stack = list(node.named_children)
        inside = next((child for child in stack if child.type in _PARAMETERS), None)
    if inside is None:
        return ()
    if inside.type not in _PARAMETERS:
        return (_text(inside),)
    return tuple(
        _parameter(child) for child in inside.named_children if child.type not in _COMMENTS
    )


def _function(node: "Node", name: str) -> Function:
    inside = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
    head = "".join(_text(inside).split())
    return Function(name, _parameters(node), _text(node), _result(node), head)


def _result(node: "Node") -> str:
    for field in ("return_type", "result", "type"):
        found = node.child_by_field_name(field)
        if found is not None:
            return "".join(_text(found).split())
    return ""


def _parameter(node: "Node") -> str:
    """Return the name of a parameter, without its type and default."""
    for field in ("name", "pattern", "left", "declarator"):
        named = node.child_by_field_name(field)
        if named is not None:
            return _text(named)
    if node.type == "typed_parameter" and node.named_children:
        return _text(node.named_children[0])
    found = _NAME.search(_text(node))
    return _text(node) if found is None or not node.named_children else found[0]


def _text(node: "Node | None") -> str:
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")
