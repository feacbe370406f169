"""Suggestions that are known already: typing along one, or back into one, asks no model.

A suggestion is filed under the text that the model saw. It still holds when the cursor has moved
along it: the text before the cursor is the old one and a beginning of the suggestion, and the
text after the cursor is the old one. So a key typed along, a word or a line accepted, and a
deletion that leads back are all answered from memory, and an edit anywhere in the window ends it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_ENTRIES = 512
MAX_BYTES = 8 * 1024 * 1024
TTL_SECONDS = 15 * 60.0
"""Nothing about a suggestion goes stale while its window is the same, but an old one is not what
the user is thinking of any more."""

# What editors insert behind the cursor by themselves when the opening one is typed.
_CLOSERS = frozenset(")]}\"'`>")


class Known(NamedTuple):
    """What is left of a suggestion.

    Attributes:
        id: The suggestion's own id: it is the same one, however far it has been typed.
        text: What is still to come, with LF line ends; never empty.
    """

    id: str
    text: str


class Place(NamedTuple):
    """A cursor in the text that a model sees, with LF line ends.

    Attributes:
        before: From the start of the window to the cursor.
        after: From the cursor to the end of the window.
    """

    before: str
    after: str


@dataclass(slots=True)
class _Entry:
    conditions: Hashable
    place: Place
    born: float
    suggestions: list[Known] = field(default_factory=list[Known])

    @property
    def size(self) -> int:
        """Bytes, roughly: a character of source code is mostly one."""
        texts = sum(len(known.text) for known in self.suggestions)
        return len(self.place.before) + len(self.place.after) + texts

    def left_at(self, place: Place) -> list[Known]:
        """Return what is left of the suggestions at a place that they lead to."""
        if not place.before.startswith(self.place.before):
            return []
        typed = place.before[len(self.place.before) :]
        closer = _closed_by_itself(self.place.after, place.after)
        if closer is None or (closer and not typed):
            return []
        left: list[Known] = []
        for known in self.suggestions:
            if not known.text.startswith(typed):
                continue
            rest = known.text[len(typed) :]
            if closer:
                # The editor has written the end of the suggestion already.
                if "\n" in rest or not rest.endswith(closer):
                    continue
                rest = rest[: -len(closer)]
            if rest.strip():
                left.append(Known(known.id, rest))
        return left


def _closed_by_itself(old: str, new: str) -> str | None:
    """Return the bracket or quote that was added behind the cursor, "" for none.

    None when anything else has changed there.
    """
    if new == old:
        return ""
    return new[0] if new[:1] in _CLOSERS and new[1:] == old else None


class SuggestionCache:
    """Bounded memory of suggestions, by document."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty.

        Args:
            clock: Seconds; injectable for tests.
        """
        self._clock = clock
        self._entries: OrderedDict[tuple[str, Hashable, Place], _Entry] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many places are remembered."""
        return len(self._entries)

    def has(self, uri: str) -> bool:
        """Whether anything is remembered of a document; costs next to nothing."""
        return any(key[0] == uri for key in self._entries)

    def store(self, uri: str, conditions: Hashable, place: Place, known: Known) -> Known:
        """Remember a suggestion, behind those that are known for the very place.

        Args:
            uri: The document.
            conditions: Whatever else the suggestion depends on, such as settings.
            place: Where it was offered.
            known: Its id and text.

        Returns:
            The suggestion of that text as it is known now: the same text twice is one suggestion.
        """
        key = (uri, conditions, place)
        entry = self._entries.pop(key, None)
        if entry is None:
            entry = _Entry(conditions, place, self._clock())
        else:
            self._bytes -= entry.size
        same = next((one for one in entry.suggestions if one.text == known.text), None)
        if same is None:
            entry.suggestions.append(known)
        self._entries[key] = entry
        self._bytes += entry.size
        while len(self._entries) > MAX_ENTRIES or self._bytes > MAX_BYTES:
            self._drop(next(iter(self._entries)))
        return same or known

    def find(self, uri: str, conditions: Hashable, place: Place) -> tuple[Known, ...]:
        """Return what is known for a place, the likeliest first; nothing when nothing is.

        Of several places that lead here the latest counts: its suggestion knew the most.
        """
        now = self._clock()
        for key, entry in reversed(list(self._entries.items())):
            if key[0] != uri or entry.conditions != conditions:
                continue
            if now - entry.born > TTL_SECONDS:
                self._drop(key)
                continue
            left = entry.left_at(place)
            if left:
                self._entries.move_to_end(key)
                return tuple(left)
        return ()

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a document."""
        for key in [key for key in self._entries if key[0] == uri]:
            self._drop(key)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self._bytes = 0

    def _drop(self, key: tuple[str, Hashable, Place]) -> None:
        self._bytes -= self._entries.pop(key).size
