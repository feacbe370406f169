"""Puts blanks in place of comments and docstrings, so that nobody speaks through them to a model.

Where the language has a grammar, the syntax tree says what is a comment. Elsewhere the signs of the
language do, outside of quotes; a line whose quotes cannot be told keeps what stands behind code
in it, because code that is taken for a comment would not be reviewed.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sirdab.syntax.parse import Parsed

if TYPE_CHECKING:
    from tree_sitter import Node

_COMMENTS = frozenset({"comment", "line_comment", "block_comment", "html_comment"})
# What stands in a text and is code all the same.
_CODE_IN_TEXT = frozenset({"interpolation", "template_substitution"})


class _Signs(NamedTuple):
    """How a language without a grammar here writes comments.

    Attributes:
        line: What begins a comment that ends with its line.
        block: Whether comments stand between /* and */ too.
        behind: Whether a comment may be told behind code: not where `#` and `/` mean much else.
    """

    line: tuple[str, ...]
    block: bool = True
    behind: bool = True


_SLASHES = _Signs(("//",))
_SIGNS: dict[str, _Signs] = {
    "csharp": _SLASHES, "kotlin": _SLASHES, "scala": _SLASHES, "swift": _SLASHES,
    "php": _Signs(("//", "#")),
    "perl": _Signs(("#",), block=False, behind=False),
    "ruby": _Signs(("#",), block=False, behind=False),
    "shellscript": _Signs(("#",), block=False, behind=False),
}  # fmt: skip
_HASH = _Signs(("#",), block=False, behind=False)
# A text within one line; what may hold code inside of a text of one line; and what may begin a text
# that goes over lines.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"|' + r"'(?:[^'\\]|\\.)*+'")
_INTERPOLATES = re.compile(r"\$\{|\\\(|\{\$")
_LONG_TEXT = re.compile(r'"""|\'\'\'|`|<<<|@"|@\$"|#"')


def blanked(bodies: list[str], language_id: str, parsed: Parsed | None) -> list[str]:
    """Return the lines of a document with blanks in place of comments and docstrings.

    Args:
        bodies: The lines, without line ends.
        language_id: As LSP spells it.
        parsed: The tree of exactly this document; None where the language has no grammar.

    Returns:
        As many lines; what is left stands in its column.
    """
    if parsed is None:
        return list(_without_grammar(bodies, _SIGNS.get(language_id, _HASH)))
    lines = list(bodies)
    for row, spans in _spans(parsed.tree.root_node, len(lines)).items():
        lines[row] = _without(bodies[row], spans)
    return lines


def _spans(root: "Node", count: int) -> dict[int, list[tuple[int, int | None]]]:
    """Return where comments stand, by row: first byte and the one behind the last, None for all."""
    found: dict[int, list[tuple[int, int | None]]] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type not in _COMMENTS and not _is_docstring(node):
            stack.extend(reversed(node.named_children))
            continue
        (first, start), (last, stop) = node.start_point, node.end_point
        for row in range(first, min(last + 1, count)):
            span = (start if row == first else 0, stop if row == last else None)
            found.setdefault(row, []).append(span)
    return found


def _is_docstring(node: "Node") -> bool:
    """Whether a statement is a text and nothing else; one that holds code is code."""
    if node.type != "expression_statement" or node.named_child_count != 1:
        return False
    text = node.named_children[0]
    parts = text.named_children if text.type == "concatenated_string" else [text]
    return all(
        part.type == "string"
        and not any(child.type in _CODE_IN_TEXT for child in part.named_children)
        for part in parts
    )


def _without(body: str, spans: list[tuple[int, int | None]]) -> str:
    """Return a line with blanks in some places, which are in order and counted in bytes."""
    source = body.encode("utf-8", "replace")
    pieces: list[str] = []
    at = 0
    for start, stop in spans:
        end = len(source) if stop is None else stop
        pieces.append(source[at:start].decode("utf-8", "replace"))
        pieces.append(" " * len(source[start:end].decode("utf-8", "replace")))
        at = max(at, end)
    pieces.append(source[at:].decode("utf-8", "replace"))
    # A lone surrogate is a question mark in the tree, and stays what it is.
    pairs = zip(body, "".join(pieces), strict=True)
    return "".join(" " if new == " " else old for old, new in pairs)


def _without_grammar(bodies: list[str], signs: _Signs) -> Iterator[str]:
    """Yield the lines without their comments.

    Once a text may have begun that goes over lines, only lines that begin with a comment's sign are
    taken for one: else a text with "/*" in it would hide all that follows.
    """
    inside, sure = False, signs.behind
    for body in bodies:
        stripped = body.lstrip()
        if not inside and stripped.startswith(signs.line) and not stripped.startswith("#["):
            # PHP writes attributes with the sign of its comments.
            yield ""
        elif not sure:
            yield body
        else:
            kept, inside, sure = _line(body, signs, inside)
            yield kept


def _line(body: str, signs: _Signs, inside: bool) -> tuple[str, bool, bool]:
    """Return a line without comments, whether one goes on behind it, and whether that is sure."""
    pieces: list[str] = []
    at = 0
    while at < len(body):
        if inside:
            end = body.find("*/", at)
            stop = len(body) if end < 0 else end + 2
            pieces.append(" " * (stop - at))
            at, inside = stop, end < 0
        elif signs.block and body.startswith("/*", at):
            pieces.append("  ")
            at, inside = at + 2, True
        elif body.startswith(signs.line, at) and not body.startswith("#[", at):
            break
        elif _LONG_TEXT.match(body, at):
            return "".join(pieces) + body[at:], False, False
        else:
            quoted = _QUOTED.match(body, at)
            if quoted is None and body[at] in "\"'":
                return "".join(pieces) + body[at:], False, False
            stop = quoted.end() if quoted else at + 1
            if quoted and _INTERPOLATES.search(quoted[0]):
                # Where the text ends cannot be told, but it ends in this line.
                return "".join(pieces) + body[at:], False, True
            pieces.append(body[at:stop])
            at = stop
    return "".join(pieces).rstrip(), inside, True
