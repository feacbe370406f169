"""Writes pieces of code as the block that stands before the document in a prompt.

The same pieces, budget and style always give the same bytes, in an order in which what changes
least comes first: a model server re-reads everything behind the first character that changed.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sirdab.completion.context import ContextBlock, ContextPart
from sirdab.completion.prompt import neutralise
from sirdab.context.code import Piece
from sirdab.context.symbols import comment_sign
from sirdab.models.catalog import Family

# Kinds from the one that changes least, with the share of the budget that is theirs alone; what
# one leaves is the next one's.
_SHARES = (("definition", 0.5), ("similar", 0.35), ("edit", 0.15))
# Fewer lines than this of a longer stretch say nothing.
_LEAST_LINES = 3


class _Style(NamedTuple):
    """How a piece is written.

    Attributes:
        opening: Stands before everything.
        header: Returns the line above the pieces of one file.
        line: Stands before each line of code.
        closing: Stands behind everything.
    """

    opening: str
    header: Callable[[str], str]
    line: str
    closing: str


def write(
    pieces: Sequence[Piece],
    family: Family,
    language_id: str,
    characters: int,
    *,
    workspace: str,
    path: str,
) -> ContextBlock:
    """Write a block.

    Args:
        pieces: Of each kind the best first.
        family: Of the model that will read it; says in which style, and which words must not
            occur.
        language_id: Of the document.
        characters: Most characters of the block.
        workspace: Name of the workspace folder.
        path: Of the document, as the paths of the pieces are.
    """
    style = _style(family, language_id, workspace, path)
    room = characters - len(style.opening) - len(style.closing) if style is not None else 0
    if style is None or room <= 0:
        return ContextBlock()
    chosen = _choose(_neutral(pieces, family), style, room)
    if not chosen:
        return ContextBlock()
    text: list[str] = [style.opening]
    parts: list[ContextPart] = []
    above = ""
    for piece in chosen:
        lines = [f"{style.line}{line}".rstrip() for line in piece.lines]
        said = "".join(f"{line}\n" for line in lines)
        if piece.path != above:
            said = style.header(piece.path) + said
        above = piece.path
        text.append(said)
        parts.append(
            ContextPart(piece.kind, piece.path, piece.line + 1, piece.last_line + 1, len(said))
        )
    return ContextBlock("".join((*text, style.closing)), tuple(parts))


def _style(family: Family, language_id: str, workspace: str, path: str) -> _Style | None:
    """Return the family's way to write context, else comments; None where neither is known."""
    if family.repository is not None and family.context_style == "repository":
        repo, file = family.repository.name, family.repository.file

        def title(name: str) -> str:
            return neutralise(_printable(name), family.sentinels)

        def file_header(name: str) -> str:
            return f"{file}{title(name)}\n"

        # The document is one more file of the repository.
        return _Style(f"{repo}{title(workspace)}\n", file_header, "", file_header(path))
    sign = comment_sign(language_id)
    if not sign:
        return None

    def comment_header(name: str) -> str:
        return f"{sign} {_printable(name)}\n"

    return _Style("", comment_header, f"{sign} ", "\n")


def _neutral(pieces: Sequence[Piece], family: Family) -> list[Piece]:
    """Return pieces that hold nothing a model takes for a command."""

    def clean(line: str) -> str:
        return neutralise(line.replace("\r", " "), family.sentinels)

    return [
        Piece(
            piece.kind,
            neutralise(piece.path, family.sentinels),
            piece.line,
            piece.last_line,
            tuple(clean(line) for line in piece.lines),
            piece.worth,
        )
        for piece in pieces
    ]


def _choose(pieces: Sequence[Piece], style: _Style, room: int) -> list[Piece]:
    """Return the pieces that fit, in the order in which they are written."""
    chosen: list[Piece] = []
    left = 0.0
    spent = 0
    seen: set[tuple[str, ...]] = set()
    headed: set[tuple[str, str]] = set()
    kinds = {piece.kind for piece in pieces}
    # The share of a kind of which there is nothing is everybody's.
    total = sum(share for kind, share in _SHARES if kind in kinds) or 1.0
    for kind, share in _SHARES:
        if kind not in kinds:
            continue
        left += room * share / total
        for piece in (piece for piece in pieces if piece.kind == kind):
            header = 0 if (kind, piece.path) in headed else len(style.header(piece.path))
            most = min(int(left), room - spent) - header
            cut = piece.cut(most, _LEAST_LINES, len(style.line) + 1) if most > 0 else None
            if cut is None or not any(cut.lines) or cut.lines in seen:
                continue
            seen.add(cut.lines)
            size = header + sum(len(line) + len(style.line) + 1 for line in cut.lines)
            left -= size
            spent += size
            headed.add((kind, piece.path))
            chosen.append(cut)
    order = [kind for kind, _ in _SHARES]
    return sorted(chosen, key=lambda one: (order.index(one.kind), one.path, one.line, one.lines))


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)
