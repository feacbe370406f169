"""Finds what a source text defines, with the head of each definition.

Only what other files can name is of interest: what stands at the top level, and the members of
classes. So a tree is walked from its root through the nodes named in the tables below and no
further, which leaves out the bodies of functions, most of every file.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sirdab.policy.limits import KIB
from sirdab.policy.secrets import redact
from sirdab.syntax.grammars import grammar
from sirdab.syntax.parse import to_source

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_SOURCE_BYTES = 128 * KIB
"""UTF-8 bytes of a text that is read. Parsing it takes up to 9 ms, which nothing can interrupt."""

MOST_DEFINITIONS = 400
"""Definitions kept of one file. What has more is generated."""

HEAD_CHARACTERS = 240
"""Characters kept of a definition's head; a signature is rarely longer."""

DOC_CHARACTERS = 120
"""Characters kept of the first line of a definition's documentation."""

# How deep definitions are looked for inside of others: a namespace, a class, a class in it.
_DEEPEST = 5
# Comments that may stand between a definition and the first line of what is said about it.
_MOST_COMMENTS = 40


class Definition(NamedTuple):
    """Something that has a name.

    Attributes:
        name: Without what it belongs to.
        kind: "function", "method", "class", "type", "field", "value" or "macro".
        container: Name of the class or type it is a member of; "" at the top level.
        head: What stands before its body: the signature, or the first line.
        doc: First line of its documentation; "" without any.
        line: Number of its first line, from 0.
    """

    name: str
    kind: str
    container: str
    head: str
    doc: str
    line: int


class _Rule(NamedTuple):
    """How one type of node defines something.

    Attributes:
        kind: Of the definition.
        name: Field in which the name is found; "" for a node that has no name of its own.
        body: Fields that lead to the body, which is no part of the head. Where they lead
            nowhere, the head is the first line.
        holds: Whether the body holds members.
        owner: Field that names what the definition belongs to, where that is not around it.
    """

    kind: str
    name: str = "name"
    body: tuple[str, ...] = ("body",)
    holds: bool = False
    owner: str = ""


class _Grammar(NamedTuple):
    """What is looked at in the trees of a language.

    Attributes:
        rules: Types of nodes that define something.
        wrappers: Types of nodes that may stand around one that does.
        comment: Sign of a comment that ends with its line.
        doc_inside: Whether documentation is a string in the body, not a comment above.
    """

    rules: dict[str, _Rule]
    wrappers: frozenset[str]
    comment: str = "//"
    doc_inside: bool = False


_SCRIPT = _Grammar(
    {
        "function_declaration": _Rule("function"),
        "generator_function_declaration": _Rule("function"),
        "function_signature": _Rule("function"),
        "class_declaration": _Rule("class", holds=True),
        "abstract_class_declaration": _Rule("class", holds=True),
        "interface_declaration": _Rule("type", holds=True),
        "type_alias_declaration": _Rule("type", body=()),
        "enum_declaration": _Rule("type"),
        "internal_module": _Rule("", "", holds=True),
        "module": _Rule("", "", holds=True),
        "method_definition": _Rule("method"),
        "method_signature": _Rule("method", body=()),
        "abstract_method_signature": _Rule("method", body=()),
        "public_field_definition": _Rule("field", body=("value", "body")),
        "field_definition": _Rule("field", "property", body=("value", "body")),
        "property_signature": _Rule("field", body=()),
        "variable_declarator": _Rule("value", body=("value", "body")),
        "assignment_expression": _Rule("value", "left", body=("right", "body")),
    },
    frozenset(
        {"export_statement", "ambient_declaration", "lexical_declaration", "expression_statement",
         "variable_declaration"}
    ),
)  # fmt: skip

_C = _Grammar(
    {
        "function_definition": _Rule("function", "declarator"),
        "declaration": _Rule("value", "declarator", body=()),
        "field_declaration": _Rule("field", "declarator", body=()),
        "type_definition": _Rule("type", "declarator", body=("type", "body"), holds=True),
        "struct_specifier": _Rule("type", holds=True),
        "union_specifier": _Rule("type", holds=True),
        "enum_specifier": _Rule("type"),
        "class_specifier": _Rule("class", holds=True),
        "alias_declaration": _Rule("type", body=()),
        "concept_definition": _Rule("type", body=()),
        "namespace_definition": _Rule("", "", holds=True),
        "preproc_def": _Rule("macro", body=()),
        "preproc_function_def": _Rule("macro", body=()),
    },
    frozenset(
        {"preproc_ifdef", "preproc_if", "preproc_else", "linkage_specification",
         "declaration_list", "template_declaration"}
    ),
)  # fmt: skip

