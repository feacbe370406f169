"""Splits a document into the units that are reviewed one by one.

A unit is a function, a method, or a stretch of other code, small enough for one question. It
is named by what it lies in and known by a digest of what the model is shown of it, so that it
is asked about only once while it does not change.

Comments and docstrings are blanked out: they cost tokens, they say what the code should do
rather than what it does, and they are where somebody else's text would speak to the model.
"""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import TYPE_CHECKING

from sirdab.policy.sanitize import clean_output
from sirdab.policy.secrets import line_has_secret
from sirdab.review import comments, signs, tree
from sirdab.review.calls import Definitions
from sirdab.review.inert import seen
from sirdab.review.signs import Place, Scene, Signs
from sirdab.review.tree import TooMuch
from sirdab.review.uncollected import uncollected
from sirdab.syntax.parse import parse_alone
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
_NAME = re.compile(r"[\w$#~.:]+")
_LONGEST_NAME = 80
# Deeper functions are parts of those around them; the tree of hostile code has no bottom.
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of whole lines.

    Attributes:
        name: The functions and classes it lies in, joined by dots; "" at the top level.
        first: Number of its first line, 0-based.
        lines: What is shown of its lines, without line ends: comments are blank.
        digest: Names the content with its context, which is `calls` and `signs`; the place in
            the document is no part of it.
        calls: Signatures of what it calls, as far as the document defines it.
        signs: Structural signs by name, with the places in `lines` that show them; None where
            the document has no tree.
    """

    name: str
    first: int
    lines: tuple[str, ...]
    digest: str
    calls: tuple[str, ...] = ()
    signs: Signs | None = None

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


def split(text: Text, language_id: str, *, redact_secrets: bool = False) -> list[Unit]:
    """Return the units of a document from top to bottom; blank ones are left out.

    Args:
        text: The document.
        language_id: As LSP spells it.
        redact_secrets: Whether secrets are taken out of what is shown.
    """
    bodies = [text.line_body(number) for number in range(text.line_count)]
    parsed = parse_alone(text, language_id)
    lines = comments.blanked(bodies, language_id, parsed)
    if redact_secrets:
        _redact(lines, bodies)
    lines = [seen(line).rstrip() for line in lines]
    if parsed is None:
        return list(_units(lines, [], _Context()))
    spans = sorted(_functions(parsed.tree.root_node, ""), key=lambda span: span.first)
    with uncollected():
        root = tree.copy(parsed.tree.root_node, parsed.source)
        try:
            return list(_units(lines, spans, _context(root, parsed.language_id)))
        finally:
            if root is not None:
                tree.release(root)


def _redact(lines: list[str], bodies: list[str]) -> None:
    """Take the secrets out of lines whose comments are blank already.

    They are looked for in the document as it is, because a key may begin in a comment; and what is
    blank stays so, because a comment must not take the code before it along.
    """
    from sirdab.policy.secrets import PLACEHOLDER, find_secrets

    starts = list(accumulate((len(body) + 1 for body in bodies), initial=0))
    for low, high, _ in reversed(find_secrets("\n".join(bodies))):
        for row in range(bisect_right(starts, low) - 1, bisect_left(starts, high)):
            line = lines[row]
            start, stop = max(low - starts[row], 0), min(high - starts[row], len(bodies[row]))
            if line[start:stop].strip():
                lines[row] = line[:start] + PLACEHOLDER + line[stop:]


class _Context:
    """What is known of the whole document; by default nothing."""

    def __init__(
        self,
        definitions: Definitions | None = None,
        found: dict[str, dict[int, Place]] | None = None,
    ) -> None:
        self._definitions = definitions
        self._found = None
        if found is not None:
            places = ((name, place) for name, of_it in found.items() for place in of_it.values())
            self._found = sorted(places, key=lambda entry: entry[1].row)

    def calls(self, first: int, last: int) -> tuple[str, ...]:
        """Return the signatures of what some lines call."""
        try:
            found = () if self._definitions is None else self._definitions.called(first, last)
        except TooMuch:
            return ()
        # A parameter may be named by anything that a grammar takes for a name.
        return tuple(line for line in found if clean_output(line) == line and "\n" not in line)

    def signs(self, first: int, shown: tuple[str, ...]) -> Signs | None:
        """Return the signs in some lines that are shown; a blank one shows none."""
        if self._found is None:
            return None
        begin = bisect_left(self._found, first, key=lambda entry: entry[1].row)
        kept: dict[str, list[Place]] = {}
        for name, place in islice(self._found, begin, None):
            if place.row >= first + len(shown):
                break
            inside = _shown(place, first, shown)
            if inside is not None:
                kept.setdefault(name, []).append(inside)
        return tuple((name, tuple(places)) for name, places in sorted(kept.items()))


def _shown(place: Place, first: int, shown: tuple[str, ...]) -> Place | None:
    """Return a place within a unit's lines, None where it is not shown."""
    row = place.row - first
    if not 0 <= row < len(shown) or not shown[row]:
        return None
    # A secret that was taken out has moved what stands behind it.
    return Place(row, min(place.start, len(shown[row])), min(place.stop, len(shown[row])))


