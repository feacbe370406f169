"""The signatures of what a unit calls, as far as the same document defines it.

A model that sees only the lines of a function cannot know that what it calls is asynchronous, may
return None, or takes its arguments in another order. One line for each says so. Neither
comments nor texts are in them: a default value may be a secret, and a comment may be an order.
"""

import re
from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from sirdab.review.steps import Counted
from sirdab.review.tree import Node, copy
from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text

if TYPE_CHECKING:
    from sirdab.review.units import Unit

MOST = 8
"""Most signatures of a unit."""

MOST_CHARACTERS = 120
"""Longest signature."""

FUNCTIONS = frozenset(
    {
        "arrow_function", "constructor_declaration", "function_declaration", "function_definition",
        "function_expression", "function_item", "generator_function_declaration",
        "method_declaration", "method_definition",
    }
)  # fmt: skip
"""Nodes that define a function."""

CLASSES = frozenset(
    {
        "abstract_class_declaration", "class_declaration", "class_definition", "class_specifier",
        "impl_item",
    }
)  # fmt: skip
"""Nodes whose functions are methods."""

_CALLS = frozenset(
    {"call", "call_expression", "function_call", "method_invocation", "new_expression",
     "object_creation_expression"}
)  # fmt: skip
_IMPORTS = frozenset({"import_statement", "import_from_statement", "import_clause"})
_OWNERS = frozenset({"self", "cls", "this"})
_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_STRINGS = frozenset(
    {
        "concatenated_string", "interpreted_string_literal", "raw_string_literal", "string",
        "string_literal", "template_string",
    }
)  # fmt: skip
_TYPES = frozenset({"type", "return_type", "type_annotation"})
# An annotation in quotes, such as "Node | None"; whatever else is quoted is left out.
_QUOTED_TYPE = re.compile(r"""["'][A-Za-z_][\w.\[\], |]{0,60}["']""")
_CONSTRUCTORS = ("__init__", "constructor")
# Calls of a unit that are looked at: more do not fit into one.
_MOST_CALLS = 400
_NAME = re.compile(r"[^\W\d]\w*")
# Braces and colons at the end of a header say nothing.
_TAIL = re.compile(r"\s*(:|\{|=>)\s*$")
_BLANK = re.compile(r"\s+")


class Definition(NamedTuple):
    """A function or class of the document.

    Attributes:
        name: Its own name.
        owner: Name of the class it is a method of, or "".
        node: Its node.
    """

    name: str
    owner: str
    node: Node


class Definitions:
    """The functions and classes that a document defines.

    Args:
        root: The document's tree.
    """

    def __init__(self, root: Node) -> None:
        """Collect them."""
        self._by_name: dict[str, list[Definition]] = {}
        self._constructors: dict[str, Definition] = {}
        self._imported: set[str] = set()
        self._calls: list[Node] = []
        for node in root.walk():
            if node.kind in _CALLS:
                self._calls.append(node)
            if node.kind in _IMPORTS:
                self._imported.update(one.text for one in node.walk() if one.kind == "identifier")
            if node.kind not in FUNCTIONS and node.kind not in CLASSES:
                continue
            name = name_of(node)
            owner = _owner_of(node) if node.kind in FUNCTIONS else ""
            if name in _CONSTRUCTORS and owner:
                self._constructors.setdefault(owner, Definition(owner, "", node))
            elif name:
                same = self._by_name.setdefault(name, Counted(root.budget))
                same.append(Definition(name, owner, node))

    def of_call(self, call: Node) -> Definition | None:
        """Return what a call calls, or None when the document does not say it for sure."""
        callee = call.child("function") or call.child("constructor") or call.child("name")
        if callee is None:
            return None
        base, _, name = callee.text.rpartition(".")
        base = base.removesuffix("?")
        if not _NAME.fullmatch(name):
            return None
        known = self._by_name.get(name, [])
        if base in _OWNERS:
            owner = _owner_of(call)
            return next((one for one in known if owner and one.owner == owner), None)
        if name.startswith("__") or "(" in base:
            # `super().__new__(...)`, `object.__setattr__(...)`: others' methods of the same name.
            return None
        if base in self._imported:
            return None
        if base:
            # A method of something else: believed where only one class has it.
            methods = [one for one in known if one.owner]
            return methods[0] if len(methods) == 1 == len(known) else None
        for one in known:
            if not one.owner:
                return one
        return None

    def called(self, first: int, last: int) -> tuple[str, ...]:
        """Return the signatures of what is called in some lines, in the order of the calls.

        Args:
            first: The first of the lines, 0-based.
            last: The last one. What is defined in these lines itself is left out.
        """
        found: dict[str, None] = {}
        begin = bisect_left(self._calls, first, key=lambda node: node.row)
        for node in islice(self._calls, begin, begin + _MOST_CALLS):
            if node.row > last or len(found) == MOST:
                break
            one = self.of_call(node)
            if one is not None and not (one.node.row >= first and one.node.end_row <= last):
                found[self._signature(one)] = None
        return tuple(found)

    def _signature(self, one: Definition) -> str:
        if one.node.kind in FUNCTIONS:
            return signature(one.node, one.name)
        constructor = self._constructors.get(one.name)
        if constructor is None:
            return f"class {one.name}"[:MOST_CHARACTERS]
        return signature(constructor.node, f"class {one.name}")


