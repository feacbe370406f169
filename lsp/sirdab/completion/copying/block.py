"""The index of one chunk of lines.

A chunk of a document (`sirdab.text.store`) never changes: an edit makes a new one and shares the
others, so what is known of a chunk stays true. Of the one chunk that a key does change, the index
is made from that of the chunk before the key.

The index is the canonical text, searched as a string, and a small table that says which pairs and
triples of tokens do not occur in it: most chunks are passed over without a search. The table is a
Bloom filter with one hash function, so it may say "perhaps" of what is not there, never "no" of
what is.
"""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Generator, Sequence

from sirdab.completion.copying.canonical import TOKEN, canonical
from sirdab.text.common import agreeing

Lines = tuple[str, ...]

HEAD = 2
"""Characters of the last token that the table knows: a word that is still being typed has no more
than its first ones."""

_TABLE_BYTES = 4096
NOTHING = bytearray(_TABLE_BYTES)
"""The table of a chunk that is not indexed: nothing occurs in it."""

_BITS = tuple(1 << bit for bit in range(8))
# Lines between two rests of a build. 64 lines take some 0.4 ms.
_STEP_LINES = 64
# More changed lines than this are not the work of one key; they are indexed in the background.
_PATCHED_LINES = 16
# A chunk of 256 lines has about 5,000 pairs and triples. When edits have added as many, the table
# says "perhaps" twice as often and is made anew.
_STALE_GRAMS = 5_000


class Gram:
    """A pair or triple of tokens to be looked up."""

    __slots__ = ("bit", "byte")

    def __init__(self, tokens: Sequence[str]) -> None:
        """Take the tokens; of the last one only the beginning counts."""
        place = hash((*tokens[:-1], tokens[-1][:HEAD]))
        self.byte = place >> 3 & _TABLE_BYTES - 1
        self.bit = _BITS[place & 7]


class Block:
    """What is known of one chunk.

    Attributes:
        text: A line feed, then each line that is not blank in canonical form with a line feed.
        table: The filter; shared with the blocks that this one was made from, which it fits too.
        added: How many pairs and triples were added to it by edits.
    """

    __slots__ = ("_starts", "added", "table", "text")

    def __init__(self, text: str, starts: "array[int]", table: bytearray, added: int) -> None:
        """Take the parts; `build` and `patch` make them."""
        self.text = text
        self._starts = starts
        self.table = table
        self.added = added

    @property
    def bytes(self) -> int:
        """Memory it takes, but for a few dozen bytes."""
        return sys.getsizeof(self.text) + len(self._starts) * 4 + _TABLE_BYTES

    @property
    def stale(self) -> bool:
        """Whether it had better be built anew."""
        return self.added > _STALE_GRAMS

    def may_have(self, gram: Gram) -> bool:
        """Whether a pair or triple may occur within one line."""
        return bool(self.table[gram.byte] & gram.bit)

    def line_at(self, offset: int) -> int:
        """Return the number of the line, within the chunk, that an offset of `text` lies in."""
        return bisect_right(self._starts, offset) - 1

    def start_of(self, line: int) -> int:
        """Return the offset of `text` at which a line of the chunk begins."""
        return self._starts[line] if line < len(self._starts) else len(self.text)

    def patch(self, old: Lines, new: Lines) -> "Block | None":
        """Return the index of a chunk that differs from this one's in a few lines.

        Args:
            old: The lines of this block's chunk.
            new: The lines of the other chunk.

        Returns:
            None when it had better be built: too many lines differ.
        """
        size = min(len(old), len(new))
        head = agreeing(size, lambda low, high: old[low:high] == new[low:high])
        ends = len(old), len(new)
        tail = agreeing(
            size - head,
            lambda low, high: (
                old[ends[0] - high : ends[0] - low] == new[ends[1] - high : ends[1] - low]
            ),
        )
        changed = new[head : len(new) - tail]
        if len(changed) > _PATCHED_LINES:
            return None
        parts = [canonical(line) for line in changed]
        start, stop = self.start_of(head), self.start_of(len(old) - tail)
        middle = _joined(parts)
        added = self.added + _add_grams(self.table, middle)
        starts = self._starts[:head]
        at = start
        for part in parts:
            starts.append(at)
            at += len(part) + bool(part)
        shift = at - stop
        rest = self._starts[len(old) - tail :]
        starts.extend([place + shift for place in rest] if shift else rest)
        return Block(self.text[:start] + middle + self.text[stop:], starts, self.table, added)


def build(lines: Lines) -> Generator[None, None, Block]:
    """Index a chunk, resting between steps of well under a millisecond."""
    parts: list[str] = []
    table = bytearray(_TABLE_BYTES)
    for first in range(0, len(lines), _STEP_LINES):
        step = [canonical(line) for line in lines[first : first + _STEP_LINES]]
        _add_grams(table, _joined(step))
        parts += step
        if len(parts) < len(lines):
            yield
    starts = array("I")
    at = 1
    for part in parts:
        starts.append(at)
        at += len(part) + bool(part)
    return Block("\n" + _joined(parts), starts, table, 0)


def step(work: Generator[None, None, Block]) -> Block | None:
    """Go on with a build; return the index when it is done."""
    try:
        next(work)
    except StopIteration as end:
        block: Block = end.value
        return block
    return None


def _joined(parts: Sequence[str]) -> str:
    return "".join(f"{part}\n" for part in parts if part)


def _add_grams(table: bytearray, text: str) -> int:
    """Enter the pairs and triples of whole canonical lines; return how many there were."""
    if not text:
        return 0
    # The line feed in front belongs to the first line as much as to the one above it.
    tokens = ["\n", *TOKEN.findall(text)]
    heads = [token[:HEAD] for token in tokens]
    places = set(map(hash, zip(tokens, heads[1:], strict=False)))
    places.update(map(hash, zip(tokens, tokens[1:], heads[2:], strict=False)))
    for place in places:
        table[place >> 3 & _TABLE_BYTES - 1] |= _BITS[place & 7]
    return len(places)