_GRAMMARS: dict[str, _Grammar] = {
    "c": _C,
    "cpp": _C,
    "go": _Grammar(
        {
            "function_declaration": _Rule("function"),
            "method_declaration": _Rule("method", owner="receiver"),
            "type_spec": _Rule("type", body=("type",), holds=True),
            "type_alias": _Rule("type", body=()),
            "field_declaration_list": _Rule("", "", body=(), holds=True),
            "field_declaration": _Rule("field", body=()),
            "method_elem": _Rule("method", body=()),
            "const_spec": _Rule("value", body=()),
            "var_spec": _Rule("value", body=()),
        },
        frozenset({"type_declaration", "const_declaration", "var_declaration", "var_spec_list"}),
    ),
    "java": _Grammar(
        {
            "class_declaration": _Rule("class", holds=True),
            "record_declaration": _Rule("class", holds=True),
            "interface_declaration": _Rule("type", holds=True),
            "annotation_type_declaration": _Rule("type"),
            "enum_declaration": _Rule("type"),
            "method_declaration": _Rule("method"),
            "constructor_declaration": _Rule("method"),
            "field_declaration": _Rule("field", "declarator", body=()),
            "constant_declaration": _Rule("field", "declarator", body=()),
        },
        frozenset(),
    ),
    "javascript": _SCRIPT,
    "javascriptreact": _SCRIPT,
    "lua": _Grammar(
        {
            "function_declaration": _Rule("function"),
            "assignment_statement": _Rule("value", "", body=()),
        },
        frozenset({"variable_declaration"}),
        comment="--",
    ),
    "python": _Grammar(
        {
            "function_definition": _Rule("function"),
            "class_definition": _Rule("class", holds=True),
            "assignment": _Rule("value", "left", body=()),
            "type_alias_statement": _Rule("type", "left", body=()),
        },
        frozenset({"decorated_definition", "expression_statement"}),
        comment="#",
        doc_inside=True,
    ),
    "rust": _Grammar(
        {
            "function_item": _Rule("function"),
            "function_signature_item": _Rule("method", body=()),
            "struct_item": _Rule("type", holds=True),
            "enum_item": _Rule("type"),
            "union_item": _Rule("type", holds=True),
            "trait_item": _Rule("type", holds=True),
            "impl_item": _Rule("", "", holds=True, owner="type"),
            "mod_item": _Rule("", "", holds=True),
            "field_declaration": _Rule("field", body=()),
            "const_item": _Rule("value", body=()),
            "static_item": _Rule("value", body=()),
            "type_item": _Rule("type", body=()),
            "macro_definition": _Rule("macro", body=()),
        },
        frozenset(),
    ),
    "typescript": _SCRIPT,
    "typescriptreact": _SCRIPT,
}

LANGUAGES = frozenset(_GRAMMARS)
"""Language identifiers whose definitions are found."""

_KIN = {
    "cpp": "c",
    "javascript": "script",
    "javascriptreact": "script",
    "typescript": "script",
    "typescriptreact": "script",
}

# What names a definition, and how one gets there from the field of its rule.
_NAMES = frozenset(
    {"identifier", "type_identifier", "field_identifier", "property_identifier",
     "private_property_identifier", "namespace_identifier", "destructor_name", "operator_name"}
)  # fmt: skip
_PATHS = ("declarator", "name", "field", "method", "property", "type")
_OWNER_PATHS = ("type", "name")
# Left sides of assignments that name nothing, or several things at once.
_NAMELESS = frozenset(
    {"attribute", "subscript", "subscript_expression", "pattern_list", "tuple_pattern",
     "list_pattern", "object_pattern", "array_pattern"}
)  # fmt: skip
_BESIDE = frozenset({"decorator", "comment", "line_comment", "attribute_item", "modifiers"})
# Wrappers that say nothing of what stands in them.
_SILENT = frozenset(
    {"preproc_ifdef", "preproc_if", "preproc_else", "linkage_specification", "declaration_list"}
)
_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_BLANKS = re.compile(r"\s+")
_LAST_WORD = re.compile(r"\S+\Z")
_COMMENT_SIGNS = re.compile(r"^[\s/*!#\-]+|\s*\*+/\s*$")
# Kinds that become another when they are members.
_AS_MEMBER = {"function": "method", "value": "field"}


def kin_of(language_id: str) -> str:
    """Return the name that languages share whose files use each other's definitions."""
    return _KIN.get(language_id, language_id)


