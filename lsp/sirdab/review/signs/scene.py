"""A document as the signs see it: its nodes by kind, and what its names stand for.

What is known is what one function shows by itself: what a name was assigned, and as what a
parameter is annotated. No types are inferred across functions, but for the attributes that the
methods of a class assign.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from sirdab.review.calls import CLASSES, Definitions
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    SCOPES,
    class_of,
    function_of,
    parameter_name,
    parameters_of,
)
from sirdab.review.steps import Counted
from sirdab.review.tree import Node

if TYPE_CHECKING:
    from sirdab.review.signs.kinds import Kind

MOST_ATTRIBUTE = 120
"""Bytes of the longest attribute that is looked for."""


_ASSIGNING = frozenset({"assignment", "assignment_expression", "augmented_assignment",
                        "augmented_assignment_expression"})  # fmt: skip


class Assigned(NamedTuple):
    """A value that a name is given.

    Attributes:
        target: The name's node.
        value: The value, None where it is not one expression (a loop, a part of a tuple).
        how: Kind of the node that gives it.
    """

    target: Node
    value: Node | None
    how: str


class Scope:
    """The names of one function, or of what stands outside of all functions.

    Args:
        node: The function, or the document's root.

    Attributes:
        node: The same.
        assigned: What each name is given, in order. Attributes go by their whole text.
        parameters: The parameters by name; the node is the whole parameter.
        names: Where each identifier stands, in order, also in the functions inside.
    """

    def __init__(self, node: Node) -> None:
        """Read a function."""
        self.node = node
        self.assigned: dict[str, list[Assigned]] = {}
        self.parameters: dict[str, Node] = {}
        self.names: dict[str, list[Node]] = {}
        budget = node.budget
        for parameter in parameters_of(node):
            name = parameter_name(parameter)
            if name:
                self.parameters[name] = parameter
        # Nodes, and whether they lie in a function inside, whose assignments are its own.
        stack = [(node, False)]
        while stack:
            inner, hidden = stack.pop()
            budget.spend()
            if inner.kind in NAMES:
                self.names.setdefault(inner.text, Counted(budget)).append(inner)
            elif not hidden:
                for one in _assignments(inner):
                    self.assigned.setdefault(one.target.text, Counted(budget)).append(one)
            below = hidden or (inner is not node and inner.kind in SCOPES)
            stack.extend((child, below) for child in reversed(inner.children))

    @cached_property
    def members(self) -> dict[str, list[Node]]:
        """Where each attribute such as `self.x` stands, in order, by its whole text."""
        found: dict[str, list[Node]] = {}
        for inner in self.node.walk():
            if inner.kind in MEMBERS and inner.end - inner.start <= MOST_ATTRIBUTE:
                found.setdefault(inner.text, Counted(inner.budget)).append(inner)
        return found

    def mentions(self, text: str) -> list[Node]:
        """Return where a name or an attribute stands, in order."""
        return (self.members if "." in text else self.names).get(text, [])

    @cached_property
    def returned(self) -> list[Node]:
        """The `return` statements of this function itself that give a value."""
        found = self.own("return_statement")
        return Counted(self.node.budget, (node for node in found if node.children))

    def own(self, *kinds: str) -> Iterator[Node]:
        """Yield the nodes of some kinds, from top to bottom, none of the functions inside."""
        stack = [self.node]
        while stack:
            inner = stack.pop()
            self.node.budget.spend()
            if inner.kind in kinds:
                yield inner
            if inner is self.node or inner.kind not in SCOPES:
                stack.extend(reversed(inner.children))


class Scene:
    """One document.

    Args:
        root: Its tree.
        language_id: Its language.
    """

    def __init__(self, root: Node, language_id: str) -> None:
        """Sort its nodes by kind."""
        self.root = root
        self.language_id = language_id
        self._by_kind: dict[str, list[Node]] = {}
        for node in root.walk():
            self._by_kind.setdefault(node.kind, Counted(root.budget)).append(node)
        self._scopes: dict[int, Scope] = {}
        self._attributes: dict[int, dict[str, list[Assigned]]] = {}
        # Of a name in a scope, what `kinds` found out: it is asked again at each mention.
        self.kinds: dict[tuple[int, str, int], Kind | None] = {}

    @cached_property
    def definitions(self) -> Definitions:
        """What the document defines."""
        return Definitions(self.root)

    def all(self, *kinds: str) -> Iterator[Node]:
        """Yield the nodes of some kinds, each kind from top to bottom."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    @property
    def calls(self) -> Iterator[Node]:
        """Every call."""
        return self.all(*CALLS)

    @property
    def functions(self) -> Iterator[Node]:
        """Every function."""
        return self.all(*SCOPES)

    def scope(self, node: Node) -> Scope:
        """Return the names of the function that a node is or lies in."""
        owner = node if node.kind in SCOPES else function_of(node) or self.root
        if id(owner) not in self._scopes:
            self._scopes[id(owner)] = Scope(owner)
        return self._scopes[id(owner)]

    def given(self, name: str, at: Node) -> list[Assigned]:
        """Return what a name is given, in the innermost function around a node that gives it.

        Args:
            name: An identifier, or an attribute such as `self.x`, for which all methods of the
                class are asked.
            at: Where it is used.
        """
        if name.startswith(("self.", "cls.", "this.")):
            return self._attribute(name, at)
        scope = self.scope(at)
        while True:
            if name in scope.assigned or name in scope.parameters:
                return scope.assigned.get(name, [])
            if scope.node is self.root:
                return []
            scope = self.scope(function_of(scope.node) or self.root)

    def parameter(self, name: str, at: Node) -> Node | None:
        """Return the parameter that a name is, unless a function inside gives it another value."""
        scope = self.scope(at)
        while name not in scope.parameters:
            if name in scope.assigned or scope.node is self.root:
                return None
            scope = self.scope(function_of(scope.node) or self.root)
        return scope.parameters[name]

    def _attribute(self, name: str, at: Node) -> list[Assigned]:
        owner = class_of(at)
        if owner is None:
            return []
        known = self._attributes.get(id(owner))
        if known is None:
            known = dict[str, list[Assigned]]()
            for node in owner.walk():
                if node.kind in CLASSES and node is not owner:
                    continue
                for one in _assignments(node):
                    text = one.target.text
                    if node.kind in ("field_definition", "public_field_definition"):
                        text = f"this.{text}"
                    if text.startswith(("self.", "cls.", "this.")):
                        known.setdefault(text, Counted(owner.budget)).append(one)
            # Only what was read to its end is kept.
            self._attributes[id(owner)] = known
        return known.get(name, [])


