"""Parses a document within a budget, from the tree of an earlier state where there is one.

Parsing holds the interpreter (tree-sitter's binding keeps the GIL), so it has to be short:
a size limit, a time budget, and a first tree that later parses only repair.
"""

import re
import time
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sirdab.policy.limits import FIRST_PARSE_BUDGET_MS, MAX_PARSE_BYTES, PARSE_BUDGET_MS
from sirdab.syntax.grammars import grammar
from sirdab.syntax.source_edit import Edit, position
from sirdab.text.store import Text

if TYPE_CHECKING:
    from tree_sitter import Parser, Tree

# States of documents whose trees are kept. A tree takes some ten times its source.
_KEPT = 4

# States that were parsed for a review, and the size from which on one is kept: smaller ones take
# less than two milliseconds, and would only take the place of a large one.
_KEPT_ALONE = 2
_KEPT_ALONE_BYTES = 16 * 1024

# What is larger may take too long to parse and is given to tree-sitter in pieces, because only then
# it can be stopped. The rest is given as a whole: py-tree-sitter 0.26 never frees the pieces (44 MB
# after 1,500 parses of 31 KB; nothing when they are given as a whole).
_WHOLE_BYTES = 128 * 1024
_PIECE_BYTES = 32 * 1024
# A repair reads little, and should leave little behind.
_REPAIR_PIECE_BYTES = 1024

# After a first parse that took too long, in seconds, no other of that kind is begun.
_REST_SECONDS = 30.0

