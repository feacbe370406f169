"""Says whether the cursor is in code, in a comment or in a string.

Trees are right about what is closed. What is not closed yet, a string or comment that is
being typed, they repair in ways that hide it, so from the first error on the text is read
like a lexer would, with the tree as a guide over everything that is whole.
"""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from sirdab.syntax.parse import parse, to_source
from sirdab.text.store import Point, Text

if TYPE_CHECKING:
    from tree_sitter import Node


class Scope(StrEnum):
    """What the text around a point is."""

    CODE = "code"
    COMMENT = "comment"
    STRING = "string"
    UNKNOWN = "unknown"
    """There is no grammar, or the document is too large for it."""


_COMMENTS = frozenset(
    {"comment", "line_comment", "block_comment", "html_comment", "hash_bang_line"}
)
_STRINGS = frozenset(
    {
        "string", "string_literal", "raw_string_literal", "template_string", "char_literal",
        "character_literal", "interpreted_string_literal", "rune_literal", "regex",
    }
)  # fmt: skip
_INTERPOLATIONS = frozenset({"interpolation", "template_substitution", "string_interpolation"})
# Not code to a lexer: an apostrophe in it opens nothing.
_OPAQUE = _COMMENTS | _STRINGS | {"jsx_text"}

# More than this many quotes and comment signs behind an error are not looked at: at about
# 3 microseconds each it is the most that a keystroke can spend.
_MOST_OPENERS = 4_000


class _Lexis(NamedTuple):
    """How comments and strings of a language begin and end.

    Attributes:
        openers: Matches where one may begin.
        line_comments: Signs of comments that end with the line.
        blocks: Quotes of strings that may go on over several lines.
        hole: Sign that begins an expression in a string in backquotes; empty for none.
    """

    openers: re.Pattern[bytes]
    line_comments: frozenset[bytes]
    blocks: frozenset[bytes]
    hole: bytes = b""


_C_COMMENTS = rb"//|/\*"
_C_LIKE = _Lexis(
    re.compile(_C_COMMENTS + rb"""|"|(?<![A-Za-z0-9_])'"""), frozenset({b"//"}), frozenset()
)
_SCRIPT = _Lexis(
    re.compile(_C_COMMENTS + rb"""|["'`]"""), frozenset({b"//"}), frozenset({b"`"}), b"${"
)
_LEXES: dict[str, _Lexis] = {
    "c": _C_LIKE,
    "cpp": _C_LIKE,
    "go": _SCRIPT._replace(hole=b""),
    "java": _Lexis(
        re.compile(_C_COMMENTS + rb"""|\"\"\"|["']"""),
        frozenset({b"//"}),
        frozenset({b'"""'}),
    ),
    "javascript": _SCRIPT,
    "javascriptreact": _SCRIPT,
    "typescript": _SCRIPT,
    "typescriptreact": _SCRIPT,
    "lua": _Lexis(re.compile(rb"""(?:--)?\[=*\[|--|["']"""), frozenset({b"--"}), frozenset()),
    "python": _Lexis(
        re.compile(rb"""#|[A-Za-z]{0,2}(?:\"\"\"|'''|"|')"""),
        frozenset({b"#"}),
        frozenset({b'"""', b"'''"}),
    ),
    # A single quote is a lifetime more often than an open character.
    "rust": _Lexis(
        re.compile(_C_COMMENTS + rb"""|(?<![A-Za-z0-9_])b?r#*"|\""""),
        frozenset({b"//"}),
        frozenset({b'"'}),
    ),
}
_LONG_BRACKET = re.compile(rb"(?:--)?\[(=*)\[")
_RAW_RUST = re.compile(rb"b?r(#*)\"")


def scope_at(text: Text, language_id: str, point: Point) -> Scope:
    """Return what a cursor at a point would type into.

    Between two characters, a place belongs to a string or comment when it is inside its
    signs; behind the closing sign is code, at the end of a line comment is comment, and in
    an interpolated expression is code.

    Args:
        text: The document.
        language_id: As LSP spells it.
        point: The cursor; clamped to the text.
    """
    parsed = parse(text, language_id)
    if parsed is None:
        return Scope.UNKNOWN
    point = text.clamp(point)
    offset = len(to_source(text.slice(Point(0, 0), point)))
    root = parsed.tree.root_node
    trouble = _first_trouble(root) if root.has_error else None
    if trouble is None or trouble >= offset:
        return _by_tree(root, parsed.source, offset)
    return _Reader(root, parsed.source, offset, _LEXES[language_id]).read(trouble)


def _by_tree(root: "Node", source: bytes, offset: int) -> Scope:
    if offset == 0:
        return Scope.CODE
    node = root.descendant_for_byte_range(offset - 1, offset)
    while node is not None:
        inside = node.start_byte < offset < node.end_byte
        if node.type in _INTERPOLATIONS and inside:
            return Scope.CODE
        if node.type in _STRINGS and inside:
            return Scope.STRING
        if node.type in _COMMENTS and (inside or _is_line_end(node, source, offset)):
            return Scope.COMMENT
        node = node.parent
    return Scope.CODE


def _is_line_end(node: "Node", source: bytes, offset: int) -> bool:
    """Whether the offset is the end of a comment that only the end of its line closes."""
    if offset != node.end_byte or source[offset - 1] == 0x0A:
        return False
    start = source[node.start_byte : node.start_byte + 16]
    return not start.startswith((b"/*", b"<!--")) and not (
        start.startswith(b"--") and _LONG_BRACKET.match(start)
    )