def _context(root: tree.Node | None, language_id: str) -> _Context:
    if root is None:
        return _Context()
    try:
        scene = Scene(root, language_id)
        return _Context(scene.definitions, signs.find(scene))
    except TooMuch:
        return _Context()


def code_of(text: Text, language_id: str) -> list[str]:
    """Return the lines of a document that hold code, without comments and docstrings."""
    bodies = [text.line_body(number) for number in range(text.line_count)]
    lines = comments.blanked(bodies, language_id, parse_alone(text, language_id))
    return [line.rstrip() for line in lines if line.strip()]


def _functions(node: "Node", name: str, depth: int = 0) -> Iterator[_Span]:
    """Yield the functions below a node, but none that lies in another one."""
    if depth > _DEEPEST:
        return
    for child in node.named_children:
        inner = _unwrap(child)
        if inner.type in _FUNCTIONS:
            yield _Span(_joined(name, _name_of(inner)), child.start_point[0], child.end_point[0])
        elif inner.type in _CONTAINERS:
            yield from _functions(inner, _joined(name, _name_of(inner)), depth + 1)
        elif inner.type in ("body", "block", "declaration_list", "class_body", "statement_block"):
            yield from _functions(inner, name, depth + 1)
        elif child.end_point[0] - child.start_point[0] >= 2:
            # `const f = () => {...}`, `M.f = function() ... end`, a test in a call.
            yield from _functions(inner, name, depth + 1)


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
    # A name may be an expression, such as a text in brackets, which is no name to show.
    found = clean_output(named.text[: 4 * _LONGEST_NAME].decode("utf-8", "replace"))
    return found[:_LONGEST_NAME] if _NAME.fullmatch(found) and not line_has_secret(found) else ""


def _joined(outer: str, inner: str) -> str:
    return ".".join(part for part in (outer, inner) if part)


def _units(lines: list[str], spans: list[_Span], context: _Context) -> Iterator[Unit]:
    at = 0
    for span in spans:
        if span.first < at:
            # Two functions on one line, or one within another.
            continue
        yield from _pieces(lines, at, span.first - 1, "", context)
        yield from _pieces(lines, span.first, span.last, span.name, context)
        at = span.last + 1
    yield from _pieces(lines, at, len(lines) - 1, "", context)


def _pieces(
    lines: list[str], first: int, last: int, name: str, context: _Context
) -> Iterator[Unit]:
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
        unit = _unit(lines, first, stop - 1, name, context)
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


def _unit(lines: list[str], first: int, last: int, name: str, context: _Context) -> Unit | None:
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
    calls, found = context.calls(first, last), context.signs(first, shown)
    content = "\n".join((name, *shown, *calls, repr(found)))
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return Unit(name, first, shown, digest, calls, found)
