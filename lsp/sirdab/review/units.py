"""Splits a document into the units that are reviewed one by one.

A unit is a function, a method, or a stretch of other code, small enough for one question. It
is named by what it lies in and known by a digest of what the model is shown of it, so that it
is asked about only once while it does not change.

Comments and docstrings are blanked out: they cost tokens, they say what the code should do
rather than what it does, and they are where somebody else's text would speak to the model.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sirdab.syntax.parse import Parsed, parse_alone
from sirdab.text.store import Text

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_LINES = 60
"""Most lines of a unit; a longer function is cut."""

MAX_CHARACTERS = 3_000
"""Most characters of a unit, blanks at the ends of lines not counted: about 1,000 tokens, which
a small model on two cores reads in five seconds."""

LANGUAGES = frozenset(
    {
        "c", "cpp", "csharp", "go", "java", "javascript", "javascriptreact", "kotlin", "lua",
        "perl", "php", "python", "ruby", "rust", "scala", "shellscript", "swift", "typescript",
        "typescriptreact",
    }
)  # fmt: skip
"""Language identifiers of code; data and prose are not reviewed."""

_FUNCTIONS = frozenset(
    {
        "function_definition", "function_declaration", "function_item", "method_definition",
        "method_declaration", "constructor_declaration", "generator_function_declaration",
        "func_literal", "arrow_function", "function_expression",
    }
)  # fmt: skip
_CONTAINERS = frozenset(
    {
        "class_definition", "class_declaration", "class_specifier", "struct_specifier",
        "abstract_class_declaration", "interface_declaration", "enum_declaration",
        "record_declaration", "impl_item", "trait_item", "mod_item", "namespace_definition",
        "internal_module", "linkage_specification",
    }
)  # fmt: skip
# Nodes that only stand around another one.
_WRAPPERS = frozenset(
    {"decorated_definition", "export_statement", "template_declaration", "ambient_declaration"}
)
_COMMENTS = frozenset({"comment", "line_comment", "block_comment", "html_comment"})
_LINE_COMMENTS = {
    "csharp": "//", "kotlin": "//", "perl": "#", "php": "//", "ruby": "#", "scala": "//",
    "shellscript": "#", "swift": "//",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of whole lines.

    Attributes:
        name: The functions and classes it lies in, joined by dots; "" at the top level.
        first: Number of its first line, 0-based.
        lines: What is shown of its lines, without line ends: comments are blank.
        digest: Names the content; the place in the document is no part of it.
    """

    name: str
    first: int
    lines: tuple[str, ...]
    digest: str

    @property
    def last(self) -> int:
        """Number of its last line, 0-based."""
        return self.first + len(self.lines) - 1


@dataclass(frozen=True, slots=True)
class _Span:
    """Lines of one function, both ends included."""

    name: str
    first: int
    last: int


def split(text: Text, language_id: str, *, shown: str | None = None) -> list[Unit]:
    """Return the units of a document from top to bottom; blank ones are left out.

    Args:
        text: The document.
        language_id: As LSP spells it.
        shown: What is shown in place of its content, line by line as many: the content
            with its secrets taken out. Line ends are LF.
    """
    bodies = [text.line_body(number) for number in range(text.line_count)]
    lines = list(bodies) if shown is None else shown.split("\n")[: len(bodies)]
    if len(lines) != len(bodies):
        return []
    parsed = parse_alone(text, language_id)
    if parsed is None:
        _blank_line_comments(lines, _LINE_COMMENTS.get(language_id, ""))
        spans: list[_Span] = []
    else:
        _blank_comments(lines, bodies, parsed)
        spans = sorted(_functions(parsed.tree.root_node, ""), key=lambda span: span.first)
    return list(_units(lines, spans))


def code_of(text: Text, language_id: str) -> list[str]:
    """Return the lines of a document that hold code, without comments and docstrings."""
    bodies = [text.line_body(number) for number in range(text.line_count)]
    lines = list(bodies)
    parsed = parse_alone(text, language_id)
    if parsed is None:
        _blank_line_comments(lines, _LINE_COMMENTS.get(language_id, "#"))
    else:
        _blank_comments(lines, bodies, parsed)
    return [line.rstrip() for line in lines if line.strip()]


def _functions(node: "Node", name: str) -> Iterator[_Span]:
    """Yield the functions below a node, but none that lies in another one."""
    for child in node.named_children:
        inner = _unwrap(child)
        if inner.type in _FUNCTIONS:
            yield _Span(_joined(name, _name_of(inner)), child.start_point[0], child.end_point[0])
        elif inner.type in _CONTAINERS:
            yield from _functions(inner, _joined(name, _name_of(inner)))
        elif inner.type in ("body", "block", "declaration_list", "class_body", "statement_block"):
            yield from _functions(inner, name)
        elif child.end_point[0] - child.start_point[0] >= 2:
            # `const f = () => {...}`, `M.f = function() ... end`, a test in a call.
            yield from _functions(inner, name)


