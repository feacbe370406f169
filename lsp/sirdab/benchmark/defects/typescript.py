"""Takes the types out of TypeScript, so that Node can run it.

Types are replaced by blanks: the lines and the code stay where they are. Only what disappears
without a trace is known (annotations, interfaces, type arguments, `as`, `!`, `readonly` and the
like); enums and namespaces, which are code, are not.
"""

from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import Source

if TYPE_CHECKING:
    from tree_sitter import Node

_GONE = frozenset(
    {
        "type_annotation", "type_arguments", "type_parameters", "interface_declaration",
        "type_alias_declaration", "accessibility_modifier", "implements_clause",
        "type_predicate_annotation", "asserts_annotation", "ambient_declaration",
        "function_signature", "abstract_method_signature", "override_modifier",
    }
)  # fmt: skip


def without_types(text: str) -> str:
    """Return TypeScript as JavaScript of the same lines.

    Raises:
        ValueError: It is too large to be parsed.
    """
    source = Source(text, "typescript")
    content = bytearray(source.bytes)
    for start, stop in _spans(source.root):
        for at in range(start, stop):
            if content[at] not in b"\n":
                content[at] = 0x20
    return content.decode()


def _spans(root: "Node") -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in _GONE:
            whole = node.parent if node.parent is not None and _only_exports(node) else node
            spans.append((whole.start_byte, whole.end_byte))
            continue
        if node.type in ("as_expression", "satisfies_expression"):
            spans.append((node.named_children[0].end_byte, node.end_byte))
            stack.append(node.named_children[0])
            continue
        if node.type == "import_statement" and any(one.type == "type" for one in node.children):
            spans.append((node.start_byte, node.end_byte))
            continue
        for child in node.children:
            after_value = node.type == "non_null_expression" and child.type == "!"
            optional = node.type in ("optional_parameter", "public_field_definition")
            if after_value or (optional and child.type == "?") or child.type == "readonly":
                spans.append((child.start_byte, child.end_byte))
        stack.extend(node.children)
    return spans


def _only_exports(node: "Node") -> bool:
    """Whether a declaration stands behind an `export` that must go with it."""
    return node.parent is not None and node.parent.type == "export_statement"
