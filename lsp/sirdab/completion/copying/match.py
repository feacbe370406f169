"""Finds where the text before the cursor stands already, and what follows there.

What is typed on the cursor's line is looked for first; where nothing is typed yet, the line above
it. Every find is then followed backwards, over as many lines as agree. The longest agreement
counts most, and how many of the finds go on in the same way.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sirdab.completion.copying.block import HEAD, Block, Gram
from sirdab.completion.copying.canonical import TOKEN, canonical, column_behind, last_word
from sirdab.completion.copying.corpus import Indexed
from sirdab.text.store import Point, Text

_MOST_TOKENS = 8
"""Tokens of one line that are looked for. Longer agreements are found by following these back."""

_LEAST_TOKENS = 2
_CONTEXT_CHARACTERS = 400
_CONTEXT_LINES = 40
# Places that are followed back, and finds that are made of them; more say nothing new.
_MOST_FINDS = 32
_MOST_FOLLOWED = 16
# Occurrences in one chunk that are looked at: a table of numbers has thousands.
_MOST_TRIED = 128
# Characters of canonical text that are searched for one key, about 0.1 ms.
_MOST_SEARCHED = 250_000


# The lines above the cursor are the same with every key.
_known_canonical = lru_cache(maxsize=512)(canonical)


@dataclass(frozen=True, slots=True)
class Query:
    """The text before the cursor as it is looked for.

    Attributes:
        context: Canonical text up to the word that is being typed, from the start of a line.
        partial: The word that is being typed, or "".
        after_blank: Whether the cursor stands behind a word and a blank, so that the word ends.
        line: The canonical line that is searched for: the cursor's, or the one above it where
            nothing but a word is typed on the cursor's. Without `partial`.
        on_line_above: Whether it is the one above.
        own_line: Number of that line, where the query itself would be found.
    """

    context: str
    partial: str
    after_blank: bool
    line: str
    on_line_above: bool
    own_line: int


def query_at(text: Text, point: Point) -> Query | None:
    """Say what to look for at a place; None where there is nothing to go by."""
    line_before = text.line_body(point.line)[: point.column]
    current = canonical(line_before)
    if line_before.strip() and not current:
        return None
    word = last_word(current)
    after_blank = bool(word) and line_before[-1:].isspace()
    partial = "" if after_blank else word
    current = current[: len(current) - len(partial)]
    above: list[str] = []
    own_line, size = point.line, 0
    for number in range(point.line - 1, max(point.line - _CONTEXT_LINES, 0) - 1, -1):
        line = _known_canonical(text.line_body(number))
        if not line:
            continue
        if not above and not current:
            own_line = number
        above.append(line)
        size += len(line)
        if size >= _CONTEXT_CHARACTERS:
            break
    if not current and not above:
        return None
    context = "".join(f"\n{line}" for line in reversed(above)) + "\n" + current
    searched = f"\n{current}" if current else f"\n{above[0]}\n"
    return Query(context, partial, after_blank, searched, not current, own_line)


class Find(NamedTuple):
    """A place at which the text before the cursor stands already.

    Attributes:
        document: Number of the document, in the order of their importance.
        line: The line that goes on there.
        column: Where it does.
        rest: What follows on the line.
        tokens: How many tokens before the cursor agree; line feeds count.
        distance: Lines between there and the cursor; in another document 0.
    """

    document: int
    line: int
    column: int
    rest: str
    tokens: int
    distance: int


class _Spot(NamedTuple):
    """Where a search string ends, in a document's chunk."""

    document: int
    chunk: int
    stop: int


def find_all(query: Query, documents: Sequence[Indexed], cursor: Point) -> list[Find]:
    """Return the places at which most of the text before the cursor stands.

    Args:
        query: What to look for.
        documents: Where; the first is the one with the cursor.
        cursor: The cursor in the first document.

    Returns:
        The longest agreements first; of equal ones the nearest first.
    """
    partial = "" if query.on_line_above else query.partial
    starts = _token_starts(query.context)
    least = _LEAST_TOKENS - bool(query.partial)
    agreeing: list[tuple[int, int, int, int, _Spot]] = []
    for spot in _spots(query, partial, documents, cursor):
        document = documents[spot.document]
        tokens = _matched_tokens(query.context, starts, document, spot, len(partial))
        if tokens >= least:
            line = document.place_of(spot.chunk, spot.stop - 1)
            away = abs(line - cursor.line) if spot.document == 0 else 0
            agreeing.append((-tokens, spot.document, away, line, spot))
    agreeing.sort()
    found: list[Find] = []
    for tokens, *_, spot in agreeing:
        find = _follow(query, spot, -tokens, documents, cursor)
        if find is not None:
            found.append(find)
            if len(found) >= _MOST_FOLLOWED:
                break
    return found


