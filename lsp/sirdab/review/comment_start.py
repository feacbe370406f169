"""Says where the comment at a place of a document begins, if there is one.

Where the language has a grammar, the syntax tree says what is a comment. Elsewhere a comment
begins at the language's sign outside of quotes that are open in that line.
"""

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text

BLOCK = "/*"
BLOCK_END = "*/"

_SLASHES = ("//", "/*")
SIGNS: dict[str, tuple[str, ...]] = {
    "c": _SLASHES, "cpp": _SLASHES, "csharp": _SLASHES, "go": _SLASHES, "java": _SLASHES,
    "javascript": _SLASHES, "javascriptreact": _SLASHES, "kotlin": _SLASHES, "lua": ("--",),
    "perl": ("#",), "php": ("//", "#", "/*"), "python": ("#",), "ruby": ("#",),
    "rust": _SLASHES, "scala": _SLASHES, "shellscript": ("#",), "swift": _SLASHES,
    "typescript": _SLASHES, "typescriptreact": _SLASHES,
}  # fmt: skip
"""What begins a comment, by language."""

_COMMENTS = ("comment", "line_comment", "block_comment", "html_comment")
# In languages without a grammar here, what stands between two of these is no comment.
_QUOTES = "\"'`"


class _Stretch(NamedTuple):
    """One comment; a place is a row and a column in bytes, both from 0."""

    start: tuple[int, int]
    stop: tuple[int, int]


class Comments:
    """The comments of a document as its syntax tree has them, looked for when first asked.

    Args:
        text: The document.
        language_id: As LSP spells it.
    """

    def __init__(self, text: Text, language_id: str) -> None:
        self._text, self._language_id = text, language_id

    @cached_property
    def _found(self) -> list[_Stretch] | None:
        """All of them from top to bottom; None where the language has no grammar."""
        parsed = parse_alone(self._text, self._language_id)
        if parsed is None:
            return None
        from tree_sitter import Query, QueryCursor

        # Asked for all at once: going down to each place costs how deep the code is nested there.
        language = parsed.tree.language
        kinds = [kind for kind in _COMMENTS if language.id_for_node_kind(kind, True) is not None]
        query = Query(language, " ".join(f"({kind}) @comment" for kind in kinds))
        nodes = QueryCursor(query).captures(parsed.tree.root_node).get("comment", [])
        return sorted(
            _Stretch((begin.row, begin.column), (end.row, end.column))
            for begin, end in ((node.start_point, node.end_point) for node in nodes)
        )

    def start(self, line: str, number: int, at: int, signs: tuple[str, ...]) -> int | None:
        """Return the column that the comment at a place begins in, None where there is none.

        A comment of several lines is said to begin in column 0.

        Args:
            line: The line.
            number: Its number, from 0.
            at: The column of a sign of a comment in it.
            signs: Those of the language.
        """
        if self._found is None:
            return start_in_line(line, at, signs)
        # The tree counts bytes, and what is half a pair of surrogates is a question mark there.
        place = number, len(line[:at].encode("utf-8", "replace"))
        index = bisect_right(self._found, place, key=lambda one: one.start) - 1
        if index < 0 or place >= self._found[index].stop:
            return None
        row, begins = self._found[index].start
        if row != number:
            return 0
        return len(line.encode("utf-8", "replace")[:begins].decode("utf-8", "replace"))


def start_in_line(line: str, at: int, signs: tuple[str, ...]) -> int | None:
    """Return where the comment at a place begins, as far as its line alone can tell.

    It goes along the line, so the caller bounds its length.
    """
    quote = ""
    place = 0
    while place < at:
        char = line[place]
        if char == "\\":
            place += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        elif line.startswith(signs, place):
            if not line.startswith(BLOCK, place):
                return place
            end = line.find(BLOCK_END, place + len(BLOCK), at)
            if end < 0:
                return place
            place = end + 1
        place += 1
    return None if quote else at