def comment_sign(language_id: str) -> str:
    """Return the sign of a comment that ends with its line; "" where it is not known."""
    known = _GRAMMARS.get(language_id)
    return known.comment if known is not None else _OTHER_COMMENTS.get(language_id, "")


_OTHER_COMMENTS = {
    **dict.fromkeys(
        ("dockerfile", "makefile", "perl", "r", "ruby", "shellscript", "toml", "yaml"), "#"
    ),
    **dict.fromkeys(("csharp", "kotlin", "php", "scala", "scss", "swift"), "//"),
    "sql": "--",
}


def _no_pause() -> None:
    return


def definitions_of(
    content: str, language_id: str, pause: Callable[[], None] = _no_pause
) -> list[Definition]:
    """Return what a source text defines, in its order.

    Args:
        content: The whole text.
        language_id: As LSP spells it.
        pause: Called every few microseconds of work, so that a thread may let others work.

    Returns:
        Nothing when the language has no grammar or the text is too large to be parsed.
    """
    known = _GRAMMARS.get(language_id)
    language = grammar(language_id) if known is not None else None
    if known is None or language is None or len(content) > MAX_SOURCE_BYTES:
        return []
    source = to_source(content)
    if len(source) > MAX_SOURCE_BYTES:
        return []
    from tree_sitter import Parser

    pause()
    # Not in pieces, which could be interrupted: the binding (tree-sitter 0.26) never lets go of
    # what a function has given it to read, so an index would grow by all that it reads.
    tree = Parser(language).parse(source)
    pause()
    walk = _Walk(source, known, pause)
    found: list[Definition] = []
    for one in walk.definitions(tree.root_node, "", 0):
        found.append(one)
        if len(found) >= MOST_DEFINITIONS:
            break
    return found