# Grammars know no lone "\r" as a line end, and a comment would never end.
_LONE_CR = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A tree and the bytes it speaks of.

    Attributes:
        language_id: The language it was parsed as.
        source: UTF-8. Lone carriage returns are line feeds here and lone surrogates are
            question marks.
        tree: The syntax tree; positions are bytes of `source`.
        text: The text it was made of, which is not kept alive.
    """

    language_id: str
    source: bytes
    tree: "Tree"
    text: weakref.ref[Text]


# Both are replaced and never changed, because threads read them; the first one's only writer is the
# thread that calls `parse`. When two threads replace the other one, one tree is parsed again.
_recent: tuple[Parsed, ...] = ()
_alone: tuple[Parsed, ...] = ()
_resting_until = 0.0


def parse(text: Text, language_id: str, *, budget_ms: float | None = None) -> Parsed | None:
    """Return the syntax tree of a text.

    Args:
        text: The document.
        language_id: As LSP spells it.
        budget_ms: Milliseconds the parse may take; None for the limits of this project,
            which give a first parse more than a repair.

    Returns:
        None when the language has no grammar, the text is too large, or time ran out.
    """
    global _recent  # noqa: PLW0603 - the trees are those of the process
    known = _of(text, language_id, _recent)
    if known is not None:
        return known
    # No code point has less than one byte, so this also bounds the encoding below.
    if text.char_count > MAX_PARSE_BYTES:
        return None
    language = grammar(language_id)
    if language is None:
        return None
    source = to_source(str(text))
    if len(source) > MAX_PARSE_BYTES:
        return None
    from tree_sitter import Parser

    earlier = _nearest(source, language_id, _recent)
    if budget_ms is None:
        budget_ms = FIRST_PARSE_BUDGET_MS if earlier is None else PARSE_BUDGET_MS
    tree = _run(Parser(language), source, earlier, budget_ms)
    if earlier is not None:
        # The newer state takes its place. When the repair took too long, every later one
        # from the same tree would as well, so the next parse begins afresh.
        _recent = tuple(other for other in _recent if other is not earlier[0])
    if tree is None:
        return None
    parsed = Parsed(language_id, source, tree, weakref.ref(text))
    _recent = (parsed, *_recent)[:_KEPT]
    return parsed


def parse_alone(text: Text, language_id: str) -> Parsed | None:
    """Return the tree that a parse from nothing gives; any thread may ask for it.

    A parse of 5,000 lines keeps the interpreter for some 15 ms in whichever thread it runs, so
    a tree of this very text is taken where there is one. Where a text has syntax errors, a repaired
    tree may not be what a parse from nothing gives, and is not taken. (To repair one for a review
    takes two thirds of the time of a first parse, so that is not done.)

    Args:
        text: The document.
        language_id: As LSP spells it.

    Returns:
        None when the language has no grammar or the text is too large.
    """
    global _alone  # noqa: PLW0603 - the trees are those of the process
    alone, recent = _alone, _recent
    known = _of(text, language_id, alone)
    if known is not None:
        return known
    known = _of(text, language_id, recent)
    if known is not None and not known.tree.root_node.has_error:
        return known
    language = grammar(language_id) if text.char_count <= MAX_PARSE_BYTES else None
    if language is None:
        return None
    source = to_source(str(text))
    if len(source) > MAX_PARSE_BYTES:
        return None
    from tree_sitter import Parser

    parsed = Parsed(language_id, source, Parser(language).parse(source), weakref.ref(text))
    if len(source) >= _KEPT_ALONE_BYTES:
        _alone = (parsed, *alone)[:_KEPT_ALONE]
    return parsed


def to_source(content: str) -> bytes:
    """Return a text, or its beginning, in the form that trees speak of."""
    if "\r" in content:
        content = _LONE_CR.sub("\n", content)
    return content.encode("utf-8", "replace")


def forget() -> None:
    """Drop every tree that is kept, and what was too slow to get one."""
    global _alone, _recent, _resting_until  # noqa: PLW0603
    _resting_until = 0.0
    _alone = _recent = ()


def _of(text: Text, language_id: str, kept: tuple[Parsed, ...]) -> Parsed | None:
    """Return the tree of this very text."""
    for known in kept:
        if known.text() is text and known.language_id == language_id:
            return known
    return None


def _nearest(
    source: bytes, language_id: str, kept: tuple[Parsed, ...]
) -> tuple[Parsed, Edit] | None:
    """Return the newest kept state that shares at least half of the source."""
    for known in kept:
        if known.language_id != language_id:
            continue
        edit = Edit(known.source, source)
        if max(edit.new_stop, edit.old_stop) - edit.start <= len(source) // 2:
            return known, edit
    return None


def _run(
    parser: "Parser", source: bytes, earlier: tuple[Parsed, Edit] | None, budget_ms: float
) -> "Tree | None":
    old_tree = None if earlier is None else _edited(source, earlier)
    if len(source) <= _WHOLE_BYTES:
        return parser.parse(source) if old_tree is None else parser.parse(source, old_tree)
    return _run_in_time(parser, source, old_tree, budget_ms)


def _edited(source: bytes, earlier: tuple[Parsed, Edit]) -> "Tree":
    """Return the tree of an earlier state as it is to be repaired; its own is left as it is."""
    known, edit = earlier
    tree = known.tree.copy()
    tree.edit(
        edit.start,
        edit.old_stop,
        edit.new_stop,
        position(source, edit.start),
        position(known.source, edit.old_stop),
        position(source, edit.new_stop),
    )
    return tree


def _run_in_time(
    parser: "Parser", source: bytes, old_tree: "Tree | None", budget_ms: float
) -> "Tree | None":
    global _resting_until  # noqa: PLW0603 - as global as the trees that are kept
    if old_tree is None and time.monotonic() < _resting_until:
        return None
    deadline = time.perf_counter() + budget_ms / 1000
    size = _PIECE_BYTES if old_tree is None else _REPAIR_PIECE_BYTES

    def read(offset: int, position: object) -> bytes:
        del position
        return source[offset : offset + size]

    def is_late(offset: int, has_error: bool) -> bool:
        del offset, has_error
        return time.perf_counter() > deadline

    try:
        if old_tree is None:
            return parser.parse(read, progress_callback=is_late)
        return parser.parse(read, old_tree, progress_callback=is_late)
    except ValueError:
        # This is how the binding reports a parse that was stopped.
        if old_tree is None:
            _resting_until = time.monotonic() + _REST_SECONDS
        return None
