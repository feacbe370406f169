"""Suggestions that are known already: typing along one, or back into one, asks no model.

A suggestion is filed under the text that the model saw. It still holds when the cursor has moved
along it: the text before the cursor is the old one and a beginning of the suggestion, and the
text after the cursor is the old one. So a key typed along, a word or a line accepted, and a
deletion that leads back are all answered from memory, and an edit anywhere in the window ends it.
"""

import itertools
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from sirdab.completion.request import Source

MAX_ENTRIES = 512
MAX_BYTES = 8 * 1024 * 1024
TTL_SECONDS = 15 * 60.0
"""Nothing about a suggestion goes stale while its window is the same, but an old one is not what
the user is thinking of any more."""

# What editors insert behind the cursor by themselves when the opening one is typed.
_CLOSERS = frozenset(")]}\"'`>")
_MOST_CLOSERS = 4


class Known(NamedTuple):
    """What is left of a suggestion.

    Attributes:
        id: The suggestion's own id: it is the same one, however far it has been typed.
        text: What is still to come, with LF line ends; never empty.
        source: Who said it first; memory itself, once a part of it has been typed.
    """

    id: str
    text: str
    source: Source = Source.MODEL


class Place(NamedTuple):
    """A cursor in the text that a model sees, with LF line ends.

    Attributes:
        before: From the start of the window to the cursor.
        after: From the cursor to the end of the window.
    """

    before: str
    after: str


@dataclass(slots=True, eq=False)
class _Entry:
    conditions: Hashable
    place: Place
    born: float
    used: int = 0
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
        closer = closed_by_itself(self.place.after, place.after)
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
                left.append(Known(known.id, rest, Source.CACHE) if typed or closer else known)
        return left


def closed_by_itself(old: str, new: str) -> str | None:
    """Return the brackets and quotes that were added behind the cursor, "" for none.

    None when anything else has changed there.

    Args:
        old: The text behind the cursor before.
        new: The same now.
    """
    if new == old:
        return ""
    added = len(new) - len(old)
    if not 0 < added <= _MOST_CLOSERS or not new.endswith(old):
        return None
    closers = new[:added]
    return closers if _CLOSERS.issuperset(closers) else None


class SuggestionCache:
    """Bounded memory of suggestions, by document."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty.

        Args:
            clock: Seconds; injectable for tests.
        """
        self._clock = clock
        # The entries of each document, the one that was used last at the end. Lists, because what
        # an entry is found by is dear to hash and cheap to compare.
        self._documents: dict[str, list[_Entry]] = {}
        self._uses = itertools.count()
        self._count = 0
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many places are remembered."""
        return self._count

    def has(self, uri: str) -> bool:
        """Whether anything is remembered of a document; costs next to nothing."""
        return uri in self._documents

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
        entry = self._at(uri, conditions, place)
        if entry is None:
            entry = _Entry(conditions, place, self._clock())
        else:
            self._drop(uri, entry)
        same = next((one for one in entry.suggestions if one.text == known.text), None)
        if same is None:
            entry.suggestions.append(known)
        entry.used = next(self._uses)
        self._documents.setdefault(uri, []).append(entry)
        self._count += 1
        self._bytes += entry.size
        while self._count > MAX_ENTRIES or self._bytes > MAX_BYTES:
            oldest = min(self._documents, key=lambda uri: self._documents[uri][0].used)
            self._drop(oldest, self._documents[oldest][0])
        return same or known

    def replace(self, uri: str, conditions: Hashable, place: Place, known: Known) -> None:
        """Put another text in the place of the one that a suggestion has had, if it is known.

        It is the latest that was said then, also where something else was offered meanwhile.
        """
        entry = self._at(uri, conditions, place)
        if entry is None:
            return
        self._bytes -= entry.size
        entry.suggestions = [known if one.id == known.id else one for one in entry.suggestions]
        self._bytes += entry.size
        self._use(uri, entry)

    def find(self, uri: str, conditions: Hashable, place: Place) -> tuple[Known, ...]:
        """Return what is known for a place, the likeliest first; nothing when nothing is.

        Of several places that lead here the latest counts: its suggestion knew the most.
        """
        oldest = self._clock() - TTL_SECONDS
        for entry in self._documents.get(uri, [])[::-1]:
            if entry.born < oldest:
                self._drop(uri, entry)
                continue
            if entry.conditions != conditions:
                continue
            left = entry.left_at(place)
            if left:
                self._use(uri, entry)
                return tuple(left)
        return ()

    def was_taken(self, uri: str, place: Place) -> bool:
        """Whether a place is the end of a suggestion that was made, so that it has been taken."""
        return any(
            place.before.endswith(known.text)
            and len(place.before) == len(entry.place.before) + len(known.text)
            and place.before.startswith(entry.place.before)
            and (
                closed_by_itself(entry.place.after, place.after) is not None
                or closed_by_itself(place.after, entry.place.after) is not None
            )
            for entry in self._documents.get(uri, ())
            for known in entry.suggestions
        )

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a document."""
        for entry in list(self._documents.get(uri, ())):
            self._drop(uri, entry)

    def clear(self) -> None:
        """Drop everything."""
        self._documents.clear()
        self._count = 0
        self._bytes = 0

    def _at(self, uri: str, conditions: Hashable, place: Place) -> _Entry | None:
        for entry in self._documents.get(uri, ()):
            if entry.place == place and entry.conditions == conditions:
                return entry
        return None

    def _use(self, uri: str, entry: _Entry) -> None:
        entries = self._documents[uri]
        if entries[-1] is not entry:
            entries.remove(entry)
            entries.append(entry)
        entry.used = next(self._uses)

    def _drop(self, uri: str, entry: _Entry) -> None:
        entries = self._documents[uri]
        entries.remove(entry)
        if not entries:
            del self._documents[uri]
        self._count -= 1
        self._bytes -= entry.size