def _unwrap(node: "Node") -> "Node":
    while node.type in _WRAPPERS:
        inner = node.child_by_field_name("definition") or node.child_by_field_name("declaration")
        if inner is None:
            kinds = _FUNCTIONS | _CONTAINERS
            inner = next((child for child in node.named_children if child.type in kinds), None)
        if inner is None:
            return node
        node = inner
    return node


def _name_of(node: "Node") -> str:
    named = node.child_by_field_name("name")
    if named is None and node.type == "impl_item":
        named = node.child_by_field_name("type")
    while named is None and (inner := node.child_by_field_name("declarator")) is not None:
        # C and C++ nest the name in declarators.
        node = inner
        named = node if not node.named_children else None
    if named is None or named.text is None:
        return ""
    return named.text.decode("utf-8", "replace")[:80]


def _joined(outer: str, inner: str) -> str:
    return ".".join(part for part in (outer, inner) if part)


def _units(lines: list[str], spans: list[_Span]) -> Iterator[Unit]:
    at = 0
    for span in spans:
        if span.first < at:
            # Two functions on one line, or one within another.
            continue
        yield from _pieces(lines, at, span.first - 1, "")
        yield from _pieces(lines, span.first, span.last, span.name)
        at = span.last + 1
    yield from _pieces(lines, at, len(lines) - 1, "")


def _pieces(lines: list[str], first: int, last: int, name: str) -> Iterator[Unit]:
    """Yield the lines `first`..`last` as units that are small enough."""
    while first <= last:
        stop, size = first, 0
        while stop <= last and stop - first < MAX_LINES:
            size += len(lines[stop])
            if size > MAX_CHARACTERS and stop > first:
                break
            stop += 1
        if stop <= last:
            stop = _seam(lines, first, stop)
        unit = _unit(lines, first, stop - 1, name)
        if unit is not None:
            yield unit
        first = stop


def _seam(lines: list[str], first: int, stop: int) -> int:
    """Return the best line to begin anew at, in the last third before `stop`."""
    earliest = stop - max(1, (stop - first) // 3)
    candidates = [
        (len(body) - len(body.lstrip()), -number)
        for number in range(max(earliest, first + 1), stop + 1)
        if (body := lines[number]).strip() and body.strip()[0] not in ")]}"
    ]
    return -min(candidates)[1] if candidates else stop


def _unit(lines: list[str], first: int, last: int, name: str) -> Unit | None:
    while first <= last and not lines[first].strip():
        first += 1
    while last >= first and not lines[last].strip():
        last -= 1
    if first > last:
        return None
    shown = tuple(line.rstrip() for line in lines[first : last + 1])
    # A line alone that is over the limit is minified code or data.
    if any(len(line) > MAX_CHARACTERS for line in shown):
        return None
    content = "\n".join((name, *shown))
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return Unit(name, first, shown, digest)


def _blank_comments(lines: list[str], bodies: list[str], parsed: Parsed) -> None:
    """Put blanks in place of comments and docstrings."""
    stack = [parsed.tree.root_node]
    while stack:
        node = stack.pop()
        if node.type in _COMMENTS or _is_docstring(node):
            _blank(lines, bodies, node)
        else:
            stack.extend(node.named_children)


def _is_docstring(node: "Node") -> bool:
    return (
        node.type == "expression_statement"
        and node.named_child_count == 1
        and node.named_children[0].type == "string"
    )


def _blank(lines: list[str], bodies: list[str], node: "Node") -> None:
    (first, start), (last, stop) = node.start_point, node.end_point
    for row in range(first, min(last + 1, len(lines))):
        body = bodies[row]
        if lines[row] != body:
            # A secret was taken out of this line, so columns no longer agree.
            lines[row] = "" if body.strip() else lines[row]
            continue
        encoded = body.encode("utf-8", "replace")
        low = len(encoded[:start].decode("utf-8", "replace")) if row == first else 0
        high = len(encoded[:stop].decode("utf-8", "replace")) if row == last else len(body)
        lines[row] = body[:low] + " " * (high - low) + body[high:]
        bodies[row] = lines[row]


def _blank_line_comments(lines: list[str], sign: str) -> None:
    for number, line in enumerate(lines):
        if sign and line.lstrip().startswith(sign):
            lines[number] = ""