def _spots(query: Query, partial: str, documents: Sequence[Indexed], cursor: Point) -> list[_Spot]:
    """Search for the last tokens of a line: as many of them as occur anywhere, and one fewer."""
    line = query.line
    tokens = TOKEN.findall(line)
    known = [*tokens, partial] if len(partial) >= HEAD else tokens
    by_depth = _chunks_by_depth(_grams(known), documents, cursor)
    starts = [*_token_starts(line), len(line)]
    extra = len(known) - len(tokens)
    most = max(by_depth, default=0)
    budget = _MOST_SEARCHED
    spots: dict[_Spot, None] = {}
    least = _LEAST_TOKENS
    for depth in range(most, _LEAST_TOKENS - 1, -1):
        if depth < least:
            break
        wanted = depth - extra
        needle = line[starts[len(tokens) - wanted] :] + partial
        for deep in range(most, depth - 1, -1):
            for number, chunk, block in by_depth.get(deep, ()):
                budget -= len(block.text)
                for stop in _occurrences(block.text, needle):
                    # The query itself stands in the document as well.
                    line_there = documents[number].place_of(chunk, stop - 1)
                    if number or line_there != query.own_line:
                        spots[_Spot(number, chunk, stop)] = None
                if len(spots) >= _MOST_FINDS or budget < 0:
                    return list(spots)[:_MOST_FINDS]
        if spots and least == _LEAST_TOKENS:
            # One token fewer shows whether others go on differently.
            least = max(_LEAST_TOKENS, depth - 1)
    return list(spots)


def _grams(tokens: list[str]) -> list[Gram]:
    """Return what must occur for the last 2, 3, … tokens to do so, one for each."""
    stops = range(len(tokens), max(len(tokens) - _MOST_TOKENS + 2, 2), -1)
    return [Gram(tokens[-2:]), *(Gram(tokens[stop - 3 : stop]) for stop in stops)]


def _chunks_by_depth(
    grams: list[Gram], documents: Sequence[Indexed], cursor: Point
) -> dict[int, list[tuple[int, int, Block]]]:
    """Return the chunks by how many of the last tokens they may hold, the nearest first."""
    found: dict[int, list[tuple[int, int, Block]]] = {}
    pair, *longer = grams
    byte, bit = pair.byte, pair.bit
    for number, document in enumerate(documents):
        # Most chunks are passed over here.
        chunks = [at for at, table in enumerate(document.tables) if table[byte] & bit]
        if number == 0:
            here = document.chunk_of(cursor.line)
            chunks.sort(key=lambda at: abs(at - here))
        for chunk in chunks:
            block = document.blocks[chunk]
            if block is None:
                continue
            depth = _LEAST_TOKENS
            for gram in longer:
                if not block.may_have(gram):
                    break
                depth += 1
            found.setdefault(depth, []).append((number, chunk, block))
    return found


def _occurrences(text: str, needle: str) -> Iterator[int]:
    """Yield the ends of a string's occurrences that begin with a whole token, the last first."""
    word = needle[:1].isalnum() or needle[:1] == "_"
    at = text.rfind(needle)
    for _ in range(_MOST_TRIED):
        if at < 0:
            return
        before = text[at - 1 : at]
        if not (word and (before.isalnum() or before == "_")):
            yield at + len(needle)
        at = text.rfind(needle, 0, at + len(needle) - 1)


def _token_starts(text: str) -> list[int]:
    return [match.start() for match in TOKEN.finditer(text)]


def _follow(
    query: Query, spot: _Spot, tokens: int, documents: Sequence[Indexed], cursor: Point
) -> Find | None:
    """Return what follows where a search string ends; None where that is not what is looked for."""
    document = documents[spot.document]
    chunk, at = spot.chunk, spot.stop
    own = spot.document == 0
    if query.on_line_above:
        chunk, at = _next_line(document, chunk, at)
        block = document.blocks[chunk] if chunk < len(document.blocks) else None
        if block is None or not block.text.startswith(query.partial, at):
            return None
        at += len(query.partial)
    else:
        block = document.blocks[chunk]
        if block is None:
            return None
    line = document.place_of(chunk, at - bool(query.partial or not query.on_line_above))
    if own and line == cursor.line:
        return None
    text = block.text
    if query.after_blank and (text[at : at + 1].isalnum() or text[at : at + 1] == "_"):
        return None
    start = text.rfind("\n", 0, at) + 1
    body = document.snapshot.text.line_body(line)
    column = column_behind(body, text[start:at])
    distance = abs(line - cursor.line) if own else 0
    return Find(spot.document, line, column, body[column:].rstrip(), tokens, distance)


def _next_line(document: Indexed, chunk: int, at: int) -> tuple[int, int]:
    """Return where the text behind a line feed goes on, which may be in a later chunk."""
    block = document.blocks[chunk]
    while block is not None and at >= len(block.text):
        chunk, at = chunk + 1, 1
        block = document.blocks[chunk] if chunk < len(document.blocks) else None
    return chunk, at


def _matched_tokens(
    context: str, starts: list[int], document: Indexed, spot: _Spot, partial: int
) -> int:
    """Count the tokens of the context, from its end, that stand before a find as well."""
    block = document.blocks[spot.chunk]
    if block is None:
        return 0
    left = block.text[max(0, spot.stop - partial - len(context) - 1) : spot.stop - partial]
    chunk = spot.chunk
    while len(left) <= len(context) and chunk > 0:
        chunk -= 1
        above = document.blocks[chunk]
        if above is None:
            break
        # Both have the line feed between them.
        left = above.text[:-1][-len(context) - 1 :] + left
    low, high = 0, min(len(context), len(left))
    while low < high:
        middle = (low + high + 1) // 2
        if left.endswith(context[len(context) - middle :]):
            low = middle
        else:
            high = middle - 1
    first = len(context) - low
    count = len(starts) - bisect_left(starts, first)
    if count and starts[-count] == first and low < len(left):
        # The first token that agrees may be only the end of a longer word there.
        word, before = context[first], left[len(left) - low - 1]
        if (word.isalnum() or word == "_") and (before.isalnum() or before == "_"):
            count -= 1
    return count
