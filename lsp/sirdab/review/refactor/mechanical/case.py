"""One finding as those see it who mend by rule: the tree, the lines, what the sign points at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sirdab.review.tree import Node


class Change(NamedTuple):
    """A stretch of a document that is replaced.

    Attributes:
        start: First byte of it, in UTF-8.
        stop: Byte behind its last one.
        text: What takes its place, with line feeds for line ends.
    """

    start: int
    stop: int
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """A finding in the syntax tree.

    Attributes:
        root: The tree of the document.
        language_id: As LSP spells it.
        first: First line of the finding, 0-based.
        last: Its last line.
        shown: First byte, and the one behind the last, of what shows the rule's sign in these
            lines; None where the tree shows none.
    """

    root: Node
    language_id: str
    first: int
    last: int
    shown: tuple[int, int] | None

    @property
    def source(self) -> bytes:
        """The document, UTF-8."""
        return self.root.source

    def all(self, *kinds: str) -> Iterator[Node]:
        """Yield the nodes of some kinds that begin in the lines of the finding, in order."""
        for node in self.root.walk():
            if node.kind in kinds and self.first <= node.row <= self.last:
                yield node

    def only(self, *kinds: str) -> Node | None:
        """Return the one node of some kinds in the lines; None where there are more, or none."""
        found = list(self.all(*kinds))
        return found[0] if len(found) == 1 else None

    def pointed(self, *kinds: str) -> Node | None:
        """Return the node of some kinds that the sign points at, else the only one there is."""
        if self.shown is None:
            return self.only(*kinds)
        start, stop = self.shown
        exact: Node | None = None
        for node in self.all(*kinds):
            if (node.start, node.end) == (start, stop):
                return node
            if node.start <= start and stop <= node.end:
                # The innermost one comes last.
                exact = node
        return exact

    def statement(self) -> Node | None:
        """Return the statement of an expression that begins first in the lines."""
        return next(self.all("expression_statement"), None)

    def text(self, start: int, stop: int) -> str:
        """Return a stretch of the document, given in bytes."""
        return self.source[start:stop].decode("utf-8", "replace")


def whole(node: Node) -> str:
    """Return all text of a node, however long."""
    return node.source[node.start : node.end].decode("utf-8", "replace")


def indent_of(node: Node) -> str:
    """Return the blanks before a node that begins its line; "" where code stands before it."""
    source = node.source
    line = source.rfind(b"\n", 0, node.start) + 1
    before = source[line : node.start].decode("utf-8", "replace")
    return before if not before.strip() else ""


def operator_of(node: Node) -> Node | None:
    """Return the operator of a node with two operands; None where there are several."""
    found = [one for one in node.children if one.field in ("operator", "operators")]
    return found[0] if len(found) == 1 else None


def operands_of(node: Node) -> tuple[Node, Node] | None:
    """Return the operands of a node with two of them."""
    found = [one for one in node.children if one.field not in ("operator", "operators")]
    found = [one for one in found if one.kind != "comment"]
    return (found[0], found[1]) if len(found) == 2 else None


def replaced(node: Node, text: str) -> Change:
    """Return the change that puts a text in the place of a node."""
    return Change(node.start, node.end, text)


def before(node: Node, text: str) -> Change:
    """Return the change that puts a text before a node."""
    return Change(node.start, node.start, text)


def after(node: Node, text: str) -> Change:
    """Return the change that puts a text behind a node."""
    return Change(node.end, node.end, text)


def arguments_of(call: Node) -> list[Node] | None:
    """Return the arguments of a call, None where it has no list of them."""
    given = call.child("arguments")
    if given is None or given.kind not in ("argument_list", "arguments"):
        return None
    return [one for one in given.children if one.kind != "comment"]


def function_around(node: Node) -> Node | None:
    """Return the function that a node is in."""
    return node.around(
        "function_definition", "lambda", "function_declaration", "function_expression",
        "arrow_function", "method_definition", "generator_function_declaration",
        "generator_function",
    )  # fmt: skip