def _first_trouble(root: "Node") -> int | None:
    """Return where reading has to begin so that the first error cannot mislead it."""
    node = root
    while True:
        if node.type in _STRINGS or node.is_error or node.is_missing:
            return node.start_byte
        bad = next((child for child in node.children if child.has_error), None)
        if bad is None:
            return node.start_byte
        if bad.is_missing:
            # What lacks something may have begun before the place where it lacks it.
            return node.start_byte if node is not root else bad.start_byte
        node = bad


class _Reader:
    """Reads forward to the cursor, keeping to what is whole in the tree."""

    def __init__(self, root: "Node", source: bytes, offset: int, lexis: _Lexis) -> None:
        self._root = root
        self._source = source
        self._offset = offset
        self._lexis = lexis
        self._left = _MOST_OPENERS

    def read(self, at: int) -> Scope:
        """Return the scope of the cursor, reading code from `at` on."""
        return self._code(at, len(self._source), None) or Scope.CODE

    def _code(self, at: int, stop: int, closer: bytes | None) -> Scope | None:
        """Read code; `self._at` is then behind the closing brace, when there is one.

        Returns:
            The scope of the cursor once it is reached, else None.
        """
        depth = 0
        pattern = self._lexis.openers
        if closer is not None:
            pattern = re.compile(rb"[{}]|" + pattern.pattern)
        while True:
            match = pattern.search(self._source, at, stop)
            if match is None or match.start() >= self._offset:
                self._at = stop
                return Scope.CODE if self._offset <= stop else None
            self._left -= 1
            if self._left < 0:
                return Scope.UNKNOWN
            sign = match[0]
            if sign in (b"{", b"}"):
                at = match.end()
                depth += 1 if sign == b"{" else -1
                if depth < 0:
                    self._at = at
                    return None
                continue
            whole = self._whole(match.start())
            if whole is not None:
                if self._offset < whole.end_byte or (
                    whole.type in _COMMENTS and _is_line_end(whole, self._source, self._offset)
                ):
                    return _by_tree(self._root, self._source, self._offset)
                at = max(whole.end_byte, match.start() + 1)
                continue
            scope = self._opened(match)
            if scope is not None:
                return scope
            at = self._at

    def _whole(self, at: int) -> "Node | None":
        """Return the string, comment or text without an error that covers a byte."""
        node = self._root.descendant_for_byte_range(at, at + 1)
        found = None
        while node is not None:
            if node.type in _INTERPOLATIONS:
                break
            if node.type in _OPAQUE and not node.has_error and node.start_byte <= at:
                found = node
            node = node.parent
        return found

    def _opened(self, match: re.Match[bytes]) -> Scope | None:
        """Read what a sign opens that the tree knows no end of."""
        source, start, sign = self._source, match.end(), match[0]
        line_stop = source.find(b"\n", start)
        line_stop = len(source) if line_stop < 0 else line_stop
        if sign in self._lexis.line_comments:
            self._at = line_stop
            return Scope.COMMENT if self._offset <= line_stop else None
        long = _LONG_BRACKET.fullmatch(sign)
        raw = _RAW_RUST.fullmatch(sign)
        if long or raw or sign == b"/*":
            end = (
                b"*/"
                if sign == b"/*"
                else (b"]" + long[1] + b"]" if long else b'"' + (raw[1] if raw else b""))
            )
            scope = Scope.COMMENT if sign.startswith((b"/*", b"--")) else Scope.STRING
            close = source.find(end, start)
            self._at = len(source) if close < 0 else close + len(end)
            return scope if self._offset < self._at or close < 0 else None
        quote = sign.lstrip(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        prefix = sign[: len(sign) - len(quote)].lower()
        hole = self._lexis.hole if quote == b"`" else b""
        if b"f" in prefix or b"t" in prefix:  # Python's f-strings and t-strings.
            hole = b"{"
        return self._string(start, quote, hole, spans_lines=quote in self._lexis.blocks)

    def _string(self, at: int, quote: bytes, hole: bytes, *, spans_lines: bool) -> Scope | None:
        source = self._source
        parts = [rb"\\(?:\r\n|[\s\S])", re.escape(quote)]
        if hole:
            parts += [rb"\{\{|\{" if hole == b"{" else re.escape(hole)]
        if not spans_lines:
            parts.append(rb"\n")
        pattern = re.compile(b"|".join(parts))
        line_stop = source.find(b"\n", at)
        limit = len(source) if spans_lines or line_stop < 0 else line_stop
        while True:
            match = pattern.search(source, at)
            if match is None:
                self._at = len(source)
                return Scope.STRING
            if match.start() >= self._offset or (
                match.end() > self._offset and match[0] != quote and match[0] != b"\n"
            ):
                return Scope.STRING
            at = match.end()
            sign = match[0]
            if sign in (quote, b"\n"):
                self._at = at
                return None if self._offset >= at else Scope.STRING
            if sign.startswith(b"\\") and b"\n" in sign and not spans_lines:
                line_stop = source.find(b"\n", at)
                limit = len(source) if line_stop < 0 else line_stop
            elif hole and sign == hole:
                scope = self._code(at, limit, b"}")
                if scope is not None:
                    return scope
                at = self._at