class _Walk:
    """A walk through one tree."""

    def __init__(self, source: bytes, known: _Grammar, pause: Callable[[], None]) -> None:
        self._source = source
        self._known = known
        self._pause = pause

    def definitions(self, parent: "Node", container: str, depth: int) -> Iterator[Definition]:
        """Yield what the children of a node define."""
        if depth > _DEEPEST:
            return
        above: list[Node] = []
        for node in parent.named_children:
            self._pause()
            if node.type in _COMMENTS:
                above.append(node)
                continue
            if node.type in _BESIDE:
                continue
            yield from self._defined(node, node, container, above, depth)
            above = []

    def _defined(
        self, node: "Node", outer: "Node", container: str, above: "Sequence[Node]", depth: int
    ) -> Iterator[Definition]:
        rule = self._known.rules.get(node.type)
        if rule is None:
            if node.type in self._known.wrappers:
                yield from self._inside(node, outer, container, above, depth)
            return
        owner = container
        if rule.owner:
            owner = self._name(node, rule.owner, _OWNER_PATHS) or container
        body = _follow(node, rule.body)
        if not rule.name and rule.kind:
            yield from self._assigned(node, outer, container, above)
            return
        if not rule.name:
            yield from self.definitions(body or node, owner, depth + 1)
            return
        name = self._name(node, rule.name)
        if not name:
            return
        kind = rule.kind
        if kind in ("value", "field") and _is_function(node, rule):
            kind = "function"
        kind = _AS_MEMBER.get(kind, kind) if owner else kind
        head = self._head(outer, node, body)
        yield Definition(name, kind, owner, head, self._doc(above, body), node.start_point[0])
        if rule.holds and body is not None:
            yield from self.definitions(body, name, depth + 1)

    def _inside(
        self, node: "Node", outer: "Node", container: str, above: "Sequence[Node]", depth: int
    ) -> Iterator[Definition]:
        """Yield what stands in a wrapper; alone in it, it has the wrapper's words in its head."""
        children = [child for child in node.named_children if child.type not in _BESIDE]
        inner = [
            child
            for child in children
            if child.type in self._known.rules or child.type in self._known.wrappers
        ]
        if len(inner) == 1 and node.type not in _SILENT:
            yield from self._defined(inner[0], outer, container, above, depth + 1)
        elif depth <= _DEEPEST:
            yield from self.definitions(node, container, depth + 1)

    def _assigned(
        self, node: "Node", outer: "Node", container: str, above: "Sequence[Node]"
    ) -> Iterator[Definition]:
        """Yield the one thing that a statement with lists on both sides gives a value."""
        sides = node.named_children
        if len(sides) != 2 or len(sides[0].named_children) != 1:
            return
        name = self._name_in(sides[0].named_children[0])
        values = sides[1].named_children
        is_function = bool(values) and values[0].type == "function_definition"
        if name:
            kind = "function" if is_function else "value"
            line = node.start_point[0]
            body = values[0].child_by_field_name("body") if is_function else None
            head = self._head(outer, node, body)
            yield Definition(name, kind, container, head, self._doc(above, None), line)

    def _name(self, node: "Node", field: str, paths: tuple[str, ...] = _PATHS) -> str:
        start = node.child_by_field_name(field)
        return self._name_in(start, paths) if start is not None else ""

    def _name_in(self, start: "Node", paths: tuple[str, ...] = _PATHS) -> str:
        node = start
        for _ in range(8):
            if node.type in _NAMES:
                return self._text(node.start_byte, node.end_byte)
            if node.type in _NAMELESS:
                return ""
            nearer = next((c for p in paths if (c := node.child_by_field_name(p))), None)
            if nearer is None:
                if not node.named_children:
                    return ""
                nearer = node.named_children[-1]
            node = nearer
        return ""

    def _head(self, outer: "Node", node: "Node", body: "Node | None") -> str:
        start = outer.start_byte
        if body is not None and body.start_byte > start:
            stop = body.start_byte
            if body.type.endswith("_type"):
                # "type Name struct {": the word before the bracket belongs to the head.
                bracket = self._source.find(b"{", body.start_byte, body.end_byte)
                stop = bracket if bracket >= 0 else body.end_byte
        else:
            stop = self._source.find(b"\n", node.start_byte)
            stop = outer.end_byte if stop < 0 else min(stop, outer.end_byte)
        # What stands above it, as decorators do, keeps its lines; a signature is written as one.
        around = self._text(start, node.start_byte)
        if around.rstrip().endswith("("):
            # A list of one, in Go: what is around it says nothing.
            start, above = node.start_byte, []
        elif "\n" in around:
            above = [_BLANKS.sub(" ", line).strip() for line in around.strip().split("\n")]
            start = node.start_byte
        else:
            above = []
        last = start + 4 * HEAD_CHARACTERS
        text = self._text(start, min(stop, last))
        if stop > last:
            # What is cut in the middle may be the beginning of a secret.
            text = _LAST_WORD.sub("", text)
        head = _BLANKS.sub(" ", text).strip().removesuffix("{").rstrip()
        return _cut("\n".join([*filter(None, above), head]), HEAD_CHARACTERS)

    def _doc(self, above: "Sequence[Node]", body: "Node | None") -> str:
        if self._known.doc_inside:
            return self._doc_string(body)
        if not above:
            return ""
        first = above[0]
        # Only comments that touch each other belong together.
        for earlier, later in zip(above[::-1][1:], above[::-1], strict=False):
            if earlier.end_point[0] < later.start_point[0] - 1 or len(above) > _MOST_COMMENTS:
                first = later
                break
        for line in self._text(first.start_byte, above[-1].end_byte).split("\n"):
            said = _COMMENT_SIGNS.sub("", line.strip()).strip()
            if said:
                return _cut(said, DOC_CHARACTERS)
        return ""

    def _doc_string(self, body: "Node | None") -> str:
        first = body.named_children[0] if body is not None and body.named_children else None
        if first is None or first.type != "expression_statement" or not first.named_children:
            return ""
        string = first.named_children[0]
        if string.type != "string":
            return ""
        content = next((c for c in string.named_children if c.type == "string_content"), None)
        if content is None:
            return ""
        said = self._text(content.start_byte, content.end_byte).strip()
        return _cut(said.split("\n")[0].strip(), DOC_CHARACTERS)

    def _text(self, start: int, stop: int) -> str:
        return self._source[start:stop].decode("utf-8", "replace")


def _cut(text: str, characters: int) -> str:
    """Return the beginning of a text; of a secret that would be cut in two, nothing.

    Half a secret is no longer known as one, and is secret all the same.
    """
    return text if len(text) <= characters else redact(text)[:characters]


def _follow(node: "Node", fields: tuple[str, ...]) -> "Node | None":
    found: Node | None = node
    for field in fields:
        found = found.child_by_field_name(field) if found is not None else None
    return found if fields else None


def _is_function(node: "Node", rule: _Rule) -> bool:
    """Whether a value is a function, or a declaration one of a function."""
    if rule.name == "declarator":
        declarator = node.child_by_field_name("declarator")
        while declarator is not None and declarator.type in (
            "pointer_declarator",
            "reference_declarator",
        ):
            declarator = declarator.child_by_field_name("declarator") or (
                declarator.named_children[-1] if declarator.named_children else None
            )
        return declarator is not None and declarator.type == "function_declarator"
    return _follow(node, rule.body) is not None