def _assignments(node: Node) -> Iterator[Assigned]:  # noqa: PLR0912 - a case a kind of node
    """Yield what a node assigns by itself."""
    match node.kind:
        case _ if node.kind in _ASSIGNING:
            left, right = node.child("left"), node.child("right")
            if left is not None and right is not None:
                yield from _targets(left, right, node.kind)
        case "variable_declarator" | "named_expression":
            left, right = node.child("name"), node.child("value")
            if left is not None:
                yield from _targets(left, right, node.kind)
        case "field_definition" | "public_field_definition":
            left = node.child("property") or node.child("name")
            if left is not None:
                yield Assigned(left, node.child("value"), node.kind)
        case "for_statement" | "for_in_statement" | "for_in_clause":
            left = node.child("left")
            if left is not None:
                yield from _targets(left, None, node.kind)
        case "as_pattern":
            # `with open(p) as f`, `except E as error`.
            alias = node.child("alias")
            if alias is not None and alias.children:
                yield from _targets(alias.children[0], None, node.kind)
        case "catch_clause":
            parameter = node.child("parameter")
            if parameter is not None:
                yield from _targets(parameter, None, node.kind)
        case _:
            pass


def _targets(left: Node, right: Node | None, how: str) -> Iterator[Assigned]:
    if left.kind in ("identifier", "attribute", "member_expression", "subscript_expression"):
        yield Assigned(left, right, how)
    elif left.kind != "subscript":
        for inner in left.walk():
            if inner.kind in ("identifier", "shorthand_property_identifier_pattern"):
                yield Assigned(inner, None, how)
