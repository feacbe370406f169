"""What the operators are made of: a source with its tree, edits of it, and the operators' registry.

An operator is a function that yields every place of a source where it can put its defect, as the
edits that do so. It changes bytes and never prints a tree anew, so that what it does not touch
stays as somebody wrote it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text

if TYPE_CHECKING:
    from tree_sitter import Node

Category = Literal["correctness", "security", "performance"]
Family = Literal["python", "javascript"]

LANGUAGES: dict[Family, frozenset[str]] = {
    "python": frozenset({"python"}),
    "javascript": frozenset(
        {"javascript", "javascriptreact", "typescript", "typescriptreact"},
    ),
}
"""Language identifiers that the operators of a family can read."""


class Source:
    """A source file and its syntax tree.

    Args:
        text: The source; its line ends are LF.
        language_id: As LSP spells it.

    Raises:
        ValueError: There is no grammar for the language, or the source is too large.
    """

    def __init__(self, text: str, language_id: str) -> None:
        parsed = parse_alone(Text(text), language_id)
        if parsed is None:
            raise ValueError(f"no syntax tree of {language_id}")
        self.text = text
        self.language_id = language_id
        self.bytes = parsed.source
        self._parsed = parsed

    @property
    def root(self) -> "Node":
        """The root of the tree."""
        return self._parsed.tree.root_node

    @cached_property
    def nodes(self) -> "tuple[Node, ...]":
        """All named nodes, in the order of the source."""
        return tuple(below(self.root))

    def of_type(self, *kinds: str) -> "list[Node]":
        """Return the named nodes of some types, in the order of the source."""
        return [node for node in self.nodes if node.type in kinds]

    def code(self, node: "Node | None") -> str:
        """Return what stands at a node, "" where there is none."""
        return "" if node is None else self.bytes[node.start_byte : node.end_byte].decode()

    def line_start(self, offset: int) -> int:
        """Return the offset at which the line of an offset begins."""
        return self.bytes.rfind(b"\n", 0, offset) + 1

    def line_stop(self, offset: int) -> int:
        """Return the offset behind the line end of an offset's line."""
        at = self.bytes.find(b"\n", offset)
        return len(self.bytes) if at < 0 else at + 1

    def indent(self, node: "Node") -> str:
        """Return the blanks at the start of the line that a node begins in."""
        line = self.bytes[self.line_start(node.start_byte) : node.start_byte].decode()
        return line[: len(line) - len(line.lstrip())]


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of bytes that is replaced.

    Attributes:
        start: First byte.
        stop: Byte behind the last one.
        text: What takes its place.
        marks: Whether the defect stands here; False for what only goes with it, such as an import.
    """

    start: int
    stop: int
    text: str
    marks: bool = True


@dataclass(frozen=True, slots=True)
class Mutation:
    """One defect.

    Attributes:
        edits: What makes it; they do not overlap.
        shows: Bytes of the clean source, first and behind the last, where it shows as well or, when
            something was only taken away, alone.
    """

    edits: tuple[Edit, ...]
    shows: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Mutated:
    """A source with a defect.

    Attributes:
        text: The whole of it.
        lines: First and last lines, 0-based, in which the defect stands.
    """

    text: str
    lines: tuple[tuple[int, int], ...]


Sites = Callable[[Source], Iterator[Mutation]]


@dataclass(frozen=True, slots=True)
class Operator:
    """A kind of defect that can be put into code.

    Attributes:
        id: Short name in kebab-case.
        family: The languages it is for.
        rules: Names of the review's rules that are right about it, the main one first.
        category: What it is about.
        cwe: Number in the Common Weakness Enumeration (cwe.mitre.org), 0 where it has none.
        about: What it does, in a few words.
        sites: Yields each place for it.
    """

    id: str
    family: Family
    rules: tuple[str, ...]
    category: Category
    cwe: int
    about: str
    sites: Sites


_registry: dict[str, Operator] = {}


def operator(
    id_: str, *rules: str, category: Category, cwe: int = 0, family: Family = "python"
) -> Callable[[Sites], Sites]:
    """Register a function as an operator; the first line of its docstring says what it does.

    Args:
        id_: Its name.
        rules: The rules that are right about it.
        category: What it is about.
        cwe: Its number in the Common Weakness Enumeration.
        family: The languages it is for.
    """

    def register(sites: Sites) -> Sites:
        if id_ in _registry:
            raise ValueError(f"two operators are called {id_}")
        about = (sites.__doc__ or "").strip().split("\n")[0].rstrip(".")
        _registry[id_] = Operator(id_, family, rules, category, cwe, about, sites)
        return sites

    return register


def registered() -> tuple[Operator, ...]:
    """Return the operators of the modules that were imported, in their order."""
    return tuple(_registry.values())


def mutate(source: Source, mutation: Mutation) -> Mutated | None:
    """Carry a mutation out.

    Returns:
        None when it changes nothing, or breaks the syntax: an operator may meet code that it was
        not thought for.
    """
    edits = sorted(mutation.edits, key=lambda edit: (edit.start, edit.stop))
    pieces: list[bytes] = []
    at = 0
    size = 0
    marked: list[tuple[int, int]] = []
    shifts: list[tuple[int, int]] = []
    for edit in edits:
        if edit.start < at:
            return None
        new = edit.text.encode()
        pieces += [source.bytes[at : edit.start], new]
        size += edit.start - at
        if edit.marks and new.strip():
            lead = len(new) - len(new.lstrip())
            marked.append((size + lead, size + len(new.rstrip())))
        size += len(new)
        at = edit.stop
        shifts.append((edit.stop, len(new) - (edit.stop - edit.start)))
    pieces.append(source.bytes[at:])
    content = b"".join(pieces)
    for start, stop in mutation.shows:
        moved = sum(change for place, change in shifts if place <= start)
        marked.append((start + moved, stop + moved))
    if content == source.bytes or not marked:
        return None
    text = content.decode()
    changed = parse_alone(Text(text), source.language_id)
    if changed is None or (changed.tree.root_node.has_error and not source.root.has_error):
        return None
    lines = {
        (content.count(b"\n", 0, start), content.count(b"\n", 0, max(start, stop - 1)))
        for start, stop in marked
    }
    return Mutated(text, tuple(sorted(lines)))


def below(node: "Node") -> "Iterator[Node]":
    """Yield the named nodes below a node, in the order of the source."""
    stack = list(reversed(node.named_children))
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(one.named_children))


def above(node: "Node") -> "Iterator[Node]":
    """Yield the nodes around a node, the nearest first."""
    outer = node.parent
    while outer is not None:
        yield outer
        outer = outer.parent


def nearest(node: "Node", *kinds: str) -> "Node | None":
    """Return the nearest node of some types around a node."""
    return next((outer for outer in above(node) if outer.type in kinds), None)


def field(node: "Node | None", *names: str) -> "Node | None":
    """Follow field names down from a node; None where one is missing."""
    for name in names:
        if node is None:
            return None
        node = node.child_by_field_name(name)
    return node


def within(node: "Node", outer: "Node") -> bool:
    """Whether a node lies in another one."""
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte


def replace(node: "Node", text: str, *, marks: bool = True) -> Edit:
    """Return the edit that puts text in place of a node."""
    return Edit(node.start_byte, node.end_byte, text, marks)


def span(node: "Node") -> tuple[int, int]:
    """Return the bytes of a node, for `Mutation.shows`."""
    return node.start_byte, node.end_byte


def without_lines(source: Source, node: "Node", *, marks: bool = True) -> Edit:
    """Return the edit that takes away the lines of a statement."""
    return Edit(source.line_start(node.start_byte), source.line_stop(node.end_byte - 1), "", marks)


def names_in(source: Source, nodes: "Iterable[Node]") -> set[str]:
    """Return the identifiers in some nodes."""
    found: set[str] = set()
    for node in nodes:
        inner = [node, *below(node)]
        found.update(source.code(one) for one in inner if one.type == "identifier")
    return found


def shifted(text: str, old: str, new: str) -> str:
    """Return lines with the indentation `old` at their starts made `new`."""
    return re.sub(rf"(?m)^{re.escape(old)}(?=\S|[ \t])", new, text)
