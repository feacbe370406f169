"""A syntax tree as plain Python objects, for code that looks at many of its nodes many times.

Each look at a node of tree-sitter's binding makes a new object, and asking for a parent searches
from the root. What looks around a node (is there a loop outside, an `if` before?) would pay for
that again and again; so the tree is copied once, without the nodes that carry nothing.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.review.steps import LONG, Budget, Counted, TooMuch

if TYPE_CHECKING:
    from tree_sitter import Node as RawNode

MAX_NODES = 250_000
"""Nodes of a tree that is copied: those of some 40,000 lines. A larger tree is not looked at."""

STEPS_A_NODE = 60
"""How often a node may be visited, on average, while a tree is looked at. Real code takes some 20;
code that is nested without end would be visited from each of its levels."""

MAX_TEXT = 2_000
"""Bytes of a node's text that are looked at; a longer one is cut."""

# Words that are no node of their own in the grammars and are looked for. `await` is kept only where
# it belongs to a loop: an expression that is awaited is a named node already.
_WORDS = frozenset({"async", "var"})
_LOOPS = frozenset({"for_statement", "for_in_statement"})


__all__ = ["Node", "TooMuch", "copy", "release"]


class Node:
    """One node: what tree-sitter calls a named node, a field, or one of a few words.

    Attributes:
        kind: Its type in the grammar.
        field: The field of its parent that it is, "" where it is none.
        row: Line of its first character, 0-based.
        end_row: Line of its last character, 0-based.
        start: First byte in the source.
        end: Byte behind its last one.
        parent: The node around it; None for the root.
        children: The nodes in it, in order.
    """

    __slots__ = ("budget", "children", "end", "end_row", "field", "kind", "parent", "row", "start")

    def __init__(
        self, raw: "RawNode", field: str | None, parent: "Node | None", budget: "Budget"
    ) -> None:
        """Copy a node without its children."""
        self.kind: str = raw.type
        self.field = field or ""
        self.row: int = raw.start_point[0]
        row, column = raw.end_point
        # A node that takes in its line end would seem to reach into the next line.
        self.end_row: int = row - 1 if column == 0 and row > self.row else row
        self.start: int = raw.start_byte
        self.end: int = raw.end_byte
        self.parent = parent
        self.children: list[Node] = []
        self.budget = budget

    @property
    def source(self) -> bytes:
        """What the tree speaks of, UTF-8."""
        return self.budget.source

    @property
    def text(self) -> str:
        """Its text in the source, cut to `MAX_TEXT` bytes."""
        stop = min(self.end, self.start + MAX_TEXT)
        return self.source[self.start : stop].decode("utf-8", "replace")

    def child(self, field: str) -> "Node | None":
        """Return the first child that is the given field."""
        for child in self.children:
            if child.field == field:
                return child
        return None

    def first(self, *kinds: str) -> "Node | None":
        """Return the first child of one of the given kinds."""
        for child in self.children:
            if child.kind in kinds:
                return child
        return None

    def has_word(self, word: str) -> bool:
        """Whether a word such as `async` stands directly in it."""
        return any(child.kind == word for child in self.children)

    def walk(self) -> Iterator["Node"]:
        """Yield it and all nodes in it, from top to bottom.

        Raises:
            TooMuch: The budget of the tree is spent; `ancestors` raises it as well.
        """
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            self.budget.spend()
            yield node
            stack.extend(reversed(node.children))

    def ancestors(self) -> Iterator["Node"]:
        """Yield the nodes around it, from the inside to the outside."""
        node = self.parent
        while node is not None:
            self.budget.spend()
            yield node
            node = node.parent

    def around(self, *kinds: str) -> "Node | None":
        """Return the innermost node around it that is of one of the given kinds."""
        return next((node for node in self.ancestors() if node.kind in kinds), None)

    def holds(self, other: "Node") -> bool:
        """Whether another node is this one or lies in it."""
        return self.start <= other.start and other.end <= self.end


def release(root: Node) -> None:
    """Take a tree apart that is not needed any more, so that nobody has to search for it."""
    # What goes through the tree for the last time needs no budget.
    root.budget.left = MAX_NODES * STEPS_A_NODE
    stack = [root]
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        node.parent = None
        node.children = []


def copy(root: "RawNode", source: bytes) -> Node | None:
    """Return a tree as plain objects, or None when it has more than `MAX_NODES`.

    Args:
        root: The tree's root.
        source: What it speaks of.
    """
    cursor = root.walk()
    budget = Budget(source)
    top = Node(root, None, None, budget)
    # Parents by depth; a node that is left out stands for its own parent.
    path = [top]
    count = 1
    descend = cursor.goto_first_child()
    while True:
        if not descend:
            while not cursor.goto_next_sibling():
                if len(path) == 1 or not cursor.goto_parent():
                    return top
                path.pop()
            if len(path) == 1:
                return top
            path.pop()
        raw = cursor.node
        if raw is None:
            return top
        count += 1
        budget.left += STEPS_A_NODE
        if count > MAX_NODES:
            return None
        parent, field = path[-1], cursor.field_name
        kind = raw.type
        if raw.is_named or field or kind in _WORDS or (kind == "await" and parent.kind in _LOOPS):
            node = Node(raw, field, parent, budget)
            siblings = parent.children
            siblings.append(node)
            if len(siblings) == LONG:
                parent.children = Counted(budget, siblings)
            path.append(node)
        else:
            path.append(parent)
        descend = cursor.goto_first_child()