def signatures(text: Text, language_id: str, unit: "Unit") -> tuple[str, ...]:
    """Return one line for each function, method or class of a document that a unit calls.

    `units.split` has put them into `Unit.calls`; this is for a unit by itself.

    Args:
        text: The document.
        language_id: As LSP spells it; without a grammar nothing is known.
        unit: A unit of it.
    """
    parsed = parse_alone(text, language_id)
    root = None if parsed is None else copy(parsed.tree.root_node, parsed.source)
    return () if root is None else Definitions(root).called(unit.first, unit.last)


def signature(node: Node, name: str) -> str:
    """Return the header of a function as one line, without comments and texts."""
    asynchronous = "async " if node.has_word("async") else ""
    parameters = node.child("parameters") or node.first("formal_parameters", "parameter_list")
    shown = "()"
    if parameters is not None:
        shown = _without_texts(parameters)
        shown = shown if shown.startswith("(") else f"({shown})"
    elif (single := node.child("parameter")) is not None:
        shown = f"({_without_texts(single)})"
    result = node.child("return_type") or node.child("result")
    returned = ""
    if result is not None:
        returned = _without_texts(result).removeprefix(":").removeprefix("->").strip()
        returned = f" -> {returned}"
    line = f"{asynchronous}{name}{shown}{returned}"
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def name_of(node: Node) -> str:
    """Return the name of a function or class, "" where it has none."""
    named = node.child("name") or (node.child("type") if node.kind == "impl_item" else None)
    holder = node
    while named is None and (inner := holder.child("declarator")) is not None:
        # C and C++ nest the name in declarators.
        holder = inner
        named = inner if not any(child.field for child in inner.children) else None
    if named is None and node.parent is not None and node.field in ("value", "right"):
        # `const f = () => ...`, `exports.f = function () ...`, `{f: () => ...}`.
        parent = node.parent
        named = parent.child("name") or parent.child("left") or parent.child("key")
    if named is None:
        return ""
    return re.split(r"\.|::|:", named.text)[-1].strip().removeprefix("#")[:80]


def _owner_of(node: Node) -> str:
    """Return the name of the class that a node lies in, but not within a function of a method."""
    for outer in node.ancestors():
        if outer.kind in CLASSES:
            return name_of(outer)
    return ""


def _without_texts(node: Node) -> str:
    """Return a node's code on one line; comments and texts are taken out of it."""
    pieces: list[str] = []
    at, stop = node.start, min(node.end, node.start + 4 * MOST_CHARACTERS)
    for inner in _hidden(node):
        if inner.start >= stop:
            break
        pieces.append(node.source[at : inner.start].decode("utf-8", "replace"))
        if inner.kind not in _COMMENTS:
            kept = _in_type(inner, node) and _QUOTED_TYPE.fullmatch(inner.text)
            pieces.append(inner.text if kept else "...")
        at = inner.end
    pieces.append(node.source[at : max(at, stop)].decode("utf-8", "replace"))
    line = _BLANK.sub(" ", "".join(pieces)).strip()
    return _TAIL.sub("", line).replace("( ", "(").replace(", )", ")").replace(" )", ")")


def _hidden(node: Node) -> list[Node]:
    """Return the comments and texts in a node, none within another, in order."""
    found: list[Node] = []
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner.kind in _COMMENTS or inner.kind in _STRINGS:
            found.append(inner)
        else:
            stack.extend(reversed(inner.children))
    return found


def _in_type(node: Node, top: Node) -> bool:
    while node is not top and node.parent is not None:
        if node.kind in _TYPES or node.field in _TYPES:
            return True
        node = node.parent
    return node.kind in _TYPES or node.field in _TYPES
